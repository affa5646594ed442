"""A line of a feed becomes the item again that its spider gave."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import pytest

from imagecrawl.items import FileItem, ImageItem, replayed
from imagecrawl.outcomes import Outcome, Reason
from tests.pipelines.network import file_item, item

ONE, TWO = "https://a.example/1.jpg", "https://b.example/2.jpg"

BARE = item(ONE)
FULL = ImageItem(
    source="subreddit", keyword="pics", rank=7, id="t3_abc", title="A cat", alt="a cat", caption="of mine",
    page_url="https://page.example/", site="page.example", image_urls=[ONE, TWO], width=600, thumbnail_url=TWO,
    rights={"credit": "somebody", "creators": ["x", "y"]}, post={"score": 5, "nsfw": False, "flair": None},
    details={"tags": ["cat", "sun"], "position": 3, "ratio": 1.5}, opt_outs={"noindex": "meta robots: noindex"},
)  # fmt: skip
PAPER = file_item("https://a.example/1.pdf", "https://b.example/1.pdf")
ITEMS = {"bare": BARE, "full": FULL, "paper": PAPER}

MEDIA = {
    "outcome": "stored", "reason": None, "crawled_at": "2026-11-21T12:00:00Z",
    "images": [{"url": ONE, "path": "cats/0/x.jpg"}], "files": [{"url": ONE, "path": "x/y.pdf"}],
}  # fmt: skip


def line(given: ImageItem | FileItem, **others: Any) -> dict[str, Any]:
    """As it stands in a feed, after something became of it."""
    fields = asdict(given)
    told: dict[str, Any] = json.loads(json.dumps(fields | {name: MEDIA[name] for name in MEDIA.keys() & fields.keys()}))
    return told | others


def again_from(told: dict[str, Any], urls: Sequence[str]) -> ImageItem | FileItem:
    return replayed(told, urls=urls, keyword=str(told.get("keyword")))


def why(told: dict[str, Any]) -> str:
    with pytest.raises(ValueError) as caught:
        again_from(told, [ONE])
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("given", ITEMS.values(), ids=list(ITEMS))
def test_the_item_is_what_it_was(given: ImageItem | FileItem) -> None:
    again = again_from(line(given), given.urls)
    assert again == given
    assert type(again) is type(given)
    assert (again.outcome, again.reason, again.crawled_at, again.media) == (None, None, None, [])


@pytest.mark.parametrize("given", ITEMS.values(), ids=list(ITEMS))
def test_the_addresses_are_those_that_are_given(given: ImageItem | FileItem) -> None:
    told = line(given)
    assert again_from(told, (TWO,)).urls == [TWO]
    assert told == line(given)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("reason", ["http-404", Reason.TOO_SMALL, Reason.STOPPED, None])
def test_what_became_of_it_is_forgotten(outcome: Outcome, reason: str | None) -> None:
    assert again_from(line(BARE, outcome=outcome, reason=reason), [ONE]) == BARE


def test_what_the_page_said_is_kept() -> None:
    no_url = replace(FULL, reason=Reason.NO_URL, image_urls=[TWO])
    for outcome in ("stored", "failed", "listed"):
        assert again_from(line(no_url, outcome=outcome, reason="no-url"), [TWO]) == no_url


def test_lines_of_older_feeds_have_fewer_fields() -> None:
    told = line(BARE)
    for name in ("alt", "caption", "width", "post", "details", "opt_outs", "images", "crawled_at", "reason"):
        del told[name]
    assert again_from(told, [ONE]) == BARE


def test_what_is_no_field_is_passed_over() -> None:
    assert again_from(line(BARE, label="cat", outcome="eaten", images="none", crawled_at=5, _=[]), [ONE]) == BARE


@pytest.mark.parametrize("name", ["source", "rank", "id", "title", "page_url", "site", "thumbnail_url"])
def test_a_field_that_is_missing_is_named(name: str) -> None:
    told = line(FULL)
    del told[name]
    assert why(told) == f"the field `{name}` of this line is wrong: Field required"


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        (FULL, "source", None), (FULL, "rank", "7"), (FULL, "rank", 7.5), (FULL, "rank", True),
        (FULL, "rank", None), (FULL, "id", 5), (FULL, "title", ["A cat"]), (FULL, "width", "600"),
        (FULL, "rights", []), (FULL, "rights", "mine"), (FULL, "post", 1), (FULL, "details", [{}]),
        (FULL, "opt_outs", ["noai"]), (FULL, "opt_outs", {"noai": True}), (PAPER, "opt_outs", "noai"),
        (PAPER, "year", "2019"), (PAPER, "folder", "caie"), (PAPER, "folder", [1]), (PAPER, "folder", {"a": 1}),
        (PAPER, "name", None), (PAPER, "paper", 1.5), (PAPER, "code", 625),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_type_is_named(given: ImageItem | FileItem, name: str, value: Any) -> None:
    assert why(line(given, **{name: value})).startswith(f"the field `{name}` of this line is wrong: ")


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"in": value}
    return value


def test_values_in_values_are_what_they_were() -> None:
    deep = replace(FULL, details=nested(50))
    assert again_from(line(deep), deep.urls) == deep


def test_values_in_values_too_deep_are_said() -> None:
    assert why(line(FULL, details=nested(300)))


@pytest.mark.parametrize(
    ("name", "value"), [("rank", -1), ("rank", 2**63), ("width", 0), ("width", -600), ("width", 2**31)]
)
def test_a_number_that_the_ledger_cannot_hold_is_said(name: str, value: int) -> None:
    assert why(line(FULL, **{name: value})).startswith(f"the field `{name}` of this line is wrong: Input should be ")


@pytest.mark.parametrize(("name", "value"), [("rank", 0), ("rank", 2**63 - 1), ("width", 1), ("width", 2**31 - 1)])
def test_the_least_and_the_largest_numbers(name: str, value: int) -> None:
    assert getattr(again_from(line(FULL, **{name: value}), FULL.urls), name) == value


def test_the_keyword_is_the_one_that_is_given() -> None:
    again = replayed(line(FULL, keyword=" two\n lines"), urls=FULL.urls, keyword="two lines")
    assert again == replace(FULL, keyword="two lines")


@pytest.mark.parametrize("outcome", ["refused", "listed", None])
def test_an_ornament_of_a_page_is_one_again(outcome: str | None) -> None:
    again = again_from(line(BARE, outcome=outcome, reason="decoration"), [ONE])
    assert (again.outcome, again.reason) == (Outcome.REFUSED, Reason.DECORATION)
