"""A crawl that does nothing but write to the ledger, in a process of its own, for tests that race or kill it.

    python -m tests.ledger_writer LEDGER NUMBER

says ``run <number of the run>``, then settles ``SIZE`` rows for each line on its standard input and says each address
as its answer comes, and ``done`` after the last of the line. It ends with its input.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from imagecrawl.ledger import Entry, State
from imagecrawl.memory import Memory
from imagecrawl.outcomes import Outcome
from tests.crawling import ROOT, environment

SIZE = 100
"""Rows for each line."""


def entry(url: str, digest: str = "1", folder: str = "cats", **others: object) -> Entry:
    """A row for a file that is in place, unless ``others`` say something else."""
    values: dict[str, object] = {
        "store": "images", "folder": folder, "url": url, "state": State.HELD, "outcome": Outcome.STORED,
        "path": f"{folder}/320/{digest}.jpg", "sha256": digest, "md5": f"md5 of {digest}", "bytes": 1000,
        "mtime_ns": 1, "source": "test", "keyword": folder, "first_seen": "2026-11-21T12:00:00+00:00", "attempts": 1,
    }  # fmt: skip
    return Entry(**{**values, **others})  # type: ignore[arg-type]


def rows(number: int, line: int) -> list[Entry]:
    """What writer ``number`` settles for a line: one row in four is the other writers' too, four share their bytes."""
    found = []
    for place in range(line * SIZE, (line + 1) * SIZE):
        shared = place % 4 == 0
        url = f"https://a.example/{'all' if shared else number}/{place}.jpg"
        found.append(entry(url, str(place // 4), rank=place))
    return found


async def write(memory: Memory, number: int) -> None:
    async def one(row: Entry) -> None:
        await memory.settle(row)
        print(row.url, flush=True)

    for line, _ in enumerate(sys.stdin):
        await asyncio.gather(*(one(row) for row in rows(number, line)))
        print("done", flush=True)


@contextmanager
def writer(ledger: Path, number: int) -> Iterator[subprocess.Popen[str]]:
    """A writer that has begun its run; killed at the end of the block if it has not ended by then."""
    command = [sys.executable, "-m", "tests.ledger_writer", str(ledger), str(number)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(ledger.parent), encoding="utf-8", stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            assert said(process).startswith("run ")
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def said(process: subprocess.Popen[str]) -> str:
    """The next line that a writer says, without its end."""
    line = pipe(process.stdout).readline()
    assert line, "it has ended"
    return line.rstrip("\n")


def tell(process: subprocess.Popen[str], lines: int = 1) -> None:
    """Give a writer so many lines."""
    pipe(process.stdin).write("\n" * lines)
    pipe(process.stdin).flush()


def pipe(stream: IO[str] | None) -> IO[str]:
    assert stream
    return stream


def main() -> None:
    memory = Memory(Path(sys.argv[1]), f"writer-{sys.argv[2]}")
    print(f"run {memory.run}", flush=True)
    asyncio.run(write(memory, int(sys.argv[2])))
    memory.close()


if __name__ == "__main__":
    main()
