"""Past papers: every file of a board, a level, a subject or a session of pastpapers.papacambridge.com."""

from __future__ import annotations

import asyncio
import math
import re
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Self

from itemadapter import ItemAdapter
from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from scrapy import Request
from scrapy import signals as scrapy_signals
from scrapy_spider_metadata import Args  # type: ignore[attr-defined]

from imagecrawl import signals
from imagecrawl.exceptions import Obstacle, PageChangedError, PageEmptyError, PageError
from imagecrawl.items import FileItem, keyword_of
from imagecrawl.keywords import Keywords
from imagecrawl.outcomes import Outcome
from imagecrawl.pages import papacambridge as pages
from imagecrawl.params import SpiderParams, Years, did_you_mean, listed_in_file, words
from imagecrawl.quota import Quota
from imagecrawl.spider import ERROR_STATUSES, MediaSpider, ends_asking, page_error, page_opt_outs, text_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.python.failure import Failure


def _addresses(text: str) -> list[str]:
    """The addresses in a text, with spaces between: those in an address, which a person may paste, belong to it."""
    parts = re.split(rf"\s+(?=https?://|{re.escape(pages.HOST)})", text.strip(), flags=re.IGNORECASE)
    return list(dict.fromkeys(map(pages.canonical_url, parts)))


def _checked_board(board: str) -> str:
    pages.entry_url(board)
    return board


ADVICE = {
    Obstacle.CHANGED: "look at the address in a browser; if it lists papers there, please report the saved page",
    Obstacle.NO_RESULTS: "check the address, the names and the filters",
}
"""The legitimate ways on."""


class PapacambridgeParams(SpiderParams):
    """The arguments of ``scrapy crawl papacambridge``. Each description says what the argument takes."""

    url: Annotated[list[str], BeforeValidator(_addresses)] | None = Field(
        None, description=f"pages of {pages.HOST}, with spaces between"
    )
    urls: Annotated[list[str], listed_in_file(pages.canonical_url, "address")] | None = Field(
        None, description=f"a .txt or .csv file in UTF-8 with pages of {pages.HOST}, one a line"
    )
    board: Annotated[str, AfterValidator(_checked_board)] | None = Field(None, description="a board such as `caie`")
    level: Annotated[list[str], words()] | None = Field(
        None, description="names of levels such as `igcse`, with commas between"
    )
    subject: Annotated[list[str], words()] | None = Field(
        None, description="codes or names of subjects such as `9609`, with commas between"
    )
    years: Years | None = Field(None, description="years such as `2018-2020` or `2016,2019`")
    sessions: Annotated[list[str], words("[mswy]")] | None = Field(
        None, description="`m` (March), `s` (May/June), `w` (Oct/Nov), `y` (specimens), with commas between"
    )
    types: Annotated[list[str], words("[a-z][a-z0-9]{1,3}")] | None = Field(
        None, description="types such as `qp,ms`, with commas between"
    )
    papers: Annotated[list[int], words("0?[0-9]")] | None = Field(
        None, description="numbers of papers such as `1,2`, with commas between"
    )
    ext: Annotated[list[str], words("[.]?[a-z0-9]+")] | None = Field(
        None, description="extensions such as `pdf,mp3`, with commas between"
    )
    limit: int | None = Field(None, ge=1, description="a whole number from 1, files in all")
    listing: bool = Field(False, alias="list", description="`1`: list the files and fetch none")

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        given = [name for name in ("url", "urls", "board") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give one of the arguments {' and '.join(f'`{name}`' for name in given)}")
        if not given and not (self.level or self.subject):
            raise ValueError("give at least one of the arguments `url`, `urls`, `board`, `level` and `subject`")
        for start in self.starts:
            for name in ("level", "subject"):
                if getattr(self, name) and getattr(start.place, name):
                    raise ValueError(f"the argument `{name}` chooses among many, and {start.url} is inside of one")
        return self

    @property
    def outcome(self) -> Outcome | None:
        return Outcome.LISTED if self.listing else super().outcome

    @property
    def starts(self) -> list[pages.Folder]:
        urls = self.url or self.urls or [pages.entry_url(self.board or "caie")]
        return [pages.Folder(label=url, url=url, place=pages.parse_place(url)) for url in urls]

    def folder_unwanted(self, folder: pages.Folder) -> str | None:
        """The filter that leaves out a folder; one that is of no session may hold anything."""
        session = folder.place.session
        if session and self.years and session.year not in self.years:
            return "years"
        if session and self.sessions and session.letter and session.letter not in self.sessions:
            return "sessions"
        return None

    def paper_unwanted(self, paper: pages.Paper) -> tuple[str, Any] | None:
        """The filter that leaves out a file, and what the file has there; ``None`` = its name does not say."""
        session = paper.session
        asked = {
            "years": (self.years, session and session.year),
            "sessions": (self.sessions, session and session.letter),
            "types": (self.types, paper.type),
            "papers": (self.papers, paper.paper),
            "ext": (self.ext and [ext.removeprefix(".") for ext in self.ext], paper.extension),
        }
        left_out = ((name, value) for name, (wanted, value) in asked.items() if wanted and value not in wanted)
        return next(left_out, None)


class Choice:
    """The levels or the subjects to go into: those that are asked for, or all."""

    def __init__(self, what: str, wanted: list[str] | None) -> None:
        self.what = what
        self.found: dict[str, set[str | None]] = {word: set() for word in wanted or []}
        """The names that each word means."""
        self.offered: dict[str, str] = {}
        """What a person might call each, by what the site does."""

    def among(self, folders: list[pages.Folder]) -> list[pages.Folder]:
        if not self.found:
            return folders
        self.offered |= {folder.label: re.sub(r"[\W\d]+", " ", folder.label.lower()).strip() for folder in folders}
        chosen: set[str] = set()
        for word, names in self.found.items():
            meant = pages.choose(folders, word)
            names |= {getattr(folder.place, self.what) for folder in meant}
            chosen |= {folder.url for folder in meant}
        return [folder for folder in folders if folder.url in chosen]

    def missing(self, yielded: set[str | None], leftovers: str) -> Iterator[tuple[str, str]]:
        """Each word that means nothing, or only what has ``yielded`` nothing, and what to say of it."""
        for word, names in self.found.items():
            if not names:
                yield word, f"there is no {self.what} `{word:.80}`. {self._hint(word)}"
            elif self.what == "subject" and not names & yielded:
                yield word, f"nothing of {self.what} `{word:.80}` is wanted{leftovers}"

    def _hint(self, word: str) -> str:
        if hint := did_you_mean(word, self.offered.values()):
            return hint
        names = list(self.offered)
        return f"There are: {', '.join(names[:10])}{f' and {len(names) - 10} more' if len(names) > 10 else ''}"


class PapacambridgeSpider(Args[PapacambridgeParams], MediaSpider):
    """Walks the folders in the order of the site, one page at a time, down from where it starts.

    That order decides which of two folders gets a file that both list, so it must be the same in every run. The time
    goes into the files, not the pages.
    """

    name = "papacambridge"
    advice = ADVICE
    levels: Choice
    subjects: Choice
    waiting: deque[pages.Folder]
    """Pages to be read, the next one first: it stays until it was."""
    met: set[str]
    """The addresses of the pages and files that the walk has come upon."""
    quota: Quota
    keywords: Keywords
    yielded: set[str | None]
    """The subjects with files that were wanted."""
    left_out: dict[str, dict[Any, None]]
    """What there is that the filters leave out: by filter, and by value."""
    failed = False
    """Whether a page could not be read."""
    halted = False
    """No further page is to be asked for: the site blocks."""
    page_done: asyncio.Event

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.waiting = deque(spider.args.starts)
        spider.met = set()
        spider.levels = Choice("level", spider.args.level)
        spider.subjects = Choice("subject", spider.args.subject)
        spider.quota = Quota(spider.args.limit or math.inf)
        spider.keywords = Keywords(crawler)
        spider.yielded = set()
        spider.left_out = defaultdict(dict)
        spider.page_done = asyncio.Event()
        crawler.signals.connect(spider.say_what_is_skipped, scrapy_signals.spider_closed)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        with self.interruptible():
            while self.waiting and not self.halted and await self.quota.room():
                if request := self.page_request(self.waiting[0]):
                    self.page_done.clear()
                    yield request
                    await self.page_done.wait()
            if not self.waiting:
                self.say_what_is_missing()
            await self.keywords.end()

    def page_request(self, page: pages.Folder) -> Request | None:
        """The request for a page; ``None`` for one that is not to be asked for, which is done with then."""
        self.keywords.go_on(keyword_of({name: getattr(page.place, name) for name in ("subject", "level", "board")}))
        # Scrapy would drop it without a word.
        too_long = 0 < self.settings.getint("URLLENGTH_LIMIT") < len(page.url)
        if too_long:
            self.fail(
                PageChangedError(f"an address of {len(page.url)} characters is longer than URLLENGTH_LIMIT allows")
            )
        if page.url in self.met or too_long:
            self.waiting.popleft()
            return None
        self.met.add(page.url)
        return Request(
            page.url,
            self.parse,
            errback=self.unreachable,
            meta={"handle_httpstatus_list": ERROR_STATUSES},
            dont_filter=True,
        )

    async def parse(self, response: Response) -> AsyncIterator[FileItem]:
        page = self.waiting[0]
        try:
            listing = pages.parse_listing(
                text_of(response), url=response.url, asked=page.url, place=page.place, status=response.status
            )
            for paper in listing.papers:
                if not self.is_wanted(paper, page.place):
                    continue
                if self.stopping or not await self.quota.room():
                    return
                yield self.item(paper, page, page_opt_outs(response))
            self.waiting.popleft()
            self.waiting.extendleft(reversed(self.chosen(page.place, listing.folders)))
        except PageError as error:
            self.waiting.popleft()
            self.fail(error, response.body)
        finally:
            self.page_done.set()

    def unreachable(self, failure: Failure) -> None:
        if not self.stopping:
            self.waiting.popleft()
            self.fail(page_error(failure.value, pages.HOST))
        self.page_done.set()

    def chosen(self, place: pages.Place, folders: list[pages.Folder]) -> list[pages.Folder]:
        """The folders of a page that may lead to what is wanted."""
        if place.subject:
            wanted = []
            for folder in folders:
                if unwanted := self.args.folder_unwanted(folder):
                    self.left_out[unwanted][folder.label] = None
                else:
                    wanted.append(folder)
            return wanted
        if place.level is None:
            folders = self.levels.among(folders)
        subjects = [folder for folder in folders if folder.place.subject]
        others = [folder for folder in folders if not folder.place.subject]
        return others + self.subjects.among(subjects)

    def is_wanted(self, paper: pages.Paper, place: pages.Place) -> bool:
        """Whether a file is to be yielded: it is what was asked for, and new."""
        above = (self.levels.found and not place.level) or (self.subjects.found and not place.subject)
        if above or paper.urls[0] in self.met:
            return False
        if unwanted := self.args.paper_unwanted(paper):
            name, value = unwanted
            self.left_out[name][value] = None
            return False
        self.met.add(paper.urls[0])
        return True

    def item(self, paper: pages.Paper, page: pages.Folder, opt_outs: dict[str, str] | None) -> FileItem:
        self.quota.take()
        self.keywords.take()
        place = page.place
        self.yielded.add(place.subject)
        return FileItem(
            source=self.name,
            board=place.board,
            level=place.level,
            subject=place.subject,
            code=paper.code,
            session=paper.session.name if paper.session else None,
            year=paper.session.year if paper.session else None,
            type=paper.type,
            paper=paper.paper,
            variant=paper.variant,
            label=paper.label,
            folder=list(place.path),
            name=paper.name,
            page_url=page.url,
            opt_outs=opt_outs,
            file_urls=list(paper.urls[:1]),  # what else there is gives the same bytes
            outcome=self.args.outcome,
        )

    def say_what_is_skipped(self) -> None:
        if self.waiting and self.quota.in_place < self.quota.limit:
            left = [" ".join(page.place.path[-2:]) for page in self.waiting]
            self.crawler.signals.send_catch_log(signals.keywords_skipped, keywords=left)

    def item_settled(self, item: Any) -> None:
        outcome = ItemAdapter(item).get("outcome")
        self.quota.settle(in_place=outcome is not None and Outcome(outcome).as_asked)
        self.keywords.settle(keyword_of(item))

    def fail(self, error: PageError, body: bytes | None = None) -> None:
        self.failed = True
        self.keywords.open()
        self.page_failed(error, self.keywords.current, body)
        self.halted = self.halted or ends_asking(error)

    def say_what_is_missing(self) -> None:
        """What was asked for and is not there, as far as all pages were read."""
        if self.failed:
            return
        for choice in (self.levels, self.subjects):
            for word, said in choice.missing(self.yielded, self.leftovers()):
                self.keywords.go_on(f"{choice.what} {word:.80}")
                self.fail(PageEmptyError(said))
        if not self.yielded and not self.failed:
            self.fail(PageEmptyError(f"there is nothing that is wanted{self.leftovers()}"))

    def leftovers(self) -> str:
        """What the filters leave out, by filter."""
        listed = (f"{name} {', '.join(map(str, values))}"[:200] for name, values in self.left_out.items())
        return f": the filters leave out {'; '.join(listed)}" if self.left_out else ""
