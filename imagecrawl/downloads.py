"""Why a download failed, in the words of :mod:`imagecrawl.outcomes`: Scrapy's, Twisted's and OpenSSL's errors named."""

from __future__ import annotations

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
    UnsupportedURLSchemeError,
)
from twisted.internet.error import ConnectError, ConnectionClosed

from imagecrawl.exceptions import MediaError
from imagecrawl.outcomes import Outcome, Reason

_REASONS: tuple[tuple[type[Exception], Outcome, Reason], ...] = (
    (DownloadTimeoutError, Outcome.FAILED, Reason.TIMEOUT),
    (CannotResolveHostError, Outcome.FAILED, Reason.DNS),
    (DownloadCancelledError, Outcome.REFUSED, Reason.TOO_LARGE),  # the handler gave up at download_maxsize
    (ResponseDataLossError, Outcome.FAILED, Reason.TRUNCATED),
    (UnsupportedURLSchemeError, Outcome.FAILED, Reason.BAD_URL),
    (NotSupported, Outcome.FAILED, Reason.BAD_URL),
    (UnicodeError, Outcome.FAILED, Reason.BAD_URL),  # a host name that is none
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
    return MediaError(outcome, reason, str(error))


def _ignored(error: IgnoreRequest) -> MediaError:
    """What a downloader middleware meant: RobotsTxtMiddleware, RedirectMiddleware, OffsiteMiddleware, ..."""
    message = str(error)
    if "DOWNLOAD_MAXSIZE" in message:  # HttpCompressionMiddleware met a bomb
        return MediaError(Outcome.REFUSED, Reason.TOO_LARGE, message)
    if "robots.txt" in message:
        return MediaError(Outcome.REFUSED, Reason.ROBOTS_TXT)
    if "redirections" in message:
        return MediaError(Outcome.FAILED, Reason.TOO_MANY_REDIRECTS)
    return MediaError(Outcome.REFUSED, Reason.NOT_ALLOWED, message)
