"""What hosts say of how often they may be asked: the headers, in every spelling."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagecrawl.rates import Rate, parse_rate, retry_after

CAPTURES = Path(__file__).parents[2] / "shared" / "sites" / "pages" / "reddit"
NOW = datetime(2026, 4, 13, 20, 49, 46, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "rate"),
    [
        (
            {"X-RateLimit-Used": "3", "x-ratelimit-remaining": "997.0", "x-ratelimit-reset": "15"},
            Rate(used=3, remaining=997, reset=15),
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "30"}, Rate(used=None, remaining=0, reset=30)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1776113416"}, Rate(used=None, remaining=0, reset=30)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1776113300"}, Rate(used=None, remaining=0, reset=0)),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "31536000"}, Rate(used=None, remaining=0, reset=31536000)),
        ({"x-ratelimit-remaining": "5"}, None),
        ({"x-ratelimit-reset": "5"}, None),
        ({"x-ratelimit-remaining": "\u0665", "x-ratelimit-reset": "15"}, None),
        ({"x-ratelimit-remaining": "nan", "x-ratelimit-reset": "15"}, None),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": "-1"}, None),
        ({}, None),
    ],
)
def test_rate(headers: dict[str, str], rate: Rate | None) -> None:
    assert parse_rate(headers, NOW) == rate


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("4", 4),
        (" 1.5 ", 1.5),
        ("Mon, 13 Apr 2026 20:50:46 GMT", 60),
        ("Mon, 13 Apr 2026 20:50:46 -0000", 60),
        ("Mon, 13 Apr 2026 20:40:00 GMT", 0),
        ("Mon, 13 Apr 2026 22:50:46 +0200", 60),
        ("0", 0),
        ("-4", None),
        ("Mon, 99 Apr 2026 22:50:46 GMT", None),
        ("4, 5", None),
        ("soon", None),
        ("inf", None),
        ("", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, NOW) == seconds


def test_no_retry_after() -> None:
    assert retry_after({"x-ratelimit-reset": "4"}, NOW) is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ (Jan|Feb) \d+ \d+:\d+:\d+ ([+-]\d+|GMT)?"))
def test_anything_at_all_is_a_time_to_wait_or_none(value: str) -> None:
    seconds = retry_after({"retry-after": value}, NOW)
    assert seconds is None or seconds >= 0
    rate = parse_rate({"x-ratelimit-remaining": value, "x-ratelimit-reset": value}, NOW)
    assert rate is None or rate.reset >= 0


@pytest.mark.skipif(not CAPTURES.exists(), reason="the captures are not here")
def test_captured_exchanges() -> None:
    (path,) = CAPTURES.glob("http_exchanges*")
    headers = [exchange["response"]["headers"] for exchange in json.loads(path.read_text("utf-8"))]
    rates = [(rate.used, rate.remaining, rate.reset) for rate in (parse_rate(each, NOW) for each in headers) if rate]
    assert (3, 997, 15) in rates and (2, 298, 244) in rates and len(rates) == 7
