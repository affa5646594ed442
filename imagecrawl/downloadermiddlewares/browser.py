"""Requests with ``meta["browser"]`` are answered by Chromium."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from scrapy_playwright.page import PageMethod

from imagecrawl import signals
from imagecrawl.browser import ERROR_PAGE, answer, forget, gateway_of, settle, status_of, unless
from imagecrawl.downloadermiddlewares.pauses import PausesMiddleware
from imagecrawl.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from imagecrawl.failures import RequestRefusedError
from imagecrawl.network.urls import UrlRules
from imagecrawl.scrolling import Scrolling

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playwright.async_api import CDPSession, Page
    from playwright.async_api import Response as PlaywrightResponse
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


T = TypeVar("T")

DOCUMENTS = {"patterns": [{"urlPattern": "http*", "resourceType": "Document", "requestStage": "Request"}]}
"""What Chromium asks about before it sends it: https://chromedevtools.github.io/devtools-protocol/tot/Fetch"""


class Navigation:
    """Where a page goes. Chromium follows redirects and scripts by itself, and Playwright hears of no redirect before
    it is followed: here ``permit`` is asked of each address but the first, and what it raises is the page's error.

    Only of the page itself: what its frames and scripts load is for the gateway to refuse. A page that scripts had
    Chromium fetch in advance (https://developer.mozilla.org/docs/Web/API/Speculation_Rules_API) is asked about when it
    is shown.
    """

    def __init__(self, page: Page, session: CDPSession, permit: Callable[[str], Awaitable[None]]) -> None:
        self.session = session
        self._page = page
        self._permit = permit
        self._frame = ""  # the id of the page's own frame
        self._url = ""  # of the latest document that was asked about
        self._asking = asyncio.Lock()
        self._refused: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, page: Page, permit: Callable[[str], Awaitable[None]]) -> Self:
        """To be opened before the page goes anywhere."""
        session = await page.context.new_cdp_session(page)
        navigation = cls(page, session, permit)
        tree = await session.send("Page.getFrameTree")
        navigation._frame = tree["frameTree"]["frame"]["id"]
        session.on("Fetch.requestPaused", navigation._paused)
        session.on("Page.frameNavigated", navigation._shown)
        await asyncio.gather(session.send("Page.enable"), session.send("Fetch.enable", DOCUMENTS))
        return navigation

    async def _paused(self, event: dict[str, Any]) -> None:
        answer = {"requestId": event["requestId"]}
        is_refused = event["frameId"] == self._frame and not await self._goes_to(event["request"]["url"])
        with suppress(PlaywrightError):  # the page was closed meanwhile
            if is_refused:
                await self.session.send("Fetch.failRequest", {**answer, "errorReason": "BlockedByClient"})
            else:
                await self.session.send("Fetch.continueRequest", answer)

    async def _shown(self, event: dict[str, Any]) -> None:
        frame = event["frame"]
        if "parentId" in frame:
            return
        self._frame = frame["id"]
        if frame["url"] != self._url and frame["url"].startswith("http"):
            await self._goes_to(frame["url"])

    async def _goes_to(self, url: str) -> bool:
        """Whether the page may go there."""
        is_first, self._url = not self._url, url
        try:
            if not is_first:  # the middlewares had the first one
                async with self._asking:
                    await self._permit(url)
        except Exception as error:  # noqa: BLE001  # whatever it is, the page would wait for ever
            if isinstance(error, RequestRefusedError):
                error.host = urlsplit(url).hostname  # not that which led here
            if not self._refused.done():
                self._refused.set_result(error)
        return not self._refused.done()

    async def unless_refused(self, work: Awaitable[T]) -> T:
        """What ``work`` returns; raises why the page may not go where it was sent, or could not get there."""
        done = asyncio.ensure_future(work)
        await asyncio.wait((done, self._refused), return_when=asyncio.FIRST_COMPLETED)
        async with self._asking:
            pass
        if self._refused.done():
            done.add_done_callback(forget)
            raise self._refused.result()
        gateway = gateway_of(self._page)
        failure = gateway.failure(self._url) if gateway and self._url else None
        if failure and (isinstance(done.exception(), PlaywrightError) or await self._has_failed()):
            raise failure
        return done.result()

    async def _has_failed(self) -> bool:
        """Whether no document stands in the page, or an error: the gateway's own, after its failure."""
        return self._page.url.startswith(ERROR_PAGE) or await status_of(self._page) >= 400


class BrowserMiddleware:
    """Says in scrapy-playwright's words what a spider asked for with ``meta["browser"]``.

    The value names two CSS selectors: ``{"settled": ..., "reject": ...}``. The page has arrived when an element of
    ``settled`` stands in it; an element of ``reject`` is clicked once on the way: :func:`imagecrawl.browser.settle`.
    Or it is ``{"scroll": True}``: any page, scrolled to its end: :class:`imagecrawl.scrolling.Scrolling`.

    An answer that is no page fails its request with PageChangedError, which names it. When the crawl is being ended,
    pages that have not arrived are given up, which fails their requests too. A page that is sent on, by a redirect or a
    script, to where no request may go, fails with what its middlewares would raise: AddressesMiddleware,
    RobotsTxtMiddleware and PausesMiddleware; and it waits where that waits.

    Settings: ``BROWSER_VERIFY_TLS``, ``BROWSER_SETTLE_TIMEOUT`` (seconds, those of scrolling included).
    """

    def __init__(self, crawler: Crawler, *, verify_tls: bool, settle_timeout: float) -> None:
        self.crawler = crawler
        self.rules = UrlRules(crawler.settings)
        self.verify_tls = verify_tls
        self.settle_timeout = settle_timeout
        self._stopped = asyncio.Event()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        middleware = cls(
            crawler,
            verify_tls=crawler.settings.getbool("BROWSER_VERIFY_TLS"),
            settle_timeout=crawler.settings.getfloat("BROWSER_SETTLE_TIMEOUT"),
        )
        crawler.signals.connect(middleware.crawl_stopping, signals.crawl_stopping)
        return middleware

    def process_request(self, request: Request) -> None:
        wanted = request.meta.get("browser")
        if wanted is None:
            return
        request.meta["playwright"] = True
        request.meta["autothrottle_dont_adjust_delay"] = True  # the time to scroll a page is not that of its host
        request.meta["playwright_context_kwargs"] = {
            "ignore_https_errors": not self.verify_tls,
            "accept_downloads": False,
        }
        request.meta["playwright_page_init_callback"] = self.page_opened
        request.meta["playwright_page_goto_kwargs"] = {"wait_until": "commit"}  # what it waits for then is ours to say
        request.meta["playwright_page_methods"] = []  # there when its page is

    async def page_opened(self, page: Page, request: Request) -> None:
        """Prepare a new page: how it goes to an address, and what is done when it is there."""
        navigation = await Navigation.open(page, partial(self._permit, request))
        navigate = page.goto

        async def goto(*args: Any, **kwargs: Any) -> PlaywrightResponse | None:
            return await self._unless_over(navigation, answer(page, navigate(*args, **kwargs)))

        async def arrive(_: Page) -> int:
            return await self._unless_over(navigation, show(self.settle_timeout))

        wanted = request.meta["browser"]
        show: Callable[[float], Awaitable[int]] = (
            Scrolling(page, navigation.session).to_the_end
            if wanted.get("scroll")
            else partial(settle, page, wanted["settled"], wanted["reject"])
        )
        page.goto = goto  # type: ignore[method-assign]
        request.meta["playwright_page_methods"] = [PageMethod(arrive)]

    async def _unless_over(self, navigation: Navigation, work: Awaitable[T]) -> T:
        return await navigation.unless_refused(unless(self._stopped, work))

    async def _permit(self, request: Request, url: str) -> None:
        """Return when the page of ``request`` may go on to ``url``; raises RequestRefusedError or CertificateError, and
        BrowserError when the crawl is being ended."""
        self.rules.check(url)
        further = request.replace(url=url)
        if robots_txt := self.crawler.get_downloader_middleware(RobotsTxtMiddleware):
            await unless(self._stopped, robots_txt.permit(further))
            request.meta["opt_outs"] = further.meta["opt_outs"]  # those of all hosts that led to the page
        if pauses := self.crawler.get_downloader_middleware(PausesMiddleware):
            await unless(self._stopped, pauses.permit(further))

    def crawl_stopping(self) -> None:
        self._stopped.set()

    def process_response(self, request: Request, response: Response) -> Response:
        """Give the response the status of the document in it: scrapy-playwright gives that of the first one."""
        if request.meta.get("browser") is None:
            return response
        if response.url.startswith(ERROR_PAGE):
            response = response.replace(url=request.url, body=b"")
        status = next((method.result for method in request.meta["playwright_page_methods"]), 0)
        return response.replace(status=status or response.status)
