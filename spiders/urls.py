"""Lists of pictures: the addresses in a file, whatever tool has written it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]

from imagecrawl.exceptions import Obstacle, PageChangedError
from imagecrawl.items import FileItem, ImageItem, keyword_of, replayed
from imagecrawl.keywords import Keywords
from imagecrawl.lists import BadRow, Columns, Row, check_list, list_name, read_rows
from imagecrawl.params import ExistingFile, SpiderParams
from imagecrawl.spider import ItemsSpider

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

ADVICE = {
    Obstacle.CHANGED: "what comes before it was read: mend the file, and run the same command again",
    Obstacle.NO_RESULTS: "each line needs an address with http:, https: or data:",
}
"""The legitimate ways on."""

BAD_LINES_SHOWN = 20
"""So many bad lines are said as warnings; those after them as information."""


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


class UrlsParams(SpiderParams):
    """The arguments of ``scrapy crawl urls``. Each description says what the argument takes."""

    file: ExistingFile = Field(description="a list of pictures: .txt, .csv, .tsv, .jsonl, .json or .parquet")
    url_column: str | None = Field(None, min_length=1, description="the name of the column with the addresses")
    keyword_column: str | None = Field(None, min_length=1, description="the name of the column with the keywords")
    caption_column: str | None = Field(None, min_length=1, description="the name of the column with the captions")
    extra_columns: Annotated[list[str], BeforeValidator(_names)] = Field(
        [], description="names of columns to carry into the feed, with commas between, or `*` for all others"
    )

    @model_validator(mode="after")
    def _readable(self) -> Self:
        check_list(self.file, self.columns)
        return self

    @property
    def columns(self) -> Columns:
        return Columns(
            url=self.url_column,
            keyword=self.keyword_column,
            caption=self.caption_column,
            extra=tuple(self.extra_columns),
        )


class UrlsSpider(Args[UrlsParams], ItemsSpider):
    """Reads the list as far as there is room for more, so that millions of lines take no more memory than ten."""

    name = "urls"
    advice = ADVICE
    keywords: Keywords
    bad_lines = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.keywords = Keywords(crawler)
        return spider

    async def items(self) -> AsyncIterator[ImageItem | FileItem]:
        for row in self.rows():
            if self.stopping:
                break
            if item := self.item(row):
                self.keywords.go_on(keyword_of(item))
                self.keywords.take()
                yield item
            else:
                await asyncio.sleep(0)  # many bad lines must not keep the rest of the crawl waiting
        self.say_what_is_bad()
        await self.keywords.end()

    def rows(self) -> Iterator[Row | BadRow]:
        """The list as far as it can be read."""
        try:
            yield from read_rows(self.args.file, self.args.columns)
        except ValueError as error:
            self.keywords.go_on(list_name(self.args.file))
            self.keywords.open()
            self.page_failed(PageChangedError(str(error)), self.keywords.current)

    def item(self, row: Row | BadRow) -> ImageItem | FileItem | None:
        """What a line stands for; a bad one is said and counted."""
        if isinstance(row, BadRow):
            self.say_bad(row.line, row.why)
            return None
        if row.feed_line:
            return self.replayed_item(row, row.feed_line)
        return ImageItem(
            source=self.name,
            keyword=row.keyword or list_name(self.args.file),
            rank=row.line,
            id=None,
            title=None,
            caption=row.caption,
            page_url=None,
            site=None,
            image_urls=list(row.urls),
            thumbnail_url=None,
            rights=None,
            details=row.extra or None,
            outcome=self.args.outcome,
        )

    def replayed_item(self, row: Row, line: dict[str, Any]) -> ImageItem | FileItem | None:
        """The item of a line of a feed of ours, as the spider gave it that found it."""
        try:
            item = replayed(line, urls=row.urls, keyword=row.keyword or list_name(self.args.file))
        except ValueError as error:
            self.say_bad(row.line, str(error))
            return None
        item.outcome = item.outcome or self.args.outcome
        return item

    def say_bad(self, line: int, why: str) -> None:
        self.bad_lines += 1
        self.crawler.stats.inc_value("lines/bad")
        level = logging.WARNING if self.bad_lines <= BAD_LINES_SHOWN else logging.INFO
        self.logger.log(level, "%s, line %d: %s", self.args.file, line, why)

    def say_what_is_bad(self) -> None:
        if self.bad_lines > BAD_LINES_SHOWN:
            said = "%s: %d lines were bad; the first %d of them are named above, the others with -L INFO"
            self.logger.warning(said, self.args.file, self.bad_lines, BAD_LINES_SHOWN)

    def item_settled(self, item: Any) -> None:
        self.keywords.settle(keyword_of(item))
