"""What there is in the red panda archive: 2,000 pages, 5,000 pictures of its albums and the banner of every page.

The start page leads to 20 sections. A section lists its albums on four pages, each of which leads to the next. An album
leads to its section, to the albums beside it and to one of another section, and shows two or three pictures of its own,
in the one of the :data:`WAYS` whose turn it is. A list shows small copies of a picture of its first two albums; these
lead to the album.

Not among the pictures: what stands on every page and is none of the archive's (:data:`FURNITURE`), the small copies
(:func:`previews`), one ``data:`` URI (:data:`INLINE`), and what only a page shows that robots.txt forbids
(:data:`PRIVATE_PAGE`, :data:`PRIVATE_PICTURE`).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache, cached_property

from tests.replica.pictures import FORMATS, PictureAddress, Size
from tests.replica.site_pictures import draw

BARE_HOST = "red-panda-archive.example"
HOST = f"www.{BARE_HOST}"
IMAGE_HOST = f"img.{BARE_HOST}"
SITE = f"https://{HOST}"
NAME = "Red Panda Archive"

PAGES = 2_000
PICTURES = 5_000

LOGO, PIXEL, SPRITE, ICON = "/static/logo.svg", "/static/count.gif", "/static/icons.png", "/favicon.ico"
FURNITURE = tuple(f"{SITE}{path}" for path in (LOGO, PIXEL, SPRITE, ICON))
"""A drawing, a GIF of one pixel, a PNG of 48x48 and an icon: every page has them."""
PRIVATE_PAGE = "/private/keepers.html"
PRIVATE_PICTURE = f"{SITE}/private/keepers.jpg"
PREVIEW_SIZE = (150, 100)
_BANNER_SIZE = (420, 110)


@dataclass(frozen=True)
class Way:
    """How an album shows its pictures: the ``source`` a reader should name, and the texts it has for them."""

    source: str
    texts: frozenset[str]


_ALL = frozenset({"alt", "title", "caption", "heading"})

WAYS = {
    "plain": Way("img", _ALL),
    "srcset": Way("img", _ALL),
    "picture": Way("picture", _ALL),
    "lazy": Way("img", _ALL),
    "link": Way("link", _ALL),
    "text-link": Way("text-link", _ALL - {"alt"}),
    "css": Way("css", _ALL - {"alt"}),
    "open-graph": Way("meta", frozenset({"alt"})),
    "twitter": Way("meta", frozenset({"alt"})),
    "json-ld": Way("json-ld", frozenset({"title", "caption"})),
    "link-rel": Way("link-rel", frozenset()),
    "noscript": Way("noscript", _ALL),
    "base": Way("img", _ALL),
    "inline": Way("img", _ALL),
}
"""By name; albums take them in turn. Beside its pictures an album of the last shows :data:`INLINE`."""

SECTIONS = (
    *("forest", "bamboo", "mountain", "river", "snow", "summer", "autumn", "spring", "night", "morning"),
    *("cubs", "sleep", "climbing", "eating", "portraits", "tails", "paws", "rescue", "travel", "history"),
)
_ALBUMS = 96
"""In each section but the last, which has one less."""
_LISTED = 24
_THREES = 1_162
"""How many albums have three pictures; the others have two."""
_COUNT = len(SECTIONS) * _ALBUMS - 1
_NAMES = ("Momo", "Tashi & Ling", 'the "Baron"', "Żaneta", "little Öz", "Sunny <3", "O'Rin", "小熊")
_MOODS = ("sleepy", "curious", "hungry", "proud", "muddy", "shy", "quick")
_RATIOS = ((3, 2), (4, 3), (1, 1), (4, 5), (3, 2))
_RARE = {7: "png", 18: "webp", 29: "gif", 37: "jpeg-progressive"}


@dataclass(frozen=True)
class Picture:
    """One picture of an album; ``index`` counts albums from 0, ``place`` its pictures from 1."""

    index: int
    place: int
    page_title: str
    page_heading: str

    @property
    def way(self) -> str:
        """The name of the way in which its album shows it."""
        return _way(self.index)

    @property
    def source(self) -> str:
        """Where a reader finds it, by the names of imagecrawl."""
        return WAYS[self.way].source

    @property
    def section(self) -> str:
        """The name of its section."""
        return SECTIONS[self.index // _ALBUMS]

    @property
    def page(self) -> str:
        """The path of its album: the first and only page that shows it in full."""
        return _album_path(self.index)

    @property
    def format(self) -> str:
        """The name of its format."""
        return _RARE.get((3 * self.index + self.place) % 40, "jpeg")

    @property
    def size(self) -> Size:
        """Width and height: at least 160x106."""
        number = 3 * self.index + self.place
        across, down = _RATIOS[number % len(_RATIOS)]
        width = 160 + number * 37 % 261
        return width, width * down // across

    @property
    def is_on_image_host(self) -> bool:
        """Whether it lies on the host for pictures; relative addresses are on the site's own."""
        return (self.index + self.place) % 2 == 0 and self.way != "base"

    @property
    def name(self) -> str:
        """The name of its file."""
        number = self.index % _ALBUMS + 1
        return f"album-{number}-{self.place}.{FORMATS[self.format].extension}"

    @property
    def path(self) -> str:
        """Its path on its host."""
        return f"/{self.section}/{self.name}" if self.is_on_image_host else f"/media/{self.section}/{self.name}"

    @property
    def url(self) -> str:
        """Its best address."""
        return f"https://{IMAGE_HOST if self.is_on_image_host else HOST}{self.path}"

    def height_at(self, width: int) -> int:
        """The height of a copy of that width."""
        return self.size[1] * width // self.size[0]

    def smaller_url(self, width: int, height: int | None = None) -> str:
        """The address of a smaller copy, which says its size in its name."""
        stem, _, ending = self.url.rpartition(".")
        return f"{stem}-{width}x{height or self.height_at(width)}.{ending}"

    def data(self, at: Size | None = None) -> bytes:
        """Its bytes, or those of a smaller copy."""
        return draw(self.format, self.size, f"{self.section}-{self.name}", at)

    @property
    def alt(self) -> str | None:
        """As a reader should find it, as are the other texts."""
        return self._known("alt", self.said_alt)

    @property
    def title(self) -> str | None:
        title = self.said_title or ("Open the picture" if self.way == "text-link" else None)
        return self._known("title", title)

    @property
    def caption(self) -> str | None:
        return self._known("caption", self.said_caption)

    @property
    def heading(self) -> str | None:
        return self._known("heading", self.said_heading)

    @property
    def said_alt(self) -> str:
        """The text that the page has where its way has one, as are the others."""
        return f"A {_MOODS[(self.index + self.place) % 7]} red panda: {self._hero}"

    @property
    def said_title(self) -> str | None:
        return None if self.index % 3 else f"Taken in {1990 + self.index % 30}"

    @property
    def said_caption(self) -> str:
        return f"No. {self.index + 1}.{self.place}: {self._hero} in {self.section}"

    @property
    def said_heading(self) -> str:
        return self.page_heading if self.place == 1 else f"More of {self._hero}"

    @property
    def _hero(self) -> str:
        return _NAMES[(self.index * 3 + self.place) % len(_NAMES)]

    def _known(self, name: str, text: str | None) -> str | None:
        return text if name in WAYS[self.way].texts else None


@dataclass(frozen=True)
class Banner:
    """The picture at the top of every page, which counts once."""

    url: str = f"{SITE}/static/banner.jpg"
    page: str = "/"
    page_title: str = NAME
    source: str = "img"
    alt: str | None = "Three red pandas on a branch"
    title: str | None = None
    caption: str | None = None
    heading: str | None = None
    size: Size = _BANNER_SIZE
    format: str = "jpeg"

    def data(self) -> bytes:
        """Its bytes."""
        return draw(self.format, self.size, "banner")


@dataclass(frozen=True)
class Preview:
    """A small copy of a picture on a list of albums, whose link leads to the album."""

    url: str
    picture: Picture
    page: str


@dataclass(frozen=True)
class ArchivePage:
    """A page: what it says, where it leads, what it shows of its own.

    ``links`` are paths of pages of the archive in the order of the page; some are there more than once.
    """

    path: str
    title: str
    heading: str
    links: tuple[str, ...]
    albums: tuple[int, ...] = ()
    """The albums that it lists."""
    pictures: tuple[Picture, ...] = ()

    @property
    def url(self) -> str:
        """Its address."""
        return f"{SITE}{self.path}"

    @property
    def way(self) -> str | None:
        """The way in which an album shows its pictures."""
        return self.pictures[0].way if self.pictures else None

    @cached_property
    def previews(self) -> tuple[Preview, ...]:
        """The small copies on a list: of the first pictures of its first two albums."""
        shown = (by_path(_album_path(index)) for index in self.albums[:2])
        first = [album.pictures[0] for album in shown if album]
        return tuple(Preview(picture.smaller_url(*PREVIEW_SIZE), picture, self.path) for picture in first)


BANNER = Banner()
_PAW = PictureAddress("png-palette", (24, 24), "inline").picture()
INLINE = f"data:image/png;base64,{base64.b64encode(_PAW).decode()}"
"""A picture of 24x24 within the page."""


def pages(depth: int | None = None) -> list[str]:
    """The paths of the pages, in the order of a breadth-first walk; only those up to ``depth`` links from the start."""
    return [path for path, at in depths().items() if depth is None or at <= depth]


def pictures(depth: int | None = None) -> list[str]:
    """The best addresses of the pictures on these pages in the order in which they are first seen: the banner, too."""
    return [picture.url for picture in shown(depth)]


def shown(depth: int | None = None) -> list[Picture | Banner]:
    """The same, with all that the pages say of them: ``page`` is the first page that shows one."""
    own = (picture for path in pages(depth) for picture in _pages()[path].pictures)
    return [BANNER, *own]


def previews(depth: int | None = None) -> list[Preview]:
    """The small copies on these pages."""
    return [preview for path in pages(depth) for preview in _pages()[path].previews]


@cache
def depths() -> dict[str, int]:
    """How many links lead from the start page to each page, at least; in the order of the walk."""
    found = {"/": 0}
    waiting = ["/"]
    for path in waiting:
        for link in _pages()[path].links:
            if link not in found:
                found[link] = found[path] + 1
                waiting.append(link)
    return found


def by_path(path: str) -> ArchivePage | None:
    """The page with this path, its query included."""
    return _pages().get(path)


def by_url(url: str) -> Picture | None:
    """The picture of an album with this best address."""
    return _pictures().get(url)


def list_path(section: str, number: int = 1) -> str:
    """The path of one of the lists of a section."""
    return f"/{section}/?page={number}&view=list" if number > 1 else f"/{section}/"


@cache
def _pages() -> dict[str, ArchivePage]:
    lists = (_list(section, number) for section in range(len(SECTIONS)) for number in range(1, _ALBUMS // _LISTED + 1))
    every = (_home(), *lists, *(_album(index) for index in range(_COUNT)))
    return {page.path: page for page in every}


@cache
def _pictures() -> dict[str, Picture]:
    return {picture.url: picture for page in _pages().values() for picture in page.pictures}


def _home() -> ArchivePage:
    return ArchivePage("/", NAME, "All sections", ("/", *(list_path(section) for section in SECTIONS)))


def _list(section: int, number: int) -> ArchivePage:
    name = SECTIONS[section]
    first = section * _ALBUMS + (number - 1) * _LISTED
    albums = range(first, min(first + _LISTED, (section + 1) * _ALBUMS, _COUNT))
    beside = [list_path(name, other) for other in (number - 1, number + 1) if 1 <= other <= _ALBUMS // _LISTED]
    links = ["/", list_path(name)]
    for place, path in enumerate(map(_album_path, albums)):
        links += [path, path] if place < 2 else [path]  # the first two have a picture that leads there, too
    heading = f"Albums of {name}, {number}"
    return ArchivePage(list_path(name, number), f"{heading} | {NAME}", heading, (*links, *beside), tuple(albums))


def _album(index: int) -> ArchivePage:
    section, number = divmod(index, _ALBUMS)
    beside = [other for other in (index - 1, index + 1) if other // _ALBUMS == section and other < _COUNT]
    elsewhere = (index + _ALBUMS) % (len(SECTIONS) * _ALBUMS)
    others = [*beside, elsewhere if elsewhere < _COUNT else number]
    links = ("/", list_path(SECTIONS[section]), *(_album_path(other) for other in others))
    heading = f"{_NAMES[index % len(_NAMES)]} and {SECTIONS[section]}, album {number + 1}"
    title = f"{heading} | {NAME}"
    count = 2 + (index + 1) * _THREES // _COUNT - index * _THREES // _COUNT
    own = tuple(Picture(index, place, title, heading) for place in range(1, count + 1))
    return ArchivePage(_album_path(index), title, heading, links, pictures=own)


def _album_path(index: int) -> str:
    return f"/{SECTIONS[index // _ALBUMS]}/album-{index % _ALBUMS + 1}.html"


def _way(index: int) -> str:
    return (*WAYS,)[index % len(WAYS)]
