"""``scrapy crawl``, with arguments checked before anything starts and an exit code that tells how the crawl ended."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError
from scrapy.commands.crawl import Command as CrawlCommand
from scrapy.exceptions import UsageError
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]
from scrapy_spider_metadata._utils import get_generic_param

from imagecrawl.exceptions import LedgerError
from imagecrawl.ledger import REBUILD, Ledger
from imagecrawl.memory import CrawlLock, crawl_name
from imagecrawl.outcomes import EXIT_CODES, STOPPED_EARLY
from imagecrawl.params import explain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.settings import BaseSettings


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

    crawl = ""

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if len(args) == 1:
            assert self.settings
            wrong = [*self._wrong_arguments(args[0], opts.spargs), *wrong_numbers(self.settings)]
            if problems := wrong or [*unwritable_folders(self.settings), *ledger_problems(self.settings, self.crawl)]:
                raise UsageError("\n".join(problems), print_help=False)
        super().run(args, opts)
        if not self.exitcode:
            reason = self.crawler.stats.get_value("finish_reason", "")
            self.exitcode = EXIT_CODES.get(reason, STOPPED_EARLY)

    def _create_crawler(self, spidercls: type[Spider] | str) -> Crawler:
        self.crawler = super()._create_crawler(spidercls)
        return self.crawler

    def _wrong_arguments(self, name: str, arguments: dict[str, Any]) -> Iterator[str]:
        assert self.crawler_process
        loader = self.crawler_process.spider_loader
        if name not in loader.list():
            yield f"there is no spider `{name}`. There are: {', '.join(loader.list())}"
            return
        params = get_generic_param(loader.load(name), Args)
        if params is None:
            self.crawl = crawl_name(name, None)
            return
        try:
            self.crawl = crawl_name(name, cast("BaseModel", params(**arguments)))
        except ValidationError as error:
            yield explain(error, cast("type[BaseModel]", params))


def wrong_numbers(settings: BaseSettings) -> Iterator[str]:
    """A line for each of our settings that should be a number, or a list of them, and is not."""
    for name in NUMBERS:
        value = settings.get(name)
        values = settings.getlist(name) if name.endswith("_CLASSES") else [value]
        if not all(str(each).strip().isdecimal() for each in values):
            kind = "whole numbers from 0, with commas between" if name.endswith("_CLASSES") else "a whole number from 0"
            yield f"setting `{name}` takes {kind}; got {value!r}"


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


def ledger_problems(settings: BaseSettings, crawl: str) -> Iterator[str]:
    """What keeps ``crawl`` from being written into the ledger, every page of which is read."""
    path = Path(settings["LEDGER"])
    lock = CrawlLock(path, crawl)
    try:
        lock.acquire()
        try:
            ledger = Ledger(path)
            if damage := ledger.damage():
                yield f"the ledger {path} is damaged; {REBUILD} ({damage[0]})"
            ledger.close()
        finally:
            lock.release()
    except LedgerError as error:
        yield str(error)
