"""What remembering costs: speed, memory and size of the ledger, and how long the event loop waits for it.

    python -m benchmarks.ledger                          # the ledger alone, a million rows
    python -m benchmarks.ledger --pipeline               # the whole picture pipeline, a million tiny pictures
    python -m benchmarks.ledger --csv ledger.csv         # the series too, for benchmarks.plot

Both pass every result twice: new at first, then known. The loop's lag is what a task that sleeps for 1 ms sleeps too
long; the same in a loop that does nothing else, at the start, tells how much of it is the machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gc
import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scrapy.utils.reactor import install_reactor

from benchmarks.image_store import AT_ONCE, Network, item, opened, resident
from imagecrawl.ledger import Entry, State, now
from imagecrawl.ledger import Ledger as LedgerFile
from imagecrawl.memory import Memory
from imagecrawl.outcomes import Outcome

EVERY = 100_000
"""Results from one line to the next."""

PER_KEYWORD = 1000
IDLE_SECONDS = 5
SLEEP = 0.001
TINY = (16, 16)

URL = "https://img{0:04}.pictures.example/wp-content/uploads/2026/11/a-picture-of-something-{0:08}-1920x1280.jpg"
"""About 100 characters, as addresses of pictures are."""

COLUMNS = ("series", "results", "mb", "per_second", "lag_max_ms", "lag_p999_ms", "lag_p99_ms")


@dataclass
class Lag:
    """How late the loop was, in steps of 0.1 ms: a few hundred numbers, however long it was watched."""

    steps: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0

    def add(self, seconds: float) -> None:
        self.steps[int(max(seconds, 0) * 10_000)] += 1
        self.longest = max(self.longest, seconds)

    def __iadd__(self, other: Lag) -> Lag:
        self.steps.update(other.steps)
        self.longest = max(self.longest, other.longest)
        return self

    def quantile(self, share: float) -> float:
        """In ms, rounded up to the next step."""
        left = share * self.steps.total()
        for step in sorted(self.steps):
            left -= self.steps[step]
            if left <= 0:
                return (step + 1) / 10
        return 0.0

    def figures(self) -> tuple[float, float, float]:
        return round(self.longest * 1000, 1), self.quantile(0.999), self.quantile(0.99)

    def __str__(self) -> str:
        return "lag max {:.1f}, p99.9 {:.1f}, p99 {:.1f} ms".format(*self.figures())


@asynccontextmanager
async def watched() -> AsyncIterator[list[Lag]]:
    """The lag of the loop meanwhile goes to the last of these."""
    lags = [Lag()]

    async def beat() -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(SLEEP)
            lags[-1].add(time.perf_counter() - begun - SLEEP)

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0)
    try:
        yield lags
    finally:
        beating.cancel()


async def idle() -> None:
    async with watched() as lags:
        await asyncio.sleep(IDLE_SECONDS)
    print(f"an idle loop: {lags[0]}", flush=True)


async def passes(series: str, count: int, work: Callable[[int], Awaitable[object]]) -> list[tuple[Any, ...]]:
    """Do the work for each number, so many at once as Scrapy passes items; a line after each ``EVERY``."""
    lines: list[tuple[Any, ...]] = []
    numbers = iter(range(count))
    whole = Lag()
    done = 0
    begun = mark = time.perf_counter()

    async with watched() as lags:

        async def ask() -> None:
            nonlocal done, mark, whole
            for number in numbers:
                await work(number)
                done += 1
                if done % EVERY and done != count:
                    continue
                at = time.perf_counter()
                rate = (done % EVERY or EVERY) / (at - mark)
                lines.append((series, done, round(resident(), 1), round(rate), *lags[-1].figures()))
                print(f"{series:<16} {done:>9,} {rate:8,.0f}/s {resident():6.0f} MB   {lags[-1]}", flush=True)
                whole += lags[-1]
                lags[-1] = Lag()
                mark = at

        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    print(f"{series:<16}     whole {count / (time.perf_counter() - begun):8,.0f}/s {'':9}   {whole}", flush=True)
    return lines


def row(number: int, run: int) -> Entry:
    """What a crawl knows of a picture that it has stored."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    keyword = f"keyword {number // PER_KEYWORD}"
    return Entry(
        store="images", folder=keyword, url=URL.format(number), state=State.HELD, outcome=Outcome.STORED,
        path=f"{keyword}/1920/{digest[:20]}.jpg", sha256=digest, md5=digest[:32], bytes=400_000 + number,
        mtime_ns=1_790_000_000_000_000_000 + number, width=1920, height=1280, format="JPEG", mode="RGB",
        source="google_images", keyword=keyword, page_url=f"https://pictures.example/articles/{number:08}.html",
        rank=number % PER_KEYWORD + 1, first_seen=now(), fetched=now(), attempts=1, etag=f'"{digest[32:48]}"',
        last_modified="Sat, 21 Nov 2026 12:00:00 GMT", run=run,
    )  # fmt: skip


async def ledger_alone(count: int, folder: str) -> list[tuple[Any, ...]]:
    path = Path(folder, "ledger.sqlite3")

    async def new(number: int) -> None:
        entry = row(number, memory.run)
        assert await memory.recall(entry.key) is None
        await memory.enter_folder(entry.store, entry.folder)
        assert await memory.settle(entry) is Outcome.STORED

    async def known(number: int) -> None:
        assert await memory.recall(row(number, 0).key)

    await idle()
    with closing(Memory(path, "benchmark")) as memory:
        lines = await passes("ledger, new", count, new)
    with closing(Memory(path, "benchmark")) as memory:
        lines += await passes("ledger, known", count, known)
    ledger_file(path, count)
    return lines


def ledger_file(path: Path, count: int) -> None:
    """What the file is like in the end."""
    size = path.stat().st_size
    print(f"the file: {size / 1e6:,.1f} MB, {size / count:.0f} bytes a row")
    with timed("to open it"):
        ledger = LedgerFile(path)
    with closing(ledger), timed("to read every page (Ledger.damage)"):
        assert ledger.damage() == []


@contextmanager
def timed(what: str) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    print(f"{what}: {(time.perf_counter() - begun) * 1000:,.1f} ms", flush=True)


async def pipeline_too(count: int, folder: str) -> list[tuple[Any, ...]]:
    await idle()
    lines: list[tuple[Any, ...]] = []
    for series, outcome, downloads in (("pipeline, new", "stored", count), ("pipeline, known", "uptodate", 0)):
        network = Network(TINY)
        outcomes: Counter[str | None] = Counter()
        async with opened("imagecrawl", network, folder) as pipeline:

            async def process(number: int, process_item: Any = pipeline.process_item, seen: Any = outcomes) -> None:
                keyword = f"keyword {number // PER_KEYWORD}"
                seen[(await process_item(item(number, "imagecrawl", URL, keyword))).outcome] += 1

            lines += await passes(series, count, process)
        assert (outcomes, network.asked) == ({outcome: count}, downloads), (outcomes, network.asked)
    ledger_file(Path(folder, "ledger.sqlite3"), count)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pipeline", action="store_true", help="the whole picture pipeline")
    parser.add_argument("--folder", help="where the temporary folder is made")
    parser.add_argument("--csv", type=Path, help="write the series to this file")
    options = parser.parse_args()
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    gc.freeze()  # as `scrapy crawl` does
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        lines = asyncio.run((pipeline_too if options.pipeline else ledger_alone)(options.rows, folder))
    if options.csv:
        with options.csv.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *lines])


if __name__ == "__main__":
    main()
