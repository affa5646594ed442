"""Any page: every saved page gives what its JSON says; addresses, links, style sheets, identity; any text.

A saved page is two files in ``tests/saved_pages/site``: the page, and a JSON with its ``url``, and either ``title`` and
``pictures`` (what is null is left out; ``decoration`` where it looks like one; ``base_url`` where it is not ``url``) or
``error``, ``kind``, ``message_part`` and the ``status`` of an error; ``links`` where there are any. The pages are
written by hand, one for each shape.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError, PageError
from imagecrawl.pages.site import MAX_DATA, MAX_TEXT, MAX_URL, MAX_URLS, Identity, Page, Picture, Source, parse_page
from imagecrawl.pages.site_addresses import Addresses, data_size, ends_like_picture, identify
from imagecrawl.pages.site_css import read_css
from imagecrawl.pages.site_values import pixels
from imagecrawl.pages.srcset import parse_srcset, reach_of
from tests.pages.saved import SavedPages, raises_as

SAVED = SavedPages("site")
CASES, page_of, expected_of = SAVED.cases, SAVED.page_of, SAVED.expected_of
URL = "https://www.example.org/gallery/page.html"
ROOT = "https://www.example.org/"


def plain(picture: Picture) -> dict[str, Any]:
    """A picture as the JSON of a saved page has it."""
    said = asdict(picture) | {"urls": [*picture.urls], "source": str(picture.source)}
    said |= {"position": None, "identity": None, "leads_to": None, "decoration": picture.looks_like_decoration or None}
    return {name: value for name, value in said.items() if value is not None}


def read(body: str, **values: Any) -> Page:
    return parse_page(f"<html><body>{body}</body></html>", **({"url": URL} | values))


def urls_of(body: str, **values: Any) -> list[list[str]]:
    """The addresses of each picture, without the root of the site."""
    return [[url.removeprefix(ROOT) for url in picture.urls] for picture in read(body, **values).pictures]


@pytest.mark.parametrize("case", CASES)
def test_saved_page(case: str) -> None:
    expected = expected_of(case)
    status = expected.get("status", 200)
    if "error" in expected:
        with raises_as(expected):
            parse_page(page_of(case), url=expected["url"], status=status)
        return
    page = parse_page(page_of(case), url=expected["url"])
    assert [plain(picture) for picture in page.pictures] == expected["pictures"]
    assert [picture.position for picture in page.pictures] == [*range(1, len(page.pictures) + 1)]
    assert [picture.identity for picture in page.pictures] == [identify(picture.urls[0]) for picture in page.pictures]
    assert page.links == expected.get("links", [])
    assert page.title == expected["title"]
    assert page.base_url == expected.get("base_url", expected["url"])
    assert page.is_whole
    assert page.oversized == 0


def test_there_is_a_page_for_every_source() -> None:
    pictures = [picture for case in CASES for picture in expected_of(case).get("pictures", [])]
    assert {picture["source"] for picture in pictures} == {*Source}


# Answers that are no page


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_refused(status: int) -> None:
    with pytest.raises(PageBlockedError, match=str(status)) as caught:
        read("", status=status)
    assert caught.value.kind is Obstacle.REFUSED
    assert caught.value.ends_crawl is (status == 429)


@pytest.mark.parametrize("status", [404, 410])
def test_not_found(status: int) -> None:
    with pytest.raises(PageEmptyError, match=str(status)):
        read('<img src="a.jpg">', status=status)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "an empty answer"),
        ("\0\0 \ufeff", "an empty answer"),
        ("[1, 2", "JSON"),
        ('{"a": "<b>"', None),
        ("[" * 100_000, "JSON"),
        ("\ufeff [1]", "JSON"),
        ('callback({"a": 1})', "plain text"),
        ("GIF89a\x01\0\x01\0<html>", "a GIF picture"),
        ("ÿØÿà\0\x10JFIF", "a JPEG picture"),
        ("<svg><image href='a.png'/></svg>", "XML (<svg>)"),
        ("<?xml version='1.0'?><!-- <b> --><feed/>", "XML"),
        ("".join(f"{char}\0" for char in '<html><img src="a.jpg">'), None),
        ("<html>" + "\ufffd" * 100, None),
        ("Hello <b>world</b>", None),
    ],
)
def test_what_is_no_html(text: str, what: str | None) -> None:
    if what is None:
        parse_page(text, url=URL)
    else:
        with pytest.raises(PageChangedError) as caught:
            parse_page(text, url=URL)
        assert f"{URL} is {what}" in str(caught.value)


# Addresses


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a.jpg", f"{ROOT}gallery/a.jpg"),
        ("/a.jpg#x", f"{ROOT}a.jpg"),
        ("?id=3", f"{URL}?id=3"),
        ("./b/../c.jpg", f"{ROOT}gallery/c.jpg"),
        ("https:d.jpg", f"{ROOT}gallery/d.jpg"),
        ("//user@CDN.example/x", "https://user@cdn.example/x"),
        ("http://h.example", "http://h.example/"),
        ("http://h.example:80/x?a[]=1|2", "http://h.example:80/x?a%5B%5D=1%7C2"),
        ("100%.jpg", f"{ROOT}gallery/100%.jpg"),
        ("\ud83d.jpg", f"{ROOT}gallery/?.jpg".replace("?", "%3F")),
        ("page.html", None),
        ("ms-appx:///a.png", None),
        ("http://../a.png", None),
        ("http://a%20b/c.png", None),
        ("/img/<%= id %>.png", None),
        ("data:image/png;base64,", None),
        ("data:image/png", None),
        ("DATA:image/PNG;base64,AA AA\n" + "A" * 100, "data:image/png;base64,AAAA" + "A" * 100),
    ],
)
def test_address(address: str, expected: str | None) -> None:
    found = Addresses(URL, page=URL).absolute(address)
    if "%3F" in (expected or ""):
        assert found and found.isascii()
    else:
        assert found == expected


def test_the_query_is_in_the_encoding_of_the_page() -> None:
    body = '<img src="/é.jpg?q=é">'
    assert urls_of(body, encoding="latin-1") == [["%C3%A9.jpg?q=%E9"]]
    assert urls_of(body, encoding="no-such") == []


def test_long_addresses_are_counted() -> None:
    data = "data:image/png;base64,"
    body = f'<img src="/{"a" * MAX_URL}"><img src="{data}{"A" * MAX_DATA}"><img src="{data}{"B" * (MAX_DATA - 100)}">'
    page = read(body)
    assert page.oversized == 2
    assert [len(picture.urls[0]) for picture in page.pictures] == [MAX_DATA - 100 + len(data)]


def test_relative_addresses_of_a_page_without_an_address() -> None:
    assert urls_of('<img src="a.jpg"><img src="https://a.example/b.jpg">', url="nowhere") == [
        ["https://a.example/b.jpg"]
    ]


@pytest.mark.parametrize("base", ["javascript:1", "http://[", "", "data:image/png;base64,AAAA", "#", "mailto:x"])
def test_a_base_that_is_none(base: str) -> None:
    page = read(f'<base href="{base}"><img src="a.jpg">')
    assert [picture.urls for picture in page.pictures] == [(f"{ROOT}gallery/a.jpg",)]
    assert page.base_url == URL


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("a.jpeg", True),
        ("/a.avif?x=.html#y", True),
        ("https://pbs.example/media/a.jpg:large", True),
        ("https://img.example/a.jpg@100w_100h", True),
        (".jpg", False),
        ("/a.jpg/", False),
        ("/a.svg", False),
        ("/wiki/Datei%3AKatze.JPG", False),
        ("/a?b.jpg", False),
    ],
)
def test_ending(address: str, expected: bool) -> None:
    assert ends_like_picture(address) is expected


def test_size_of_a_data_uri() -> None:
    assert data_size("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAyAAAAJY") == (800, 600)
    assert data_size("data:image/png;base64,%%%") is None
    assert data_size("data:image/png;base64,AAAA") is None


SEGMENTS = st.sampled_from(["a", "b.html", "..", ".", "...", ".c", "d~", "%20", "e:f", "é", "http:", "?x=1", "?/../"])


@settings(max_examples=500, deadline=None)
@given(folders=st.lists(SEGMENTS, max_size=3), segments=st.lists(SEGMENTS, min_size=1, max_size=6), root=st.booleans())
def test_the_fast_way_to_an_address_leads_where_the_slow_one_does(
    folders: list[str], segments: list[str], root: bool
) -> None:
    addresses = Addresses(ROOT + "/".join([*folders, "x"]), page="")
    address = "/" * root + "/".join(segments)
    found = addresses._plain(address)
    assert found is None or found == addresses._any(address)


# Links


def links_of(body: str, **values: Any) -> list[str]:
    """The addresses of the links, without the root of the site."""
    return [link.removeprefix(ROOT) for link in read(body, **values).links]


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("x", "gallery/x"),
        ("../x", "x"),
        ("../../../x", "x"),
        ("..", ""),
        ("../", ""),
        (".", "gallery/"),
        ("?a=1", "gallery/page.html?a=1"),
        ("//b.example", "https://b.example/"),
        ("https://b.example/a/../b", "https://b.example/b"),
        ("https://b.example//a", "https://b.example//a"),
        ("blank.gif", "gallery/blank.gif"),
        (" \t\n x\ty\nz\0 ", "gallery/xyz"),
        ("\\\\b.example\\x", "https://b.example/x"),
        ("a b&amp;c=é", "gallery/a%20b&c=%C3%A9"),
        ("x#?y", "gallery/x"),
    ],
)
def test_link(href: str, expected: str) -> None:
    assert links_of(f'<a href="{href}">x</a>') == [expected]
    assert links_of(f'<map><area href="{href}"></map>') == [expected]


@pytest.mark.parametrize(
    "href",
    [
        "", "#", "#x", "page.html", "/gallery/page.html#x", "../gallery/page.html", "mailto:a@b.c", "javascript:x",
        "JAVA\nSCRIPT:x", "tel:1", "ftp://b.example/x", "file:///x", "blob:https://b.example/1", "about:blank",
        "data:image/png;base64," + "A" * 200, "{{ url }}", "/x/${id}", "<%= x %>", "http://", "http://[", "https://..",
    ],
)  # fmt: skip
def test_no_link(href: str) -> None:
    assert links_of(f'<a href="{href}">x</a><a>y</a>') == []


def test_a_fragment_leads_to_the_base() -> None:
    assert links_of('<base href="/docs/"><a href="#x">x</a><a href="">y</a>') == ["docs/"]
    assert urls_of('<base href="/docs/"><img src="#x"><img src="">') == []


def test_links_come_once_and_in_their_order() -> None:
    assert links_of('<a href="b"></a><a href="a.jpg"><img src="a.jpg"></a><a href="./b#x"></a><a href="c">') == [
        "gallery/b",
        "gallery/a.jpg",
        "gallery/c",
    ]


def test_the_page_is_left_out_by_its_address_only() -> None:
    body = '<a href="?q=é">x</a><a href="http://www.example.org/gallery/?q=é">y</a><a href="/gallery">z</a>'
    own = f"{ROOT}gallery/?q=é#top"
    assert links_of('<a href="">x</a><a href="#top">y</a>', url=own) == []
    assert links_of(body, url=own) == ["http://www.example.org/gallery/?q=%C3%A9", "gallery"]
    assert links_of(body, url=own, encoding="latin-1") == ["http://www.example.org/gallery/?q=%E9", "gallery"]


def test_long_links_are_counted_once() -> None:
    long = f'<a href="/{"a" * MAX_URL}.jpg">x</a>'
    longer_than_it_looks = f'<a href="/{"é" * (MAX_URL // 2)}">x</a>'
    bookmarklet = f'<a href="javascript:{"a" * MAX_URL}">x</a>'
    longest = f'<a href="/{"b" * (MAX_URL - len(ROOT))}">x</a>'
    page = read(f"{long}{long}{longer_than_it_looks}{bookmarklet}{longest}")
    assert (page.oversized, [len(link) for link in page.links]) == (2, [MAX_URL])


# Candidates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" , ,", []),
        ("a", [("a", 0, 1.0)]),
        ("a,", [("a", 0, 1.0)]),
        ("a,b 2x", [("a,b", 0, 2.0)]),
        ("a 1x,b 2x", [("a", 0, 1.0), ("b", 0, 2.0)]),
        ("a, ,b .5x", [("a", 0, 1.0), ("b", 0, 0.5)]),
        ("a 300w 200h,b 600w", [("a", 300, 1.0), ("b", 600, 1.0)]),
        ("a (1, 2) 3w, b 4w", [("b", 4, 1.0)]),
        ("a -1x, b 1.5w, c 2", []),
        ("a\n\t100w\f,\nb 200w", [("a", 100, 1.0), ("b", 200, 1.0)]),
        ("data:image/png;base64,AAAA 1x, data:image/gif,B, c 2x",
         [("data:image/png;base64,AAAA", 0, 1.0), ("data:image/gif,B", 0, 1.0), ("c", 0, 2.0)]),
    ],
)  # fmt: skip
def test_srcset(text: str, expected: list[tuple[str, int, float]]) -> None:
    assert [(found.address, found.width, found.density) for found in parse_srcset(text)] == expected


def test_sizes_that_mean_nothing() -> None:
    text = "a -1x, b 1.5w, c (, 2x), d 2x wide"
    assert parse_srcset(text) == []
    found = parse_srcset(text, strict=False)
    assert [(one.address, one.size) for one in found] == [("a", (0, 1)), ("b", (0, 1)), ("c", (0, 1)), ("d", (0, 2))]


@pytest.mark.parametrize(
    ("wider", "narrower"),
    [
        ("(min-width: 900px)", "(min-width: 50em)"),
        ("(min-width: 1px)", None),
        (None, "(max-width: 9000px)"),
        ("(max-width: 900px)", "(max-width: 300px)"),
        ("(width >= 900px)", "(300px <= width) and (width <= 600px)"),
        ("(max-width: 1px)", "print"),
        (None, "(prefers-color-scheme: dark)"),
    ],
)
def test_media(wider: str | None, narrower: str | None) -> None:
    assert reach_of(wider) > reach_of(narrower)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("background:url(a)", [["a"]]),
        ("color:red;background:URL('a' )", [["a"]]),
        ("/* x */ background /* y */ : /* z */ url(a)", [["a"]]),
        ("a:hover{background:url(a)}b{src:url(b)}", [["a"]]),
        ("background:url(a\\)b) url(c\\000020d)", [["a)b"], ["cd".replace("cd", "c d")]]),
        ('background:url("a\\"b")', [['a"b']]),
        ("background:'url(x)' url(b)", [["b"]]),
        ("background:image-set('a' 1x, \"b\" 3x, url(c) 2dppx)", [["b", "c", "a"]]),
        ("background:cross-fade(url(a), url(b))", [["a"], ["b"]]),
        ("background:image-set(linear-gradient(red,blue) 1x, 'a' 2x), url(b)", [["a"], ["b"]]),
        ("background:image-set('a' 1x;color:red;background:url(b)", [["a"], ["b"]]),
        ("background:url(a", [["a"]]),
        ("background:url(", [[""]]),
        ("background:my-url(a) url(b)", [["b"]]),
        ("background:url(\\d800 \\110000 x)", [["\ufffd\ufffdx"]]),
        ("background-color:url(a);list-style:url(b)", []),
    ],
)
def test_css(text: str, expected: list[list[str]]) -> None:
    assert [[candidate.address for candidate in picture] for picture in read_css(text)] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", 12), (" 12.7PX ", 12), ("+3", 3), (7, 7), (7.9, 8), ({"value": "5"}, 5),
        ("", None), ("12%", None), ("-1", None), (-1, None), (True, None), (None, None), ([], None), ("9" * 99, None),
        (10**400, None), (-(10**400), None), (float("nan"), None), (float("inf"), None), ({"value": {}}, None),
    ],
)  # fmt: skip
def test_pixels(value: Any, expected: int | None) -> None:
    assert pixels(value) == expected


# Which finds are one picture


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x.jpg", "http://a.example/x.jpg"),
        ("https://a.example/x.jpg", "https://a.example/x-scaled.jpg?ver=2"),
        ("https://a.example/x-300x200.jpg", "https://a.example/x-150x150.JPG"),
        ("https://a.example/x?w=1&h=2&fit=crop", "https://a.example/x?auto=format&w=300"),
        ("https://a.example/i?url=%2Fp.jpg&w=640&q=75", "https://a.example/i?q=75&url=%2Fp.jpg&w=1080"),
        ("https://a.example/x.jpg?resize=300,200&ssl=1", "https://a.example/x.jpg"),
    ],
)
def test_one_picture(one: str, other: str) -> None:
    assert identify(one).key == identify(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x.jpg", "https://b.example/x.jpg"),
        ("https://a.example/x.jpg", "https://a.example/y.jpg"),
        ("https://a.example/x.jpg", "https://a.example/x.png"),
        ("https://a.example/x.jpg", "https://a.example/X.jpg"),
        ("https://a.example/x.jpg?id=1", "https://a.example/x.jpg?id=2"),
        ("https://a.example/x?v=1", "https://a.example/x?v=2"),
        ("https://a.example/x?q=cat", "https://a.example/x?q=dog"),
        ("https://a.example/x?size=s", "https://a.example/x?size=m"),
        ("https://a.example/x-16x9.jpg", "https://a.example/x-4x3.jpg"),
        ("https://a.example/x-300x200", "https://a.example/x-100x100"),
        ("data:image/png;base64,AAAA", "data:image/png;base64,BBBB"),
    ],
)
def test_two_pictures(one: str, other: str) -> None:
    assert identify(one).key != identify(other).key


def test_a_picture_is_known_again_on_another_page() -> None:
    (thumbnail,) = read('<img src="/x-300x200.jpg">').pictures
    (copy,) = read('<img src="/x-150x150.jpg" srcset="/x-1024x683.jpg 1024w" alt="x">').pictures
    (original,) = read('<a href="http://www.example.org/x.jpg?ver=2"><img src="/x-300x200.jpg"></a>').pictures
    (other,) = read('<img src="/y.jpg">').pictures
    assert {thumbnail.identity.key, copy.identity.key, original.identity.key} == {"www.example.org/x.jpg"}
    assert thumbnail.identity.size < copy.identity.size < original.identity.size
    assert other.identity.key == "www.example.org/y.jpg"


def test_the_identity_is_that_of_the_best_address_of_all() -> None:
    (picture,) = read('<img src="/x-90x90.jpg"><img src="/x-300x200.jpg"><img src="/x-150x150.jpg">').pictures
    assert picture.identity == Identity("www.example.org/x.jpg", 300.0) == identify(picture.urls[0])


def test_the_larger_of_one_file_comes_first() -> None:
    names = ["x@2x.jpg", "x.jpg", "x-scaled.jpg", "x.jpg?w=1800&dpr=2", "x-1024x768.jpg", "x.jpg?w=900", "x-90x90.jpg"]
    for order in (names, names[::-1]):
        assert urls_of("".join(f'<img src="/{name}">' for name in order)) == [names]


def test_the_safe_address_of_two_comes_first() -> None:
    assert urls_of('<img src="http://a.example/x.jpg"><img src="https://a.example/x.jpg">') == [
        ["https://a.example/x.jpg", "http://a.example/x.jpg"]
    ]


def test_json_that_is_nested_too_deep_is_ignored() -> None:
    script = "<script type=application/ld+json>"
    assert urls_of(f'{script}{"[" * 200_000}</script>{script}{{"image":"/a.jpg"}}</script>') == [["a.jpg"]]


def test_what_scripts_will_show_comes_before_what_is_there() -> None:
    assert urls_of('<img src="/s.jpg" data-src="/b.jpg">') == [["b.jpg", "s.jpg"]]
    assert urls_of('<img src="/s.jpg" data-thumb="/b.jpg">') == [["s.jpg", "b.jpg"]]
    assert urls_of('<img src="/s.jpg" srcset="/w.jpg 10w" data-large-file="/b.jpg">') == [["b.jpg", "w.jpg", "s.jpg"]]


def test_a_pixel_that_counts_visitors_is_no_copy_of_the_picture_before_it() -> None:
    pixel = '<noscript><img src="https://t.example/p" width="1" height="1"></noscript>'
    assert urls_of(f'<img data-src="/a.jpg">{pixel}') == [["a.jpg"], ["https://t.example/p"]]


def test_addresses_and_texts_are_bounded() -> None:
    candidates = ", ".join(f"/{number}.jpg {number}w" for number in range(1, 100))
    (picture,) = read(f'<h1>{"h " * 9_000}</h1><img srcset="{candidates}" alt="{"a" * 9_000}">').pictures
    assert len(picture.urls) == MAX_URLS
    assert picture.urls[0] == f"{ROOT}99.jpg"
    assert len(picture.alt or "") == MAX_TEXT
    assert len(picture.heading or "") in {MAX_TEXT, MAX_TEXT - 1}


def test_decoration() -> None:
    body = '<img src="a.jpg" width="1"><img src="b.jpg" style="width: 9px; height:2px"><img src="c.svg?x"><img src="d">'
    assert [picture.looks_like_decoration for picture in read(body).pictures] == [True, True, True, False]


def test_the_size_of_a_thumbnail_is_not_that_of_the_picture() -> None:
    link, original, widest = read(
        '<a href="/a.jpg"><img src="/b.jpg" width="16"></a><img src="/c.jpg" data-full="/d.jpg" width="16">'
        '<img src="/e.jpg" width="16" height="16"><img src="/e.jpg" width="300">'
    ).pictures
    assert (link.width, original.width, widest.width, widest.height) == (None, None, 300, None)


# Large pages


def seconds(text: str) -> tuple[float, Page]:
    start = time.process_time()
    page = parse_page(text, url=URL)
    return time.process_time() - start, page


def rich(number: int) -> str:
    return (
        f'<h2>Part {number}</h2><figure><a href="/big/{number}.jpg"><img data-src="/t/{number}.jpg"></a>'
        f'<noscript><img src="/t/{number}.jpg"></noscript><figcaption>Caption {number}</figcaption></figure>'
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        rich,
        lambda number: f"<h1><figure><figcaption><picture><section><a href={number}.jpg>{number}",
        lambda number: f'<div style="background:url({number}.png);--x:\\"/*" data-x="/{number}.jpg">',
        lambda number: f"<div><a href=../{number}?x=é>x</a></b>",
        lambda number: f"<a href=/{number}.jpg><img src=/{number + 1}.jpg></a>",
        lambda number: f"<noscript>&lt;noscript&gt;&lt;img src={number}.jpg&gt;",
        lambda number: f"<style>.a{{background:url({number}.jpg",
        lambda number: f'<img srcset="a{number}.jpg (, 2x"',
        lambda number: f" data-{number}=/{number}.jpg" if number else "<html><img",
        lambda _: "<div></b></i></a>",
        lambda _: "<picture><source srcset=a.jpg>",
    ],
)
def test_time_grows_with_the_page_and_no_faster(piece: Any) -> None:
    """Four times the page takes four times as long; a quadratic step would take sixteen."""
    small, large = ("".join(map(piece, range(size))) for size in (6_000, 24_000))
    ratios = []
    for _ in range(5):
        ratios.append((seconds(large)[0] + 0.01) / (seconds(small)[0] + 0.01))
        if ratios[-1] < 10:
            return
    pytest.fail(f"four times the page took {ratios} times as long")


@pytest.mark.slow
def test_a_large_gallery() -> None:
    taken, page = seconds("<html><body>" + "".join(map(rich, range(20_000))))
    assert len(page.pictures) == 20_000
    assert (page.pictures[-1].heading, page.pictures[-1].caption) == ("Part 19999", "Caption 19999")
    assert taken < 20


def test_deep_nesting() -> None:
    tables = "<table><tr><td>" * 5_000 + '<img src="/a.jpg">' + "</td></tr></table>" * 5_000 + '<img src="/b.jpg">'
    assert urls_of(tables) == [["a.jpg"], ["b.jpg"]]
    assert read("<div>" * 100_000 + "<img src=/a.jpg>").pictures


@pytest.mark.parametrize("base", ["", "<base href=/>"])
def test_a_page_that_is_nested_too_deep_is_read_in_pieces(base: str) -> None:
    taken, page = seconds(
        f"<html>{base}<img src=/a.jpg><a href=/b.jpg>"
        + "<div>" * 60_000
        + "</b>" * 60_000
        + "<p>Words<a href=/d>x</a><img src=/c.jpg>"
    )
    assert not page.is_whole
    assert [picture.urls[0] for picture in page.pictures] == [f"{ROOT}{name}.jpg" for name in "abc"]
    assert page.links == [f"{ROOT}b.jpg", f"{ROOT}d"]
    assert taken < 10


def test_markup_as_text_may_be_nested_too_deep_itself() -> None:
    markup = "&lt;/b&gt;" * 60_000 + "&lt;a href=/x&gt;"
    _, page = seconds("<html>" + "<div>" * 9_000 + f"<noscript>{markup}</noscript><a href=/y>")
    assert page.links == [f"{ROOT}x", f"{ROOT}y"]


def test_no_link_is_lost_where_a_page_is_cut_in_pieces() -> None:
    """Whatever the length of what stands between the links: a cut falls between two tags."""
    _, page = seconds("".join(f'<div><a href="/{number}">{"x" * (number % 97)}</a>' for number in range(40_000)))
    assert not page.is_whole
    assert page.links == [f"{ROOT}{number}" for number in range(40_000)]


@pytest.mark.parametrize("href", ["/p/{}.html", "?page={}", "../{}/", "https://b.example/{}"])
def test_many_links(href: str) -> None:
    """Half a second on a machine of 2024; the bound is for busy ones."""
    taken, page = seconds("".join(f'<li><a href="{href.format(number)}">x</a>' for number in range(50_000)))
    assert page.is_whole
    assert len(page.links) == 50_000
    assert taken < 5


def test_an_element_with_many_attributes() -> None:
    taken, page = seconds("<html><img " + " ".join(f"data-{number}=/{number}.jpg" for number in range(40_000)) + ">")
    assert len(page.pictures) == 1
    assert taken < 10


# Whatever comes in

MARKUP = (
    "<a href=/x.jpg> </a> <a\thref= <picture> </picture> <noscript> </noscript> <noscript>&lt;img\tsrc=/q.jpg&gt; "
    '<figure> <figcaption> </figure> <h1> </h2> <section> </section> <style>a{background:url( </style> {"image": '
    '["/j.jpg", <script\ttype=\'application/ld+json\'> "\\ud800" </script> <template> </template> <svg> '
    "<image\thref=/s.png> "
    "<title> </title> <meta\tproperty=og:image\tcontent=/o.jpg> <base\thref= "
    "<meta\tproperty=og:image:width\tcontent= </div> <link\trel=preload\tas=image\timagesrcset='/l.jpg\t2x'> "
    "<source\tsrcset='a\t1x,\tb\t9w'\ttype=image/jxl> <!-- --> "
    '<b\t{="1"\txmlns:="3"> <div\tclass=\'wp-caption\twp-caption-text\'> <td\tbackground=/t.gif> <video\tposter=/v.jpg>'
)
VALUES = (
    "<img\t src=\" srcset=' data-src= data-bg=\" \"\t ' > style=\"background: image-set('a'\t1x, url(/c.png) \\ /* ; "
    "{ ) 12 {{ data:image/png;base64, https://[ https://h:x/ //h/x.jpg?w=3 /x-300x200.jpg &#xD800; \ud83d \0"
)
PIECES = st.sampled_from([piece.replace("\t", " ") for piece in f"{MARKUP} {VALUES}".split(" ")])
ANY_TEXT = st.text(st.characters(exclude_categories=()))
URLS = st.sampled_from([URL, ROOT, "x", "http://[", "https://h.example:9/ü?ü#ü", "data:image/png;base64,AAAA"])


def assert_sound(text: str, url: str) -> None:
    page, message = None, ""
    try:
        page = parse_page(text, url=url)
    except PageError as error:
        message = str(error)
    if page is None:
        assert "\n" not in message
        return
    assert page == parse_page(text, url=url)
    assert [picture.position for picture in page.pictures] == [*range(1, len(page.pictures) + 1)]
    assert len({identify(picture.urls[0]).key for picture in page.pictures}) == len(page.pictures)
    assert len({*page.links}) == len(page.links)
    for link in page.links:
        assert (
            link.isascii() and link.startswith(("https://", "http://")) and "#" not in link and link.split() == [link]
        )
        assert len(link) <= MAX_URL
    for picture in page.pictures:
        assert picture.identity == identify(picture.urls[0])
        assert 0 < len({*picture.urls}) == len(picture.urls) <= MAX_URLS
        for address in picture.urls:
            assert address.isascii()
            assert "#" not in address
            assert address.startswith(("https://", "http://", "data:image/"))
            assert address.split() == [address]
        for said in (picture.alt, picture.title, picture.caption, picture.heading):
            assert said is None or (said and len(said) <= MAX_TEXT and " ".join(said.split()) == said)
        assert all(size is None or size >= 0 for size in (picture.width, picture.height))
        assert picture.looks_like_decoration in {True, False}
    json.dumps([asdict(picture) for picture in page.pictures], ensure_ascii=False).encode("utf-8")


@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT, url=ANY_TEXT | URLS, prefix=st.sampled_from(["", "<html>", "<img src=", "<style>"]))
def test_any_text(text: str, url: str, prefix: str) -> None:
    assert_sound(prefix + text, url)


@settings(max_examples=600, deadline=None)
@given(pieces=st.lists(PIECES | st.text(max_size=5), max_size=25), url=URLS)
def test_pieces_of_pages(pieces: list[str], url: str) -> None:
    assert_sound("<html>" + "".join(pieces), url)


@settings(max_examples=200, deadline=None)
@given(case=st.sampled_from([case for case in CASES if "error" not in expected_of(case)]), data=st.data())
def test_damaged_pages(case: str, data: st.DataObject) -> None:
    page = page_of(case)
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(page))] * 2)))
    assert_sound(page[:first] + data.draw(PIECES | st.text(max_size=5)) + page[second:], URL)


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("ab ,().12xwh\t"), max_size=40))
def test_any_srcset(text: str) -> None:
    loose = parse_srcset(text, strict=False)
    assert all(found.address == found.address.strip(" ,\t") for found in loose)
    assert {*parse_srcset(text)} <= {*loose}


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("ab:;{}()'\"\\/* urlbackgnd-"), max_size=60) | ANY_TEXT)
def test_any_style(text: str) -> None:
    assert all(picture for picture in read_css(f"background:url(a){text}"))
