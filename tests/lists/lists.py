"""Lists to read, and what is in them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imagecrawl.lists import BadRow, Columns, Row, check_list, read_rows
from imagecrawl.lists.sources import zstd

URL = "https://a.example/{}.jpg"


def written(folder: Path, name: str, body: str | bytes) -> Path:
    """A list of that name, packed if the name says so."""
    path = folder / name
    raw = body.encode() if isinstance(body, str) else body
    pack = {".gz": gzip.compress, ".zst": zstd.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(raw))
    return path


def parquet(folder: Path, columns: dict[str, Any], **options: Any) -> Path:
    path = folder / "list.parquet"
    pq.write_table(pa.table(columns), path, **options)
    return path


def rows_of(path: Path, **columns: Any) -> list[Row | BadRow]:
    return list(read_rows(path, Columns(**columns)))


def read_until_error(path: Path, **columns: Any) -> tuple[list[Row | BadRow], str]:
    """The rows that come before the error, and what it says: ``""`` when there is none, else one line, named first."""
    rows: list[Row | BadRow] = []
    try:
        for row in read_rows(path, Columns(**columns)):
            rows.append(row)  # noqa: PERF402  # `extend` would lose them
    except ValueError as error:
        if type(error) is not ValueError:
            raise
        message = str(error)
    else:
        return rows, ""
    assert message.startswith(str(path)) and len(message.splitlines()) == 1
    return rows, message.removeprefix(str(path))


def brief(rows: Iterable[Row | BadRow]) -> list[tuple[Any, ...]]:
    """Line, first URL, keyword and caption of each row; line and reason of each bad one."""
    return [
        (row.line, row.why) if isinstance(row, BadRow) else (row.line, row.urls[0], row.keyword, row.caption)
        for row in rows
    ]


def told(path: Path, **columns: Any) -> str:
    """What is said of a list that cannot be read, when it is read; one line that names it."""
    _, message = read_until_error(path, **columns)
    assert message
    return message


def told_at_once(path: Path, **columns: Any) -> str:
    """The same, and it is what the check says."""
    message = told(path, **columns)
    with pytest.raises(ValueError) as caught:
        check_list(path, Columns(**columns))
    assert str(caught.value) == f"{path}{message}"
    return message


def json_lines(values: Sequence[Any]) -> str:
    return "".join(f"{json.dumps(value)}\n" for value in values)
