"""How long a host that refuses is left alone, and when it is given up."""

from __future__ import annotations

import random

import pytest

from imagecrawl import backoff
from imagecrawl.backoff import Refusals


def test_each_further_refusal_in_a_row_is_waited_for_twice_as_long() -> None:
    refusals = Refusals(start=1.5, most=0, rolled=lambda: 0.5)
    assert [refusals.add("a.example", 503) for _ in range(4)] == [1.5, 3, 6, 12]
    assert refusals.add("b.example", 503) == 1.5
    refusals.end("a.example")
    assert refusals.add("a.example", 429) == 1.5


def test_the_wait_is_random_within_half_of_it() -> None:
    low, high = (Refusals(start=10, most=0, rolled=lambda end=end: end) for end in (0.0, 1.0))
    assert (low.add("a.example", 503), high.add("a.example", 503)) == (5, 15)
    refusals = Refusals(start=10, most=0, rolled=random.Random(1).random)
    found = [refusals.add(f"{number}.example", 503) for number in range(100)]
    assert 5 <= min(found) < 6 and 14 < max(found) <= 15


def test_after_so_many_in_a_row_a_host_is_given_up_for_good() -> None:
    refusals = Refusals(start=1, most=3)
    refusals.add("a.example", 503)
    refusals.add("a.example", 503)
    assert refusals.given_up("a.example") is None
    refusals.add("a.example", 429)
    refusals.end("a.example")
    assert refusals.given_up("a.example") == "refused 3 times in a row (429)"
    assert refusals.given_up("b.example") is None


def test_without_a_bound_no_host_is_given_up_and_the_wait_stays_a_number() -> None:
    refusals = Refusals(start=1, most=0)
    waits = [refusals.add("a.example", 503) for _ in range(2000)]
    assert 0 < max(waits) < 1e10
    assert refusals.given_up("a.example") is None


def test_many_hosts_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "REMEMBERED", 10)
    refusals = Refusals(start=1, most=1)
    for number in range(30):
        refusals.add(f"{number}.example", 503)
    assert [number for number in range(30) if refusals.given_up(f"{number}.example")] == [*range(20, 30)]
