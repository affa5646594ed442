"""What a crawl finds and does not fetch, as lines to read or to pass on."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import NotConfigured

from imagecrawl.ending import end_crawl, is_disk_full
from imagecrawl.items import FileItem, ImageItem
from imagecrawl.outcomes import Finish, Outcome
from imagecrawl.output import printable, say
from imagecrawl.storage import file_folder, file_name

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class Listing:
    """A line on standard output for each item that is only listed: where it would go, a tab, its address.

    For a picture that is its keyword, so that ``scrapy crawl urls`` takes such lines as a list. Silent where a feed is
    written to standard output. Nobody may be reading any more, or the disk may be full: the crawl ends then.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if any(str(uri).startswith("stdout:") for uri in crawler.settings.getdict("FEEDS")):
            raise NotConfigured
        extension = cls(crawler)
        crawler.signals.connect(extension.item_scraped, signals.item_scraped)
        return extension

    def item_scraped(self, item: object) -> None:
        if isinstance(item, ImageItem | FileItem) and item.outcome is Outcome.LISTED:
            try:
                say(f"{printable(_place(item))}\t{printable(next(iter(item.urls), ''))}")
            except OSError as error:
                os.dup2(
                    os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
                )  # else Python fails at it again at its end
                reason = Finish.DISK_FULL if is_disk_full(error) else Finish.FEED_ERROR
                end_crawl(self.crawler, reason, f"the list cannot be written ({error.strerror})")


def _place(item: ImageItem | FileItem) -> str:
    if isinstance(item, ImageItem):
        return item.keyword
    return f"{file_folder(item.source, item.folder)}/{file_name(item.name)}"
