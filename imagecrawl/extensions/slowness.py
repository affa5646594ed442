"""Hosts that send a body so slowly that it would never come are given up."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Self
from weakref import WeakKeyDictionary

from scrapy import signals
from scrapy.exceptions import NotConfigured

from imagecrawl.failures import TooSlowError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy import Request
    from scrapy.crawler import Crawler

GRACE = 10
"""Seconds after the first bytes of a body in which its rate is not looked at: connections begin slowly."""


@dataclass(slots=True)
class Body:
    """What has come of a body."""

    begun: float
    """When its first bytes came, in seconds of the clock."""
    size: int = 0
    """Bytes, as sent."""


class Slowness:
    """Ends a download with :class:`TooSlowError` that has brought less than ``DOWNLOAD_MIN_RATE`` bytes a second since
    its first ones. How long a host may be silent is ``DOWNLOAD_TIMEOUT``'s to say.
    """

    def __init__(self, min_rate: int, clock: Callable[[], float] = monotonic) -> None:
        self.min_rate = min_rate
        self.clock = clock
        self._bodies: WeakKeyDictionary[Request, Body] = WeakKeyDictionary()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        min_rate = crawler.settings.getint("DOWNLOAD_MIN_RATE")
        if not min_rate:
            raise NotConfigured
        extension = cls(min_rate)
        crawler.signals.connect(extension.bytes_received, signals.bytes_received)
        return extension

    def bytes_received(self, data: bytes, request: Request) -> None:
        now = self.clock()
        body = self._bodies.setdefault(request, Body(now))
        body.size += len(data)
        seconds = now - body.begun
        if seconds > GRACE and body.size < self.min_rate * seconds:
            raise TooSlowError(f"{body.size} bytes in {seconds:.0f} s are less than DOWNLOAD_MIN_RATE")
