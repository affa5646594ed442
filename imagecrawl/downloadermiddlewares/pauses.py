"""Hosts are asked no more often than they say or show that they may be, and not at all when they keep refusing."""

from __future__ import annotations

import asyncio
import logging
import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy import signals as scrapy_signals
from scrapy.http import Response
from scrapy.utils.datatypes import LocalCache

from imagecrawl import signals
from imagecrawl.backoff import Refusals
from imagecrawl.ending import is_ending
from imagecrawl.failures import GIVEN_UP, RATE_LIMITED, STOPPED, RequestRefusedError
from imagecrawl.network.urls import authority
from imagecrawl.rates import parse_rate, retry_after
from imagecrawl.turns import FEWEST, Clock, Host, Turn

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

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

GIVEN_UP_SAID = 20
"""So many hosts that are given up are said as warnings, those after them as information."""

HEADERS = ("Retry-After", "x-ratelimit-remaining", "x-ratelimit-reset")


class Place(Protocol):
    """In the meta of a request as ``place``: one of a few that it shares with requests to other hosts."""

    async def take(self) -> None: ...

    def leave(self) -> None: ...


class PausesMiddleware:
    """Waits when a host says so, and with every request to it, be it for a page, a picture or its robots.txt.

    A host (:func:`imagecrawl.network.urls.authority`) pauses

    - when an answer says ``x-ratelimit-remaining`` < 2, what is under way counted off, until ``x-ratelimit-reset``;
    - when it refuses: it answers 429 or 503. ``Retry-After`` says for how long; without it the pause is that of
      :class:`imagecrawl.backoff.Refusals`, cut at ``PAUSE_MAX``, and with ``BACKOFF_START=0`` there is none.

    A request that was refused is sent again after the pause, twice at most; then its answer stands. A spider that wants
    to hear of a refusal at once puts ``refusal_stands`` into the meta of its requests (``dont_retry`` does it too, and
    switches off all other retries). For a pause longer than ``PAUSE_MAX`` (seconds; a spider that knows better puts
    ``pause_max`` into the meta) nobody waits: the refusal is the answer, and other requests to the host fail with
    RequestRefusedError. So do all that wait when the crawl is being ended.

    A host that refuses ``REFUSALS_MAX`` times in a row is given up: the last refusal is the answer, and every other
    request to it fails with RequestRefusedError, to the end of the crawl. Refusals of what was sent together count as
    one: else a host that is asked four things in a bad moment would have used up four.

    Requests with ``crawl_delay`` (seconds) in their meta, whoever puts it there, start that far apart; those without
    neither wait for it nor count. They start when they are handed to Scrapy's downloader, which may keep one back a
    little (``DOWNLOAD_DELAY``, AutoThrottle).

    From each host no more is asked at once than Scrapy's downloader sends (``CONCURRENT_REQUESTS_PER_DOMAIN``): what
    stands in its queue cannot be held back. A robots.txt (``robots_txt`` in the meta) is not counted, and waits for the
    end of a pause alone: a page in the browser holds its place while it waits for the robots.txt of where it is led.

    A request with a ``place`` in its meta, whatever its address, leaves it while it waits here, and takes it when its
    turn has come.

    Stats: ``pauses/count``, ``pauses/seconds`` (as announced), ``pauses/given_up`` (hosts).
    """

    def __init__(
        self, crawler: Crawler, *, pause_max: float, per_host: int, refusals: Refusals, clock: Clock | None = None
    ) -> None:
        assert crawler.stats
        self.crawler = crawler
        self.stats = crawler.stats
        self.pause_max = pause_max
        self.per_host = per_host
        self.refusals = refusals
        self._clock = clock
        self._hosts: dict[str, Host] = {}
        self._announcing: LocalCache[str, bool] = LocalCache(REMEMBERED)
        self._stopped = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        settings = crawler.settings
        middleware = cls(
            crawler,
            pause_max=settings.getfloat("PAUSE_MAX"),
            per_host=max(1, settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")),
            refusals=Refusals(start=settings.getfloat("BACKOFF_START"), most=settings.getint("REFUSALS_MAX")),
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
        place: Place | None = request.meta.get("place")
        if place:
            place.leave()
        name = authority(request.url)
        while name and not await self._has_turn(self._host(name), request, place):
            pass
        if place:
            await place.take()

    async def permit(self, request: Request) -> None:
        """Return when the host of ``request`` does not pause, without a turn for it; raises RequestRefusedError."""
        if name := authority(request.url):
            host, turn = self._host(name), self._turn(request, takes_place=False)
            try:
                await self._come(host, turn)
            finally:
                self._leave(host, turn)

    def process_response(self, request: Request, response: Response) -> Request | Response:
        host = self._hosts.get(authority(request.url))
        sent = host.end(request) if host else None
        if host is None or sent is None:
            return response
        led_to = authority(response.url) if request.meta.get("browser") is not None else ""
        if led_to and led_to != host.name:
            self._hear(host, request, Response(request.url), sent=sent)  # it sent the page on: that is no refusal
            self._move(host)
            host = self._host(led_to)
        may_go_again = self._hear(host, request, response, sent=sent)
        self._move(host)
        return self._again(host, request, response) if may_go_again else response

    def process_exception(self, request: Request, exception: Exception) -> None:
        if isinstance(exception, RequestRefusedError) and exception.host is None:
            exception.host = urlsplit(request.url).hostname
        host = self._hosts.get(authority(request.url))
        if host and host.end(request) is not None:
            self._move(host)

    def _host(self, name: str) -> Host:
        if name not in self._hosts:
            self._hosts[name] = Host(name, 0 if self._announcing.pop(name, False) else math.inf)
        return self._hosts[name]

    def _turn(self, request: Request, *, takes_place: bool) -> Turn:
        come: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        return Turn(request, come, self._patience(request), takes_place)

    def _patience(self, request: Request) -> float:
        """The longest pause that a request waits for, in seconds."""
        return float(request.meta.get("pause_max", self.pause_max))

    async def _come(self, host: Host, turn: Turn) -> None:
        host.waiting.append(turn)
        self._move(host)
        if refusal := await turn.come:
            raise refusal

    async def _has_turn(self, host: Host, request: Request, place: Place | None) -> bool:
        """Whether a request whose turn has come may be sent: not when its host refused before there was a place."""
        turn = self._turn(request, takes_place="robots_txt" not in request.meta)
        try:
            await self._come(host, turn)
            if place:
                await place.take()
                if is_ending(self.crawler):
                    raise RequestRefusedError("the crawl ends", STOPPED)
                if not host.is_still(turn):
                    place.leave()
                    self._leave(host, turn)
                    return False
        except BaseException:  # a cancellation too, of which Scrapy does not tell process_exception
            self._leave(host, turn)
            raise
        host.start(turn, self.clock.time())
        self._move(host)
        return True

    def _leave(self, host: Host, turn: Turn) -> None:
        """Give back a turn, or wait for it no longer."""
        host.leave(turn, self.clock.time())
        if self._hosts.get(host.name) is host:
            self._move(host)

    def _hear(self, host: Host, request: Request, response: Response, *, sent: float) -> bool:
        """Take down what an answer says of the host. Whether it is a refusal that need not stand."""
        wall = datetime.now(UTC)
        said = {name: value.decode("latin-1") for name in HEADERS if (value := response.headers.get(name))}
        rate = parse_rate(said, wall)
        left = rate.remaining - len(host.under_way) if rate else math.inf
        asked = [rate.reset] if rate and left < FEWEST else []
        if response.status in REFUSALS:
            asked += [] if (seconds := retry_after(said, wall)) is None else [seconds]
            return self._refused(host, request, response.status, max(asked, default=None), sent=sent)
        if sent > host.refused:
            self.refusals.end(host.name)
        if asked:
            self._pause(host, request, max(asked), "asks to wait")
        elif host.speaks_for(sent):
            if rate:
                host.left, host.resets = left, self.clock.time() + rate.reset
            elif host.left < FEWEST and "robots_txt" not in request.meta:  # which was not the one that went alone
                host.left = math.inf
        return False

    def _refused(self, host: Host, request: Request, status: int, asked: float | None, *, sent: float) -> bool:
        """Take down a refusal, which asks to wait for some seconds or does not say. Whether one may ask again."""
        is_new = sent > host.refused  # else it was sent together with what was refused before
        if is_new:
            host.refused = self.clock.time()
            backoff = min(self.refusals.add(host.name, status), self.pause_max)
            if why := self.refusals.given_up(host.name):
                self._say_given_up(host, why)
        if self.refusals.given_up(host.name):
            return False
        if asked is not None:
            self._pause(host, request, asked, "asks to wait")
        elif not (self.refusals.start and self.pause_max):
            return False
        elif is_new:
            self._pause(host, request, backoff, f"refuses ({status}): it is left alone for")
        return True

    def _say_given_up(self, host: Host, why: str) -> None:
        self.stats.inc_value("pauses/given_up")
        level = logging.WARNING if self.stats.get_value("pauses/given_up") <= GIVEN_UP_SAID else logging.INFO
        logger.log(level, "%s %s: nothing more is asked of it in this crawl", host.name, why)

    def _pause(self, host: Host, request: Request, seconds: float, what: str) -> None:
        now = self.clock.time()
        before = host.pause(now)
        host.left, host.resets = 0, now + max(before, seconds)
        self._announce(host, request, before, seconds, what)

    def _announce(self, host: Host, request: Request, before: float, seconds: float, what: str) -> None:
        if seconds <= before:
            return
        self.stats.inc_value("pauses/seconds", round(seconds - before))
        if not before:
            self.stats.inc_value("pauses/count")
        if not before or seconds - before > LONG:  # many answers may say the same
            level = logging.WARNING if seconds > LONG else logging.INFO
            too_long = is_too_long(seconds, self._patience(request))
            more = ", which is more than PAUSE_MAX: its requests fail until then" if too_long else ""
            logger.log(level, "%s %s %d s%s", host.name, what, math.ceil(seconds), more)

    def _again(self, host: Host, request: Request, response: Response) -> Request | Response:
        times = request.meta.get("pause_times", 0)
        too_long = is_too_long(host.pause(self.clock.time()), self._patience(request))
        stands = request.meta.get("refusal_stands") or request.meta.get("dont_retry")
        if self._stopped or too_long or times >= PAUSE_TIMES or stands:
            request.meta["dont_retry"] = True  # RetryMiddleware would ask at once
            return response
        again = request.copy()
        again.meta["pause_times"] = times + 1
        again.dont_filter = True
        return again

    def _move(self, host: Host) -> None:
        """Let go whoever may go, for a place first come first served; forget a host of whom nothing is wanted."""
        now = self.clock.time()
        self._stopped = self._stopped or is_ending(self.crawler)
        is_held_up = False  # whoever waits for a place: another came before
        for turn in [*host.waiting]:
            refusal = self._refusal(host, turn, now)
            may_go = host.admits(turn, now, self.per_host) and not (turn.takes_place and is_held_up)
            if not (refusal or may_go):
                is_held_up |= turn.takes_place
                continue
            host.waiting.remove(turn)
            if turn.come.done():  # cancelled
                continue
            if not refusal:
                self._let_go(host, turn, now)
            turn.come.set_result(refusal)
        self._look_again(host, now)

    def _look_again(self, host: Host, now: float) -> None:
        wait = host.wait(now)
        host.cancel_timer()
        if wait > 0 and not self._stopped and (host.waiting or wait < math.inf):
            host.timer = self.clock.call_later(min(wait, TICK) if host.waiting else wait, self._move, host)
        elif not (wait > 0 or host.waiting or host.under_way or host.beside):
            self._forget(host)

    def _refusal(self, host: Host, turn: Turn, now: float) -> RequestRefusedError | None:
        """Why nobody may wait for this host; ``None`` when one may, or need not."""
        if why := self.refusals.given_up(host.name):
            return RequestRefusedError(f"{host.name} {why}", GIVEN_UP)
        pause = host.pause(now)
        if is_too_long(pause, turn.pause_max):
            return RequestRefusedError(f"{host.name} asks to wait {math.ceil(pause)} s", RATE_LIMITED)
        if self._stopped and not host.admits(turn, now, self.per_host):
            return RequestRefusedError("the crawl ends", STOPPED)
        return None

    def _let_go(self, host: Host, turn: Turn, now: float) -> None:
        before = host.pause(now)
        host.let_go(turn, now)
        self._announce(host, turn.request, before, host.pause(now), "asks to wait")

    def _forget(self, host: Host) -> None:
        del self._hosts[host.name]
        if host.left < FEWEST + self.per_host:  # as many as go at once may be too many
            self._announcing[host.name] = True


def is_too_long(pause: float, pause_max: float) -> bool:
    """Whether a pause is not waited for."""
    return round(pause, 3) > pause_max  # the difference of two times is not exact
