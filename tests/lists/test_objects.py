"""JSON lines, lists of objects, and a feed of ours."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from imagecrawl.items import FileItem, ImageItem
from imagecrawl.lists import BadRow, Columns, Row, check_list
from imagecrawl.lists.objects import SAMPLED
from imagecrawl.lists.rows import LINE_BYTES
from imagecrawl.lists.sources import CHUNK
from imagecrawl.outcomes import Outcome
from tests.lists.lists import URL, brief, json_lines, read_until_error, rows_of, told, told_at_once, written

ONE, TWO, THREE = URL.format(1), URL.format(2), URL.format(3)


PICTURE = ImageItem(
    source="google_images", keyword="red panda", rank=1, id="x", title="A panda", caption="On a tree",
    page_url="https://p.example/", site="p.example", image_urls=[ONE, TWO], thumbnail_url="data:,x",
    rights={"credit": "me"}, images=[{"path": "1.jpg"}], outcome=Outcome.STORED,
)  # fmt: skip
PAPER = FileItem(
    source="papacambridge", board="CAIE", level="IGCSE", subject="Physics", code="0625", session=None, year=2019,
    type="qp", paper=1, variant=1, label=None, folder=["caie"], name="1.pdf", page_url="https://p.example/",
    file_urls=[THREE], outcome=Outcome.FAILED, reason="timeout",
)  # fmt: skip
IMAGE, FILE = asdict(PICTURE), asdict(PAPER)


def feed(folder: Path, form: str, values: list[Any]) -> Path:
    """The values as JSON lines, or as one list."""
    return written(folder, f"a.{form}", json_lines(values) if form == "jsonl" else json.dumps(values, indent=0))


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
def test_a_feed_of_ours_replays(tmp_path: Path, suffix: str) -> None:
    columns = ("source", "keyword", "caption", "page_url", "image_urls", "outcome")
    cells = [",".join(value) if isinstance(value, list) else value for value in map(IMAGE.get, columns)]
    body = {
        ".jsonl": json_lines([IMAGE]),
        ".json": json.dumps([IMAGE], indent=1),
        ".csv": "\n".join([",".join(columns), ",".join(f'"{cell}"' for cell in cells)]),
    }[suffix]
    path = written(tmp_path, f"feed{suffix}", body)
    for asked in ({}, {"extra": ("page_url",)}):
        (row,) = rows_of(path, **asked)
        assert isinstance(row, Row)
        assert (row.urls, row.keyword, row.caption) == ((ONE, TWO), "red panda", "On a tree")
        assert row.extra == ({"page_url": "https://p.example/"} if asked else {})
        assert row.feed_line == (None if asked or suffix == ".csv" else IMAGE)


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_a_feed_of_files_replays(tmp_path: Path, form: str) -> None:
    path = feed(tmp_path, form, [FILE] * (SAMPLED + 2))
    rows = rows_of(path)
    assert [(row.urls, row.keyword, row.caption, row.feed_line) for row in rows if isinstance(row, Row)] == [
        ((THREE,), None, None, FILE)
    ] * (SAMPLED + 2)
    assert check_list(path) == Columns()
    assert "no column with a name known for URLs" in told_at_once(path, extra=("*",))


@pytest.mark.parametrize(
    "asked",
    [{"url": "image_urls"}, {"keyword": "keyword"}, {"caption": "title"}, {"extra": ("*",)}, {"extra": ("title",)}],
    ids=str,
)
def test_a_feed_whose_columns_are_asked_for_is_any_list(tmp_path: Path, asked: dict[str, Any]) -> None:
    (row,) = rows_of(written(tmp_path, "a.jsonl", json_lines([IMAGE])), **asked)
    assert isinstance(row, Row)
    assert (row.urls, row.keyword, row.feed_line) == ((ONE, TWO), "red panda", None)


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_lines_of_feeds_may_stand_among_anything(tmp_path: Path, form: str) -> None:
    others = [{"url": ONE, "label": "cats", "text": "x"}, TWO, {"label": "a"}, {"link": THREE, "alt": "y"}]
    values = [FILE, *others, IMAGE, *[FILE] * SAMPLED, *others]
    rows = rows_of(feed(tmp_path, form, values))
    read = [(ONE, "cats", "x"), (TWO, None, None), ("no URL in it",), (THREE, None, "y")]
    file = (THREE, None, None)
    found = [row[1:] for row in brief(rows)]
    assert found == [file, *read, (ONE, "red panda", "On a tree"), *[file] * SAMPLED, *read]
    lines = [row.feed_line for row in rows if isinstance(row, Row)]
    assert [line for line in lines if line] == [FILE, IMAGE, *[FILE] * SAMPLED]


def test_lines_of_a_feed_are_known_after_other_objects(tmp_path: Path) -> None:
    path = feed(tmp_path, "jsonl", [{"link": ONE}] * SAMPLED + [IMAGE, FILE, {"url": TWO}])
    assert check_list(path) == Columns(url="link")
    rows = rows_of(path)
    assert [row.feed_line for row in rows[SAMPLED:-1] if isinstance(row, Row)] == [IMAGE, FILE]
    assert brief(rows)[-1][1] == "no URL in it: `link` is missing"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"image_urls": []}, "no URL in it"),
        ({"image_urls": ["ftp://a.example/1.jpg"]}, "`ftp:` is not http:, https: or data:"),
        ({"image_urls": [None, "cats", TWO]}, (TWO,)),
        ({"title": "\ud83d"}, "not UTF-8, or half a character"),
        ({"keyword": "a\x1bb"}, "cannot be used"),
        ({"keyword": None}, (ONE, TWO)),
        ({"caption": ["a"]}, (ONE, TWO)),
        ({"rights": {"credit": float("nan")}}, (ONE, TWO)),
    ],
    ids=str,
)
def test_the_addresses_of_a_line_are_checked(tmp_path: Path, change: dict[str, Any], expected: Any) -> None:
    (row,) = rows_of(written(tmp_path, "a.jsonl", json_lines([IMAGE | change])))
    if isinstance(row, BadRow):
        assert expected in row.why
        return
    assert row.urls == expected
    assert row.feed_line == json.loads(json.dumps(IMAGE | change).replace("NaN", "null"))
    assert (row.keyword, row.caption) == (
        None if "keyword" in change else "red panda",
        None if "caption" in change else "On a tree",
    )


@pytest.mark.parametrize("missing", ["source", "outcome", "image_urls"])
def test_what_only_looks_like_a_line_of_a_feed_is_any_object(tmp_path: Path, missing: str) -> None:
    value = {"url": THREE, **IMAGE, "title": "A panda"}
    if missing == "image_urls":
        value[missing] = ONE
    else:
        del value[missing]
    (row,) = rows_of(written(tmp_path, "a.jsonl", json_lines([value])))
    assert isinstance(row, Row)
    assert (row.urls[0], row.caption, row.feed_line) == (ONE, "On a tree", None)


@pytest.mark.parametrize("form", ["lines", "list"])
def test_objects_and_urls_may_be_mixed(tmp_path: Path, form: str) -> None:
    values = [{"url": ONE, "label": 3, "text": "x", "more": [1]}, TWO, {"label": "a"}, 7, None, {"url": THREE}, [ONE]]
    name, body = ("a.jsonl", json_lines(values)) if form == "lines" else ("a.json", json.dumps(values, indent=0))
    rows = rows_of(written(tmp_path, name, body), extra=("*",))
    assert [row[1:] for row in brief(rows)] == [
        (ONE, "3", "x"),
        (TWO, None, None),
        ("no URL in it: `url` is missing",),
        ("no URL in it, but a number",),
        ("no URL in it",),
        (THREE, None, None),
        (ONE, None, None),
    ]
    assert isinstance(rows[0], Row) and rows[0].extra == {"more": [1]}
    assert isinstance(rows[5], Row) and rows[5].extra == {"more": None}


def test_each_bad_line_is_one_bad_row(tmp_path: Path) -> None:
    body = b"\n".join([
        json.dumps({"url": ONE}).encode(),
        b'{"url": "https://a.example/1.jpg"',
        b'{"url": "https://a.example/\xff.jpg"}',
        b'{"url": "https://a.example/\0.jpg"}',
        rb'{"url": "https://a.example/\u0000.jpg"}',
        rb'{"url": "https://a.example/\ud83d.jpg"}',
        b"[" * 100_000,
        b'{"url": ' + b"1" * 5000 + b"}",
        b'{"url": null}',
        b'{"url": "https://a.example/1.jpg"} {}',
        b'{"url": "https://a.example/2.jpg", "label": NaN}',
    ])  # fmt: skip
    assert brief(rows_of(written(tmp_path, "a.jsonl", body))) == [
        (1, ONE, None, None),
        (2, "no JSON: Expecting ',' delimiter"),
        (3, "not UTF-8"),
        (4, "a NUL byte"),
        (5, "a NUL byte"),
        (6, "not UTF-8, or half a character"),
        (7, "no JSON: values in values too deep"),
        (8, "no JSON: a number of too many digits"),
        (9, "no URL in it"),
        (10, "no JSON: Extra data"),
        (11, TWO, None, None),
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["lines", "list"])
def test_the_columns_are_those_of_the_first_hundred_objects(tmp_path: Path, form: str) -> None:
    def path(place: int) -> Path:
        values: list[Any] = [{"link": ONE}] * place + [{"link": "https://p.example/", "image_url": TWO, "alt": "x"}]
        name, body = ("a.jsonl", json_lines(values)) if form == "lines" else ("a.json", json.dumps(values))
        return written(tmp_path, name, body)

    assert check_list(path(SAMPLED - 1)) == Columns(url="image_url", caption="alt")
    assert check_list(path(SAMPLED)) == Columns(url="link")
    assert "There are: `link`" in told_at_once(path(SAMPLED), caption="alt")


def test_the_sample_is_not_larger_than_a_megabyte(tmp_path: Path) -> None:
    values = [{"url": ONE, "x": "x" * 600_000}] * 2 + [{"url": ONE, "late": 1}]
    assert "no column `late`" in told(written(tmp_path, "a.jsonl", json_lines(values)), extra=("late",))


def test_json_lines_named_json_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", f'{{"url": "{ONE}", "q": "cats"}}\r\n\n{{"url": "{TWO}", "q": "dogs"}}\n')
    assert brief(rows_of(path)) == [(1, ONE, "cats", None), (3, TWO, "dogs", None)]


@pytest.mark.parametrize(
    ("body", "count", "message"),
    [
        (f'["{ONE}",\n"{TWO}"', 2, ", line 2: no JSON: `,` or `]` is missing"),
        (f'["{ONE}",\n"{TWO}",\n{{"url": tru}}]', 2, ", line 3: no JSON: Expecting value"),
        (f'["{ONE}",\n]', 1, ", line 2: no JSON: Expecting value"),
        (f'["{ONE}"]\n\n["{TWO}"]', 1, ", line 3: no JSON: there is more after its end"),
        ("[", 0, ", line 1: no JSON: Expecting value"),
        (f'["{ONE}", 12', 2, ", line 1: no JSON: `,` or `]` is missing"),
        (f'["{ONE}", ["{"[" * 100_000}', 1, ", line 1: no JSON: "),
        ("12", 0, ": it is neither a list nor a dictionary: it begins with neither `[` nor `{`"),
    ],
)
def test_a_list_that_is_no_json_gives_what_comes_before(tmp_path: Path, body: str, count: int, message: str) -> None:
    rows, said = read_until_error(written(tmp_path, "a.json", body))
    assert said.startswith(message)
    assert len(rows) == count


def test_a_value_too_long_ends_a_list_and_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json.gz", f'["{ONE}",\n"{"x" * (9 * LINE_BYTES)}"]')
    assert told(path) == ", line 2: no JSON, or a value longer than 4,194,304 characters"


@pytest.mark.parametrize("shift", range(CHUNK - 12, CHUNK + 3))
def test_values_across_chunks_are_whole(tmp_path: Path, shift: int) -> None:
    body = f'["{ONE}",{" " * (shift - len(ONE) - 4)}12345678, "\\u00e9é", "{TWO}"]'
    assert brief(rows_of(written(tmp_path, "a.json", body))) == [
        (1, ONE, None, None),
        (1, "no URL in it, but a number"),
        (1, "no URL in it, but `éé`"),
        (1, TWO, None, None),
    ]


def test_bytes_that_are_not_utf_8_cost_one_row_of_a_list(tmp_path: Path) -> None:
    body = f'["{ONE}",\n"x"\n,"{TWO}"]'.encode().replace(b'"x"', b'"https://a.example/\xff.jpg"')
    assert brief(rows_of(written(tmp_path, "a.json", body)))[1:] == [
        (2, "not UTF-8, or half a character"),
        (3, TWO, None, None),
    ]
