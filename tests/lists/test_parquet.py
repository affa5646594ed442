"""Parquet."""

from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from imagecrawl.lists import Row
from tests.lists.lists import URL, brief, parquet, read_until_error, rows_of, told_at_once

ONE, TWO, THREE = URL.format(1), URL.format(2), URL.format(3)


def test_rows(tmp_path: Path) -> None:
    path = parquet(tmp_path, {
        "URL": [ONE, None, "x", TWO],
        "label": pa.array(["cats", None, "dogs", "cats"]).dictionary_encode(),
        "TEXT": ["a", "b", "c", None],
        "day": pa.array([datetime.date(2026, 11, 1)] * 4),
        "bytes": pa.array([b"123"] * 4),
    }, row_group_size=2)  # fmt: skip
    rows = rows_of(path, extra=("*",))
    assert brief(rows) == [
        (1, ONE, "cats", "a"),
        (2, "no URL in it"),
        (3, "no URL in it, but `x`"),
        (4, TWO, "cats", None),
    ]
    assert isinstance(rows[0], Row) and rows[0].extra == {"day": "2026-11-01", "bytes": "3 bytes"}


def test_lists_of_urls_and_bytes_without_a_type(tmp_path: Path) -> None:
    row = rows_of(parquet(tmp_path, {"image_urls": [[ONE, TWO]]}))[0]
    assert isinstance(row, Row) and row.urls == (ONE, TWO)
    assert brief(rows_of(parquet(tmp_path, {"url": pa.array([ONE.encode(), b"\xff"])}))) == [
        (1, ONE, None, None),
        (2, "not UTF-8"),
    ]


def test_many_rows_in_one_group_keep_their_numbers(tmp_path: Path) -> None:
    rows = rows_of(parquet(tmp_path, {"url": [URL.format(number) for number in range(10_000)], "q": [7] * 10_000}))
    assert [(row.line, row.urls[0], row.keyword) for row in rows if isinstance(row, Row)] == [
        (number + 1, URL.format(number), "7") for number in range(10_000)
    ]


def test_a_bad_value_costs_one_row(tmp_path: Path) -> None:
    invalid = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffx")]
    )
    rows = rows_of(parquet(tmp_path, {"url": [ONE, TWO], "label": invalid}))
    assert brief(rows) == [(1, "not UTF-8"), (2, TWO, "x", None)]
    times = pa.array([1, 2**62], pa.timestamp("us"))
    rows = rows_of(parquet(tmp_path, {"url": [ONE, TWO], "at": times}), extra=("at",))
    assert brief(rows)[0] == (1, ONE, None, None) and len(brief(rows)[1]) == 2


@pytest.mark.parametrize("body", [b"", b"PAR1", b"x" * 1000, b"PAR1" + b"x" * 100 + b"\x10\0\0\0PAR1"])
def test_what_is_no_parquet_is_told(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "list.parquet"
    path.write_bytes(body)
    assert told_at_once(path).startswith(": it is no parquet file that can be read: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert told_at_once(tmp_path / "none.parquet").endswith("No such file or directory")


def test_no_rows_are_an_error(tmp_path: Path) -> None:
    assert told_at_once(parquet(tmp_path, {"url": pa.array([], pa.string())})) == " has no URL in it"


def test_damage_in_the_middle_is_told_after_the_rows_before_it(tmp_path: Path) -> None:
    urls = [URL.format(number) for number in range(4_000)]
    path = parquet(tmp_path, {"url": urls}, row_group_size=1_000, use_dictionary=False, compression="zstd")
    body = bytearray(path.read_bytes())
    body[len(body) // 2 : len(body) // 2 + 500] = b"\xa5" * 500
    path.write_bytes(body)
    rows, message = read_until_error(path)
    assert len(rows) in {1_000, 2_000}
    assert message.startswith(f", after line {len(rows)}: it is no parquet file that can be read: ")
