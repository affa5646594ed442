"""The downloads of pictures and files, and why one failed, in the words of :mod:`imagecrawl.outcomes`."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from imagecrawl import signals
from imagecrawl.ending import is_ending
from imagecrawl.exceptions import CertificateError, MediaError
from imagecrawl.failures import RequestRefusedError, failure_of
from imagecrawl.network.urls import UrlRules, authority
from imagecrawl.outcomes import Outcome, Reason, http_reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

PASSING_STATUSES = frozenset({408, 425, 429})
"""Client errors that say "not now"; every server error (5xx) does too."""

WARNED_MAX = 100
"""So many hosts with a bad certificate are said in the log; the outcomes say it of all."""


class Place:
    """One of the places of a crawl, in which a request is sent and what it brings is kept. It is left while the request
    waits for its host, so that hosts that pause keep no others waiting.
    """

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._is_held = False

    async def take(self) -> None:
        if not self._is_held:
            await self._places.acquire()
            self._is_held = True

    def leave(self) -> None:
        if self._is_held:
            self._is_held = False
            self._places.release()


class Downloads:
    """The downloads of one pipeline: straight through the engine's downloader, and given up when the crawl stops.

    ``accept`` is the ``Accept`` header; an answer of more than ``max_bytes``, or that takes longer than ``timeout``
    seconds (0 = ``DOWNLOAD_TIMEOUT``), is given up.
    """

    def __init__(self, crawler: Crawler, *, accept: str, max_bytes: int, timeout: float = 0) -> None:
        self.crawler = crawler
        self.rules = UrlRules(crawler.settings)
        self._per_host = max(1, crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"))
        self._places = asyncio.Semaphore(max(1, crawler.settings.getint("CONCURRENT_REQUESTS")))
        self._host_slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self.accept = accept
        self.meta: dict[str, Any] = {"download_maxsize": max_bytes, "dont_merge_cookies": True, "obey_opt_outs": True}
        if timeout:
            self.meta["download_timeout"] = timeout
        self._under_way: set[asyncio.Future[Response]] = set()
        self._stopped = False
        self._warned: set[str] = set()
        crawler.signals.connect(self.stop, signals.crawl_stopping)

    def stop(self) -> None:
        """Let no download that is slow to come hold up the end, and begin no other."""
        self._stopped = True
        for download in self._under_way:
            download.cancel()

    def request(self, url: str) -> Request:
        """The request for ``url``; raises :class:`MediaError`. A page must not make us read files or other schemes.

        The rules are AddressesMiddleware's. They come first: making a Request of a long address takes its time.
        """
        try:
            self.rules.check(url)
            return Request(url, headers={"Accept": self.accept}, meta=dict(self.meta), callback=NO_CALLBACK)
        except RequestRefusedError as error:
            raise explain(error) or error from error
        except ValueError as error:
            raise MediaError(Outcome.FAILED, Reason.BAD_URL, str(error)) from error

    @asynccontextmanager
    async def slot(self, request: Request) -> AsyncIterator[None]:
        """One of as many places as Scrapy sends requests at once, to be held until the file is kept and written down.

        It bounds the bodies in memory, and what has to be asked for again after a crash. The host's own places come
        first, so that one host with many pictures does not keep the others waiting; and PausesMiddleware takes the
        :class:`Place` in ``request.meta["place"]`` when the host may be asked.
        """
        of_host = self._host_slots.setdefault(authority(request.url), asyncio.Semaphore(self._per_host))
        place = request.meta["place"] = Place(self._places)
        async with of_host:
            try:
                yield
            finally:
                place.leave()

    async def fetch(self, request: Request) -> Response:
        """The answer to ``request``: a success, or 304 to a conditional one. Raises :class:`MediaError`."""
        assert self.crawler.engine
        if self._stopped or is_ending(self.crawler):
            raise MediaError(Outcome.FAILED, Reason.STOPPED, passing=True)
        download = asyncio.ensure_future(self.crawler.engine.download_async(request))
        self._under_way.add(download)
        try:
            response = await download
        except asyncio.CancelledError as error:
            raise MediaError(Outcome.FAILED, Reason.STOPPED, passing=True) from error
        except Exception as error:
            if isinstance(error, CertificateError):
                self._warn(error)
            raise explain(error) or error from error
        finally:
            self._under_way.discard(download)
        if 200 <= response.status < 300 or (response.status == 304 and _is_conditional(request)):
            return response
        passing = response.status in PASSING_STATUSES or response.status >= 500
        raise MediaError(Outcome.FAILED, http_reason(response.status), passing=passing)

    def _warn(self, error: CertificateError) -> None:
        """Name the setting, which the reason of an outcome cannot, once for each host."""
        if error.host not in self._warned and len(self._warned) < WARNED_MAX:
            self._warned.add(error.host)
            logger.warning("%s", error)


def _is_conditional(request: Request) -> bool:
    return "If-None-Match" in request.headers or "If-Modified-Since" in request.headers


def explain(error: Exception) -> MediaError | None:
    """What it means for a picture or file that its download has raised ``error``; ``None`` when nobody foresaw that."""
    failure = failure_of(error)
    if failure is None:
        return None
    opt_outs = error.opt_outs if isinstance(error, RequestRefusedError) else {}
    return MediaError(failure.outcome, failure.reason, str(error), passing=failure.is_passing, opt_outs=opt_outs)
