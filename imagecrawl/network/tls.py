"""The certificates of hosts: verified, but for the hosts that ``TLS_UNVERIFIED_HOSTS`` names.

Chromium verifies for itself: ``BROWSER_VERIFY_TLS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from OpenSSL import SSL
from scrapy.core.downloader.contextfactory import _ScrapyClientContextFactory
from scrapy.utils._deps_compat import TWISTED_TLS_NEW_IMPL
from service_identity import CertificateError as NoNamesError
from service_identity import VerificationError
from twisted.internet._sslverify import ClientTLSOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from scrapy.crawler import Crawler

UNTRUSTED = "certificate verify failed"
"""OpenSSL's word for a certificate that is expired, or of an authority that is not known here."""


class ContextFactory(_ScrapyClientContextFactory):
    """Scrapy's, which verifies the certificates of all hosts or none, with exceptions.

    All connections that are verified share one OpenSSL context with its list of authorities, which for each of its own
    takes 0.9 MB and 7 ms. What a host is called is said to each connection, and verified for each: so Twisted does it
    since 26.4, while before it was said to the context.
    """

    lenient: _ScrapyClientContextFactory
    unverified: frozenset[str]
    _connection: Callable[..., SSL.Connection] | None = None

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
        if not (self._verify_certificates and TWISTED_TLS_NEW_IMPL):
            return super().creatorForNetloc(hostname, port)
        if self._connection is None:
            self._connection = super().creatorForNetloc(hostname, port)._createConnection  # noqa: SLF001
        return ClientTLSOptions(self._connection, hostname.decode("ascii"))


def _plain(host: str) -> str:
    """A host name as it stands in the address of a request, without a dot at the end."""
    return host.strip().lower().rstrip(".").encode("idna").decode("ascii")


def why_refused(error: BaseException | None) -> str | None:
    """Why a certificate was refused, wherever Twisted and Scrapy have wrapped that; ``None`` when none was."""
    if error is None:
        return None
    if isinstance(error, VerificationError | NoNamesError):
        return "it was made out to another name"
    if isinstance(error, SSL.Error):
        return UNTRUSTED if UNTRUSTED in str(error) else None
    inner = (error.__cause__, *(failure.value for failure in getattr(error, "reasons", ())))
    return next(filter(None, map(why_refused, inner)), None)
