"""What the attributes of one element say of pictures: those that browsers read, and those that scripts read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache

from imagecrawl.pages.site_addresses import (
    Addresses,
    data_size,
    ends_like_picture,
    is_stand_in,
    leads_elsewhere,
)
from imagecrawl.pages.site_css import read_css
from imagecrawl.pages.site_values import MAX_URLS, Find, Source, bounded, pixels
from imagecrawl.pages.srcset import Candidate, parse_srcset, reach_of

Attributes = Mapping[str, str]

_SCRIPTED = {
    "ng-src",
    "v-lazy",
    "lazy-src",
    "lazysrc",
    "lazy-srcset",
    "real-src",
    "load-src",
    "original",
    "zoomfile",
    "file",
}
"""Attributes of an ``img`` that scripts read though their names do not start with ``data-``."""

_NO_ADDRESS = re.compile(r"title|caption|name|desc|label|credit|permalink|[-_](?:alt|link|page|href)\Z")
_APART = re.compile(r"hover|rollover|swap|flip|second|alt-src|logo|avatar|icon")
_SMALL = re.compile(r"thumb|small|medium|mini|tiny|preview|placeholder|lqip|blur|low|mobile|poster")
_FULL = re.compile(r"orig|full|raw|zoom|hi-?res|high|master|download")
_LARGE = re.compile(r"large|big|[-_]xl|retina|2x|[-_]hd|max|lightbox|popup|enlarge|pswp")
_LAZY = re.compile(r"src|lazy|echo|url|image|img|pic|photo|bg|background|file")
_ANY_ENDING = re.compile(
    r"data-(?:[a-z]+[-_])*?(?:src|srcset|lazy|lazyload|original|echo|zoom-image|large[-_]image|full|large|src-retina)"
    r"|(?:ng|lazy|load|real)-src|lazysrc|v-lazy|original"
)
_BACKGROUND = re.compile(
    r"data-(?:[a-z]+[-_])*?(?:bg|background|background-image|background-src|bg-src|bg-image|bgset)"
)
_ADDRESS = re.compile(r"""[^\s"'<>{}|]+""")
_STYLED = re.compile(r"(?:\A|;)\s*(width|height)\s*:\s*(\d{1,6})(?:\.\d+)?px", re.IGNORECASE)
_NO_TYPES = {"image/jxl", "image/svg+xml", "image/jp2", "image/jpx", "image/jxr", "image/vnd.ms-photo", "image/heic"}


class Rank(IntEnum):
    """Which addresses of one element come first."""

    FULL = 0
    """Called the original or the full size."""
    LARGE = 1
    SHOWN = 2
    """What the page shows, or will show when its scripts have run: by size where a ``srcset`` declares it."""
    UNKNOWN = 3
    SMALL = 4
    """Called a thumbnail."""
    APART = 5
    """Another picture, which is shown in place of this one."""


@lru_cache(maxsize=4096)
def rank_of(name: str) -> Rank | None:
    """What an attribute that scripts read is for, by its name; ``None`` for those that hold no address of a picture.

    >>> [str(rank_of(name)) for name in ("data-zoom-image", "data-src", "data-thumb", "data-title")]
    ['0', '2', '4', 'None']
    """
    name = name[:100]
    if not (name.startswith("data-") or name in _SCRIPTED) or _NO_ADDRESS.search(name):
        return None
    kinds = (_APART, _SMALL, _FULL, _LARGE, _LAZY)
    ranks = (Rank.APART, Rank.SMALL, Rank.FULL, Rank.LARGE, Rank.SHOWN)
    rest = name.removeprefix("data-")
    return next((rank for kind, rank in zip(kinds, ranks, strict=True) if kind.search(rest)), Rank.UNKNOWN)


@dataclass(frozen=True, slots=True)
class _Option:
    """An address that an element offers, resolved, with what decides on its place."""

    url: str
    rank: Rank
    width: int = 0
    reach: int = 0
    density: float = 1.0
    tier: int = 0
    """Among equals: 0 ``srcset``, 1 lazy loading, 2 ``src``."""
    source: Source | None = None

    @property
    def order(self) -> tuple[float, ...]:
        return (self.rank, -self.width, -self.reach, -self.density, self.tier)


@dataclass(slots=True)
class Sources:
    """The ``source`` elements of a ``picture``."""

    readable: list[_Option] = field(default_factory=list)
    unreadable: list[_Option] = field(default_factory=list)
    """Of types that cannot be stored: they count where there is no other."""
    is_used: bool = False

    def add(self, attributes: Attributes, addresses: Addresses) -> None:
        kind = (attributes.get("type") or "").partition(";")[0].strip().lower()
        chosen = self.unreadable if kind in _NO_TYPES else self.readable
        reach = reach_of(attributes.get("media"))
        for name, value in attributes.items():
            if name == "srcset" or (name.startswith("data-") and name.endswith("srcset")):
                chosen += _options(parse_srcset(value), addresses, reach=reach, source=Source.PICTURE)
            elif name in {"src", "data-src"}:
                chosen += _options([Candidate(value)], addresses, reach=reach, source=Source.PICTURE)


def read_img(attributes: Attributes, addresses: Addresses, sources: Sources | None = None) -> Iterator[Find]:
    """The picture of an ``img``, if it shows one, and those that scripts put in its place.

    Best first: what is called the original, what is called large; then what is shown, from all candidates of its
    ``srcset`` and of the ``source`` elements before it in its ``picture``: the widest, the one for the widest screens,
    the densest; then what is called a thumbnail. ``sizes`` says nothing of the file. A placeholder (a GIF of one pixel,
    ``spacer.gif``, a tiny drawing) is none; one that may be (``loading.gif``, a tiny data: URI) only if there is no
    other.
    """
    scripted = [*_scripted(attributes, addresses, is_img=True)]
    shown = [*sources.readable] if sources else []
    if srcset := attributes.get("srcset"):
        shown += _options(parse_srcset(srcset), addresses)
    if url := addresses.absolute(attributes.get("src")):
        shown.append(_Option(url, Rank.SHOWN, tier=2))
    own = [option for option in (*shown, *scripted) if option.rank < Rank.APART]
    options = _meant(own) or _meant(sources.unreadable if sources else [])
    first = options[0].url if options else None
    is_lazy = any(option.rank <= Rank.SHOWN for option in scripted) or not _meant(shown)
    if first:
        find = make_find([option.url for option in options], options[0].source or Source.IMG, attributes)
        find.is_lazy = is_lazy
        _set_size(find, options[0], attributes)
        yield find
    yield from _apart(scripted, attributes)


def read_data(attributes: Attributes, addresses: Addresses, *, is_link: bool = False) -> Iterator[Find]:
    """The picture that the ``data-*`` attributes of another element hold: one, whatever number of sizes it is in.

    What is called a thumbnail counts only beside another. Those of a link tell where it leads, but for a background.
    """
    if is_link:
        attributes = {name: value for name, value in attributes.items() if _BACKGROUND.fullmatch(name[:100])}
    scripted = [*_scripted(attributes, addresses, is_img=False)]
    options = _meant(option for option in scripted if option.rank < Rank.APART)
    if options and options[0].rank < Rank.SMALL:
        find = make_find([option.url for option in options], Source.DATA, attributes)
        find.is_lazy = True
        yield find
    yield from _apart(scripted, attributes)


def read_style(declarations: str, attributes: Attributes, addresses: Addresses) -> Iterator[Find]:
    """The pictures that a ``style`` attribute shows."""
    for candidates in read_css(declarations):
        urls = [addresses.absolute(candidate.address) for candidate in candidates]
        known = [url for url in urls if url]
        if known:
            yield make_find(known, Source.CSS, attributes)


def read_single(address: str | None, source: Source, attributes: Attributes, addresses: Addresses) -> Iterator[Find]:
    """The picture of an element that has one address for it."""
    url = addresses.absolute(address)
    if url:
        find = make_find([url], source, attributes)
        _set_size(find, None, attributes)
        yield find


def make_find(urls: Iterable[str], source: Source, attributes: Attributes) -> Find:
    """A picture with the texts of its element."""
    return Find(
        urls=[*dict.fromkeys(urls)][:MAX_URLS],
        source=source,
        alt=bounded(attributes.get("alt")),
        title=bounded(attributes.get("title")),
        caption=bounded(attributes.get("data-caption")) or bounded(attributes.get("aria-label")),
    )


def link_targets(attributes: Attributes, addresses: Addresses) -> list[str]:
    """The pictures that an ``a`` leads to, best first: by ``href``, then by what the scripts of a viewer read."""
    href = attributes.get("href") or ""
    url = addresses.absolute(href) if ends_like_picture(href.strip()) or href[:5].lower() == "data:" else None
    others = {name: value for name, value in attributes.items() if not _BACKGROUND.fullmatch(name[:100])}
    scripted = (option for option in _scripted(others, addresses, is_img=False) if option.rank < Rank.SMALL)
    return [*dict.fromkeys([*([url] if url else []), *(option.url for option in _meant(scripted))])]


def _scripted(attributes: Attributes, addresses: Addresses, *, is_img: bool) -> Iterator[_Option]:
    for name, value in attributes.items():
        rank = rank_of(name) if value and (name.startswith("data-") or (is_img and name in _SCRIPTED)) else None
        if rank is None or not ("/" in value or "." in value):
            continue
        is_background = _BACKGROUND.fullmatch(name[:100]) is not None
        if name.endswith(("srcset", "bgset")):
            yield from _options(parse_srcset(value), addresses, rank=rank, tier=1)
        elif is_background and "url(" in value:
            for candidates in read_css(f"background:{value}"):
                yield from _options(candidates, addresses, rank=rank, tier=1)
        elif _is_address(
            value.strip(), is_loose=is_background or (is_img and _ANY_ENDING.fullmatch(name[:100]) is not None)
        ):
            yield from _options([Candidate(value)], addresses, rank=rank, tier=1)


def _is_address(value: str, *, is_loose: bool) -> bool:
    """Whether a value is the address of a picture: loose, anything with a slash; else by the ending of its path."""
    if value[:11].lower() == "data:image/":
        return True
    if ends_like_picture(value):
        return is_loose or ("/" in value and _ADDRESS.fullmatch(value) is not None)
    return is_loose and "/" in value and _ADDRESS.fullmatch(value) is not None and not leads_elsewhere(value)


def _options(
    candidates: Iterable[Candidate],
    addresses: Addresses,
    *,
    rank: Rank = Rank.SHOWN,
    reach: int = 0,
    tier: int = 0,
    source: Source | None = None,
) -> Iterator[_Option]:
    for candidate in candidates:
        url = addresses.absolute(candidate.address)
        if url:
            yield _Option(url, rank, candidate.width, reach, candidate.density, tier, source)


def _meant(options: Iterable[_Option]) -> list[_Option]:
    """The addresses of one picture, best first, without those that only hold its place."""
    ordered = [*options]
    if len(ordered) < 2:
        return ordered
    ordered.sort(key=lambda option: option.order)
    return [option for option in ordered if not is_stand_in(option.url)] or ordered


def _apart(options: Iterable[_Option], attributes: Attributes) -> Iterator[Find]:
    for option in options:
        if option.rank is Rank.APART:
            yield make_find([option.url], Source.DATA, attributes)


def _set_size(find: Find, option: _Option | None, attributes: Attributes) -> None:
    """Sets the declared size: the ``w`` of the best candidate, the size of a data: URI, else that of the element."""
    if option and option.width:
        find.width = option.width
    elif option and option.rank < Rank.SHOWN:
        return
    elif size := data_size(find.urls[0]) if find.urls[0].startswith("data:") else None:
        find.width, find.height = size
    else:
        style = attributes.get("style")
        styled = {name.lower(): int(number) for name, number in _STYLED.findall(style[:1_000])} if style else {}
        find.width = pixels(attributes.get("width")) or styled.get("width")
        find.height = pixels(attributes.get("height")) or styled.get("height")
