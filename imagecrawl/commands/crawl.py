"""``scrapy crawl``, with arguments checked before anything starts and an exit code that tells how the crawl ended."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError
from scrapy.commands.crawl import Command as CrawlCommand
from scrapy.exceptions import UsageError
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]
from scrapy_spider_metadata._utils import get_generic_param

from imagecrawl.commands.preflight import wrong_places
from imagecrawl.commands.wrong_settings import wrong_settings
from imagecrawl.memory import crawl_name
from imagecrawl.outcomes import EXIT_CODES, STOPPED_EARLY, Finish
from imagecrawl.params import explain
from imagecrawl.spider import MediaSpider

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from scrapy import Spider
    from scrapy.statscollectors import StatsCollector


class Command(CrawlCommand):
    """Replaces Scrapy's own command, which exits 0 whatever happened.

    Wrong arguments and settings, folders that cannot be written, a damaged ledger and a crawl that is running already
    are said one line each before anything starts; the exit code is 2 then.
    """

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            super().run(args, opts)  # which says what is wrong
        assert self.settings
        [name] = args
        stop_at(self.unknown_spider(name))
        params, wrong = self._params(name, opts.spargs)
        stop_at([*wrong, *wrong_settings(self.settings)])
        stop_at(wrong_places(self.settings, crawl_name(name, params or opts.spargs)))
        self.crawl(name, **opts.spargs)

    def crawl(self, spider: type[Spider] | str, **arguments: Any) -> None:
        """Crawl to the end, and set the exit code by how it ended."""
        assert self.crawler_process
        crawler = self._create_crawler(spider)
        self.crawler_process.crawl(crawler, **arguments)
        gc.freeze()  # what is imported by now stays: looking through it stops the event loop for 40 ms again and again
        self.crawler_process.start()
        self.exitcode = 1 if self.crawler_process.bootstrap_failed else exit_code(crawler.stats)

    def unknown_spider(self, name: str) -> Iterator[str]:
        """A line when there is no such spider."""
        assert self.crawler_process
        known = self.crawler_process.spider_loader.list()
        if name not in known:
            yield f"there is no spider `{name}`. There are: {', '.join(known)}"

    def _params(self, name: str, arguments: dict[str, Any]) -> tuple[BaseModel | None, list[str]]:
        """A spider's arguments, validated, and what is wrong with them."""
        assert self.crawler_process
        assert self.settings
        spider = self.crawler_process.spider_loader.load(name)
        declared = get_generic_param(spider, Args)
        if declared is None:
            return None, []
        model = cast("type[BaseModel]", declared)
        try:
            params = model(**arguments)
        except ValidationError as error:
            return None, [explain(error, model)]
        return params, [*spider.wrong_arguments(params, self.settings)] if issubclass(spider, MediaSpider) else []


def exit_code(stats: StatsCollector) -> int:
    """How the crawl with these stats ended: one whose feed is not whole has not done what was asked."""
    code = EXIT_CODES.get(stats.get_value("finish_reason", ""), STOPPED_EARLY)
    feed_failed = any(name.startswith("feedexport/failed_count/") for name in stats.get_stats())
    return EXIT_CODES[Finish.FEED_ERROR] if feed_failed and not code else code


def stop_at(problems: Iterable[str]) -> None:
    """Say what is wrong, and stop with exit code 2, when anything is."""
    if lines := "\n".join(problems):
        raise UsageError(lines, print_help=False)
