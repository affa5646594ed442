"""Real crawls for tests: ``scrapy crawl`` in a process of its own, against the replica, with the project's settings."""

from __future__ import annotations

import atexit
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.warm import Warm

if TYPE_CHECKING:
    from tests.replica import Replica
    from tests.replica.exchange import LoggedRequest

ROOT = Path(__file__).parent.parent
TIMEOUT = 180
OUR_WARNINGS = re.compile(r"^\S*/(?:imagecrawl|spiders|settings)/\S+:\d+: \w*Warning.*$", re.MULTILINE)


def environment(data: Path, *others: dict[str, str]) -> dict[str, str]:
    """A clean environment for a process of ours: no proxy but the one given, a contact, all warnings shown."""
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    env |= {"IMAGECRAWL_DATA": str(data), "PYTHONWARNINGS": "always", "PYTHONPATH": str(ROOT)}
    env["IMAGECRAWL_CONTACT"] = "test@example.com"
    for other in others:
        env |= other
    return env


@dataclass(frozen=True)
class Crawl:
    """What a crawl left behind."""

    code: int
    stdout: str
    stderr: str
    data: Path

    @property
    def items(self) -> list[dict[str, Any]]:
        """The lines of all its default feeds, oldest feed first."""
        feeds = sorted((self.data / "feeds").rglob("*.jsonl"))
        return [json.loads(line) for feed in feeds for line in feed.read_text("utf-8").splitlines()]

    @property
    def pictures(self) -> list[Path]:
        """Every file in the picture store, hidden ones too."""
        return sorted(path for path in (self.data / "images").rglob("*") if path.is_file())

    @property
    def files(self) -> list[Path]:
        """Every file in the store of files, hidden ones too."""
        return sorted(path for path in (self.data / "files").rglob("*") if path.is_file())

    @property
    def blocked(self) -> list[Path]:
        return sorted(path for path in (self.data / "blocked").rglob("*") if path.is_file())

    @property
    def verdict(self) -> str:
        return self.stderr.strip().splitlines()[-1]


@dataclass
class Run:
    """A crawl, its own lines of feed and what it asked for."""

    done: Crawl
    lines: list[dict[str, Any]]
    log: list[LoggedRequest]

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(line["outcome"] for line in self.lines)


AnyRun = TypeVar("AnyRun", bound=Run)


def run(
    kind: type[AnyRun],
    replica: Replica,
    data: Path,
    *words: str,
    spider: str,
    env: dict[str, str] | None = None,
    code: int = 0,
) -> AnyRun:
    """A crawl against the replica that ends with ``code`` and without a traceback."""
    before, lines = len(replica.requests), len(Crawl(0, "", "", data).items)
    done = crawl(data, *words, spider=spider, env={**replica.environment(), **(env or {})})
    assert done.code == code, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return kind(done, done.items[lines:], replica.requests[before:])


def interrupted(spider: str, *words: str, env: dict[str, str]) -> str:
    """What a crawl says on standard error that gets SIGINT after its first item; it ends well for that."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scrapy", "crawl", spider, "-L", "DEBUG", *words],
        cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    try:
        assert process.stderr
        next(line for line in process.stderr if "Scraped from" in line)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 8, said
    assert "Traceback" not in said
    return said


@cache
def warm() -> Warm:
    """Where the crawls of this process run."""
    found = Warm(environment(ROOT))
    atexit.register(found.close)
    return found


def scrapy(*arguments: str, env: dict[str, str], timeout: float = TIMEOUT) -> subprocess.CompletedProcess[str]:
    """``scrapy`` with these words, from the project's folder, to its end."""
    if warm().can_run(env):
        code, stdout, stderr = warm().run([*arguments], cwd=ROOT, env=env, timeout=timeout)
        return subprocess.CompletedProcess(["scrapy", *arguments], code, stdout, stderr)
    return cold(*arguments, env=env, timeout=timeout)


def cold(*arguments: str, env: dict[str, str], timeout: float = TIMEOUT) -> subprocess.CompletedProcess[str]:
    """The same in a new process of Python, which loads everything."""
    return subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )


def save_results_page(replica: Replica, query: str, path: Path) -> Path:
    """The first results page of Google, saved as a browser would save it, for ``page=``."""
    client = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": replica.proxy_url}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(replica.ca_file))),
    )
    with client.open(f"https://www.google.com/search?q={query}&udm=2&sei=x", timeout=30) as answer:
        path.write_bytes(answer.read())
    return path


def crawl(data: Path, *arguments: str, spider: str = "google_images", env: dict[str, str] | None = None) -> Crawl:
    """``scrapy crawl <spider>`` with these words behind it: ``q=cats`` means ``-a q=cats``, ``-s X=1`` stays.

    A host that refuses is left alone for a tenth of the time: the replica's pictures that are 503 would make every
    crawl of them some seconds longer.
    """
    words: list[str] = ["-s", "BACKOFF_START=0.1"]
    for word in arguments:
        words += [word] if word.startswith("-") or words[-1:] in (["-s"], ["-O"], ["-o"], ["-L"]) else ["-a", word]
    done = scrapy("crawl", spider, *words, env=environment(data, env or {}))
    warned = OUR_WARNINGS.findall(done.stderr)
    assert not warned, warned
    return Crawl(done.returncode, done.stdout, done.stderr, data)
