"""A page of the browser, scrolled to its end and read as it stands there.

Called by the browser middleware, for requests with ``meta["browser"] = {"scroll": True}``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from imagecrawl.browser import ERROR_PAGE, SOON, STATUS, should_abort, skip_load
from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page, Request

QUIET = 1
"""Seconds in which nothing comes at the end of a page, and nothing is under way, before it is taken for the end."""

PATIENCE = 5
"""Seconds in which nothing comes, whatever is under way: some scripts ask for ever, or wait for an answer for hours."""

GRACE = 5
"""Seconds that a page has to be handed over when the time to scroll it is over."""

ARRIVAL = 2
"""Seconds that a page still has to arrive when its scripts are stopped: one that is just being replaced is empty."""

GLANCE = 0.1
"""Seconds between two looks at a page that stands still."""

LOOKS = 3
"""How often a page may add something to what is in sight before it is scrolled on all the same."""

HTML = frozenset({"text/html", "application/xhtml+xml"})

SCREEN = f"""async (html) => {{
    if (({STATUS}) >= 400 || !html.includes(document.contentType)) return null;
    const root = document.scrollingElement ?? document.documentElement;
    const late = new Promise(resolve => setTimeout(resolve, root && !document.hidden ? 3000 : 0));
    const told = () =>
        Promise.race([late, new Promise(resolve => root && new IntersectionObserver(resolve).observe(root))]);
    const count = () => document.getElementsByTagName("*").length;
    for (let looks = 0, before = -1; looks < {LOOKS} && before !== count(); looks++) {{
        before = count();
        await told();
    }}
    window.scrollBy({{top: window.innerHeight, behavior: "instant"}});
    await told();
    return [window.scrollY, root?.scrollHeight ?? 0, count()];
}}"""
"""Scrolls one screen down, whatever the styles say of smoothness, and gives where that is and how much there is.

It waits, before and after, until the page's own observers have been told what is now in sight: ours is the last of
them. What came since the last look, where one is looking, would otherwise be out of sight before it is seen. In a tab
in the background nobody is told anything. ``null`` for what is not scrolled: an error, or what is no HTML.
"""


STANDING = f"""() => [
    {STATUS},
    document.contentType,
    document.readyState !== "loading",
    document.URL.startsWith("{ERROR_PAGE}") ? "" :
        (document.doctype ? new XMLSerializer().serializeToString(document.doctype) : "") +
        (document.documentElement?.outerHTML ?? ""),
]"""
"""The page as it stands, all in one moment: status, media type, whether the whole document has come, and its text."""


class Scrolling:
    """A page that is to be scrolled to its end, so that what lazy loading and endless lists add stands in it.

    ``session`` is one with Chromium from before the page goes anywhere: it must be there before a script can hang.
    """

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.page = page
        self._session = session
        self._under_way: set[Request] = set()
        self._news = 0.0  # when something last came or ended, by the clock of the loop
        page.on("request", self._begun)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)
        self._close = page.close
        page.close = self.close  # type: ignore[method-assign]

    def _begun(self, request: Request) -> None:
        """Remember what may add to the page; what its frames load does not."""
        if not should_abort(request) and request.frame == self.page.main_frame:
            self._under_way.add(request)

    def _ended(self, request: Request) -> None:
        if request in self._under_way:
            self._under_way.remove(request)
            self._news = _now()

    async def to_the_end(self, seconds: float) -> int:
        """Scroll for at most ``seconds``, and return the HTTP status of what then stands there, 0 when it is unknown.

        The page stands still afterwards: none of its scripts run. A page without end is taken as far as it came, and
        an error status as it stands. Raises PageChangedError for what is no HTML, PageBlockedError for a page that
        does not let itself be read, Playwright's Error for one that has gone.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._arrive(seconds)
                await self._scroll()
        try:
            async with asyncio.timeout(GRACE):
                return await self._hand_over()
        except TimeoutError as error:
            said = f"{self.page.url} cannot be read: its scripts keep the browser busy"
            raise PageBlockedError(Obstacle.JAVASCRIPT, said) from error

    async def _arrive(self, seconds: float) -> None:
        """Wait for the document, and for what it loads, but not so long that no time is left to scroll."""
        with suppress(PlaywrightTimeoutError):
            await self.page.wait_for_load_state("domcontentloaded", timeout=seconds * 1000 / 2)
            await self.page.wait_for_load_state("load", timeout=PATIENCE * 1000)

    async def _scroll(self) -> None:
        """Go down as long as there is something new, and wait at the end for more."""
        seen: list[float] = []
        changed = _now()
        while (sight := await self._screen()) is not None:
            quiet = _now() - max(changed, self._news)
            if sight != seen:
                seen, changed = sight, _now()
            elif _now() - changed >= PATIENCE or (quiet >= QUIET and not self._under_way):
                return
            else:
                await asyncio.sleep(GLANCE)

    async def _screen(self) -> list[float] | None:
        """What SCREEN gives; ``[]`` in the moment in which the page is replaced."""
        try:
            sight: list[float] | None = await self.page.evaluate(SCREEN, list(HTML))
        except PlaywrightError:
            if self.page.is_closed():
                raise
            return []
        return sight

    async def close(self, **_: object) -> None:
        """Close the page, in seconds: of one that is busy, or is just being replaced, Chromium may never say it."""
        with suppress(PlaywrightError, TimeoutError):
            async with asyncio.timeout(SOON):
                await self._standing(patience=0)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await self._close()

    async def _hand_over(self) -> int:
        """Read the page, so that scrapy-playwright need not wait for it, and return its status."""
        status, kind, text = await self._standing(patience=ARRIVAL)
        if status < 400 and kind not in HTML:
            raise PageChangedError(f"{self.page.url} is {kind}, no HTML page")

        async def content(**_: object) -> str:
            return text

        self.page.content = content  # type: ignore[method-assign]
        skip_load(self.page)
        return status

    async def _standing(self, patience: float) -> tuple[int, str, str]:
        """Status, media type and text of the page, when it stands still. For ``patience`` seconds what is just being
        loaded may come; then it is stopped, and what has come is all."""
        until = _now() + patience
        while True:
            is_late = _now() >= until
            if (read := await self._read(stop=is_late)) and (is_late or read[2]):
                status, kind, _, text = read
                return status, kind, text
            await asyncio.sleep(GLANCE)

    async def _read(self, *, stop: bool) -> tuple[int, str, bool, str] | None:
        """What STANDING gives, when its scripts are ended; ``None`` in the moment in which the page is replaced."""
        try:
            await self._hush(stop=stop)
            status, kind, has_come, text = await self.page.evaluate(STANDING)
        except PlaywrightError:
            if self.page.is_closed():
                raise
            return None
        return status, kind, has_come, text

    async def _hush(self, *, stop: bool) -> None:
        """End the script that runs, let no other begin, and stop what would still load, if it is to stop."""
        await asyncio.gather(
            self._session.send("Emulation.setScriptExecutionDisabled", {"value": True}),
            self._session.send("Runtime.terminateExecution"),
            *([self._session.send("Page.stopLoading")] if stop else []),
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
