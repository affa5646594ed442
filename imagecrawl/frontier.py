"""The pages that a walk through a site still has to read: breadth first, each once, and bounded where a site is not."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

from w3lib.url import canonicalize_url

MAX_SEGMENTS = 24
"""Folders in the path of a page."""
MAX_REPEATS = 3
"""How often one folder may occur in a path: links that are relative by mistake make it longer for ever."""

_NUMBER = re.compile(r"\d+")


class LeftOut(StrEnum):
    """Why a page is not read. The value is used in stats: ``pages/left_out/<value>``."""

    HOST_BUDGET = "host-budget"
    """So many pages of its host are read already, or waiting."""
    PATH_BUDGET = "path-budget"
    """So many pages of its folder, or of its path with other queries; numbers count as one."""
    WINDING = "winding"
    """Its path is endless: too many folders, or one again and again."""
    TOO_LONG = "too-long"
    """Its address is longer than allowed."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page to be read, and how many links it is away from where the walk began."""

    url: str
    depth: int


class Frontier:
    """Give it every link that is wanted, and it hands out each page once, in the order in which the links came.

    ``domains`` are what belongs to the site; the hosts below one count as one host. ``per_host`` and ``per_path`` are
    numbers of pages, ``max_url`` one of characters; 0 is no bound. What is left out is counted in ``left_out``, each
    link as often as it is given.
    """

    def __init__(
        self, starts: Iterable[str], *, domains: Iterable[str], per_host: int, per_path: int, max_url: int
    ) -> None:
        self.domains = list(domains)
        self.left_out: Counter[LeftOut] = Counter()
        self._bounds = {LeftOut.HOST_BUDGET: per_host, LeftOut.PATH_BUDGET: per_path}
        self._max_url = max_url
        self._counts: Counter[tuple[LeftOut, str]] = Counter()
        self._met: set[bytes] = set()
        self._waiting: deque[Place] = deque()
        self._to_come: set[bytes] = set()
        for url in starts:
            page = page_id(url)
            if page not in self._met:
                self._append(Place(url, 0), page, self._keys(url))

    def __len__(self) -> int:
        """How many pages wait."""
        return len(self._waiting)

    def domain_of(self, url: str) -> str | None:
        """The domain of the site that a page belongs to; ``None`` for one outside."""
        host = urlsplit(url).hostname or ""
        return next((domain for domain in self.domains if f".{host}".endswith(f".{domain}")), None)

    def is_new(self, url: str) -> bool:
        """Whether no address of this page was met before; from now on one is."""
        page = page_id(url)
        is_new = page not in self._met
        self._met.add(page)
        return is_new

    def add(self, url: str, depth: int) -> LeftOut | None:
        """One more link; why it will not be followed, if so. One that was met before is no news."""
        page = page_id(url)
        if page in self._met:
            return None
        keys = self._keys(url)
        left_out = self._endless(url) or self._over_budget(keys)
        if left_out:
            self.left_out[left_out] += 1
        else:
            self._append(Place(url, depth), page, keys)
        return left_out

    def next(self) -> Place | None:
        """The next page to read, until it is :meth:`done`; ``None``: none is waiting."""
        return self._waiting.popleft() if self._waiting else None

    def done(self, place: Place) -> None:
        """The page was read, or cannot be."""
        self._to_come.discard(page_id(place.url))

    def is_to_come(self, page: bytes) -> bool:
        """Whether the page with this :func:`page_id` waits, or is being read."""
        return page in self._to_come

    def _append(self, place: Place, page: bytes, keys: list[tuple[LeftOut, str]]) -> None:
        self._met.add(page)
        self._counts.update(keys)
        self._waiting.append(place)
        self._to_come.add(page)

    def _keys(self, url: str) -> list[tuple[LeftOut, str]]:
        """What a page counts for: its host, and its folder or path."""
        host = self.domain_of(url) or urlsplit(url).netloc
        return [(LeftOut.HOST_BUDGET, host), (LeftOut.PATH_BUDGET, host + _shape(url))]

    def _endless(self, url: str) -> LeftOut | None:
        if 0 < self._max_url < len(url):
            return LeftOut.TOO_LONG
        folders = urlsplit(url).path.strip("/").split("/")
        most = max(Counter(folders).values())
        return LeftOut.WINDING if len(folders) > MAX_SEGMENTS or most > MAX_REPEATS else None

    def _over_budget(self, keys: list[tuple[LeftOut, str]]) -> LeftOut | None:
        over = (key[0] for key in keys if 0 < self._bounds[key[0]] <= self._counts[key])
        return next(over, None)


def page_id(url: str) -> bytes:
    """The same for all addresses of a page."""
    return short_hash(canonicalize_url(url))


def short_hash(text: str) -> bytes:
    """16 bytes that stand for a text, of which there may be many."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _shape(url: str) -> str:
    """The folder of a page or, where it has a query, its path and the names in the query; numbers do not count.

    >>> _shape("https://a.example/2026/11/x?page=7"), _shape("https://a.example/2026/11/x")
    ('/0/0/x?page', '/0/0/')
    """
    parts = urlsplit(url)
    names = "&".join(sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}))
    path = f"{parts.path}?{names}" if names else f"{parts.path.rpartition('/')[0]}/"
    return _NUMBER.sub("0", path)
