"""``scrapy rebuild``: a new ledger, from the files in the stores and the feeds that say where they came from."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from imagecrawl.commands.inspection import StoreError
from imagecrawl.commands.opening import refusing
from imagecrawl.commands.rebuilding import Rebuilding
from imagecrawl.exceptions import AlreadyRunningError, LedgerError
from imagecrawl.ledger import APPLICATION_ID, Ledger, stores_of
from imagecrawl.memory import PATIENCE, REBUILD, CrawlLock, running_crawls
from imagecrawl.output import complain, printable, say
from imagecrawl.storage import feed_folder, local_folder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from scrapy.settings import BaseSettings

COMPANIONS = ("-wal", "-shm")
"""What SQLite keeps beside a database, by the end of the name."""


class Command(ScrapyCommand):
    """Makes the ledger anew. The old one is moved aside, never removed; of the stores only what killed crawls left half
    written is removed.

    Exit code 0 when done, lines that could not be used included; 1 when there are no feeds; 2 when nothing was
    changed: a crawl is running, a feed or the store cannot be read, the ledger cannot be written.
    """

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[FEED ...]"

    def short_desc(self) -> str:
        return "Make the ledger anew from the stores and the feeds"

    def long_desc(self) -> str:
        return (
            "Make the ledger anew from the stores and the feeds. A FEED is a file, or a folder that is searched for"
            " *.jsonl; without any, the folders of the FEEDS setting are."
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if options := [word for word in args if word.startswith("-")]:
            raise UsageError(f"unexpected: {' '.join(options)}", print_help=False)
        if absent := [word for word in args if not Path(word).exists()]:
            raise UsageError(f"there is no feed {printable(', '.join(absent))}", print_help=False)
        assert self.settings
        path = Path(self.settings["LEDGER"])
        with refusing(self):
            refuse_while_running(path)
            places = [Path(word) for word in args] or list(default_feeds(self.settings))
            feeds = find_feeds(places)
            if not feeds:
                complain(f"there are no feeds to rebuild from in {', '.join(map(str, places))}")
                self.exitcode = 1
                return
            with one_line_errors(path), alone(path):
                refuse_foreign(path)
                self._rebuild(path, feeds)

    def _rebuild(self, path: Path, feeds: list[Path]) -> None:
        assert self.settings
        refuse_while_running(path)  # one may have begun since
        with fresh_ledger(path.with_name(f"{path.name}.new")) as ledger:
            rebuilding = Rebuilding(ledger, self.settings)
            rebuilding.read(feeds)
            if not rebuilding.lines_used:
                complain(f"no line of {', '.join(map(str, feeds))} could be used; nothing was changed")
                self.exitcode = 1
                return
            verdict = rebuilding.verdict()
            ledger.close()
            refuse_while_running(path, 2 * PATIENCE)  # one that begins now sees that it may not, and lets go
            rebuilding.sweep()
            others = [ledger.store_place(name) for name in stores_of(path) if name not in rebuilding.stores]
            old = swap(path, ledger.path)
        parts = [verdict]
        if others:
            parts.append(f"not rebuilt: {', '.join(others)}, which the old ledger knew of too")
        if old:
            parts.append(f"the old ledger is {old}")
        say(printable("; ".join(parts)))


# What there is to read


def default_feeds(settings: BaseSettings) -> Iterator[Path]:
    """The local folders that the FEEDS setting writes into, and the files that it always writes."""
    for uri in map(str, settings.getdict("FEEDS")):
        place = feed_folder(uri) if "%(" in uri else local_folder(uri)
        if place and ("%(" in uri or place.suffix == ".jsonl"):
            yield place


def find_feeds(places: Iterable[Path]) -> list[Path]:
    """Every feed in these files and folders, each once, sorted by name: names are times."""
    found: dict[Path, Path] = {}
    for place in places:
        feeds = place.rglob("*.jsonl") if place.is_dir() else [place] if place.exists() else []
        found |= {feed.resolve(): feed for feed in feeds}
    return sorted(found.values(), key=lambda feed: (feed.name, str(feed)))


# The two ledgers


def refuse_while_running(path: Path, patience: float = 0) -> None:
    """Raises :class:`LedgerError` when any crawl is running: what it writes down would be lost."""
    if running := running_crawls(path, patience):
        raise LedgerError(f"the ledger {path} is in use by {', '.join(running)}: wait for the end; nothing was changed")


def refuse_foreign(path: Path) -> None:
    """Raises :class:`LedgerError` when a folder or another program's database is where the ledger should be.

    The application's mark is at byte 68 of a database: https://sqlite.org/fileformat2.html#the_database_header
    """
    if path.is_dir():
        raise LedgerError(f"{path} is a folder; nothing was changed")
    if not path.exists() or path.with_name(f"{path.name}-wal").exists():  # whose pages count before those of the file
        return
    with path.open("rb") as file:
        head = file.read(72)
    if head.startswith(b"SQLite format 3\0") and head[68:] != APPLICATION_ID.to_bytes(4, "big"):
        raise LedgerError(f"{path} is a database of another program; nothing was changed")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep crawls from beginning; raises :class:`LedgerError` when another process rebuilds this ledger."""
    lock = CrawlLock(path, REBUILD)
    try:
        lock.acquire()
    except AlreadyRunningError as error:
        raise LedgerError(f"the ledger {path} is being rebuilt already; nothing was changed") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def one_line_errors(path: Path) -> Iterator[None]:
    """Whatever feeds and stores raise, as :class:`LedgerError`."""
    try:
        yield
    except StoreError as error:
        raise LedgerError(f"{error}; the ledger {path} stays as it is") from error
    except KeyboardInterrupt as error:
        raise LedgerError(f"stopped; the ledger {path} stays as it is") from error
    except OSError as error:
        raise LedgerError(f"{error.filename}: {error.strerror}; the ledger {path} stays as it is") from error


@contextmanager
def fresh_ledger(path: Path) -> Iterator[Ledger]:
    """An empty ledger, which is removed at the end unless it was moved; so is what a killed rebuild left there."""
    _remove(path)
    ledger = Ledger(path)
    try:
        yield ledger
    finally:
        ledger.close()
        _remove(path)


def _remove(path: Path) -> None:
    for file in _files(path):
        file.unlink(missing_ok=True)


def _files(path: Path) -> list[Path]:
    """Everything that SQLite keeps of a database, itself last."""
    return [path.with_name(f"{path.name}{end}") for end in (*COMPANIONS, "")]


def swap(path: Path, new: Path) -> Path | None:
    """Put a closed ledger in the place of another, whose new name is returned; raises OSError, and puts it back then.

    The old one goes with its companions: one that stayed would be taken for the new one's.
    """
    assert not any(file.exists() for file in _files(new)[:-1]), "SQLite removes them when it closes"
    old = path.with_name(f"{path.name}.{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%fZ}.old")
    moves = [move for move in zip(_files(path), _files(old), strict=True) if move[0].exists()]
    done = []
    try:
        for source, target in (*moves, (new, path)):
            source.rename(target)
            done.append((source, target))
    except OSError:
        for source, target in reversed(done):
            target.rename(source)
        raise
    return old if moves else None
