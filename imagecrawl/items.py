"""What a crawl yields: one item per result, one line of the feed each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar

from itemadapter import ItemAdapter
from pydantic import Field, TypeAdapter, ValidationError

from imagecrawl.outcomes import Outcome, Reason

KINDS = {"images": "picture", "files": "file"}
"""What a crawl keeps, by the field of the item that says so, and what one of it is called."""

STORES = {kind: f"{kind.upper()}_STORE" for kind in KINDS}
"""The setting that says where each kind is kept."""


class MediaItem:
    """What all items have in common, beside the fields that are named alike."""

    kind: ClassVar[str]
    """One of :data:`KINDS`."""

    source: str
    page_url: str | None
    opt_outs: dict[str, str] | None
    outcome: Outcome | None
    reason: str | None
    crawled_at: str | None

    @property
    def urls(self) -> list[str]:
        """``image_urls`` or ``file_urls``."""
        urls: list[str] = getattr(self, f"{self.kind[:-1]}_urls")
        return urls

    @property
    def media(self) -> list[dict[str, Any]]:
        """``images`` or ``files``."""
        media: list[dict[str, Any]] = getattr(self, self.kind)
        return media

    @classmethod
    def page_fields(cls) -> set[str]:
        """The names of what the spider may fill."""
        names = {field.name for field in fields(cls)}  # type: ignore[arg-type]  # every one of them is a dataclass
        return names - {cls.kind, "outcome", "crawled_at"}

    def page_part(self) -> str:
        """What the spider filled, as JSON: :func:`read_item` makes it the item as the page gave it."""
        return json.dumps({name: getattr(self, name) for name in sorted(self.page_fields())})


@dataclass(kw_only=True)
class ImageItem(MediaItem):
    """One picture that a page offered, and what became of it. The fields are the names in the feed, in its order.

    The spider fills everything up to ``details``, and ``reason`` where the page gave nothing but a thumbnail;
    ``ImageStorePipeline`` fills the rest.
    """

    kind: ClassVar[str] = "images"

    source: str
    """Name of the spider."""
    keyword: str
    """What was searched for: the picture's folder."""
    rank: Annotated[int, Field(ge=0, lt=2**63)]
    """Place among the keyword's results, from 1; of a list, the line."""
    id: str | None
    """The site's own id of the result."""
    title: str | None
    alt: str | None = None
    """The text that stands for the picture: its alternative text, or what the site says is to be seen."""
    caption: str | None = None
    """The text that goes with it, on the page or in the list."""
    page_url: str | None
    """The page the picture stands on."""
    site: str | None
    """Name of the site it stands on, or its host."""
    image_urls: list[str]
    """Addresses of this one picture, best first: each next one is only tried when those before it failed."""
    width: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    """How wide it was asked for, in pixels: its folder, if it is as wide. ``None``: as it is."""
    thumbnail_url: str | None
    """The site's small copy; a ``data:`` URI when there is no address. Tried only if it is in ``image_urls`` too."""
    rights: dict[str, Any] | None
    """What the page says of the rights: any of credit, creators, notice, licence_url, purchase_url."""
    opt_outs: dict[str, str] | None = None
    """What the page that shows it says of being used, and in the end what the picture's own host says too: see
    :mod:`imagecrawl.optouts`."""
    post: dict[str, Any] | None = None
    """The facts of the post that shows the picture: id, title, author, subreddit, score, created, permalink, flair,
    nsfw, spoiler, and of the picture its position (from 1) and caption there; ``None`` for what the page does not say.
    """
    details: dict[str, Any] | None = None
    """What else the page or the list says, by names that the spider documents. Plain JSON."""

    images: list[dict[str, Any]] = field(default_factory=list)
    """At most one entry: Scrapy's ``url path checksum status`` and our ``sha256 bytes width height format mode
    thumbnail`` (true when it is the thumbnail).

    ``checksum`` is the MD5 of the bytes, ``path`` is relative to IMAGES_STORE, ``width`` and ``height`` are the encoded
    pixels (an EXIF rotation is not applied), ``bytes`` is the size of the file.
    """
    outcome: Outcome | None = None
    reason: str | None = None
    """See :mod:`imagecrawl.outcomes`."""
    crawled_at: str | None = None
    """When the outcome was known: ISO 8601, UTC, whole seconds."""


@dataclass(kw_only=True)
class FileItem(MediaItem):
    """One file that a page listed, and what became of it. The fields are the names in the feed, in its order.

    The spider fills everything up to ``file_urls``; ``FileStorePipeline`` fills the rest.
    """

    kind: ClassVar[str] = "files"

    source: str
    """Name of the spider."""
    board: str | None
    level: str | None
    subject: str | None
    """As the site names them: exam board, level and subject."""
    code: str | None
    """The subject's number, four or five digits."""
    session: str | None
    """When the exam was: ``2019-Oct-Nov``."""
    year: int | None
    type: str | None
    """What it is, in the letters of its name: ``qp`` question paper, ``ms`` mark scheme, ..."""
    paper: int | None
    variant: int | None
    label: str | None
    """What the page calls it."""
    folder: list[str]
    """The names of the folders that the site has it in, as it is placed in the store too."""
    name: str
    """The name of the file on the site."""
    page_url: str | None
    """The page that lists it."""
    opt_outs: dict[str, str] | None = None
    """What that page says of being used, and in the end what the file's own host says too: see
    :mod:`imagecrawl.optouts`."""
    file_urls: list[str]
    """Addresses of this one file, best first: each next one is only tried when those before it failed."""

    files: list[dict[str, Any]] = field(default_factory=list)
    """At most one entry: Scrapy's ``url path checksum status`` and our ``sha256 bytes content_type``.

    ``checksum`` is the MD5 of the bytes, ``path`` is relative to FILES_STORE, ``bytes`` is the size of the file,
    ``content_type`` what the bytes are, else what the host says.
    """
    outcome: Outcome | None = None
    reason: str | None = None
    """See :mod:`imagecrawl.outcomes`."""
    crawled_at: str | None = None
    """When the outcome was known: ISO 8601, UTC, whole seconds."""

    rank: ClassVar[None] = None

    @property
    def keyword(self) -> str:
        """What tables and the ledger count it under: the subject, else the nearest thing above it."""
        return keyword_of(self)


_CHECKS: dict[str, TypeAdapter[Any]] = {
    item_class.kind: TypeAdapter(item_class) for item_class in (ImageItem, FileItem)
}


def read_item(text: str | bytes) -> ImageItem | FileItem:
    """The item as the page gave it, of a :meth:`MediaItem.page_part` or of a line of a feed.

    Raises TypeError when fields are missing.
    """
    given = json.loads(text)
    item_class = FileItem if "file_urls" in given else ImageItem
    return item_class(**{name: given[name] for name in item_class.page_fields() & given.keys()})


FOUND_BY_SPIDERS = {Reason.NO_URL: None, Reason.DECORATION: Outcome.REFUSED}
"""The reasons that an item may have before anything is fetched, and the outcome of those that are not to be."""


def replayed(line: Mapping[str, Any], *, urls: Sequence[str], keyword: str) -> ImageItem | FileItem:
    """The item as a spider gave it, from the line of a feed that tells what became of it.

    ``urls`` are its addresses; ``keyword`` is that of a picture. Raises ValueError, one line of text, when fields are
    missing or wrong.
    """
    item_class: type[ImageItem | FileItem] = FileItem if "file_urls" in line else ImageItem
    fields = {name: line[name] for name in item_class.page_fields() & line.keys()}
    fields |= {f"{item_class.kind[:-1]}_urls": list(urls), "reason": None}
    if item_class is ImageItem:
        fields["keyword"] = keyword
    if line.get("reason") in FOUND_BY_SPIDERS:  # any other one is what became of it
        fields["reason"] = line["reason"]
        fields["outcome"] = FOUND_BY_SPIDERS[line["reason"]]
    try:
        item: ImageItem | FileItem = _CHECKS[item_class.kind].validate_json(json.dumps(fields), strict=True)
    except ValidationError as error:
        problem = error.errors()[0]
        where = f"the field `{problem['loc'][0]}` of this line" if problem["loc"] else "this line of a feed"
        raise ValueError(f"{where} is wrong: {problem['msg']}") from error
    return item


def keyword_of(item: Any) -> str:
    """The keyword of an item, which some pipeline may have turned into another type; empty when it has none."""
    values = ItemAdapter(item)
    names = ("keyword", "subject", "level", "board", "source")
    return next((str(values[name]) for name in names if values.get(name)), "")
