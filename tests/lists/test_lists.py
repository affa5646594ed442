"""What all lists have in common: how they are named, packed and encoded, and what is wrong with a file."""

from __future__ import annotations

import gzip
import json
import os
import sys
import tracemalloc
import zlib
from pathlib import Path

import pytest

from imagecrawl.lists import FORMATS, Columns, Row, check_list, read_rows
from imagecrawl.lists.rows import LINE_BYTES
from imagecrawl.lists.sources import CHUNK, zstd
from tests.lists.lists import URL, brief, parquet, read_until_error, rows_of, told, told_at_once, written

ONE, TWO = URL.format(1), URL.format(2)
BODIES = {
    ".txt": f"cats\t{ONE}\ndögs\t{TWO}\n",
    ".csv": f"url,keyword\n{ONE},cats\n{TWO},dögs\n",
    ".tsv": f"url\tkeyword\n{ONE}\tcats\n{TWO}\tdögs\n",
    ".jsonl": f'{{"url": "{ONE}", "keyword": "cats"}}\n{{"url": "{TWO}", "keyword": "dögs"}}\n',
    ".ndjson": f'{{"url": "{ONE}", "keyword": "cats"}}\n{{"url": "{TWO}", "keyword": "dögs"}}\n',
    ".json": f'{{"cats": ["{ONE}"], "dögs": ["{TWO}"]}}',
}


@pytest.mark.parametrize("packed", ["", ".gz", ".zst", ".GZ"])
@pytest.mark.parametrize("suffix", BODIES)
def test_every_format_is_read_packed_and_unpacked(tmp_path: Path, suffix: str, packed: str) -> None:
    path = written(tmp_path, f"my.list{suffix}{packed.lower()}", BODIES[suffix])
    path = path.rename(tmp_path / f"my.list{suffix}{packed}")
    rows = rows_of(path)
    assert [(row.urls, row.keyword) for row in rows if isinstance(row, Row)] == [((ONE,), "cats"), ((TWO,), "dögs")]
    check_list(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("suffix", BODIES)
def test_boms_and_windows_line_ends_are_no_matter(tmp_path: Path, suffix: str, encoding: str) -> None:
    bom = "\ufeff" if encoding.endswith("e") else ""
    plain = rows_of(written(tmp_path, f"plain{suffix}", BODIES[suffix]))
    path = written(tmp_path, f"other{suffix}.gz", (bom + BODIES[suffix].replace("\n", "\r\n")).encode(encoding))
    assert rows_of(path) == plain


def test_all_formats_are_told_where_there_is_none(tmp_path: Path) -> None:
    for name in ("list.xlsx", "list", "list.gz", "list.txt.bz2", ".txt"):
        message = told_at_once(written(tmp_path, name, ONE))
        assert all(suffix in message for suffix in FORMATS)
    assert "unpack it first" in told_at_once(written(tmp_path, "list.parquet.gz", ONE))


@pytest.mark.parametrize("body", ["", "\n\n", "\ufeff", " \n \n"])
@pytest.mark.parametrize("suffix", [*BODIES, ".txt.gz", ".txt.zst"])
def test_a_list_without_one_row_is_an_error(tmp_path: Path, suffix: str, body: str) -> None:
    message = told_at_once(written(tmp_path, f"list{suffix}", body))
    assert message == " has no URL in it" or "neither a list nor a dictionary" in message


@pytest.mark.parametrize(
    ("name", "body"),
    [("a.txt", "# nothing\n"), ("a.csv", "url,label\n"), ("a.json", "[]"), ("a.json", "{}"), ("a.json", '{"a": []}'),
     ("a.txt", "{'cats': []}")],
)  # fmt: skip
def test_a_list_of_nothing_is_an_error(tmp_path: Path, name: str, body: str) -> None:
    assert told_at_once(written(tmp_path, name, body)) == " has no URL in it"


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    assert told_at_once(tmp_path / "none.txt") == ": cannot be read: No such file or directory"
    (tmp_path / "folder.csv").mkdir()
    assert told_at_once(tmp_path / "folder.csv") == ": cannot be read: Is a directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "list.txt", ONE)
    path.chmod(0)
    assert told_at_once(path) == ": cannot be read: Permission denied"


def test_no_permission_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert told_at_once(tmp_path / "list.jsonl") == ": cannot be read: Permission denied"


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".jsonl", ".json"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0", "it is no text in UTF-8"),
        (bytes(range(256)) * 300, "it is no text in UTF-8"),
        ("Приветствия и поздравления".encode("cp1251"), "it is no text in UTF-8"),
        (ONE.encode("utf-16-le"), "UTF-16 needs a BOM"),
        (gzip.compress(ONE.encode(), mtime=0), "gzip: let its name end in .gz"),
        (zstd.compress(ONE.encode()), "zstd: let its name end in .zst"),
        (b"PK\3\4 and more", "a zip file or a spreadsheet"),
        (b"PAR1 and more", "let its name end in .parquet"),
        (ONE.encode("utf-32"), "UTF-32"),
    ],
    ids=["png", "bytes", "cp1251", "utf-16", "gzip", "zstd", "zip", "parquet", "utf-32"],
)
def test_what_is_no_text_is_told(tmp_path: Path, suffix: str, body: bytes, message: str) -> None:
    assert message in told_at_once(written(tmp_path, f"list{suffix}", body))


@pytest.mark.parametrize(("suffix", "kind"), [(".gz", "gzip"), (".zst", "zstd")])
def test_a_packed_file_that_is_none_is_told(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"list.txt{suffix}"
    path.write_text(f"{ONE}\n")
    assert told_at_once(path).startswith(f": it is no {kind} file: ")


@pytest.mark.parametrize("name", ["list.txt.gz", "list.txt.zst", "list.csv.gz", "list.jsonl.zst", "list.json.gz"])
def test_a_stream_that_breaks_off_gives_what_comes_before(tmp_path: Path, name: str) -> None:
    urls = [URL.format(f"{number}-{zlib.crc32(str(number).encode())}") for number in range(20_000)]
    if ".json." in name:
        body = json.dumps(urls, indent=0)
    elif ".jsonl" in name:
        body = "".join(f'"{url}"\n' for url in urls)
    else:
        body = "\n".join(urls)
    path = written(tmp_path, name, body)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    rows, message = read_until_error(path)
    assert len(rows) > 6_000
    assert [row.urls[0] for row in rows if isinstance(row, Row)] == urls[: len(rows)]  # and no URL is cut
    kind = "gzip" if name.endswith("gz") else "zstd"
    assert message == f", after line {rows[-1].line}: the {kind} stream breaks off"
    check_list(path)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_small_stream_that_breaks_off_gives_what_comes_before(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"list.txt{suffix}"
    lines = "".join(f"{URL.format(number)}\n" for number in range(10)).encode()
    if suffix == ".gz":
        packer = zlib.compressobj(wbits=31)
        path.write_bytes(packer.compress(lines) + packer.flush(zlib.Z_SYNC_FLUSH))
    else:
        zpacker = zstd.ZstdCompressor()
        path.write_bytes(zpacker.compress(lines, zpacker.FLUSH_BLOCK))
    rows, message = read_until_error(path)
    assert len(rows) == 10 and "after line 10: the" in message


@pytest.mark.slow
def test_a_stream_damaged_in_the_middle_is_told(tmp_path: Path) -> None:
    body = "".join(f"{URL.format(zlib.crc32(str(number).encode()))}\n" for number in range(50_000))
    for name in ("list.txt.gz", "list.txt.zst"):
        path = written(tmp_path, name, body)
        raw = bytearray(path.read_bytes())
        for place in range(len(raw) // 2, len(raw) // 2 + 200):
            raw[place] ^= 0x5A
        path.write_bytes(raw)
        assert "stream" in told(path) and "after line " in told(path)


def test_rest_after_a_gzip_stream_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "list.txt.gz", f"{ONE}\n")
    path.write_bytes(path.read_bytes() + b"and more")
    assert "after line 1: the gzip stream is broken" in told(path)


def test_packed_files_may_have_many_parts(tmp_path: Path) -> None:
    for name, pack in (("list.txt.gz", gzip.compress), ("list.txt.zst", zstd.compress)):
        path = tmp_path / name
        path.write_bytes(b"".join(pack(f"{URL.format(number)}\n".encode()) for number in range(50)))
        assert len(rows_of(path)) == 50


def test_a_disk_that_fails_in_the_middle_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def __init__(self) -> None:
            self.asked = 0

        def __enter__(self) -> Failing:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def read1(self, _: int) -> bytes:
            self.asked += 1
            if self.asked > 3:
                raise OSError(5, "Input/output error")
            return f"{ONE}\n".encode() * 3000

    monkeypatch.setattr(Path, "open", lambda *_: Failing())
    assert told(tmp_path / "list.txt") == ", after line 9000: cannot be read: Input/output error"


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv", ".json"])
def test_memory_is_flat(tmp_path: Path, suffix: str) -> None:
    def grown(count: int) -> int:
        body = {
            ".txt": "".join(f"cats\t{URL.format(number)}\n" for number in range(count)),
            ".csv": "url,label\n" + "".join(f"{URL.format(number)},cats\n" for number in range(count)),
            ".jsonl": "".join(f'{{"url": "{URL.format(number)}"}}\n' for number in range(count)),
            ".json": json.dumps({"cats": [URL.format(number) for number in range(count)]}),
        }[suffix]
        path = written(tmp_path, f"list{suffix}", body)
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_rows(path)) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert grown(20_000) < grown(2_000) + 4 * CHUNK


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".jsonl"])
def test_a_line_too_long_is_passed_over_without_being_held(tmp_path: Path, suffix: str) -> None:
    head = "url\n" if suffix == ".csv" else ""
    url = f'"{ONE}"' if suffix == ".jsonl" else ONE
    path = written(tmp_path, f"list{suffix}.gz", f"{head}{url}\n{'x' * (8 * LINE_BYTES)}\n{url}\n")
    tracemalloc.start()
    rows = rows_of(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    first = 2 if head else 1
    assert brief(rows)[1] == (first + 1, "longer than 4,194,304 bytes")
    assert [row.line for row in rows] == [first, first + 1, first + 2]
    assert peak < 3 * LINE_BYTES


@pytest.mark.parametrize("end", ["", "x", "\n"])
def test_the_last_line_may_be_too_long_as_well(tmp_path: Path, end: str) -> None:
    path = written(tmp_path, "list.txt", f"{ONE}\n".ljust(LINE_BYTES + CHUNK, "x") + end)  # a whole number of chunks
    assert brief(rows_of(path))[1:] == [(2, "longer than 4,194,304 bytes")]


def test_a_picture_of_3_mb_in_a_line_is_read(tmp_path: Path) -> None:
    url = f"data:image/png;base64,{'A' * (LINE_BYTES - 100)}"
    for name, body in (
        ("a.txt", f"cats\t{url}\n"),
        ("a.csv", f'label,url\ncats,"{url}"\n'),
        ("a.jsonl", f'{{"url": "{url}", "label": "cats"}}'),
        ("a.json", f'{{"cats": ["{url}"]}}'),
        ("b.txt", f"{{'cats': ['{url}']}}"),
    ):
        assert [(row.urls, row.keyword) for row in rows_of(written(tmp_path, name, body)) if isinstance(row, Row)] == [
            ((url,), "cats")
        ]


def test_the_check_reads_no_further_than_it_must(tmp_path: Path) -> None:
    body = f"cats\t{ONE}\n".encode() * 1_000_000
    path = written(tmp_path, "list.txt.gz", body)
    tracemalloc.start()
    check_list(path)
    assert tracemalloc.get_traced_memory()[1] < 20 * CHUNK
    tracemalloc.stop()


def test_a_list_left_in_the_middle_is_closed(tmp_path: Path) -> None:
    for name, body in BODIES.items():
        rows = read_rows(written(tmp_path, f"list{name}", body))
        next(rows)
        del rows  # a file left open would be a warning, and so an error
    rows = read_rows(parquet(tmp_path, {"url": [ONE, TWO]}))
    next(rows)
    del rows


def test_parquet_is_asked_for_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path, {"url": [ONE]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert told_at_once(path) == ": needs pyarrow: pip install 'imagecrawl[parquet]'"


def test_the_check_says_which_columns_are_used(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", f"Image URL;page;Label;TITLE;year\n{ONE};x;cats;a cat;1999\n")
    assert check_list(path) == Columns(url="Image URL", keyword="Label", caption="TITLE")
    assert check_list(path, Columns(extra=("*",))).extra == ("page", "year")
    assert check_list(written(tmp_path, "a.txt", ONE)) == Columns()
