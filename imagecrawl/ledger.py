"""What is known of every picture and file: one SQLite database beside the stores.

It answers one question: do we have this, where, and what did it look like? One row per address and folder of a store.
A crawl asks through :mod:`imagecrawl.memory`; the commands use the class here. Beside that it keeps what spiders that
walk from page to page have learned from each of them, for :mod:`imagecrawl.visits`.

What is synced when: the database is in WAL mode with ``synchronous=NORMAL``. A commit survives the death of the
process, ``kill -9`` included. A loss of power may take back the last commits, never half of one, and SQLite syncs
before each checkpoint, so the rest stays readable. That is enough, because a row is only ever written after its file
was synced and renamed into place: whatever the loss took back is asked for again, and a row whose file is gone or
damaged is noticed, since no file counts as held without a look at it.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from imagecrawl.exceptions import LedgerError
from imagecrawl.outcomes import Outcome
from imagecrawl.storage import local_folder

APPLICATION_ID = 0x696D6372
"""Marks the file as ours, in SQLite's own header field."""

VERSION = 1
"""Of the schema."""

BUSY_SECONDS = 60
"""How long a write waits for that of another process."""

CACHE_KIB = 16 * 1024

ADVICE = "`scrapy rebuild` makes it anew from the stores and feeds"

SCHEMA = """
    CREATE TABLE media (
        store TEXT NOT NULL, folder TEXT NOT NULL, url TEXT NOT NULL,
        state TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT,
        path TEXT, sha256 TEXT, md5 TEXT, bytes INTEGER, mtime_ns INTEGER,
        width INTEGER, height INTEGER, format TEXT, mode TEXT,
        source TEXT NOT NULL, keyword TEXT NOT NULL, page_url TEXT, rank INTEGER,
        first_seen TEXT NOT NULL, fetched TEXT, attempts INTEGER NOT NULL,
        etag TEXT, last_modified TEXT, limits TEXT, run INTEGER NOT NULL, item TEXT,
        opt_outs TEXT
    );
    CREATE UNIQUE INDEX media_key ON media (url, folder, store);
    CREATE INDEX media_bytes ON media (sha256) WHERE sha256 IS NOT NULL;
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, crawl TEXT NOT NULL, started TEXT NOT NULL, ended TEXT
    );
    CREATE TABLE run_folders (
        run INTEGER NOT NULL REFERENCES runs, store TEXT NOT NULL, folder TEXT NOT NULL,
        PRIMARY KEY (run, store, folder)
    ) WITHOUT ROWID;
"""

VISITS = """
    CREATE TABLE IF NOT EXISTS visits (
        source TEXT NOT NULL, url TEXT NOT NULL, visited TEXT NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (source, url)
    ) WITHOUT ROWID
"""
"""Apart, because ledgers that were made before there were visits are given it too."""


class State(StrEnum):
    """What the next crawl does with an address."""

    HELD = "held"
    """It is in place: nothing is asked while the file is intact."""

    DUE = "due"
    """It could not be had for a reason that may pass: it is asked for again."""

    CLOSED = "closed"
    """It could not be had, or was not wanted, and asking again would change nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """What one row is about."""

    store: str
    """Where the folder lies: see :meth:`Ledger.store_name`."""
    folder: str
    """Where in the store: the keyword made safe for a picture, all folders for a file."""
    url: str
    """The address without its fragment; for a ``data:`` URI, ``data:`` and the SHA-256 of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One row. Times are ISO 8601 in UTC, whole seconds; sizes in bytes and pixels.

    ``source keyword page_url rank first_seen`` stay as they were at the first time; everything else is the latest.
    """

    store: str
    folder: str
    url: str
    state: State
    outcome: Outcome
    """``stored``, ``duplicate`` (another address of the folder has these bytes), ``refused`` or ``failed``."""
    reason: str | None = None
    path: str | None = None
    """Relative to the store: where it is, or was before it could not be had again."""
    sha256: str | None = None
    md5: str | None = None
    bytes: int | None = None
    mtime_ns: int | None = None
    """Time of modification of the file on a local disk, nanoseconds since 1970."""
    width: int | None = None
    height: int | None = None
    format: str | None = None
    """Pillow's name for that of a picture; the media type of a file."""
    mode: str | None = None
    source: str
    keyword: str
    page_url: str | None = None
    rank: int | None = None
    first_seen: str
    fetched: str | None = None
    """When the host last answered for good: with the bytes, that they are unchanged, or why there are none."""
    attempts: int = 0
    """How often the host was asked, but for what was stopped; in :meth:`Ledger.settle`, how often since."""
    etag: str | None = None
    last_modified: str | None = None
    """The host's own words, for asking whether anything changed."""
    limits: str | None = None
    """The bounds in force when it was refused: under others it is asked for again."""
    run: int = 0
    """The run that met it last."""
    item: str | None = None
    """JSON of what the page said of it, as long as it is not held: what `scrapy retry` works from."""
    opt_outs: str | None = None
    """JSON of what was said of being used, by its page and its host: see :mod:`imagecrawl.optouts`."""

    @property
    def key(self) -> Key:
        return Key(store=self.store, folder=self.folder, url=self.url)


class Sighting(Protocol):
    """What a row takes from an item, or from its line in a feed."""

    @property
    def source(self) -> str: ...
    @property
    def keyword(self) -> str: ...
    @property
    def page_url(self) -> str | None: ...
    @property
    def rank(self) -> int | None: ...


def new_entry(key: Key, found: Sighting, first_seen: str) -> Entry:
    """A row for a file that is in place, its host asked once; the facts of the file and the run are yet to come."""
    return Entry(
        store=key.store,
        folder=key.folder,
        url=key.url,
        state=State.HELD,
        outcome=Outcome.STORED,
        source=found.source,
        keyword=found.keyword,
        page_url=found.page_url,
        rank=found.rank,
        first_seen=first_seen,
        attempts=1,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """What a spider has learned from a page: one row of ``visits``."""

    source: str
    """Name of the spider."""
    url: str
    """Of the page: see :func:`address`."""
    visited: str
    """When it was read: ISO 8601 in UTC, whole seconds."""
    facts: str
    """The spider's own, as JSON."""


COLUMNS = tuple(field.name for field in fields(Entry))
_LIST = ", ".join(COLUMNS)
_FIRST_TIME = {"store", "folder", "url", "source", "keyword", "page_url", "rank", "first_seen"}
_UPSERT = (
    f"INSERT INTO media ({_LIST}) VALUES ({', '.join('?' * len(COLUMNS))})"
    " ON CONFLICT (url, folder, store) DO UPDATE SET attempts = attempts + excluded.attempts, "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name not in _FIRST_TIME | {"attempts"})
)
_THIS = "url = :url AND folder = :folder AND store = :store"
_VISIT = ", ".join(field.name for field in fields(Visit))
_TREES = (
    (_LIST, "media", "rowid"),
    (_LIST, "media", "url, folder, store"),
    (_LIST, "media WHERE sha256 IS NOT NULL", "sha256"),
    (_VISIT, "visits", "source, url"),
)
"""Columns, table and order of everything that is kept sorted and may grow large."""


def address(url: str) -> str:
    """``url`` as rows name it: without a fragment, which no host sees; a ``data:`` URI, which may be long, by its hash.

    >>> address("https://a.example/1.jpg#top"), len(address("data:image/gif;base64," + "A" * 9999))
    ('https://a.example/1.jpg', 69)
    """
    if url.startswith("data:"):
        return f"data:{hashlib.sha256(url.encode()).hexdigest()}"
    return url.partition("#")[0]


def now() -> str:
    """The time as the ledger writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def is_overdue(time: str, days: int) -> bool:
    """Whether so many days have passed since a time as the ledger writes it; never, when ``days`` is 0.

    Raises ValueError for what is no such time.

    >>> is_overdue("2026-11-21T12:00:00+00:00", 0), is_overdue("2020-01-01T00:00:00+00:00", 30)
    (False, True)
    """
    return days > 0 and datetime.fromisoformat(time).astimezone(UTC) < datetime.now(UTC) - timedelta(days=days)


class Ledger:
    """The database. Every method is one short transaction, or part of that of :meth:`transaction`.

    Raises :class:`LedgerError`, in one line that names the file.
    """

    def __init__(self, path: Path) -> None:
        """Open the ledger, and make it where there is none; a damaged or foreign file is left as it is."""
        self.path = path
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
            )
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._db.execute("PRAGMA synchronous = NORMAL")
        if self._is_empty():
            self._create()
        elif not (self._knows_visits() and self._knows_opt_outs()):
            self.check()  # as everywhere, nothing is written to a damaged file
            self._bring_up_to_date()
        self._look_over()

    def _knows_visits(self) -> bool:
        """Whether the ledger is of a time when there were visits."""
        return self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'visits'").fetchone() is not None

    def _knows_opt_outs(self) -> bool:
        """Whether the ledger is of a time when rows had those."""
        found = self._db.execute("SELECT 1 FROM pragma_table_info('media') WHERE name = 'opt_outs'")
        return found.fetchone() is not None

    def _bring_up_to_date(self) -> None:
        """Give a ledger of before what it lacks; what wrote it can still read it."""
        with self.transaction():
            self._db.execute(VISITS)
            if not self._knows_opt_outs():  # else another process was faster
                self._db.execute("ALTER TABLE media ADD COLUMN opt_outs TEXT")

    def _is_empty(self) -> bool:
        """Whether nobody has made it yet; raises :class:`LedgerError` when it is none of ours. One consistent look."""
        with self._reading():
            [(version,)] = self._db.execute("PRAGMA user_version")
            [(application,)] = self._db.execute("PRAGMA application_id")
            [(tables,)] = self._db.execute("SELECT count(*) FROM sqlite_master")
        if not version and not application and not tables:
            return True
        if application != APPLICATION_ID:
            raise LedgerError(f"{self.path} is a database of another program")
        if version != VERSION:
            raise LedgerError(f"{self.path} was written by another version of imagecrawl (schema {version})")
        return False

    @contextmanager
    def _reading(self) -> Iterator[None]:
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def _create(self) -> None:
        self._switch_to_wal()
        with self.transaction():
            if self._is_empty():  # else another process was faster
                for statement in (*SCHEMA.split(";")[:-1], VISITS):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                self._db.execute(f"PRAGMA user_version = {VERSION}")

    def _switch_to_wal(self) -> None:
        """SQLite does not wait for another process here, however long it may: https://sqlite.org/c3ref/busy_handler.html"""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def _look_over(self) -> None:
        """What can be looked at in no time: whether the file is writable, and both ends of every tree in it."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(f"PRAGMA user_version = {VERSION}")
        self._db.execute("ROLLBACK")
        for columns, table, order in _TREES:
            for way in ("ASC", "DESC"):
                terms = ", ".join(f"{term} {way}" for term in order.split(", "))
                self._db.execute(f"SELECT {columns} FROM {table} ORDER BY {terms} LIMIT 1").fetchall()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(
                f"the ledger {self.path} {_trouble(error)} ({error})", full=_code(error) == sqlite3.SQLITE_FULL
            ) from error
        except OSError as error:
            raise LedgerError(f"the ledger {self.path} cannot be written ({error.strerror})") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written together, or not at all."""
        with self._errors():
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):  # SQLite itself ends a transaction on a full disk
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # What a crawl asks and says

    def recall(self, key: Key, run: int) -> Entry | None:
        """What is known of ``key``, as it was before; from now on this run has met it."""
        with self.transaction():
            entry = self.find(key)
            if entry and entry.run != run:
                self._db.execute(f"UPDATE media SET run = :run WHERE {_THIS}", {**_named(key), "run": run})
            return entry

    def find(self, key: Key) -> Entry | None:
        """The row of ``key``."""
        return self._first(_THIS, _named(key))

    def find_elsewhere(self, key: Key, sha256: str | None = None) -> Entry | None:
        """A held row of the same store in another folder: the same address, or the same bytes when they are given."""
        same = "url = :url" if sha256 is None else "sha256 = :sha256"
        given = {**_named(key), "sha256": sha256}
        return self._first(f"{same} AND store = :store AND folder <> :folder AND state = 'held'", given)

    def settle(self, entry: Entry, known: Entry | None = None) -> Outcome:
        """Write down what became of an address that was ``known`` so; returns the outcome.

        Of the addresses of one folder that hold the same bytes the first is ``stored``, every other ``duplicate``. A
        file that another crawl has put in place since is not written off.
        """
        with self.transaction():
            before = self.find(entry.key)
            if before and entry.state is not State.HELD and _is_news(before, known):
                entry = replace(before, attempts=entry.attempts)
            if entry.state is State.HELD:
                entry = replace(entry, outcome=Outcome.DUPLICATE if self._first_is_another(entry) else Outcome.STORED)
            self._db.execute(_UPSERT, [_storable(value) for value in astuple(entry)])
            if before and before.outcome is Outcome.STORED and (entry.state, entry.path) != (State.HELD, before.path):
                self._pass_on(before)
        return entry.outcome

    def _first_is_another(self, entry: Entry) -> bool:
        others = (
            "sha256 = :sha256 AND store = :store AND path = :path AND state = 'held' AND outcome = 'stored'"
            " AND url <> :url"
        )
        given = {**_named(entry.key), "sha256": entry.sha256, "path": entry.path}
        return self._first(others, given) is not None

    def _pass_on(self, before: Entry) -> None:
        """An address no longer has its bytes: of the others that have them, the first is ``stored`` from now on."""
        given = {"sha256": before.sha256, "store": before.store, "path": before.path}
        others = "sha256 = :sha256 AND store = :store AND path = :path AND state = 'held'"
        first = f"SELECT min(rowid) FROM media WHERE {others}"
        self._db.execute(f"UPDATE media SET outcome = 'stored' WHERE rowid = ({first})", given)

    def keep_mtime(self, key: Key, mtime_ns: int) -> None:
        """The file of a held row was looked at: it is whole, and this is its time of modification now."""
        with self.transaction():
            given = {**_named(key), "mtime_ns": mtime_ns}
            self._db.execute(f"UPDATE media SET mtime_ns = :mtime_ns WHERE {_THIS}", given)

    # Visits

    def find_visit(self, source: str, url: str) -> Visit | None:
        """What the spider ``source`` has learned from the page at ``url``, the last time that it read it."""
        with self._errors():
            row = self._db.execute(
                f"SELECT {_VISIT} FROM visits WHERE source = ? AND url = ?", (_storable(source), _storable(url))
            ).fetchone()
        return Visit(**dict(zip(Visit.__slots__, row, strict=True))) if row else None

    def keep_visit(self, visit: Visit) -> None:
        """Write down what was learned from a page, in place of what was learned before."""
        with self.transaction():
            values = [_storable(value) for value in astuple(visit)]
            self._db.execute(f"INSERT OR REPLACE INTO visits ({_VISIT}) VALUES (?, ?, ?, ?)", values)

    # Runs

    def begin_run(self, crawl: str) -> int:
        """The number of a new run of ``crawl``."""
        with self.transaction():
            cursor = self._db.execute("INSERT INTO runs (crawl, started) VALUES (?, ?)", (crawl, now()))
            assert cursor.lastrowid
            return cursor.lastrowid

    def enter_folder(self, run: int, store: str, folder: str) -> None:
        """This run is about to write into a folder: where to look for what it leaves half done if it is killed."""
        with self.transaction():
            self._db.execute("INSERT OR IGNORE INTO run_folders VALUES (?, ?, ?)", (run, store, folder))

    def end_run(self, run: int) -> None:
        """The run left nothing half done."""
        with self.transaction():
            self._db.execute("DELETE FROM run_folders WHERE run = ?", (run,))
            self._db.execute("UPDATE runs SET ended = ? WHERE id = ?", (now(), run))

    def open_runs(self) -> list[tuple[int, str]]:
        """Number and crawl of every run that has not said that it ended."""
        with self._errors():
            return self._db.execute("SELECT id, crawl FROM runs WHERE ended IS NULL").fetchall()

    def folders(self, run: int) -> list[tuple[str, str]]:
        """Store and folder of everything a run that has not ended may have written to."""
        with self._errors():
            return self._db.execute("SELECT store, folder FROM run_folders WHERE run = ?", (run,)).fetchall()

    # What the commands ask

    def totals(self) -> list[tuple[str, str, str, str | None, int, int]]:
        """Source, keyword, outcome, reason, number of addresses and bytes in place, for each combination there is.

        A duplicate's bytes are counted with the first address that has them.
        """
        with self._errors():
            return self._db.execute(
                "SELECT source, keyword, outcome, reason, count(*),"
                " sum(CASE WHEN state = 'held' AND outcome = 'stored' THEN bytes ELSE 0 END)"
                " FROM media GROUP BY source, keyword, outcome, reason ORDER BY source, keyword, outcome, reason"
            ).fetchall()

    def held(self) -> Iterator[Entry]:
        """Every row whose file should be in place, by store and path."""
        return self._select("state = 'held' ORDER BY store, path", {})

    def find_held(self, store: str, path: str, checksum: str) -> Entry | None:
        """A held row of these bytes at this place: the file was looked at for it.

        ``checksum`` is their SHA-256, or their MD5, which takes a look at every row.
        """
        digest = "sha256" if len(checksum) == 64 else "md5"
        given = {"store": store, "path": path, "checksum": checksum}
        return self._first(f"{digest} = :checksum AND store = :store AND path = :path AND state = 'held'", given)

    def failures(self, source: str, reasons: Iterable[str]) -> list[tuple[str, int]]:
        """What ``source`` could not get for these reasons; without reasons, all that failed.

        Keyword and number of each item among them, to be read with :meth:`item`.
        """
        where, wanted = _failed_for(source, reasons)
        with self._errors():
            return self._db.execute(
                f"SELECT keyword, min(rowid) FROM media WHERE {where} GROUP BY item ORDER BY keyword, min(rowid)",
                wanted,
            ).fetchall()

    def reopen(self, source: str, reasons: Iterable[str]) -> list[tuple[str, int]]:
        """Make all of :meth:`failures` due again, and return them."""
        where, wanted = _failed_for(source, reasons)
        with self.transaction():
            self._db.execute(f"UPDATE media SET state = 'due' WHERE {where}", wanted)
            return self.failures(source, wanted[1:])

    def item(self, number: int) -> str | None:
        """The item that :meth:`reopen` numbered so; ``None`` when another crawl has got it since."""
        with self._errors():
            found = self._db.execute("SELECT item FROM media WHERE rowid = ?", (number,)).fetchone()
        return found[0] if found else None

    def check(self) -> None:
        """Read every page; raises :class:`LedgerError` when SQLite finds anything wrong."""
        if damage := self.damage():
            raise LedgerError(f"the ledger {self.path} is damaged; {ADVICE} ({damage[0]})")

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the file when it reads every page, a line each; empty when all is well."""
        with self._errors():
            found = [" ".join(text.split()) for (text,) in self._db.execute("PRAGMA quick_check")]
        return [] if found == ["ok"] else found

    def _first(self, where: str, given: dict[str, Any]) -> Entry | None:
        with closing(self._select(f"{where} LIMIT 1", given)) as found:
            return next(found, None)

    def _select(self, where: str, given: dict[str, Any]) -> Generator[Entry]:
        with self._errors():
            for row in self._db.execute(f"SELECT {_LIST} FROM media WHERE {where}", given):
                yield self._entry(dict(zip(COLUMNS, row, strict=True)))

    def _entry(self, row: dict[str, Any]) -> Entry:
        try:
            return Entry(**{**row, "state": State(row["state"]), "outcome": Outcome(row["outcome"])})
        except ValueError as error:  # a word that no version of ours wrote
            raise LedgerError(f"the ledger {self.path} is damaged; {ADVICE} ({error})") from error

    # Where stores lie

    def store_name(self, place: str) -> str:
        """A store as rows name it: a folder relative to the ledger's own, so that both can move together, or a URI."""
        local = local_folder(place)
        if local is None:
            return place
        folder, home = local.resolve(), self.path.parent.resolve()
        return folder.relative_to(home).as_posix() if folder.is_relative_to(home) else folder.as_posix()

    def store_place(self, name: str) -> str:
        """The folder or URI of a store that rows call ``name``."""
        return name if "://" in name else str(self.path.parent / name)


def stores_of(path: Path) -> list[str]:
    """The name of every store that rows of a ledger are about, read without touching it, as far as it can be read."""
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as ledger,
    ):
        return [name for (name,) in ledger.execute("SELECT DISTINCT store FROM media ORDER BY store")]
    return []


def _failed_for(source: str, reasons: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    wanted = tuple(reasons)
    which = f"reason IN ({', '.join('?' * len(wanted))})" if wanted else "outcome = 'failed'"
    return f"source = ? AND item IS NOT NULL AND {which}", (source, *wanted)


def _named(key: Key) -> dict[str, Any]:
    return {"store": key.store, "folder": key.folder, "url": key.url}


def _is_news(row: Entry, known: Entry | None) -> bool:
    """Whether a file was put in place after the row was ``known``."""
    if row.state is not State.HELD:
        return False
    return known is None or (row.path, row.fetched, row.mtime_ns) != (known.path, known.fetched, known.mtime_ns)


def _storable(value: Any) -> Any:
    """A text from a page may hold half a character (a lone surrogate), which UTF-8 does not know."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _code(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _trouble(error: sqlite3.Error) -> str:
    """What an error of SQLite's means for its user. Result codes: https://sqlite.org/rescode.html"""
    match _code(error):
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"is damaged; {ADVICE}"
        case sqlite3.SQLITE_FULL:
            return "cannot grow: the disk is full"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return "cannot be written"
        case sqlite3.SQLITE_BUSY:
            return f"was locked by another program for {BUSY_SECONDS} seconds"
        case _ if "decode" in str(error):  # the sqlite3 module gives no code for text that is no UTF-8
            return f"is damaged; {ADVICE}"
        case _:
            return "failed"
