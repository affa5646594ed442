"""What any page shows: its pictures, each once, with what the page says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from imagecrawl.pages.site_addresses import Identity
from imagecrawl.pages.values import split_url, text_of

MAX_TEXT = 1000
"""Characters of an alt text, a title, a caption or a heading; the rest is cut off."""
MAX_URLS = 16
"""Addresses of one picture: the best ones."""

_PIXELS = re.compile(r"\s*\+?(\d{1,6})(?:\.\d*)?\s*(?:px)?\s*", re.IGNORECASE)
_DRAWINGS = (".svg", ".svgz", ".ico", ".cur")
_SPECK = 4


class Source(StrEnum):
    """How a picture stands on the page: where the best of its addresses was found."""

    IMG = "img"
    """``src``, ``srcset`` or a lazy-loading attribute of an ``img``."""
    PICTURE = "picture"
    """A ``source`` of the ``picture`` around an ``img``."""
    LINK = "link"
    """An ``a`` around a thumbnail that leads to the picture itself."""
    TEXT_LINK = "text-link"
    """An ``a`` without a thumbnail that leads to a picture, as in the listing of a directory."""
    DATA = "data"
    """A ``data-*`` attribute of any other element."""
    CSS = "css"
    """A background in a ``style`` attribute or element, or in ``background``."""
    NOSCRIPT = "noscript"
    """An ``img`` for those who have no scripts, where the page has no other."""
    VIDEO = "video-poster"
    INPUT = "input"
    """``<input type=image>``."""
    OBJECT = "object"
    """``object`` or ``embed`` of an image type."""
    SVG = "svg"
    """An ``image`` inside of a drawing."""
    META = "meta"
    """``og:image``, ``twitter:image`` and their like."""
    JSON_LD = "json-ld"
    LINK_REL = "link-rel"
    """``<link rel=image_src>`` and pictures that the page wants to be loaded early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture of a page. ``None`` means that the page does not say."""

    urls: tuple[str, ...]
    """Where it is, best first: absolute, http(s) or data:, without fragments."""
    identity: Identity
    """That of the best address, to know the picture again on other pages: pictures with the same ``key`` are one, and
    the one with the greater ``size`` is the larger copy. Sizes of different keys are not comparable."""
    source: Source
    alt: str | None
    title: str | None
    """The ``title`` of the picture, else of the link around it; the text of a link without thumbnail."""
    caption: str | None
    """The caption of the nearest figure, else ``data-caption``, else ``aria-label``."""
    heading: str | None
    """The nearest heading before it that is about it: one in a section that has ended is not."""
    position: int
    """Its place among the pictures of the page as a person meets them, from 1. What is only in style sheets and in the
    head of the page comes last."""
    width: int | None
    """As declared for the best address, in pixels: by ``srcset``, else by the element. ``None`` for what a thumbnail
    leads to."""
    height: int | None
    leads_to: str | None = None
    """The page that the link around it leads to, which may show a larger copy; ``None`` where it leads to a picture."""

    @property
    def is_inline(self) -> bool:
        """Whether the page itself holds the picture: a ``data:`` URI."""
        return self.urls[0].startswith("data:")

    @property
    def looks_like_decoration(self) -> bool:
        """True for what no size setting is needed for: pixels and lines of at most 4, and drawings (SVG, icons).

        >>> pixel = Picture(urls=("https://a.example/t?id=1",), identity=Identity("a.example/t?id=1", 0.0),
        ...                 source=Source.IMG, alt=None, title=None, caption=None, heading=None, position=1,
        ...                 width=1, height=1)
        >>> pixel.looks_like_decoration
        True
        """
        is_speck = any(size is not None and size <= _SPECK for size in (self.width, self.height))
        return is_speck or is_drawing(self.urls[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page shows."""

    title: str | None
    base_url: str
    """What its relative addresses were joined with."""
    pictures: list[Picture]
    """In order of their position; empty for a page without pictures."""
    links: list[str]
    """Where its ``a`` and ``area`` elements lead, each once, in their order: absolute, http(s), without fragments.
    Pictures may be among them, the page itself is not. Which of them to follow is for the spider to say."""
    oversized: int = 0
    """How many addresses were left out for their length, see :mod:`imagecrawl.pages.site_addresses`."""
    is_whole: bool = True
    """False when the page was nested so deep that it was read in pieces: of what stands around a picture or beside it,
    some may not be known, and one picture may be found as two."""


@dataclass(slots=True)
class Frame:
    """An element with a caption for the pictures in it."""

    parent: Frame | None
    caption: str | None = None


@dataclass(slots=True, kw_only=True)
class Find:
    """A picture at one place of the page."""

    urls: list[str]
    """Absolute, best first; at least one."""
    source: Source
    alt: str | None = None
    title: str | None = None
    caption: str | None = None
    heading: str | None = None
    frame: Frame | None = field(default=None, repr=False)
    width: int | None = None
    height: int | None = None
    leads_to: str | None = None
    is_lazy: bool = False
    """Whether a script is to put it in place: then a copy for those without scripts stands beside it."""

    @property
    def is_speck(self) -> bool:
        """Whether it is declared too small to be looked at."""
        return any(size is not None and size <= _SPECK for size in (self.width, self.height))


def bounded(value: Any) -> str | None:
    """The text in ``value`` with its white space folded, cut to MAX_TEXT characters."""
    text = text_of(value[: 4 * MAX_TEXT]) if value and isinstance(value, str) else None
    return text[:MAX_TEXT].rstrip() if text else None


def pixels(value: Any) -> int | None:
    """The number of pixels that an attribute or JSON declares.

    >>> pixels("300px"), pixels(12.5), pixels("50%"), pixels({"value": "640"})
    (300, 12, None, 640)
    """
    if value is None:
        return None
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _PIXELS.fullmatch(value if isinstance(value, str) else f"{value:.0f}" if 0 <= value < 1e6 else "")
    return int(found[1]) if found else None


def is_drawing(url: str) -> bool:
    """True for the address of a file that is no photograph and cannot be stored as one."""
    if url.startswith("data:"):
        return url.startswith("data:image/svg")
    parts = split_url(url)
    return parts is not None and parts.path.lower().endswith(_DRAWINGS)
