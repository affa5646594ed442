"""Texts and addresses of items, before anything else sees them."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.utils.test import get_crawler

from imagecrawl.items import FileItem, ImageItem
from imagecrawl.pipelines.texts import DEPTH, TextsPipeline
from imagecrawl.storage import JOINERS
from settings import base
from tests.pipelines import network
from tests.pipelines.network import file_item

LOGIN = "https://me:secret@a.example/1.jpg"
PLAIN = "https://a.example/1.jpg"
EVIL = "red\x1b[31m\u202e pan\u200bda\r\n\tof \x9b31m\u2028China"
GOOD = "red[31m panda of 31m China"


def item(*urls: str, **values: Any) -> ImageItem:
    return replace(network.item(*urls), **values)


def cleaned(item: Any, max_length: int = 100) -> Any:
    return TextsPipeline(max_length).process_item(item)


def test_logins_are_in_no_address() -> None:
    facts = {"licence_url": LOGIN, "list": [{"b": LOGIN}], "text": f"see {LOGIN}, you@a.example"}
    addresses = (LOGIN, "http://token@b.example/2")
    original = item(
        *addresses, page_url=LOGIN, thumbnail_url=LOGIN, rights=facts, post=facts, details=facts, title=LOGIN
    )
    done = cleaned(original)
    assert done.image_urls == [PLAIN, "http://b.example/2"]
    assert "secret" not in json.dumps(asdict(done)) and "token" not in json.dumps(asdict(done))
    assert done.details["text"] == f"see {PLAIN}, you@a.example"
    assert cleaned(file_item(LOGIN, page_url=LOGIN)).file_urls == [PLAIN]


def test_texts_hold_nothing_that_a_terminal_obeys() -> None:
    facts = {"author": EVIL, "list": [EVIL, 1, None, True, 1.5], EVIL: {"deep": EVIL}}
    done = cleaned(item(PLAIN, title=EVIL, alt=EVIL, caption=EVIL, site=EVIL, rights=facts, post=facts, details=facts))
    assert [done.title, done.alt, done.caption, done.site] == [GOOD] * 4
    assert done.rights == done.post == done.details == {
        "author": GOOD, "list": [GOOD, 1, None, True, 1.5], GOOD: {"deep": GOOD},
    }  # fmt: skip
    assert cleaned(file_item(PLAIN, label=EVIL)).label == GOOD


def test_long_texts_are_cut() -> None:
    done = cleaned(item(PLAIN, title="x" * 101, alt="x" * 100, details={"a": "y " * 99}))
    assert (done.title, done.alt) == ("x" * 99 + "…", "x" * 100)
    assert done.details == {"a": ("y " * 50)[:99].rstrip() + "…"}
    assert cleaned(item(PLAIN, title="x" * 10**5), max_length=0).title == "x" * 10**5


def test_what_makes_paths_stays() -> None:
    long = EVIL * 100
    for one in (item(PLAIN, keyword=long, id=long), file_item(PLAIN, folder=[long], name=long, subject=long)):
        before = copy.deepcopy(one)
        assert cleaned(one) == before


def test_values_in_values_without_end_are_left_out() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    done = cleaned(item(PLAIN, details={"deep": deep}))
    assert 0 < json.dumps(done.details).count("[") < DEPTH


def test_items_of_other_kinds_pass_untouched() -> None:
    other = {"title": EVIL, "image_urls": [LOGIN]}
    assert cleaned(other) is other and other == {"title": EVIL, "image_urls": [LOGIN]}


@given(st.text(max_size=300))
def test_any_text_is_short_and_printable(text: str) -> None:
    title = cleaned(item(PLAIN, title=text)).title
    assert len(title) <= 100
    assert all(c.isprintable() or c in JOINERS or not c.isascii() for c in title) and "\x85" not in title


def test_every_field_is_a_text_a_fact_an_address_or_of_a_path() -> None:
    """A field that is new has to be put somewhere."""
    from imagecrawl.pipelines import texts

    paths = {"keyword", "id", "folder", "name", "board", "level", "subject", "code", "session", "type"}
    ours = {"source", "rank", "width", "year", "paper", "variant", "reason", "outcome", "crawled_at", "images", "files"}
    handled = {*texts.TEXTS, *texts.FACTS, *texts.ADDRESSES, "image_urls", "file_urls"}
    for kind in (ImageItem, FileItem):
        assert {field.name for field in fields(kind)} <= paths | ours | handled


def test_it_comes_before_the_stores() -> None:
    orders = {name.rpartition(".")[2]: order for name, order in base.ITEM_PIPELINES.items()}
    assert orders.pop("TextsPipeline") < min(orders.values())


@pytest.mark.parametrize("value", ["7", 7])
def test_the_setting_reaches_it(value: object) -> None:
    crawler = get_crawler(settings_dict={"TEXT_MAX_LENGTH": value})
    assert TextsPipeline.from_crawler(crawler).max_length == 7
