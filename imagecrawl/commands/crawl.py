"""``scrapy crawl``, with arguments checked before anything starts and an exit code that tells how the crawl ended."""

from __future__ import annotations

import gc
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError
from scrapy.commands.crawl import Command as CrawlCommand
from scrapy.exceptions import UsageError
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]
from scrapy_spider_metadata._utils import get_generic_param

from imagecrawl.exceptions import LedgerError
from imagecrawl.ledger import Ledger
from imagecrawl.memory import crawl_name, reserve_crawl
from imagecrawl.outcomes import EXIT_CODES, STOPPED_EARLY, Finish
from imagecrawl.params import explain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from scrapy import Spider
    from scrapy.settings import BaseSettings
    from scrapy.statscollectors import StatsCollector

NUMBERS = (
    "IMAGE_WIDTH_CLASSES",
    *(f"IMAGES_{bound}_{what}" for bound in ("MIN", "MAX") for what in ("WIDTH", "HEIGHT", "BYTES", "PIXELS")),
    "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT",
    "BROWSER_SETTLE_TIMEOUT",
    "REFRESH_DAYS",
)


class Command(CrawlCommand):
    """Replaces Scrapy's own command, which exits 0 whatever happened.

    Wrong arguments and settings, folders that cannot be written, a damaged ledger and a crawl that is running already
    are said one line each before anything starts; the exit code is 2 then.
    """

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) != 1:
            super().run(args, opts)  # which says what is wrong
        [name] = args
        stop_at(self.unknown_spider(name))
        params, wrong = self._params(name, opts.spargs)
        stop_at([*wrong, *self.wrong_numbers()])
        stop_at(self.place_problems(crawl_name(name, params or opts.spargs)))
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
        declared = get_generic_param(self.crawler_process.spider_loader.load(name), Args)
        if declared is None:
            return None, []
        model = cast("type[BaseModel]", declared)
        try:
            return model(**arguments), []
        except ValidationError as error:
            return None, [explain(error, model)]

    def wrong_numbers(self) -> Iterator[str]:
        """A line for each of our settings that should be a number, or a list of them, and is not."""
        assert self.settings
        for name in NUMBERS:
            value = self.settings.get(name)
            values = self.settings.getlist(name) if name.endswith("_CLASSES") else [value]
            if not all(str(each).strip().isdecimal() for each in values):
                many = name.endswith("_CLASSES")
                takes = "whole numbers from 0, with commas between" if many else "a whole number from 0"
                yield f"setting `{name}` takes {takes}; got {value!r}"

    def place_problems(self, crawl: str) -> list[str]:
        """A line for each place that ``crawl`` would write to and cannot."""
        assert self.settings
        return [*unwritable_folders(self.settings), *ledger_problems(Path(self.settings["LEDGER"]), crawl)]


def exit_code(stats: StatsCollector) -> int:
    """How the crawl with these stats ended: one whose feed is not whole has not done what was asked."""
    code = EXIT_CODES.get(stats.get_value("finish_reason", ""), STOPPED_EARLY)
    feed_failed = any(name.startswith("feedexport/failed_count/") for name in stats.get_stats())
    return EXIT_CODES[Finish.FEED_ERROR] if feed_failed and not code else code


def stop_at(problems: Iterable[str]) -> None:
    """Say what is wrong, and stop with exit code 2, when anything is."""
    if lines := "\n".join(problems):
        raise UsageError(lines, print_help=False)


def unwritable_folders(settings: BaseSettings) -> Iterator[str]:
    """A line for each local folder that the crawl would write to and cannot."""
    feeds = [str(uri).partition("%(")[0] for uri in settings.getdict("FEEDS") if "%(" in str(uri)]
    for folder in dict.fromkeys([settings["IMAGES_STORE"], settings["BLOCKED_STORE"], *feeds]):
        if not folder or ("://" in folder and not folder.startswith("file://")):
            continue
        path = Path(folder.removeprefix("file://"))
        try:
            path.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=path):
                pass
        except OSError as error:
            yield f"{path} cannot be written: {error.strerror}"


def ledger_problems(path: Path, crawl: str) -> Iterator[str]:
    """A line when ``crawl`` is running, or when the ledger is not sound. Else the crawl is this process's to begin."""
    try:
        reserve_crawl(path, crawl)
        with closing(Ledger(path)) as ledger:
            ledger.check()
    except LedgerError as error:
        yield str(error)
