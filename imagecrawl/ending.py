"""How a crawl is ended in which nothing more can be kept, and how one knows that it is being ended."""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from imagecrawl import signals
from imagecrawl.outcomes import Finish

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

_closing: WeakKeyDictionary[Crawler, asyncio.Future[None]] = WeakKeyDictionary()


def end_crawl(crawler: Crawler, reason: Finish, why: object) -> None:
    """Close the spider, once, say why in one line, and give up what is under way."""
    if crawler in _closing:
        return
    logger.error("The crawl ends: %s", why)
    assert crawler.engine
    _closing[crawler] = asyncio.ensure_future(crawler.engine.close_spider_async(reason=reason))
    crawler.signals.send_catch_log(signals.crawl_stopping)


def is_ending(crawler: Crawler) -> bool:
    """Whether the crawl is being ended, by whomever. Scrapy tells nobody, and lets spiders and pipelines go on."""
    engine = crawler.engine
    # There is no public word for it.
    return bool(engine and (engine._slot is None or engine._slot.closing is not None))  # noqa: SLF001


def is_disk_full(error: BaseException) -> bool:
    """Whether it is room on a disk that is missing, or in a user's share of it."""
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
