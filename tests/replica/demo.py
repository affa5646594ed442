"""``make demo``: the main jobs, offline, from the small internet: 30 pictures of cats with a real browser, a subreddit,
past papers, a page of any site, free photos in two sizes, and a list.

Shows each command's own output, the tree of what it got, three lines of the feed, and the first command again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.crawling import ROOT, environment
from tests.replica import Replica

DATA = ROOT / "demo"
CONTACT = "you@example.com"
CRAWL = ("crawl", "google_images", "-a", "q=cats", "-a", "limit=30")
SUBREDDIT = ("crawl", "subreddit", "-a", "name=few")
REDDIT = {"REDDIT_CLIENT_ID": "replica-id", "REDDIT_CLIENT_SECRET": "replica-secret", "REDDIT_USERNAME": "replica"}
PAPERS = ("crawl", "papacambridge", "-a", "subject=9609", "-a", "years=2024")
SITE = ("crawl", "site", "-a", "url=https://www.red-panda-archive.example", "-a", "depth=2", "-a", "limit=12")
PHOTOS = ("crawl", "unsplash", "-a", "q=lake", "-a", "widths=600,1200", "-a", "limit=5")
LIST = ("crawl", "google_images", "-a", "q=dogs", "-a", "limit=5", "-a", "download=0", "-O", f"{DATA.name}/dogs.jsonl")
LISTED = ("crawl", "urls", "-a", f"file={DATA.name}/dogs.jsonl")


def main() -> int:
    shutil.rmtree(DATA, ignore_errors=True)
    with Replica() as replica:
        code = run(replica, *CRAWL)
        print("\n".join(["", *tree(DATA / "images"), "", *feed_lines(3), ""]), flush=True)
        code = code or run(replica, *CRAWL)
        code = code or run(replica, *SUBREDDIT, **REDDIT)
        print("\n".join(["", *tree(DATA / "images" / "few"), ""]), flush=True)
        code = code or run(replica, *PAPERS)
        print("\n".join(["", *tree(DATA / "files"), ""]), flush=True)
        code = code or run(replica, *SITE)
        code = code or run(replica, *PHOTOS)
        print("\n".join(["", *tree(DATA / "images" / "lake"), ""]), flush=True)
        code = code or run(replica, *LIST)
        code = code or run(replica, *LISTED)
        code = code or run(replica, "verify")
    print(
        f"\nEverything lies in {DATA.name}/ (made up by this project's tests; nothing was fetched from the internet)."
    )
    return code


def run(replica: Replica, *words: str, **given: str) -> int:
    """A command of the project, as its user types it, with what is ``given`` in the environment."""
    given |= {"IMAGECRAWL_DATA": DATA.name, "IMAGECRAWL_CONTACT": CONTACT}
    print(f"$ {' '.join(f'{name}={value}' for name, value in given.items())} scrapy {' '.join(words)}", flush=True)
    return subprocess.call(
        [sys.executable, "-m", "scrapy", *words, "-s", "BROWSER_VERIFY_TLS=False"],
        cwd=ROOT,
        env=environment(Path(DATA.name), replica.environment(), given, {"PYTHONWARNINGS": "default"}),
    )


def tree(folder: Path, indent: str = "") -> list[str]:
    """The folder and what is in it, a line each; of many files the first three."""
    lines = [f"{indent}{folder.name}/"]
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for path in sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.name.zfill(9)):
        lines += tree(path, indent + "    ")
    lines += [f"{indent}    {path.name}  {path.stat().st_size / 1000:.1f} kB" for path in files[:3]]
    return lines if len(files) <= 3 else [*lines, f"{indent}    ... and {len(files) - 3} more"]


def feed_lines(count: int) -> list[str]:
    """The first lines of the feed: a picture, and what became of others that went wrong."""
    [feed] = (DATA / "feeds").rglob("*.jsonl")
    lines = feed.read_text("utf-8").splitlines()
    odd = [line for line in lines if json.loads(line)["reason"]]
    return [f"{feed.relative_to(DATA)}:", *([*lines[:1], *odd, *lines[1:]][:count])]


if __name__ == "__main__":
    sys.exit(main())
