"""Text: one URL a line, ``keyword<TAB>url`` or ``keyword<TAB>url<TAB>caption``."""

from __future__ import annotations

from collections.abc import Iterator

from imagecrawl.lists.columns import Columns, refuse_columns
from imagecrawl.lists.rows import BadRow, Row, make_row
from imagecrawl.lists.sources import Source, read_lines


def read_text(source: Source, asked: Columns) -> tuple[Columns, Iterator[Row | BadRow]]:
    """The rows of a text. Blank lines are skipped, and comments: see :func:`_is_comment`."""
    refuse_columns(asked)
    return Columns(), _rows(source.chunks)


def _rows(chunks: Iterator[bytes]) -> Iterator[Row | BadRow]:
    for line in read_lines(chunks):
        if isinstance(line, BadRow):
            yield line
            continue
        number, text = line
        text = text.rstrip()
        if text and not _is_comment(text.lstrip()):
            yield _row(number, text.split("\t"))


def _is_comment(text: str) -> bool:
    """A line that begins with ``#``; but a keyword may, too: ``#sunset<TAB>url``."""
    return text.startswith("#") and (text[1:2].isspace() or "\t" not in text)


def _row(number: int, cells: list[str]) -> Row | BadRow:
    match cells:
        case [url]:
            return make_row(number, url)
        case [keyword, url]:
            return make_row(number, url, keyword)
        case [keyword, url, caption]:
            return make_row(number, url, keyword, caption)
    return BadRow(number, f"{len(cells)} cells where there may be three: keyword, URL, caption")
