"""The download handler of the project, for http and https, with the browser. The settings name it by path."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy.core.downloader.handlers.http11 import _ScrapyAgent
from scrapy.exceptions import CannotResolveHostError
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler

from imagecrawl.exceptions import CertificateError
from imagecrawl.failures import PRIVATE_ADDRESS, RequestRefusedError
from imagecrawl.network.headers import BoundedFactory, too_large_head
from imagecrawl.network.resolver import PublicReactor
from imagecrawl.network.tls import ContextFactory, why_refused

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.web.client import Agent

HOSTS_KEPT = 100
"""Connections to so many hosts stay open at most while nothing is asked of them."""


class PublicAgent(_ScrapyAgent):
    """Scrapy's, for one request, which goes to public addresses only (unless ``allow_private``). The proxy of a request
    is its user's own, and may be anywhere.

    A connection has DOWNLOAD_TIMEOUT seconds to come about, also for a request that may take longer.
    """

    def __init__(self, *, allow_private: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._allow_private = allow_private
        self._reactor: PublicReactor | None = None

    def _get_agent(self, request: Request, timeout: float) -> Agent:
        from twisted.internet import reactor  # Scrapy installs it first

        agent = super()._get_agent(request, min(timeout, self._connectTimeout))
        if not (self._allow_private or request.meta.get("proxy")):
            self._reactor = PublicReactor(reactor)
            agent._endpointFactory._reactor = self._reactor  # noqa: SLF001
        return agent

    def why_refused(self, host: str) -> str | None:
        """Why the request could not be sent, if that is because of where the name of its host leads."""
        return self._reactor.why_refused(host) if self._reactor else None


class DownloadHandler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """scrapy-playwright's, with one's own word on certificates, addresses and headers.

    Raises :class:`CertificateError`, and RequestRefusedError for a host whose addresses are all private, and for a head
    above ``HEADERS_MAX_BYTES``. Both are above what RetryMiddleware retries: neither heals.

    A connection stays open for the next request, but not when many other hosts were asked since: Twisted keeps each
    for four minutes, as an open file, and a list of pictures may be of 100,000 hosts.
    """

    browser_provider_cls: Any

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._hosts: set[str] = set()
        # A factory of one's own can be named in the settings, but that is deprecated.
        self._contextFactory = ContextFactory.from_crawler(crawler)
        self._pool._factory = partial(BoundedFactory, crawler.settings.getint("HEADERS_MAX_BYTES"))  # noqa: SLF001
        self._allow_private = crawler.settings.getbool("ALLOW_PRIVATE_ADDRESSES")
        self._timeout = crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        if build := getattr(self.browser_provider_cls, "from_crawler", None):  # scrapy-playwright tells it no settings
            self.browser_provider_cls = partial(build, crawler)

    async def download_request(self, request: Request) -> Response:
        host = urlsplit(request.url).hostname or ""
        self._hosts.add(urlsplit(request.url).netloc)
        if len(self._hosts) > HOSTS_KEPT:
            self._pool.closeCachedConnections()
            self._hosts.clear()
        try:
            response: Response = await self._download(request, host)
        except Exception as error:
            if why := why_refused(error):
                raise CertificateError(host, why) from error
            if too_large := too_large_head(error):
                raise too_large from error
            raise
        return response

    async def _download(self, request: Request, host: str) -> Response:
        """As HTTP11DownloadHandler does it, which has no place for an agent of one's own."""
        if request.meta.get("playwright"):
            page: Response = await super().download_request(request)
            return page
        agent = PublicAgent(
            allow_private=self._allow_private,
            contextFactory=self._contextFactory,
            connectTimeout=self._timeout,
            bindAddress=self._bind_address,
            pool=self._pool,
            maxsize=self._default_maxsize,
            warnsize=self._default_warnsize,
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
            tls_verbose_logging=self._tls_verbose_logging,
        )
        try:
            with wrap_twisted_exceptions():
                return await maybe_deferred_to_future(agent.download_request(request))
        except CannotResolveHostError as error:
            if why := agent.why_refused(host):
                raise RequestRefusedError(why, PRIVATE_ADDRESS) from error
            raise
