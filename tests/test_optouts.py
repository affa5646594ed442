"""What hosts and pages say of being used, in every spelling, and what is done about it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.settings import Settings

from imagecrawl.commands.wrong_settings import wrong_settings
from imagecrawl.optouts import (
    HEAD_MAX,
    WORDS_MAX,
    OptOuts,
    Signal,
    from_json,
    merged,
    of_headers,
    of_its_answer,
    of_its_host,
    of_its_page,
    of_page,
    to_json,
)
from settings import base

US = "imagecrawl"
POLICIES = {signal.setting: getattr(base, signal.setting) for signal in Signal}
ALL = {signal.value: f"words on {signal}" for signal in Signal}


def tag(value: str) -> set[str]:
    """The signals of an ``X-Robots-Tag``."""
    return set(of_headers([("X-Robots-Tag", value)], US))


@pytest.mark.parametrize(
    ("value", "signals"),
    [
        ("noai", {"noai"}),
        ("noai, noimageai", {"noai", "noimageai"}),
        (" NoAI ,NOIMAGEAI,,", {"noai", "noimageai"}),
        ("noml", {"noml"}),
        ("noindex, nofollow, noarchive, nosnippet", {"noindex"}),
        ("noimageindex", {"noimageindex"}),
        ("none", {"noindex"}),
        ("all", set()),
        ("index, follow", set()),
        ("", set()),
        ("noai noimageai", {"noai", "noimageai"}),
        ("noai;noimageai", {"noai", "noimageai"}),
        ("noindex nofollow ; noml", {"noindex", "noml"}),
        ("noaisle, nonoai, no ai", set()),
        ("tdm-reservation, ai-train, search", set()),  # no directives
        # agents
        ("googlebot: noai", set()),
        ("googlebot: noai, noimageai, noml", set()),
        ("imagecrawl: noai", {"noai"}),
        ("ImageCrawl : noai, noml", {"noai", "noml"}),
        ("imagecrawl/0.1.0: noai", {"noai"}),
        ("imagecrawler: noai", set()),
        ("*: noai", {"noai"}),
        ("noai, googlebot: noml", {"noai"}),
        ("googlebot: noml, imagecrawl: noai", {"noai"}),
        ("imagecrawl:", set()),
        # directives with values
        ("max-snippet: 20, noai", {"noai"}),
        ("max-image-preview:large, max-video-preview:-1, noai", {"noai"}),
        ("unavailable_after: 25 Jun 2027 15:00:00 PST, noai", {"noai"}),
        ("unavailable_after: Friday, 25-Jun-27 15:00:00 UTC, noai", {"noai"}),
        ("unavailable_after: 2027-06-25T15:00:00+02:00, noai", {"noai"}),
        ("googlebot: unavailable_after: 25 Jun 2027 15:00:00 PST, noai", set()),
        ("googlebot: max-snippet: 20, noai", set()),
        ("unavailable_after: 25 Jun 2027 15:00 PST, noai", {"noai"}),
        ("Unavailable_After : 25 Jun 2027 15:00 PST noai", {"noai"}),
        ("max-snippet: 20 noai", {"noai"}),
        ("max-image-preview: none", set()),
        ("max-image-preview:none; max-snippet:, noai", {"noai"}),
        ("googlebot: noml imagecrawl: noai", {"noai"}),
        ("noai googlebot: noml", {"noai"}),
    ],
)
def test_robots_tag(value: str, signals: set[str]) -> None:
    assert tag(value) == signals


@pytest.mark.parametrize(
    ("name", "value", "signals"),
    [
        ("TDM-Reservation", "1", {"tdm-reservation"}),
        ("tdm-reservation", " 1 ", {"tdm-reservation"}),
        ("TDM-Reservation", "0", set()),
        ("TDM-Reservation", "0, 1", {"tdm-reservation"}),  # two headers that a proxy has joined
        ("TDM-Reservation", "", set()),
        ("TDM-Reservation", "01", set()),
        ("TDM-Reservation", "true", set()),
        ("TDM-Policy", "https://a.example/policy.json", set()),
        ("Content-Usage", "train-ai=n", {"ai-train"}),
        ("content-usage", "train-ai=n, search=n", {"ai-train", "search"}),
        ("Content-Usage", "train-ai=y, search=n", {"search"}),
        ("Content-Usage", "train-ai=n;exceptions=\"none\" , search", {"ai-train"}),
        ("Content-Usage", "train-ai=n, train-ai=y", {"ai-train"}),
        ("Content-Usage", "train-ai=no, ai-train=n", set()),
        ("Content-Usage", "train-ai=\"n\"", {"ai-train"}),
        ("Content-Signal", "search=yes, ai-train=no", {"ai-train"}),
        ("Content-Signal", "Search = No,AI-Input=no,ai-train=yes", {"search", "ai-input"}),
        ("Content-Signal", "search=yes;ai-train=no", {"ai-train"}),
        ("Content-Signal", "search=yes ai-train=no", {"ai-train"}),
        ("Content-Signal", "ai-train=\"no\"", {"ai-train"}),
        ("Content-Signal", "ai-train='no' ;search=\"yes\"", {"ai-train"}),
        ("Content-Signal", "ai-train=no, ai-train=yes", {"ai-train"}),
        ("Content-Signal", "ai-train=yes, ai-train=no", {"ai-train"}),
        ("Content-Signal", "no=ai-train, ai-train, =no, ai-train=none, x-ai-train=no, ai-train=yes no", set()),
        ("Content-Signal", "ai-train=n", set()),
        ("Robots", "noai", set()),
        ("X-Noai", "noai", set()),
    ],
)  # fmt: skip
def test_other_headers(name: str, value: str, signals: set[str]) -> None:
    assert set(of_headers([(name, value)], US)) == signals


def test_headers_of_one_name_are_heard_one_by_one() -> None:
    headers = [("X-Robots-Tag", "googlebot: noml"), ("x-robots-tag", "noai"), ("X-ROBOTS-TAG", "noai, noindex")]
    assert of_headers(headers, US) == {"noai": "X-Robots-Tag: noai", "noindex": "X-Robots-Tag: noai, noindex"}


def test_the_words_are_those_of_the_host() -> None:
    headers = [("x-robots-tag", "NoAI"), ("tdm-reservation", "1"), ("content-usage", "search=y,  train-ai=n")]
    assert of_headers(headers, US) == {
        "noai": "X-Robots-Tag: NoAI",
        "tdm-reservation": "TDM-Reservation: 1",
        "ai-train": "Content-Usage: search=y, train-ai=n",
    }


def test_words_are_bounded_printable_and_one_line() -> None:
    found = of_headers([("X-Robots-Tag", "noai, \x1b[31mred\u202e\r\n\t\x00" + "x" * 5000)], US)
    assert found["noai"] == "X-Robots-Tag: noai, [31mred " + "x" * (WORDS_MAX - 28)
    [words] = of_page(f"<meta name=robots content='noai,{'y' * 5000}'>", US).values()
    assert len(words) == WORDS_MAX


# Pages


@pytest.mark.parametrize(
    ("text", "signals"),
    [
        ('<meta name="robots" content="noai">', {"noai"}),
        ("<META NAME='ROBOTS' CONTENT='NoAI,NOIMAGEAI'/>", {"noai", "noimageai"}),
        ("<meta name=robots content=noai>", {"noai"}),
        ("<meta content=noai name=robots>", {"noai"}),
        ("<meta\n\tname\n=\n'robots'\ncontent = 'noai'\n>", {"noai"}),
        ("<meta/name=robots/content='noai'>", set()),  # an unquoted value goes on to the next blank
        ('<meta charset="utf-8"><meta name="imagecrawl" content="noml">', {"noml"}),
        ('<meta name="ImageCrawl" content="none">', {"noindex"}),
        ('<meta name="googlebot" content="noai">', set()),
        ('<meta name="robots" content="noai&#44; no&#x69;mageai">', {"noai", "noimageai"}),
        ('<meta name=" robots " content=" noai ">', {"noai"}),
        ('<meta name="robots" content="a > b, noai">', {"noai"}),
        ('<meta name="robots" content="noai" content="index">', {"noai"}),
        ('<meta name="robots" content="index" content="noai">', set()),
        ('<meta name="robots" data-content="noai" content>', set()),
        ('<meta property="robots" content="noai">', set()),
        ('<meta http-equiv="robots" content="noai">', set()),
        ('<meta name="description" content="noai">', set()),
        ("<metadata name=robots content=noai>", set()),
        ('<meta name="tdm-reservation" content="1">', {"tdm-reservation"}),
        ('<meta name="tdm-reservation" content="0">', set()),
        ('<meta name="content-signal" content="ai-train=no, search=yes">', {"ai-train"}),
        ('<meta name="robots" content="noai noimageai">', {"noai", "noimageai"}),
        ('<meta name="robots" content="noai;noimageai">', {"noai", "noimageai"}),
        ('<meta name="robots" content="unavailable_after: 25 Jun 2027 15:00 PST, noai">', {"noai"}),
        ('<meta name="robots" content="max-image-preview: none, max-snippet: 20">', set()),
        ('<meta name="robots" content="imagecrawl: noai">', {"noai"}),  # as in the header
        ('<meta name="robots" content="googlebot: noai">', set()),
        ("<meta name=robots content=noai", {"noai"}),
        # where markup is none
        ("<!-- <meta name=robots content=noai> -->", set()),
        ("<!-- > <meta name=robots content=noai>", set()),
        ("<!--><meta name=robots content=noai>", {"noai"}),
        ("<!-- --!><meta name=robots content=noai>", {"noai"}),
        ("<script>'<meta name=robots content=noai>'</script>", set()),
        ("<script src=x></script><meta name=robots content=noai>", {"noai"}),
        ("<SCRIPT>if (a < b) '</scripts><meta name=robots content=noai>'</Script >", set()),
        ("<script><meta name=robots content=noai>", set()),
        ("<style><meta name=robots content=noai></style>", set()),
        ("<title><meta name=robots content=noai></title><meta name=robots content=noml>", {"noml"}),
        ("<textarea><meta name=robots content=noai></textarea>", set()),
        ("<noscript><meta name=robots content=noai></noscript>", {"noai"}),  # we run no scripts
        ("<link data-x='<meta name=robots content=noai>'>", set()),
        ('<link title=it\'s><meta name=robots content="noai">', {"noai"}),
        ("<!doctype html><?xml version='1.0'?></ x><meta name=robots content=noai>", {"noai"}),
        ("a < b <1 <meta name=robots content=noai>", {"noai"}),
        ("<head></head><body><meta name=robots content=noai>", set()),
        ("<bodyguard><meta name=robots content=noai>", {"noai"}),
        ("", set()),
    ],
)
def test_page(text: str, signals: set[str]) -> None:
    assert set(of_page(text, US)) == signals


def test_a_page_is_quoted() -> None:
    text = '<meta name="Robots" content="NoAI, noindex"><meta name="imagecrawl" content="noml">'
    text += '<meta name="tdm-reservation" content="1">'
    assert of_page(text, US) == {
        "noai": "meta robots: NoAI, noindex",
        "noindex": "meta robots: NoAI, noindex",
        "noml": "meta imagecrawl: noml",
        "tdm-reservation": "meta TDM-Reservation: 1",
    }


def test_what_stands_far_down_is_not_looked_at() -> None:
    text = "<meta name=robots content=noai>"
    assert of_page(" " * (HEAD_MAX - len(text)) + text, US)
    assert not of_page(" " * HEAD_MAX + text, US)


@pytest.mark.parametrize("first", ["", "<meta ", "<meta name='"])
@pytest.mark.parametrize(
    "more", ["<", "<a ", "<meta ", "<meta a='", "<!--", "</", "'", "\"'=", "a = ", "x\n", "=", "/"]
)
def test_hostile_pages_take_no_longer_than_others(first: str, more: str) -> None:
    text = first + more * (HEAD_MAX // len(more))
    began = time.process_time()
    of_page(text, US)
    assert time.process_time() - began < 2  # 0.2 at most where this was written; what is quadratic takes hours


PIECES = st.sampled_from(
    ["<", ">", "<meta ", "name=", "content=", "robots", "noai", ",", ":", "'", '"', "=", "/", "<!--", "-->", "<script>",
     "</script>", "&#", "\0", "\ud800", " ", "\n", "imagecrawl", "googlebot", "unavailable_after", "train-ai=n", ";"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=5)).map("".join))
def test_nothing_raises(text: str) -> None:
    found = [of_page(text, US)]
    found += [
        of_headers([(name, text), (text, name)], US) for name in ("X-Robots-Tag", "Content-Usage", "TDM-Reservation")
    ]
    for words in [words for each in found for words in each.values()]:
        assert words.isprintable() or "\u200d" in words or "\u200c" in words
        assert len(words) <= WORDS_MAX


# Policy


def test_the_defaults_obey_what_speaks_of_machine_learning() -> None:
    policy = OptOuts(POLICIES)
    assert set(policy.forbids(ALL)) == {"noai", "noimageai", "noml", "ai-train"}
    assert policy.kept(ALL) == ALL


@pytest.mark.parametrize("signal", Signal)
def test_each_signal_has_its_setting(signal: Signal) -> None:
    record = dict.fromkeys(POLICIES, "record")
    only = {signal.value: ALL[signal]}
    assert OptOuts({**record, signal.setting: "obey"}).forbids(ALL) == only
    ignoring = OptOuts({**record, signal.setting: " Ignore "})
    assert ignoring.kept(ALL) == {name: words for name, words in ALL.items() if name != signal}
    assert ignoring.forbids(ALL) == {}


def test_what_is_no_signal_is_not_kept() -> None:
    assert OptOuts(POLICIES).kept({"nofun": "x"}) == OptOuts(POLICIES).forbids({"nofun": "x"}) == {}


@pytest.mark.parametrize("value", ["", "yes", "obeys", None, 1, "obey,record"])
def test_a_policy_that_is_none_is_a_line_before_the_crawl(value: Any) -> None:
    [line] = wrong_settings(Settings({**vars(base), "OPT_OUT_AI_TRAIN": value}))
    assert line == f"setting `OPT_OUT_AI_TRAIN` takes `obey`, `record`, `ignore`; got {value!r}"
    with pytest.raises(ValueError):
        OptOuts({**POLICIES, "OPT_OUT_AI_TRAIN": value})


def test_any_case_is_a_policy() -> None:
    assert not list(wrong_settings(Settings({**vars(base), "OPT_OUT_AI_TRAIN": " Record"})))


def test_the_first_words_on_a_signal_are_kept() -> None:
    one, other = {"noai": "first"}, {"noai": "second", "noml": "third"}
    assert merged(one, None, other) == {"noai": "first", "noml": "third"}
    assert (one, other) == ({"noai": "first"}, {"noai": "second", "noml": "third"})


def test_words_tell_who_has_said_them() -> None:
    answer, robots_txt = {"noai": "X-Robots-Tag: noai"}, {"ai-train": "robots.txt: Content-Signal: ai-train=no"}
    page = of_its_page({"noml": "meta robots: noml", "search": "robots.txt: Content-Usage: search=n"})
    assert page == {"noml": "page: meta robots: noml", "search": "page: robots.txt: Content-Usage: search=n"}
    assert of_its_host({**page, **answer, **robots_txt}) == {**answer, **robots_txt}
    assert of_its_answer({**page, **answer, **robots_txt}) == answer
    [words] = of_its_page({"noai": "x" * WORDS_MAX}).values()
    assert words == "page: " + "x" * (WORDS_MAX - 6)


def test_no_host_can_speak_as_a_page_or_a_robots_txt() -> None:
    for value in ("page: noai, *: noai", "robots.txt: noai, *: noai"):
        found = of_headers([("X-Robots-Tag", value)], US)
        assert found and of_its_answer(found) == found


def test_the_ledger_gives_back_what_it_was_given() -> None:
    assert from_json(to_json(ALL)) == ALL
    assert to_json({}) is None
    assert from_json(None) == {}


@pytest.mark.parametrize("text", ["", "x", "[]", "5", '"noai"', "null", "[" * 100_000])
def test_what_it_was_not_given_says_nothing(text: str) -> None:
    assert from_json(text) == {}


def test_only_words_are_words() -> None:
    assert from_json('{"noai": 5, "noml": "x"}') == {"noml": "x"}


def test_a_signal_that_there_is_not_is_named() -> None:
    [line] = wrong_settings(Settings({**vars(base), "OPT_OUT_AITRAIN": "obey"}))
    assert line.startswith("setting `OPT_OUT_AITRAIN` is unknown. Did you mean `OPT_OUT_AI_TRAIN`? There are: ")
