"""What our spiders share."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self

from scrapy import Spider
from scrapy import signals as scrapy_signals
from scrapy.exceptions import IgnoreRequest
from scrapy.http import TextResponse

from imagecrawl import signals
from imagecrawl.exceptions import Obstacle, PageBlockedError, PageError

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

ERROR_STATUSES = list(range(400, 600))
"""Answers that the page functions name, so that no middleware may swallow them."""


class MediaSpider(Spider):
    """A spider that hears what becomes of its items, says which pages failed, and ends at once when it is told to."""

    advice: ClassVar[Mapping[Obstacle, str]] = {}
    """The legitimate ways on from an obstacle on this site."""
    interrupted = False
    """A signal ends the crawl."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        for signal in (scrapy_signals.item_scraped, scrapy_signals.item_dropped, scrapy_signals.item_error):
            crawler.signals.connect(spider.item_settled, signal)
        return spider

    @abstractmethod
    def item_settled(self, item: Any) -> None:
        """Hear the outcome of an item, which another pipeline may have turned into another type."""

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
        """Whether the crawl is being ended from outside. Scrapy has no public word for it, and callbacks go on."""
        slot = self.crawler.engine._slot if self.crawler.engine else None  # noqa: SLF001
        return self.interrupted or slot is None or slot.closing is not None

    def page_failed(self, error: PageError, keyword: str, body: bytes | None = None) -> None:
        """Send on what a page function raised, or :func:`page_error` says."""
        self.crawler.signals.send_catch_log(signals.page_failed, error=error, keyword=keyword, body=body)


def text_of(response: Response) -> str:
    """The text of a page; empty for what is none."""
    return response.text if isinstance(response, TextResponse) else ""


def page_error(failure: Failure, site: str) -> PageError:
    """Why there is no page: what an errback was called with, in our words."""
    error: Any = failure.value
    if isinstance(error, PageError):
        return error
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    if isinstance(error, IgnoreRequest):
        return PageBlockedError(Obstacle.REFUSED, f"the page of {site} is not to be asked for ({said})")
    return PageBlockedError(Obstacle.UNREACHABLE, f"{site} did not answer ({said})")
