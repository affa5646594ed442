"""What every pipeline of ours does with one address: remember it, fetch it, place it, write it down."""

from __future__ import annotations

import asyncio
import logging
import os
from abc import abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

from scrapy.pipelines.files import FilesPipeline, FilesStoreProtocol

from imagecrawl.ending import end_crawl, is_disk_full
from imagecrawl.exceptions import LedgerError, MediaError
from imagecrawl.ledger import Entry, Key, State, address, new_entry, now
from imagecrawl.memory import Memory
from imagecrawl.outcomes import Finish, Outcome, Reason
from imagecrawl.storage import safe_segment
from imagecrawl.stores import STORE_SCHEMES, Found, Labels, LocalStore, find, keep

if TYPE_CHECKING:
    from os import PathLike

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from imagecrawl.downloads import Downloads
    from imagecrawl.items import ImageItem

logger = logging.getLogger(__name__)

STORE_ERRORS = 3
"""How often the store may fail before the crawl ends, unless it takes a file in between."""


class MediaStore(FilesPipeline):
    """What Scrapy's media pipelines leave out: a memory of every run, and files that appear whole or not at all.

    A subclass says what a proven file is (:meth:`prove`, :meth:`check`), where it goes (:meth:`path`) and what the
    store is told of it (:meth:`labels`). Scrapy's own memory, ``info.downloaded``, stays empty.

    Settings: ``LEDGER``, ``REFRESH_DAYS``.
    """

    STORE_SCHEMES: ClassVar[dict[str, type[FilesStoreProtocol]]] = STORE_SCHEMES

    downloads: Downloads
    rules: str
    """The bounds in force: what was refused under others is asked for again."""

    def __init__(self, store_uri: str | PathLike[str], *, crawler: Crawler) -> None:
        super().__init__(store_uri, crawler=crawler)
        self.memory = Memory.of(crawler)
        self.store_name = self.memory.store_name(os.fspath(store_uri))
        if isinstance(self.store, LocalStore):
            self.store.run = self.memory.run
        self.refresh_days = crawler.settings.getint("REFRESH_DAYS")
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._store_errors = 0

    @abstractmethod
    async def prove(self, body: bytes) -> Mapping[str, Any]:
        """The facts of a file, by the names of :class:`Entry`; raises :class:`MediaError` when it is not kept."""

    @abstractmethod
    def check(self, entry: Entry) -> None:
        """Raises :class:`MediaError` when a file that is in place is not wanted under the settings of this run."""

    @abstractmethod
    def path(self, item: ImageItem, entry: Entry) -> str:
        """Where the file goes, relative to the store."""

    @abstractmethod
    def labels(self, entry: Entry) -> Labels:
        """What the store is told of the file, beside its bytes."""

    async def obtain(self, url: str, item: ImageItem) -> tuple[Outcome, Entry]:
        """The file at ``url`` in the item's folder: from its place, from another folder, or from its host.

        However many items want it, it is asked for once a run. Raises :class:`MediaError`.
        """
        request = self.downloads.request(url)
        key = Key(store=self.store_name, folder=safe_segment(item.keyword), url=address(request.url))
        try:
            with _foreseen(request):
                async with self._turn(("url", key.url)):
                    return await self._obtain(request, key, item)
        except LedgerError as error:
            end_crawl(self.crawler, Finish.DISK_FULL if error.full else Finish.LEDGER_ERROR, error)
            raise MediaError(Outcome.FAILED, Reason.STORE_ERROR, str(error), passing=True) from error

    async def _obtain(self, request: Request, key: Key, item: ImageItem) -> tuple[Outcome, Entry]:
        known = await self.memory.recall(key)
        if known and known.run == self.memory.run:
            return self._same_again(known)
        if known and known.state is State.CLOSED and self._still_holds(known):
            raise MediaError(known.outcome, str(known.reason))
        if known and known.state is State.HELD and (whole := await self._look(known)):
            self.check(whole)
            if self._is_overdue(whole):
                return await self._refresh(request, whole, item)
            return _in_place(whole.outcome), whole
        entry = replace(new_entry(key, item, first_seen=now()), run=self.memory.run)
        return await self._fetch(request, entry, item, known)

    # What is known already

    def _same_again(self, known: Entry) -> tuple[Outcome, Entry]:
        """The outcome of an address that this run has met before; raises :class:`MediaError`."""
        if known.state is not State.HELD:
            raise MediaError(known.outcome, str(known.reason))
        self.check(known)
        return Outcome.DUPLICATE, known

    def _still_holds(self, known: Entry) -> bool:
        """Whether asking again for what was refused or could not be had would change nothing."""
        same_rules = known.outcome is not Outcome.REFUSED or known.limits == self.rules
        return same_rules and not self._is_overdue(known)

    def _is_overdue(self, known: Entry) -> bool:
        if not self.refresh_days or not known.fetched:
            return False
        return datetime.fromisoformat(known.fetched) < datetime.now(UTC) - timedelta(days=self.refresh_days)

    async def _look(self, known: Entry) -> Entry | None:
        """The row of a file that is whole; raises :class:`MediaError` when the store does not let us look."""
        with self._store_errors_counted(known):
            found = await find(self.store, known, self.spiderinfo)
        if found and found.mtime_ns and found.mtime_ns != known.mtime_ns:
            await self.memory.keep_mtime(known.key, found.mtime_ns)
            return replace(known, mtime_ns=found.mtime_ns)
        return known if found else None

    async def _borrow(self, entry: Entry, item: ImageItem) -> tuple[Outcome, Entry] | None:
        """The file of this address in another folder of the store, put into this one without a download."""
        other = await self.memory.find_elsewhere(entry.key)
        if other is None or self._is_overdue(other):
            return None
        self.check(other)
        facts = ("sha256", "md5", "bytes", "width", "height", "format", "mode", "fetched", "etag", "last_modified")
        entry = replace(entry, attempts=0, **{name: getattr(other, name) for name in facts})
        return await self._place(replace(entry, path=self.path(item, entry)), other, None)

    # What is fetched

    async def _fetch(
        self, request: Request, entry: Entry, item: ImageItem, known: Entry | None
    ) -> tuple[Outcome, Entry]:
        """Get what is not in place, and write down what came of it."""
        try:
            return await self._borrow(entry, item) or await self._ask(request, entry, item)
        except MediaError as failure:
            await self._write_off(entry, item, failure, known)
            raise

    async def _refresh(self, request: Request, known: Entry, item: ImageItem) -> tuple[Outcome, Entry]:
        """Ask the host whether what is in place has changed. What cannot be learned changes nothing."""
        conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        headers = {**request.headers, **{name: value for name, value in conditions.items() if value}}
        entry = replace(known, attempts=1, run=self.memory.run)
        try:
            return await self._ask(request.replace(headers=headers), entry, item)
        except MediaError as error:
            logger.info("%s stays as it is: %s", known.path, error)
            return _in_place(known.outcome), known

    async def _ask(self, request: Request, entry: Entry, item: ImageItem) -> tuple[Outcome, Entry]:
        """Ask the host and keep what it sends; raises :class:`MediaError` whatever goes wrong, or LedgerError."""
        with _foreseen(request):
            async with self.downloads.slot(request):
                response = await self.downloads.fetch(request)
                entry = replace(entry, fetched=now())
                if response.status == 304:
                    return _in_place(await self.memory.settle(entry)), entry
                return await self._keep(response, entry, item)

    async def _write_off(self, entry: Entry, item: ImageItem, failure: MediaError, known: Entry | None) -> None:
        failed = replace(
            entry,
            state=State.DUE if failure.passing else State.CLOSED,
            outcome=failure.outcome,
            reason=failure.reason,
            fetched=None if failure.passing else now(),
            attempts=0 if failure.reason == Reason.STOPPED else 1,
            limits=self.rules if failure.outcome is Outcome.REFUSED else None,
            item=item.page_part(),
        )
        await self.memory.settle(failed, known)

    async def _keep(self, response: Response, entry: Entry, item: ImageItem) -> tuple[Outcome, Entry]:
        """Prove the file in ``response`` and put it in its place; raises :class:`MediaError`."""
        entry = replace(
            entry,
            **await self.prove(response.body),
            etag=_header(response, "ETag"),
            last_modified=_header(response, "Last-Modified"),
        )
        other = await self.memory.find_elsewhere(entry.key, entry.sha256)
        placed = await self._place(replace(entry, path=self.path(item, entry)), other, response.body)
        assert placed  # given the bytes, it places them or raises
        return placed

    # What is placed

    async def _place(self, entry: Entry, other: Entry | None, body: bytes | None) -> tuple[Outcome, Entry] | None:
        """Put the file in its place and write that down, in this order; raises :class:`MediaError`.

        It may be there already; else it is copied from ``other``, else written from ``body``; ``None`` when neither
        can be done.
        """
        async with self._turn(("path", entry.path)):
            found = await self._put(entry, other, body)
            if found is None:
                return None
            entry = replace(entry, mtime_ns=found.mtime_ns)
            outcome = await self.memory.settle(entry)
        return _in_place(outcome) if found.was_there else outcome, entry

    async def _put(self, entry: Entry, other: Entry | None, body: bytes | None) -> Found | None:
        """Let the store do it. A full disk ends the crawl, and so does a store that fails again and again."""
        await self.memory.enter_folder(entry.store, entry.folder)
        labels = self.labels(entry)
        with self._store_errors_counted(entry):
            found = await keep(self.store, entry, body=body, other=other, info=self.spiderinfo, labels=labels)
        self._store_errors = 0
        return found

    @contextmanager
    def _store_errors_counted(self, entry: Entry) -> Iterator[None]:
        """Whatever a store raises (OSError, botocore's errors, google's) as :class:`MediaError`."""
        try:
            yield
        except Exception as error:
            self._store_failed(str(entry.path), error)
            raise MediaError(Outcome.FAILED, Reason.STORE_ERROR, str(error), passing=True) from error

    def _store_failed(self, path: str, error: Exception) -> None:
        if is_disk_full(error):
            end_crawl(self.crawler, Finish.DISK_FULL, f"{path} could not be written ({error})")
            return
        self._store_errors += 1
        if self._store_errors <= STORE_ERRORS:
            logger.error("The store failed at %s: %s", path, error)
        if self._store_errors == STORE_ERRORS:
            end_crawl(self.crawler, Finish.STORE_ERROR, f"the store failed {STORE_ERRORS} times in a row")

    def _turn(self, key: Hashable) -> asyncio.Lock:
        """The lock of ``key``, forgotten as soon as nobody holds or awaits it."""
        return self._turns.setdefault(key, asyncio.Lock())


@contextmanager
def _foreseen(request: Request) -> Iterator[None]:
    """Raises nothing but :class:`MediaError` and LedgerError: a bug is one file's trouble, and has its traceback."""
    try:
        yield
    except (MediaError, LedgerError):
        raise
    except Exception as error:
        logger.exception("Nothing from %s", request)
        raise MediaError(Outcome.FAILED, Reason.ERROR, str(error), passing=True) from error


def _in_place(outcome: Outcome) -> Outcome:
    """What the feed says of a file that was there before, by what the ledger says of how it came."""
    return Outcome.DUPLICATE if outcome is Outcome.DUPLICATE else Outcome.UPTODATE


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
