"""Which messages of other people's code a user at a terminal should see."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

NO_NEWS = (
    "scrapy.core.downloader.handlers.http11",  # cut and oversized answers
    "scrapy.core.downloader.tls",  # a certificate that was to be accepted: once per connection
    "scrapy-playwright",  # a page that did not open: a traceback each
)
"""Loggers whose warnings and errors an outcome says already: one of a thousand hosts being down is no news."""

FEEDS = "scrapy.extensions.feedexport"
"""The logger that says, with a traceback, that a feed could not be finished."""

SIGNALS = "scrapy.crawler"
"""The logger that says, at INFO, that Ctrl-C was heard and what a second one does."""


class LogLevels:
    """Demotes the warnings and errors of :data:`NO_NEWS` to INFO, lifts the answer to a signal to WARNING, and says in
    one line why a feed could not be finished.
    """

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        for name in NO_NEWS:
            logging.getLogger(name).addFilter(_demote)  # adding it twice does nothing
        logging.getLogger(SIGNALS).addFilter(_lift_signals)
        logging.getLogger(FEEDS).addFilter(_shorten)
        return cls()


def _demote(record: logging.LogRecord) -> bool:
    if record.levelno > logging.INFO:
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


def _lift_signals(record: logging.LogRecord) -> bool:
    if "Received" in str(record.msg):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def _shorten(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], OSError):
        record.msg = f"{record.getMessage()}: {record.exc_info[1]}"
        record.args, record.exc_info = (), None
    return True
