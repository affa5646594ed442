"""Which column is what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imagecrawl.lists import Columns
from imagecrawl.lists.columns import CAPTION_NAMES, KEYWORD_NAMES, URL_NAMES, ColumnError, find_columns
from tests.lists.lists import URL, brief, json_lines, parquet, rows_of, told_at_once, written

ONE = URL.format(1)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("url", ("url", None, None)),
        ("URL TEXT", ("URL", None, "TEXT")),
        ("url image_url", ("image_url", None, None)),
        ("page_url link src", ("src", None, None)),
        ("Image-URL Class_Name Alt-Text", ("Image-URL", "Class_Name", "Alt-Text")),
        ("contentUrl title description caption", ("contentUrl", None, "caption")),
        ("image label q query", ("image", "label", None)),
        ("source keyword rank title page_url image_urls thumbnail_url", ("image_urls", "keyword", "title")),
    ],
)
def test_sensible_names_are_found(names: str, found: tuple[str | None, ...]) -> None:
    columns = find_columns(names.split(), Columns())
    assert (columns.url, columns.keyword, columns.caption) == found


@pytest.mark.parametrize(
    ("field", "order"), [("url", URL_NAMES), ("keyword", KEYWORD_NAMES), ("caption", CAPTION_NAMES)]
)
def test_the_first_of_the_order_wins(field: str, order: tuple[str, ...]) -> None:
    for number in range(len(order)):
        names = ["url", *reversed(order[number:])] if field != "url" else list(reversed(order[number:]))
        assert getattr(find_columns(names, Columns()), field) == order[number]


def test_a_named_column_may_be_in_other_capitals() -> None:
    assert find_columns(["Photo", "photo"], Columns(url="photo")).url == "photo"
    assert find_columns(["Photo", "PHOTO"], Columns(url="photo")).url == "Photo"


def test_a_named_column_is_nothing_else() -> None:
    columns = find_columns(["url", "title", "text"], Columns(keyword="text", extra=("*",)))
    assert columns == Columns(url="url", keyword="text", caption="title")


def test_other_columns() -> None:
    names = ["a", "url", "b", "label", ""]
    assert find_columns(names, Columns(extra=("*",))).extra == ("a", "b")
    assert find_columns(names, Columns(extra=("B", "label", "b"))).extra == ("b", "label")
    assert find_columns(names, Columns(extra=("label", "*"))).extra == ("label", "a", "b")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"url": "adress"}, "no column `adress` (url_column). Did you mean `address`? There are: `address`, `lable`"),
        (
            {"keyword": "label"},
            "no column `label` (keyword_column). Did you mean `lable`? There are: `address`, `lable`",
        ),
        ({"caption": "x"}, "no column `x` (caption_column). There are: `address`, `lable`"),
        ({"extra": ("x",)}, "no column `x` (extra_columns). There are: `address`, `lable`"),
        ({}, "no column with a name known for URLs; name it with url_column. There are: `address`, `lable`"),
    ],
)
def test_a_missing_column_is_told_with_those_there_are(tmp_path: Path, asked: dict[str, Any], message: str) -> None:
    value = {"address": ONE, "lable": "cats"}
    for path in (
        written(tmp_path, "a.csv", f"address,lable\n{ONE},cats\n"),
        written(tmp_path, "a.jsonl", json_lines([value])),
        written(tmp_path, "a.json", f"[{json_lines([value])}]"),
        parquet(tmp_path, {name: [cell] for name, cell in value.items()}),
    ):
        assert told_at_once(path, **asked) == f": {message}"


def test_many_columns_with_long_names_make_one_short_line() -> None:
    with pytest.raises(ColumnError) as caught:
        find_columns([f"{'n' * 200}\n{number}" for number in range(1000)], Columns(url="u"))
    assert len(str(caught.value)) < 3000
    assert str(caught.value).endswith(" and 970 more")


@pytest.mark.parametrize("name", ["a.txt", "a.json", "b.txt", "b.json", "c.jsonl"])
def test_lists_without_columns_have_none_to_name(tmp_path: Path, name: str) -> None:
    bodies = {"a.txt": ONE, "a.json": f'["{ONE}"]', "c.jsonl": f'"{ONE}"'}
    path = written(tmp_path, name, bodies.get(name, f'{{"cats": ["{ONE}"]}}'))
    message = ": there are no columns in this kind of list, and keyword_column names `x`"
    assert told_at_once(path, keyword="x") == message
    assert "extra_columns" in told_at_once(path, extra=("x",))
    assert len(brief(rows_of(path, extra=("*",)))) == 1
