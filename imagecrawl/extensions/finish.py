"""The finish reason says how the crawl really ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import CloseSpider

from imagecrawl.exceptions import Obstacle
from imagecrawl.items import KINDS
from imagecrawl.outcomes import Finish, Outcome

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

OBSTACLES = {
    Finish.ERROR: (Obstacle.ERROR,),
    Finish.BLOCKED: (
        Obstacle.CAPTCHA,
        Obstacle.REFUSED,
        Obstacle.ROBOTS_TXT,
        Obstacle.ROBOTS_UNAVAILABLE,
        Obstacle.PRIVATE_ADDRESS,
        Obstacle.GIVEN_UP,
        Obstacle.CONSENT,
        Obstacle.JAVASCRIPT,
        Obstacle.UPDATE_BROWSER,
        Obstacle.PRIVATE,
        Obstacle.BANNED,
        Obstacle.QUARANTINED,
        Obstacle.OVER_18,
        Obstacle.LOGIN,
        Obstacle.CREDENTIALS,
        Obstacle.RATE_LIMITED,
        Obstacle.NETWORK_BLOCK,
    ),
    Finish.PAGE_CHANGED: (
        Obstacle.CHANGED,
        Obstacle.ELSEWHERE,
        Obstacle.REDIRECTS,
        Obstacle.TOO_LARGE,
        Obstacle.TRUNCATED,
    ),
    Finish.UNREACHABLE: (Obstacle.UNREACHABLE, Obstacle.NO_BROWSER, Obstacle.CERTIFICATE),
}
"""Which obstacles end a crawl how; the first line that fits decides."""


class FinishReason:
    """Closes a spider that has nothing left to do with the reason that its stats tell, instead of ``finished``."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.spider_idle, signals.spider_idle)
        return extension

    def spider_idle(self) -> None:
        reason = finish_reason(self.crawler.stats)
        if reason is not Finish.FINISHED:
            raise CloseSpider(reason)


def finish_reason(stats: StatsCollector) -> Finish:
    """How a crawl with these stats ended, if it came to its end by itself."""

    def failed(obstacle: Obstacle) -> int:
        return int(stats.get_value(f"pages/failed/{obstacle}", 0))

    if stats.get_value("spider_exceptions/count"):
        return Finish.ERROR
    for finish, obstacles in OBSTACLES.items():
        if any(failed(obstacle) for obstacle in obstacles):
            return finish
    counts = {outcome: sum(stats.get_value(f"{kind}/{outcome}", 0) for kind in KINDS) for outcome in Outcome}
    as_asked = any(count for outcome, count in counts.items() if outcome.as_asked)
    nothing = failed(Obstacle.NO_RESULTS) or failed(Obstacle.NO_SUBREDDIT)
    if nothing and (as_asked or not any(counts.values())):
        return Finish.NO_RESULTS
    return Finish.FINISHED if as_asked else Finish.NOTHING_STORED
