"""``scrapy verify``: whether everything that the ledger knows of is in its place, and whole."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from imagecrawl.commands.inspection import Condition, StoreError, examine, open_place, side_by_side
from imagecrawl.commands.opening import opened, refusing
from imagecrawl.items import STORES
from imagecrawl.memory import running_crawls
from imagecrawl.output import counted, printable, say
from imagecrawl.storage import local_folder
from imagecrawl.stores import LocalStore, S3Store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from scrapy.settings import BaseSettings

    from imagecrawl.ledger import Entry, Ledger

UNKNOWN = "unknown"

TEMPORARY = re.compile(r"(.*/)?\..*\.part", re.DOTALL)
"""The path of a file that is being written."""

GRACE = 60
"""Seconds before the start of a verification since which a running crawl may have placed a file without a row."""


class Command(ScrapyCommand):
    """Reads the whole ledger and every file that it names.

    Exit code 0 when all are whole and there are no others, 1 when anything was found or a store could not be looked
    at, 2 when the ledger is missing or damaged.
    """

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[--json]"

    def short_desc(self) -> str:
        return "Check every file against the ledger, and the ledger itself"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--json", action="store_true", help="one JSON document at the end instead of lines")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if args:
            raise UsageError(f"unexpected: {' '.join(args)}", print_help=False)
        assert self.settings
        report = JsonReport() if opts.json else Report()
        with refusing(self), opened(Path(self.settings["LEDGER"])) as ledger:
            ledger.check()
            Verification(ledger, self.settings, report).run()
            report.close()
            self.exitcode = 0 if report.all_well else 1


class Report:
    """Says what is found in lines, as it is found."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.not_verified: list[tuple[str, str]] = []
        self.not_searched: list[str] = []

    @property
    def all_well(self) -> bool:
        return self.counts.total() == self.counts[Condition.WHOLE] and not self.not_verified

    def found(self, what: str, place: str, path: str, entry: Entry | None, trouble: str | None) -> None:
        """A file that is not as it should be. ``place`` is the folder or URI of its store."""
        notes = [note for note in (entry and entry.url, trouble) if note]
        say(printable(f"{what}: {place.rstrip('/')}/{path}" + (f" ({', '.join(notes)})" if notes else "")))

    def cannot_verify(self, store: str, why: str) -> None:
        """A store, or a part of it, could not be looked at."""
        self.not_verified.append((store, why))
        say(printable(why))

    def close(self) -> None:
        others = (f"{self.counts[what]} {what}" for what in (Condition.MISSING, Condition.DAMAGED, UNKNOWN))
        parts = [", ".join((f"{counted(self.counts[Condition.WHOLE], 'file')} whole", *others))]
        if self.not_verified:
            parts.append(f"not verified: {', '.join(dict.fromkeys(store for store, _ in self.not_verified))}")
        if self.not_searched:
            parts.append(f"not searched for unknown files: {', '.join(self.not_searched)}")
        say(printable("; ".join(parts)))


class JsonReport(Report):
    """Keeps what is found, and says it in one document."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, list[dict[str, str]]] = {Condition.MISSING: [], Condition.DAMAGED: [], UNKNOWN: []}

    def found(self, what: str, place: str, path: str, entry: Entry | None, trouble: str | None) -> None:
        self.lists[what].append({"store": place, "path": path} | ({"url": entry.url} if entry else {}))

    def cannot_verify(self, store: str, why: str) -> None:
        self.not_verified.append((store, why))

    def close(self) -> None:
        document = {
            "whole": self.counts[Condition.WHOLE],
            **self.lists,
            "not_verified": [{"store": store, "why": why} for store, why in self.not_verified],
            "not_searched": self.not_searched,
        }
        say(json.dumps(document, indent=2))


class Verification:
    """One walk through everything that the ledger names, and through the folders it lies in. Memory stays flat."""

    def __init__(self, ledger: Ledger, settings: BaseSettings, report: Report) -> None:
        self.ledger = ledger
        self.settings = settings
        self.report = report
        self.live = bool(running_crawls(ledger.path))
        self.since = time.time() - GRACE

    def run(self) -> None:
        """Look at every store that a held row names, and at those of this project, which may hold unknown files."""
        own = {self.ledger.store_name(self.settings[name]) for name in STORES.values()}
        seen = set()
        for name, rows in groupby(self.ledger.held(), key=attrgetter("store")):
            seen.add(name)
            self._verify(self.ledger.store_place(name), rows)
        for name in sorted(own - seen):
            self._verify(self.ledger.store_place(name), ())

    def _verify(self, place: str, rows: Iterable[Entry]) -> None:
        try:
            store = open_place(place, self.settings)
            if isinstance(store, S3Store):
                self.report.not_searched.append(place)
            files = self._files(place, store) if isinstance(store, LocalStore) else ()
            for path, entries in side_by_side(rows, files):
                if entries:
                    self._check(store, place, path, entries)
                elif not self._is_of_a_running_crawl(place, path):
                    self._count(UNKNOWN, place, path)
        except StoreError as error:
            self.report.cannot_verify(place, str(error))

    def _files(self, place: str, store: LocalStore) -> Iterator[str]:
        try:
            yield from store.walk()
        except OSError as error:
            where = error.filename or place
            self.report.cannot_verify(place, f"{where} cannot be searched for unknown files ({error.strerror})")

    def _check(self, store: LocalStore | S3Store | None, place: str, path: str, entries: list[Entry]) -> None:
        """One file, once, however many addresses have it; rows that differ are each held against it."""
        for entry in {(entry.sha256, entry.md5, entry.bytes): entry for entry in reversed(entries)}.values():
            finding = examine(store, entry)
            if finding.condition is not Condition.WHOLE:
                self._count(finding.condition, place, path, entry, finding.trouble)
                return
        self._count(Condition.WHOLE, place, path)

    def _count(self, what: str, place: str, path: str, entry: Entry | None = None, trouble: str | None = None) -> None:
        self.report.counts[what] += 1
        if what != Condition.WHOLE:
            self.report.found(what, place, path, entry, trouble)

    def _is_of_a_running_crawl(self, place: str, path: str) -> bool:
        """Whether a file without a row may be one that a crawl is placing now, or placed since the rows were read."""
        if not self.live:
            return False
        folder = local_folder(place)
        assert folder
        try:
            changed = Path(folder, path).stat().st_ctime
        except OSError:  # gone already
            return True
        return bool(TEMPORARY.fullmatch(path)) or changed > self.since
