"""Whatever is in a file: nothing but rows, bad rows and ValueErrors come of it, and what is written comes back."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from imagecrawl.lists import BadRow, Columns, Row, check_list, read_rows
from tests.lists.lists import URL, json_lines, parquet, read_until_error, told_at_once, written

LINE_NAMES = ("a.txt", "a.csv", "a.tsv", "a.jsonl", "a.ndjson")
NAMES = (*LINE_NAMES, "a.json", "a.parquet")
PACKED = ("", ".gz", ".zst")

PIECES = [
    b"https://a.example/1.jpg", b"data:image/gif;base64,AA", b"ftp://x", b"http://", b"url", b"keyword", b"cats",
    b'"', b"'", b",", b";", b"\t", b"\n", b"\r\n", b"\r", b"{", b"}", b"[", b"]", b":",
    b'{"url": "https://a.example/"}', b"{'cats': ['https://a.example/1.jpg']}",
    b'"https://a.example/1.jpg"', b"#", b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf",
    b"\xff\xfe", b"\\", b"\\ud83d", b"null", b"NaN", b"1e999", b" ", "é".encode(), "🐱".encode(), b"url,label\n",
]  # fmt: skip
ANY = st.binary(max_size=200) | st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=40).map(b"".join)


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("name", NAMES)
def test_any_bytes_make_rows_or_a_value_error(name: str, packed: str) -> None:
    @settings(max_examples=150 if not packed else 30)
    @given(body=ANY, extra=st.sampled_from([(), ("*",)]))
    @example(body=b'url\n"', extra=())
    @example(body=b"\xff\xfe", extra=())
    @example(body=b"[", extra=())
    def check(body: bytes, extra: tuple[str, ...]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = written(Path(folder), name + packed, body)
            rows, message = _read(path, extra=extra)
        assert rows or message
        lines = [row.line for row in rows]
        assert all(line >= 1 for line in lines)
        if name in LINE_NAMES and not (name == "a.txt" and b"{" in body):
            assert lines == sorted(set(lines))  # at most one row a line
            assert not rows or lines[-1] <= body.count(b"\n") + 1
        for row in rows:
            json.dumps(row.extra if isinstance(row, Row) else row.why, ensure_ascii=False).encode()

    check()


def _read(path: Path, **columns: Any) -> tuple[list[Row | BadRow], str]:
    rows, message = read_until_error(path, **columns)
    if rows:
        check_list(path, Columns(**columns))
    else:
        assert told_at_once(path, **columns) == message
    assert all(len(row.why.splitlines()) == 1 for row in rows if isinstance(row, BadRow))
    return rows, message


@settings(max_examples=100)
@given(cuts=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=4)), min_size=1, max_size=5))
@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.zst"])
def test_damaged_packed_files_make_rows_or_a_value_error(name: str, cuts: list[tuple[int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), name, "".join(f'"{URL.format(number * 7919)}"\n' for number in range(200)))
        body = bytearray(path.read_bytes())
        for place, change in cuts:
            body[place % len(body) : place % len(body) + len(change)] = change
        path.write_bytes(body)
        _read(path)


text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
urls = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), max_size=20).map(
    lambda name: f"https://a.example/{name}"
) | st.sampled_from(["data:image/gif;base64,AA", "data:,x"])
keywords = text.map(lambda word: " ".join(word.split())).filter(bool)
captions = text.map(str.strip).filter(bool)
records = st.lists(st.tuples(urls, st.none() | keywords, st.none() | captions), min_size=1, max_size=20)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(records=records, packed=st.sampled_from(PACKED))
def test_rows_come_back_from_every_format(records: list[tuple[str, str | None, str | None]], packed: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        objects = [{"url": url, "label": keyword, "caption": caption} for url, keyword, caption in records]
        bodies = {
            "a.csv": _csv(records, ","),
            "b.csv": _csv(records, ";"),
            "c.tsv": _csv(records, "\t"),
            "d.jsonl": json_lines(objects),
            "e.json": json.dumps(objects, indent=1, ensure_ascii=False),
        }
        paths = [written(folder, f"{name}{packed}", body) for name, body in bodies.items()]
        columns = {name: pa.array([one[name] for one in objects], pa.string()) for name in ("url", "label", "caption")}
        for path in (*paths, parquet(folder, columns)):
            assert _values(path) == records, path
        lines = [f"{keyword or ''}\t{url}\t{caption or ''}" for url, keyword, caption in records]
        if not any(line.startswith("#") for line in lines) and not lines[0].startswith("{"):
            assert _values(written(folder, f"f.txt{packed}", "\n".join(lines))) == records


@settings(max_examples=100)
@given(value=st.dictionaries(keywords, st.lists(urls, max_size=5), max_size=5), packed=st.sampled_from(PACKED))
def test_dictionaries_come_back(value: dict[str, list[str]], packed: str) -> None:
    expected = [(url, keyword, None) for keyword, found in value.items() for url in found]
    with tempfile.TemporaryDirectory() as folder:
        for name, body in (
            ("a.json", json.dumps(value)),
            ("a.txt", repr(value)),
            ("b.json", json.dumps(value, indent=2)),
        ):
            path = written(Path(folder), f"{name}{packed}", body)
            if expected:
                assert _values(path) == expected
            else:
                with pytest.raises(ValueError, match="has no URL in it"):
                    list(read_rows(path))


def _csv(records: list[tuple[str, str | None, str | None]], delimiter: str) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([("url", "label", "caption"), *records])
    return file.getvalue()


def _values(path: Path) -> list[tuple[str, str | None, str | None]]:
    rows = list(read_rows(path))
    assert not [row for row in rows if isinstance(row, BadRow)]
    return [(row.urls[0], row.keyword, row.caption) for row in rows if isinstance(row, Row)]
