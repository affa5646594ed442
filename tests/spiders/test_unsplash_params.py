"""The arguments of unsplash, as a table: what each takes, what is said of a wrong one, and where a crawl begins."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from imagecrawl.outcomes import Outcome
from imagecrawl.params import explain
from spiders.unsplash import UnsplashParams
from tests.crawling import ROOT

SITE = "https://unsplash.com/"
PHOTO = f"{SITE}photos/Ab3-_xYz012"


def params(**arguments: str) -> UnsplashParams:
    return UnsplashParams(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("q", "  mountain   lake ", "mountain lake"),
        ("url", PHOTO, PHOTO),
        ("url", "unsplash.com/photos/mist-over-a-lake-Ab3-_xYz012?utm_source=x#y", PHOTO),
        ("url", "https://www.unsplash.com/de/fotos/nebel-Ab3-_xYz012", PHOTO),
        ("url", f"{SITE}t/nature", f"{SITE}t/nature"),
        ("url", f"{SITE}@ada?x=1", f"{SITE}@ada?x=1"),
        ("widths", "600", [600]),
        ("widths", "1200, 600,99999", [1200, 600, 99999]),
        ("limit", "5", 5),
        ("render", "1", True),
        ("render", "0", False),
        ("download", "0", False),
    ],
)
def test_a_good_argument_is_read(name: str, text: str, value: object) -> None:
    assert getattr(params(**{name: text}), name) == value


def test_the_defaults() -> None:
    given = params()
    assert (given.q, given.url, given.widths, given.limit, given.render) == (None, None, None, 100, False)
    assert given.outcome is None


def test_what_is_only_listed_is_so_from_the_start() -> None:
    assert params(download="0").outcome is Outcome.LISTED


@pytest.mark.parametrize(
    ("arguments", "start", "keyword"),
    [
        ({}, SITE, "unsplash"),
        ({"q": "mountain lake"}, f"{SITE}s/photos/mountain-lake", "mountain lake"),
        ({"q": "café/bar"}, f"{SITE}s/photos/caf%C3%A9%2Fbar", "café/bar"),
        ({"url": f"{SITE}photos/mist-Ab3-_xYz012"}, PHOTO, "unsplash"),
        ({"url": f"{SITE}t/nature"}, f"{SITE}t/nature", "unsplash"),
    ],
)
def test_where_it_begins_and_what_the_folder_is_called(arguments: dict[str, str], start: str, keyword: str) -> None:
    given = params(**arguments)
    assert (given.start_url, given.keyword) == (start, keyword)


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [({}, [None]), ({"widths": "600,1200"}, [600, 1200]), ({"widths": "1200,600,1200,0600"}, [1200, 600])],
)
def test_each_width_is_asked_for_once_and_without_any_the_original_is(
    arguments: dict[str, str], sizes: list[int | None]
) -> None:
    assert params(**arguments).sizes == sizes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"q": "lake", "url": PHOTO}, "give one of the arguments `q` and `url`, or none"),
        ({"q": " "}, "argument `q` takes words to search for; got ' '. It is empty"),
        ({"q": "a\x07b"}, "It has a control character"),
        ({"url": ""}, "argument `url` takes a page of unsplash.com to begin with, that of a photo for example; got ''"),
        ({"url": "https://example.com/photos/Ab3-_xYz012"}, "It is no page of unsplash.com"),
        ({"url": "https://unsplash.com.evil.example/"}, "It is no page of unsplash.com"),
        ({"url": "https://images.unsplash.com/photo-1600000000001-00000000000a"}, "It is no page of unsplash.com"),
        ({"url": f"{PHOTO} {SITE}"}, "It is no page of unsplash.com"),
        ({"url": "ftp://unsplash.com/"}, "is neither http: nor https:"),
        ({"url": "lake"}, "`lake` has no host"),
        ({"widths": ""}, "argument `widths` takes widths in pixels such as `600,1200`, with commas between; got ''"),
        ({"widths": "600,"}, "A word is missing"),
        ({"widths": "600,wide"}, "`wide` is none"),
        ({"widths": "-600"}, "`-600` is none"),
        ({"widths": "600.5"}, "`600.5` is none"),
        ({"widths": "100000"}, "`100000` is none"),
        ({"widths": "600,0"}, "argument `widths` takes widths in pixels such as `600,1200`"),
        ({"limit": "0"}, "argument `limit` takes a whole number from 1, photos in all; got '0'"),
        ({"limit": "all"}, "argument `limit` takes a whole number from 1"),
        ({"render": "maybe"}, "argument `render` takes `1` (show each page in a browser, and scroll to its end) or"),
        ({"download": "some"}, "argument `download` takes `0` (list what there is"),
        ({"width": "600"}, "argument `width` is unknown. Did you mean `widths`?"),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_takes(arguments: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        params(**arguments)
    assert message in explain(caught.value, UnsplashParams)


def test_the_readme_names_every_argument() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme[readme.index("`unsplash` gets") :]
    for name in UnsplashParams.model_fields.keys() - {"job"}:
        assert re.search(rf"\n\|(?: `\w+`)* `{name}`[ `\w]*\|", section), name
