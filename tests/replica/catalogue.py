"""What Google knows: the results of every query, and what should become of each.

Everything follows from the query and the place in its list. Tests compare a crawl with :func:`results`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from tests.replica.kinds import KINDS
from tests.replica.result import Result, bad, good, same_address, same_bytes, without_address

__all__ = ["ORDINARY_COUNT", "PAGE_SIZE", "SCENARIOS", "Result", "has_page", "page", "results"]

SCENARIOS = {
    "troubles": "one result for every way a picture can go wrong, and three good ones",
    "few": "17 results on one page",
    "one": "a single good result",
    "nothing": "an images page without results",
    "nothing text": "a page that says that nothing matched",
    "thumbless": "ordinary results, but every thumbnail is 404",
    "classless": "ordinary results without class and jsname attributes",
    "korea": "ordinary results under an age notice",
    "recordless": "tiles without records: only thumbnails are known",
    "consent": "the consent page until its choice is made",
    "consent forever": "the consent page, whatever is chosen",
    "consent dialog": "consent as a dialog on www.google.com",
    "captcha": "a CAPTCHA from the start",
    "captcha later": "a good first page, then a CAPTCHA",
    "shell": "the JavaScript shell, for ever",
    "update browser": "a page that asks for a newer browser",
    "forbidden": "403",
    "too many": "429 without a CAPTCHA",
    "forbidden later": "403 behind the JavaScript gate",
    "too many later": "429 behind the JavaScript gate",
    "hanging": "ordinary results and a script that never comes",
    "error": "500",
    "truncated": "a results page whose connection closes halfway",
    "cut": "a results page that ends inside its records",
    "changed": "a page of no known kind",
    "lite": "the lite mobile page (shape L)",
    "basic": "the page for old browsers, thumbnails only (shape B)",
    "imgres": "a page of /imgres links (shape I)",
    "ischj": "the JSON of the app (shape J)",
    "old": "records in AF_initDataCallback (2020 to 2023)",
    "string table": "records in a table of strings (2023)",
    "rg_meta": "records in rg_meta elements (until 2020)",
}
"""The queries that do not give an ordinary page, with what they give."""

ORDINARY_COUNT = 230
PAGE_SIZE = 100

_COUNTS = {
    "few": 17,
    "one": 1,
    "nothing": 0,
    "nothing text": 0,
    "changed": 0,
    "lite": 130,
    "basic": 50,
    "imgres": 30,
    "ischj": 50,
    "old": 100,
    "string table": 100,
    "rg_meta": 100,
}
"""Queries with another number of results, all of them good."""

_WITHOUT_ADDRESSES = {"basic", "recordless"}
"""Queries whose pages give no address but the thumbnail's."""

_BAD_PLACES = dict(
    zip(
        (6, 14, 19, 27, 33, 38, 46, 52, 71, 88, 104, 118, 131, 149, 166, 174, 183),
        (name for name, kind in KINDS.items() if not kind.costly),
        strict=True,
    )
) | {205: "404", 211: "html", 222: "cut-jpeg"}
_SAME_BYTES = {41: 12}
_SAME_ADDRESS = {57: 21}
_TILE_ONLY = 64
_RECORD_ONLY = 199
_REPEATED = 7
"""The place on the first page of the tile that the second page repeats."""


def results(query: str) -> list[Result]:
    """Every result of ``query``, in order, each once."""
    return list(_results(query))


def page(query: str, number: int, size: int = PAGE_SIZE) -> list[Result]:
    """What page ``number`` (from 0) shows. The second page of an ordinary query repeats a result of the first."""
    found = _results(query)
    shown = list(found[number * size : (number + 1) * size])
    if len(found) == ORDINARY_COUNT and number == 1:
        shown.insert(size // 2, found[_REPEATED])
    return shown


def has_page(query: str, number: int, size: int = PAGE_SIZE) -> bool:
    """Whether there is anything on page ``number``."""
    return number * size < len(_results(query))


@lru_cache(maxsize=64)
def _results(query: str) -> tuple[Result, ...]:
    found: Iterable[Result]
    if query == "troubles":
        found = _troubles(query)
    elif query in _COUNTS:
        found = (good(query, index) for index in range(_COUNTS[query]))
    else:
        found = _ordinary(query)
    if query in _WITHOUT_ADDRESSES:
        found = (without_address(result) for result in found)
    return tuple(found)


def _troubles(query: str) -> Iterator[Result]:
    yield good(query, 0)
    for index, kind in enumerate(KINDS, start=1):
        yield bad(query, index, kind)
    yield good(query, len(KINDS) + 1)
    yield good(query, len(KINDS) + 2)


def _ordinary(query: str) -> Iterator[Result]:
    for index in range(ORDINARY_COUNT):
        if index in _BAD_PLACES:
            yield bad(query, index, _BAD_PLACES[index])
        elif index in _SAME_BYTES:
            yield same_bytes(good(query, index), good(query, _SAME_BYTES[index]))
        elif index in _SAME_ADDRESS:
            yield same_address(good(query, index), good(query, _SAME_ADDRESS[index]))
        elif index == _TILE_ONLY:
            yield replace(without_address(good(query, index)), has_record=False)
        else:
            yield replace(good(query, index), has_tile=index != _RECORD_ONLY)
