"""Subreddits: the pictures of the posts that a listing shows, in its order."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Self, TypeVar

from itemadapter import ItemAdapter
from pydantic import BeforeValidator, Field, model_validator
from scrapy import Request
from scrapy import signals as scrapy_signals
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]
from w3lib.http import basic_auth_header

from imagecrawl import signals
from imagecrawl.exceptions import Obstacle, PageBlockedError, PageEmptyError, PageError
from imagecrawl.items import ImageItem, keyword_of
from imagecrawl.keywords import Keywords
from imagecrawl.oauth import AppAccess
from imagecrawl.optouts import merged
from imagecrawl.outcomes import Outcome, Reason
from imagecrawl.pages import subreddit as pages
from imagecrawl.params import ExistingFile, Keyword, SavedPage, SpiderParams, cookie_file, listed_in_file, read_cookies
from imagecrawl.quota import Quota
from imagecrawl.spider import ItemsSpider, ends_asking, kept_with_error, page_opt_outs, text_of

T_co = TypeVar("T_co", covariant=True)

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from scrapy.settings import BaseSettings

CREDENTIALS = "REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"

ADVICE = {
    Obstacle.NO_SUBREDDIT: "check the name",
    Obstacle.NO_RESULTS: "look at the listing in a browser, and check the arguments",
    Obstacle.PRIVATE: "if you are a member, read it with your own cookies (-a via=html -a cookies=FILE)",
    Obstacle.BANNED: "Reddit shows nothing of it any more",
    Obstacle.QUARANTINED: "accept the warning once in your own browser, and crawl with its cookies "
    "(-a via=html -a cookies=FILE)",
    Obstacle.OVER_18: "if you are of age, and want it: -a nsfw=include or -a nsfw=only",
    Obstacle.LOGIN: f"give the cookies of your own browser (-a cookies=FILE), or an app's credentials ({CREDENTIALS})",
    Obstacle.CREDENTIALS: f"check {CREDENTIALS}: reddit.com/prefs/apps shows them",
    Obstacle.RATE_LIMITED: "wait some minutes, and ask for fewer subreddits at a time",
    Obstacle.NETWORK_BLOCK: f"wait some hours, or use an app's credentials ({CREDENTIALS})",
    Obstacle.JAVASCRIPT: f"use an app's credentials ({CREDENTIALS}), the cookies of your own browser "
    "(-a cookies=FILE), or a page that it saved (-a page=FILE)",
    Obstacle.TRUNCATED: "run it again",
    Obstacle.REFUSED: "run it again later",
}
"""The legitimate ways on."""

API_ADVICE = {Obstacle.NETWORK_BLOCK: "wait some hours, and look whether the app is still allowed"}
COOKIES_ADVICE = {
    Obstacle.PRIVATE: "the account of these cookies is no member",
    Obstacle.LOGIN: "these cookies are no longer accepted: export them afresh from a browser that is logged in",
}
PAGE_ADVICE = dict.fromkeys(Obstacle, "open the listing in your own browser, logged in, and save it again")
PAGE_ADVICE[Obstacle.CHANGED] = "what is wanted is a listing of Reddit: its JSON, its page or its feed"

# Reddit's robots.txt is closed to all: this is the exception for its own pages, and the README says so. Its rates are
# counted over ten minutes. A cache would write down tokens and cookies.
REDDIT_META = {"dont_obey_robotstxt": pages.DOMAIN, "pause_max": 660, "dont_cache": True}

POST_FACTS = ("id", "title", "author", "subreddit", "score", "created", "permalink", "flair", "nsfw", "spoiler")

FAILURES = {pages.Skipped.VIDEO: Reason.VIDEO, pages.Skipped.REMOVED: Reason.REMOVED}
"""Posts without a picture that have an item all the same."""


def _checked_names(line: str) -> str:
    return "+".join(pages.subreddit_names(line))


def _one_of(words: tuple[str, ...]) -> str:
    return f"{', '.join(f'`{word}`' for word in words[:-1])} or `{words[-1]}`"


class SubredditParams(SpiderParams):
    """The arguments of ``scrapy crawl subreddit``. Each description says what the argument takes."""

    name: Annotated[list[str], BeforeValidator(pages.subreddit_names)] | None = Field(
        None, description="a subreddit such as `pics`, or several with `+` between"
    )
    names: Annotated[list[str], listed_in_file(_checked_names, "subreddit")] | None = Field(
        None, description="a .txt or .csv file in UTF-8, one subreddit a line"
    )
    via: Literal["api", "html", "rss", "page"] | None = Field(None, description="`api`, `html`, `rss` or `page`")
    page: SavedPage | None = Field(None, description="the file of a listing that was saved: JSON, HTML or Atom")
    cookies: Annotated[ExistingFile, cookie_file(pages.DOMAIN)] | None = Field(
        None, description="a cookies.txt of your own browser"
    )
    sort: Literal["hot", "new", "top", "rising", "controversial"] = Field("hot", description=_one_of(pages.SORTS))
    time: Literal["hour", "day", "week", "month", "year", "all"] | None = Field(None, description=_one_of(pages.TIMES))
    search: Keyword | None = Field(None, description="words to search the subreddit for")
    limit: int | None = Field(None, ge=1, description="a whole number from 1, pictures per subreddit")
    min_score: int | None = Field(None, description="a whole number: posts with a lower score are left out")
    nsfw: Literal["skip", "include", "only"] = Field("skip", description="`skip`, `include` or `only`")
    galleries: Literal["all", "first", "skip"] = Field("all", description="`all`, `first` (picture) or `skip`")
    previews: Literal["fallback", "never"] = Field(
        "fallback", description="`fallback` (where the original cannot be had) or `never`"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("name", "names", "page") if getattr(self, name) is not None]
        if given not in (["name"], ["names"], ["page"], ["name", "page"]):
            got = " and ".join(f"`{name}`" for name in given) or "none of them"
            raise ValueError(f"give one of the arguments `name`, `names` and `page`; got {got}")
        if self.page and len(self.subreddits) > 1:
            raise ValueError("the argument `page` is one listing: give it one `name`, its folder, or none")
        if self.via and (self.via == "page") != (self.page is not None):
            raise ValueError("the argument `page` and `via=page` belong together")
        return self

    @model_validator(mode="after")
    def _fitting_order(self) -> Self:
        asked = self.model_fields_set & {"sort", "time", "search"}
        if self.page and asked:
            raise ValueError(f"a saved page is as it is: it cannot be asked for another `{min(asked)}`")
        if self.time and not self.search and self.sort not in {"top", "controversial"}:
            raise ValueError("the argument `time` counts for `sort=top`, `sort=controversial` and `search`")
        if self.search and self.sort in {"rising", "controversial"}:
            raise ValueError(f"the argument `search` goes with `sort=hot`, `new` or `top`, not with `{self.sort}`")
        return self

    @property
    def subreddits(self) -> list[str]:
        """Each once: names are the same in small letters and in capitals. A saved page may be called as its file is."""
        if self.page and not self.name:
            return [self.page.stem]
        asked = self.name or [name for line in self.names or [] for name in line.split("+")]
        return [*{name.lower(): name for name in asked}.values()]

    def first_url(self, way: str, name: str) -> str:
        """The first page of a subreddit, or the saved page."""
        if self.page:
            return self.page.as_uri()
        html = pages.Via.OLD if self.cookies else pages.Via.SHREDDIT  # the old pages are for those who are logged in
        via = {"api": pages.Via.API, "html": html, "rss": pages.Via.RSS}[way]
        return pages.build_listing_url(
            [name], via=via, sort=self.sort, time=self.time, search=self.search, nsfw=self.nsfw != "skip"
        )

    def way(self, settings: BaseSettings) -> str:
        """``api``, ``html``, ``rss`` or ``page``: as asked for, else the best there is."""
        if self.via or self.page:
            return self.via or "page"
        if self.cookies:
            return "html"
        return "api" if settings["REDDIT_CLIENT_ID"] else "rss"


class Parse(Protocol[T_co]):
    """A page function."""

    def __call__(self, text: str, *, url: str, status: int) -> T_co: ...


@dataclass
class Subreddit:
    """One subreddit under way."""

    name: str
    paging: pages.Paging
    quota: Quota
    rank: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Posts without an item: by the argument that leaves them out, or by what they are."""
    failed: bool = False
    """Whether a page could not be read."""


class SubredditSpider(Args[SubredditParams], ItemsSpider):
    """Reads one page at a time, of one subreddit after the other: Reddit counts every request.

    Each subreddit is a listing of its own, so that ``limit`` counts for each, and one that is private hides no other.
    Pages do not pass the scheduler, which may write requests to a disk, with their tokens and cookies.
    """

    name = "subreddit"
    advice: Mapping[Obstacle, str]
    way: str
    waiting: deque[str]
    """Subreddits that were not begun."""
    quotas: dict[str, Quota]
    """By keyword."""
    choice: pages.Choice
    cookies: list[dict[str, str]]
    app: AppAccess
    keywords: Keywords
    said: dict[str, str] | None = None
    """What pages say of being used that are not Reddit's, and were read for the post under way."""
    halted = False
    """No further page is to be asked for: Reddit blocks."""

    @classmethod
    def wrong_arguments(cls, args: SubredditParams, settings: BaseSettings) -> Iterator[str]:
        way = args.way(settings)
        if way == "api" and not settings["REDDIT_CLIENT_ID"]:
            yield f"`via=api` needs {CREDENTIALS}, in the environment or the settings"
        elif way == "rss" and not args.via and settings["REDDIT_CLIENT_SECRET"]:
            yield "REDDIT_CLIENT_SECRET is set, REDDIT_CLIENT_ID is not"
        if not settings["REDDIT_USER_AGENT"].strip():
            yield "setting `REDDIT_USER_AGENT` is empty: Reddit answers nobody without a name"
        if args.search and way == "html":
            yield "argument `search` goes with `via=api` and `via=rss`"
        if args.min_score is not None and way == "rss":
            yield f"argument `min_score` does not go with `via=rss`, where posts have no scores: set {CREDENTIALS}"
        if args.cookies and way in {"api", "rss"}:
            yield f"argument `cookies` goes with `via=html`, not with `via={way}`"

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        params = spider.args
        spider.way = params.way(crawler.settings)
        more = {"api": API_ADVICE, "page": PAGE_ADVICE}.get(spider.way, COOKIES_ADVICE if params.cookies else {})
        spider.advice = {**ADVICE, **more}
        spider.waiting = deque(params.subreddits)
        spider.quotas = {}
        spider.choice = pages.Choice(nsfw=params.nsfw, galleries=params.galleries, min_score=params.min_score)
        spider.cookies = read_cookies(params.cookies, pages.DOMAIN) if params.cookies else []
        if params.nsfw != "skip":
            spider.cookies.append({"name": "over18", "value": "1", "domain": f".{pages.DOMAIN}", "path": "/"})
        spider.app = AppAccess(spider.ask, spider.issue_token)
        spider.keywords = Keywords(crawler)
        crawler.signals.connect(spider.say_what_is_skipped, scrapy_signals.spider_closed)
        return spider

    async def items(self) -> AsyncIterator[ImageItem]:
        self.say_what_to_expect()
        while self.waiting and not self.halted and not self.stopping:
            name = self.waiting.popleft()
            paging = pages.Paging(self.args.first_url(self.way, name))
            subreddit = Subreddit(name, paging, Quota(self.args.limit or math.inf))
            async for item in self.items_of_subreddit(subreddit):
                yield item
            self.say_how_it_ended(subreddit)
        await self.keywords.end()

    # Pages

    async def posts(self, subreddit: Subreddit) -> AsyncIterator[pages.Post]:
        """The posts in order, each once. The next page is asked for when it is known that more is wanted."""
        self.call(subreddit, subreddit.name)
        paging = subreddit.paging
        while paging.next_url and not self.halted and await subreddit.quota.room():
            try:
                page = await self.read(paging.next_url, pages.parse_listing)
            except PageError as error:
                if error.kind is Obstacle.NO_RESULTS and paging.is_begun:
                    paging.end()
                else:
                    self.fail(subreddit, error)
                return
            if not paging.is_begun:
                self.call(subreddit, self.spelling(subreddit.name, page.posts))
            for post in paging.turn(page):
                yield post
            if self.args.page:
                return

    def call(self, subreddit: Subreddit, name: str) -> None:
        """What follows belongs to the keyword ``name``."""
        subreddit.name = name
        self.quotas[name] = subreddit.quota
        self.keywords.go_on(name)

    def spelling(self, known: str, posts: list[pages.Post]) -> str:
        """The name as Reddit spells it; that of a saved page is its posts', when they have one in common."""
        spelled = {post.subreddit for post in posts if post.subreddit}
        if not self.args.name and not self.args.names:
            return spelled.pop() if len(spelled) == 1 else known
        return next((name for name in spelled if name.lower() == known.lower()), known)

    async def read(self, url: str, parse: Parse[T_co]) -> T_co:
        """What ``parse`` finds on a page; raises PageError. A page that ends early is asked for again."""
        retries = self.settings.getint("RETRY_TIMES")
        while True:
            response = await self.answer(url)
            try:
                with kept_with_error(response):
                    return parse(text_of(response), url=response.url, status=response.status)
            except PageError as error:
                if error.kind is not Obstacle.TRUNCATED or not retries:
                    raise
                retries -= 1

    async def answer(self, url: str) -> Response:
        """What the site answers, whatever it is; raises PageError without an answer."""
        if pages.wants_token(url) and not self.settings["REDDIT_CLIENT_ID"]:  # what a saved page leaves open
            url = pages.build_post_url(url, via=pages.Via.RSS) or url
        if not pages.is_reddit_url(url):
            response = await self.ask(Request(url))
            self.said = merged(self.said, page_opt_outs(response)) or None
            return response
        request = self.reddit_request(url, headers={"Accept": pages.accepted_types(url)}, cookies=self.cookies)
        return await (self.app.ask(request) if pages.wants_token(url) else self.ask(request))

    async def issue_token(self) -> pages.Token:
        user, password = self.settings["REDDIT_CLIENT_ID"], self.settings["REDDIT_CLIENT_SECRET"]
        headers = {"Authorization": basic_auth_header(user, password), "Content-Type": pages.TOKEN_FORM}
        form = pages.token_form(has_secret=bool(password))
        response = await self.ask(self.reddit_request(pages.TOKEN_URL, method="POST", headers=headers, body=form))
        return pages.parse_token(text_of(response), status=response.status)

    def reddit_request(self, url: str, *, headers: dict[str, Any], **options: Any) -> Request:
        headers["User-Agent"] = self.settings["REDDIT_USER_AGENT"].replace(
            "{username}", self.settings["REDDIT_USERNAME"]
        )
        return Request(url, headers=headers, meta=REDDIT_META, **options)

    # Items

    async def items_of_subreddit(self, subreddit: Subreddit) -> AsyncIterator[ImageItem]:
        async for post in self.posts(subreddit):
            if self.stopping or not await subreddit.quota.room():
                return
            async for item in self.items_of_post(post, subreddit):
                if self.stopping or not await subreddit.quota.room():
                    return
                subreddit.quota.take()
                self.keywords.open(self.args.limit)
                self.keywords.take()
                yield item

    async def items_of_post(self, post: pages.Post, subreddit: Subreddit) -> AsyncIterator[ImageItem]:
        """One item for each picture that is wanted, and one for what should be a picture and is none."""
        self.said = None
        left_out, failure = self.choice.leaves_out(post), None
        if not left_out and (not post.skipped or (post.skipped in FAILURES and self.choice.is_open(post))):
            post, failure = await self.look_up(post, subreddit)
            left_out = self.choice.leaves_out(post)
        failure = failure or (FAILURES.get(post.skipped) if post.skipped else None)
        if left_out or not (post.pictures or failure):
            subreddit.left_out[left_out or pages.Skipped.NO_PICTURE] += 1
            return
        for picture in self.choice.pictures(post):
            yield self.item(post, picture, subreddit)
        if failure:
            yield self.item(post, None, subreddit, failure)

    async def look_up(self, post: pages.Post, subreddit: Subreddit) -> tuple[pages.Post, Reason | None]:
        """The post with what the listing leaves open and is wanted; and why it is still open."""
        failure = None
        for url in self.choice.open_pages(post):
            try:
                if self.halted:
                    raise PageBlockedError(Obstacle.REFUSED, "Reddit is not asked any more")
                page = await self.read(url, pages.parse_post_page)
            except PageEmptyError:
                failure = Reason.REMOVED
            except PageError as error:
                if error.kind is Obstacle.OVER_18:
                    post = post.marked(nsfw=True)
                if ends_asking(error) and pages.is_reddit_url(url):
                    self.fail(subreddit, error)
                self.logger.warning("%s: a page is missing, %s: %s", subreddit.name, url, error)
                failure = Reason.PAGE_FAILED
            else:
                post = post.marked(page.nsfw)
                if url == post.more_url:
                    post = post.completed(page)
                    failure = None if self.choice.is_answered(page) and not post.more_url else Reason.PAGE_FAILED
        if self.choice.is_open(post):
            return self.choice.certain(post), failure or Reason.PAGE_FAILED
        return post, failure

    def item(
        self, post: pages.Post, picture: pages.Picture | None, subreddit: Subreddit, reason: Reason | None = None
    ) -> ImageItem:
        subreddit.rank += 1
        original = picture.original if picture else None
        copy = next(iter(picture.preview_urls), None) if picture else None
        facts = {name: getattr(post, name) for name in POST_FACTS}
        return ImageItem(
            source=self.name,
            keyword=subreddit.name,
            rank=subreddit.rank,
            id=picture.id if picture else None,
            title=post.title,
            page_url=post.permalink,
            site="Reddit",
            image_urls=[url for url in (original, copy if self.args.previews == "fallback" else None) if url],
            thumbnail_url=copy,
            rights=None,
            opt_outs=self.said,
            post={
                **facts,
                "position": picture.position if picture else None,
                "caption": picture.caption if picture else None,
            },
            reason=reason or (None if original else Reason.NO_URL),
            outcome=Outcome.REFUSED if reason is Reason.VIDEO else self.args.outcome,
        )

    def item_settled(self, item: Any) -> None:
        outcome = ItemAdapter(item).get("outcome")
        keyword = self.keywords.settle(keyword_of(item))
        self.quotas[keyword].settle(in_place=outcome is not None and Outcome(outcome).as_asked)

    # What is said

    def say_what_to_expect(self) -> None:
        if self.way == "rss":
            self.logger.warning(
                "Feeds are slow (Reddit answers a few requests a minute) and shallow (they have no scores): "
                "with an app's credentials (%s) its API is asked",
                CREDENTIALS,
            )
        if self.way != "page" and not self.settings["REDDIT_USERNAME"].strip():
            self.logger.warning("Reddit wants to know who is asking: set REDDIT_USERNAME to the name of your account")

    def fail(self, subreddit: Subreddit, error: PageError) -> None:
        if self.stopping:
            return
        subreddit.failed = True
        self.halted = self.halted or ends_asking(error)
        self.keywords.open(self.args.limit)
        self.page_failed(error, subreddit.name, None if self.args.page else error.body)

    def say_how_it_ended(self, subreddit: Subreddit) -> None:
        """What nobody would learn from the items."""
        number = len(subreddit.paging)
        why = ", ".join(f"{name} {count}" for name, count in subreddit.left_out.most_common()) or "nothing"
        self.logger.info("%s: %d posts, left out: %s", subreddit.name, number, why)
        for name, count in subreddit.left_out.items():
            self.crawler.stats.inc_value(f"posts/left_out/{name}", count)
        if subreddit.failed or self.stopping:
            return
        if not subreddit.rank:
            adult = self.args.nsfw == "skip" and set(subreddit.left_out) == {"nsfw"}
            kind = Obstacle.OVER_18 if adult else Obstacle.NO_RESULTS
            said = f"none of {number} posts is wanted: {why}" if number else "Reddit shows no posts here"
            self.fail(subreddit, PageEmptyError(said, kind=kind))
        if subreddit.paging.is_cut:
            said = (
                "%s: %d posts were read, and Reddit lists about %d at most: another sort, time or search shows others"
            )
            self.logger.warning(said, subreddit.name, number, pages.HORIZON)

    def say_what_is_skipped(self) -> None:
        if self.waiting:
            self.crawler.signals.send_catch_log(signals.keywords_skipped, keywords=list(self.waiting))
