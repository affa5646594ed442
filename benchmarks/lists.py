"""What it costs to read a list of URLs: rows a second, and how much memory comes on top.

    python -m benchmarks.lists                       # 100,000 rows in each format, then a million lines of text
    python -m benchmarks.lists --rows 10000 --long 0

Each list is read in a process of its own. Its peak (VmHWM, set back before the reading) is compared with what it held
when everything was imported, pyarrow included where it is used.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from imagecrawl.lists import BadRow, read_rows
from imagecrawl.lists.sources import zstd

URL = "https://img{0:04}.pictures.example/wp-content/uploads/2026/11/a-picture-of-something-{0:08}-1920x1280.jpg"
"""About 100 characters, as addresses of pictures are."""

CAPTION = 'A picture of something, number {}, taken on a "sunny" day'
PER_KEYWORD = 1000
OPENERS: dict[str, Callable[..., TextIO]] = {".gz": gzip.open, ".zst": zstd.open}


def rows(count: int) -> Iterator[tuple[str, str, str]]:
    for number in range(count):
        yield f"keyword {number // PER_KEYWORD}", URL.format(number), CAPTION.format(number)


def write_text(file: TextIO, count: int) -> None:
    file.writelines("\t".join(row) + "\n" for row in rows(count))


def write_csv(file: TextIO, count: int) -> None:
    csv.writer(file).writerows([("keyword", "url", "caption"), *rows(count)])


def write_json_lines(file: TextIO, count: int) -> None:
    for keyword, url, caption in rows(count):
        feed = {"source": "google_images", "keyword": keyword, "rank": 1, "id": None, "title": caption,
                "page_url": url, "site": "pictures.example", "image_urls": [url], "thumbnail_url": None}  # fmt: skip
        file.write(json.dumps(feed) + "\n")


def write_json(file: TextIO, count: int) -> None:
    file.write(
        "[\n" + ",\n".join(json.dumps({"url": url, "label": keyword}) for keyword, url, _ in rows(count)) + "\n]"
    )


def dictionary(count: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for keyword, url, _ in rows(count):
        found.setdefault(keyword, []).append(url)
    return found


def write_parquet(path: Path, count: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    keywords, urls, captions = zip(*rows(count), strict=True)
    pq.write_table(pa.table({"keyword": keywords, "url": urls, "caption": captions}), path)


WRITERS: dict[str, Callable[[TextIO, int], object]] = {
    "list.txt": write_text,
    "list.csv": write_csv,
    "list.jsonl": write_json_lines,
    "list.json": write_json,
    "dictionary.json": lambda file, count: json.dump(dictionary(count), file),
    "literal.txt": lambda file, count: file.write(repr(dictionary(count))),
}


def write(path: Path, count: int) -> None:
    if path.suffix == ".parquet":
        write_parquet(path, count)
        return
    packed = path.suffix in OPENERS
    writer = WRITERS[(path.with_suffix("") if packed else path).name]
    with OPENERS.get(path.suffix, open)(path, "wt", encoding="utf-8", newline="") as file:
        writer(file, count)


def status(name: str) -> float:
    """A line of /proc/self/status, in MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


def measure(path: Path) -> None:
    """Read it, and say rows, seconds, and MB before and at the peak: in this process, which does nothing else."""
    if path.suffix == ".parquet":
        importlib.import_module("pyarrow.parquet")
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    begun = time.perf_counter()
    count = bad = 0
    for row in read_rows(path):
        count += 1
        bad += isinstance(row, BadRow)
    seconds = time.perf_counter() - begun
    print(json.dumps([count, bad, seconds, before, status("VmHWM")]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="of each format")
    parser.add_argument("--long", type=int, default=1_000_000, help="lines of the long text, 0 for none")
    parser.add_argument("--folder", help="where the temporary folder is made")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure)
        return
    names = [*WRITERS, "list.parquet", "list.txt.gz", "list.txt.zst", "list.csv.gz", "list.csv.zst"]
    jobs = [(name, options.rows) for name in names] + [("list.txt", options.long)] * bool(options.long)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for name, wanted in jobs:
            path = Path(folder, name)
            write(path, wanted)
            command = [sys.executable, "-m", "benchmarks.lists", "--measure", str(path)]
            said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
            count, bad, seconds, before, peak = json.loads(said)
            assert (count, bad) == (wanted, 0), (name, count, bad)
            print(
                f"{name:<16} {count:>9,} rows {path.stat().st_size / 1e6:6.1f} MB {count / seconds:9,.0f}/s   "
                f"{before:5.0f} -> {peak:5.0f} MB ({peak - before:+.1f})",
                flush=True,
            )
            path.unlink()


if __name__ == "__main__":
    main()
