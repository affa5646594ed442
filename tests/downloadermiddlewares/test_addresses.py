"""Which addresses no request goes to, whoever made it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request
from scrapy.utils.test import get_crawler

from imagecrawl.downloadermiddlewares.addresses import AddressesMiddleware
from imagecrawl.downloads import Downloads
from imagecrawl.exceptions import MediaError
from imagecrawl.failures import BAD_URL, NO_SUCH_SCHEME, PRIVATE_ADDRESS, URL_TOO_LONG, Failure, RequestRefusedError
from settings import base

RULES = {"URLLENGTH_LIMIT": 100, "DATA_URI_MAX": 200}
REFUSED = [
    ("file:///etc/passwd", NO_SUCH_SCHEME),
    ("ftp://a.example/x", NO_SUCH_SCHEME),
    ("s3://bucket/x", NO_SUCH_SCHEME),
    ("javascript://a.example/%0aalert(1)", NO_SUCH_SCHEME),
    (f"{'x' * 300}://a.example/", NO_SUCH_SCHEME),
    (f"http://a.example/{'x' * 84}", URL_TOO_LONG),
    (f"data:,{'x' * 195}", URL_TOO_LONG),
    ("http://127.0.0.1/", PRIVATE_ADDRESS),
    ("https://wiki.internal/", PRIVATE_ADDRESS),
    ("http:///x", BAD_URL),
    ("http://256.1.1.1/", BAD_URL),
    ("http://me:word@a.example/", BAD_URL),
    ("https://me@a.example/", BAD_URL),
]
ALLOWED = [
    "http://a.example/",
    "https://A.example:8443/x?y=@#z",
    f"http://a.example/{'x' * 83}",
    "data:,",
    f"data:,{'x' * 194}",
    "DATA:,x",
]


def middleware(spider: Any = None, **settings: Any) -> AddressesMiddleware:
    crawler = get_crawler(settings_dict=RULES | settings)
    crawler.spider = spider
    return AddressesMiddleware.from_crawler(crawler)


def downloads(**settings: Any) -> Downloads:
    return Downloads(get_crawler(settings_dict=RULES | settings), accept="*/*", max_bytes=1)


@pytest.mark.parametrize(("url", "failure"), REFUSED)
def test_what_is_refused_is_refused_of_all(url: str, failure: Failure) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        middleware().process_request(Request(url))
    assert caught.value.failure is failure
    with pytest.raises(MediaError) as told:
        downloads().request(url)
    assert (told.value.outcome, told.value.reason) == (failure.outcome, failure.reason)
    assert told.value.passing == (failure is PRIVATE_ADDRESS)  # the next crawl may be allowed to
    assert "word" not in str(caught.value)


@pytest.mark.parametrize("url", ALLOWED)
def test_all_else_passes(url: str) -> None:
    middleware().process_request(Request(url))
    assert downloads().request(url).url.startswith(url[:1].lower())


def test_a_bound_of_0_is_no_bound() -> None:
    free = middleware(URLLENGTH_LIMIT=0, DATA_URI_MAX=0)
    for url in (f"http://a.example/{'x' * 10_000}", f"data:,{'x' * 10_000}"):
        free.process_request(Request(url))


def test_the_setting_opens_ones_own_network_and_nothing_else() -> None:
    for url, failure in REFUSED:
        if failure in {PRIVATE_ADDRESS, BAD_URL} and "@" not in url:
            middleware(ALLOW_PRIVATE_ADDRESSES=True).process_request(Request(url))
        else:
            with pytest.raises(RequestRefusedError):
                middleware(ALLOW_PRIVATE_ADDRESSES=True).process_request(Request(url))


@pytest.mark.parametrize("name", ["page.html", "a page [1] % é.html"])
def test_of_files_only_the_saved_page_is_read(tmp_path: Path, name: str) -> None:
    page = tmp_path / name
    rules = middleware(SimpleNamespace(args=SimpleNamespace(page=page)))
    rules.process_request(Request(page.as_uri()))
    for url in ((tmp_path / "other.html").as_uri(), f"{page.as_uri()}/../other.html", "file:///etc/passwd"):
        with pytest.raises(RequestRefusedError):
            rules.process_request(Request(url))
    for spider in (None, SimpleNamespace(), SimpleNamespace(args=SimpleNamespace(page=None))):
        with pytest.raises(RequestRefusedError):
            middleware(spider).process_request(Request(page.as_uri()))


@pytest.mark.parametrize("url", ["no address", "//a.example/1", "", "http//x"])
def test_what_has_no_scheme_is_no_address(url: str) -> None:
    with pytest.raises(MediaError) as told:
        downloads().request(url)
    assert (told.value.outcome, told.value.reason) == ("failed", "bad-url")


def test_of_an_endless_address_no_request_is_made() -> None:
    loads = downloads()
    for url in (f"data:,{'%20é' * 1_000_000}", "x" * 4_000_000, f"d\tata:,{'é' * 4_000_000}"):
        begun = time.process_time()
        with pytest.raises(MediaError) as told:
            loads.request(url)
        assert told.value.reason == "url-too-long"
        assert time.process_time() - begun < 0.3  # a Request takes a second


LOADS = downloads()


@given(st.text() | st.text().map("http://{}".format))
def test_no_text_is_too_strange(text: str) -> None:
    with suppress(MediaError):
        LOADS.request(text)


def test_a_file_may_take_longer() -> None:
    crawler = get_crawler()
    assert "download_timeout" not in Downloads(crawler, accept="*/*", max_bytes=1).request(ALLOWED[0]).meta
    slow = Downloads(crawler, accept="*/*", max_bytes=1, timeout=600).request(ALLOWED[0])
    assert slow.meta["download_timeout"] == 600


def test_it_comes_before_all_that_asks() -> None:
    numbers = [number for number in base.DOWNLOADER_MIDDLEWARES.values() if number is not None]
    name = f"{AddressesMiddleware.__module__}.{AddressesMiddleware.__name__}"
    assert base.DOWNLOADER_MIDDLEWARES[name] == min(numbers) < 100
