"""Why a request has no answer, or none that is taken: one table for pictures, files and pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from OpenSSL.SSL import Error as TlsError
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
    StopDownload,
    UnsupportedURLSchemeError,
)
from twisted.internet.error import ConnectError, ConnectionClosed

from imagecrawl.exceptions import CertificateError, Obstacle
from imagecrawl.outcomes import Outcome, Reason

LASTING = frozenset(
    {
        Reason.BAD_URL,
        Reason.NO_SUCH_SCHEME,
        Reason.OPT_OUT,
        Reason.TOO_LARGE,
        Reason.TOO_MANY_REDIRECTS,
        Reason.URL_TOO_LONG,
    }
)
"""Asking again would change nothing."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer: what it means for a picture or file, and what for a page."""

    outcome: Outcome
    reason: Reason
    obstacle: Obstacle

    @property
    def is_passing(self) -> bool:
        """Whether asking again later may help."""
        return self.reason not in LASTING


class RequestRefusedError(IgnoreRequest):
    """Raised by our downloader middlewares and our download handler for a request that is not sent, or whose answer is
    not taken. The message says why, in words that fit behind "no page of a.example" too.

    ``opt_outs`` is what was seen of those, when they are the reason: see :mod:`imagecrawl.optouts`. ``host`` is the
    name of the host that the request was for, which a redirect may have led to; PausesMiddleware sets it.
    """

    host: str | None = None

    def __init__(self, message: str, failure: Failure, opt_outs: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(message)
        self.failure = failure
        self.opt_outs = opt_outs


class TooSlowError(StopDownload):
    """Raised by the extension Slowness, which hears ``signals.bytes_received``: what a download then fails with."""

    def __init__(self, message: str) -> None:
        super().__init__(fail=True)
        self.args = (message,)


STOPPED = Failure(Outcome.FAILED, Reason.STOPPED, Obstacle.UNREACHABLE)
RATE_LIMITED = Failure(Outcome.FAILED, Reason.RATE_LIMITED, Obstacle.RATE_LIMITED)
GIVEN_UP = Failure(Outcome.FAILED, Reason.GIVEN_UP, Obstacle.GIVEN_UP)
TOO_SLOW = Failure(Outcome.FAILED, Reason.TOO_SLOW, Obstacle.UNREACHABLE)
HEADERS_TOO_LARGE = Failure(Outcome.FAILED, Reason.HEADERS_TOO_LARGE, Obstacle.TOO_LARGE)
ROBOTS_TXT = Failure(Outcome.REFUSED, Reason.ROBOTS_TXT, Obstacle.ROBOTS_TXT)
ROBOTS_UNAVAILABLE = Failure(Outcome.REFUSED, Reason.ROBOTS_UNAVAILABLE, Obstacle.ROBOTS_UNAVAILABLE)
PRIVATE_ADDRESS = Failure(Outcome.REFUSED, Reason.PRIVATE_ADDRESS, Obstacle.PRIVATE_ADDRESS)
NO_SUCH_SCHEME = Failure(Outcome.REFUSED, Reason.NO_SUCH_SCHEME, Obstacle.REFUSED)
URL_TOO_LONG = Failure(Outcome.REFUSED, Reason.URL_TOO_LONG, Obstacle.REFUSED)
OPT_OUT = Failure(Outcome.REFUSED, Reason.OPT_OUT, Obstacle.REFUSED)
TOO_LARGE = Failure(Outcome.REFUSED, Reason.TOO_LARGE, Obstacle.TOO_LARGE)
REDIRECTS = Failure(Outcome.FAILED, Reason.TOO_MANY_REDIRECTS, Obstacle.REDIRECTS)
NOT_ALLOWED = Failure(Outcome.REFUSED, Reason.NOT_ALLOWED, Obstacle.REFUSED)
BAD_URL = Failure(Outcome.FAILED, Reason.BAD_URL, Obstacle.UNREACHABLE)

_SAID = {
    "DOWNLOAD_MAXSIZE": TOO_LARGE,  # HttpCompressionMiddleware met a bomb
    "redirections": REDIRECTS,  # RedirectMiddleware, MetaRefreshMiddleware
}
"""What Scrapy's own middlewares mean that ignore a request, by words that they say."""

_RAISED: tuple[tuple[type[Exception], Failure], ...] = (
    (DownloadTimeoutError, Failure(Outcome.FAILED, Reason.TIMEOUT, Obstacle.UNREACHABLE)),
    (CannotResolveHostError, Failure(Outcome.FAILED, Reason.DNS, Obstacle.UNREACHABLE)),
    (DownloadCancelledError, TOO_LARGE),  # the handler gave up at download_maxsize
    (ResponseDataLossError, Failure(Outcome.FAILED, Reason.TRUNCATED, Obstacle.UNREACHABLE)),
    (TooSlowError, TOO_SLOW),
    (UnsupportedURLSchemeError, BAD_URL),
    (NotSupported, BAD_URL),
    (UnicodeError, Failure(Outcome.FAILED, Reason.BAD_URL, Obstacle.CHANGED)),  # a host name, or an encoding, is none
    (CertificateError, Failure(Outcome.FAILED, Reason.CERTIFICATE, Obstacle.CERTIFICATE)),
    *(
        (error_type, Failure(Outcome.FAILED, Reason.CONNECTION, Obstacle.UNREACHABLE))
        for error_type in (
            DownloadConnectionRefusedError,
            DownloadFailedError,
            TunnelError,
            TlsError,
            ConnectError,
            ConnectionClosed,
            OSError,
        )
    ),
)


def failure_of(error: BaseException | None) -> Failure | None:
    """What it means that a download has raised ``error``; ``None`` for what no download is known to raise."""
    if isinstance(error, RequestRefusedError):
        return error.failure
    if isinstance(error, IgnoreRequest):
        return next((failure for words, failure in _SAID.items() if words in str(error)), NOT_ALLOWED)
    return next((failure for error_type, failure in _RAISED if isinstance(error, error_type)), None)
