"""The browser: which Chromium runs and how, what it loads, and when a page has arrived.

Everything here is called by scrapy-playwright; the settings name it by path.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies
from weakref import WeakKeyDictionary

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError
from playwright.async_api import async_playwright
from scrapy.exceptions import NotSupported

from imagecrawl.exceptions import BrowserError, Obstacle, PageBlockedError, PageChangedError
from imagecrawl.network.gateway import Gateway, Proxy
from imagecrawl.network.proxying import basic

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from playwright.async_api import (
        Browser,
        BrowserContext,
        BrowserType,
        Page,
        Playwright,
        Request,
        Response,
        Route,
    )
    from scrapy.crawler import Crawler
    from scrapy_playwright.handler import Config

logger = logging.getLogger(__name__)

T = TypeVar("T")

SOON = 2
"""Seconds that a page still has to arrive when the crawl is being ended."""

SYSTEM_CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

ARGS = ("--disable-quic",)  # a proxy carries no UDP

NO_WAY_ROUND = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no name is looked up but by the gateway
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",  # its name in older versions
)
"""What keeps Chromium from going round the gateway."""

LOADED = frozenset({"document", "script", "xhr", "fetch"})
"""Playwright's resource types that a page needs to show its text; pictures, fonts, styles and media are not loaded."""

NOT_SHOWN = ("Download is starting", "net::ERR_ABORTED")
"""Playwright's words for an answer that leaves the page as it was: a file, or nothing at all (204)."""

NO_BODY = "net::ERR_HTTP_RESPONSE_CODE_FAILURE"
"""Chromium's word for an error status without a body: it shows an error page of its own."""

ERROR_PAGE = "chrome-error:"
"""How the address of a page of Chromium's own begins that stands for one that did not come."""

STATUS = "performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0"


class ChromiumProvider:
    """Starts Chromium for the first page that asks for it: the system's where there is one, Playwright's otherwise.

    A scrapy-playwright browser provider (setting ``PLAYWRIGHT_BROWSER_PROVIDER``). Chromium does everything through a
    :class:`~imagecrawl.network.gateway.Gateway`, which goes on through the proxy of the environment, and to private
    addresses with ``ALLOW_PRIVATE_ADDRESSES`` only.

    ``PLAYWRIGHT_LAUNCH_OPTIONS`` come first, with ``args`` in addition to ours. A ``proxy`` in them takes the place of
    the gateway, and one's own running browser (``PLAYWRIGHT_CDP_URL``) has none: what they connect to is then for their
    user to say. The addresses that pages are sent to are looked at all the same, by BrowserMiddleware.
    """

    def __init__(self, config: Config, *, allow_private: bool = False) -> None:
        self.config = config
        self.allow_private = allow_private
        self.playwright: Playwright | None = None
        self.gateway: Gateway | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler, config: Config) -> Self:
        return cls(config, allow_private=crawler.settings.getbool("ALLOW_PRIVATE_ADDRESSES"))

    async def start(self) -> None:
        """Nothing yet: a crawl that needs no browser starts none."""

    async def launch_browser(self) -> Browser:
        """A running Chromium; raises :class:`BrowserError` when there is none."""
        if self.playwright is None:
            self.playwright = await async_playwright().start()
        chromium = self.playwright.chromium
        try:
            if self.config.cdp_url:
                own = await chromium.connect_over_cdp(self.config.cdp_url, **self.config.cdp_kwargs)
                return cast("Browser", BorrowedBrowser(own))
            browser = await self._launch(chromium, {**launch_options(), **self.config.launch_options})
            return cast("Browser", LaunchedBrowser(browser))
        except PlaywrightError as error:
            raise BrowserError(_launch_advice(error)) from error

    async def _launch(self, chromium: BrowserType, options: dict[str, Any]) -> Browser:
        options["args"] = [*ARGS, *(self.config.launch_options.get("args") or ())]
        if "proxy" in options:
            return await self._launch_one_of(chromium, options)
        if self.gateway is None:
            self.gateway = Gateway(environment_proxy(), allow_private=self.allow_private)
        await self.gateway.start()
        options["args"] += NO_WAY_ROUND
        browser = await self._launch_one_of(chromium, {**options, "proxy": proxy_options(self.gateway)})
        _gateways[browser] = self.gateway
        return browser

    async def _launch_one_of(self, chromium: BrowserType, options: dict[str, Any]) -> Browser:
        try:
            return await chromium.launch(**options)
        except PlaywrightError as error:
            if "executable_path" not in options or "executable_path" in self.config.launch_options:
                raise
            logger.info("The system's Chromium does not start, trying Playwright's own: %s", error)
        return await chromium.launch(**{name: options[name] for name in options if name != "executable_path"})

    async def launch_persistent_context(self, context_kwargs: dict[str, Any]) -> BrowserContext:
        raise NotSupported("imagecrawl uses no browser profile; connect to your own browser with PLAYWRIGHT_CDP_URL")

    async def close(self) -> None:
        """Chromium first: it would ask the gateway in vain."""
        if self.playwright is not None:
            await self.playwright.stop()
        if self.gateway is not None:
            await self.gateway.close()


_gateways: WeakKeyDictionary[Browser, Gateway] = WeakKeyDictionary()


def gateway_of(page: Page) -> Gateway | None:
    """What a page goes through; ``None`` when it is shown by a browser or a proxy of the user's own."""
    browser = page.context.browser
    return _gateways.get(browser) if browser else None


class LaunchedBrowser:
    """A Chromium that was started for the crawl: of Playwright's Browser, what scrapy-playwright calls.

    What its pages load is decided for each page; what is asked for by any other is a window that a script opened.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.on = browser.on
        self.close = browser.close

    async def new_context(self, **options: Any) -> BrowserContext:
        context = await self._browser.new_context(**options)
        await context.route("**", load_no_windows)
        return context


async def load_no_windows(route: Route) -> None:
    """Load nothing into a page that nobody asked for; service workers have no page."""
    if route.request.service_worker:
        await route.continue_()
    else:
        await route.abort()


class BorrowedBrowser:
    """The user's own running browser, reached over CDP: pages open beside theirs, with their cookies.

    Of Playwright's Browser, what scrapy-playwright calls. Closing it leaves the browser running.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.on = browser.on
        self.close = browser.close  # over CDP this disconnects

    async def new_context(self, **_: Any) -> BorrowedContext:
        return BorrowedContext(self._browser.contexts[0])


class BorrowedContext:
    """The user's own browser context: everything but closing it, for their pages would go too."""

    def __init__(self, context: BrowserContext) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    async def close(self) -> None:
        """Nothing: each page was closed by itself."""


def launch_options() -> dict[str, Any]:
    """What Chromium is started with, whatever it goes through: Playwright's names."""
    options: dict[str, Any] = {"chromium_sandbox": not _is_root()}  # Chromium refuses to run its sandbox as root
    if executable := next(filter(None, map(shutil.which, SYSTEM_CHROMIUM)), None):
        options["executable_path"] = executable
    return options


def proxy_options(gateway: Gateway) -> dict[str, str]:
    """The gateway in Playwright's words. Without ``bypass``, Chromium would connect to loopback by itself."""
    return {
        "server": f"http://127.0.0.1:{gateway.port}",
        "bypass": "<-loopback>",
        "username": gateway.username,
        "password": gateway.password,
    }


def environment_proxy() -> Proxy | None:
    """``http_proxy`` and ``https_proxy`` of the environment; ``None`` for none.

    The browser takes one proxy for both schemes: that of https. Raises :class:`BrowserError` when it is no address.
    """
    proxies = getproxies()
    address = proxies.get("https") or proxies.get("http")
    if not address:
        return None
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:  # not said: it may hold a password
        parts, port = urlsplit(""), 0
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise BrowserError("https_proxy or http_proxy is not an address such as http://host:8080")
    login = basic(unquote(parts.username), unquote(parts.password or "")) if parts.username else ""
    return Proxy(parts.hostname, port, parts.scheme == "https", login)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _launch_advice(error: PlaywrightError) -> str:
    first_line = str(error).strip().splitlines()[0]
    if "Executable doesn't exist" in str(error):
        return "Chromium was not found: install it (`make chromium` or your system's package `chromium`)"
    return f"Chromium did not start: {first_line}"


def should_abort(request: Request) -> bool:
    """Whether the browser need not load this: scrapy-playwright's ``PLAYWRIGHT_ABORT_REQUEST``."""
    return request.resource_type not in LOADED


async def unless(stopped: asyncio.Event, work: Awaitable[T]) -> T:
    """What ``work`` returns; raises :class:`BrowserError` when ``stopped`` was set, and it was not done soon after.

    Closing the page would not do: scrapy-playwright takes the error of a navigation for the start of a download, and
    waits for that; and Chromium may never answer when a page is closed in the moment in which a document arrives.
    """
    arrived = asyncio.ensure_future(work)
    ended = asyncio.ensure_future(stopped.wait())
    await asyncio.wait((arrived, ended), return_when=asyncio.FIRST_COMPLETED)
    if not ended.cancel():
        await asyncio.wait((arrived,), timeout=SOON)
    if arrived.done():
        return await arrived
    arrived.add_done_callback(forget)
    raise BrowserError("the crawl ends")


def forget(answer: asyncio.Future[Any]) -> None:
    """Look at an error that nobody waits for any more, or asyncio would report it."""
    if not answer.cancelled():
        answer.exception()


async def settle(page: Page, settled: str, reject: str, seconds: float) -> int:
    """Wait at most ``seconds`` until an element of ``settled`` stands in the page, however often it reloads itself.

    Where an element of ``reject`` stands (a question on cookies), it is clicked once and the wait begins anew. A page
    in which nothing known appears is left as it is: its page function will say what it is. Returns the HTTP status of
    the document that stands there in the end, 0 when it is unknown.
    """
    await _arrive(page, settled, seconds)
    with suppress(PlaywrightError):  # the page with the button goes away while it is being looked at
        if button := await page.query_selector(reject):
            await button.click(timeout=seconds * 1000)
            await button.wait_for_element_state("hidden", timeout=seconds * 1000)
            await _arrive(page, settled, seconds)
    return await _finish(page, seconds)


async def _arrive(page: Page, settled: str, seconds: float) -> None:
    """Wait for ``settled`` or for an error status, which is final as it stands."""
    if await status_of(page) >= 400:
        return
    refused = asyncio.get_running_loop().create_future()

    def hear(response: Response) -> None:
        if response.status >= 400 and response.frame == page.main_frame and not refused.done():
            refused.set_result(None)

    page.on("response", hear)
    shown = asyncio.ensure_future(page.wait_for_selector(settled, state="attached", timeout=seconds * 1000))
    await asyncio.wait((shown, refused), return_when=asyncio.FIRST_COMPLETED)
    page.remove_listener("response", hear)
    shown.cancel()
    with suppress(PlaywrightError, asyncio.CancelledError):
        await shown


async def _finish(page: Page, seconds: float) -> int:
    """Let the document come to its end, stop whatever else would still load, and return its status."""
    with suppress(PlaywrightTimeoutError):
        await page.wait_for_load_state("domcontentloaded", timeout=seconds * 1000)
    status = await status_of(page)
    with suppress(PlaywrightError):
        await page.evaluate("window.stop()")
    skip_load(page)
    return status


def skip_load(page: Page) -> None:
    """scrapy-playwright waits for `load` after us, which one script that never comes would withhold for ever."""
    page.wait_for_load_state = _done  # type: ignore[method-assign]


async def _done(*_: object, **__: object) -> None:
    """In place of a wait: the page has settled."""


async def status_of(page: Page) -> int:
    """The HTTP status of the document that stands in the page, 0 when it is unknown (at the moment of a reload)."""
    with suppress(PlaywrightError):
        return int(await page.evaluate(STATUS))
    return 0


async def answer(page: Page, navigation: Awaitable[Response | None]) -> Response | None:
    """What ``navigation`` of ``page`` returns, and the answer of an error status without a body too.

    Raises PageBlockedError for redirects without end, PageChangedError for what no page can show, such as a file to be
    kept: nothing of it is loaded, and scrapy-playwright need not wait for it.
    """
    answers: list[Response] = []

    def hear(response: Response) -> None:
        answers.append(response)

    page.on("response", hear)
    try:
        return await navigation
    except PlaywrightError as error:
        last = answers[-1] if answers else None
        if last and last.status >= 400 and NO_BODY in error.message:
            return last
        if "net::ERR_TOO_MANY_REDIRECTS" in error.message:
            said = f"{last.url if last else 'the page'} leads on and on"
            raise PageBlockedError(Obstacle.REDIRECTS, said) from error
        if any(words in error.message for words in NOT_SHOWN):
            what = (
                f"{last.url} is no page: {last.status}, {last.headers.get('content-type')}" if last else "no page came"
            )
            raise PageChangedError(what) from error
        raise
    finally:
        page.remove_listener("response", hear)
