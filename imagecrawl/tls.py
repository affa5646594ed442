"""The certificates of hosts: verified, but for the hosts that ``TLS_UNVERIFIED_HOSTS`` names.

The settings name the download handler here by path. Chromium verifies for itself: ``BROWSER_VERIFY_TLS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from OpenSSL import SSL
from scrapy.core.downloader.contextfactory import _ScrapyClientContextFactory
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler
from service_identity import CertificateError as NoNamesError
from service_identity import VerificationError

from imagecrawl.exceptions import CertificateError

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

UNTRUSTED = "certificate verify failed"
"""OpenSSL's word for a certificate that is expired, or of an authority that is not known here."""


HOSTS_KEPT = 100
"""Connections to so many hosts stay open at most while nothing is asked of them."""


class DownloadHandler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """scrapy-playwright's, with one's own word on certificates. Raises :class:`CertificateError`.

    Raised here, it is above what RetryMiddleware retries: a bad certificate does not heal.

    A connection stays open for the next request, but not when many other hosts were asked since: Twisted keeps each
    for four minutes, as an open file and with TLS 0.8 MB, and a list of pictures may be of 100,000 hosts.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._hosts: set[str] = set()
        # A factory of one's own can be named in the settings, but that is deprecated.
        self._contextFactory = ContextFactory.from_crawler(crawler)

    async def download_request(self, request: Request) -> Response:
        self._hosts.add(urlsplit(request.url).netloc)
        if len(self._hosts) > HOSTS_KEPT:
            self._pool.closeCachedConnections()
            self._hosts.clear()
        try:
            response: Response = await super().download_request(request)
        except Exception as error:
            if why := _why(error):
                raise CertificateError(urlsplit(request.url).hostname or "", why) from error
            raise
        return response


class ContextFactory(_ScrapyClientContextFactory):
    """Scrapy's, which verifies the certificates of all hosts or none, with exceptions."""

    lenient: _ScrapyClientContextFactory
    unverified: frozenset[str]

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        factory = super().from_crawler(crawler, *args, **kwargs)
        factory.lenient = _ScrapyClientContextFactory.from_crawler(crawler, *args, **kwargs)
        factory.lenient._verify_certificates = False  # noqa: SLF001
        factory.unverified = frozenset(map(_plain, crawler.settings.getlist("TLS_UNVERIFIED_HOSTS")))
        return factory

    def creatorForNetloc(self, hostname: bytes, port: int) -> Any:  # noqa: N802
        if hostname.decode("ascii").lower().rstrip(".") in self.unverified:
            return self.lenient.creatorForNetloc(hostname, port)
        return super().creatorForNetloc(hostname, port)


def _plain(host: str) -> str:
    """A host name as it stands in the address of a request, without a dot at the end."""
    return host.strip().lower().rstrip(".").encode("idna").decode("ascii")


def _why(error: BaseException | None) -> str | None:
    """Why a certificate was refused, wherever Twisted and Scrapy have wrapped that; ``None`` when none was."""
    if error is None:
        return None
    if isinstance(error, VerificationError | NoNamesError):
        return "it was made out to another name"
    if isinstance(error, SSL.Error):
        return UNTRUSTED if UNTRUSTED in str(error) else None
    inner = (error.__cause__, *(failure.value for failure in getattr(error, "reasons", ())))
    return next(filter(None, map(_why, inner)), None)
