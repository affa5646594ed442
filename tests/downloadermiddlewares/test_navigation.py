"""Where a page may go, with what Chromium would say; that it says so is what the crawls of test_browser_bounds show."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from scrapy import Request
from scrapy.utils.test import get_crawler

from imagecrawl.downloadermiddlewares.browser import BrowserMiddleware, Navigation
from imagecrawl.downloadermiddlewares.pauses import PausesMiddleware
from imagecrawl.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from imagecrawl.exceptions import BrowserError
from imagecrawl.failures import GIVEN_UP, PRIVATE_ADDRESS, ROBOTS_TXT, RequestRefusedError

Handler = Callable[[dict[str, Any]], Awaitable[None]]
START = "http://a.example/"


class Session:
    """Of Playwright's CDPSession, what is used of it; ``sent`` is all that was said to Chromium."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def on(self, event: str, handler: Handler) -> None:
        self.handlers[event] = handler

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self.sent.append((method, params or {}))
        return {"frameTree": {"frame": {"id": "main"}}}

    async def paused(self, url: str, frame: str = "main") -> str:
        """What becomes of a request."""
        event = {"requestId": url, "frameId": frame, "request": {"url": url}}
        await self.handlers["Fetch.requestPaused"](event)
        method, params = self.sent[-1]
        assert params["requestId"] == url
        return method

    async def shown(self, url: str, **frame: str) -> None:
        await self.handlers["Page.frameNavigated"]({"frame": {"id": "main", "url": url, **frame}})


async def opened(permit: Callable[[str], Awaitable[None]]) -> tuple[Navigation, Session]:
    session = Session()

    async def new_cdp_session(_: Page) -> Session:
        return session

    context = SimpleNamespace(new_cdp_session=new_cdp_session, browser=None)
    page = cast("Page", SimpleNamespace(context=context, url=START))
    return await Navigation.open(page, permit), session


class Asked:
    """Permits all but ``forbidden``, and writes down what it was asked."""

    def __init__(self, *forbidden: str) -> None:
        self.forbidden = forbidden
        self.urls: list[str] = []

    async def __call__(self, url: str) -> None:
        self.urls.append(url)
        if url in self.forbidden:
            raise RequestRefusedError(f"not {url}", ROBOTS_TXT)


async def done() -> str:
    return "done"


def test_every_address_of_a_page_but_its_first_is_asked_about() -> None:
    async def work() -> None:
        asked = Asked()
        navigation, session = await opened(asked)
        for url in (START, "http://a.example/hop", "http://b.example/"):
            assert await session.paused(url) == "Fetch.continueRequest"
        assert await session.paused("http://c.example/", frame="another") == "Fetch.continueRequest"
        await session.shown("http://b.example/")
        await session.shown("http://c.example/", parentId="main")
        await session.shown("about:blank")
        assert asked.urls == ["http://a.example/hop", "http://b.example/"]
        assert await navigation.unless_refused(done()) == "done"

    asyncio.run(work())


def test_a_page_may_not_go_where_it_is_refused() -> None:
    async def work() -> None:
        navigation, session = await opened(Asked("http://b.example/"))
        await session.paused(START)
        waiting = asyncio.ensure_future(navigation.unless_refused(asyncio.Event().wait()))
        assert await session.paused("http://b.example/") == "Fetch.failRequest"
        with pytest.raises(RequestRefusedError, match=r"^not http://b\.example/$") as caught:
            await waiting
        assert caught.value.host == "b.example"  # which others of a.example may not lead to
        assert await session.paused("http://c.example/") == "Fetch.failRequest"  # it is over

    asyncio.run(work())


def test_a_page_that_stands_there_without_a_request_is_asked_about() -> None:
    async def work() -> None:
        navigation, session = await opened(Asked("http://a.example/fetched"))
        await session.paused(START)
        await session.shown(START)
        await session.shown("http://a.example/fetched", id="swapped")
        with pytest.raises(RequestRefusedError):
            await navigation.unless_refused(done())

    asyncio.run(work())


def test_the_frame_of_a_page_may_be_replaced() -> None:
    async def work() -> None:
        asked = Asked()
        _, session = await opened(asked)
        await session.paused(START)
        await session.shown(START, id="swapped")
        await session.paused("http://b.example/", frame="swapped")
        assert asked.urls == ["http://b.example/"]

    asyncio.run(work())


def test_a_page_is_not_handed_over_before_it_is_known_whether_it_may_go_on() -> None:
    async def work() -> None:
        known = asyncio.Event()

        async def slow(url: str) -> None:
            await known.wait()
            raise RequestRefusedError(f"not {url}", ROBOTS_TXT)

        navigation, session = await opened(slow)
        await session.paused(START)
        going = asyncio.ensure_future(session.paused("http://b.example/"))
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(navigation.unless_refused(done()))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not waiting.done()
        known.set()
        with pytest.raises(RequestRefusedError):
            await waiting
        assert await going == "Fetch.failRequest"

    asyncio.run(work())


def test_an_error_nobody_foresaw_is_the_pages_own() -> None:
    async def fails(_: str) -> None:
        raise LookupError

    async def breaks() -> None:
        raise PlaywrightError("net::ERR_FAILED")

    async def work() -> None:
        navigation, session = await opened(fails)
        await session.paused(START)
        with pytest.raises(PlaywrightError):
            await navigation.unless_refused(breaks())
        assert await session.paused("http://b.example/") == "Fetch.failRequest"
        with pytest.raises(LookupError):
            await navigation.unless_refused(done())

    asyncio.run(work())


# The middleware


class RobotsTxt:
    """In place of RobotsTxtMiddleware."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    async def permit(self, request: Request) -> None:
        self.asked.append((request.url, request.meta.get("dont_obey_robotstxt")))
        request.meta["opt_outs"] = {**request.meta.get("opt_outs", {}), request.url: "no"}


class Pauses:
    """In place of PausesMiddleware."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pauses = asyncio.Event()

    async def permit(self, request: Request) -> None:
        self.asked.append(request.url)
        await self.pauses.wait()
        raise RequestRefusedError("given up", GIVEN_UP)


def built(
    monkeypatch: pytest.MonkeyPatch, robots_txt: RobotsTxt | None, pauses: Pauses | None = None
) -> BrowserMiddleware:
    crawler = get_crawler(settings_dict={"URLLENGTH_LIMIT": 100, "BROWSER_SETTLE_TIMEOUT": 1})
    found = {RobotsTxtMiddleware: robots_txt, PausesMiddleware: pauses}
    monkeypatch.setattr(crawler, "get_downloader_middleware", found.get)
    return BrowserMiddleware.from_crawler(crawler)


def test_the_rules_of_requests_and_robots_txt_are_asked_in_the_name_of_the_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work() -> None:
        robots_txt = RobotsTxt()
        middleware = built(monkeypatch, robots_txt)
        request = Request(START, meta={"dont_obey_robotstxt": "a.example", "opt_outs": {START: "no"}})
        await middleware._permit(request, "http://b.example/")
        assert robots_txt.asked == [("http://b.example/", "a.example")]
        assert request.meta["opt_outs"] == {START: "no", "http://b.example/": "no"}
        with pytest.raises(RequestRefusedError) as raised:
            await middleware._permit(request, "http://127.0.0.1/")
        assert raised.value.failure is PRIVATE_ADDRESS
        with pytest.raises(RequestRefusedError, match="URLLENGTH_LIMIT"):
            await middleware._permit(request, f"http://b.example/{'x' * 100}")
        assert len(robots_txt.asked) == 1

    asyncio.run(work())


def test_without_robots_txt_the_rules_of_requests_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        middleware = built(monkeypatch, None)
        await middleware._permit(Request(START), "http://b.example/")
        with pytest.raises(RequestRefusedError):
            await middleware._permit(Request(START), "http://10.0.0.1/")

    asyncio.run(work())


def test_a_page_waits_for_the_host_it_is_led_to_and_fails_where_that_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work() -> None:
        pauses = Pauses()
        middleware = built(monkeypatch, None, pauses)
        permit = asyncio.ensure_future(middleware._permit(Request(START), "http://b.example/"))
        await asyncio.wait([permit], timeout=0.01)
        assert pauses.asked == ["http://b.example/"] and not permit.done()
        pauses.pauses.set()
        with pytest.raises(RequestRefusedError) as raised:
            await permit
        assert raised.value.failure is GIVEN_UP

    asyncio.run(work())


@pytest.mark.parametrize("slow", ["robots.txt", "pause"])
def test_a_page_that_waits_to_be_led_on_is_given_up_with_the_crawl(monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    monkeypatch.setattr("imagecrawl.browser.SOON", 0.01)

    async def work() -> None:
        robots_txt = RobotsTxt()
        if slow == "robots.txt":
            monkeypatch.setattr(robots_txt, "permit", Pauses().permit)
        middleware = built(monkeypatch, robots_txt, Pauses())
        permit = asyncio.ensure_future(middleware._permit(Request(START), "http://b.example/"))
        await asyncio.sleep(0)
        middleware.crawl_stopping()
        with pytest.raises(BrowserError, match="the crawl ends"):
            await asyncio.wait_for(permit, 5)

    asyncio.run(work())


def test_the_time_of_a_page_in_the_browser_says_nothing_of_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(START, meta={"browser": {"scroll": True}})
    built(monkeypatch, None).process_request(request)
    assert request.meta["autothrottle_dont_adjust_delay"] is True
    plain = Request(START)
    built(monkeypatch, None).process_request(plain)
    assert plain.meta == {}
