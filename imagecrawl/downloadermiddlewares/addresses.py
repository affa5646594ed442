"""No request goes where none may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from imagecrawl.network.urls import UrlRules

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler


class AddressesMiddleware:
    """Refuses what :class:`~imagecrawl.network.urls.UrlRules` does, for every request: pages, pictures, robots.txt, and
    where redirects lead, which are requests of their own.

    One file may be read: the saved page that the user has named, ``-a page=FILE``.

    Where a name leads is known when it has been looked up: :mod:`imagecrawl.network.resolver`.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.rules = UrlRules(crawler.settings)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        if not self._is_saved_page(request):
            self.rules.check(request.url)

    def _is_saved_page(self, request: Request) -> bool:
        page = getattr(getattr(self.crawler.spider, "args", None), "page", None)
        return page is not None and request.url == page.as_uri()
