"""What our spiders share."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy import signals as scrapy_signals
from scrapy.http import TextResponse

from imagecrawl import signals
from imagecrawl.ending import is_ending
from imagecrawl.exceptions import Obstacle, PageBlockedError, PageError
from imagecrawl.failures import RequestRefusedError, failure_of
from imagecrawl.optouts import of_its_page

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

FAILURES_MAX = 10
"""After so many pages of a host in a row that could not be read, a spider that walks from page to page asks for no
other.
"""

OF_THE_HOST = frozenset(
    {
        Obstacle.RATE_LIMITED,
        Obstacle.GIVEN_UP,
        Obstacle.ROBOTS_UNAVAILABLE,
        Obstacle.PRIVATE_ADDRESS,
        Obstacle.CERTIFICATE,
    }
)
"""What every other page of the host would meet too."""

SAID = {
    Obstacle.TOO_LARGE: "the page of {site} is larger than DOWNLOAD_MAXSIZE",
    Obstacle.REDIRECTS: "the page of {site} leads on and on ({said})",
    Obstacle.REFUSED: "the page of {site} is not to be asked for ({said})",
    Obstacle.CHANGED: "the page of {site} is in an encoding that cannot be read ({said})",
}
"""How an obstacle is said that a download has met, where it is not that the site did not answer."""

ERROR_STATUSES = list(range(400, 600))
"""Answers that the page functions name, so that no middleware may swallow them."""


class MediaSpider(Spider):
    """A spider that hears what becomes of its items, says which pages failed, and ends at once when it is told to."""

    args: Any
    """The arguments, as the spider declares them."""
    advice: Mapping[Obstacle, str] = MappingProxyType({})
    """The legitimate ways on from an obstacle on this site."""
    interrupted = False
    """A signal ends the crawl."""
    _asked: set[asyncio.Future[Response]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Scrapy makes an attribute of each argument; not of one that would replace the spider's name or a method."""
        own = {name for name in kwargs if name == "name" or callable(getattr(type(self), name, None))}
        super().__init__(*args, **{name: value for name, value in kwargs.items() if name not in own})

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        if wrong := "; ".join(cls.wrong_arguments(getattr(spider, "args", None), crawler.settings)):
            raise ValueError(wrong)
        for signal in (scrapy_signals.item_scraped, scrapy_signals.item_dropped, scrapy_signals.item_error):
            crawler.signals.connect(spider.item_settled, signal)
        spider._asked = set()  # noqa: SLF001
        crawler.signals.connect(spider.give_up, signals.crawl_stopping)
        return spider

    @abstractmethod
    def item_settled(self, item: Any) -> None:
        """Hear the outcome of an item, which another pipeline may have turned into another type."""

    @classmethod
    def wrong_arguments(cls, args: Any, settings: BaseSettings) -> Iterator[str]:
        """A line for each argument that does not go with the settings, with what would."""
        yield from ()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """To be entered by ``start()`` for as long as anything is under way: it alone hears of Ctrl-C and SIGTERM."""
        try:
            yield
        except asyncio.CancelledError:
            self.interrupted = True
            self.crawler.signals.send_catch_log(signals.crawl_stopping)
            raise

    @property
    def stopping(self) -> bool:
        """Whether the crawl is being ended from outside: callbacks go on all the same."""
        return self.interrupted or is_ending(self.crawler)

    async def ask(self, request: Request) -> Response:
        """The answer to a request that somebody waits for, whatever its status; raises PageError without one."""
        site = urlsplit(request.url).hostname or request.url
        if self.stopping:
            raise PageBlockedError(Obstacle.UNREACHABLE, f"{site} is not asked any more: the crawl ends")
        download = asyncio.ensure_future(self.crawler.engine.download_async(request))
        self._asked.add(download)
        try:
            await asyncio.wait([download])
            return download.result()
        except (Exception, asyncio.CancelledError) as error:  # as an errback would get it; it is the download's own
            if not download.done():
                download.cancel()
                raise
            raise page_error(error, site) from error
        finally:
            self._asked.discard(download)

    def give_up(self) -> None:
        """Let no page that is slow to come hold up the end."""
        for download in self._asked:
            download.cancel()

    def page_failed(self, error: PageError, keyword: str, body: bytes | None = None) -> None:
        """Send on what a page function raised, or :func:`page_error` says."""
        self.crawler.signals.send_catch_log(signals.page_failed, error=error, keyword=keyword, body=body)


class ItemsSpider(MediaSpider):
    """A spider that finds its items by itself, where others have them from their callbacks.

    They leave it through a callback all the same. What ``start()`` yields, Scrapy 2.19 takes without waiting; and a
    crawl that is ended while such an item is under way never closes.
    """

    @abstractmethod
    def items(self) -> AsyncIterator[Any]:
        """All there are. It is asked for the next one when there is room, and should end when :attr:`stopping`."""

    async def start(self) -> AsyncIterator[Any]:
        with self.interruptible():
            self._done = asyncio.Event()
            yield Request("data:,", self.parse, dont_filter=True)
            await self._done.wait()

    async def parse(self, response: Response) -> AsyncIterator[Any]:
        try:
            async for item in self.items():
                yield item
        finally:
            self._done.set()


def text_of(response: Response) -> str:
    """The text of a page; empty for what is none."""
    if not isinstance(response, TextResponse):
        return ""
    try:
        return response.text
    except (LookupError, UnicodeError):  # in an encoding that Python knows by name only
        return response.body.decode("utf-8", "replace")


def page_opt_outs(response: Response) -> dict[str, str] | None:
    """What a page says of the pictures and files that it shows; ``None`` when it says nothing."""
    return of_its_page(response.meta.get("opt_outs") or {}) or None


def page_request(url: str, *, render: bool) -> Request:
    """A request for a page as its host sends it, or as a browser shows it when it is scrolled to its end."""
    return Request(url, meta={"browser": {"scroll": True}} if render else {})


@contextmanager
def kept_with_error(response: Response) -> Iterator[None]:
    """A page that a page function cannot read stays with the error that says so."""
    try:
        yield
    except PageError as error:
        error.body = response.body
        error.host = urlsplit(response.url).hostname
        raise


def ends_asking(error: PageError) -> bool:
    """Whether the site would answer any other page so."""
    return error.ends_crawl or error.kind in OF_THE_HOST


def page_error(error: BaseException | None, site: str) -> PageError:
    """Why there is no page: what a download has raised, in our words."""
    if isinstance(error, PageError):
        return error
    failure = failure_of(error)
    unforeseen = Obstacle.CHANGED if isinstance(error, LookupError) else Obstacle.UNREACHABLE  # no such encoding
    obstacle = failure.obstacle if failure else unforeseen
    if isinstance(error, RequestRefusedError):
        refused = PageBlockedError(obstacle, f"no page of {site}: {error}")
        refused.host = error.host
        return refused
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    return PageBlockedError(obstacle, SAID.get(obstacle, "{site} did not answer ({said})").format(site=site, said=said))
