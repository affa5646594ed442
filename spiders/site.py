"""Any page of any site: the pictures that a person sees on it, and on the pages that it leads to."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit

from itemadapter import ItemAdapter
from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from scrapy.http import TextResponse
from scrapy.linkextractors import IGNORED_EXTENSIONS, LinkExtractor
from scrapy.utils.asyncio import run_in_thread
from scrapy.utils.url import url_has_any_extension
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]

from imagecrawl.exceptions import (
    Obstacle,
    PageBlockedError,
    PageChangedError,
    PageElsewhereError,
    PageEmptyError,
    PageError,
)
from imagecrawl.frontier import Frontier, LeftOut, Place, page_id, short_hash
from imagecrawl.hosts import Hosts
from imagecrawl.items import ImageItem, keyword_of
from imagecrawl.keywords import Keywords
from imagecrawl.outcomes import Outcome, Reason
from imagecrawl.output import counted, printable
from imagecrawl.pages import site as pages
from imagecrawl.params import Keyword, SpiderParams, WebPages, clean_keyword, words
from imagecrawl.quota import Quota
from imagecrawl.spider import ItemsSpider, kept_with_error, page_opt_outs, page_request, text_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.utils.log import SpiderLoggerAdapter

ADVICE = {
    Obstacle.NO_RESULTS: "look at the page in a browser; if pictures stand there, a script puts them in: -a render=1",
    Obstacle.CHANGED: "only HTML pages are read; for the address of a picture itself there is `scrapy crawl urls`",
    Obstacle.ROBOTS_TXT: "the site wants no robots there: ask it for leave, or for another way to its pictures",
}
"""The legitimate ways on."""

DEAD_ENDS = {
    Obstacle.NO_RESULTS,
    Obstacle.CHANGED,
    Obstacle.ELSEWHERE,
    Obstacle.REPEATED,
    Obstacle.ROBOTS_TXT,
    Obstacle.REDIRECTS,
    Obstacle.TOO_LARGE,
}
"""What a link of a page may well lead to: no such page, none of HTML, none for robots, none at all."""

NO_PAGES = {f".{extension}" for extension in IGNORED_EXTENSIONS}
"""What Scrapy follows no links to: archives, pictures, sound, films, documents."""

AT_ONCE = 100
"""So many links or pictures are looked at before others have their turn."""

HOSTS_SAID = 20
"""Of so many hosts that were given up it is said as an error how many pages were left out, of others as information."""

T = TypeVar("T")

BUDGETS = {
    LeftOut.HOST_BUDGET: "SITE_PAGES_PER_HOST",
    LeftOut.PATH_BUDGET: "SITE_PAGES_PER_PATH",
    LeftOut.TOO_LONG: "URLLENGTH_LIMIT",
}
"""The settings that say where a walk ends."""


def _checked_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"It is none: {error}") from error
    return pattern


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


Domain = Annotated[str, AfterValidator(lambda name: name.encode("idna").decode("ascii"))]
Pattern = Annotated[str, AfterValidator(_checked_pattern)]


class SiteParams(SpiderParams):
    """The arguments of ``scrapy crawl site``. Each description says what the argument takes."""

    url: WebPages = Field(description="a page such as `https://example.com/gallery`, or several with spaces between")
    depth: Annotated[Annotated[int, Field(ge=0)] | Literal["all"], BeforeValidator(_stripped)] = Field(
        0, description="a whole number from 0, links to follow one after the other, or `all`, to the end of the site"
    )
    allow: Pattern | None = Field(None, description="a regular expression for the addresses of pages to follow")
    deny: Pattern | None = Field(None, description="a regular expression for the addresses of pages not to follow")
    domains: Annotated[list[Domain], words(r"[\w-]+(\.[\w-]+)*")] | None = Field(
        None, description="domains such as `example.com`, with commas between; hosts below them belong to them"
    )
    render: bool = Field(False, description="`1` (show each page in a browser, and scroll to its end) or `0`")
    keyword: Keyword | None = Field(None, description="the folder of all pictures")
    folder: Literal["host", "path", "title"] | None = Field(
        None, description="`host`, `path` or `title`: what of each page is the folder of its pictures"
    )
    limit: int | None = Field(None, ge=1, description="a whole number from 1, pictures in all")

    @model_validator(mode="after")
    def _fitting_together(self) -> Self:
        if self.keyword and self.folder:
            raise ValueError("give one of the arguments `keyword` and `folder`")
        for name in ("allow", "deny", "domains"):
            if getattr(self, name) and self.depth == 0:
                raise ValueError(f"the argument `{name}` chooses among links, and without `depth` none is followed")
        return self

    @property
    def max_depth(self) -> float:
        return math.inf if self.depth == "all" else self.depth

    def keyword_of(self, url: str, title: str | None) -> str:
        """What the pictures of a page are filed under: as asked for, else its title, else its path, else its host."""
        if self.keyword:
            return self.keyword
        parts = urlsplit(url)
        path = printable("_".join(filter(None, unquote(parts.path).split("/"))))
        names = {"title": printable(title or ""), "path": path, "host": parts.hostname or ""}
        ways = list(names)
        for way in ways[ways.index(self.folder or "title") :]:
            with suppress(ValueError):  # nothing in it, but perhaps control characters
                return clean_keyword(names[way])
        return self.url[0]


@dataclass(frozen=True, slots=True)
class Found:
    """A picture, and where it was found."""

    picture: pages.Picture
    keyword: str
    page_title: str | None
    page_url: str
    opt_outs: dict[str, str] | None
    """What that page says of being used."""


@dataclass(frozen=True, slots=True)
class Read:
    """A page, and how it was answered."""

    page: pages.Page
    url: str
    """Its address in the end."""
    opt_outs: dict[str, str] | None


class SiteSpider(Args[SiteParams], ItemsSpider):
    """Reads pages in the order of their links, breadth first, with a few of them asked for ahead.

    That order decides which page, and so which folder, gets a picture that several show: it must be the same in every
    run. Pages do not pass the scheduler, which keeps no order.
    """

    name = "site"
    advice = ADVICE
    # Icons, buttons and sprites are no pictures. Other spiders are shown no such things.
    custom_settings = {"IMAGES_MIN_WIDTH": 100, "IMAGES_MIN_HEIGHT": 100}  # noqa: RUF012  # Scrapy's own name and type
    frontier: Frontier
    links: LinkExtractor
    quota: Quota
    keywords: Keywords
    ranks: Counter[str]
    """Pictures so far, by keyword."""
    seen: dict[bytes, float]
    """The largest copy so far of each picture, by its identity."""
    previews: dict[bytes, list[Found]]
    """Pictures in links to pages that are still to be read, and may show them larger, by those pages."""
    links_met = links_wanted = 0
    """Links of all pages, and those that may be followed."""
    oversized = 0
    """Addresses of pictures that are too long."""
    failed = False
    """Whether a page could not be read."""
    hosts: Hosts
    halted = False
    """No further page is to be asked for: there is no browser."""

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        settings = crawler.settings
        spider.frontier = Frontier(
            spider.args.url,
            domains=spider.args.domains or [_domain(url) for url in spider.args.url],
            per_host=settings.getint("SITE_PAGES_PER_HOST"),
            per_path=settings.getint("SITE_PAGES_PER_PATH"),
            max_url=settings.getint("URLLENGTH_LIMIT"),
        )
        spider.links = LinkExtractor(allow=spider.args.allow or (), deny=spider.args.deny or ())
        spider.hosts = Hosts()
        spider.quota = Quota(spider.args.limit or math.inf)
        spider.keywords = Keywords(crawler)
        spider.ranks = Counter()
        spider.seen = {}
        spider.previews = {}
        return spider

    async def items(self) -> AsyncIterator[ImageItem]:
        async for place, read in self.read_pages():
            await self.follow(read.page, place.depth + 1)
            async for found in self.pictures(place, read):
                if await self.claim(found):
                    yield self.item(found)
        for found in chain.from_iterable(self.previews.values()):  # whose page was not read, for whatever reason
            if await self.claim(found):
                yield self.item(found)
        self.say_how_it_ended()
        await self.keywords.end()

    # Pages

    async def read_pages(self) -> AsyncIterator[tuple[Place, Read]]:
        """Every page that can be read, in order. A few are asked for ahead."""
        ahead: deque[tuple[Place, asyncio.Task[Read]]] = deque()
        try:
            while not self.halted and not self.stopping and await self.quota.room():
                while len(ahead) < self.pages_at_once and (place := await self.next_place()):
                    ahead.append((place, asyncio.ensure_future(self.read(place))))
                if not ahead:
                    return
                place, reading = ahead.popleft()
                try:
                    read = await reading
                    self.check_redirect(place, read.url)
                except PageError as error:
                    self.fail(place, error)
                else:
                    self.hosts.succeed(place.url)
                    self.oversized += read.page.oversized
                    self.crawler.stats.inc_value("pages/read")
                    yield place, read
                self.frontier.done(place)
        finally:
            for _, reading in ahead:
                reading.cancel()
            await asyncio.gather(*(reading for _, reading in ahead), return_exceptions=True)

    async def next_place(self) -> Place | None:
        """The next page to read, of a host that is still asked."""
        while (place := self.frontier.next()) and self.hosts.leaves_out(place.url):
            self.frontier.done(place)
            await asyncio.sleep(0)  # there may be many
        return place

    @property
    def pages_at_once(self) -> int:
        bound = "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT" if self.args.render else "CONCURRENT_REQUESTS_PER_DOMAIN"
        return max(1, self.settings.getint(bound))

    async def read(self, place: Place) -> Read:
        """What stands on a page; raises PageError."""
        response = await self.ask(page_request(place.url, render=self.args.render))
        if response.status < 400 and not isinstance(response, TextResponse):
            kind = (response.headers.get("Content-Type") or b"binary data").decode("latin-1")
            raise PageChangedError(f"{response.url:.200} is {kind:.100}, no HTML page")
        with kept_with_error(response):
            page = await run_in_thread(_parse, response, self.logger)  # a page of some megabytes takes seconds
        if not page.is_whole:
            self.logger.warning("%.200s is nested so deep that captions and headings may be missing", response.url)
        return Read(page, response.url, page_opt_outs(response))

    def check_redirect(self, place: Place, url: str) -> None:
        """Raises PageElsewhereError when a link leads to a page that is not wanted, or is read anyway."""
        if page_id(url) == page_id(place.url):
            return
        if not place.depth and not self.args.domains and not self.frontier.domain_of(url):
            self.frontier.domains.append(_domain(url))
            self.logger.warning("%.200s has moved to %.200s: links are followed there", place.url, url)
        if not self.frontier.domain_of(url) or (place.depth and not self.links.matches(unquote(url))):
            raise PageElsewhereError(Obstacle.ELSEWHERE, f"it leads to {url:.200}, out of what is wanted")
        if not self.frontier.is_new(url):
            raise PageElsewhereError(Obstacle.REPEATED, f"it leads to {url:.200}, which is read for itself")

    async def follow(self, page: pages.Page, depth: int) -> None:
        """Put the links of a page into the frontier, as far as they are wanted."""
        if depth > self.args.max_depth:
            return
        async for url in unhurried(page.links):
            self.links_met += 1
            is_page = not url_has_any_extension(url, NO_PAGES)
            if is_page and self.frontier.domain_of(url) and self.links.matches(unquote(url)):
                self.links_wanted += 1
                self.frontier.add(url, depth)

    # Pictures

    async def pictures(self, place: Place, read: Read) -> AsyncIterator[Found]:
        """The pictures of a page, and those that other pages showed in links to it, which may be smaller copies.

        Pictures in links to pages that are still to be read are put off until then.
        """
        title = read.page.title
        keyword = self.args.keyword_of(read.url, title)
        async for picture in unhurried(read.page.pictures):
            found = Found(picture, keyword, title, read.url, read.opt_outs)
            target = page_id(picture.leads_to) if picture.leads_to and not picture.is_inline else None
            if target and self.frontier.is_to_come(target):
                self.previews.setdefault(target, []).append(found)
            else:
                yield found
        for found in self.previews.pop(page_id(place.url), ()):
            yield found

    async def claim(self, found: Found) -> bool:
        """Whether a picture is to be fetched: no copy of it was met that is as large. From now on one was."""
        identity = short_hash(found.picture.identity.key)  # that of a data: URI is as long as the picture
        size = found.picture.identity.size
        if size <= self.seen.get(identity, -1) or self.stopping or not await self.quota.room():
            return False
        self.seen[identity] = size
        return True

    def item(self, found: Found) -> ImageItem:
        picture, keyword = found.picture, found.keyword
        self.quota.take()
        self.keywords.go_on(keyword)
        self.open_keyword()
        self.keywords.take()
        self.ranks[keyword] += 1
        any_size = not (self.settings.getint("IMAGES_MIN_WIDTH") or self.settings.getint("IMAGES_MIN_HEIGHT"))
        is_decoration = picture.looks_like_decoration and not any_size
        return ImageItem(
            source=self.name,
            keyword=keyword,
            rank=self.ranks[keyword],
            id=None,
            title=picture.title,
            alt=picture.alt,
            caption=picture.caption,
            page_url=found.page_url,
            site=urlsplit(found.page_url).hostname,
            image_urls=list(picture.urls),
            thumbnail_url=None,
            rights=None,
            opt_outs=found.opt_outs,
            details={
                "page_title": found.page_title,
                "heading": picture.heading,
                "position": picture.position,
                "found_as": picture.source,
            },
            outcome=Outcome.REFUSED if is_decoration else self.args.outcome,
            reason=Reason.DECORATION if is_decoration else None,
        )

    def open_keyword(self) -> None:
        self.keywords.open(self.args.limit if self.args.keyword else None)  # else the limit is not that of one keyword

    def item_settled(self, item: Any) -> None:
        outcome = ItemAdapter(item).get("outcome")
        self.quota.settle(in_place=outcome is not None and Outcome(outcome).as_asked)
        self.keywords.settle(keyword_of(item))

    # What is said

    def fail(self, place: Place, error: PageError) -> None:
        if self.stopping:
            return
        if error.kind is Obstacle.REPEATED or (place.depth and error.kind in DEAD_ENDS):
            self.crawler.stats.inc_value(f"pages/left_out/{error.kind}")
            self.logger.info("Left out, %.200s: %s", place.url, error)
            return
        if place.depth and self.hosts.leaves_out(place.url, error):  # a page that the user has named is always said
            return
        self.failed = True
        self.hosts.fail(place.url, error)
        self.halted = self.halted or error.kind is Obstacle.NO_BROWSER
        self.keywords.go_on(self.args.keyword_of(place.url, None))
        self.open_keyword()
        self.page_failed(error, self.keywords.current, error.body)

    def say_how_it_ended(self) -> None:
        """What nobody would learn from the items."""
        for left_out, count in self.frontier.left_out.items():
            self.crawler.stats.inc_value(f"pages/left_out/{left_out}", count)
            advice = f"; see {BUDGETS[left_out]}" if left_out in BUDGETS else ""
            self.logger.warning("%s not followed: %s%s", counted(count, "link"), left_out, advice)
        if self.links_met and not self.links_wanted:
            said = "%s met, and none is wanted: look at `allow`, `deny` and `domains`"
            self.logger.warning(said, counted(self.links_met, "link"))
        if self.oversized:
            self.crawler.stats.inc_value("pictures/left_out/too-long", self.oversized)
            said = "%s of pictures left out: longer than %d characters, or data: URIs of more than %d"
            self.logger.warning(said, counted(self.oversized, "address"), pages.MAX_URL, pages.MAX_DATA)
        for number, (host, count) in enumerate(self.hosts.left_out.most_common()):
            obstacle = self.hosts.given_up[host]
            self.crawler.stats.inc_value(f"pages/left_out/{obstacle}", count)
            level = logging.ERROR if number < HOSTS_SAID else logging.INFO
            self.logger.log(level, "%s of %s not asked for any more: %s", counted(count, "page"), host, obstacle)
        if len(self.frontier) and self.halted:
            self.logger.error("%s not asked for any more", counted(len(self.frontier), "page"))
        if not self.ranks and not self.failed and not self.stopping:
            self.fail(Place(self.args.url[0], 0), PageEmptyError("there is no picture"))


def _parse(response: Response, logger: SpiderLoggerAdapter) -> pages.Page:
    """What stands on a page; raises PageError. A bug is one page's trouble, and has its traceback."""
    try:
        encoding = getattr(response, "encoding", "utf-8")
        return pages.parse_page(text_of(response), url=response.url, status=response.status, encoding=encoding)
    except PageError:
        raise
    except Exception as error:
        logger.exception("%.200s could not be read", response.url)
        said = f"{response.url:.200} could not be read: the log has the traceback"
        raise PageBlockedError(Obstacle.ERROR, said) from error


def _domain(url: str) -> str:
    """The domain that links of a page are followed in: that of its host, without ``www``."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


async def unhurried(values: Iterable[T]) -> AsyncIterator[T]:
    """Each of the values; in between others have their turn, for a page may have 50,000 of them."""
    for number, value in enumerate(values):
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
        yield value
