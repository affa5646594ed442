"""The photos of the replica's Unsplash: which page shows which, and what should become of each.

Tests compare a crawl with :func:`wanted`. The first photos are the traps of :data:`TRAPS`, by name::

    gone        its page and its picture answer 404
    cut         its picture ends halfway, at every width
    untagged    its page has a heading for tags and none below it
    silent      its page says nothing of tags
    paid        its picture is on another host and wants to be paid for: no crawl should ask for it
    small       its original is narrower than any width asked for
    old         its page has the address of before 2023, without words
    twice       the start page shows it twice
    hidden      no page has an element for it: only JSON of the start page and of searches knows it
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from tests.replica.pictures import PictureAddress, Size

HOST = "unsplash.com"
IMAGE_HOST = "images.unsplash.com"
PAID_HOST = "plus.unsplash.com"
SITE = f"https://{HOST}"
LICENCE = f"{SITE}/license"

TRAPS = ("gone", "cut", "untagged", "silent", "paid", "small", "old", "twice", "hidden")
SEARCHES = {
    "blocked": 403,
    "busy": 429,
    "broken": 503,
    "shell": 200,
    "changed": 200,
}
"""Searches that go wrong, and the status of their answers. Any other finds the photos with all of its words."""

FIGURES = 12
"""How many photos the start page and a search show as elements; the JSON of the page knows more."""
MORE = 6
"""How many the JSON knows beyond them."""

_COUNT = 60
_CODE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PLACES = {
    "mountain": ("snow", "rock", "nature", "hiking"),
    "lake": ("water", "calm", "nature"),
    "street": ("city", "night", "people"),
    "forest": ("trees", "green", "nature", "fog"),
    "kitchen": ("food", "home", "café"),
    "desert": ("sand", "travel", "heat & dust"),
}
_VIEWS = ("aerial view of a", "person walking through a", "black and white", "red boat before a", "sunrise over a")
_PHOTOGRAPHERS = (("Ada Núñez", "adanunez"), ("Bo Lind", "bo_lind"), ("Chidi O'Hara", "chidi"), ("Dana", "dana-photo"))
_SIZES: tuple[Size, ...] = ((1400, 930), (930, 1400), (1280, 1280), (1200, 800), (1000, 1250), (900, 600))


@dataclass(frozen=True)
class Photo:
    """One photo. ``related`` are the places, in :func:`photos` or of the paid one, of those its page shows."""

    place: int
    id: str
    code: str
    slug: str
    size: Size
    description: str
    title: str | None
    photographer: str
    username: str
    tags: tuple[str, ...]
    related: tuple[int, ...]
    trap: str = ""

    @property
    def path(self) -> str:
        """The path of its page as the site links to it."""
        return f"/photos/{self.slug}-{self.code}" if self.slug else f"/photos/{self.code}"

    @property
    def page_url(self) -> str:
        """Its page."""
        return f"{SITE}{self.path}"

    @property
    def photographer_url(self) -> str:
        """The page of who made it."""
        return f"{SITE}/@{self.username}"

    @property
    def image_url(self) -> str:
        """The original."""
        if self.trap == "paid":
            return f"https://{PAID_HOST}/premium_photo-{self.id}"
        return f"https://{IMAGE_HOST}/photo-{self.id}"

    @property
    def avatar_url(self) -> str:
        """The portrait of the photographer, on the host of the pictures."""
        number = 1_500_000_000_000 + sum(self.username.encode())
        return f"https://{IMAGE_HOST}/profile-{number}-{number % 0xFFFFFF:012x}"

    @property
    def known_tags(self) -> tuple[str, ...] | None:
        """What its page says of its tags: ``None`` where it says nothing."""
        return None if self.trap == "silent" else self.tags

    @property
    def original(self) -> bytes:
        """The picture as it was uploaded, before anything spoils it."""
        return PictureAddress("jpeg", self.size, self.id).picture()

    def size_at(self, width: int | None) -> Size:
        """The size in which the picture comes when it is asked for at ``width``, or as it is."""
        ratio = min(width or self.size[0], self.size[0]) / self.size[0]
        return round(self.size[0] * ratio), round(self.size[1] * ratio)


@dataclass(frozen=True)
class Wanted:
    """One picture that a crawl should ask for, and what should become of it.

    ``width`` is the one asked for (``None``: the original), ``size`` what comes. ``duplicate`` is what has come before,
    at another width: an original that is narrower than both.
    """

    photo: Photo
    width: int | None
    size: Size
    outcome: str
    reason: str | None


def photos() -> list[Photo]:
    """Every free photo, in the order of their making; the traps come first."""
    return [photo for photo in _PHOTOS if photo.trap != "paid"]


def paid() -> list[Photo]:
    """The photos that no crawl should have."""
    return [photo for photo in _PHOTOS if photo.trap == "paid"]


def trap(name: str) -> Photo:
    """The photo that is the trap of a name."""
    return next(photo for photo in _PHOTOS if photo.trap == name)


def by_code(code: str) -> Photo | None:
    """The photo whose page has a code."""
    return _BY_CODE.get(code)


def by_id(image_id: str) -> Photo | None:
    """The photo whose picture has an id."""
    return _BY_ID.get(image_id)


def start_page() -> list[Photo]:
    """What the start page shows as elements, in order, the one that is there twice included."""
    shown = [photo for photo in photos() if photo.trap != "hidden"]
    return [*shown[:FIGURES], trap("twice"), *paid()]


def start_more() -> list[Photo]:
    """What only the JSON of the start page knows."""
    return [trap("hidden"), *_PHOTOS[1 - MORE :]]


def search(q: str) -> list[Photo]:
    """The free photos a search shows, in order: those with all of its words in their descriptions or tags."""
    words = q.lower().replace("-", " ").split()
    found = [photo for photo in photos() if words and all(word in _words(photo) for word in words)]
    found.sort(key=lambda photo: photo.trap == "hidden")
    return found[: FIGURES + MORE]


def filled() -> list[Photo]:
    """What its script fills the search ``shell`` with."""
    return [_PHOTOS[0], _PHOTOS[len(TRAPS) + 1]]


def filled_later() -> list[Photo]:
    """What the script adds when somebody scrolls."""
    return [*_PHOTOS[len(TRAPS) + 2 : len(TRAPS) + 4]]


def shown(photo: Photo) -> list[Photo]:
    """What the page of a photo shows beside it; the paid one included, one that is gone shows nothing."""
    return [] if photo.trap == "gone" else [_PHOTOS[place] for place in photo.related]


def reachable(start: str | Photo | Iterable[Photo] = "/") -> list[Photo]:
    """The free photos that a crawl finds which follows every free photo's page, in the order of a breadth-first walk.

    ``start`` is the start page ``/``, a search's words, a photo whose page is the first, or what the first page shows.
    """
    if isinstance(start, Photo):
        first: Sequence[Photo] = [start]
    elif isinstance(start, str):
        first = start_page() + start_more() if start == "/" else search(start)
    else:
        first = [*start]
    seen = dict.fromkeys(photo for photo in first if photo.trap != "paid")
    waiting = deque(seen)
    while waiting:
        for photo in shown(waiting.popleft()):
            if photo.trap != "paid" and photo not in seen:
                seen[photo] = None
                waiting.append(photo)
    return list(seen)


def wanted(
    widths: Iterable[int] | None = None, start: str | Photo | Iterable[Photo] = "/", *, follow: bool = True
) -> list[Wanted]:
    """What a crawl from ``start`` should ask for at each of ``widths``, without any the original.

    Without ``follow``, what the first page shows.
    """
    found = reachable(start) if follow else _first(start)
    return [entry for photo in found for entry in _wanted(photo, [*widths] if widths else [None])]


def _first(start: str | Photo | Iterable[Photo]) -> list[Photo]:
    if isinstance(start, Photo):
        start = [start, *shown(start)]
    elif isinstance(start, str):
        start = start_page() + start_more() if start == "/" else search(start)
    return [photo for photo in dict.fromkeys(start) if photo.trap != "paid"]


def _wanted(photo: Photo, widths: Sequence[int | None]) -> Iterator[Wanted]:
    had = set()
    for width in widths:
        size = photo.size_at(width)
        match photo.trap:
            case "gone":
                yield Wanted(photo, width, size, "failed", "http-404")
            case "cut":
                yield Wanted(photo, width, size, "failed", "truncated")
            case _:
                yield Wanted(photo, width, size, "duplicate" if size in had else "stored", None)
        had.add(size)


def _words(photo: Photo) -> str:
    return " ".join((photo.description, *photo.tags)).lower()


def _build() -> Iterator[Photo]:
    """Each photo's page shows the two after it in a tree, which reaches all, and three others."""
    random = Random("unsplash")
    for place in range(_COUNT):
        trap = TRAPS[place - 1] if 1 <= place <= len(TRAPS) else ""
        view, subject = random.choice(_VIEWS), random.choice(list(_PLACES))
        description = f"{view} {subject}"
        tags = (subject, *random.sample(_PLACES[subject], random.randint(2, len(_PLACES[subject]))))
        name, username = random.choice(_PHOTOGRAPHERS)
        code = "".join(random.choices(_CODE, k=11))
        related = [(2 * place + 1) % _COUNT, (2 * place + 2) % _COUNT, (place + 7) % _COUNT, (place - 1) % _COUNT]
        related += [_place("paid"), random.randrange(_COUNT)]
        yield Photo(
            place=place,
            id=f"{1_500_000_000_000 + place * 7_919_000_123}-{random.randrange(16**12):012x}",
            code=f"-{code[1:]}" if place % 9 == 8 else code,
            slug="" if trap == "old" else quote(description.replace(" ", "-")),
            size=(320, 213) if trap == "small" else random.choice(_SIZES),
            description=description,
            title=f"{description.capitalize()}, by {name}" if place % 3 else None,
            photographer=name,
            username=username,
            tags=() if trap == "untagged" else tags,
            related=tuple(other for other in dict.fromkeys(related) if other not in {place, _place("hidden")}),
            trap=trap,
        )


def _place(trap: str) -> int:
    return TRAPS.index(trap) + 1


_PHOTOS = tuple(_build())
_BY_CODE = {photo.code: photo for photo in _PHOTOS}
_BY_ID = {photo.id: photo for photo in _PHOTOS}
