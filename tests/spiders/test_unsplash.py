"""``scrapy crawl unsplash`` as its user runs it, against the replica, with its log as witness.

What should become of every photo is what the catalogue of the replica says,
:func:`tests.replica.unsplash_photos.wanted`. A site that knows more on a later visit is the replica with another
``Photo.known_tags``.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from scrapy import Request
from scrapy import signals as scrapy_signals
from scrapy.http import HtmlResponse, Response
from scrapy.utils.test import get_crawler

from imagecrawl import signals
from imagecrawl.exceptions import Obstacle, PageError
from imagecrawl.failures import RATE_LIMITED, RequestRefusedError
from imagecrawl.items import ImageItem
from imagecrawl.ledger import Ledger
from imagecrawl.pages.unsplash import Page
from imagecrawl.spider import FAILURES_MAX
from settings.base import IMAGE_WIDTH_CLASSES, USER_AGENT
from spiders.unsplash import UnsplashSpider
from tests import crawling
from tests.crawling import ROOT, Crawl, environment
from tests.pipelines.network import Network
from tests.replica import Replica, unsplash_pages
from tests.replica import unsplash_photos as catalogue
from tests.replica.unsplash_photos import HOST, IMAGE_HOST, LICENCE, SITE, Photo, Wanted

OUR_AGENT = USER_AGENT.replace("{contact}", environment(Path())["IMAGECRAWL_CONTACT"])
WIDTHS = (600, 1200)
LIMIT = 11
"""So many are in place when the first ones that cannot be had, and the one that only JSON knows, have come."""
MAIN = ("widths=600,1200", f"limit={LIMIT}")

T = TypeVar("T")
Key = tuple[str, int | None, str, str | None]
"""Id, width, outcome and reason."""

[SILENT] = [photo for photo in catalogue.photos() if photo.trap == "silent"]
[HIDDEN] = [photo for photo in catalogue.photos() if photo.trap == "hidden"]


# What the catalogue says, in the words of a crawl


def wanted(limit: int, widths: Iterable[int] = WIDTHS, start: str | Photo | Iterable[Photo] = "/") -> list[Wanted]:
    """What is asked for until so many photos are in place, in the order of the walk."""
    found: list[Wanted] = []
    in_place: set[Photo] = set()
    for entry in catalogue.wanted(widths, start):
        if len(in_place) == limit and entry.photo not in in_place:
            break
        found.append(entry)
        if entry.outcome == "stored":
            in_place.add(entry.photo)
    return found


def photos_of(entries: list[Wanted]) -> list[Photo]:
    return list(dict.fromkeys(entry.photo for entry in entries))


def pages_of(entries: list[Wanted]) -> list[str]:
    return [photo.page_url for photo in photos_of(entries)]


def key_of(line: dict[str, Any]) -> Key:
    return line["id"], line["width"], line["outcome"], line["reason"]


def alike(found: list[Key]) -> list[Key]:
    """The same, as if of two widths that give one picture the narrower had come first: they are asked for at once."""
    outcomes: dict[str, list[str]] = {}
    for photo, _, outcome, _ in found:
        outcomes[photo] = sorted([*outcomes.get(photo, ()), outcome])
    return [(photo, width, outcomes[photo].pop(), reason) for photo, width, _, reason in found]


def keys(entries: list[Wanted], held: Iterable[Wanted] = ()) -> list[Key]:
    """The lines there should be, by rank; of what is ``held`` a stored picture is in place."""
    known = {(entry.photo, entry.width) for entry in held}
    return [
        (
            entry.photo.id,
            entry.width,
            "uptodate" if entry.outcome == "stored" and (entry.photo, entry.width) in known else entry.outcome,
            entry.reason,
        )
        for entry in entries
    ]


def folder_of(entry: Wanted) -> str:
    """The width, if the picture is as wide, else its class."""
    if entry.width and entry.size[0] >= entry.width:
        return str(entry.width)
    return str(max(bound for bound in IMAGE_WIDTH_CLASSES if bound <= entry.size[0]))


# Crawls


class Run(crawling.Run):
    @property
    def keys(self) -> list[Key]:
        return alike([key_of(line) for line in self.lines])

    @property
    def pages(self) -> list[str]:
        """The pages that were asked for, in order."""
        return [request.url for request in self.log if request.host == HOST and request.route != "/robots.txt"]

    @property
    def pictures(self) -> list[str]:
        """What was asked of the site's other hosts, in order."""
        others = [request for request in self.log if request.host.endswith(f".{HOST}")]
        return [request.url for request in others if request.route != "/robots.txt"]


@dataclass
class Lab:
    """Crawls into one folder of data."""

    replica: Replica
    data: Path

    def crawl(self, *words: str, code: int = 0) -> Run:
        run = crawling.run(Run, self.replica, self.data, *words, spider="unsplash", code=code)
        run.lines.sort(key=lambda line: (line["rank"], line["width"] or 0))
        return run

    def copy(self, path: Path) -> Lab:
        return Lab(self.replica, shutil.copytree(self.data, path))

    @property
    def lines(self) -> list[dict[str, Any]]:
        return Crawl(0, "", "", self.data).items

    @property
    def held(self) -> dict[str, int]:
        """Every file of the store and when it was written."""
        files = Crawl(0, "", "", self.data).pictures
        return {str(path.relative_to(self.data / "images")): path.stat().st_mtime_ns for path in files}


@pytest.fixture
def lab(replica: Replica, tmp_path: Path) -> Lab:
    return Lab(replica, tmp_path / "data")


@pytest.fixture(scope="module")
def main(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Run]:
    """The main job: two widths of each photo, until so many are in place."""
    lab = Lab(replica, tmp_path_factory.mktemp("main") / "data")
    return lab, lab.crawl(*MAIN)


@pytest.fixture(scope="module")
def later(main: tuple[Lab, Run], tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Run]:
    """The same command again, when every page tells its tags."""
    lab = main[0].copy(tmp_path_factory.mktemp("later") / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Photo, "known_tags", property(lambda photo: photo.tags))
        return lab, lab.crawl(*MAIN)


@pytest.fixture(scope="module")
def more(later: tuple[Lab, Run], tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Run]:
    """A larger limit after that."""
    lab = later[0].copy(tmp_path_factory.mktemp("more") / "data")
    return lab, lab.crawl(MAIN[0], f"limit={LIMIT + 2}")


class TestMain:
    def test_every_photo_has_a_line_for_each_width_in_the_order_of_the_walk(self, main: tuple[Lab, Run]) -> None:
        _, run = main
        expected = wanted(LIMIT)
        assert {photo.trap for photo in photos_of(expected)} == {"", *catalogue.TRAPS} - {"paid"}
        assert run.keys == keys(expected)
        ranks = {photo.id: rank for rank, photo in enumerate(photos_of(expected), start=1)}
        assert [(line["id"], line["rank"]) for line in run.lines] == [
            (entry.photo.id, ranks[entry.photo.id]) for entry in expected
        ]

    def test_every_line_has_what_the_site_says_of_its_photo(self, main: tuple[Lab, Run]) -> None:
        _, run = main
        for entry, line in zip(wanted(LIMIT), run.lines, strict=True):
            photo, is_gone = entry.photo, entry.photo.trap == "gone"
            assert (line["source"], line["keyword"], line["site"]) == ("unsplash", "unsplash", "Unsplash")
            assert (line["alt"], line["title"]) == (photo.description, photo.title)
            assert line["page_url"] == photo.page_url
            licence = {} if is_gone else {"licence_url": LICENCE}
            assert line["rights"] == {"credit": photo.photographer, **licence}
            tags = None if is_gone or photo.known_tags is None else list(photo.known_tags)
            assert line["details"] == {"tags": tags, "photographer_url": photo.photographer_url}
        told = {line["id"]: line["details"]["tags"] for line in run.lines}
        assert told[SILENT.id] is None and [] in told.values()

    def test_each_picture_is_in_the_folder_of_its_width_as_the_host_made_it(self, main: tuple[Lab, Run]) -> None:
        lab, run = main
        for entry, line in zip(wanted(LIMIT), run.lines, strict=True):
            for image in line["images"]:
                body = (lab.data / "images" / image["path"]).read_bytes()
                assert hashlib.sha256(body).hexdigest() == image["sha256"]
                assert (image["width"], image["height"]) == entry.size
                first = next(known for known in wanted(LIMIT) if (known.photo, known.size) == (entry.photo, entry.size))
                assert Path(image["path"]).parent == Path("unsplash", folder_of(first))
            assert len(line["images"]) == (entry.outcome != "failed")
        assert {Path(path).parts[1] for path in lab.held} == {"320", "600", "640", "1200"}

    def test_the_store_holds_nothing_else(self, main: tuple[Lab, Run]) -> None:
        lab, run = main
        assert set(lab.held) == {image["path"] for line in run.lines for image in line["images"]}
        assert len(lab.held) == Counter(line["outcome"] for line in run.lines)["stored"]

    def test_each_page_is_visited_once_for_all_widths_and_none_beyond_the_limit(self, main: tuple[Lab, Run]) -> None:
        assert main[1].pages == [f"{SITE}/", *pages_of(wanted(LIMIT))]

    def test_each_picture_is_asked_for_once_at_each_width(self, main: tuple[Lab, Run]) -> None:
        _, run = main
        asked = Counter((request.route, request.params["w"]) for request in run.log if request.host == IMAGE_HOST
                        and request.route != "/robots.txt")  # fmt: skip
        assert asked == Counter((f"/photo-{entry.photo.id}", str(entry.width)) for entry in wanted(LIMIT))
        assert {request.params["fit"] for request in run.log if "w" in request.params} == {"max"}

    def test_nothing_that_is_paid_for_is_asked_for_and_no_portrait(self, main: tuple[Lab, Run]) -> None:
        _, run = main
        [paid] = catalogue.paid()
        assert any(paid in catalogue.shown(entry.photo) for entry in wanted(LIMIT))
        assert {request.host for request in run.log} == {HOST, IMAGE_HOST}
        assert not [request.url for request in run.log if paid.code in request.url or "/profile-" in request.url]

    def test_both_hosts_are_asked_for_their_robots_txt_and_told_who_asks(self, main: tuple[Lab, Run]) -> None:
        _, run = main
        asked = Counter(request.host for request in run.log if request.route == "/robots.txt")
        assert asked == {HOST: 1, IMAGE_HOST: 1}
        assert {request.headers["user-agent"] for request in run.log} == {OUR_AGENT}

    def test_it_ends_well_and_says_so(self, main: tuple[Lab, Run]) -> None:
        lab, run = main
        counts = Counter(line["outcome"] for line in run.lines)
        said = f"Done: {counts['stored']} pictures stored, 0 up to date, in {lab.data}/images, "
        assert run.done.verdict == f"{said}{counts['failed']} failed"
        assert run.done.stdout == "" and not run.done.blocked


class TestLater:
    def test_no_page_is_asked_for_but_the_one_that_did_not_tell_its_tags(self, later: tuple[Lab, Run]) -> None:
        _, run = later
        assert run.pages == [SILENT.page_url]

    def test_no_picture_is_asked_for_or_written_again(self, main: tuple[Lab, Run], later: tuple[Lab, Run]) -> None:
        lab, run = later
        assert run.pictures == []
        assert lab.held == main[0].held

    def test_what_the_page_tells_now_completes_the_record_of_the_stored_picture(
        self, main: tuple[Lab, Run], later: tuple[Lab, Run]
    ) -> None:
        _, run = later
        assert run.keys == keys(wanted(LIMIT), wanted(LIMIT))
        for before, line in zip(main[1].lines, run.lines, strict=True):
            told = before["details"]
            if line["id"] == SILENT.id:
                told = told | {"tags": list(SILENT.tags)}
                assert (line["outcome"], line["images"][0]["path"]) == ("uptodate", before["images"][0]["path"])
            same = {name: value for name, value in before.items() if name not in {"images", "outcome", "crawled_at"}}
            assert {name: line[name] for name in same} == same | {"details": told}


class TestMore:
    def test_a_larger_limit_goes_on_behind_what_is_there(self, more: tuple[Lab, Run]) -> None:
        lab, run = more
        expected = wanted(LIMIT + 2)
        assert run.pages == pages_of(expected)[len(photos_of(wanted(LIMIT))) :] and len(run.pages) == 2
        assert run.keys == keys(expected, wanted(LIMIT))
        assert len(run.pictures) == len(expected) - len(wanted(LIMIT))
        assert set(lab.held) == {image["path"] for line in run.lines for image in line["images"]}

    def test_tags_that_were_told_later_are_kept(self, more: tuple[Lab, Run]) -> None:
        told = {line["id"]: line["details"]["tags"] for line in more[1].lines}
        assert told[SILENT.id] == list(SILENT.tags)


# Other ways to begin, and other ends


def test_a_search_that_is_only_listed(lab: Lab) -> None:
    run = lab.crawl("q=lake", "limit=4", "download=0")
    found = catalogue.reachable("lake")[:4]
    assert run.pages == [f"{SITE}/s/photos/lake", *(photo.page_url for photo in found)]
    assert run.keys == [(photo.id, None, "listed", None) for photo in found]
    assert {line["keyword"] for line in run.lines} == {"lake"}
    assert sorted(run.done.stdout.splitlines()) == sorted(f"lake\t{photo.image_url}" for photo in found)
    assert not [request for request in run.log if request.host != HOST]
    assert run.done.verdict == "Done: 4 pictures listed"


def obstacle(run: Run, name: str, word: str, said: str) -> None:
    """One line names the obstacle, the kept page and a way on; the table has its word, and no photo came."""
    [kept] = run.done.blocked
    assert kept.name.endswith(f"Z-{name}-{word}.html") and kept.stat().st_size
    [line] = [line for line in run.done.stderr.splitlines() if f"ERROR: {name}: " in line]
    assert f"page kept as {kept};" in line and said in line
    [row] = [line for line in run.done.stderr.splitlines() if line.startswith(f" {name} ")]
    assert row.rstrip().endswith(f"page: {word}")
    assert not run.lines and not run.pictures


def test_a_page_that_its_scripts_would_fill_is_named_with_the_way_on(lab: Lab) -> None:
    obstacle(lab.crawl("q=shell", code=3), "shell", "javascript", "let a browser show the pages: -a render=1")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("q", "code", "word", "said"),
    [
        ("blocked", 3, "network-block", "wait some hours, and ask for less at a time"),
        ("busy", 3, "rate-limited", "wait some minutes, then run it again: it goes on where it was"),
        ("broken", 3, "refused", "run it again later: it goes on where it was"),
        ("changed", 4, "changed", "please report it with the project"),
        ("xyzzy", 6, "no-results", "try other words, or look at the page in a browser"),
    ],
)
def test_each_obstacle_has_its_word_and_its_exit_code_each_time(
    lab: Lab, q: str, code: int, word: str, said: str
) -> None:
    obstacle(lab.crawl(f"q={q}", code=code), q, word, said)
    shutil.rmtree(lab.data / "blocked")
    obstacle(lab.crawl(f"q={q}", code=code), q, word, said)


@pytest.mark.slow
def test_all_photos_that_can_be_reached_as_they_were_uploaded(lab: Lab) -> None:
    run = lab.crawl("limit=1000")
    expected = catalogue.wanted()
    assert run.keys == keys(expected)
    assert run.pages == [f"{SITE}/", *pages_of(expected)]
    bodies = {entry.photo.id: entry.photo.original for entry in expected if entry.outcome == "stored"}
    stored = [line for line in run.lines if line["outcome"] == "stored"]
    assert {line["id"]: (lab.data / "images" / line["images"][0]["path"]).read_bytes() for line in stored} == bodies
    assert set(run.pictures) == {entry.photo.image_url for entry in expected}
    assert f"only {len(bodies)} of 1000: there are no more" in run.done.stderr


@pytest.mark.slow
def test_from_the_page_of_a_photo_first_a_list_and_then_the_pictures(lab: Lab) -> None:
    first = catalogue.photos()[9]
    words = (f"url=https://www.{HOST}/de/fotos/other-words-{first.code}?utm_source=x", "widths=600", "limit=3")
    run = lab.crawl(*words, "download=0")
    expected = wanted(3, [600], first)
    assert run.pages == [f"{SITE}/photos/{first.code}", *pages_of(expected)]
    assert run.done.stdout.splitlines() == [f"unsplash\t{line['image_urls'][0]}" for line in run.lines]
    listed = [line["image_urls"] for line in run.lines]
    run = lab.crawl(*words)
    assert run.keys == keys(expected)
    assert run.pages == []
    assert [line["image_urls"] for line in run.lines] == listed


@pytest.mark.slow
def test_photos_that_searches_share_are_read_once(lab: Lab) -> None:
    lab.crawl("q=lake", "limit=3", "widths=600")
    run = lab.crawl("q=water", "limit=3", "widths=600")
    water = photos_of(wanted(3, [600], "water"))
    shared = {photo.page_url for photo in photos_of(wanted(3, [600], "lake"))} & {photo.page_url for photo in water}
    assert shared
    assert run.pages == [f"{SITE}/s/photos/water", *(photo.page_url for photo in water if photo.page_url not in shared)]
    assert {line["keyword"] for line in run.lines} == {"water"}


@pytest.mark.slow
def test_pages_grow_old(main: tuple[Lab, Run], tmp_path: Path) -> None:
    lab = main[0].copy(tmp_path / "old")
    with closing(sqlite3.connect(lab.data / "ledger.sqlite3", isolation_level=None)) as ledger:
        [old] = ledger.execute("SELECT url FROM visits WHERE url = ?", (f"{SITE}/",)).fetchone()
        ledger.execute("UPDATE visits SET visited = '2020-01-01T00:00:00+00:00' WHERE url = ?", (old,))
    run = lab.crawl(*MAIN, "-s", "REFRESH_DAYS=30")
    assert run.pages == [f"{SITE}/", SILENT.page_url]
    assert run.pictures == []
    assert run.keys == keys(wanted(LIMIT), wanted(LIMIT))


# Without an engine


SEARCH = f"{SITE}/s/photos/xyzzy"
START = f"{SITE}/"


@dataclass
class Walk:
    """A spider on the ledger of a test, what it is answered, and which of the pages that failed it told of."""

    spider: UnsplashSpider
    network: Network
    failed: list[Obstacle]

    @property
    def asked(self) -> list[str]:
        return [request.url for request in self.network.requests]

    def found(self, settled: Callable[[ImageItem], Any] = lambda found: replace(found, outcome="stored")) -> list[Key]:
        """All items, each settled at once; the walk must come to its end."""

        return [(item.id or "", item.width, "", None) for item in run(self.items(settled))]

    async def items(
        self, settled: Callable[[ImageItem], Any] = lambda found: replace(found, outcome="stored")
    ) -> list[ImageItem]:
        found = []
        async for item in self.spider.items():
            found.append(item)
            self.spider.item_settled(settled(item))
        return found

    def hear(self, error: PageError) -> None:
        self.failed.append(error.kind)

    def read(self, url: str) -> Page:
        return run(self.spider.read(url)).page

    def end(self) -> None:
        run(self.spider.crawler.signals.send_catch_log_async(scrapy_signals.engine_stopped))


def run(scenario: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(scenario, 20))


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Walk]]:
    """``begin(answers, REFRESH_DAYS=30, q="lake")``: a spider in place of the one before, on the same ledger."""
    begun: list[Walk] = []

    def walk(answers: Mapping[str, Response | Exception], **words: Any) -> Walk:
        for one in begun:
            one.end()
        begun.clear()
        settings = {name: words.pop(name) for name in [*words] if name.isupper()}
        crawler = get_crawler(
            UnsplashSpider, {"LEDGER": str(tmp_path / "ledger.sqlite3"), "MEMUSAGE_ENABLED": False, **settings}
        )
        crawler.engine = cast("Any", Network(answers))
        crawler.spider = spider = UnsplashSpider.from_crawler(crawler, **words)
        begun.append(Walk(spider, cast("Any", crawler.engine), []))
        crawler.signals.connect(begun[0].hear, signals.page_failed)
        return begun[0]

    yield walk
    for one in begun:
        one.end()


def page(url: str, body: str, status: int = 200) -> HtmlResponse:
    return HtmlResponse(url, status, body=body.encode())


def photo_page(photo: Photo, url: str | None = None) -> HtmlResponse:
    return page(url or photo.page_url, unsplash_pages.photo(photo))


def a_site() -> dict[str, Response | Exception]:
    """The start page, and the pages of all photos."""
    known = {photo.page_url: photo_page(photo) for photo in catalogue.photos()}
    return {**known, START: page(START, unsplash_pages.start())}


TOLD = next(photo for photo in catalogue.photos() if not photo.trap and photo.tags)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"rendered": False},
        {"page": None},
        {"page": []},
        {"page": "none"},
        {"page": {}},
        {"page": {"photos": [], "links": []}},
        {"page": {"photos": [], "photo": None, "links": 5}},
        {"page": {"photos": ["x"], "photo": None, "links": []}},
        {"page": {"photos": [], "photo": 5, "links": []}},
        {"page": {"photos": [], "photo": {"id": TOLD.id}, "links": []}},
        {"page": {"photos": [], "photo": {"id": TOLD.id, "image_url": TOLD.image_url, "colour": "red"}, "links": []}},
        {"page": {"photos": [], "photo": {"id": TOLD.id, "image_url": TOLD.image_url, "tags": 5}, "links": []}},
    ],
)
def test_a_page_of_which_something_else_is_remembered_is_asked_for_again(
    begin: Callable[..., Walk], facts: dict[str, Any]
) -> None:
    walk = begin({TOLD.page_url: photo_page(TOLD)})
    run(walk.spider.visits.keep(f"{SITE}/photos/{TOLD.code}", facts))
    for _ in range(2):
        found = walk.read(TOLD.page_url).photo
        assert found and (found.id, found.tags) == (TOLD.id, TOLD.tags)
    assert walk.asked == [TOLD.page_url] and not walk.failed


@pytest.mark.parametrize(
    "facts",
    [
        {"photos": [], "photo": None, "links": [5]},
        {"photos": [], "photo": {"id": TOLD.id, "image_url": None, "tags": []}, "links": []},
        {"photos": [], "photo": {"id": TOLD.id, "image_url": TOLD.image_url, "tags": "abc"}, "links": []},
    ],
)
def test_a_page_of_which_nonsense_is_remembered_is_asked_for_again(
    begin: Callable[..., Walk], facts: dict[str, Any]
) -> None:
    walk = begin({TOLD.page_url: photo_page(TOLD)})
    run(walk.spider.visits.keep(f"{SITE}/photos/{TOLD.code}", {"page": facts}))
    walk.read(TOLD.page_url)
    assert walk.asked == [TOLD.page_url]


def test_what_a_page_no_longer_says_stays_known(
    begin: Callable[..., Walk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert begin({TOLD.page_url: photo_page(TOLD)}).read(TOLD.page_url).photo
    walk = begin({}, REFRESH_DAYS=30)
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3", isolation_level=None)) as ledger:
        assert ledger.execute("UPDATE visits SET visited = '2020-01-01T00:00:00+00:00'").rowcount == 1
    monkeypatch.setattr(Photo, "known_tags", None)
    walk.network.answers = {TOLD.page_url: photo_page(TOLD)}
    for _ in range(2):
        found = walk.read(TOLD.page_url).photo
        assert found and found.tags == TOLD.tags
    assert walk.asked == [TOLD.page_url]


SAID = {"noimageai": "meta robots: noimageai"}
TOLD_OF_IT = {"noimageai": "page: meta robots: noimageai"}


def saying(answer: HtmlResponse, said: dict[str, str]) -> HtmlResponse:
    """An answer with what OptOutsMiddleware has found."""
    return answer.replace(request=Request(answer.url, meta={"opt_outs": said}))


def test_what_the_page_of_a_photo_says_of_being_used_is_remembered(begin: Callable[..., Walk]) -> None:
    url = f"{SITE}/photos/{TOLD.code}"
    for answers in ({url: saying(photo_page(TOLD, url), SAID)}, {}):
        [found] = run(begin(answers, url=url, limit="1").items())
        assert (found.id, found.opt_outs) == (TOLD.id, TOLD_OF_IT)


def test_a_page_that_was_remembered_before_it_was_asked_what_it_says(begin: Callable[..., Walk]) -> None:
    walk = begin({TOLD.page_url: saying(photo_page(TOLD), SAID)})
    page = asdict(run(walk.spider.ask_page(TOLD.page_url)).page)
    run(walk.spider.visits.keep(f"{SITE}/photos/{TOLD.code}", {"rendered": False, "page": page}))
    assert run(walk.spider.read(TOLD.page_url)).opt_outs is None


def test_a_photo_whose_own_page_is_gone_has_the_words_of_the_page_that_shows_it(begin: Callable[..., Walk]) -> None:
    url = f"{SITE}/photos/{TOLD.code}"
    gone = {photo.page_url: page(photo.page_url, "", 404) for photo in catalogue.photos()}
    found = run(begin({**gone, url: saying(photo_page(TOLD, url), SAID)}, url=url, limit="3").items())
    assert [each.opt_outs for each in found] == [TOLD_OF_IT] * 3
    assert len({each.id for each in found}) == 3


def test_the_page_of_a_photo_is_remembered_whatever_its_words(begin: Callable[..., Walk]) -> None:
    for place in range(3):
        photo = catalogue.photos()[-1 - place]
        urls = [photo.page_url, f"{SITE}/photos/{photo.code}", f"https://www.{HOST}/de/fotos/see-{photo.code}?x=1"]
        walk = begin({urls[place]: photo_page(photo, urls[place])})
        found = walk.read(urls[place]).photo
        assert found and found.tags == photo.tags
        assert [walk.read(url).photo for url in urls] == [found] * 3
        assert walk.asked == [urls[place]]


def test_a_search_that_finds_nothing_says_so_each_time(begin: Callable[..., Walk]) -> None:
    for _ in range(2):
        walk = begin({SEARCH: page(SEARCH, unsplash_pages.nothing("xyzzy"))}, q="xyzzy")
        assert walk.found() == []
        assert (walk.asked, walk.failed) == ([SEARCH], [Obstacle.NO_RESULTS])


@pytest.mark.parametrize("readable", [None, 4])
def test_after_so_many_pages_in_a_row_that_cannot_be_read_no_further_one_is_asked_for(
    begin: Callable[..., Walk], caplog: pytest.LogCaptureFixture, readable: int | None
) -> None:
    """One that can be read begins the count anew."""
    answers = {url: found if url == START else page(url, "", 503) for url, found in a_site().items()}
    links = [url for url in begin(answers).read(START).links if not url.endswith(catalogue.trap("gone").path)]
    answers[SITE + catalogue.trap("gone").path] = page(SITE, unsplash_pages.gone(), 404)  # does not count
    before = 0 if readable is None else readable + 1
    for url in links[before - 1 : before]:
        answers[url] = a_site()[url]
    walk = begin(answers)
    assert walk.found()
    asked = [url for url in walk.asked if url in links]
    assert asked == links[: before + FAILURES_MAX]
    assert walk.failed == [Obstacle.REFUSED] * (len(asked) - bool(before))
    assert re.search(r"\d pages not asked for any more", caplog.text)


@pytest.mark.parametrize(
    "answer", [page(SITE, "Too many", 429), RequestRefusedError(f"{HOST} asks to wait 900 s", RATE_LIMITED)]
)
def test_a_site_that_wants_to_be_asked_less_often_is_asked_for_no_further_page(
    begin: Callable[..., Walk], caplog: pytest.LogCaptureFixture, answer: Response | Exception
) -> None:
    known = a_site()
    url = begin(known).read(START).links[2]
    walk = begin(known | {url: answer})
    walk.found()
    assert (walk.asked[-1], walk.failed) == (url, [Obstacle.RATE_LIMITED])
    assert re.search(r"\d pages not asked for any more", caplog.text)


@pytest.mark.parametrize("others", [{}, {"id": None, "keyword": None}, {"id": "another", "keyword": "another"}])
def test_an_item_that_a_pipeline_made_something_else_of_is_settled_all_the_same(
    begin: Callable[..., Walk], others: dict[str, Any]
) -> None:
    found = begin(a_site(), limit="2", widths="600,1200").found(lambda _: {"outcome": "stored", **others})
    assert [width for _, width, _, _ in found] == [600, 1200] * 2
    walk = begin({START: a_site()[START]}, limit="2", widths="600,1200")
    assert len(walk.found(lambda _: others)) > 4  # none of them in place


# kill -9


def read_pages(ledger: Path) -> set[str]:
    """The pages, as the catalogue has them, of which all that is wanted was remembered."""
    with closing(sqlite3.connect(ledger)) as database:
        rows = database.execute("SELECT url, facts FROM visits").fetchall()
    known = {url: json.loads(facts)["page"]["photo"] for url, facts in rows}
    pages = {f"{SITE}/photos/{photo.code}": photo.page_url for photo in catalogue.photos()}
    return {pages.get(url, url) for url, photo in known.items() if photo is None or photo["tags"] is not None}


@pytest.mark.slow
@pytest.mark.parametrize("moment", [3, 10, 20, 30])
def test_after_a_kill_the_same_command_goes_on_where_it_was(lab: Lab, moment: int) -> None:
    before = len(lab.replica.requests)
    words = [part for word in MAIN for part in ("-a", word)]
    process = subprocess.Popen(
        [sys.executable, "-m", "scrapy", "crawl", "unsplash", *words],
        cwd=ROOT,
        env=environment(lab.data, lab.replica.environment()),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while len(lab.replica.requests) < before + moment:
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    finally:
        process.kill()
    asked = Run(Crawl(0, "", "", lab.data), [], lab.replica.requests[before:])
    remembered = read_pages(lab.data / "ledger.sqlite3")
    with closing(Ledger(lab.data / "ledger.sqlite3")) as ledger:
        held = {entry.url for entry in ledger.held()}
    assert len(set(asked.pages) - remembered - {SILENT.page_url}) <= 1  # one page is asked for at a time
    run = lab.crawl(*MAIN)
    assert not remembered & set(run.pages) and not held & set(run.pictures)
    assert held or moment < 30
    assert set(asked.pages) | set(run.pages) == {f"{SITE}/", *pages_of(wanted(LIMIT))}
    again = {"uptodate": "stored"}
    ended = [key_of({**line, "outcome": again.get(line["outcome"], line["outcome"])}) for line in run.lines]
    assert alike(ended) == keys(wanted(LIMIT))
    assert set(lab.held) == {image["path"] for line in run.lines for image in line["images"]}
    assert lab.crawl(*MAIN).pages == [SILENT.page_url]


# With a browser


@pytest.mark.slow
def test_with_a_browser_pages_show_what_their_scripts_load_and_those_read_without_it_are_read_again(lab: Lab) -> None:
    def by_browser(run: Run) -> set[str]:
        return {request.url for request in run.log if "Chrom" in request.headers["user-agent"]} & set(run.pages)

    browser = ("render=1", "-s", "BROWSER_VERIFY_TLS=False")
    shell, script = f"{SITE}/s/photos/shell", f"{SITE}/a/main.js"
    first, *others = catalogue.wanted([600], [*catalogue.filled(), *catalogue.filled_later()], follow=False)
    assert lab.crawl("limit=1", "widths=600").pages == [f"{SITE}/", first.photo.page_url]
    run = lab.crawl("q=shell", "widths=600", "limit=3", *browser)
    expected = [first, *others[:2]]
    assert expected[-1].photo in catalogue.filled_later()
    assert run.keys == keys(expected)
    assert [url for url in run.pages if url != script] == [shell, *pages_of(expected)]
    assert set(run.pages) == by_browser(run)
    assert [line["details"]["tags"] for line in run.lines] == [list(entry.photo.tags) for entry in expected]
    assert len(run.pictures) == len(set(run.pictures)) == 2 and not [url for url in run.pictures if "/profile-" in url]
    run = lab.crawl("q=shell", "widths=600", "limit=3")
    assert run.pages == []
    assert run.keys == keys(expected, expected)
