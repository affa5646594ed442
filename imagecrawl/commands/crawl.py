"""``scrapy crawl``, with arguments checked before anything starts and an exit code that tells how the crawl ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError
from scrapy.commands.crawl import Command as CrawlCommand
from scrapy.exceptions import UsageError
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]
from scrapy_spider_metadata._utils import get_generic_param

from imagecrawl.outcomes import EXIT_CODES, STOPPED_EARLY
from imagecrawl.params import explain

if TYPE_CHECKING:
    import argparse

    from scrapy import Spider
    from scrapy.crawler import Crawler


class Command(CrawlCommand):
    """Replaces Scrapy's own command, which exits 0 whatever happened."""

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) == 1:
            self._check_arguments(args[0], opts.spargs)
        super().run(args, opts)
        if not self.exitcode:
            reason = self.crawler.stats.get_value("finish_reason", "")
            self.exitcode = EXIT_CODES.get(reason, STOPPED_EARLY)

    def _create_crawler(self, spidercls: type[Spider] | str) -> Crawler:
        self.crawler = super()._create_crawler(spidercls)
        return self.crawler

    def _check_arguments(self, name: str, arguments: dict[str, Any]) -> None:
        """Raises UsageError: one line per wrong argument on standard error, exit code 2."""
        assert self.crawler_process
        loader = self.crawler_process.spider_loader
        if name not in loader.list():
            raise UsageError(f"there is no spider `{name}`. There are: {', '.join(loader.list())}", print_help=False)
        params = get_generic_param(loader.load(name), Args)
        if params is None:
            return
        try:
            params(**arguments)
        except ValidationError as error:
            raise UsageError(explain(error, cast("type[BaseModel]", params)), print_help=False) from error
