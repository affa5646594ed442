"""Feeds that lose no line unheard."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from scrapy.extensions.feedexport import FeedExporter, FeedSlot

from imagecrawl.ending import end_crawl, is_disk_full
from imagecrawl.outcomes import Finish

if TYPE_CHECKING:
    from scrapy import Spider


logger = logging.getLogger(__name__)


class Feeds(FeedExporter):
    """Scrapy's own exporter. A feed that cannot be written ends the crawl, where Scrapy would go on without its lines.

    The ledger has what those lines would have said: the same command again writes a feed with all of them.
    """

    async def _close_slot(self, slot: FeedSlot, spider: Spider) -> None:
        try:
            await super()._close_slot(slot, spider)
        except OSError as error:  # where Scrapy would show a traceback, and count nothing
            logger.error("A feed could not be closed: %s", error)  # noqa: TRY400
            self.crawler.stats.inc_value("feedexport/failed_count/OSError")

    def item_scraped(self, item: Any, spider: Spider) -> None:
        try:
            super().item_scraped(item, spider)
            for slot in self.slots:
                if slot.file:
                    slot.file.flush()  # else the last lines fail when it is too late to say so
        except OSError as error:
            reason = Finish.DISK_FULL if is_disk_full(error) else Finish.FEED_ERROR
            end_crawl(self.crawler, reason, f"a feed cannot be written ({error.strerror or error})")
