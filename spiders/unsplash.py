"""Unsplash: free photos, from a page to the photos that it shows, and on."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Self

from itemadapter import ItemAdapter
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]

from imagecrawl.exceptions import Obstacle, PageEmptyError, PageError
from imagecrawl.items import ImageItem, keyword_of
from imagecrawl.keywords import Keywords
from imagecrawl.outcomes import Outcome
from imagecrawl.output import counted
from imagecrawl.pages import unsplash as pages
from imagecrawl.params import Keyword, SpiderParams, web_pages, words
from imagecrawl.quota import Quota
from imagecrawl.spider import (
    FAILURES_MAX,
    ItemsSpider,
    ends_asking,
    kept_with_error,
    page_opt_outs,
    page_request,
    text_of,
)
from imagecrawl.visits import Visits

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

ADVICE = {
    Obstacle.JAVASCRIPT: "let a browser show the pages: -a render=1",
    Obstacle.NETWORK_BLOCK: "wait some hours, and ask for less at a time",
    Obstacle.RATE_LIMITED: "wait some minutes, then run it again: it goes on where it was",
    Obstacle.REFUSED: "run it again later: it goes on where it was",
    Obstacle.NO_RESULTS: "try other words, or look at the page in a browser",
    Obstacle.ROBOTS_TXT: "the site wants no robots there",
    Obstacle.TRUNCATED: "run it again",
}
"""The legitimate ways on."""


WAITING_MAX = 100_000
"""So many pages wait to be read at most: each leads to a dozen others."""


def _checked_page(text: str) -> str:
    [url, *more] = web_pages(text)
    if more or not pages.is_site_url(url):
        raise ValueError(f"It is no page of {pages.HOST}")
    return pages.canonical_photo_url(url) if pages.photo_code(url) else url


class UnsplashParams(SpiderParams):
    """The arguments of ``scrapy crawl unsplash``. Each description says what the argument takes."""

    q: Keyword | None = Field(None, description="words to search for")
    url: Annotated[str, AfterValidator(_checked_page)] | None = Field(
        None, description=f"a page of {pages.HOST} to begin with, that of a photo for example"
    )
    widths: Annotated[list[Annotated[int, Field(ge=1)]], words(r"\d{1,5}")] | None = Field(
        None, description="widths in pixels such as `600,1200`, with commas between"
    )
    limit: int = Field(100, ge=1, description="a whole number from 1, photos in all")
    render: bool = Field(False, description="`1` (show each page in a browser, and scroll to its end) or `0`")

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if self.q and self.url:
            raise ValueError("give one of the arguments `q` and `url`, or none")
        return self

    @property
    def start_url(self) -> str:
        return pages.build_search_url(self.q) if self.q else self.url or pages.SITE

    @property
    def keyword(self) -> str:
        return self.q or UnsplashSpider.name

    @property
    def sizes(self) -> list[int | None]:
        """The widths to get of each photo; ``None`` is the original."""
        return list(dict.fromkeys(self.widths)) if self.widths else [None]


@dataclass(frozen=True, slots=True)
class Read:
    """What a page gives, and what it says of being used."""

    page: pages.Page
    opt_outs: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A photo, and what the page that shows it says of being used."""

    photo: pages.Photo
    opt_outs: dict[str, str] | None


def _remembered(facts: dict[str, Any] | None, *, rendered: bool = False) -> Read | None:
    """What an earlier crawl learned from a page; ``None`` if a browser is wanted now, which may show more of it."""
    if not facts or (rendered and not facts.get("rendered")):
        return None
    try:
        return _READ.validate_python({"page": facts.get("page"), "opt_outs": facts.get("opt_outs")})
    except ValidationError:  # another version of the program wrote them
        return None


_READ = TypeAdapter(Read)


class UnsplashSpider(Args[UnsplashParams], ItemsSpider):
    """Goes from the page of a photo to those of the photos that it shows, breadth first, one page at a time.

    A photo becomes items when its own page was read, which alone tells its tags. What a page gave is remembered, so
    that a later crawl does not ask for it again, and goes on behind it. A page that did not tell the tags is asked for
    once more by each.
    """

    name = "unsplash"
    advice = ADVICE
    waiting: deque[str]
    """Pages to be read."""
    met: set[str | None]
    """The codes of the photos whose pages are read or waiting."""
    shown: dict[str | None, Shown]
    """What other pages say of photos whose own is still to be read, by code."""
    seen: set[str]
    """The ids of the photos that became items."""
    under_way: Counter[str]
    """How many sizes of each photo are still to come, by id."""
    in_place: set[str]
    """The ids of those photos of which a size is in place."""
    visits: Visits
    quota: Quota
    keywords: Keywords
    failures = 0
    """Pages in a row that could not be read."""
    halted = False
    """No further page is to be asked for: the site blocks."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        start = spider.args.start_url
        spider.waiting = deque([start])
        spider.met = {pages.photo_code(start)}
        spider.shown = {}
        spider.seen = set()
        spider.under_way = Counter()
        spider.in_place = set()
        spider.visits = Visits(crawler)
        spider.quota = Quota(spider.args.limit)
        spider.keywords = Keywords(crawler)
        return spider

    async def items(self) -> AsyncIterator[ImageItem]:
        self.keywords.go_on(self.args.keyword)
        async for shown in self.photos():
            photo = shown.photo
            if photo.id in self.seen or self.stopping or not await self.quota.room():
                continue
            self.seen.add(photo.id)
            self.quota.take()
            self.under_way[photo.id] = len(self.args.sizes)
            for width in self.args.sizes:
                self.open_keyword()
                self.keywords.take()
                yield self.item(shown, width)
        if self.halted and self.waiting:
            self.logger.error("%s not asked for any more", counted(len(self.waiting), "page"))
        await self.keywords.end()

    # Pages

    async def photos(self) -> AsyncIterator[Shown]:
        """The photos in the order of the walk, with all that is known of each."""
        while self.waiting and not self.halted and not self.stopping and await self.quota.room():
            url = self.waiting.popleft()
            known = self.shown.pop(pages.photo_code(url), None)
            read = await self.read(url)
            self.walk_on(read)
            if photo := read.page.photo:
                yield Shown(photo.completed(known.photo) if known else photo, read.opt_outs)
            elif known:  # its page is gone; the picture may not be
                yield known
            for photo in read.page.photos:
                if photo.code is None:  # there is no page that would tell more
                    yield Shown(photo, read.opt_outs)

    def walk_on(self, read: Read) -> None:
        """The photos that a page shows come next."""
        for photo in read.page.photos:
            if photo.code not in self.met and len(self.waiting) < WAITING_MAX:
                self.shown[photo.code] = Shown(photo, read.opt_outs)
        for url in read.page.links:
            code = pages.photo_code(url)
            if code not in self.met and len(self.waiting) < WAITING_MAX:
                self.met.add(code)
                self.waiting.append(url)

    async def read(self, url: str) -> Read:
        """What a page gives, remembered or asked for; nothing, if it cannot be had."""
        key = pages.canonical_photo_url(url) if pages.photo_code(url) else url
        remembered = _remembered(await self.visits.recall(key), rendered=self.args.render)
        if remembered and self.is_enough(url, remembered.page):
            return remembered
        known = _remembered(await self.visits.recall(key, however_old=True))
        try:
            read = await self.ask_page(url)
            self.failures = 0
        except PageError as error:
            self.fail(url, error)
            read = known or Read(pages.Page(photos=[], photo=None, links=[]))
            if not isinstance(error, PageEmptyError) or url == self.args.start_url:
                return read
        if known and known.page.photo and read.page.photo:
            page = replace(read.page, photo=read.page.photo.completed(known.page.photo))
            read = replace(read, page=page)
        await self.visits.keep(key, {"rendered": self.args.render, **asdict(read)})
        return read

    def is_enough(self, url: str, page: pages.Page) -> bool:
        """Whether a page need not be asked for again. One to begin with is: else nobody would hear that it is gone."""
        if url == self.args.start_url and not page.photos:
            return False
        return page.photo is None or page.photo.tags is not None

    async def ask_page(self, url: str) -> Read:
        """What a page gives; raises PageError."""
        response = await self.ask(page_request(url, render=self.args.render))
        with kept_with_error(response):
            page = pages.parse_page(text_of(response), url=response.url, status=response.status)
        return Read(page, page_opt_outs(response))

    # Items

    def item(self, shown: Shown, width: int | None) -> ImageItem:
        photo = shown.photo
        url = pages.sized_url(photo.image_url, width) if width else pages.original_url(photo.image_url)
        rights = {"credit": photo.photographer, "licence_url": photo.licence_url}
        return ImageItem(
            source=self.name,
            keyword=self.args.keyword,
            rank=len(self.seen),
            id=photo.id,
            title=photo.title,
            alt=photo.description,
            page_url=photo.page_url,
            site="Unsplash",
            image_urls=[url],
            width=width,
            thumbnail_url=None,
            rights={name: value for name, value in rights.items() if value} or None,
            opt_outs=shown.opt_outs,
            details={
                "tags": None if photo.tags is None else list(photo.tags),
                "photographer_url": photo.photographer_url,
            },
            outcome=self.args.outcome,
        )

    def item_settled(self, item: Any) -> None:
        """A photo is in place when one of its sizes is, under whatever address: two may be the same picture."""
        fields = ItemAdapter(item)
        photo, outcome = str(fields.get("id")), fields.get("outcome")
        if photo not in self.under_way:  # a pipeline has made something else of it
            photo = next(iter(self.under_way))
        if outcome is not None and (Outcome(outcome).as_asked or outcome == Outcome.DUPLICATE):
            self.in_place.add(photo)
        self.under_way[photo] -= 1
        if not self.under_way[photo]:
            del self.under_way[photo]
            self.quota.settle(in_place=photo in self.in_place)
            self.in_place.discard(photo)
        self.keywords.settle(keyword_of(item))

    # What is said

    def open_keyword(self) -> None:
        # in several widths, how many files will be there depends on the photos
        self.keywords.open(self.args.limit if len(self.args.sizes) == 1 else None)

    def fail(self, url: str, error: PageError) -> None:
        if self.stopping:
            return
        if isinstance(error, PageEmptyError) and url != self.args.start_url:
            self.logger.info("%s", error)
            return
        self.failures += 1
        self.halted = ends_asking(error) or self.failures >= FAILURES_MAX
        self.open_keyword()
        self.page_failed(error, self.keywords.current, error.body)
