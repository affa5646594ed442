"""What our spiders share, as far as no crawl is needed to see it."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, cast

import pytest
from scrapy import Request
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError, IgnoreRequest
from scrapy.http import HtmlResponse, Response
from scrapy.utils.test import get_crawler

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError
from imagecrawl.failures import RATE_LIMITED, ROBOTS_TXT, RequestRefusedError
from imagecrawl.spider import MediaSpider, page_error, text_of

URL = "https://a.example/"


class SomeSpider(MediaSpider):
    name = "some"
    limit = "10"

    def item_settled(self, item: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            RequestRefusedError("www.a.example asks to wait 90 s", RATE_LIMITED),
            Obstacle.RATE_LIMITED,
            "no page of a.example: www.a.example asks to wait 90 s",
        ),
        (
            RequestRefusedError("the robots.txt of a.example forbids it", ROBOTS_TXT),
            Obstacle.ROBOTS_TXT,
            "no page of a.example: the robots.txt of a.example forbids it",
        ),
        (
            IgnoreRequest("max redirections reached"),
            Obstacle.REDIRECTS,
            "the page of a.example leads on and on (IgnoreRequest: max redirections reached)",
        ),
        (
            IgnoreRequest("not today"),
            Obstacle.REFUSED,
            "the page of a.example is not to be asked for (IgnoreRequest: not today)",
        ),
        (
            DownloadTimeoutError("first\nsecond"),
            Obstacle.UNREACHABLE,
            "a.example did not answer (DownloadTimeoutError: first)",
        ),
        (
            LookupError("unknown encoding: klingon"),
            Obstacle.CHANGED,
            "the page of a.example is in an encoding that cannot be read (LookupError: unknown encoding: klingon)",
        ),
        (
            UnicodeError("undefined encoding"),
            Obstacle.CHANGED,
            "the page of a.example is in an encoding that cannot be read (UnicodeError: undefined encoding)",
        ),
        (DownloadCancelledError(), Obstacle.TOO_LARGE, "the page of a.example is larger than DOWNLOAD_MAXSIZE"),
        (OSError("x"), Obstacle.UNREACHABLE, "a.example did not answer (OSError: x)"),
    ],
)
def test_why_there_is_no_page(error: Exception, kind: Obstacle, said: str) -> None:
    found = page_error(error, "a.example")
    assert isinstance(found, PageBlockedError)
    assert (found.kind, str(found), found.ends_crawl) == (kind, said, False)


def test_an_error_of_a_page_is_what_it_is() -> None:
    error = PageChangedError("another shape")
    assert page_error(error, "a.example") is error


def test_a_page_that_is_too_large_when_it_is_unpacked_is_too_large() -> None:
    """In Scrapy's own words, which may change."""
    middleware = HttpCompressionMiddleware.from_crawler(get_crawler(settings_dict={"DOWNLOAD_MAXSIZE": 1000}))
    packed = HtmlResponse(URL, body=gzip.compress(bytes(2_000)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(IgnoreRequest) as caught:
        middleware.process_response(Request(URL), packed)
    found = page_error(caught.value, "a.example")
    assert (found.kind, str(found)) == (Obstacle.TOO_LARGE, "the page of a.example is larger than DOWNLOAD_MAXSIZE")


@pytest.mark.parametrize("charset", ["undefined", "idna", "hex", "utf-8"])
def test_a_page_in_an_encoding_that_is_none_is_read_as_utf_8(charset: str) -> None:
    headers = {"Content-Type": f"text/html; charset={charset}"}
    assert text_of(HtmlResponse(URL, body="<p>größer".encode() + b"\xff", headers=headers)) == "<p>größer\ufffd"


def test_what_is_no_text_has_none() -> None:
    assert text_of(Response(URL, body=b"text")) == ""


# A page that somebody waits for


class Host:
    """An engine whose host answers when it is told to, and which tells what it does not wait for any more."""

    _slot = SimpleNamespace(closing=None)

    def __init__(self) -> None:
        self.answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.ended = ""

    async def download_async(self, request: Request) -> Response:
        try:
            return await self.answer
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # it may take a while
            self.ended = "cancelled"
            raise


async def asked() -> tuple[SomeSpider, Host, asyncio.Task[Response]]:
    """A spider that waits for a page."""
    crawler = get_crawler(SomeSpider)
    host = Host()
    crawler.engine = cast("Any", host)
    spider = SomeSpider.from_crawler(crawler)
    asking = asyncio.ensure_future(spider.ask(Request(URL)))
    await asyncio.sleep(0.01)
    assert not asking.done()
    return spider, host, asking


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scenario, 10))


def test_who_asks_gets_the_answer() -> None:
    async def scenario() -> None:
        _, host, asking = await asked()
        host.answer.set_result(answer := Response(URL))
        assert await asking is answer

    run(scenario())


def test_a_page_for_which_nobody_waits_any_more_is_not_loaded() -> None:
    async def scenario() -> None:
        _, host, asking = await asked()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.sleep(0.01)
        assert host.ended == "cancelled"

    run(scenario())


def test_who_waits_when_the_crawl_ends_hears_that_there_is_no_page() -> None:
    async def scenario() -> None:
        spider, host, asking = await asked()
        spider.give_up()
        with pytest.raises(PageBlockedError) as caught:
            await asking
        assert caught.value.kind is Obstacle.UNREACHABLE
        assert host.ended == "cancelled"

    run(scenario())


# Arguments


def test_arguments_are_attributes() -> None:
    spider = SomeSpider(q="cats", limit="5")
    assert (spider.q, spider.limit) == ("cats", "5")  # type: ignore[attr-defined]


def test_an_argument_called_name_does_not_rename_the_spider() -> None:
    assert SomeSpider(name="pics").name == "some"


@pytest.mark.parametrize("method", ["start", "ask", "item_settled", "page_failed", "wrong_arguments"])
def test_an_argument_replaces_no_method(method: str) -> None:
    assert callable(getattr(SomeSpider(**{method: "x"}), method))
