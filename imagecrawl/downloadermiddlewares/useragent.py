"""Who is asking is said with every request."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.downloadermiddlewares import useragent
from scrapy.utils.httpobj import urlparse_cached

from imagecrawl.network.addresses import refusal

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

NOBODY = (
    "Nobody can tell who runs this crawl: set IMAGECRAWL_CONTACT, or the setting CONTACT, to your mail address or to a"
    " page about it; hosts see it in the User-Agent of each request"
)


class UserAgentMiddleware(useragent.UserAgentMiddleware):
    """Scrapy's own, with the contact in ``USER_AGENT``. A crawl that asks the open internet without one says so, once.

    Settings: ``USER_AGENT``, ``CONTACT``.
    """

    def __init__(self, crawler: Crawler) -> None:
        contact = crawler.settings["CONTACT"] or ""
        super().__init__(user_agent(crawler.settings["USER_AGENT"] or "", contact))
        self.crawler = crawler
        if not contact.strip():
            crawler.signals.connect(self.request_sent, signals.request_reached_downloader)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        middleware = cls(crawler)
        crawler.signals.connect(middleware.spider_opened, signals.spider_opened)
        return middleware

    def request_sent(self, request: Request) -> None:
        if urlparse_cached(request).scheme in {"http", "https"} and refusal(request.url) is None:
            self.crawler.signals.disconnect(self.request_sent, signals.request_reached_downloader)
            logger.warning(NOBODY)


def user_agent(template: str, contact: str) -> str:
    """``template`` with the contact for ``{contact}``, an address of the web after a plus sign, as crawlers write it.

    >>> user_agent("bot/1.0 ({contact})", "you@a.example"), user_agent("bot/1.0 ({contact})", "https://a.example/bot")
    ('bot/1.0 (you@a.example)', 'bot/1.0 (+https://a.example/bot)')
    >>> user_agent("bot/1.0 ({contact})", ""), user_agent("bot/1.0", "you@a.example")
    ('bot/1.0', 'bot/1.0')
    """
    contact = contact.strip()
    if not contact:
        return template.replace(" ({contact})", "").replace("{contact}", "").strip()
    return template.replace("{contact}", f"+{contact}" if "://" in contact else contact)
