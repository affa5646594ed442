"""One row: its addresses, keyword, caption and other values."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import pytest

from imagecrawl.lists.rows import LINE_BYTES, BadRow, Row, make_row
from tests.lists.lists import URL

ONE, TWO = URL.format(1), URL.format(2)


def why(*values: Any) -> str:
    row = make_row(7, *values)
    assert isinstance(row, BadRow) and row.line == 7
    assert row.why.isprintable()
    return row.why


def good(*values: Any) -> Row:
    row = make_row(7, *values)
    assert isinstance(row, Row), row
    return row


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        (f" {ONE} ", (ONE,)),
        ("HTTP://A.example/x y", ("HTTP://A.example/x y",)),
        ("https://a.example/猫.jpg", ("https://a.example/猫.jpg",)),
        ("https://user:word@[::1]:8080/", ("https://user:word@[::1]:8080/",)),
        ("data:image/gif;base64,R0\n\tlG", ("data:image/gif;base64,R0lG",)),
        ([ONE, None, TWO, "", ONE], (ONE, TWO)),
        (["ftp://a.example/1", TWO], (TWO,)),
        (ONE.encode(), (ONE,)),
    ],
)
def test_urls(value: Any, urls: tuple[str, ...]) -> None:
    assert good(value).urls == urls


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no URL in it"),
        ("", "no URL in it"),
        ("  ", "no URL in it"),
        ([], "no URL in it"),
        ([None, ""], "no URL in it"),
        ("cats", "no URL in it, but `cats`"),
        ("//a.example/1.jpg", "no URL in it, but `//a.example/1.jpg`"),
        ("a b: c", "no URL in it, but `a b: c`"),
        (7, "no URL in it, but a number"),
        (True, "no URL in it, but a truth value"),
        ({"url": ONE}, "no URL in it, but an object"),
        ([[ONE]], "no URL in it, but a list"),
        ("ftp://a.example/1.jpg", "`ftp:` is not http:, https: or data:"),
        ("blob:https://a.example/1", "`blob:` is not http:, https: or data:"),
        ("javascript:alert(1)", "`javascript:` is not http:, https: or data:"),
        ("file:///etc/passwd", "`file:` is not http:, https: or data:"),
        ("https://", "`https://` has no host"),
        ("https:/a.example/1", "`https:/a.example/1` has no host"),
        ("https://a b/1", "`https://a b/1` has no host"),
        ("https://user@/1", "`https://user@/1` has no host"),
        ("https://[::1/", "`https://[::1/` is no URL: `Invalid IPv6 URL`"),
        ("https://a.example:port/", "is no URL: `Port could not be cast to integer value as 'port'`"),
        ("https://a.example/\n2", "a control character in the URL"),
        ("data:image/gif;base64,R\x07", "a control character in the URL"),
        ("data:image/gif", "a data: URI without data"),
        ("https://a.example/\0", "a NUL byte"),
        ("https://a.example/\ud83d", "not UTF-8, or half a character"),
        (b"https://a.example/\xff", "not UTF-8"),
        ("data:," + "x" * LINE_BYTES, "a URL longer than 4,194,304 characters"),
    ],
)
def test_what_is_no_url(value: Any, reason: str) -> None:
    assert why(value).endswith(reason)


def test_what_a_message_repeats_is_short_and_does_nothing() -> None:
    assert why("x\x1b[31m" + "y" * 1000) == f"no URL in it, but `x\ufffd[31m{'y' * 54}...`"


@pytest.mark.parametrize(
    ("value", "keyword"),
    [("  red  panda ", "red panda"), (3, "3"), (2.5, "2.5"), (False, "False"), (b"cats", "cats"),
     (None, None), ("", None), (" \t", None), (float("nan"), None)],
)  # fmt: skip
def test_keywords(value: Any, keyword: str | None) -> None:
    assert good(ONE, value).keyword == keyword


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("a\x1b[31mb", "the keyword `a\ufffd[31mb` cannot be used: It has a control character"),
        ("\udcff", "not UTF-8, or half a character"),
        ("a\0", "a NUL byte"),
        (["cats"], "a keyword or caption that is a list"),
        ({}, "a keyword or caption that is an object"),
    ],
)
def test_a_keyword_that_cannot_be_one(value: Any, reason: str) -> None:
    assert why(ONE, value) == reason


@pytest.mark.parametrize(
    ("value", "caption"),
    [(" a cat\n", "a cat"), ("", None), (None, None), (7, "7"), (["a", "ö"], '["a", "ö"]'), (float("nan"), None)],
)
def test_captions(value: Any, caption: str | None) -> None:
    assert good(ONE, None, value).caption == caption


def test_other_values_are_plain_json() -> None:
    extra = {
        "text": "x",
        "number": 1.5,
        "day": datetime.date(2026, 11, 1),
        "price": decimal.Decimal("1.20"),
        "raw": b"1234",
        "deep": [{"at": datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC), "nan": float("nan")}],
    }
    assert good(ONE, None, None, extra).extra == {
        "text": "x",
        "number": 1.5,
        "day": "2026-11-01",
        "price": "1.20",
        "raw": "4 bytes",
        "deep": [{"at": "2026-11-01T00:00:00+00:00", "nan": None}],
    }


def test_other_values_that_a_feed_could_not_hold() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert why(ONE, None, None, {"a": deep}) == "values in values too deep"
    assert why(ONE, None, deep) == "values in values too deep"
    assert why(ONE, None, None, {"a": ["\ud83d"]}) == "not UTF-8, or half a character"
    assert why(ONE, None, None, {"a": "\ud83d"}) == "not UTF-8, or half a character"
