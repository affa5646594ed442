"""Parquet, by pyarrow, which is not needed for anything else."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imagecrawl.lists.columns import Columns, find_columns
from imagecrawl.lists.rows import BadRow, Row, make_row
from imagecrawl.lists.sources import UnreadableError

BATCH = 256
"""Rows that are held at once."""

BUFFER = 65_536  # bytes read at a time of each column


@contextmanager
def opened_parquet(path: Path, asked: Columns) -> Iterator[tuple[Columns, Iterator[Row | BadRow]]]:
    """The columns in use and the rows; of the other columns nothing is read. Raises UnreadableError."""
    try:
        pyarrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise UnreadableError("needs pyarrow: pip install 'imagecrawl[parquet]'") from error
    damage = (pyarrow.ArrowException, OSError)
    try:
        file = parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
    except damage as error:
        raise _broken(error) from error
    with file:
        found = find_columns(file.schema_arrow.names, asked)
        names = [name for name in (found.url, found.keyword, found.caption, *found.extra) if name is not None]
        yield found, _rows(_batches(file, list(dict.fromkeys(names)), damage), found)


def _broken(error: Exception) -> UnreadableError:
    why = " ".join(str(getattr(error, "strerror", None) or error).split())
    return UnreadableError(f"it is no parquet file that can be read: {why[:200]}")


def _batches(file: Any, names: list[str], damage: tuple[type[Exception], ...]) -> Iterator[Any]:
    """The batches, none of them from two row groups: damage in one does not reach into the one before it."""
    try:
        for group in range(file.num_row_groups):
            yield from file.iter_batches(BATCH, row_groups=[group], columns=names)
    except damage as error:
        raise _broken(error) from error


def _rows(batches: Iterator[Any], found: Columns) -> Iterator[Row | BadRow]:
    number = 0
    for batch in batches:
        columns = {name: batch.column(batch.schema.get_all_field_indices(name)[0]) for name in batch.schema.names}
        for place in range(batch.num_rows):
            number += 1
            yield _row(number, columns, place, found)


def _row(number: int, columns: dict[str, Any], place: int, found: Columns) -> Row | BadRow:
    assert found.url is not None
    try:
        return make_row(
            number,
            columns[found.url][place].as_py(),
            None if found.keyword is None else columns[found.keyword][place].as_py(),
            None if found.caption is None else columns[found.caption][place].as_py(),
            {name: columns[name][place].as_py() for name in found.extra},
        )
    except UnicodeDecodeError:
        return BadRow(number, "not UTF-8")
    except (ValueError, OverflowError) as error:  # a date that Python has none for
        return BadRow(number, " ".join(str(error).split()))
