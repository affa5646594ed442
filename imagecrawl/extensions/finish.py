"""The finish reason says how the crawl really ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scrapy import signals
from scrapy.exceptions import CloseSpider

from imagecrawl.exceptions import Obstacle
from imagecrawl.outcomes import Finish, Outcome

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.statscollectors import StatsCollector

OBSTACLES = {
    Finish.BLOCKED: (
        Obstacle.CAPTCHA,
        Obstacle.REFUSED,
        Obstacle.CONSENT,
        Obstacle.JAVASCRIPT,
        Obstacle.UPDATE_BROWSER,
    ),
    Finish.PAGE_CHANGED: (Obstacle.CHANGED,),
    Finish.UNREACHABLE: (Obstacle.UNREACHABLE, Obstacle.NO_BROWSER),
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
    in_place = sum(stats.get_value(f"images/{outcome}", 0) for outcome in Outcome if outcome.in_place)
    results = sum(stats.get_value(f"images/{outcome}", 0) for outcome in Outcome)
    if failed(Obstacle.NO_RESULTS) and (in_place or not results):
        return Finish.NO_RESULTS
    return Finish.FINISHED if in_place else Finish.NOTHING_STORED
