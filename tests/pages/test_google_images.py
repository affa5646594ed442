"""Google Images pages: every saved page gives what its JSON says; real captures, when there, give what their name says.

A saved page is two files in ``tests/saved_pages/google_images``: the page, and a JSON with its ``url`` and ``status``
and either ``results`` or ``error``, ``kind`` and ``message_part``; ``next_url`` and ``query`` are checked when given.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parsel import Selector

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError
from imagecrawl.pages.google_images import (
    ASPECTS,
    COLORS,
    CONSENT_FORM,
    CONSENT_REJECT,
    FILETYPES,
    LICENCES,
    SETTLED,
    SIZES,
    TIMES,
    TYPES,
    ImageResult,
    build_search_url,
    build_tbs,
    parse_next_url,
    parse_query,
    parse_results,
    size_tbs,
    time_tbs,
)
from tests.pages.saved import SavedPages, raises_as

ROOT = Path(__file__).parents[2]
SAVED = SavedPages("google_images")
CASES, page_of, expected_of = SAVED.cases, SAVED.page_of, SAVED.expected_of
CAPTURES = ROOT.parent / "shared" / "sites" / "pages" / "google"
SEARCH = "https://www.google.com/search?q=cat&udm=2"

PAGES = [page_of(case) for case in CASES]


@pytest.mark.parametrize("case", CASES)
def test_saved_page(case: str) -> None:
    page, expected = page_of(case), expected_of(case)
    if "error" in expected:
        with raises_as(expected):
            parse_results(page, url=expected["url"], status=expected["status"])
    else:
        results = parse_results(page, url=expected["url"], status=expected["status"])
        assert [asdict(result) for result in results] == expected["results"]
    if "next_url" in expected:
        assert parse_next_url(page, url=expected["url"]) == expected["next_url"]
    if "query" in expected:
        assert parse_query(page) == expected["query"]


# Pages that only their words, address or status give away: no element says what they are.
WITHOUT_MARK = {
    "app_answer",
    "captcha_address",
    "captcha_redirect",
    "captcha_words",
    "changed_unknown",
    "consent_address",
    "cut_before_grid",
    "nothing_at_all",
    "records_in_frames",
    "rg_meta",
    "status_403",
    "status_429",
    "status_500",
    "update_browser",
}
SHELLS = {"javascript_shell", "javascript_shell_refresh_only", "javascript_shell_translated"}


@pytest.mark.parametrize("case", sorted({*CASES} - WITHOUT_MARK - SHELLS))
def test_settled_matches_results_and_obstacles(case: str) -> None:
    assert Selector(page_of(case), type="html").css(SETTLED)


@pytest.mark.parametrize("case", sorted(SHELLS))
def test_settled_waits_for_the_shell_to_reload(case: str) -> None:
    assert not Selector(page_of(case), type="html").css(SETTLED)


@pytest.mark.parametrize("case", ["consent_page", "consent_buttons"])
def test_consent_form_rejects(case: str) -> None:
    page = Selector(page_of(case), type="html")
    (form,) = page.css(CONSENT_FORM)
    assert form.css("[name=set_eom]::attr(value)").getall() == ["true"]
    (button,) = page.css(CONSENT_REJECT)
    assert "Reject all" in button.attrib.get("aria-label", button.attrib.get("value", ""))


def test_consent_dialog_rejects() -> None:
    (button,) = Selector(page_of("consent_dialog"), type="html").css(CONSENT_REJECT)
    assert button.xpath("string()").get() == "Reject all"


def test_nothing_to_reject_on_a_results_page() -> None:
    assert not Selector(page_of("modern"), type="html").css(CONSENT_REJECT)


# Next page and query


def next_url(*hrefs: str, url: str = SEARCH, body: str = "") -> str | None:
    links = "".join(f'<a href="{href}">more</a>' for href in hrefs)
    return parse_next_url(f"<html><body>{body}{links}</body></html>", url=url)


@pytest.mark.parametrize(
    ("hrefs", "url", "expected"),
    [
        (["/search?q=cat&start=20", "/search?q=cat&start=10"], SEARCH, "https://www.google.com/search?q=cat&start=10"),
        (["/search?q=cat&start=10"], f"{SEARCH}&start=10", None),
        (["/search?q=cat&start=0", "/search?q=cat&start=20"], f"{SEARCH}&start=10", "/search?q=cat&start=20"),
        (["/search?q=cats&start=10"], SEARCH, None),
        (["/search?q=cat&xstart=10", "/search?q=cat&start=many"], SEARCH, None),
        (["https://elsewhere.example/search?q=cat&start=10"], SEARCH, None),
        (["//www.google.de/search?q=cat&start=10"], SEARCH, "https://www.google.de/search?q=cat&start=10"),
        (["http://[broken/search?q=cat&start=10"], SEARCH, None),
        (["/maps?q=cat&start=10"], SEARCH, None),
    ],
)
def test_next_url(hrefs: list[str], url: str, expected: str | None) -> None:
    full = f"https://www.google.com{expected}" if expected and expected.startswith("/") else expected
    assert next_url(*hrefs, url=url) == full


def test_next_url_of_a_page_saved_by_the_user() -> None:
    box = '<form action="/search"><input name="q" value="red cat"></form>'
    found = next_url("/search?q=red+cat&start=10", url="file:///home/me/cats.html", body=box)
    assert found == "https://www.google.com/search?q=red+cat&start=10"
    assert next_url("/search?q=red+cat&start=10", url="file:///home/me/cats.html") is None


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ('<form action="/search"><textarea name="q"> red  cat </textarea></form>', "red cat"),
        ('<div data-async-context="query:red%20cat"></div>', "red cat"),
        ("<title>black - and - white - Recherche Google</title>", "black - and - white"),
        ("<title>Google Search</title>", None),
        ("<title>cats - a blog</title>", None),
        ('<form action="index"><input name="q" value="EgToken"></form>', None),
    ],
)
def test_query(page: str, query: str | None) -> None:
    assert parse_query(page) == query


# Search addresses


def test_build_search_url() -> None:
    assert build_search_url("cat") == "https://www.google.com/search?q=cat&udm=2&hl=en"
    url = build_search_url(
        "고양이 & co",
        size="large",
        color="gray",
        type="photo",
        licence="cc",
        time="2024-01-31..2024-06-30",
        aspect="wide",
        filetype="png",
        site="example.org",
        lang="ko",
        country="kr",
        safe="active",
    )
    assert parse_qs(urlsplit(url).query, strict_parsing=True) == {
        "q": ["고양이 & co"],
        "udm": ["2"],
        "hl": ["ko"],
        "gl": ["kr"],
        "cr": ["countryKR"],
        "safe": ["active"],
        "as_sitesearch": ["example.org"],
        "tbs": ["isz:l,ic:specific,isc:gray,itp:photo,sur:cl,cdr:1,cd_min:1/31/2024,cd_max:6/30/2024,iar:w,ift:png"],
    }
    assert url.isascii()
    assert " " not in url


@pytest.mark.parametrize(
    ("filters", "tbs"),
    [
        ({}, ""),
        ({"size": "icon"}, "isz:i"),
        ({"size": "medium"}, "isz:m"),
        ({"size": ">400x300"}, "isz:lt,islt:qsvga"),
        ({"size": ">640x480"}, "isz:lt,islt:vga"),
        ({"size": ">800x600"}, "isz:lt,islt:svga"),
        ({"size": ">1024x768"}, "isz:lt,islt:xga"),
        ({"size": ">70mp"}, "isz:lt,islt:70mp"),
        ({"size": "1920x1080"}, "isz:ex,iszw:1920,iszh:1080"),
        ({"color": "color"}, "ic:color"),
        ({"color": "blackandwhite"}, "ic:gray"),
        ({"color": "transparent"}, "ic:trans"),
        ({"color": "teal"}, "ic:specific,isc:teal"),
        ({"type": "lineart"}, "itp:lineart"),
        ({"licence": "commercial"}, "sur:ol"),
        ({"time": "hour"}, "qdr:h"),
        ({"time": "year"}, "qdr:y"),
        ({"time": "2024-02-29..2024-02-29"}, "cdr:1,cd_min:2/29/2024,cd_max:2/29/2024"),
        ({"aspect": "panoramic"}, "iar:xw"),
        ({"filetype": "webp", "aspect": "tall"}, "iar:t,ift:webp"),
    ],
)
def test_tbs(filters: dict[str, str], tbs: str) -> None:
    assert build_tbs(**filters) == tbs


def test_every_filter_word() -> None:
    assert [*SIZES][:3] == ["icon", "medium", "large"]
    assert {word for word in SIZES if word.endswith("mp")} == {f">{n}mp" for n in (2, 4, 6, 8, 10, 12, 15, 20, 40, 70)}
    assert len(COLORS) == 3 + 12
    assert {*TYPES} == {"clipart", "lineart", "animated", "photo", "face"}
    assert {*LICENCES} == {"cc", "commercial"}
    assert {*TIMES} == {"hour", "day", "week", "month", "year"}
    assert {*ASPECTS} == {"tall", "square", "wide", "panoramic"}
    assert {*FILETYPES} == {"jpg", "gif", "png", "bmp", "webp", "ico"}


@pytest.mark.parametrize("word", ["huge", "0x100", "1920x", "1920*1080", ">3mp", ""])
def test_size_refuses(word: str) -> None:
    with pytest.raises(ValueError, match=r"^size takes icon, medium, .*, or an exact size such as 1920x1080; not"):
        size_tbs(word)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("decade", "^time takes hour, day, .*, or a range such as 2024-01-31..2024-06-30; not 'decade'$"),
        ("2024-1-31..2024-06-30", "^time takes"),
        ("2024-02-30..2024-06-30", "holds a date that does not exist"),
        ("2024-06-30..2024-01-31", "ends before it begins"),
    ],
)
def test_time_refuses(word: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        time_tbs(word)


@pytest.mark.parametrize("name", ["color", "type", "licence", "aspect", "filetype"])
def test_other_filters_refuse(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} takes .*; not 'odd'$"):
        build_tbs(**{name: "odd"})


# Whatever comes in


def assert_only_known_errors(text: str, url: str = SEARCH) -> None:
    results: list[ImageResult] = []
    message = ""
    try:
        results = parse_results(text, url=url)
    except (PageBlockedError, PageChangedError, PageEmptyError) as error:
        message = str(error)
    assert bool(results) != bool(message)
    assert "\n" not in message
    for result in results:
        assert result.image_url is None or urlsplit(result.image_url).scheme in {"http", "https"}
        assert result.page_url is None or urlsplit(result.page_url).scheme in {"http", "https"}
        json.dumps(asdict(result), ensure_ascii=False).encode("utf-8")
    parse_next_url(text, url=url)
    parse_query(text)


PIECES = st.sampled_from(
    [
        '[0,"aaaaaaaaaaaaaa",["https://t.example/1",1,2]',
        ',["https://f.example/1.jpg",3,4]',
        r"[1,\x22bbbbbbbbbbbbbb\x22,[\x22//t\x22",
        '{"2003":[null,"d","//[p","\\ud800"',
        "]",
        "}",
        '"',
        "\\",
        "<html>",
        '<div data-docid="aaaaaaaaaaaaaa" data-lpage="http://[x"><img src="data:image/gif">',
        '<a href="/imgres?imgurl=//f.example:x/&tbnid=%ff">',
        '<a href="/url?q=http://[">',
        '<img src="//encrypted-tbn0">',
        '<div data-ou="//f.example/2">',
        '<div {="1" \x1f="2" xmlns:="3" data-ou="//f.example/3">',
        '<div class="rg_meta">[1]',
        '{"ischj":{"metadata":[{"result":[]',
        "google.ldi={",
        "var s='data:image/x';var ii=['",
        '<a href="/search?q=cat&start=99">',
        '<a href="//[/search?q=cat&start=99">',
        "\ud83d",
        "\0",
    ]
)


@settings(max_examples=200)
@given(text=st.text(st.characters(exclude_categories=())), url=st.text())
def test_any_text(text: str, url: str) -> None:
    assert_only_known_errors(text, url)


@settings(max_examples=200)
@given(pieces=st.lists(PIECES | st.text(max_size=5), max_size=20))
def test_pieces_of_pages(pieces: list[str]) -> None:
    assert_only_known_errors("".join(pieces))


@settings(max_examples=200)
@given(page=st.sampled_from(PAGES), data=st.data())
def test_damaged_pages(page: str, data: st.DataObject) -> None:
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(page))] * 2)))
    damage = data.draw(PIECES | st.text(max_size=5))
    assert_only_known_errors(page[:first] + damage + page[second:])


def test_deep_nesting() -> None:
    assert_only_known_errors('[0,"aaaaaaaaaaaaaa",["https://t.example/1",1,2],' + "[" * 200_000)
    assert_only_known_errors('{"ischj":' * 100_000)
    assert_only_known_errors('<div data-docid="aaaaaaaaaaaaaa">' * 5_000)


# Captured pages, which are not part of the repository


def capture(name: str) -> str:
    path = CAPTURES / name
    if not path.is_file():
        pytest.skip(f"no captured page {name}")
    return path.read_text(encoding="utf-8")


def test_captured_modern_page() -> None:
    page = capture("udm2-desktop-rendered-cat-ko-2026-04.html")
    results = parse_results(page, url=SEARCH)
    assert len(results) == len({result.id for result in results}) == 100
    for result in results:
        assert all([result.image_url, result.page_url, result.title, result.site, result.thumbnail_url])
        assert str(result.thumbnail_url).startswith("https://encrypted-tbn")
        assert "encrypted-tbn" not in str(result.image_url)
    grid = Selector(page, type="html").css("[data-docid]::attr(data-docid)").getall()
    assert [result.id for result in results] == grid
    assert len([result for result in results if result.rights]) >= 4
    assert parse_qs(urlsplit(parse_next_url(page, url=SEARCH) or "").query)["start"] == ["10"]
    assert parse_query(page) == "cat"
    assert Selector(page, type="html").css(SETTLED)


def test_captured_basic_page() -> None:
    page = capture("basic-nojs-isch-cipla-en_IN-2025-12-a.html")
    url = "https://www.google.com/search?q=CIPLA+logo&tbm=isch"
    results = parse_results(page, url=url)
    assert len(results) == 20
    for result in results:
        assert result.image_url is None
        assert all([result.page_url, result.title, result.site, result.thumbnail_url])
    assert parse_qs(urlsplit(parse_next_url(page, url=url) or "").query)["start"] == ["20"]
    assert parse_query(page) == "CIPLA logo"


@pytest.mark.parametrize(
    ("name", "status", "kind", "settled"),
    [
        ("consent-forms-2026-09.html", 200, Obstacle.CONSENT, True),
        ("jsshell-enablejs-udm2-pt_BR-2026-truncated.html", 200, Obstacle.JAVASCRIPT, False),
        ("jsshell-enablejs-web-en-2026-04.html", 200, Obstacle.JAVASCRIPT, False),
        ("redirect-302-tbm_isch-to-udm2-2026-02.html", 302, Obstacle.CHANGED, False),
        ("sorry-captcha-2026-06.html", 429, Obstacle.CAPTCHA, True),
        ("web-desktop-no_results-2026-04-trimmed.html", 200, Obstacle.NO_RESULTS, True),
    ],
)
def test_captured_obstacle(name: str, status: int, kind: Obstacle, settled: bool) -> None:
    page = capture(name)
    with pytest.raises((PageBlockedError, PageChangedError, PageEmptyError)) as caught:
        parse_results(page, url=SEARCH, status=status)
    assert caught.value.kind is kind
    assert bool(Selector(page, type="html").css(SETTLED)) is settled


def test_captured_consent_forms() -> None:
    page = Selector(capture("consent-forms-2026-09.html"), type="html")
    assert page.css(f"{CONSENT_FORM} [name=set_eom]::attr(value)").getall() == ["true", "true"]
    assert {button.attrib["aria-label"] for button in page.css(CONSENT_REJECT)} == {"Reject all"}
