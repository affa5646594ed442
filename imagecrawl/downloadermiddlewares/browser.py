"""Requests with ``meta["browser"]`` are answered by Chromium."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from scrapy_playwright.page import PageMethod

from imagecrawl import signals
from imagecrawl.browser import answer, settle, unless
from imagecrawl.scrolling import Scrolling

if TYPE_CHECKING:
    from playwright.async_api import Page
    from playwright.async_api import Response as PlaywrightResponse
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response


class BrowserMiddleware:
    """Says in scrapy-playwright's words what a spider asked for with ``meta["browser"]``.

    The value names two CSS selectors: ``{"settled": ..., "reject": ...}``. The page has arrived when an element of
    ``settled`` stands in it; an element of ``reject`` is clicked once on the way: :func:`imagecrawl.browser.settle`.
    Or it is ``{"scroll": True}``: any page, scrolled to its end: :class:`imagecrawl.scrolling.Scrolling`.

    An answer that is no page fails its request with PageChangedError, which names it. When the crawl is being ended,
    pages that have not arrived are given up, which fails their requests too.

    Settings: ``BROWSER_VERIFY_TLS``, ``BROWSER_SETTLE_TIMEOUT`` (seconds, those of scrolling included).
    """

    def __init__(self, *, verify_tls: bool, settle_timeout: float) -> None:
        self.verify_tls = verify_tls
        self.settle_timeout = settle_timeout
        self._stopped = asyncio.Event()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        middleware = cls(
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
        request.meta["playwright_context_kwargs"] = {
            "ignore_https_errors": not self.verify_tls,
            "accept_downloads": False,
        }
        request.meta["playwright_page_init_callback"] = self.page_opened
        request.meta["playwright_page_goto_kwargs"] = {"wait_until": "commit"}  # what it waits for then is ours to say
        request.meta["playwright_page_methods"] = []  # there when its page is

    async def page_opened(self, page: Page, request: Request) -> None:
        """Prepare a new page: how it goes to an address, and what is done when it is there."""
        navigate = page.goto

        async def goto(*args: Any, **kwargs: Any) -> PlaywrightResponse | None:
            return await unless(self._stopped, answer(page, navigate(*args, **kwargs)))

        page.goto = goto  # type: ignore[method-assign]
        request.meta["playwright_page_methods"] = [await self._method(page, request.meta["browser"])]

    async def _method(self, page: Page, wanted: dict[str, Any]) -> PageMethod:
        if wanted.get("scroll"):
            return PageMethod(self.scroll, await Scrolling.open(page))
        return PageMethod(self.settle, wanted["settled"], wanted["reject"])

    async def settle(self, page: Page, settled: str, reject: str) -> int:
        return await unless(self._stopped, settle(page, settled, reject, self.settle_timeout))

    async def scroll(self, _: Page, scrolling: Scrolling) -> int:
        return await unless(self._stopped, scrolling.to_the_end(self.settle_timeout))

    def crawl_stopping(self) -> None:
        self._stopped.set()

    def process_response(self, request: Request, response: Response) -> Response:
        """Give the response the status of the document in it: scrapy-playwright gives that of the first one."""
        if request.meta.get("browser") is None:
            return response
        if response.url.startswith("chrome-error:"):
            response = response.replace(url=request.url, body=b"")
        status = next((method.result for method in request.meta["playwright_page_methods"]), 0)
        return response.replace(status=status or response.status)
