"""The ledger as a crawl sees it: asked from the event loop, answered by a thread of its own.

The thread takes whatever was asked while it was busy as one transaction, so that a thousand small writes cost few
commits and the event loop never waits for a disk. An answer means that its transaction is committed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from filelock import FileLock, Timeout
from scrapy import signals
from scrapy.utils.datatypes import LocalCache

from imagecrawl.ending import end_crawl
from imagecrawl.exceptions import AlreadyRunningError, LedgerError
from imagecrawl.ledger import Entry, Key, Ledger, Visit
from imagecrawl.outcomes import Finish
from imagecrawl.stores import LocalStore

if TYPE_CHECKING:
    from pydantic import BaseModel
    from scrapy import Spider
    from scrapy.crawler import Crawler

    from imagecrawl.outcomes import Outcome

logger = logging.getLogger(__name__)

T = TypeVar("T")

REBUILD = "rebuild"
"""What `scrapy rebuild` is called among the crawls: while it runs, no crawl begins."""

PATIENCE = 3
"""Seconds to wait for a lock: somebody may only be looking whether it is held, or cleaning up after a killed crawl."""

REMEMBERED = 10_000
"""Addresses that are remembered as met in this run beside the ledger's own mark, which another crawl may take over."""

GROUP = 500
"""The most questions in one transaction: it bounds how long the ledger is locked for other processes."""


class Memory:
    """The ledger of one crawl, for its length. Raises :class:`LedgerError`, from every method.

    While it is open, the same crawl cannot be opened again, by another process either.
    """

    def __init__(self, path: Path, crawl: str, *, check: bool = False) -> None:
        """With ``check``, every page of the ledger is read before anything is written to it."""
        with ExitStack() as opening:
            self._lock = begin_crawl(path, crawl)
            opening.callback(self._lock.release)
            self._ledger = Ledger(path)
            opening.callback(self._ledger.close)
            if check:
                self._ledger.check()
            self._clean_up()
            self.run = self._ledger.begin_run(crawl)
            opening.pop_all()
        self._closed = False
        self._entered: LocalCache[tuple[str, str], None] = LocalCache(REMEMBERED)
        self._met: LocalCache[Key, None] = LocalCache(REMEMBERED)
        self._questions: SimpleQueue[_Question | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name="ledger", daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, crawler: Crawler) -> Memory:
        """The one memory of a crawl, opened by whoever asks first and closed with the engine."""
        memory = _memories.get(crawler)
        if memory is None:
            assert crawler.spider
            path, crawl = Path(crawler.settings["LEDGER"]), crawl_name(crawler.spider.name, _arguments(crawler.spider))
            reserved = (path, crawl) in _reserved
            memory = _memories[crawler] = _reserved.pop((path, crawl)) if reserved else cls(path, crawl)
            crawler.signals.connect(memory.close, signals.engine_stopped)
        return memory

    def close(self) -> None:
        """Answer what is still asked, and let go. Closing it again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._questions.put(None)
        self._thread.join()
        try:
            self._ledger.end_run(self.run)
        except LedgerError as error:  # the run is found unended then, and cleaned up after by the next one
            logger.error("%s", error)  # noqa: TRY400
        self._ledger.close()
        self._lock.release()

    def store_name(self, place: str) -> str:
        return self._ledger.store_name(place)

    async def recall(self, key: Key) -> Entry | None:
        """See :meth:`Ledger.recall`. What this run has met before has its number."""
        met = key in self._met
        self._met[key] = None
        entry = await self._ask(lambda: self._ledger.recall(key, self.run))
        return replace(entry, run=self.run) if entry and met else entry

    async def find(self, key: Key) -> Entry | None:
        """See :meth:`Ledger.find`."""
        return await self._ask(lambda: self._ledger.find(key))

    async def find_elsewhere(self, key: Key, sha256: str | None = None) -> Entry | None:
        """See :meth:`Ledger.find_elsewhere`."""
        return await self._ask(lambda: self._ledger.find_elsewhere(key, sha256))

    async def find_held(self, store: str, path: str, checksum: str) -> Entry | None:
        """See :meth:`Ledger.find_held`."""
        return await self._ask(lambda: self._ledger.find_held(store, path, checksum))

    async def settle(self, entry: Entry, known: Entry | None = None) -> Outcome:
        """See :meth:`Ledger.settle`."""
        return await self._ask(lambda: self._ledger.settle(entry, known))

    async def item(self, number: int) -> str | None:
        """See :meth:`Ledger.item`."""
        return await self._ask(lambda: self._ledger.item(number))

    async def keep_mtime(self, key: Key, mtime_ns: int) -> None:
        """See :meth:`Ledger.keep_mtime`."""
        await self._ask(lambda: self._ledger.keep_mtime(key, mtime_ns))

    async def find_visit(self, source: str, url: str) -> Visit | None:
        """See :meth:`Ledger.find_visit`."""
        return await self._ask(lambda: self._ledger.find_visit(source, url))

    async def keep_visit(self, visit: Visit) -> None:
        """See :meth:`Ledger.keep_visit`."""
        await self._ask(lambda: self._ledger.keep_visit(visit))

    async def enter_folder(self, store: str, folder: str) -> None:
        """To be called before anything is written into a folder; see :meth:`Ledger.enter_folder`."""
        if (store, folder) not in self._entered:
            await self._ask(lambda: self._ledger.enter_folder(self.run, store, folder))
            self._entered[store, folder] = None

    async def _ask(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise LedgerError(f"the ledger {self._ledger.path} is closed")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._questions.put(_Question(work, answer))
        return await answer

    def _serve(self) -> None:
        while (first := self._questions.get()) is not None:
            group = [first]
            while len(group) < GROUP and not self._questions.empty():
                question = self._questions.get()
                if question is None:
                    self._questions.put(None)  # for the loop around this one
                    break
                group.append(question)
            self._answer(group)

    def _answer(self, group: list[_Question]) -> None:
        """Do the work of a group in one transaction, then tell every asker in one call."""
        answers: list[Any] = []
        failure: BaseException | None = None
        try:
            with self._ledger.transaction():
                answers = [question.work() for question in group]
        except BaseException as error:  # noqa: BLE001  # it belongs to who asked
            if len(group) > 1 and not isinstance(error, LedgerError):  # one of them asked what cannot be done
                for question in group:
                    self._answer([question])
                return
            failure = error

        def tell() -> None:
            for number, question in enumerate(group):
                if question.answer.done():  # its asker was cancelled
                    continue
                if failure:
                    question.answer.set_exception(failure)
                else:
                    question.answer.set_result(answers[number])

        group[0].answer.get_loop().call_soon_threadsafe(tell)

    def _clean_up(self) -> None:
        """Remove what killed runs left half written; live ones hold their lock, and are left alone."""
        for run, crawl in self._ledger.open_runs():
            if crawl == self._lock.crawl:
                self._sweep(run)
                continue
            lock = CrawlLock(self._ledger.path, crawl)
            with suppress(AlreadyRunningError):
                lock.acquire(patience=0)
                try:
                    self._sweep(run)
                finally:
                    lock.release()

    def _sweep(self, run: int) -> None:
        """Remove what one run left. Where that cannot be done now, a later crawl tries again."""
        try:
            for store, folder in self._ledger.folders(run):
                place = self._ledger.store_place(store)
                if Path(place).is_dir():  # else it is remote, or gone with all that was in it
                    LocalStore(place).sweep(folder, run)
        except OSError as error:
            logger.warning("What a killed crawl left half written stays for now: %s", error)
        else:
            self._ledger.end_run(run)


@dataclass(frozen=True, slots=True)
class _Question:
    work: Callable[[], Any]
    answer: asyncio.Future[Any]


class CrawlLock:
    """Held by a crawl while it runs. The operating system lets go of it when the process ends, however it ends."""

    def __init__(self, ledger: Path, crawl: str) -> None:
        self.crawl = crawl
        self._file = ledger.parent / "running" / f"{crawl}.lock"
        self._lock = FileLock(self._file, fallback_to_soft=False)

    def acquire(self, patience: float = PATIENCE) -> None:
        """Raises :class:`AlreadyRunningError` when another process, or another crawl of this one, holds it."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=patience)
        except Timeout as error:
            raise AlreadyRunningError(
                f"this very crawl is running already ({self._file}); wait for its end, or stop it"
            ) from error
        except OSError as error:
            raise LedgerError(f"{self._file} cannot be written ({error.strerror})") from error

    def is_held(self, patience: float = 0) -> bool:
        """Whether somebody else holds it now, and for so many seconds to come; raises :class:`LedgerError`."""
        try:
            self.acquire(patience)
        except AlreadyRunningError:
            return True
        self.release()
        return False

    def release(self) -> None:
        """Let go, and leave no file behind; whoever opened it in the meantime notices that it is gone."""
        self._file.unlink(missing_ok=True)
        self._lock.release()


def begin_crawl(ledger: Path, crawl: str) -> CrawlLock:
    """The lock of a crawl, held; raises :class:`LedgerError`, also when the ledger is being rebuilt."""
    lock = CrawlLock(ledger, crawl)
    lock.acquire()
    if CrawlLock(ledger, REBUILD).is_held(PATIENCE):
        lock.release()
        raise AlreadyRunningError(f"the ledger {ledger} is being rebuilt; wait for the end of that")
    return lock


def reserve(path: Path, crawl: str) -> None:
    """Open the memory of a crawl that this process is about to begin, every page of the ledger read.

    Raises :class:`LedgerError`, which is then told before anything has begun; :meth:`Memory.of` finds it open.
    """
    _reserved[path, crawl] = Memory(path, crawl, check=True)


def end_without_ledger(crawler: Crawler, error: LedgerError) -> None:
    """End a crawl that can no longer ask its ledger."""
    end_crawl(crawler, Finish.DISK_FULL if error.full else Finish.LEDGER_ERROR, error)


def running_crawls(ledger: Path, patience: float = 0) -> list[str]:
    """The names of the crawls that run on a ledger, and still do so many seconds later; raises :class:`LedgerError`."""
    names = {file.stem for file in (ledger.parent / "running").glob("*.lock")} - {REBUILD}
    return [name for name in sorted(names) if CrawlLock(ledger, name).is_held(patience)]


def crawl_name(spider: str, arguments: Mapping[str, Any] | BaseModel) -> str:
    """The same for the same spider with the same arguments, whatever job of Scrapyd's it is."""
    if not isinstance(arguments, Mapping):
        arguments = arguments.model_dump(mode="json", exclude={"job"})
    given = json.dumps({name: value for name, value in arguments.items() if name != "_job"}, sort_keys=True)
    return f"{spider}-{hashlib.sha256(given.encode()).hexdigest()[:12]}"


def _arguments(spider: Spider) -> Mapping[str, Any] | BaseModel:
    """What a spider was given: as it declared it, else what Scrapy made attributes of."""
    declared: BaseModel | None = getattr(spider, "args", None)
    return declared or {
        name: value for name, value in vars(spider).items() if isinstance(value, str) and name != "name"
    }


_memories: WeakKeyDictionary[Crawler, Memory] = WeakKeyDictionary()
_reserved: dict[tuple[Path, str], Memory] = {}
