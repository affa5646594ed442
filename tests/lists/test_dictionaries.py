"""Dictionaries of keywords: JSON, and the literals of older scripts."""

from __future__ import annotations

import json
import pprint
from functools import partial
from pathlib import Path

import pytest

from imagecrawl.lists import dictionaries
from tests.lists.lists import URL, brief, rows_of, told, told_at_once, written

ONE, TWO, THREE = URL.format(1), URL.format(2), URL.format(3)
GIF = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="


@pytest.mark.parametrize("name", ["keyword_urls.txt", "keyword_urls.txt.gz", "keyword_urls.json"])
@pytest.mark.parametrize(
    "write",
    [repr, partial(pprint.pformat, sort_dicts=False), json.dumps, lambda value: f"\n {json.dumps(value, indent=2)}\n"],
)
def test_dictionaries_as_scripts_write_them(tmp_path: Path, name: str, write: object) -> None:
    value = {"cats": [ONE, GIF], "dög's": [TWO], "none": [], "": [THREE]}
    rows = rows_of(written(tmp_path, name, write(value)))  # type: ignore[operator]
    assert [row[1:] for row in brief(rows)] == [
        (ONE, "cats", None),
        (GIF, "cats", None),
        (TWO, "dög's", None),
        (THREE, None, None),
    ]


def test_a_literal_that_looks_like_json_at_first(tmp_path: Path) -> None:
    urls = [f"https://a.example/it's{number}.jpg" for number in range(3)]
    value = {"cat's": urls, "dogs": [ONE]}
    assert repr(value).startswith('{"cat\'s": ["')
    rows = brief(rows_of(written(tmp_path, "a.txt", repr(value))))
    assert [row[1:3] for row in rows] == [*((url, "cat's") for url in urls), (ONE, "dogs")]


def test_the_lines_are_those_of_the_urls(tmp_path: Path) -> None:
    for body in (f"\n{{'a':\n['{ONE}',\n 'x', '{TWO}']}}", f'\n{{"a":\n["{ONE}",\n "x", "{TWO}"]}}'):
        rows = brief(rows_of(written(tmp_path, "a.txt", body)))
        assert [row[0] for row in rows] == [3, 4, 4]


def test_a_backslash_that_means_nothing_is_no_matter(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", r"{'a\d': ['https://a.example/1\.jpg']}")
    assert [row[1:3] for row in brief(rows_of(path))] == [(r"https://a.example/1\.jpg", r"a\d")]


def test_a_keyword_that_comes_twice_loses_nothing(tmp_path: Path) -> None:
    for quote in "'\"":
        body = f"{{'a': ['{ONE}'], 'a': ['{TWO}']}}".replace("'", quote)
        assert [row[1:3] for row in brief(rows_of(written(tmp_path, "a.txt", body)))] == [(ONE, "a"), (TWO, "a")]


def test_nothing_in_a_literal_is_executed(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    call = f"open({str(proof)!r}, 'w').write('x')"
    path = written(
        tmp_path, "a.txt", f"{{'a': [{call}, '{ONE}', 'x' * 9, f'{{open(1)}}'], {call}: ['{TWO}'], 'b': {call}}}"
    )
    assert [row[1:] for row in brief(rows_of(path))] == [
        ("no literal, and nothing else is read",),
        (ONE, "a", None),
        ("no literal, and nothing else is read",),
        ("no literal, and nothing else is read",),
        ("its keyword is no literal",),
        ("what `b` has is no list of URLs",),
    ]
    assert not proof.exists()


@pytest.mark.parametrize("quote", ["'", '"'])
def test_each_bad_value_is_one_bad_row(tmp_path: Path, quote: str) -> None:
    body = f"{{'a': 'x', 'b': ['ftp://a.example/', 7, '{ONE}', [], ['{TWO}', '{THREE}']], 'c\\u0007': ['{ONE}']}}"
    assert [row[1:] for row in brief(rows_of(written(tmp_path, "a.txt", body.replace("'", quote))))] == [
        ("what `a` has is no list of URLs",),
        ("`ftp:` is not http:, https: or data:",),
        ("no URL in it, but a number",),
        (ONE, "b", None),
        ("no URL in it",),
        (TWO, "b", None),
        ("the keyword `c\ufffd` cannot be used: It has a control character",),
    ]


@pytest.mark.parametrize("quote", [b"'", b'"'])
def test_bytes_that_are_not_utf_8_cost_one_row(tmp_path: Path, quote: bytes) -> None:
    body = f"{{'é': ['{ONE}', 'https://a.example/?.jpg', '{TWO}']}}".encode().replace(b"?", b"\xff")
    assert [row[1] for row in brief(rows_of(written(tmp_path, "a.txt", body.replace(b"'", quote))))] == [
        ONE,
        "not UTF-8, or half a character",
        TWO,
    ]


def test_a_nul_byte_costs_one_row_of_a_literal(tmp_path: Path) -> None:
    body = f"{{'a': ['{ONE}', 'https://a.example/\0001.jpg']}}"
    assert [row[1] for row in brief(rows_of(written(tmp_path, "a.txt", body)))] == [ONE, "a NUL byte"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{'a': ['b'", "nor a Python literal ('[' was never closed)"),
        ("{'a'}", "nor a Python literal (that is no dictionary)"),
        ("{'a': ['b']}; import os", "nor a Python literal (invalid syntax)"),
        ("{'a': " + "-" * 100_000 + "1}", "nor a Python literal (nested too deeply)"),
        ("{'a': " + "[" * 100_000, "nor a Python literal (too many nested parentheses)"),
        ("{" * 100_000, "nor a Python literal (too many nested parentheses)"),
        ("{'a': lambda: " + "lambda: " * 100_000, "nor a Python literal (nested too deeply)"),
    ],
)
def test_what_is_no_dictionary_is_told(tmp_path: Path, body: str, message: str) -> None:
    said = told_at_once(written(tmp_path, "a.txt", body))
    assert said.startswith(", line 1: neither JSON (no JSON: ") and said.endswith(message)


def test_a_literal_has_a_bound_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dictionaries, "LITERAL_BYTES", 50)
    body = repr({"cats": [ONE, TWO, THREE]})
    assert told_at_once(written(tmp_path, "a.txt.gz", body)).endswith("one may have 50 bytes, this has more)")
    assert len(rows_of(written(tmp_path, "a.txt.gz", body.replace("'", '"')))) == 3  # JSON has none


def test_json_that_breaks_gives_what_comes_before(tmp_path: Path) -> None:
    message = told(written(tmp_path, "a.json", f'{{"a": ["{ONE}",\n"{TWO}"'))
    assert message.startswith(", line 2: neither JSON (no JSON: `,` or `]` is missing) nor a Python literal")
