"""The pages of a walk: each once, in the order in which their links came, and no more than the bounds allow."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagecrawl.frontier import MAX_REPEATS, MAX_SEGMENTS, Frontier, LeftOut, Place, page_id

START = "https://a.example/"


def frontier(*starts: str, **bounds: int) -> Frontier:
    bounds = {"per_host": 0, "per_path": 0, "max_url": 0, **bounds}
    return Frontier(starts or [START], domains=["a.example"], **bounds)


def page(path: object, host: str = "a.example") -> str:
    return f"https://{host}/{path}"


def walked(walk: Frontier) -> list[Place]:
    """All pages that wait, in their order."""
    found = []
    while place := walk.next():
        found.append(place)
        walk.done(place)
    return found


def added(walk: Frontier, urls: Iterable[str]) -> list[LeftOut | None]:
    return [walk.add(url, 1) for url in urls]


def test_pages_come_in_the_order_of_their_links_after_the_starts() -> None:
    walk = frontier(START, page("b"))
    assert added(walk, [page("d"), page("c")]) == [None, None]
    assert walk.add(page("e"), 2) is None
    assert len(walk) == 5
    assert walked(walk) == [
        Place(START, 0), Place(page("b"), 0), Place(page("d"), 1), Place(page("c"), 1), Place(page("e"), 2)
    ]  # fmt: skip
    assert (len(walk), walk.next()) == (0, None)


@pytest.mark.parametrize(
    "other",
    ["https://a.example/x?a=1&b=2", "https://a.example/x?b=2&a=1", "https://A.EXAMPLE/x?a=1&b=2",
     "https://a.example/x?a=1&b=2#part"],
)  # fmt: skip
def test_a_page_is_handed_out_once_whatever_its_address_is_like(other: str) -> None:
    first = "https://a.example/x?a=1&b=2"
    walk = frontier()
    assert added(walk, [first, other]) == [None, None]
    assert [place.url for place in walked(walk)] == [START, first]
    assert walk.add(other, 2) is None
    assert walk.next() is None
    assert len(walked(frontier(first, other))) == 1
    assert not walk.left_out


@pytest.mark.parametrize(
    ("one", "other"),
    [("https://a.example/x", "https://a.example/y"), ("https://a.example/x", "https://b.example/x"),
     ("https://a.example/x", "http://a.example/x"), ("https://a.example/x?a=1", "https://a.example/x?a=2")],
)  # fmt: skip
def test_two_pages_are_two(one: str, other: str) -> None:
    assert [place.url for place in walked(frontier(one, other))] == [one, other]


def test_what_was_met_elsewhere_is_no_news() -> None:
    walk = frontier()
    assert walk.is_new(page("redirected"))
    assert not walk.is_new(page("redirected#part"))
    assert not walk.is_new(START)
    assert walk.add(page("redirected"), 1) is None
    assert len(walk) == 1


def test_a_page_is_to_come_until_it_was_read() -> None:
    walk = frontier()
    walk.add(page("x"), 1)
    assert walk.is_to_come(page_id(START)) and walk.is_to_come(page_id(page("x#part")))
    assert not walk.is_to_come(page_id(page("y")))
    first = walk.next()
    assert first and walk.is_to_come(page_id(START))
    walk.done(first)
    assert not walk.is_to_come(page_id(START)) and walk.is_to_come(page_id(page("x")))


def test_a_host_has_so_many_pages_and_the_others_have_theirs() -> None:
    walk = frontier(per_host=3)
    urls = [page(f"{name}/x") for name in "bcdefg"]
    told = added(walk, urls)
    assert told[-1] is LeftOut.HOST_BUDGET
    assert len(walk) == 3
    assert walk.add(page("x", "b.example"), 1) is None
    assert walk.left_out == {LeftOut.HOST_BUDGET: told.count(LeftOut.HOST_BUDGET)}


def test_the_hosts_of_a_domain_have_them_together() -> None:
    walk = frontier(per_host=3)
    told = added(walk, [page("x", f"{name}.a.example") for name in "bcdef"])
    assert told == [None, None, *[LeftOut.HOST_BUDGET] * 3]
    assert walk.domain_of("https://b.a.example:8443/x") == "a.example"
    assert walk.domain_of("https://ba.example/x") is None


def test_pages_that_were_read_count_as_those_that_wait() -> None:
    walk = frontier(per_host=2)
    added(walk, [page("b/x"), page("c/x"), page("d/x")])
    walked(walk)
    assert walk.add(page("e/x"), 1) is LeftOut.HOST_BUDGET


def test_a_link_that_is_left_out_is_counted_as_often_as_it_is_given() -> None:
    walk = frontier(per_path=1)
    assert added(walk, [page("d/x"), page("d/y"), page("d/y"), page("d/x")]) == [
        None, LeftOut.PATH_BUDGET, LeftOut.PATH_BUDGET, None
    ]  # fmt: skip
    assert walk.left_out == {LeftOut.PATH_BUDGET: 2}
    assert not walk.is_to_come(page_id(page("d/y")))
    assert walk.is_new(page("d/y"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("d/x", "d/y"),
        ("2026/11/x", "2031/2/y"),
        ("d7/x", "d70/y"),
        ("list?page=1", "list?page=2"),
        ("list?page=1&sort=new", "list?sort=old&page=2"),
        ("list7?page=", "list8?page=2"),
    ],
)
def test_a_folder_or_a_path_with_a_query_has_so_many_pages(one: str, other: str) -> None:
    assert added(frontier(per_path=1), [page(one), page(other)]) == [None, LeftOut.PATH_BUDGET]


@pytest.mark.parametrize(
    ("one", "other"),
    [("d/x", "e/x"), ("d/x", "d/e/x"), ("d/x", "d/x?page=1"), ("d/x?page=1", "d/y?page=1"), ("d?page=1", "d?tag=1")],
)
def test_other_folders_and_queries_have_their_own_bound(one: str, other: str) -> None:
    assert added(frontier(per_path=1), [page(one), page(other)]) == [None, None]


def test_a_calendar_ends_and_the_rest_of_the_site_goes_on() -> None:
    walk = frontier(per_path=5)
    days = [page(f"{year}/{month}/") for year in range(2000, 2010) for month in range(1, 13)]
    told = added(walk, days)
    assert told == [None] * 5 + [LeftOut.PATH_BUDGET] * 115
    assert added(walk, [page("about/x"), page("about/y")]) == [None, None]


def test_no_bound_is_no_bound() -> None:
    walk = frontier()
    assert set(added(walk, [page(f"d/{number}?page={number}") for number in range(500)])) == {None}
    assert walk.add(page("x" * 10_000), 1) is None
    assert len(walk) == 502


def test_a_path_that_winds_is_left_out() -> None:
    walk = frontier()
    deep = "/".join(f"d{number}" for number in range(MAX_SEGMENTS))
    same = "/".join(["same", "other"] * MAX_REPEATS)
    assert added(walk, [page(deep), page(f"{same}/")]) == [None, None]
    assert (
        added(walk, [page(f"{deep}/more"), page(f"{same}/same"), page(f"{same}/x/other?page=1")])
        == [LeftOut.WINDING] * 3
    )
    assert walk.left_out == {LeftOut.WINDING: 3}


def test_an_address_that_is_too_long_is_left_out() -> None:
    walk = frontier(max_url=40)
    assert walk.add(page("x").ljust(40, "x"), 1) is None
    assert walk.add(page("x").ljust(41, "x"), 1) is LeftOut.TOO_LONG


def test_starts_are_read_whatever_the_bounds() -> None:
    starts = [page(f"same/same/same/same/{letter * 50}") for letter in "abc"]
    walk = frontier(*starts, per_host=1, per_path=1, max_url=40)
    assert [place.url for place in walked(walk)] == starts
    assert not walk.left_out


PATHS = st.lists(st.sampled_from(["d", "e", "1", "2"]), min_size=1, max_size=6).map("/".join)
LINKS = st.builds("{}?{}#{}".format, PATHS, st.sampled_from(["", "p=1", "p=2"]), st.sampled_from(["", "x"]))


@given(st.lists(LINKS | st.none(), max_size=60), st.integers(0, 4), st.integers(0, 8))
def test_whatever_links_come_no_page_comes_twice(links: list[str | None], per_path: int, per_host: int) -> None:
    """``None``: a page is read between two links."""
    walk = frontier(per_path=per_path, per_host=per_host)
    read: list[Place] = []
    told: list[Any] = []
    for number, link in enumerate(links):
        if link is not None:
            told.append(walk.add(page(link), number))
        elif place := walk.next():
            read.append(place)
            walk.done(place)
    read += walked(walk)
    pages = [place.url.partition("#")[0].rstrip("?") for place in read]
    assert len(set(pages)) == len(pages)
    assert all(before.depth <= after.depth for before, after in pairwise(read))
    assert walk.left_out.total() == len([reason for reason in told if reason])
    assert not any(walk.is_to_come(place.url) for place in read)
