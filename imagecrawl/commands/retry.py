"""``scrapy retry``: ask again for what earlier crawls could not get, without searching again."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel
from scrapy.exceptions import UsageError

from imagecrawl.commands.crawl import Command as CrawlCommand
from imagecrawl.commands.crawl import stop_at
from imagecrawl.commands.opening import opened
from imagecrawl.commands.preflight import wrong_places
from imagecrawl.commands.wrong_settings import wrong_settings
from imagecrawl.exceptions import LedgerError
from imagecrawl.items import keyword_of, read_item
from imagecrawl.keywords import Keywords
from imagecrawl.memory import Memory, crawl_name
from imagecrawl.outcomes import Reason
from imagecrawl.params import did_you_mean
from imagecrawl.spider import ItemsSpider

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from scrapy.crawler import Crawler

    from imagecrawl.ledger import Ledger


class RetryParams(BaseModel):
    """What tells one retry from another."""

    retry: list[str]
    """The reasons."""


class RetrySpider(ItemsSpider):
    """Yields items as an earlier crawl wrote them into the ledger, under the name of the spider that found them."""

    args: RetryParams
    numbers: list[tuple[str, int]]
    """Keyword and number of each item: :meth:`Ledger.reopen`."""
    keywords: Keywords

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.keywords = Keywords(crawler)
        return spider

    async def items(self) -> AsyncIterator[Any]:
        memory = Memory.of(self.crawler)
        asked = Counter(keyword for keyword, _ in self.numbers)
        for keyword, number in self.numbers:
            if self.stopping:
                return
            self.keywords.go_on(keyword)
            self.keywords.open(asked[keyword])
            if text := await memory.item(number):
                self.keywords.take()
                yield read_item(text)
        await self.keywords.end()

    def item_settled(self, item: Any) -> None:
        self.keywords.settle(keyword_of(item))


class Command(CrawlCommand):
    """Makes rows of the ledger due again, and crawls only those. Ends, and exits, as ``scrapy crawl`` does."""

    def syntax(self) -> str:
        return "[options] <spider>"

    def short_desc(self) -> str:
        return "Ask again for what a spider could not get, without searching again"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--reason",
            action="append",
            default=[],
            metavar="REASON[,REASON...]",
            help="only what failed or was refused for these, such as timeout,http-503; default: all that failed",
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        assert self.settings
        assert self.crawler_process
        if len(args) != 1:
            raise UsageError
        if opts.spargs:
            raise UsageError("a retry takes no arguments of the spider (-a)", print_help=False)
        [name] = args
        reasons = [reason for given in opts.reason for reason in re.split(r"[,\s]+", given.strip())]
        params = RetryParams(retry=sorted(set(reasons)))
        stop_at([
            *self.unknown_spider(name), *unknown_reasons(reasons), *wrong_settings(self.settings),
        ])  # fmt: skip
        if not self._ask(lambda ledger: ledger.failures(name, params.retry)):
            sys.stderr.write(f"There is nothing that {name} failed to get{_for(params.retry)}\n")
            return
        stop_at(wrong_places(self.settings, crawl_name(name, params)))
        numbers = self._ask(lambda ledger: ledger.reopen(name, params.retry))
        spider_class = self.crawler_process.spider_loader.load(name)
        retry = type("RetrySpider", (RetrySpider,), {"name": name, "custom_settings": spider_class.custom_settings})
        self.crawl(retry, args=params, numbers=numbers)

    def _ask(self, question: Callable[[Ledger], list[tuple[str, int]]]) -> list[tuple[str, int]]:
        assert self.settings
        try:
            with opened(Path(self.settings["LEDGER"])) as ledger:
                return question(ledger)
        except LedgerError as error:
            raise UsageError(str(error), print_help=False) from error


def unknown_reasons(reasons: list[str]) -> list[str]:
    """A line for each word that is no reason of ours."""
    known = list(Reason)
    return [
        f"`{reason}` is no reason. {did_you_mean(reason, known)} There are: http-404 (any status), {', '.join(known)}"
        for reason in reasons
        if reason not in known and not re.fullmatch(r"http-[1-5]\d\d", reason)
    ]


def _for(reasons: list[str]) -> str:
    return f" for {', '.join(reasons)}" if reasons else ""
