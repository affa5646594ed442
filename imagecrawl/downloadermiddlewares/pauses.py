"""Hosts that say how often they may be asked are asked no more often."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, Self

from scrapy import Request
from scrapy import signals as scrapy_signals
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.datatypes import LocalCache
from scrapy.utils.httpobj import urlparse_cached

from imagecrawl import signals
from imagecrawl.ending import is_ending
from imagecrawl.rates import RATE_LIMIT, parse_rate, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

FEWEST = 2
"""With fewer requests left than these, the rest of a window is waited for."""

PAUSE_TIMES = 2
"""So often one request is sent again after a pause; then its answer stands."""

LONG = 10
"""Seconds: of a longer pause a user at a terminal is told."""

REMEMBERED = 1000
"""Of so many hosts, the latest, it is remembered that next time one request goes alone."""

TICK = 1
"""Seconds after which those who wait look whether the crawl is being ended: of a bound that is met nobody tells."""

REFUSALS = frozenset({429, 503})
"""Statuses whose ``Retry-After`` is about the host; that of a redirect is not."""

HEADERS = ("Retry-After", "x-ratelimit-remaining", "x-ratelimit-reset")


class Clock(Protocol):
    """Of an event loop, what tells the time, in seconds."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: Any) -> asyncio.TimerHandle: ...


@dataclass(slots=True)
class Host:
    """A host that is being asked, or has asked to wait; times are those of the clock."""

    name: str
    left: float
    """Requests that may be sent before it says more: infinite when it announces nothing."""
    pause_max: float
    """The longest pause that is waited for, in seconds."""
    resets: float = -math.inf
    """When ``left`` holds no more: the end of the window or of the pause."""
    under_way: set[Request] = field(default_factory=set)
    waiting: deque[tuple[Request, asyncio.Future[str]]] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None

    def pause(self, now: float) -> float:
        """Seconds until it may be asked again."""
        return max(0.0, self.resets - now) if self.left < FEWEST else 0.0

    def admits(self, now: float, at_once: int) -> bool:
        """Whether one more may go. After a pause it is one, whose answer says how many may follow."""
        if self.left < FEWEST:
            return now >= self.resets and not self.under_way
        return len(self.under_way) < at_once

    def cancel_timer(self) -> None:
        if self.timer:
            self.timer.cancel()
            self.timer = None


class PausesMiddleware:
    """Waits when a host says so, and with every request to it, be it for a page, a picture or its robots.txt.

    A host (``host:port`` of the address) pauses when an answer says ``x-ratelimit-remaining`` < 2, what is under way
    counted off, until ``x-ratelimit-reset``; and when it answers 429 or 503 with ``Retry-After``. A request that was
    refused so is sent again afterwards, twice at most. For a pause longer than ``PAUSE_MAX`` (seconds; a spider that
    knows better puts ``pause_max`` into the meta of its requests) nobody waits: the refusal is the answer, and other
    requests to the host fail with ``IgnoreRequest``. So do all that wait when the crawl is being ended. Pages that the
    browser opens are not looked at.

    From each host no more is asked at once than Scrapy's downloader sends (``CONCURRENT_REQUESTS_PER_DOMAIN``): what
    stands in its queue cannot be held back.

    Stats: ``pauses/count``, ``pauses/seconds`` (as announced).
    """

    def __init__(self, crawler: Crawler, *, pause_max: float, per_host: int, clock: Clock | None = None) -> None:
        assert crawler.stats
        self.crawler = crawler
        self.stats = crawler.stats
        self.pause_max = pause_max
        self.per_host = per_host
        self._clock = clock
        self._hosts: dict[str, Host] = {}
        self._announcing: LocalCache[str, bool] = LocalCache(REMEMBERED)
        self._stopped = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        middleware = cls(
            crawler,
            pause_max=crawler.settings.getfloat("PAUSE_MAX"),
            per_host=max(1, crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")),
        )
        crawler.signals.connect(middleware.stop, signals.crawl_stopping)
        crawler.signals.connect(middleware.stop, scrapy_signals.spider_closed)
        return middleware

    @property
    def clock(self) -> Clock:
        return self._clock or asyncio.get_running_loop()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        self._stopped = True
        for host in [*self._hosts.values()]:
            self._move(host)

    async def process_request(self, request: Request) -> None:
        name = _host_of(request)
        if not name or request.meta.get("browser") is not None:
            return
        host = self._hosts.get(name)
        if host is None:
            left = 0 if self._announcing.pop(name, False) else math.inf
            host = self._hosts[name] = Host(name, left, self.pause_max)
        host.pause_max = request.meta.get("pause_max", self.pause_max)
        turn: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        host.waiting.append((request, turn))
        self._move(host)
        if refusal := await turn:
            raise IgnoreRequest(refusal)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        host = self._hosts.get(_host_of(request))
        if host is None or request not in host.under_way:
            return response
        host.under_way.remove(request)
        is_refusal = self._hear(host, response)
        self._move(host)
        return self._again(host, request, response) if is_refusal else response

    def process_exception(self, request: Request, exception: Exception) -> None:
        host = self._hosts.get(_host_of(request))
        if host and request in host.under_way:
            host.under_way.remove(request)
            self._move(host)

    def _hear(self, host: Host, response: Response) -> bool:
        """Take down what an answer says of the host. Whether it is a refusal that says how long to wait."""
        wall = datetime.now(UTC)
        said = {name: value.decode("latin-1") for name in HEADERS if (value := response.headers.get(name))}
        rate = parse_rate(said, wall)
        refused = retry_after(said, wall) if response.status in REFUSALS else None
        left = rate.remaining - len(host.under_way) if rate else math.inf
        seconds = [] if refused is None else [refused]
        if rate and left < FEWEST:
            seconds.append(rate.reset)
        now = self.clock.time()
        if seconds:
            self._pause(host, now, max(seconds))
        elif host.pause(now) == 0:  # else it is an answer from before the pause
            if rate:
                host.left, host.resets = left, now + rate.reset
            elif host.left < FEWEST:
                host.left = math.inf
        return bool(seconds) and response.status in REFUSALS

    def _pause(self, host: Host, now: float, seconds: float) -> None:
        before = host.pause(now)
        host.left, host.resets = 0, now + max(before, seconds)
        self._announce(host, before, seconds)

    def _announce(self, host: Host, before: float, seconds: float) -> None:
        if seconds <= before:
            return
        self.stats.inc_value("pauses/seconds", round(seconds - before))
        if not before:
            self.stats.inc_value("pauses/count")
        if not before or seconds - before > LONG:  # many answers may say the same
            level = logging.WARNING if seconds > LONG else logging.INFO
            more = ", which is more than PAUSE_MAX: its requests fail until then" if is_too_long(host, seconds) else ""
            logger.log(level, "%s asks to wait %d s%s", host.name, math.ceil(seconds), more)

    def _again(self, host: Host, request: Request, response: Response) -> Request | Response:
        times = request.meta.get("pause_times", 0)
        too_long = is_too_long(host, host.pause(self.clock.time()))
        if self._stopped or too_long or times >= PAUSE_TIMES or request.meta.get("dont_retry"):
            request.meta["dont_retry"] = True  # RetryMiddleware would ask at once
            return response
        again = request.copy()
        again.meta["pause_times"] = times + 1
        again.dont_filter = True
        return again

    def _move(self, host: Host) -> None:
        """Let go whoever may go, first come first served; forget a host of whom nothing is wanted."""
        now = self.clock.time()
        self._stopped = self._stopped or is_ending(self.crawler)
        while host.waiting:
            refusal = self._refusal(host, now)
            if not refusal and not host.admits(now, self.per_host):
                break
            request, turn = host.waiting.popleft()
            if turn.done():  # cancelled
                continue
            if not refusal:
                self._count(host, request, now)
            turn.set_result(refusal)
        self._look_again(host, now)

    def _look_again(self, host: Host, now: float) -> None:
        pause = host.pause(now)
        host.cancel_timer()
        if pause and not self._stopped:
            host.timer = self.clock.call_later(min(pause, TICK) if host.waiting else pause, self._move, host)
        elif not (pause or host.waiting or host.under_way):
            self._forget(host)

    def _refusal(self, host: Host, now: float) -> str:
        """Why nobody may wait for this host; empty when one may, or need not."""
        pause = host.pause(now)
        if is_too_long(host, pause):
            return f"{RATE_LIMIT}: {host.name} asks to wait {math.ceil(pause)} s"
        return "the crawl ends" if self._stopped and not host.admits(now, self.per_host) else ""

    def _count(self, host: Host, request: Request, now: float) -> None:
        before = host.pause(now)
        host.left -= 1
        host.under_way.add(request)
        self._announce(host, before, host.pause(now))

    def _forget(self, host: Host) -> None:
        del self._hosts[host.name]
        if host.left < FEWEST + self.per_host:  # as many as go at once may be too many
            self._announcing[host.name] = True


def is_too_long(host: Host, pause: float) -> bool:
    """Whether nobody waits for a host any more."""
    return round(pause, 3) > host.pause_max  # the difference of two times is not exact


def _host_of(request: Request) -> str:
    """``host:port`` as the address has it, without user and password; empty for data: and the like."""
    return urlparse_cached(request).netloc.rpartition("@")[2].lower()
