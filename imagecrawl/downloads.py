"""The downloads of pictures and files, and why one failed, in the words of :mod:`imagecrawl.outcomes`."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from OpenSSL.SSL import Error as TlsError
from scrapy import Request
from scrapy.core.downloader.handlers.http11 import TunnelError
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotSupported,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http.request import NO_CALLBACK
from twisted.internet.error import ConnectError, ConnectionClosed

from imagecrawl import signals
from imagecrawl.ending import is_ending
from imagecrawl.exceptions import CertificateError, MediaError
from imagecrawl.outcomes import Outcome, Reason, http_reason
from imagecrawl.rates import RATE_LIMIT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

SCHEMES = frozenset({"http", "https", "data"})

PASSING_STATUSES = frozenset({408, 425, 429})
"""Client errors that say "not now"; every server error (5xx) does too."""

WARNED_MAX = 100
"""So many hosts with a bad certificate are said in the log; the outcomes say it of all."""


class Downloads:
    """The downloads of one pipeline: straight through the engine's downloader, and given up when the crawl stops.

    ``accept`` is the ``Accept`` header; an answer of more than ``max_bytes`` is given up.
    """

    def __init__(self, crawler: Crawler, *, accept: str, max_bytes: int) -> None:
        self.crawler = crawler
        self._per_host = max(1, crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"))
        self._slots = asyncio.Semaphore(max(1, crawler.settings.getint("CONCURRENT_REQUESTS")))
        self._host_slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self.accept = accept
        self.max_bytes = max_bytes
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
        """The request for ``url``; raises :class:`MediaError`. A page must not make us read files or other schemes."""
        try:
            if urlsplit(url).scheme not in SCHEMES:
                raise ValueError("neither http, https nor data")
            return Request(
                url,
                headers={"Accept": self.accept},
                meta={"download_maxsize": self.max_bytes, "dont_merge_cookies": True},
                callback=NO_CALLBACK,
            )
        except ValueError as error:
            raise MediaError(Outcome.FAILED, Reason.BAD_URL, str(error)) from error

    @asynccontextmanager
    async def slot(self, request: Request) -> AsyncIterator[None]:
        """One of as many places as Scrapy sends requests at once, to be held until the file is kept and written down.

        It bounds the bodies in memory, and what has to be asked for again after a crash. The host's own places come
        first, so that one host with many pictures does not keep the others waiting.
        """
        host = urlsplit(request.url).netloc
        of_host = self._host_slots.setdefault(host, asyncio.Semaphore(self._per_host))
        async with of_host, self._slots:
            yield

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
        except DOWNLOAD_ERRORS as error:
            if isinstance(error, CertificateError):
                self._warn(error)
            raise explain(error) from error
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


_REASONS: tuple[tuple[type[Exception], Outcome, Reason], ...] = (
    (DownloadTimeoutError, Outcome.FAILED, Reason.TIMEOUT),
    (CannotResolveHostError, Outcome.FAILED, Reason.DNS),
    (DownloadCancelledError, Outcome.REFUSED, Reason.TOO_LARGE),  # the handler gave up at download_maxsize
    (ResponseDataLossError, Outcome.FAILED, Reason.TRUNCATED),
    (UnsupportedURLSchemeError, Outcome.FAILED, Reason.BAD_URL),
    (NotSupported, Outcome.FAILED, Reason.BAD_URL),
    (UnicodeError, Outcome.FAILED, Reason.BAD_URL),  # a host name that is none
    (CertificateError, Outcome.FAILED, Reason.CERTIFICATE),
    (DownloadConnectionRefusedError, Outcome.FAILED, Reason.CONNECTION),
    (DownloadFailedError, Outcome.FAILED, Reason.CONNECTION),
    (TunnelError, Outcome.FAILED, Reason.CONNECTION),
    (TlsError, Outcome.FAILED, Reason.CONNECTION),
    (ConnectError, Outcome.FAILED, Reason.CONNECTION),
    (ConnectionClosed, Outcome.FAILED, Reason.CONNECTION),
    (OSError, Outcome.FAILED, Reason.CONNECTION),
)

DOWNLOAD_ERRORS: tuple[type[Exception], ...] = (IgnoreRequest, *(error_type for error_type, _, _ in _REASONS))
"""What a download may raise for reasons that lie outside the program."""


def explain(error: Exception) -> MediaError:
    """The outcome and reason of one of :data:`DOWNLOAD_ERRORS`."""
    if isinstance(error, IgnoreRequest):
        return _ignored(error)
    outcome, reason = next((o, r) for error_type, o, r in _REASONS if isinstance(error, error_type))
    lasting = {Reason.BAD_URL, Reason.TOO_LARGE}
    return MediaError(outcome, reason, str(error), passing=reason not in lasting)


def _ignored(error: IgnoreRequest) -> MediaError:
    """What a downloader middleware meant: RobotsTxtMiddleware, RedirectMiddleware, OffsiteMiddleware, ..."""
    message = str(error)
    if message.startswith(RATE_LIMIT):  # PausesMiddleware
        return MediaError(Outcome.FAILED, Reason.RATE_LIMITED, message, passing=True)
    if message == "the crawl ends":  # PausesMiddleware too
        return MediaError(Outcome.FAILED, Reason.STOPPED, passing=True)
    if "DOWNLOAD_MAXSIZE" in message:  # HttpCompressionMiddleware met a bomb
        return MediaError(Outcome.REFUSED, Reason.TOO_LARGE, message)
    if "robots.txt" in message:
        return MediaError(Outcome.REFUSED, Reason.ROBOTS_TXT, passing=True)
    if "redirections" in message:
        return MediaError(Outcome.FAILED, Reason.TOO_MANY_REDIRECTS)
    return MediaError(Outcome.REFUSED, Reason.NOT_ALLOWED, message, passing=True)
