"""JSON: an object or a URL a line, or a list of them. A feed of ours is such a list.

Where no column is asked for, a line of a feed is known by its keys, wherever it stands. In a list that begins with some
of them, any other object is read by its own keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from imagecrawl.lists.columns import ColumnError, Columns, find_columns, refuse_columns
from imagecrawl.lists.dictionaries import read_dictionary
from imagecrawl.lists.json_text import JsonText
from imagecrawl.lists.rows import DECODER, BadRow, Row, json_problem, make_row, shown
from imagecrawl.lists.sources import Source, UnreadableError, read_lines

SAMPLED = 100
SAMPLED_CHARACTERS = 2**20
"""The columns are the keys of this many objects at the beginning, or of those in so many characters if that is less."""

ADDRESSES = ("file_urls", "image_urls")
"""Where a line of a feed of ours has its addresses."""

Element = tuple[int, Any, int] | BadRow
"""The line, the value and its length in characters."""


def read_json(source: Source, asked: Columns) -> tuple[Columns, Iterator[Row | BadRow]]:
    """The columns in use and the rows of a list or a dictionary, or of objects one a line. Raises UnreadableError."""
    if not source.head:
        return Columns(), iter(())
    if source.first == b"{" and not _is_lines(source.head):
        return read_dictionary(source, asked)
    if source.first == b"{":
        return read_json_lines(source, asked)
    if source.first != b"[":
        raise UnreadableError("it is neither a list nor a dictionary: it begins with neither `[` nor `{`")
    return _read_elements(_elements(JsonText(source.chunks)), asked)


def read_json_lines(source: Source, asked: Columns) -> tuple[Columns, Iterator[Row | BadRow]]:
    """The columns in use and the rows of objects one a line. Raises UnreadableError."""
    return _read_elements(_lines(source.chunks), asked)


def _is_lines(head: bytes) -> bool:
    """Whether an object ends with its line and another one begins on the next: many name such a file .json."""
    first, _, rest = head.lstrip().partition(b"\n")
    return first.rstrip().endswith(b"}") and rest.lstrip().startswith(b"{")


def _lines(chunks: Iterator[bytes]) -> Iterator[Element]:
    for line in read_lines(chunks):
        if isinstance(line, BadRow):
            yield line
            continue
        number, text = line
        if not text or text.isspace():
            continue
        try:
            yield number, DECODER.decode(text), len(text)
        except (ValueError, RecursionError) as error:
            yield BadRow(number, json_problem(error))


def _elements(text: JsonText) -> Iterator[Element]:
    yield from text.elements()
    text.end()


def _read_elements(elements: Iterator[Element], asked: Columns) -> tuple[Columns, Iterator[Row | BadRow]]:
    sample: list[Element] = []
    problem: UnreadableError | None = None
    keys: dict[str, None] = {}
    objects = length = 0
    replays, lines = asked == Columns(), 0
    try:
        while objects < SAMPLED and length < SAMPLED_CHARACTERS and (element := next(elements, None)) is not None:
            sample.append(element)
            if not isinstance(element, BadRow):
                length += element[2]
                if isinstance(element[1], dict):
                    objects += 1
                    lines += replays and _addresses(element[1]) is not None
                    keys.update(dict.fromkeys(element[1]))
    except UnreadableError as error:
        problem = error  # after the rows that come before it
    found = Columns()
    if not objects:
        refuse_columns(asked)
    elif not lines:
        found = find_columns(list(keys), asked)
    return found, _rows(chain(sample, _then(problem), elements), found, replays=replays)


def _then(problem: UnreadableError | None) -> Iterator[Element]:
    if problem is not None:
        raise problem
    yield from ()


def _rows(elements: Iterator[Element], found: Columns, *, replays: bool) -> Iterator[Row | BadRow]:
    for element in elements:
        if isinstance(element, BadRow):
            yield element
            continue
        line, value, _ = element
        if not isinstance(value, dict):
            yield make_row(line, value)
        elif not replays:
            yield _row(line, value, found)
        elif (addresses := _addresses(value)) is not None:
            yield _feed_row(line, value, addresses)
        else:
            yield _row(line, value, found if found.url is not None else _own_columns(value))


def _addresses(value: dict[str, Any]) -> str | None:
    """The key of the addresses in a line of a feed of ours; ``None`` for any other object."""
    if not {"source", "outcome"} <= value.keys():
        return None
    return next((name for name in ADDRESSES if isinstance(value.get(name), list)), None)


def _feed_row(line: int, value: dict[str, Any], addresses: str) -> Row | BadRow:
    caption = value.get("caption")
    text = caption if isinstance(caption, str) else None
    return make_row(line, value[addresses], value.get("keyword"), text, feed_line=value)


def _own_columns(value: dict[str, Any]) -> Columns:
    try:
        return find_columns(list(value), Columns())
    except ColumnError:
        return Columns()


def _row(line: int, value: dict[str, Any], found: Columns) -> Row | BadRow:
    if found.url not in value:
        return BadRow(line, "no URL in it" if found.url is None else f"no URL in it: {shown(found.url)} is missing")
    return make_row(
        line,
        value[found.url],
        None if found.keyword is None else value.get(found.keyword),
        None if found.caption is None else value.get(found.caption),
        {name: value.get(name) for name in found.extra},
    )
