"""Google Images: the pictures that a search shows, in its order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from form2request import form2request
from itemadapter import ItemAdapter
from pydantic import AfterValidator, Field, model_validator
from scrapy import Request
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]

from imagecrawl import signals
from imagecrawl.exceptions import Obstacle, PageEmptyError, PageError
from imagecrawl.items import ImageItem
from imagecrawl.outcomes import Outcome, Reason
from imagecrawl.pages import google_images as pages
from imagecrawl.params import (
    Keyword,
    KeywordFile,
    SavedPage,
    SpiderParams,
    clean_keyword,
    did_you_mean,
    one_of,
)
from imagecrawl.quota import Quota
from imagecrawl.spider import ERROR_STATUSES, MediaSpider, page_error, text_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure


def _checked(build: Callable[[str], str], known: Iterable[str]) -> AfterValidator:
    """A validator for a word that ``build`` can turn into a part of the address: one of ``known`` or a figure."""

    def check(word: str) -> str:
        try:
            build(word)
        except ValueError as error:
            raise ValueError(did_you_mean(word, known)) from error
        return word

    return AfterValidator(check)


def _list(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


ADVICE = {
    Obstacle.CONSENT: "answer the question once in your own browser and crawl through it (PLAYWRIGHT_CDP_URL)",
    Obstacle.CAPTCHA: "wait some hours, ask less often, or save the results page in your own browser (-a page=FILE)",
    Obstacle.JAVASCRIPT: "use the browser (via=browser), or save the results page in your own (-a page=FILE)",
    Obstacle.UPDATE_BROWSER: "update Chromium, and use it (via=browser)",
    Obstacle.REFUSED: "wait some hours, ask less often, or save the results page in your own browser (-a page=FILE)",
    Obstacle.UNREACHABLE: "check the network and http_proxy/https_proxy, then run it again; "
    "a proxy that re-signs TLS needs -s BROWSER_VERIFY_TLS=False",
}
"""The legitimate ways on."""


class GoogleImagesParams(SpiderParams):
    """The arguments of ``scrapy crawl google_images``. Each description says what the argument takes."""

    q: Keyword | None = Field(None, description="one keyword")
    queries: KeywordFile | None = Field(None, description="a .txt or .csv file in UTF-8, one keyword a line")
    page: SavedPage | None = Field(None, description="the file of a results page that was saved in a browser")
    limit: int = Field(100, ge=1, le=1_000_000, description="a whole number from 1 to 1000000, pictures per keyword")
    thumbnails: Literal["never", "fallback", "only"] = Field(
        "fallback", description="`never`, `fallback` (where the picture cannot be had) or `only`"
    )
    via: Literal["browser", "http"] = Field("browser", description="`browser` or `http`")

    size: Annotated[str, _checked(pages.size_tbs, pages.SIZES)] | None = Field(
        None, description=f"{_list(pages.SIZES)} or an exact size such as `1920x1080`"
    )
    color: Annotated[str, one_of(pages.COLORS)] | None = Field(None, description=_list(pages.COLORS))
    type: Annotated[str, one_of(pages.TYPES)] | None = Field(None, description=_list(pages.TYPES))
    licence: Annotated[str, one_of(pages.LICENCES)] | None = Field(
        None, description="`cc` (Creative Commons) or `commercial` (commercial and other licences)"
    )
    time: Annotated[str, _checked(pages.time_tbs, pages.TIMES)] | None = Field(
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
        given = [name for name in ("q", "queries", "page") if getattr(self, name) is not None]
        if given not in (["q"], ["queries"], ["page"], ["q", "page"]):
            got = " and ".join(f"`{name}`" for name in given) or "none of them"
            raise ValueError(f"give one of the arguments `q`, `queries` and `page`; got {got}")
        return self

    @property
    def keywords(self) -> list[str]:
        """What to search for; empty when only a saved page is read."""
        return self.queries or ([self.q] if self.q else [])

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


class GoogleImagesSpider(Args[GoogleImagesParams], MediaSpider):
    """Searches one keyword after the other, as many at once as the browser may have pages open.

    It yields only as many results as are still missing, hears each outcome through Scrapy's item signals, and tops up
    from the page it has before it asks for the next.
    """

    name = "google_images"
    advice = ADVICE
    searches: dict[str, Search]
    turns: asyncio.Semaphore
    all_closed: asyncio.Event
    halted = False
    """Google itself blocks: no further page is asked for."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.searches = {}
        spider.all_closed = asyncio.Event()
        # 0 means to scrapy-playwright: as many as Scrapy sends requests at once
        pages_at_once = crawler.settings.getint("PLAYWRIGHT_MAX_PAGES_PER_CONTEXT")
        spider.turns = asyncio.Semaphore(pages_at_once or crawler.settings.getint("CONCURRENT_REQUESTS"))
        return spider

    async def start(self) -> AsyncIterator[Any]:
        if self.args.page:
            yield Request(self.args.page.as_uri(), self.parse_saved_page)
            return
        waiting = deque(self.args.keywords)
        try:
            with self.interruptible():
                while waiting:
                    await self.turns.acquire()
                    if self.halted or self.stopping:
                        return
                    keyword = waiting.popleft()
                    self.open_search(keyword)
                    yield self.page_request(self.args.search_url(keyword), keyword)
                await self.all_closed.wait()
        finally:
            if waiting:
                self.crawler.signals.send_catch_log(signals.keywords_skipped, keywords=list(waiting))

    def page_request(self, url: str, keyword: str) -> Request:
        return Request(url, **self.page_options(keyword))

    def page_options(self, keyword: str) -> dict[str, Any]:
        """What every request for a page of Google's has, beside its address."""
        # /search is closed to robots; Google's own pages are the one exception, and the README says so.
        meta: dict[str, Any] = {"dont_obey_robotstxt": "google.com", "handle_httpstatus_list": ERROR_STATUSES}
        meta["refusal_stands"] = True  # at a 429 we stop, and say so
        if self.args.via == "browser":
            meta["browser"] = {"settled": pages.SETTLED, "reject": pages.CONSENT_REJECT}
        return {
            "callback": self.parse,
            "errback": self.unreachable,
            "cb_kwargs": {"keyword": keyword},
            "meta": meta,
            "dont_filter": True,
        }

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
            return clean_keyword(pages.parse_query(text_of(response)) or "")
        except ValueError:
            return self.args.page.stem

    async def parse(self, response: Response, keyword: str) -> AsyncIterator[Any]:
        search = self.search_of(keyword)
        goes_on = False
        exhausted = False
        try:
            results = pages.parse_results(text_of(response), url=response.url, status=response.status)
            new = [result for result in results if result.id is None or result.id not in search.seen]
            for result in new:
                if self.stopping or not await search.quota.room():
                    return
                yield self.item(result, search)
            pages.check_complete(results)
            next_url = pages.parse_next_url(text_of(response), url=response.url)
            exhausted = not (next_url and new) or self.args.page is not None
            if next_url and not exhausted and not self.halted and await search.quota.room():
                goes_on = True
                yield self.page_request(next_url, keyword)
        except PageError as error:
            if request := self.consent_rejection(error, response, search):
                goes_on = True
                yield request
            elif isinstance(error, PageEmptyError) and search.rank:
                exhausted = True
            else:
                self.fail(search, error, response.body)
        finally:
            if not goes_on:
                await self.close_search(search, exhausted=exhausted)

    async def unreachable(self, failure: Failure) -> None:
        search = self.search_of(failure.request.cb_kwargs["keyword"])  # type: ignore[attr-defined]
        if not self.stopping:
            self.fail(search, page_error(failure.value, "Google"), None)
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
            outcome=self.args.outcome,
        )

    def item_settled(self, item: Any) -> None:
        fields = ItemAdapter(item)
        if search := self.searches.get(fields.get("keyword", "")):
            outcome = fields.get("outcome")
            search.quota.settle(in_place=outcome is not None and Outcome(outcome).as_asked)

    def consent_rejection(self, error: PageError, response: Response, search: Search) -> Request | None:
        """The one attempt to answer Google's question on cookies without a browser; ``None`` if it was made."""
        if error.kind is not Obstacle.CONSENT or self.args.via == "browser" or search.consent_rejected:
            return None
        forms = response.css(pages.CONSENT_FORM)
        if not forms:
            return None
        search.consent_rejected = True
        request: Request = form2request(forms[0]).to_scrapy(**self.page_options(search.keyword))
        return request

    def search_of(self, keyword: str) -> Search:
        """The open search; opened now for a request that JOBDIR kept from an earlier run."""
        return self.searches.get(keyword) or self.open_search(keyword)

    def open_search(self, keyword: str) -> Search:
        search = self.searches[keyword] = Search(keyword, Quota(self.args.limit))
        self.all_closed.clear()
        self.crawler.signals.send_catch_log(signals.keyword_opened, keyword=keyword, asked=self.args.limit)
        return search

    def fail(self, search: Search, error: PageError, body: bytes | None) -> None:
        self.halted = self.halted or error.ends_crawl
        self.page_failed(error, search.keyword, body)

    async def close_search(self, search: Search, *, exhausted: bool = False) -> None:
        await search.quota.drained()
        del self.searches[search.keyword]
        if not self.searches:
            self.all_closed.set()
        self.turns.release()
        self.crawler.signals.send_catch_log(signals.keyword_closed, keyword=search.keyword, exhausted=exhausted)
