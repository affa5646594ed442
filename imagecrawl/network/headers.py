"""A bound for the head of an answer, of which Twisted's client has none: it takes header lines without end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from scrapy.core.downloader.handlers.http11 import _LenientHTTP11ClientProtocol, _LenientHTTPClientParser
from scrapy.exceptions import DownloadFailedError
from twisted.web.client import _HTTP11ClientFactory

from imagecrawl.failures import HEADERS_TOO_LARGE, RequestRefusedError

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IAddress
    from twisted.web._newclient import Request as TxRequest
    from twisted.web.iweb import IResponse


class BoundedParser(_LenientHTTPClientParser):
    """Scrapy's, which gives up a head of more than ``head_max`` bytes, those of ``1xx`` answers before it included.

    What it raises ends the connection, and is among the ``reasons`` of the ResponseFailed that the request gets.
    """

    head_max: int
    head = 0

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        self.head += len(line) + len(self.delimiter)
        if self.head > self.head_max:
            raise _too_large(self.head_max)
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802
        raise _too_large(self.head_max)


def too_large_head(error: BaseException) -> RequestRefusedError | None:
    """What the parser has raised, out of what Twisted and Scrapy have wrapped it in."""
    failed = error.__cause__ if isinstance(error, DownloadFailedError) else error
    raised = (failure.value for failure in getattr(failed, "reasons", ()))
    return next((inner for inner in raised if isinstance(inner, RequestRefusedError)), None)


def _too_large(head_max: int) -> RequestRefusedError:
    return RequestRefusedError(f"its headers are above HEADERS_MAX_BYTES ({head_max} bytes)", HEADERS_TOO_LARGE)


class BoundedProtocol(_LenientHTTP11ClientProtocol):
    """Scrapy's, with :class:`BoundedParser`, put into its place as Scrapy does it with its own."""

    head_max: int

    def request(self, request: TxRequest) -> Deferred[IResponse]:
        answer = super().request(request)
        assert self._parser is not None
        parser = cast("BoundedParser", self._parser)
        parser.__class__ = BoundedParser
        parser.head_max = self.head_max
        parser.MAX_LENGTH = self.head_max  # Twisted's 16 KiB for a line are few for a Content-Security-Policy
        return answer


class BoundedFactory(_HTTP11ClientFactory):
    """What a connection pool makes its protocols with, for heads of ``head_max`` bytes; 0 = no bound."""

    noisy = False

    def __init__(self, head_max: int, *args: Any) -> None:
        super().__init__(*args)  # type: ignore[no-untyped-call]
        self.head_max = head_max or sys.maxsize

    def buildProtocol(self, addr: IAddress | None) -> BoundedProtocol:  # noqa: N802
        protocol = BoundedProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]
        protocol.head_max = self.head_max
        return protocol
