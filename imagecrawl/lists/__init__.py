"""Lists of picture URLs, read row by row in flat memory, whatever their size. No engine, no network.

By the name of the file, each of them also packed, but for parquet (``.csv.gz``, ``.jsonl.zst``):

===================  ===============================================================================================
``.txt``             one URL a line, ``keyword<TAB>url`` or ``keyword<TAB>url<TAB>caption``; ``#`` begins a comment
``.csv .tsv``        a table with a header, or without one when its first cell is a URL
``.jsonl .ndjson``   an object or a URL a line; a feed of ours, whose lines come whole unless a column is asked for
``.json``            a list of objects or URLs, or a dictionary ``{keyword: [url, ...]}``
``.txt .json``       whose first character is ``{``: such a dictionary, as JSON or as a Python literal
``.parquet``         with pyarrow
===================  ===============================================================================================

Text is UTF-8, with or without BOM, or UTF-16 with one. Where tables and objects have their values is found by
:func:`imagecrawl.lists.columns.find_columns`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imagecrawl.lists.columns import CAPTION_NAMES, KEYWORD_NAMES, URL_NAMES, ColumnError, Columns
from imagecrawl.lists.dictionaries import read_dictionary
from imagecrawl.lists.objects import read_json, read_json_lines
from imagecrawl.lists.parquet import opened_parquet
from imagecrawl.lists.rows import BadRow, Row
from imagecrawl.lists.sources import PACKED, Source, UnreadableError, opened
from imagecrawl.lists.tables import read_table
from imagecrawl.lists.texts import read_text

__all__ = [
    "CAPTION_NAMES",
    "FORMATS",
    "KEYWORD_NAMES",
    "SENSIBLE",
    "URL_NAMES",
    "BadRow",
    "Columns",
    "Row",
    "check_list",
    "list_name",
    "read_rows",
]

FORMATS = (".txt", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
"""How the name of a list ends."""

SENSIBLE = Columns()
"""No column is named: they are found by their names."""


def read_rows(path: Path, columns: Columns = SENSIBLE) -> Iterator[Row | BadRow]:
    """The rows of the list at ``path``, in its order, and a :class:`BadRow` for each line that is none.

    Raises ValueError, one line that names the file, for what makes all of it or the rest of it unreadable: an unknown
    format, a column that is missing, a packed stream that breaks off (the rows before it come first), no permission,
    no text in UTF-8 or UTF-16, no pyarrow, not one row.
    """
    line = 0
    try:
        with _opened(path, columns) as (_, rows):
            for row in rows:
                line = row.line
                yield row
    except (UnreadableError, ColumnError) as error:
        raise ValueError(f"{_place(path, error, line)}: {error}") from error
    if not line:
        raise ValueError(f"{path} has no URL in it")


def check_list(path: Path, columns: Columns = SENSIBLE) -> Columns:
    """The columns that :func:`read_rows` would use, all ``None`` in a list that has none, such as a feed of ours.

    Reads as far as the first row, and raises ValueError as :func:`read_rows` does, for what can be known by then.
    """
    try:
        with _opened(path, columns) as (found, rows):
            if next(rows, None) is None:
                raise ValueError(f"{path} has no URL in it")
            return found
    except (UnreadableError, ColumnError) as error:
        raise ValueError(f"{_place(path, error, 0)}: {error}") from error


def list_name(path: Path) -> str:
    """The name of a list without what tells its format: the keyword of rows that have none.

    >>> list_name(Path("data/red pandas.csv.gz")), list_name(Path("v1.2.TXT"))
    ('red pandas', 'v1.2')
    """
    name = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return name.stem


@contextmanager
def _opened(path: Path, asked: Columns) -> Iterator[tuple[Columns, Iterator[Row | BadRow]]]:
    suffix = _format(path)
    if suffix == ".parquet":
        with opened_parquet(path, asked) as found:
            yield found
    else:
        with opened(path) as source:
            yield _read(source, suffix, asked)


def _format(path: Path) -> str:
    packed = path.suffix.lower() in PACKED
    suffix = (path.with_suffix("") if packed else path).suffix.lower()
    if suffix not in FORMATS:
        raise UnreadableError(
            f"its name ends in none of {' '.join(FORMATS)}, nor in one of them and {' '.join(PACKED)}"
        )
    if packed and suffix == ".parquet":
        raise UnreadableError("a parquet file is packed inside: unpack it first")
    return suffix


def _read(source: Source, suffix: str, asked: Columns) -> tuple[Columns, Iterator[Row | BadRow]]:
    if suffix in {".csv", ".tsv"}:
        return read_table(source, asked)
    if suffix in {".jsonl", ".ndjson"}:
        return read_json_lines(source, asked)
    if suffix == ".json":
        return read_json(source, asked)
    return read_dictionary(source, asked) if source.first == b"{" else read_text(source, asked)


def _place(path: Path, error: ValueError, line: int) -> str:
    if isinstance(error, UnreadableError) and error.line is not None:
        return f"{path}, line {error.line}"
    return f"{path}, after line {line}" if line else str(path)
