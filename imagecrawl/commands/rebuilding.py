"""Lines of feeds turned into rows of a ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError, field_validator
from scrapy import Request
from scrapy.utils.datatypes import LocalCache

from imagecrawl.commands.inspection import Condition, Finding, examine, open_place, side_by_side
from imagecrawl.items import STORES, keyword_of, read_item
from imagecrawl.ledger import Entry, Key, Ledger, State, address, new_entry
from imagecrawl.optouts import to_json
from imagecrawl.outcomes import Outcome, Reason
from imagecrawl.output import counted, printable, say
from imagecrawl.storage import file_folder, safe_segment
from imagecrawl.stores import LocalStore, S3Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from scrapy.settings import BaseSettings

GROUP = 5000
"""Lines in one transaction."""

SHOWN = 10
"""Lines that cannot be used, and files that are missing or damaged, that are named; the closing line counts all."""

REMEMBERED = 100_000
"""Files that are missing or damaged and remembered as such: the bound on memory."""

UNUSABLE = "unusable"
LOST = "lost"


def _asked(url: str) -> str:
    """An address as rows name it: as Scrapy asks for it. Raises ValueError when that is none."""
    return address(Request(url).url)


Address = Annotated[str, AfterValidator(_asked)]
Count = Annotated[int, Field(ge=0, lt=2**63)]


class MediaLine(BaseModel):
    """One entry of ``images`` or ``files`` in a feed."""

    url: Address
    path: str
    checksum: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Count

    @field_validator("path")
    @classmethod
    def _stays_in_the_store(cls, path: str) -> str:
        parts = path.split("/")
        if len(parts) < 2 or not {"", ".", ".."}.isdisjoint(parts) or "\0" in path:
            raise ValueError("no path of ours")
        return path

    def facts(self) -> dict[str, Any]:
        """What a row has beside the path and the hashes."""
        raise NotImplementedError


class ImageLine(MediaLine):
    width: Count
    height: Count
    format: str
    mode: str

    def facts(self) -> dict[str, Any]:
        return {"width": self.width, "height": self.height, "format": self.format, "mode": self.mode}


class FileLine(MediaLine):
    content_type: str | None

    def facts(self) -> dict[str, Any]:
        return {"format": self.content_type}


class FeedLine(BaseModel):
    """One line of a feed: what a row is made of, of the fields of :mod:`imagecrawl.items`."""

    source: str
    page_url: str | None = None
    opt_outs: dict[str, str] | None = None
    outcome: Outcome
    reason: str | None = None
    crawled_at: AwareDatetime

    @property
    def time(self) -> str:
        """As the ledger writes it."""
        return self.crawled_at.astimezone(UTC).isoformat(timespec="seconds")


class ImageFeedLine(FeedLine):
    kind: ClassVar = "images"
    keyword: str
    rank: Count | None = None
    urls: list[str] = Field(alias="image_urls")
    media: Annotated[list[ImageLine], Field(max_length=1)] = Field([], alias="images")

    @property
    def folder(self) -> str:
        return safe_segment(self.keyword)


class FileFeedLine(FeedLine):
    kind: ClassVar = "files"
    board: str | None = None
    level: str | None = None
    subject: str | None = None
    names: list[str] = Field(alias="folder")
    urls: list[str] = Field(alias="file_urls")
    media: Annotated[list[FileLine], Field(max_length=1)] = Field([], alias="files")
    rank: ClassVar[None] = None

    @property
    def folder(self) -> str:
        return file_folder(self.source, self.names)

    @property
    def keyword(self) -> str:
        return keyword_of(self.model_dump(include={"source", "board", "level", "subject"}))


AnyLine: TypeAdapter[ImageFeedLine | FileFeedLine] = TypeAdapter(ImageFeedLine | FileFeedLine)


def lines(feeds: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Every line of these feeds that is not blank, after its file and number; raises OSError."""
    for feed in feeds:
        with feed.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"{feed}:{number}", line


class Rebuilding:
    """Turns lines into rows. A picture gets one if its file is in the store and is what the line says."""

    def __init__(self, ledger: Ledger, settings: BaseSettings) -> None:
        self.ledger = ledger
        places = {kind: settings[name] for kind, name in STORES.items()}
        self.names = {kind: ledger.store_name(place) for kind, place in places.items()}
        self.stores = {self.names[kind]: open_place(place, settings) for kind, place in places.items()}
        self.counts: Counter[str] = Counter()
        self.lines_used = 0
        self._lost: LocalCache[tuple[str, str], None] = LocalCache(REMEMBERED)

    def read(self, feeds: Iterable[Path]) -> None:
        """Blocks; raises OSError for a feed, :class:`StoreError` and :class:`LedgerError`."""
        remaining = lines(feeds)
        while group := list(islice(remaining, GROUP)):
            with self.ledger.transaction():
                for where, text in group:
                    self._read_line(where, text)

    def _read_line(self, where: str, text: bytes) -> None:
        try:
            line = AnyLine.validate_json(text)
        except ValidationError:
            self._count(UNUSABLE, f"not used: {where} is no line of a feed of ours, or is cut")
            return
        self.lines_used += 1
        if line.outcome is Outcome.LISTED:
            return
        for media in line.media:
            self._hold(line, media)
        if line.reason or not line.media:
            self._write_off(line, _page_part(text))

    def _hold(self, line: ImageFeedLine | FileFeedLine, media: MediaLine) -> None:
        """The row of a file that is in place."""
        key = Key(store=self.names[line.kind], folder=line.folder, url=media.url)
        known = self.ledger.find(key)
        if known and known.sha256 == media.sha256 and line.outcome is not Outcome.STORED:
            return  # it was not fetched again
        entry = replace(
            _entry(line, key),
            path=media.path,
            sha256=media.sha256,
            md5=media.checksum,
            bytes=media.bytes,
            **media.facts(),
        )
        if (twin := self.ledger.find_held(key.store, media.path, media.sha256)) is not None:
            self.ledger.settle(replace(entry, mtime_ns=twin.mtime_ns))
        elif (found := self._examine(entry)) is not None:
            self.ledger.settle(replace(entry, mtime_ns=found.mtime_ns))

    def _examine(self, entry: Entry) -> Finding | None:
        """The file of a row to be, if it is whole; what is not is counted, and looked at, once."""
        file = (str(entry.path), str(entry.sha256))
        if file in self._lost:
            return None
        finding = examine(self.stores[entry.store], entry)
        if finding.condition is Condition.WHOLE:
            return finding
        self._lost[file] = None
        self._count(LOST, f"{finding.condition}: {entry.path} ({finding.trouble or entry.url})")
        return None

    def _write_off(self, line: ImageFeedLine | FileFeedLine, item: str | None) -> None:
        """The row of what is not in place, be it that a picture's thumbnail is; a held one stays."""
        url = _first_address(line)
        if url is None or url in {media.url for media in line.media}:
            return
        key = Key(store=self.names[line.kind], folder=line.folder, url=url)
        known = self.ledger.find(key)
        if known and known.state is State.HELD:
            return
        refused = line.outcome is Outcome.REFUSED
        self.ledger.settle(
            replace(
                _entry(line, key),
                state=State.CLOSED if refused else State.DUE,
                outcome=Outcome.REFUSED if refused else Outcome.FAILED,
                reason=line.reason,
                fetched=line.time if refused else None,
                item=item,
            )
        )

    def _count(self, what: str, message: str) -> None:
        self.counts[what] += 1
        if self.counts[what] <= SHOWN:
            say(printable(message))

    def verdict(self) -> str:
        """One line: what is in the new ledger, and what is not. Reads the names of all files of a local store."""
        totals = self.ledger.totals()
        rows = sum(count for *_, count, _ in totals)
        in_place = sum(count for _, _, outcome, _, count, _ in totals if outcome == Outcome.STORED)
        parts = [
            f"{counted(rows, 'row')} written, {counted(in_place, 'file')} in place",
            f"{self.counts[LOST]} missing or damaged",
            self._others(),
            f"{counted(self.counts[UNUSABLE], 'line')} not used",
        ]
        return "; ".join(parts)

    def sweep(self) -> None:
        """Remove what killed crawls left half written: the new ledger does not know of their runs. Raises OSError."""
        for store in self.stores.values():
            if isinstance(store, LocalStore):
                store.sweep("", "*")

    def _others(self) -> str:
        others = 0
        for name, store in self.stores.items():
            if isinstance(store, LocalStore):
                rows = (entry for entry in self.ledger.held() if entry.store == name)
                others += sum(not entries for _, entries in side_by_side(rows, store.walk()))
        parts = [f"{counted(others, 'file')} that no feed names, left alone"]
        if any(isinstance(store, S3Store) for store in self.stores.values()):
            parts.append("S3 was not searched for such files")
        return "; ".join(parts)


def _entry(line: ImageFeedLine | FileFeedLine, key: Key) -> Entry:
    """What a line says of any address, as the row of a picture in place."""
    opt_outs = to_json(line.opt_outs or {})
    return replace(new_entry(key, line, first_seen=line.time), fetched=line.time, opt_outs=opt_outs)


def _page_part(text: bytes) -> str | None:
    """What `scrapy retry` works from; ``None`` when a column or two are missing from the feed."""
    try:
        item = read_item(text)
    except TypeError:
        return None
    item.reason = item.reason if item.reason == Reason.NO_URL else None
    return item.page_part()


def _first_address(line: ImageFeedLine | FileFeedLine) -> str | None:
    """The best address of a result; ``None`` when there is none that a crawl could ask for."""
    try:
        return _asked(line.urls[0])
    except (IndexError, ValueError):
        return None
