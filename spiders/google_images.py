"""Google Images: the pictures that a search shows, in its order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from form2request import form2request
from pydantic import AfterValidator, Field, PositiveInt, model_validator
from scrapy import Request, Spider
from scrapy import signals as scrapy_signals
from scrapy.http import TextResponse
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]

from imagecrawl import signals
from imagecrawl.exceptions import Obstacle, PageBlockedError, PageEmptyError, PageError
from imagecrawl.items import ImageItem
from imagecrawl.outcomes import Reason
from imagecrawl.pages import google_images as pages
from imagecrawl.params import (
    ExistingFile,
    Keyword,
    KeywordFile,
    SpiderParams,
    clean_keyword,
    one_of,
    read_keywords,
)
from imagecrawl.quota import Quota

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure

ERROR_STATUSES = list(range(400, 600))
"""Answers that the page function names, so that no middleware may swallow them."""


def _checked(build: Callable[[str], str]) -> AfterValidator:
    """A validator for a word that ``build`` can turn into a part of the address."""

    def check(word: str) -> str:
        build(word)
        return word

    return AfterValidator(check)


def _list(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


class GoogleImagesParams(SpiderParams):
    """The arguments of ``scrapy crawl google_images``. Each description says what the argument takes."""

    q: Keyword | None = Field(None, description="one keyword")
    queries: KeywordFile | None = Field(None, description="a .txt or .csv file in UTF-8, one keyword a line")
    page: ExistingFile | None = Field(None, description="a results page saved in a browser; Google is not asked then")
    limit: PositiveInt = Field(100, description="a whole number from 1, the pictures to store per keyword")
    thumbnails: Literal["never", "fallback", "only"] = Field(
        "fallback", description="`never`, `fallback` (where the picture cannot be had) or `only`"
    )
    via: Literal["browser", "http"] = Field("browser", description="`browser` or `http`")

    size: Annotated[str, _checked(pages.size_tbs)] | None = Field(
        None, description=f"{_list(pages.SIZES)} or an exact size such as `1920x1080`"
    )
    color: Annotated[str, one_of(pages.COLORS)] | None = Field(None, description=_list(pages.COLORS))
    type: Annotated[str, one_of(pages.TYPES)] | None = Field(None, description=_list(pages.TYPES))
    licence: Annotated[str, one_of(pages.LICENCES)] | None = Field(
        None, description="`cc` (Creative Commons) or `commercial` (commercial and other licences)"
    )
    time: Annotated[str, _checked(pages.time_tbs)] | None = Field(
        None, description=f"{_list(pages.TIMES)} or a range such as `2024-01-31..2024-06-30`"
    )
    aspect: Annotated[str, one_of(pages.ASPECTS)] | None = Field(None, description=_list(pages.ASPECTS))
    filetype: Annotated[str, one_of(pages.FILETYPES)] | None = Field(None, description=_list(pages.FILETYPES))
    site: str | None = Field(None, pattern=r"^[\w.-]+\.[\w-]+$", description="a host such as `wikipedia.org`")
    lang: str = Field("en", pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$", description="a language such as `en` or `pt-BR`")
    country: str | None = Field(None, pattern=r"^[A-Za-z]{2}$", description="a country of two letters such as `de`")
    safe: Literal["active", "off"] | None = Field(None, description="`active` or `off`")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.q, self.queries, self.page].count(None) != 2 and not (self.q and self.page and not self.queries):
            raise ValueError("give one of the arguments `q`, `queries` or `page` (with `page`, `q` names the folder)")
        return self

    @property
    def keywords(self) -> list[str]:
        """What to search for; empty when only a saved page is read."""
        if self.queries:
            return read_keywords(self.queries)
        return [self.q] if self.q else []

    def search_url(self, keyword: str) -> str:
        filters = self.model_dump(
            include={
                "size", "color", "type", "licence", "time", "aspect", "filetype", "site", "lang", "country", "safe",
            }
        )  # fmt: skip
        return pages.build_search_url(keyword, **filters)


@dataclass
class Search:
    """One keyword under way. ``seen`` are the ids of its results so far, ``rank`` their number."""

    keyword: str
    quota: Quota
    seen: set[str] = field(default_factory=set)
    rank: int = 0
    consent_rejected: bool = False


class GoogleImagesSpider(Args[GoogleImagesParams], Spider):
    """Searches one keyword after the other, as many at once as the browser may have pages open.

    It yields only as many results as are still missing, hears each outcome through Scrapy's item signals, and tops up
    from the page it has before it asks for the next.
    """

    name = "google_images"
    searches: dict[str, Search]
    turns: asyncio.Semaphore
    halted = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.searches = {}
        spider.turns = asyncio.Semaphore(crawler.settings.getint("PLAYWRIGHT_MAX_PAGES_PER_CONTEXT"))
        for signal in (scrapy_signals.item_scraped, scrapy_signals.item_dropped, scrapy_signals.item_error):
            crawler.signals.connect(spider.item_settled, signal)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        if self.args.page:
            yield Request(self.args.page.as_uri(), self.parse_saved_page)
            return
        keywords = self.args.keywords
        for number, keyword in enumerate(keywords):
            await self.turns.acquire()
            if self.halted:
                self.crawler.signals.send_catch_log(signals.keywords_skipped, keywords=keywords[number:])
                return
            self.open_search(keyword)
            yield self.page_request(self.args.search_url(keyword), keyword)

    def page_request(self, url: str, keyword: str) -> Request:
        # /search is closed to robots; this is the one exception, and the README says so.
        meta: dict[str, Any] = {"dont_obey_robotstxt": True, "handle_httpstatus_list": ERROR_STATUSES}
        if self.args.via == "browser":
            meta["browser"] = {"settled": pages.SETTLED, "reject": pages.CONSENT_REJECT}
        return Request(
            url,
            self.parse,
            errback=self.unreachable,
            cb_kwargs={"keyword": keyword},
            meta=meta,
            dont_filter=True,
        )

    async def parse_saved_page(self, response: Response) -> AsyncIterator[Any]:
        keyword = self.args.q or self.page_keyword(response)
        await self.turns.acquire()
        self.open_search(keyword)
        async for output in self.parse(response, keyword):
            yield output

    def page_keyword(self, response: Response) -> str:
        """What a saved page was a search for, else the name of its file."""
        assert self.args.page
        try:
            return clean_keyword(pages.parse_query(_text(response)) or "")
        except ValueError:
            return self.args.page.stem

    async def parse(self, response: Response, keyword: str) -> AsyncIterator[Any]:
        search = self.searches[keyword]
        goes_on = False
        try:
            results = pages.parse_results(_text(response), url=response.url, status=response.status)
            new = [result for result in results if result.id is None or result.id not in search.seen]
            for result in new:
                if self.stopping or not await search.quota.room():
                    return
                yield self.item(result, search)
            next_url = pages.parse_next_url(_text(response), url=response.url)
            if next_url and new and not self.halted and not self.args.page and await search.quota.room():
                goes_on = True
                yield self.page_request(next_url, keyword)
        except PageError as error:
            if request := self.consent_rejection(error, response, search):
                goes_on = True
                yield request
            elif not (isinstance(error, PageEmptyError) and search.rank):  # else: the results end
                self.fail(search, error, response.body)
        finally:
            if not goes_on:
                await self.close_search(search)

    async def unreachable(self, failure: Failure) -> None:
        search = self.searches[failure.request.cb_kwargs["keyword"]]  # type: ignore[attr-defined]
        error: Any = failure.value
        if not isinstance(error, PageError):
            error = PageBlockedError(Obstacle.UNREACHABLE, f"Google did not answer ({_first_line(error)})")
        self.fail(search, error, None)
        await self.close_search(search)

    def item(self, result: pages.ImageResult, search: Search) -> ImageItem:
        search.rank += 1
        search.quota.take()
        if result.id:
            search.seen.add(result.id)
        full = [result.image_url] if result.image_url and self.args.thumbnails != "only" else []
        thumbnail = [result.thumbnail_url] if result.thumbnail_url and self.args.thumbnails != "never" else []
        return ImageItem(
            source=self.name,
            keyword=search.keyword,
            rank=search.rank,
            id=result.id,
            title=result.title,
            page_url=result.page_url,
            site=result.site,
            image_urls=full + thumbnail,
            thumbnail_url=result.thumbnail_url,
            rights=result.rights,
            reason=None if full or self.args.thumbnails == "only" else Reason.NO_URL,
        )

    def item_settled(self, item: ImageItem) -> None:
        in_place = item.outcome is not None and item.outcome.in_place
        self.searches[item.keyword].quota.settle(in_place=in_place)

    def consent_rejection(self, error: PageError, response: Response, search: Search) -> Request | None:
        """The one attempt to answer Google's question on cookies without a browser; ``None`` if it was made."""
        if error.kind is not Obstacle.CONSENT or self.args.via == "browser" or search.consent_rejected:
            return None
        forms = response.css(pages.CONSENT_FORM)
        if not forms:
            return None
        search.consent_rejected = True
        request: Request = form2request(forms[0]).to_scrapy(
            self.parse,
            errback=self.unreachable,
            cb_kwargs={"keyword": search.keyword},
            meta={key: response.meta[key] for key in ("dont_obey_robotstxt", "handle_httpstatus_list")},
            dont_filter=True,
        )
        return request

    def open_search(self, keyword: str) -> None:
        self.searches[keyword] = Search(keyword, Quota(self.args.limit))
        self.crawler.signals.send_catch_log(signals.keyword_opened, keyword=keyword, asked=self.args.limit)

    def fail(self, search: Search, error: PageError, body: bytes | None) -> None:
        self.halted = self.halted or error.ends_crawl
        self.crawler.signals.send_catch_log(signals.page_failed, error=error, keyword=search.keyword, body=body)

    async def close_search(self, search: Search) -> None:
        await search.quota.drained()
        del self.searches[search.keyword]
        self.turns.release()
        self.crawler.signals.send_catch_log(signals.keyword_closed, keyword=search.keyword)

    @property
    def stopping(self) -> bool:
        """Whether the crawl is being ended from outside. Scrapy has no public word for it, and callbacks go on."""
        slot = self.crawler.engine._slot if self.crawler.engine else None  # noqa: SLF001
        return slot is None or slot.closing is not None


def _text(response: Response) -> str:
    return response.text if isinstance(response, TextResponse) else ""


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
