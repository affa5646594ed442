"""Nothing is asked of a host that its robots.txt forbids, as RFC 9309 says."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakKeyDictionary

from scrapy import Request
from scrapy import signals as scrapy_signals
from scrapy.exceptions import IgnoreRequest, NotConfigured, StopDownload
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from imagecrawl import signals
from imagecrawl.ending import is_ending
from imagecrawl.exceptions import CertificateError, Obstacle
from imagecrawl.failures import ROBOTS_TXT, ROBOTS_UNAVAILABLE, STOPPED, RequestRefusedError, failure_of
from imagecrawl.network.urls import authority
from imagecrawl.outcomes import Reason
from imagecrawl.output import printable
from imagecrawl.robots import BODY_MAX, Robots

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

KEPT = 24 * 60 * 60
"""Seconds after which a robots.txt is asked for again: RFC 9309, section 2.4."""

KEPT_WITHOUT = 10 * 60
"""Seconds after which it is asked for again when it could not be had."""

LONG = 10
"""Seconds between requests: of more a user at a terminal is told."""

HOSTS_MAX = 10_000
"""Of so many hosts, those asked last, it is remembered what they said."""

SIZE_MAX = 32 * 1024 * 1024
"""About as many bytes may what they said take together."""

META = {
    "robots_txt": True,
    "dont_obey_robotstxt": True,
    "dont_merge_cookies": True,
    "download_maxsize": 32 * 1024 * 1024,  # announced or unpacked; of more than BODY_MAX the rest is not waited for
}
"""Of every request for a robots.txt."""

OF_THE_HOST = frozenset(
    {
        Reason.CONNECTION,
        Reason.DNS,
        Reason.GIVEN_UP,
        Reason.PRIVATE_ADDRESS,
        Reason.RATE_LIMITED,
        Reason.STOPPED,
        Reason.TIMEOUT,
        Reason.TOO_SLOW,
    }
)
"""Why a robots.txt cannot be had, where anything else of its host would fail for the same reason."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a robots.txt: ``robots`` are its rules, if there are any, ``refusal`` the error if none may be
    assumed. ``until`` is when it is to be asked for again.
    """

    until: float
    robots: Robots | None = None
    refusal: Callable[[], Exception] | None = None

    @property
    def size(self) -> int:
        return self.robots.size if self.robots else 0


class Verdicts:
    """Verdicts by host; those used last, no more of them than are given."""

    def __init__(self, hosts_max: int = HOSTS_MAX, size_max: int = SIZE_MAX) -> None:
        self.hosts_max = hosts_max
        self.size_max = size_max
        self.size = 0
        self._verdicts: OrderedDict[str, Verdict] = OrderedDict()

    def __len__(self) -> int:
        return len(self._verdicts)

    def get(self, host: str, now: float) -> Verdict | None:
        verdict = self._verdicts.get(host)
        if verdict is None or now >= verdict.until:
            return None
        self._verdicts.move_to_end(host)
        return verdict

    def put(self, host: str, verdict: Verdict) -> None:
        if old := self._verdicts.pop(host, None):
            self.size -= old.size
        self._verdicts[host] = verdict
        self.size += verdict.size
        while len(self) > self.hosts_max or self.size > self.size_max:
            self.size -= self._verdicts.popitem(last=False)[1].size


class RobotsTxtMiddleware:
    """Asks each host (scheme, name and port) once for its robots.txt, and refuses with RequestRefusedError.

    A robots.txt that there is not (4xx but 429, redirects without an end) allows everything; one that its host does not
    give (5xx, 429) nothing; and where there is no answer at all, requests fail for the same reason. It is asked for as
    anything is, so that pauses, retries and redirects are those of the crawl.

    ``dont_obey_robotstxt`` in the meta of a request is ``True``, or a domain such as ``google.com``: then only hosts of
    that domain are not asked, and a redirect from there to another obeys again. What the middleware puts into the meta:
    ``crawl_delay``, seconds (at most ``CRAWL_DELAY_MAX``), where the host says how fast it may be asked; and
    ``opt_outs``, what the hosts reserve that led to the request: see :meth:`imagecrawl.robots.Robots.usage`.

    Stats: ``robotstxt/...``, those of Scrapy's own middleware.
    """

    def __init__(
        self, crawler: Crawler, *, product_token: str, delay_max: float, clock: Callable[[], float] = monotonic
    ) -> None:
        assert crawler.stats
        self.crawler = crawler
        self.stats = crawler.stats
        self.product_token = product_token
        self.delay_max = delay_max
        self.verdicts = Verdicts()
        self._clock = clock
        self._asking: dict[str, asyncio.Future[Verdict]] = {}
        self._received: WeakKeyDictionary[Request, int] = WeakKeyDictionary()
        self._stopped = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        middleware = cls(
            crawler,
            product_token=crawler.settings["ROBOTSTXT_USER_AGENT"],
            delay_max=crawler.settings.getfloat("CRAWL_DELAY_MAX"),
        )
        crawler.signals.connect(middleware.stop, signals.crawl_stopping)
        crawler.signals.connect(middleware.bytes_received, scrapy_signals.bytes_received)
        return middleware

    def stop(self) -> None:
        """Let no host that is slow to answer hold up the end."""
        self._stopped = True
        for asking in self._asking.values():
            asking.cancel()

    def bytes_received(self, data: bytes, request: Request) -> None:
        """End the download of a robots.txt where we stop to read."""
        if request.meta.get("robots_txt"):
            self._received[request] = self._received.get(request, 0) + len(data)
            if self._received[request] > BODY_MAX:
                raise StopDownload(fail=False)

    async def process_request(self, request: Request) -> None:
        await self.permit(request)

    async def permit(self, request: Request) -> None:
        """Return when ``request`` may be sent; raises RequestRefusedError, or CertificateError."""
        request.meta.pop("crawl_delay", None)  # of the host that redirected here
        request.meta["opt_outs"] = dict(request.meta.get("opt_outs", {}))  # a redirect has the very same
        host = _host_of(request)
        if not host or _is_exempt(request):
            return
        verdict = self.verdicts.get(host, self._clock()) or await self._ask_once(host)
        if verdict.refusal:
            raise verdict.refusal()
        if verdict.robots:
            self._obey(verdict.robots, request)

    def _obey(self, robots: Robots, request: Request) -> None:
        if not robots.allows(request.url):
            logger.debug("Forbidden by robots.txt: %s", request)
            self.stats.inc_value("robotstxt/forbidden")
            raise RequestRefusedError(f"the robots.txt of {_name(request)} forbids it", ROBOTS_TXT)
        if delay := min(robots.crawl_delay or 0.0, self.delay_max):
            request.meta["crawl_delay"] = delay
        request.meta["opt_outs"].update(robots.usage(request.url))

    async def _ask_once(self, host: str) -> Verdict:
        """The verdict on a host, for as many as wait for it; it comes, too, when those are cancelled."""
        if self._stopped or is_ending(self.crawler):
            raise RequestRefusedError("the crawl ends", STOPPED)
        asking = self._asking.get(host)
        if asking is None:
            asking = self._asking[host] = asyncio.ensure_future(self._ask(host))
            asking.add_done_callback(lambda _: self._asking.pop(host))
        await asyncio.wait([asking])
        if asking.cancelled():
            raise RequestRefusedError("the crawl ends", STOPPED)
        return asking.result()

    async def _ask(self, host: str) -> Verdict:
        assert self.crawler.engine
        self.stats.inc_value("robotstxt/request_count")
        meta = {**META, "download_slot": f"robots.txt of {host}"}  # those who wait for it may hold the host's own
        request = Request(f"{host}/robots.txt", meta=meta, callback=NO_CALLBACK)
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody can read the robots.txt
            verdict = self._without_answer(request, error)
        else:
            verdict = self._answered(request, response)
        self.verdicts.put(host, verdict)
        return verdict

    def _answered(self, request: Request, response: Response) -> Verdict:
        self.stats.inc_value("robotstxt/response_count")
        self.stats.inc_value(f"robotstxt/response_status_count/{response.status}")
        now = self._clock()
        if response.status == 429 or response.status >= 500:
            message = f"the robots.txt of {_name(request)} cannot be had ({response.status})"
            return Verdict(now + KEPT_WITHOUT, refusal=partial(RequestRefusedError, message, ROBOTS_UNAVAILABLE))
        if not 200 <= response.status < 300:
            return Verdict(now + KEPT)
        robots = Robots(response.body, self.product_token)
        self._say_delay(_name(request), robots.crawl_delay or 0.0)
        return Verdict(now + KEPT, robots)

    def _say_delay(self, host: str, seconds: float) -> None:
        """A crawl that is slow because its host wants that should not look as if it stood still."""
        if seconds > self.delay_max:
            said = "%s wants %g s between requests: CRAWL_DELAY_MAX lets it have %g s"
            logger.warning(said, host, seconds, self.delay_max)
        elif seconds:
            logger.log(
                logging.WARNING if seconds > LONG else logging.INFO, "%s wants %g s between requests", host, seconds
            )

    def _without_answer(self, request: Request, error: Exception) -> Verdict:
        if not isinstance(error, IgnoreRequest):
            self.stats.inc_value(f"robotstxt/exception_count/{type(error)}")
        failure = failure_of(error)
        reason = failure.reason if failure else None
        if reason is Reason.TOO_MANY_REDIRECTS:
            return Verdict(self._clock() + KEPT)
        until = self._clock() + (0 if reason is Reason.STOPPED else KEPT_WITHOUT)
        if isinstance(error, CertificateError):  # it says itself what can be done
            return Verdict(until, refusal=partial(CertificateError, error.host, error.why))
        elsewhere = isinstance(error, RequestRefusedError) and error.host not in {None, _name(request)}
        if failure is None or elsewhere or failure.reason not in OF_THE_HOST:
            failure = ROBOTS_UNAVAILABLE
        is_down = failure.obstacle is Obstacle.UNREACHABLE and not isinstance(error, IgnoreRequest)
        what = "{} did not answer" if is_down else "the robots.txt of {} cannot be had"
        message = f"{what.format(_name(request))} ({_said(error)})"
        return Verdict(until, refusal=partial(RequestRefusedError, message, failure))


def _host_of(request: Request) -> str:
    """Scheme, name and port, which have one robots.txt; empty for data: and the like."""
    name = authority(request.url)
    return f"{urlparse_cached(request).scheme}://{name}" if name else ""


def _is_exempt(request: Request) -> bool:
    exempt: Any = request.meta.get("dont_obey_robotstxt")
    if isinstance(exempt, str):
        return f".{_name(request)}".endswith(f".{exempt}")
    return bool(exempt)


def _name(request: Request) -> str:
    return printable(urlparse_cached(request).hostname or "")


def _said(error: Exception) -> str:
    said = str(error) if isinstance(error, IgnoreRequest) else f"{type(error).__name__}: {error}"
    return printable(next(iter(said.splitlines()), ""))
