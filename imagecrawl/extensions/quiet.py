"""What an outcome says already is no error in the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

LOGGERS = (
    "scrapy.downloadermiddlewares.robotstxt",  # a host that is not there: a traceback each
    "scrapy.core.downloader.handlers.http11",  # cut and oversized answers
    "scrapy-playwright",  # a page that did not open: a traceback each
)


class QuietLog:
    """Demotes the warnings and errors of :data:`LOGGERS` to INFO: one of a thousand hosts being down is no news."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        for name in LOGGERS:
            logging.getLogger(name).addFilter(_demote)  # adding it twice does nothing
        return cls()


def _demote(record: logging.LogRecord) -> bool:
    if record.levelno > logging.INFO:
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True
