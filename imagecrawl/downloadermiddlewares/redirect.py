"""Where redirects may lead. Each is a request of its own, which all other rules are for too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares import redirect

from imagecrawl.failures import BAD_URL, RequestRefusedError
from imagecrawl.network.urls import check_scheme

if TYPE_CHECKING:
    from scrapy import Request, Spider
    from scrapy.http import Response


class RedirectMiddleware(redirect.RedirectMiddleware):
    """Scrapy's own, which hands over an answer that leads to ``file:`` and the like: here that is a refusal."""

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        with _addresses_only():
            followed = super().process_response(request, response)
        location = response.headers.get("Location")
        if followed is response and location and 300 <= response.status < 400:
            check_scheme(location.decode("latin-1"))
        return followed


class MetaRefreshMiddleware(redirect.MetaRefreshMiddleware):
    """Scrapy's own."""

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        with _addresses_only():
            return super().process_response(request, response)


@contextmanager
def _addresses_only() -> Iterator[None]:
    """Raises RequestRefusedError for a redirect to what is no address, such as ``http://[::1``."""
    try:
        yield
    except ValueError as error:
        raise RequestRefusedError(f"it leads to what is no address ({error})", BAD_URL) from error
