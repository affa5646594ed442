"""Unsplash: addresses, photos and walls; every saved page gives what its JSON says.

A saved page is two files in ``tests/saved_pages/unsplash``: the page, and a JSON with its ``url``, its ``status`` where
that is not 200, and either ``photos``, ``photo`` (the id of the one it is about) and ``links``, or ``error``, ``kind``
and ``message_part``. The pages are written by hand: elements after what a crawler of 2023 selects, JSON after the
documentation of the site's API.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagecrawl import exceptions
from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError, PageError
from imagecrawl.pages.unsplash import (
    HOST,
    IMAGE_HOST,
    SITE,
    Page,
    Photo,
    build_search_url,
    canonical_photo_url,
    image_id,
    is_site_url,
    original_url,
    parse_links,
    parse_page,
    parse_photo_page,
    parse_photos,
    photo_code,
    sized_url,
)
from imagecrawl.pages.unsplash_figures import largest
from tests.pages.saved import SavedPages, raises_as

SAVED = SavedPages("unsplash")
CASES, page_of, expected_of = SAVED.cases, SAVED.page_of, SAVED.expected_of

ID = "1600000000001-00000000000a"
PICTURE = f"https://{IMAGE_HOST}/photo-{ID}"
OTHER = f"https://{IMAGE_HOST}/photo-1600000000008-000000000012"
PAID = "https://plus.unsplash.com/premium_photo-1600000000002-00000000000c"
LAKE = f"{SITE}photos/mist-over-a-lake-Ab3-_xYz012"


def read(case: str) -> Page:
    expected = expected_of(case)
    return parse_page(page_of(case), url=expected["url"], status=expected.get("status", 200))


def plain(page: Page) -> dict[str, Any]:
    """A page as the JSON of a saved page has it."""
    value = {
        "photos": [asdict(photo) for photo in page.photos],
        "photo": page.photo.id if page.photo else None,
        "links": page.links,
    }
    plain_value: dict[str, Any] = json.loads(json.dumps(value))
    return plain_value


@pytest.mark.parametrize("case", CASES)
def test_saved_page(case: str) -> None:
    expected = expected_of(case)
    if "error" in expected:
        with raises_as(expected):
            read(case)
    else:
        assert plain(read(case)) == {name: expected[name] for name in ("photos", "photo", "links")}


def test_no_page_was_left_without_its_json() -> None:
    assert sorted(path.stem for path in SAVED.folder.glob("*.html")) == CASES


@pytest.mark.parametrize("case", CASES)
def test_the_single_questions_are_answered_as_the_whole(case: str) -> None:
    expected = expected_of(case)
    asked = {"url": expected["url"], "status": expected.get("status", 200)}
    if "error" in expected:
        for parse in (parse_photos, parse_links, parse_photo_page):
            with pytest.raises(getattr(exceptions, expected["error"])):
                parse(page_of(case), **asked)
        return
    page = read(case)
    assert parse_photos(page_of(case), **asked) == page.photos
    assert parse_links(page_of(case), **asked) == page.links
    if page.photo:
        assert parse_photo_page(page_of(case), **asked) == page.photo
        assert page.photo in page.photos


# Addresses


@pytest.mark.parametrize(
    ("url", "known"),
    [
        (PICTURE, True),
        (f"{PICTURE}?w=600&q=60", True),
        (f"http://{IMAGE_HOST.upper()}/photo-{ID}", True),
        (f"https://{IMAGE_HOST}/flagged/photo-{ID}", True),
        (f"https://{IMAGE_HOST}/profile-{ID}?w=32", False),
        (f"https://{IMAGE_HOST}/profile-{ID}image", False),
        (f"https://{IMAGE_HOST}/premium_photo-{ID}", False),
        (f"https://{IMAGE_HOST}/photo-{ID}0", False),
        (f"https://{IMAGE_HOST}/photo-{ID[1:]}", False),
        (f"https://{IMAGE_HOST}/photo-{ID.upper()}", False),
        (f"https://{IMAGE_HOST}:8080/photo-{ID}", False),
        (f"https://x@{IMAGE_HOST}/photo-{ID}", False),
        (f"https://{IMAGE_HOST}.evil.example/photo-{ID}", False),
        (f"https://plus.unsplash.com/photo-{ID}", False),
        (f"ftp://{IMAGE_HOST}/photo-{ID}", False),
        ("https://[", False),
        ("", False),
        (None, False),
    ],
)
def test_image_id(url: str | None, known: bool) -> None:
    assert image_id(url) == (ID if known else None)


@pytest.mark.parametrize(
    ("url", "known"),
    [
        (SITE, True),
        (LAKE, True),
        ("http://www.unsplash.com", True),
        (f"https://{HOST.upper()}/de/s/fotos/see?x=1#y", True),
        (f"https://{HOST}:443/", True),
        (PICTURE, False),
        ("https://plus.unsplash.com/", False),
        (f"https://{HOST}.evil.example/", False),
        (f"https://not{HOST}/", False),
        (f"https://{HOST}@evil.example/", False),
        (f"ftp://{HOST}/", False),
        (HOST, False),
        ("https://[", False),
        ("", False),
    ],
)
def test_is_site_url(url: str, known: bool) -> None:
    assert is_site_url(url) is known


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("photos/Ab3-_xYz012", "Ab3-_xYz012"),
        ("photos/mist-over-a-lake-Ab3-_xYz012/?utm=x#y", "Ab3-_xYz012"),
        ("photos/mist--b3-_xYz012", "-b3-_xYz012"),
        ("de/fotos/t%C3%BCr-Ab3-_xYz012", "Ab3-_xYz012"),
        ("pt-br/fotografias/Ab3-_xYz012", "Ab3-_xYz012"),
        ("ja/%E5%86%99%E7%9C%9F/Ab3-_xYz012", "Ab3-_xYz012"),
        ("photos/Ab3-_xYz012/download", None),
        ("photos/mistAb3-_xYz012", None),
        ("photos/Ab3-_xYz01", None),
        ("photos/Ab3.xYz0123", None),
        ("s/photos/Ab3-_xYz012", None),
        ("t/street-photography", None),
        ("collections/Ab3-_xYz012", None),
        ("", None),
    ],
)
def test_photo_code(path: str, code: str | None) -> None:
    assert photo_code(SITE + path) == code
    assert photo_code(f"https://www.{HOST}/{path}") == code
    assert photo_code(f"https://{HOST}.example/{path}") is None
    if code:
        assert canonical_photo_url(SITE + path) == f"{SITE}photos/{code}"
    else:
        with pytest.raises(ValueError, match=r"^no address of a photo on unsplash.com: '"):
            canonical_photo_url(SITE + path)


@pytest.mark.parametrize(
    ("q", "path"),
    [
        ("lake", "lake"),
        (" mountain   lake ", "mountain-lake"),
        ("Café & bar/pub?", "Caf%C3%A9-%26-bar%2Fpub%3F"),
        ("black-white", "black-white"),
        ("..", ".."),
    ],
)
def test_build_search_url(q: str, path: str) -> None:
    assert build_search_url(q) == f"{SITE}s/photos/{path}"


@pytest.mark.parametrize("q", ["", " \n"])
def test_a_search_needs_a_word(q: str) -> None:
    with pytest.raises(ValueError, match="a search needs a word"):
        build_search_url(q)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "fit=max&w=600"),
        ("w=1080", "fit=max&w=600"),
        ("q=60&auto=format,compress&fit=crop&w=1000&h=300", "auto=format,compress&fit=max&q=60&w=600"),
        ("w=1000&dpr=2&crop=entropy&cs=tinysrgb&fm=jpg&ar=1:1", "cs=tinysrgb&fit=max&fm=jpg&w=600"),
        ("W=1000&max-w=9&min-h=9&rect=0,0,9,9", "fit=max&w=600"),
        ("ixlib=rb-4.0.3&ixid=M3wx&q=80", "fit=max&q=80&w=600"),
    ],
)
def test_sized_url(query: str, expected: str) -> None:
    assert sized_url(f"{PICTURE}?{query}" if query else PICTURE, 600) == f"{PICTURE}?{expected}"


def test_an_address_is_the_same_wherever_the_picture_is_found() -> None:
    seen = [f"{PICTURE}?w=600&q=60&ixid=a&auto=format", f"http:{PICTURE[6:]}?auto=format&ixid=b&q=60&w=1200&fit=crop#x"]
    assert len({sized_url(url, 600) for url in seen}) == 1
    assert {original_url(url) for url in seen} == {PICTURE}


@pytest.mark.parametrize("url", ["", PAID, SITE, f"https://{IMAGE_HOST}/profile-{ID}", "https://["])
def test_what_is_no_picture_has_no_sizes(url: str) -> None:
    for make in (original_url, lambda url: sized_url(url, 600)):
        with pytest.raises(ValueError, match=r"^no picture of a free photo: "):
            make(url)


@pytest.mark.parametrize("width", [0, -1])
def test_a_width_is_a_number_of_pixels(width: int) -> None:
    with pytest.raises(ValueError, match="a width is a number of pixels"):
        sized_url(PICTURE, width)


# Photos


def photos_of(body: str, url: str = SITE) -> list[Photo]:
    return parse_photos(f"<html><body>{body}</body></html>", url=url)


@pytest.mark.parametrize(
    ("srcset", "query"),
    [
        (f"{PICTURE}?w=1 1w, {PICTURE}?w=3 3w, {PICTURE}?w=2 2w", "w=3"),
        (f"{PICTURE}?w=9 9w,{PICTURE}?w=10 10w", "w=10"),
        (f"{PICTURE}?w=1 1x, {PICTURE}?w=1&dpr=2 1.5x", "w=1&dpr=2"),
        (f"{PICTURE}?auto=format,compress&w=1 1w", "auto=format,compress&w=1"),
        (f"{PICTURE}?w=1, {PICTURE}?w=2", "w=1"),
        (f"  ,, {PICTURE}?w=1 1w ,", "w=1"),
        (f"{PAID}?w=9 9w, {PICTURE}?w=1 1w", "w=1"),
        (f"{PICTURE}?w=1 1w 7h, {PICTURE}?w=2 2w 8h", "w=2"),
        (f"{PICTURE}?w=1 wide", "w=1"),
    ],
)
def test_the_largest_candidate(srcset: str, query: str) -> None:
    assert largest(srcset) == f"{PICTURE}?{query}"


@pytest.mark.parametrize("srcset", ["", " , ", "data:image/gif;base64,AAAA 1x", f"{PAID} 600w"])
def test_no_candidate(srcset: str) -> None:
    assert largest(srcset) is None


def test_every_place_completes_what_another_says() -> None:
    """The element comes first: its address, its text and its title count."""
    state = {
        "photos": [
            {
                "id": "Ab3-_xYz012",
                "alt_description": "other",
                "description": "words",
                "urls": {"full": f"{PICTURE}?q=85"},
                "user": {"name": "Ada", "username": "ada"},
                "tags": [{"title": "lake"}],
            }
        ]
    }
    (photo,) = photos_of(
        f'<img alt="mist" srcset="{PICTURE}?w=600 600w"><script type="application/json">{json.dumps(state)}</script>'
    )
    assert photo == Photo(
        id=ID,
        code="Ab3-_xYz012",
        image_url=f"{PICTURE}?w=600",
        page_url=f"{SITE}photos/Ab3-_xYz012",
        description="mist",
        title="words",
        photographer="Ada",
        photographer_url=f"{SITE}@ada",
        tags=("lake",),
    )


def test_a_later_visit_completes_a_record() -> None:
    early = Photo(id=ID, image_url=PICTURE, description="mist")
    silent, untagged = Photo(id=ID, image_url=OTHER), Photo(id=ID, image_url=OTHER, tags=())
    tagged = Photo(id=ID, image_url=OTHER, tags=("lake",), description="other")
    assert early.completed(silent) == early
    assert early.completed(untagged).tags == ()
    assert early.completed(untagged).completed(silent).tags == ()
    assert early.completed(untagged).completed(tagged) == early.completed(tagged)
    assert early.completed(tagged) == Photo(id=ID, image_url=PICTURE, description="mist", tags=("lake",))


@pytest.mark.parametrize(
    "script",
    [
        "<script>window.x = {}</script>",
        "<script>var a=[],b={{broken; window.x={}</script>",
        '<script>self.x=JSON.parse( {} )</script><script>x = {{"a": ',
        '<script type="application/json">\n {} </script>',
        '<script type="application/ld+json">[{}, {}]</script>',
    ],
)
def test_where_json_may_stand(script: str) -> None:
    value = json.dumps({"deep": [{"urls": {"raw": PICTURE}, "id": "Ab3-_xYz012"}]})
    if "JSON.parse" in script:
        value = json.dumps(value)
    (photo,) = photos_of(script.replace("{}", value).replace("{{", "{"))
    assert (photo.id, photo.code) == (ID, "Ab3-_xYz012")


def test_scripts_that_come_from_elsewhere_are_not_read() -> None:
    with pytest.raises(PageError):
        photos_of(f'<script src="/x.js">x = {{"urls": {{"raw": "{PICTURE}"}}}}</script>')


def test_the_photo_of_a_page_is_the_one_with_its_code() -> None:
    unlinked = f'<img alt="banner" srcset="{OTHER} 1w">'
    linked = f'<a href="/photos/Ab3-_xYz012"><img srcset="{PICTURE} 1w"></a>'
    page = parse_page(unlinked + linked, url=LAKE)
    assert page.photo and page.photo.id == ID


def test_the_photo_of_a_page_is_the_one_it_is_shared_with() -> None:
    text = f'<meta property="og:image" content="{PICTURE}?h=630"><img srcset="{OTHER} 1w"><img srcset="{PICTURE} 1w">'
    assert parse_photo_page(text, url=LAKE).id == ID
    assert parse_photo_page(text.replace("og:image", "og:title"), url=LAKE).id == image_id(OTHER)
    shared_is_another = f'<figure><a href="/photos/CCCCCCCCCC0"><img srcset="{PICTURE} 1w"></a></figure>'
    assert parse_photo_page(
        f'{text[: text.index("<img")]}{shared_is_another}<img srcset="{OTHER} 1w">', url=LAKE
    ).id == (image_id(OTHER))


def test_the_page_of_a_photo_that_it_does_not_show() -> None:
    other = f'<figure><a href="/photos/CCCCCCCCCC0"><img srcset="{OTHER} 1w"></a></figure>'
    with pytest.raises(PageChangedError, match="does not show it"):
        parse_photo_page(other, url=LAKE)
    with pytest.raises(PageEmptyError, match="wants to be paid"):
        parse_photo_page(f'{other}<img srcset="{PAID} 1w">', url=LAKE)
    with pytest.raises(PageEmptyError, match="wants to be paid"):
        parse_photo_page(f'{other}<a href="{LAKE}"><img src="{PAID}"></a>', url=LAKE)
    with pytest.raises(PageEmptyError, match="led to another page"):
        parse_photo_page(other, url=SITE)
    assert parse_page(other, url=LAKE).photo is None


def test_only_the_licence_of_free_photos_is_one() -> None:
    picture = f'<img srcset="{PICTURE} 1w">'
    for link, licence in (
        ("/license", f"{SITE}license"),
        ("/plus/license", None),
        ("https://elsewhere.example/license", None),
    ):
        assert parse_photo_page(f'{picture}<a href="{link}">x</a>', url=LAKE).licence_url == licence
    (photo,) = photos_of(f'<figure>{picture}<meta itemprop="license" content="{SITE}license"></figure>')
    assert photo.licence_url == f"{SITE}license"


def test_tags_without_a_heading_are_those_beside_the_photo() -> None:
    apart = "".join(f'<{tag}><a href="/s/photos/{tag}">x</a></{tag}>' for tag in ("nav", "header", "footer", "figure"))
    picture = f'<img srcset="{PICTURE} 1w">'
    assert parse_photo_page(f"{apart}{picture}", url=LAKE).tags is None
    assert parse_photo_page(f'{apart}{picture}<p><a href="/s/photos/lake"></a></p>', url=LAKE).tags == ("lake",)


def test_what_a_photo_holds_is_not_on_the_page() -> None:
    inner = {"urls": {"raw": OTHER}}
    outer = {"urls": {"raw": PICTURE}, "id": "Ab3-_xYz012", "related_collections": {"results": [inner]}}
    (photo,) = photos_of(f'<script type="application/json">{json.dumps(outer)}</script>')
    assert photo.id == ID


def test_a_saved_page_leads_to_the_site() -> None:
    assert parse_page(page_of("start"), url="file:///home/ada/start.html") == read("start")


def test_links_of_the_picture_count_before_those_beside_it() -> None:
    beside = '<a href="/photos/CCCCCCCCCC0" title="beside"></a>'
    around = f'<a href="/photos/Ab3-_xYz012" title="around"><img srcset="{PICTURE} 1w"></a>'
    (photo,) = photos_of(f"<figure>{beside}{around}</figure>")
    assert (photo.code, photo.title) == ("Ab3-_xYz012", "around")
    (photo,) = photos_of(f'<figure>{beside}<figure><img srcset="{PICTURE} 1w"></figure></figure>')
    assert photo.code is None


# Walls


@pytest.mark.parametrize(
    ("status", "kind", "ends_crawl"),
    [
        (401, Obstacle.REFUSED, False),
        (403, Obstacle.NETWORK_BLOCK, True),
        (429, Obstacle.RATE_LIMITED, False),
        (500, Obstacle.REFUSED, False),
        (503, Obstacle.REFUSED, False),
    ],
)
def test_refused(status: int, kind: Obstacle, ends_crawl: bool) -> None:
    """Whatever the page shows."""
    with pytest.raises(PageBlockedError) as caught:
        parse_page(page_of("start"), url=SITE, status=status)
    assert (caught.value.kind, caught.value.ends_crawl) == (kind, ends_crawl)
    assert str(status) in str(caught.value)


@pytest.mark.parametrize("status", [404, 410])
def test_gone(status: int) -> None:
    with pytest.raises(PageEmptyError, match=str(status)):
        parse_page(page_of("start"), url=LAKE, status=status)


def test_what_ends_a_crawl() -> None:
    ends = set()
    for case in CASES:
        try:
            read(case)
        except PageError as error:
            ends |= {case} if error.ends_crawl else set()
    assert ends == {"blocked_403", "bot_check", "login"}


def test_nothing_is_found_by_searches_only() -> None:
    """A photo may be described by such words."""
    body = f'<h1>No results</h1><img srcset="{PICTURE} 1w">'
    assert photos_of(body, LAKE)
    with pytest.raises(PageEmptyError):
        photos_of(body, f"{SITE}de/s/fotos/lake")


def test_a_page_of_text_is_no_shell() -> None:
    with pytest.raises(PageChangedError):
        photos_of(f"<script></script><p>{'All is new. ' * 60}</p>")


@pytest.mark.parametrize("text", ["", " \n", "<!DOCTYPE html><html><head>"])
def test_an_answer_that_ends_early(text: str) -> None:
    with pytest.raises(PageBlockedError) as caught:
        parse_page(text, url=SITE)
    assert caught.value.kind is Obstacle.TRUNCATED


# Whatever comes in


def assert_only_known_errors(text: str, url: str, status: int = 200) -> None:
    page, message = None, ""
    try:
        page = parse_page(text, url=url, status=status)
    except PageError as error:
        message = str(error)
    assert "\n" not in message
    if page is None:
        return
    assert page.photos
    assert len({photo.id for photo in page.photos}) == len(page.photos)
    assert len({photo_code(link) for link in page.links}) == len(page.links)
    assert all(photo_code(link) and urlsplit(link).hostname == HOST for link in page.links)
    for photo in page.photos:
        assert urlsplit(photo.image_url).hostname == IMAGE_HOST
        assert image_id(photo.image_url) == photo.id
        assert photo.code == (photo_code(photo.page_url) if photo.page_url else None)
        sized = sized_url(photo.image_url, 600)
        assert image_id(sized) == photo.id and dict(parse_qsl(urlsplit(sized).query))["w"] == "600"
        assert sized_url(sized, 600) == sized
        assert original_url(sized) == original_url(photo.image_url)
    json.dumps([asdict(photo) for photo in page.photos], ensure_ascii=False).encode("utf-8")


PIECES = st.sampled_from(
    [
        "<figure>",
        "</figure>",
        '<a href="/photos/mist-Ab3-_xYz012" title="x">',
        '<a href="/@x">',
        '<a href="/s/photos/lake">',
        '<a href="',
        "</a>",
        "<h3>Related tags</h3>",
        f'<img alt="y" srcset="{PICTURE}?w=600 600w, ',
        f"{OTHER}?q=&amp;w=%E9&amp;é=1 9w",
        f'<img src="{PAID}">',
        '">',
        '<script type="application/json">',
        "<script>x=",
        "JSON.parse('",
        '{"urls": {"raw": "',
        PICTURE,
        '"}, "id": "Ab3-_xYz012", "slug": 3, "user": {"links": {"html": "https://["}}, "tags": [[]]}',
        "</script>",
        "&#xD800;",
        "https://[",
        "\ud83d",
        "\0",
        "<?xml version='1.0' encoding='x'?>",
        '" {="1" xmlns:="3">',
    ]
)
URLS = st.sampled_from([SITE, LAKE, f"{SITE}s/photos/lake", "file:///x.html", "x", "https://["])
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@settings(max_examples=200)
@given(text=ANY_TEXT, url=ANY_TEXT | URLS, status=st.sampled_from([200, 403, 404, 500]))
def test_any_text(text: str, url: str, status: int) -> None:
    assert_only_known_errors(text, url, status)


@settings(max_examples=500)
@given(pieces=st.lists(PIECES | st.text(max_size=5), max_size=20), url=URLS)
def test_pieces_of_pages(pieces: list[str], url: str) -> None:
    assert_only_known_errors("".join(pieces), url)


@settings(max_examples=200)
@given(case=st.sampled_from(CASES), data=st.data())
def test_damaged_pages(case: str, data: st.DataObject) -> None:
    page = page_of(case)
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(page))] * 2)))
    damage = data.draw(PIECES | st.text(max_size=5))
    assert_only_known_errors(page[:first] + damage + page[second:], expected_of(case)["url"])


@settings(max_examples=300)
@given(prefix=st.sampled_from(["", SITE, f"{SITE}photos/", f"{PICTURE}?", f"{PICTURE}?w=1&"]), text=ANY_TEXT)
def test_any_address(prefix: str, text: str) -> None:
    for make in (canonical_photo_url, original_url, lambda url: sized_url(url, 600)):
        try:
            url = make(prefix + text)
        except ValueError:
            continue
        assert make(url) == url


@settings(max_examples=200)
@given(q=ANY_TEXT)
def test_any_search(q: str) -> None:
    try:
        url = build_search_url(q)
    except ValueError:
        return
    assert url.isascii() and urlsplit(url).path.count("/") == 3


def test_deep_nesting() -> None:
    picture = f'<img srcset="{PICTURE}?w=1 1w">'
    assert_only_known_errors(f'<figure><a href="/@x">{picture}' * 500, LAKE)
    assert_only_known_errors(f'<div><a href="/photos/AAAAAAAAAAA">{picture}' * 500, SITE)
    assert_only_known_errors("<script>" + '={"a":["' * 5_000 + "</script>", SITE)
    assert_only_known_errors('<script type="application/json">' + '{"a":' * 100_000, SITE)
