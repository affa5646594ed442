"""Redirects, as far as no crawl is needed to see them; tests/test_horrors.py follows every kind of them."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response
from scrapy.utils.test import get_crawler

from imagecrawl.downloadermiddlewares.redirect import MetaRefreshMiddleware, RedirectMiddleware
from imagecrawl.failures import BAD_URL, NO_SUCH_SCHEME, Failure, RequestRefusedError

URL = "https://a.example/1.jpg"


def redirected(location: str, status: int = 302) -> Request | Response:
    answer = Response(URL, status=status, headers={"Location": location})
    return RedirectMiddleware.from_crawler(get_crawler()).process_response(Request(URL), answer)


@pytest.mark.parametrize(
    ("location", "failure"),
    [
        ("file:///etc/passwd", NO_SUCH_SCHEME),
        ("ftp://b.example/1.jpg", NO_SUCH_SCHEME),
        ("S3://bucket/1.jpg", NO_SUCH_SCHEME),
        ("http://[::1", BAD_URL),
    ],
)
def test_a_redirect_to_what_is_not_asked_for_is_a_refusal(location: str, failure: Failure) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        redirected(location)
    assert caught.value.failure is failure


def test_a_redirect_is_followed() -> None:
    followed = redirected("/2.jpg")
    assert isinstance(followed, Request) and followed.url == "https://a.example/2.jpg"


@pytest.mark.parametrize(("status", "location"), [(200, "file:///etc/passwd"), (302, "data:,x"), (304, "/x")])
def test_an_answer_that_leads_nowhere_is_an_answer(status: int, location: str) -> None:
    assert isinstance(redirected(location, status), Response)


def test_a_page_that_leads_to_no_address_is_refused() -> None:
    page = HtmlResponse(URL, body=b'<meta http-equiv="refresh" content="0; url=http://[::1">')
    with pytest.raises(RequestRefusedError) as caught:
        MetaRefreshMiddleware.from_crawler(get_crawler()).process_response(Request(URL), page)
    assert caught.value.failure is BAD_URL
