"""What every pipeline of ours does with one address: remember it, fetch it, place it, write it down."""

from __future__ import annotations

import asyncio
import logging
import os
from abc import abstractmethod
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from weakref import WeakValueDictionary

from scrapy.pipelines.files import FilesPipeline, FilesStoreProtocol

from imagecrawl.ending import end_crawl, is_disk_full
from imagecrawl.exceptions import LedgerError, MediaError
from imagecrawl.items import FileItem, ImageItem
from imagecrawl.ledger import Entry, Key, State, address, is_overdue, new_entry, now
from imagecrawl.memory import Memory, end_without_ledger
from imagecrawl.optouts import OptOuts, from_json, merged, of_its_answer, of_its_host, to_json
from imagecrawl.outcomes import Finish, Outcome, Reason
from imagecrawl.stores import STORE_SCHEMES, Found, Labels, LocalStore, find, keep, stranger

if TYPE_CHECKING:
    from os import PathLike

    from scrapy import Request, Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from imagecrawl.downloads import Downloads

logger = logging.getLogger(__name__)

Item = TypeVar("Item", ImageItem, FileItem)

STORE_ERRORS = 3
"""How often the store may fail before the crawl ends, unless it takes a file in between."""


class MediaStore(FilesPipeline, Generic[Item]):
    """What Scrapy's media pipelines leave out: a memory of every run, and files that appear whole or not at all.

    - The addresses of an item are tried in turn; the first that yields a file, or one we refuse, ends the search.
    - Proving, hashing and writing run in threads.
    - Every item leaves with an outcome, and none is dropped. One that is to be listed is only looked up: what is in
      place says so.
    - What has an opt-out that is obeyed is refused: unasked, where its page or the ledger says so. What a page said
      counts for the item that comes from there, and for no other. A file that is in place stays there all the same.

    A subclass says what a proven file is (:meth:`prove`, :meth:`check`), where it goes (:meth:`folder`, :meth:`paths`)
    and what the store and the feed are told of it (:meth:`labels`, :meth:`info`). Scrapy's own memory,
    ``info.downloaded``, stays empty.

    Settings: ``LEDGER``, ``REFRESH_DAYS``, ``OPT_OUT_...``. Stats: ``<kind>/<outcome>``, ``<kind>/<outcome>/<reason>``.
    """

    STORE_SCHEMES: ClassVar[dict[str, type[FilesStoreProtocol]]] = STORE_SCHEMES

    ITEM: type[Item]
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
        self.policy = OptOuts(crawler.settings)
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._store_errors = 0

    async def fetch(self, request: Request, item: Item) -> Response:
        """The answer of the host; raises :class:`MediaError`."""
        return await self.downloads.fetch(request)

    @abstractmethod
    async def prove(self, response: Response, entry: Entry, item: Item) -> Mapping[str, Any]:
        """The facts of a file, by the names of :class:`Entry`; raises :class:`MediaError` when it is not kept."""

    @abstractmethod
    def check(self, entry: Entry) -> None:
        """Raises :class:`MediaError` when a file that is in place is not wanted under the settings of this run."""

    @abstractmethod
    def folder(self, item: Item) -> str:
        """Where the item's file goes, relative to the store: it is remembered by this and its address."""

    @abstractmethod
    def paths(self, item: Item, entry: Entry) -> Iterator[str]:
        """Where the file may go, relative to the store, best first. The last one must tell its bytes from others."""

    @abstractmethod
    def labels(self, entry: Entry) -> Labels:
        """What the store is told of the file, beside its bytes."""

    @abstractmethod
    def info(self, url: str, item: Item, entry: Entry) -> dict[str, Any]:
        """What the feed says of the file, beside ``url path checksum status sha256 bytes``."""

    async def process_item(self, item: Any, spider: Spider | None = None) -> Any:
        """Fill in what was kept, ``outcome``, ``reason`` and ``crawled_at``. Items of other kinds pass untouched."""
        if isinstance(item, self.ITEM):
            if item.outcome is None:
                await self._try_addresses(item)
            elif item.outcome is Outcome.LISTED:
                await self._look_up(item)
            self._settle(item)
        return item

    async def _try_addresses(self, item: Item) -> None:
        failure: MediaError | None = None
        said: dict[str, str] = {}
        for url in item.urls:
            try:
                item.outcome, entry = await self.obtain(url, item)
            except MediaError as error:
                logger.info("Nothing from %.200r: %.300r", url, str(error))
                failure = failure or error
                said = merged(said, error.opt_outs)
                if error.outcome is Outcome.REFUSED or error.reason == Reason.STOPPED:
                    break
            else:
                self._tell(url, item, entry)
                break
        else:
            failure = failure or MediaError(Outcome.FAILED, Reason.NO_URL)
        if item.outcome is None:
            item.opt_outs = merged(said, item.opt_outs)
        if failure:
            item.reason = item.reason or failure.reason
            item.outcome = item.outcome or failure.outcome

    async def _look_up(self, item: Item) -> None:
        if not item.urls:
            item.outcome, item.reason = Outcome.FAILED, item.reason or Reason.NO_URL
        for url in item.urls:
            with suppress(MediaError), self._ledger_errors_ending():
                known = await self.memory.find(self._key(self.downloads.request(url).url, item))
                if known and known.state is State.HELD and not self._is_overdue(known) and await self._look(known):
                    item.outcome = _in_place(known.outcome)
                    self._tell(url, item, known)
                    return

    def _tell(self, url: str, item: Item, entry: Entry) -> None:
        """Tell the feed of a file that is in place."""
        item.media.append(_common_info(url, item, entry) | self.info(url, item, entry))
        item.opt_outs = merged(_of_host(entry), item.opt_outs)

    @contextmanager
    def _ledger_errors_ending(self) -> Iterator[None]:
        """Without its ledger a crawl ends; raises :class:`MediaError`."""
        try:
            yield
        except LedgerError as error:
            end_without_ledger(self.crawler, error)
            raise MediaError(Outcome.FAILED, Reason.STORE_ERROR, str(error), passing=True) from error

    def _key(self, url: str, item: Item) -> Key:
        return Key(store=self.store_name, folder=self.folder(item), url=address(url))

    def _settle(self, item: Item) -> None:
        """Write down when the outcome was known, and count it."""
        item.opt_outs = self.policy.kept(item.opt_outs or {}) or None
        item.crawled_at = now()
        stats = self.crawler.stats
        stats.inc_value(f"{item.kind}/{item.outcome}")
        if item.reason:
            stats.inc_value(f"{item.kind}/{item.outcome}/{item.reason}")

    async def obtain(self, url: str, item: Item) -> tuple[Outcome, Entry]:
        """The file at ``url`` in the item's folder: from its place, from another folder, or from its host.

        However many items want it, it is asked for once a run. Raises :class:`MediaError`.
        """
        try:
            request = self.downloads.request(url)
        except MediaError as refused:
            if refused.passing:  # under other settings it may be asked for
                await self._refuse(url, item, refused)
            raise
        key = self._key(request.url, item)
        with self._ledger_errors_ending(), _foreseen(request):
            async with self._turn(("url", key.url)):
                return await self._obtain(request, key, item)

    async def _obtain(self, request: Request, key: Key, item: Item) -> tuple[Outcome, Entry]:
        known = await self.memory.recall(key)
        if known and known.run == self.memory.run and not self._was_for_a_page(known):
            return self._same_again(known, item)
        if known and known.state is State.CLOSED and self._still_holds(known):
            raise _as_before(known)
        if known and known.state is State.HELD and (whole := await self._look(known)):
            self.check(whole)
            if self._is_overdue(whole):
                return await self._refresh(request, whole, item)
            return self._hold(whole, item)
        entry = replace(new_entry(key, item, first_seen=now()), run=self.memory.run)
        return await self._fetch(request, entry, item, known)

    # What is known already

    def _same_again(self, known: Entry, item: Item) -> tuple[Outcome, Entry]:
        """The outcome of an address that this run has met before; raises :class:`MediaError`."""
        if known.state is not State.HELD:
            raise _as_before(known)
        self.check(known)
        self._hold(known, item)
        return Outcome.DUPLICATE, known

    def _hold(self, known: Entry, item: Item) -> tuple[Outcome, Entry]:
        """The outcome of what is in place and as wanted; raises :class:`MediaError` for what it opts out of."""
        self._obey(merged(_of_host(known), item.opt_outs))
        return _in_place(known.outcome), known

    def _obey(self, found: Mapping[str, str] | None) -> None:
        """Raises :class:`MediaError` for an opt-out that is obeyed."""
        if obeyed := self.policy.forbids(found or {}):
            raise MediaError(Outcome.REFUSED, Reason.OPT_OUT, "; ".join(obeyed.values()), opt_outs=found or {})

    def _still_holds(self, known: Entry) -> bool:
        """Whether asking again for what was refused or could not be had would change nothing."""
        if self._is_overdue(known):
            return False
        if known.reason == Reason.OPT_OUT:
            return not self._was_for_a_page(known)
        return known.outcome is not Outcome.REFUSED or known.limits == self.rules

    def _was_for_a_page(self, known: Entry) -> bool:
        """Whether it was refused for nothing that its host said and that is obeyed: now it is for the page to say."""
        is_refused = known.state is State.CLOSED and known.reason == Reason.OPT_OUT
        return is_refused and not self.policy.forbids(_of_host(known))

    def _is_overdue(self, known: Entry) -> bool:
        return known.fetched is not None and is_overdue(known.fetched, self.refresh_days)

    async def _look(self, known: Entry) -> Entry | None:
        """The row of a file that is whole; raises :class:`MediaError` when the store does not let us look."""
        with self._store_errors_counted(known):
            found = await find(self.store, known, self.spiderinfo)
        if found and found.mtime_ns and found.mtime_ns != known.mtime_ns:
            await self.memory.keep_mtime(known.key, found.mtime_ns)
            return replace(known, mtime_ns=found.mtime_ns)
        return known if found else None

    async def _borrow(self, entry: Entry, item: Item, known: Entry | None) -> tuple[Outcome, Entry] | None:
        """The file of this address in another folder of the store, put into this one without a download."""
        other = await self.memory.find_elsewhere(entry.key)
        if other is None or self._is_overdue(other):
            return None
        self.check(other)
        self._hold(other, item)
        facts = ("sha256", "md5", "bytes", "width", "height", "format", "mode", "fetched", "etag", "last_modified")
        entry = replace(entry, attempts=0, **{name: getattr(other, name) for name in facts})
        entry = replace(entry, opt_outs=self._words(item, _of_host(other)))
        return await self._place(entry, item, known, other, None)

    # What is fetched

    async def _fetch(self, request: Request, entry: Entry, item: Item, known: Entry | None) -> tuple[Outcome, Entry]:
        """Get what is not in place, and write down what came of it."""
        try:
            self._obey(item.opt_outs)
            borrowed = await self._borrow(entry, item, known)
            return borrowed or await self._ask(request, entry, item, known)
        except MediaError as failure:
            await self._write_off(entry, item, failure, known)
            raise

    async def _refresh(self, request: Request, known: Entry, item: Item) -> tuple[Outcome, Entry]:
        """Ask the host whether what is in place has changed. What cannot be learned changes nothing.

        An opt-out is written down and obeyed, and the file stays.
        """
        self._obey(item.opt_outs)
        conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        headers = {**request.headers, **{name: value for name, value in conditions.items() if value}}
        entry = replace(known, attempts=1, run=self.memory.run)
        try:
            return await self._ask(request.replace(headers=headers), entry, item, known)
        except MediaError as error:
            logger.info("%s stays as it is: %s", known.path, error)
            if error.reason != Reason.OPT_OUT:
                return self._hold(known, item)
            said = merged(error.opt_outs, of_its_answer(from_json(known.opt_outs)))
            await self.memory.settle(replace(entry, fetched=now(), opt_outs=self._words(item, said)))
            raise

    async def _ask(self, request: Request, entry: Entry, item: Item, known: Entry | None) -> tuple[Outcome, Entry]:
        """Ask the host and keep what it sends; raises :class:`MediaError` whatever goes wrong, or LedgerError."""
        with _foreseen(request):
            async with self.downloads.slot(request):
                response = await self.fetch(request, item)
                said = _opt_outs(response)
                if known and response.status == 304:
                    return await self._keep_on(entry, item, merged(said, of_its_answer(from_json(known.opt_outs))))
                entry = replace(entry, fetched=now(), opt_outs=self._words(item, said))
                with _said(said):
                    return await self._keep(response, entry, item, known)

    async def _keep_on(self, entry: Entry, item: Item, said: Mapping[str, str]) -> tuple[Outcome, Entry]:
        """The outcome of what has not changed; raises :class:`MediaError` for what it opts out of.

        What a 304 does not say again still holds: https://www.rfc-editor.org/rfc/rfc9111#section-4.3.4
        """
        self._obey(said)
        entry = replace(entry, fetched=now(), opt_outs=self._words(item, said))
        return _in_place(await self.memory.settle(entry)), entry

    async def _refuse(self, url: str, item: Item, refused: MediaError) -> None:
        """Write down that an address is not asked for. A file of it that is in place stays written down."""
        entry = new_entry(self._key(url, item), item, first_seen=now())
        with self._ledger_errors_ending():
            await self._write_off(replace(entry, run=self.memory.run), item, refused, None)

    async def _write_off(self, entry: Entry, item: Item, failure: MediaError, known: Entry | None) -> None:
        failed = replace(
            entry,
            state=State.DUE if failure.passing else State.CLOSED,
            outcome=failure.outcome,
            reason=failure.reason,
            fetched=None if failure.passing else now(),
            attempts=0 if failure.reason == Reason.STOPPED else 1,
            limits=self.rules if failure.outcome is Outcome.REFUSED else None,
            path=known.path if known else None,
            item=item.page_part(),
            opt_outs=self._words(item, failure.opt_outs),
        )
        await self.memory.settle(failed, known)

    def _words(self, item: Item, found: Mapping[str, str]) -> str | None:
        """What the ledger is told of what its page said of a picture or file, and of what else was found.

        That comes first, because the host's words hold longer than the page's.
        """
        return to_json(self.policy.kept(merged(found, item.opt_outs)))

    async def _keep(self, response: Response, entry: Entry, item: Item, known: Entry | None) -> tuple[Outcome, Entry]:
        """Prove the file in ``response`` and put it in its place; raises :class:`MediaError`."""
        entry = replace(
            entry,
            **await self.prove(response, entry, item),
            etag=_header(response, "ETag"),
            last_modified=_header(response, "Last-Modified"),
        )
        other = await self.memory.find_elsewhere(entry.key, entry.sha256)
        placed = await self._place(entry, item, known, other, response.body)
        assert placed  # given the bytes, it places them or raises
        return placed

    # What is placed

    async def _place(
        self, entry: Entry, item: Item, known: Entry | None, other: Entry | None, body: bytes | None
    ) -> tuple[Outcome, Entry] | None:
        """Put the file in its place and write that down, in this order; raises :class:`MediaError`.

        It may be there already; else it is copied from ``other``, else written from ``body``; ``None`` when neither
        can be done.
        """
        *common, own = [replace(entry, path=path) for path in self.paths(item, entry)]
        for candidate in common:
            async with self._turn(("path", candidate.path)):
                if not await self._is_taken(candidate, known):
                    return await self._place_at(candidate, other, body)
        async with self._turn(("path", own.path)):
            return await self._place_at(own, other, body)

    async def _is_taken(self, entry: Entry, known: Entry | None) -> bool:
        """Whether another file stands at the path: never one to be overwritten, unless it is what is left of ours."""
        with self._store_errors_counted(entry):
            there = await stranger(self.store, entry, self.spiderinfo)
        if there is None:
            return False
        if not there or known is None or known.path != entry.path:
            return True
        return await self.memory.find_held(entry.store, str(entry.path), there) is not None

    async def _place_at(self, entry: Entry, other: Entry | None, body: bytes | None) -> tuple[Outcome, Entry] | None:
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


@contextmanager
def _said(opt_outs: Mapping[str, str]) -> Iterator[None]:
    """A failure knows what was said of being used, whatever its own reason."""
    try:
        yield
    except MediaError as error:
        error.opt_outs = merged(error.opt_outs, opt_outs)
        raise


def _opt_outs(response: Response) -> Mapping[str, str]:
    """What OptOutsMiddleware has found."""
    found: Mapping[str, str] = response.request.meta.get("opt_outs", {}) if response.request else {}
    return found


def _of_host(known: Entry) -> dict[str, str]:
    """What the ledger knows of a picture or file that holds in whatever item."""
    return of_its_host(from_json(known.opt_outs))


def _as_before(known: Entry) -> MediaError:
    """Why there is no file, as it was when it was asked for."""
    return MediaError(known.outcome, str(known.reason), opt_outs=_of_host(known))


def _in_place(outcome: Outcome) -> Outcome:
    """What the feed says of a file that was there before, by what the ledger says of how it came."""
    return Outcome.DUPLICATE if outcome is Outcome.DUPLICATE else Outcome.UPTODATE


def _common_info(url: str, item: ImageItem | FileItem, entry: Entry) -> dict[str, Any]:
    """Scrapy's four names first."""
    return {
        "url": url if url.startswith("data:") else entry.url,
        "path": entry.path,
        "checksum": entry.md5,
        "status": "downloaded" if item.outcome is Outcome.STORED else "uptodate",
        "sha256": entry.sha256,
        "bytes": entry.bytes,
    }


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value.decode("latin-1") if value else None
