"""Pages that gave no results are kept, counted and said."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from imagecrawl import signals
from imagecrawl.exceptions import Obstacle, PageError
from imagecrawl.storage import blocked_path, local_folder

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

ADVICE = {
    Obstacle.REFUSED: "wait some hours, and ask less often",
    Obstacle.ROBOTS_UNAVAILABLE: "a site that cannot say what robots may do is left alone: try again later",
    Obstacle.PRIVATE_ADDRESS: "for pages of your own network: -s ALLOW_PRIVATE_ADDRESSES=True",
    Obstacle.GIVEN_UP: "wait some hours, and ask less often (DOWNLOAD_DELAY, CONCURRENT_REQUESTS_PER_DOMAIN)",
    Obstacle.UNREACHABLE: "check the network and http_proxy/https_proxy, then run it again",
    Obstacle.CHANGED: "the saved page shows what came instead; please report it with the project",
    Obstacle.NO_RESULTS: "try other words or fewer filters",
}
"""The legitimate ways on, where a spider knows no better ones in its ``advice``."""


class Obstacles:
    """Keeps each page that gave no results under ``BLOCKED_STORE``, counts it, and says it in one line of log.

    Stats: ``pages/failed/<obstacle>``.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.store = local_folder(crawler.settings["BLOCKED_STORE"]) or Path("blocked")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.page_failed, signals.page_failed)
        crawler.signals.connect(extension.keywords_skipped, signals.keywords_skipped)
        return extension

    def page_failed(self, error: PageError, keyword: str, body: bytes | None) -> None:
        self.crawler.stats.inc_value(f"pages/failed/{error.kind}")
        parts = [f"{keyword}: {error}"]
        if body is not None:
            parts.append(self._keep(error.kind, keyword, body))
        if advice := {**ADVICE, **getattr(self.crawler.spider, "advice", {})}.get(error.kind):
            parts.append(advice)
        logger.error("%s", "; ".join(parts))

    def keywords_skipped(self, keywords: list[str]) -> None:
        self.crawler.stats.inc_value("keywords/skipped", len(keywords))
        logger.error("Not asked for any more: %s", ", ".join(keywords[:10]) + (", ..." if len(keywords) > 10 else ""))

    def _keep(self, kind: Obstacle, keyword: str, body: bytes) -> str:
        """Write the page; says where it is, or why it is not."""
        assert self.crawler.spider
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        path = self.store / blocked_path(spider=self.crawler.spider.name, time=now, keyword=keyword, obstacle=kind)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        except OSError as error:
            return f"the page could not be kept ({error})"
        return f"page kept as {path}"
