"""``scrapy crawl site`` as its user runs it, against the replica, with its log as witness.

What there is to be found is what the catalogues say: :mod:`tests.replica.site_archive`, a site of 2,000 pages,
:mod:`tests.replica.site_maze`, pages that crawlers get lost in, and :mod:`tests.replica.site_wall`, which only a
browser sees.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import pytest
from PIL import Image
from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import HtmlResponse, Response
from scrapy.settings import Settings
from scrapy.utils.test import get_crawler
from w3lib.url import canonicalize_url

from imagecrawl import signals
from imagecrawl.exceptions import BrowserError, CertificateError, Obstacle, PageError
from imagecrawl.failures import (
    GIVEN_UP,
    PRIVATE_ADDRESS,
    RATE_LIMITED,
    ROBOTS_UNAVAILABLE,
    Failure,
    RequestRefusedError,
)
from imagecrawl.frontier import MAX_REPEATS, Place
from imagecrawl.items import ImageItem
from imagecrawl.ledger import State
from imagecrawl.outcomes import Outcome
from imagecrawl.pages.site import MAX_DATA, Page, parse_page
from imagecrawl.spider import FAILURES_MAX
from settings.base import (
    CONCURRENT_REQUESTS,
    CONCURRENT_REQUESTS_PER_DOMAIN,
    REDIRECT_MAX_TIMES,
    SITE_PAGES_PER_HOST,
    SITE_PAGES_PER_PATH,
)
from spiders.site import HOSTS_SAID, Read, SiteSpider
from tests import crawling
from tests.crawling import ROOT, Crawl, environment
from tests.pipelines.network import Network
from tests.replica import LoggedRequest, Replica, site_maze, site_wall
from tests.replica import site_archive as catalogue
from tests.replica.pictures import FORMATS
from tests.replica.site import ELSEWHERE_HOST
from tests.replica.site_archive import BANNER, BARE_HOST, HOST, INLINE, LOGO, PIXEL, SITE, SPRITE, Picture, Preview
from tests.test_crash import rows

MAZE = site_maze.SITE
FOREST = ("depth=2", "allow=/forest/|/private/")
"""The start page, one section (a link may be written ``/%66orest/``) and what lies two links away: all 14 ways."""


# Crawls


class Run(crawling.Run):
    @property
    def pictures(self) -> list[LoggedRequest]:
        return [request for request in self.log if is_picture(request)]

    @property
    def pages(self) -> list[LoggedRequest]:
        """What was asked for beside pictures and robots.txt."""
        return [request for request in self.log if not is_picture(request) and request.route != "/robots.txt"]

    @property
    def stats(self) -> dict[str, int]:
        """The counts that ``-L INFO`` shows at the end."""
        return {name: int(count) for name, count in re.findall(r"'([\w/-]+)': (\d+)", self.done.stderr)}

    @property
    def left_out(self) -> dict[str, int]:
        """How many links, by the reason why they were not followed."""
        start = "pages/left_out/"
        return {name.removeprefix(start): count for name, count in self.stats.items() if name.startswith(start)}

    def of(self, keyword: str) -> list[dict[str, Any]]:
        """The lines of a keyword, by rank."""
        found = sorted((line for line in self.lines if line["keyword"] == keyword), key=lambda line: line["rank"])
        assert [line["rank"] for line in found] == list(range(1, len(found) + 1))
        return found

    def on(self, url: str) -> list[dict[str, Any]]:
        """The lines of a page, in order."""
        found = [line for line in self.lines if line["page_url"] == url]
        return sorted(found, key=lambda line: line["details"]["position"])

    def word(self, keyword: str) -> str:
        """What the table says of a keyword after its numbers."""
        [found] = [line for line in self.done.stderr.splitlines() if re.match(rf" ?{re.escape(keyword)} +\d", line)]
        told = re.fullmatch(rf" ?{re.escape(keyword)}(?: +(?:all|\d+))+ *(.*)", found.rstrip())
        assert told
        return told[1]


def is_picture(request: LoggedRequest) -> bool:
    return request.route.endswith((".jpg", ".jpeg", ".png", ".webp", ".gif", ".svg", ".ico"))


def addresses(requests: list[LoggedRequest]) -> list[str]:
    return [canonicalize_url(request.url) for request in requests]


def best(lines: list[dict[str, Any]]) -> list[str]:
    return [line["image_urls"][0] for line in lines]


def place_of(line: dict[str, Any]) -> tuple[str, int, str]:
    return line["keyword"], line["rank"], line["image_urls"][0]


@dataclass
class Lab:
    """Crawls into one folder of data."""

    replica: Replica
    data: Path

    def crawl(self, *words: str, code: int = 0) -> Run:
        return crawling.run(Run, self.replica, self.data, *words, spider="site", code=code)

    def start(self, *words: str, stderr: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        arguments = [word for argument in words for word in ("-a", argument)]
        return subprocess.Popen(
            [sys.executable, "-m", "scrapy", "crawl", "site", *arguments, "-s", "DOWNLOAD_DELAY=0.1", "-L", "DEBUG"],
            cwd=ROOT, env=environment(self.data, self.replica.environment()), stdout=subprocess.DEVNULL,
            stderr=stderr, encoding="utf-8",
        )  # fmt: skip


@pytest.fixture
def lab(replica: Replica, tmp_path: Path) -> Lab:
    return Lab(replica, tmp_path / "data")


@pytest.fixture(scope="module")
def labs(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Lab]:
    return lambda name: Lab(replica, tmp_path_factory.mktemp(name) / "data")


# What the catalogue of the archive says, in the words of a crawl

HEADS = {"open-graph", "twitter", "json-ld", "link-rel"}
"""Ways that stand in the head of a page."""
BEFORE = (LOGO, BANNER.url, SPRITE)
"""The furniture before the pictures of an album; a pixel follows them."""


def walk(depth: float, wants: Callable[[str], object] = lambda _: True) -> list[str]:
    """The paths of the pages that a crawl of the archive should read, in their order."""
    found = {"/": 0}
    waiting = ["/"]
    for path in waiting:
        page = catalogue.by_path(path)
        assert page
        for link in page.links if found[path] < depth else ():
            if link not in found and wants(link):
                found[link] = found[path] + 1
                waiting.append(link)
    return waiting


def told(line: dict[str, Any]) -> dict[str, Any]:
    """What a line says of where its picture stands."""
    names = ("keyword", "rank", "alt", "title", "caption", "site", "outcome", "reason", "thumbnail_url", "rights")
    return {
        **{name: line[name] for name in names},
        **line["details"],
        "url": line["image_urls"][0],
        "page": canonicalize_url(line["page_url"]),
    }


def expected(
    url: str, page: str, *, rank: int, position: int, found_as: str, texts: object = None, reason: str | None = None
) -> dict[str, Any]:
    """What it should say; ``texts`` is what has them."""
    shown = catalogue.by_path(page)
    assert shown
    said = {name: getattr(texts, name, None) for name in ("alt", "title", "caption", "heading")}
    where = {"keyword": shown.title, "page_title": shown.title, "page": canonicalize_url(shown.url), "site": HOST}
    what = {"url": url, "rank": rank, "position": position, "found_as": found_as}
    became = {"outcome": "refused" if reason else "stored", "reason": reason, "thumbnail_url": None, "rights": None}
    return said | where | what | became


def in_album(picture: Picture) -> dict[str, Any]:
    position = len(BEFORE) + picture.place + (picture.way in HEADS)
    where = {"rank": picture.place, "position": position, "found_as": picture.source}
    return expected(picture.url, picture.page, **where, texts=picture)


def on_list(preview: Preview, place: int) -> dict[str, Any]:
    """A small copy that stays."""
    page = catalogue.by_path(preview.page)
    assert page
    texts = {"alt": preview.picture.said_alt, "heading": page.heading}
    where = {"rank": place, "position": len(BEFORE) + place}
    return expected(preview.url, preview.page, **where, found_as="img") | texts


def check_pictures(lab: Lab, run: Run, paths: list[str]) -> None:
    """Every picture of these pages of the archive has its line, and no other; what is stored is that picture."""
    own = [picture for path in paths if (page := catalogue.by_path(path)) for picture in page.pictures]
    lines = {line["image_urls"][0]: line for line in run.lines}
    assert len(lines) == len(run.lines)
    assert [told(lines[picture.url]) for picture in own if picture.url in lines] == [*map(in_album, own)]
    stay = [
        on_list(preview, place)
        for path in paths
        if (page := catalogue.by_path(path))
        for place, preview in enumerate((one for one in page.previews if one.picture.page not in paths), start=1)
    ]
    assert [told(lines[preview["url"]]) for preview in stay] == stay
    home = [
        (f"{SITE}{LOGO}", "img", "decoration"),
        (BANNER.url, "img", None),
        (f"{SITE}{SPRITE}", "css", "too-small"),
        (f"{SITE}{PIXEL}", "img", "decoration"),
    ]
    furniture = [
        expected(url, "/", rank=place, position=place, found_as=way, reason=reason)
        | {"alt": {1: catalogue.NAME, 2: BANNER.alt}.get(place)}
        for place, (url, way, reason) in enumerate(home, start=1)
    ]
    shown = [told(line) for line in run.of(catalogue.NAME)]
    assert [line | {"heading": None} for line in shown] == furniture  # the pixel is below one
    assert len(lines) == len(own) + len(stay) + len(furniture) + (INLINE in lines)
    for picture in [*own, BANNER]:
        [image] = lines[picture.url]["images"]
        body = (lab.data / "images" / image["path"]).read_bytes()
        assert image["sha256"] == hashlib.sha256(body).hexdigest() == hashlib.sha256(picture.data()).hexdigest()
        assert (image["width"], image["height"]) == picture.size
        assert (image["format"], image["url"]) == (FORMATS[picture.format].pillow, picture.url)


# The archive


@pytest.fixture(scope="module")
def forest(labs: Callable[[str], Lab]) -> tuple[Lab, Run]:
    """From the bare host, which leads to another one."""
    lab = labs("forest")
    return lab, lab.crawl(f"url=https://{BARE_HOST}/", *FOREST, "-L", "INFO")


@pytest.fixture(scope="module")
def again(forest: tuple[Lab, Run]) -> tuple[dict[Path, int], Run]:
    """The same command once more, and when each file had been written before."""
    held = {path: path.stat().st_mtime_ns for path in forest[1].done.pictures}
    return held, forest[0].crawl(f"url=https://{BARE_HOST}/", *FOREST)


PATHS = walk(2, lambda path: path.startswith("/forest/"))


class TestArchive:
    def test_every_picture_of_the_pages_is_stored_with_all_that_they_say_of_it(self, forest: tuple[Lab, Run]) -> None:
        check_pictures(*forest, PATHS)
        ways = {page.way for path in PATHS if (page := catalogue.by_path(path))}
        assert ways >= {*catalogue.WAYS}

    def test_a_start_page_that_has_moved_is_followed_and_all_pages_are_read_once_in_order(
        self, forest: tuple[Lab, Run]
    ) -> None:
        moved, *asked = forest[1].pages
        assert (moved.host, moved.path, moved.status) == (BARE_HOST, "/", 301)
        found = addresses(asked)
        wanted = [canonicalize_url(SITE + path) for path in PATHS]
        assert sorted(found) == sorted(wanted)
        apart = [abs(found.index(url) - place) for place, url in enumerate(wanted)]
        assert max(apart) < CONCURRENT_REQUESTS_PER_DOMAIN  # so many are asked for at once

    def test_each_picture_is_asked_for_once_and_no_smaller_copy(self, forest: tuple[Lab, Run]) -> None:
        lines = [line for line in forest[1].lines if line["reason"] != "decoration" and line["image_urls"][0] != INLINE]
        assert sorted(addresses(forest[1].pictures)) == sorted(best(lines))

    def test_small_copies_on_a_list_go_where_the_album_was_read_and_stay_where_it_was_not(
        self, forest: tuple[Lab, Run]
    ) -> None:
        first, second = (catalogue.by_path(catalogue.list_path("forest", number)) for number in (1, 2))
        assert first and second and first.previews and second.previews
        asked = addresses(forest[1].pictures)
        assert not {preview.url for preview in first.previews} & {*asked}
        assert best(forest[1].of(second.title)) == [preview.url for preview in second.previews]
        assert not {preview.picture.url for preview in second.previews} & {*asked}
        assert not [line for line in forest[1].lines if line["keyword"] == first.title]

    def test_what_is_too_small_is_refused_and_what_is_drawn_is_not_even_asked_for(
        self, forest: tuple[Lab, Run]
    ) -> None:
        _, run = forest
        refused = {line["image_urls"][0]: line["reason"] for line in run.lines if line["outcome"] == "refused"}
        small = dict.fromkeys((f"{SITE}{SPRITE}", INLINE), "too-small")
        assert refused == {**small, **dict.fromkeys((f"{SITE}{LOGO}", f"{SITE}{PIXEL}"), "decoration")}
        assert not {LOGO, PIXEL, catalogue.ICON} & {request.path for request in run.log}

    def test_the_title_of_a_page_is_the_folder_of_its_pictures(self, forest: tuple[Lab, Run]) -> None:
        lab, run = forest
        folders = {(line["keyword"], line["images"][0]["path"].split("/")[0]) for line in run.lines if line["images"]}
        names = sorted(folder for _, folder in folders)
        assert len({*names}) == len({keyword for keyword, _ in folders}) == len(folders) > 24
        assert names == sorted(path.name for path in (lab.data / "images").iterdir())
        assert len(run.done.pictures) == run.outcomes["stored"]

    def test_no_page_is_asked_for_that_robots_txt_forbids_and_no_other_site(self, forest: tuple[Lab, Run]) -> None:
        _, run = forest
        assert not [request for request in run.log if "private" in request.url]
        assert {request.host for request in run.log} == {BARE_HOST, HOST, catalogue.IMAGE_HOST}
        assert run.left_out == {"robots-txt": 1}
        said = f"no page of {HOST}: the robots.txt of {HOST} forbids it"
        assert f"Left out, {SITE}{catalogue.PRIVATE_PAGE}: {said}" in run.done.stderr

    def test_it_ends_well_and_says_so(self, forest: tuple[Lab, Run]) -> None:
        lab, run = forest
        stored = run.outcomes["stored"]
        assert run.stats["pages/read"] == len(PATHS)
        assert f"Done: {stored} pictures stored, 0 up to date, in {lab.data}/images, 4 refused\n" in run.done.stderr
        assert run.done.stdout == ""


class TestAgain:
    def test_all_is_up_to_date_in_the_same_folders(
        self, forest: tuple[Lab, Run], again: tuple[dict[Path, int], Run]
    ) -> None:
        held, run = again
        same = {"stored": "uptodate"}
        lines = [{**line, "outcome": same.get(line["outcome"], line["outcome"])} for line in forest[1].lines]
        assert sorted((*place_of(line), line["outcome"]) for line in run.lines) == sorted(
            (*place_of(line), line["outcome"]) for line in lines
        )
        assert {path: path.stat().st_mtime_ns for path in run.done.pictures} == held

    def test_no_picture_is_asked_for(self, again: tuple[dict[Path, int], Run]) -> None:
        assert not again[1].pictures
        assert again[1].outcomes["uptodate"] == len(again[0])

    def test_every_page_is_read_again(self, forest: tuple[Lab, Run], again: tuple[dict[Path, int], Run]) -> None:
        assert sorted(addresses(again[1].pages)) == sorted(addresses(forest[1].pages))


# What is wanted


@pytest.fixture(scope="module")
def limited(labs: Callable[[str], Lab]) -> tuple[Lab, Run]:
    """Whatever its size: the start page has four pictures, one of them a drawing, the album three and one within."""
    album = catalogue.by_path("/forest/album-14.html")
    assert album and album.way == "inline" and len(album.pictures) == 3
    lab = labs("limited")
    sizes = ("-s", "IMAGES_MIN_WIDTH=0", "-s", "IMAGES_MIN_HEIGHT=0")
    starts = f"url={SITE}/ https://{BARE_HOST}/ {album.url}"
    return lab, lab.crawl(starts, "depth=all", "keyword=pandas", "limit=7", *sizes, "-L", "INFO")


class TestLimit:
    def test_it_counts_what_is_in_place_in_all(self, limited: tuple[Lab, Run]) -> None:
        lab, run = limited
        assert run.outcomes == {"stored": 7, "refused": 1}
        assert f"Done: 7 pictures stored, 0 up to date, in {lab.data}/images, 1 refused\n" in run.done.stderr
        assert re.search(r"^ ?pandas +7 +7 ", run.done.stderr, re.MULTILINE)

    def test_no_picture_is_asked_for_beyond_it_and_few_pages(self, limited: tuple[Lab, Run]) -> None:
        assert len(limited[1].pictures) == 7  # the drawing too, but not what stands in the page
        assert len(limited[1].pages) < 4 + 2 * CONCURRENT_REQUESTS_PER_DOMAIN

    def test_a_page_that_leads_to_one_that_is_read_anyway_is_not_read_again(self, limited: tuple[Lab, Run]) -> None:
        assert limited[1].left_out == {"repeated": 1}
        assert limited[1].stats["pages/read"] == 2

    def test_without_bounds_icons_pixels_and_sprites_are_pictures(self, limited: tuple[Lab, Run]) -> None:
        lines = {line["image_urls"][0]: line for line in limited[1].lines}
        sizes = {url: lines[url]["images"][0]["width"] for url in (f"{SITE}{PIXEL}", f"{SITE}{SPRITE}", INLINE)}
        assert sizes == {f"{SITE}{PIXEL}": 1, f"{SITE}{SPRITE}": 48, INLINE: 24}
        assert lines[f"{SITE}{LOGO}"]["reason"] == "unsupported-format"

    def test_all_is_in_the_folder_that_was_asked_for(self, limited: tuple[Lab, Run]) -> None:
        lab, run = limited
        assert len(run.of("pandas")) == 8
        assert [path.name for path in (lab.data / "images").iterdir()] == ["pandas"]


@pytest.fixture(scope="module")
def listed(labs: Callable[[str], Lab]) -> Run:
    """Two sites, one of which links to a third; and a page of ten megabytes."""
    words = ("download=0", "folder=host", "depth=all", "allow=elsewhere|/forest/$", "deny=forest")
    return labs("listed").crawl(f"url={SITE}/ {MAZE}/big", f"domains={HOST},elsewhere.example", *words)


class TestListed:
    def test_a_page_of_ten_megabytes_is_read_to_its_end(self, listed: Run) -> None:
        assert best(listed.of(site_maze.HOST)) == [*site_maze.pictures("/big")]
        assert len(site_maze.pictures("/big")) == 300

    def test_links_are_followed_to_the_domains_that_were_asked_for_as_allowed_and_not_denied(self, listed: Run) -> None:
        paths = {host: [page.path for page in listed.pages if page.host == host] for host in (HOST, ELSEWHERE_HOST)}
        assert paths == {HOST: ["/"], ELSEWHERE_HOST: ["/pandas", "/more"]}
        assert best(listed.of(ELSEWHERE_HOST)) == [f"https://{ELSEWHERE_HOST}/elsewhere.jpg"]

    def test_no_picture_is_fetched_and_all_are_listed_by_host(self, listed: Run) -> None:
        assert not listed.pictures and not listed.done.pictures
        assert listed.outcomes == {"listed": 303, "refused": 2}
        lines = [f"{line['keyword']}\t{line['image_urls'][0]}" for line in listed.lines if line["outcome"] == "listed"]
        assert sorted(listed.done.stdout.splitlines()) == sorted(lines)
        assert [line["keyword"] for line in listed.lines if line["outcome"] == "refused"] == [HOST, HOST]


# Pages that are hard to read

HARD = (
    *("/nested", "/attributes", "/latin", "/cyrillic", "/untitled/some/place", "/evil-title", "/ten-sizes", "/inline"),
    "/oversized",
)
TYPED = f"{site_maze.GAP_NAME}#oben https://{site_maze.GAP_NAME}/größe/#unten"
"""Start pages as people type them."""


@pytest.fixture(scope="module")
def hard(labs: Callable[[str], Lab]) -> tuple[Lab, Run]:
    lab = labs("hard")
    starts = " ".join([*(f"{MAZE}{path}" for path in HARD), TYPED])
    return lab, lab.crawl(f"url={starts}", "depth=1", "-s", "DOWNLOAD_MAXSIZE=5000000", "-L", "INFO")


class TestHardPages:
    @pytest.mark.parametrize("path", HARD)
    def test_its_pictures_are_stored(self, hard: tuple[Lab, Run], path: str) -> None:
        within = [site_maze.data_uri()] if path == "/inline" else []
        lines = hard[1].on(MAZE + path)
        assert best(lines) == [*site_maze.pictures(path), *within]
        assert {line["outcome"] for line in lines} == {"stored"}

    @pytest.mark.parametrize("path", ["/latin", "/cyrillic"])
    def test_it_is_read_in_its_own_encoding(self, hard: tuple[Lab, Run], path: str) -> None:
        [line] = hard[1].of(site_maze.TITLES[path] or "")
        assert line["details"]["page_title"] == site_maze.TITLES[path]
        assert line["alt"] == {"/latin": "Un hérisson déçu", "/cyrillic": "Рыжая лапа"}[path]

    def test_a_page_without_title_is_filed_under_its_path(self, hard: tuple[Lab, Run]) -> None:
        [line] = hard[1].on(f"{MAZE}/untitled/some/place")
        assert (line["keyword"], line["details"]["page_title"]) == ("untitled_some_place", None)
        assert line["images"][0]["path"].startswith("untitled_some_place/")

    def test_a_title_of_an_enemy_makes_a_harmless_folder(self, hard: tuple[Lab, Run]) -> None:
        lab, run = hard
        [line] = run.on(f"{MAZE}/evil-title")
        assert "etc/passwd" in line["keyword"] and line["keyword"].isprintable()
        path = lab.data / "images" / line["images"][0]["path"]
        assert path in run.done.pictures and path.resolve() == path.absolute()
        folder = path.relative_to(lab.data / "images").parts[0]
        assert folder.isprintable() and 0 < len(folder.encode()) <= 255 and not re.search(r'[\\/|<>:*?"]', folder)
        assert not {"\x1b", "\x07", "\x01", "\x7f"} & {*run.done.stderr}
        assert not [found for found in lab.data.parent.rglob("*") if found.name == "passwd"]

    def test_one_picture_in_ten_sizes_is_fetched_once_in_the_largest(self, hard: tuple[Lab, Run]) -> None:
        [line] = hard[1].of("Ten sizes")
        assert len(line["image_urls"]) == 10
        assert (line["images"][0]["width"], line["images"][0]["height"]) == site_maze.size_of("ten")
        assert [request.url for request in hard[1].log if "/ten" in request.path] == [
            f"{MAZE}/ten-sizes",
            f"{MAZE}/pictures/ten.jpg",
        ]

    def test_a_picture_within_a_page_is_stored(self, hard: tuple[Lab, Run]) -> None:
        lab, run = hard
        _, line = run.of("A picture within")
        assert line["alt"] == "Within"
        with Image.open(lab.data / "images" / line["images"][0]["path"]) as image:
            assert image.size == site_maze.DATA_SIZE

    def test_an_address_is_read_as_it_is_typed_and_its_links_are_followed(self, hard: tuple[Lab, Run]) -> None:
        host = site_maze.GAP_HOST
        pages = addresses([page for page in hard[1].pages if page.host == host])
        assert sorted(pages) == sorted(canonicalize_url(f"https://{host}{path}") for path in site_maze.GAP)
        lines = {canonicalize_url(line["page_url"]): line["image_urls"][0] for line in hard[1].lines}
        found = [lines[canonicalize_url(f"https://{host}{path}")] for path in site_maze.GAP]
        assert found == [f"https://{host}/pictures/{name}.jpg" for name, _ in site_maze.GAP.values()]

    def test_a_page_without_end_is_left_out(self, hard: tuple[Lab, Run]) -> None:
        assert hard[1].left_out == {"too-large": 1}
        assert f"Left out, {MAZE}/huge: the page of {site_maze.HOST} is larger than DOWNLOAD_MAXSIZE" in (
            hard[1].done.stderr
        )


# What is no page

NO_PAGES = {
    f"{SITE}{catalogue.PRIVATE_PAGE}": ("private_keepers.html", "robots-txt", "it for leave"),
    f"{MAZE}/no-such": ("no-such", "no-results", "there is no such page: 404"),
    f"{MAZE}/pictures/good.jpg": ("pictures_good.jpg", "changed", "scrapy crawl urls"),
    f"{MAZE}/ring/2": ("ring_2", "redirects", "leads on and on"),
    f"{MAZE}/huge": ("huge", "too-large", "larger than DOWNLOAD_MAXSIZE"),
}
"""Start pages, with their keywords, what the table says of them and what the log says."""

LEFT_OUT = {
    "changed": ("/download?id=1", "/data.json", "/feed.xml", "/plain.txt", "/picture", "/empty", "/binary"),
    "no-results": ("/gone", "/removed"),
    "redirects": ("/loop", "/ring/1"),
    "elsewhere": ("/away",),
}
"""Links of a page that are none, by the reason."""


@pytest.fixture(scope="module")
def trouble(labs: Callable[[str], Lab]) -> Run:
    """One page at a time, so that it is known which one comes after the end of all asking."""
    settings = ("RETRY_TIMES=0", "DOWNLOAD_MAXSIZE=1000000", "REDIRECT_MAX_TIMES=8", "CONCURRENT_REQUESTS_PER_DOMAIN=1")
    words = [word for setting in settings for word in ("-s", setting)]
    starts = " ".join([f"{MAZE}/mixed", *NO_PAGES])
    return labs("trouble").crawl(f"url={starts}", "depth=1", *words, "-L", "INFO", code=3)


class TestTrouble:
    @pytest.mark.parametrize("url", NO_PAGES)
    def test_a_start_page_that_cannot_be_read_is_said(self, trouble: Run, url: str) -> None:
        keyword, word, said = NO_PAGES[url]
        assert trouble.word(keyword) == f"page: {word}"
        [line] = [line for line in trouble.done.stderr.splitlines() if f"ERROR: {keyword}: " in line]
        assert said in line

    @pytest.mark.parametrize("reason", LEFT_OUT)
    def test_a_link_that_leads_to_no_page_is_left_out_with_the_reason(self, trouble: Run, reason: str) -> None:
        paths = LEFT_OUT[reason]
        assert trouble.left_out[reason] == len(paths)
        for path in paths:
            assert len([line for line in trouble.done.stderr.splitlines() if f"Left out, {MAZE}{path}: " in line]) == 1

    def test_nothing_else_is_left_out(self, trouble: Run) -> None:
        assert trouble.left_out == {**{reason: len(paths) for reason, paths in LEFT_OUT.items()}, "refused": 1}

    def test_files_are_not_even_asked_for(self, trouble: Run) -> None:
        assert not [page for page in trouble.pages if page.path in {"/report.pdf", "/film.mp4"}]

    @pytest.mark.parametrize("keyword", ["forbidden", "broken", "slow-down"])
    def test_a_page_that_is_refused_is_said_and_kept(self, trouble: Run, keyword: str) -> None:
        assert trouble.word(keyword) == "page: refused"
        [kept] = [path for path in trouble.done.blocked if path.name.endswith(f"-{keyword}-refused.html")]
        assert kept.read_bytes() == site_maze.MIXED[f"/{keyword}"].body

    def test_redirects_that_end_are_followed(self, trouble: Run) -> None:
        assert REDIRECT_MAX_TIMES < 8
        chain, leaf = (trouble.of(title) for title in ("After eight redirects", "Leaf 1"))
        assert best(chain) == [site_maze.picture_url("chain")] and chain[0]["page_url"] == f"{MAZE}/chain-end"
        assert best(leaf) == [site_maze.picture_url("leaf-1")] and leaf[0]["page_url"] == f"{MAZE}/leaf/1"
        assert Counter(page.path for page in trouble.pages)["/leaf/1"] == 1

    def test_a_link_that_leads_out_of_the_site_gives_no_picture(self, trouble: Run) -> None:
        asked = [request.path for request in trouble.log if request.host == ELSEWHERE_HOST]
        assert asked == ["/robots.txt", "/away"]
        assert {urlsplit(line["page_url"]).hostname for line in trouble.lines} == {site_maze.HOST}

    def test_a_site_that_wants_to_be_asked_less_often_is_asked_for_no_further_page(self, trouble: Run) -> None:
        last = trouble.pages[-1]
        assert (last.path, last.status) == ("/slow-down", 429)
        assert f"1 page of {site_maze.HOST} not asked for any more: refused" in trouble.done.stderr
        assert site_maze.picture_url("good") not in best(trouble.lines)

    def test_the_exit_code_says_that_pages_were_refused(self, trouble: Run) -> None:
        assert "Ended: blocked (exit code 3): " in trouble.done.stderr
        assert trouble.outcomes["stored"] >= 2


@pytest.fixture(scope="module")
def walled(labs: Callable[[str], Lab]) -> Run:
    return labs("walled").crawl(f"url={MAZE}/walled", "depth=1", "-L", "INFO", code=3)


class TestWalled:
    """Links that are refused, but for one."""

    def test_after_ten_pages_in_a_row_that_cannot_be_read_no_further_one_is_asked_for(self, walled: Run) -> None:
        asked = [page.path for page in walled.pages[1:]]
        last = site_maze.OPEN + FAILURES_MAX  # the one that can be read begins the count anew
        assert {*asked} == {f"/walled/{number + 1}" for number in range(len(asked))}
        most = last + CONCURRENT_REQUESTS_PER_DOMAIN - 1  # so many are asked for at once
        assert last <= len(asked) <= most
        [said] = re.findall(r"(\d+) pages of \S+ not asked for any more: refused", walled.done.stderr)
        assert site_maze.WALLED - most <= int(said) <= site_maze.WALLED - len(asked)
        assert len(re.findall(r" answered 403 ", walled.done.stderr)) == len(asked) - 1

    def test_what_could_be_read_is_stored_and_the_exit_code_says_that_there_is_more(self, walled: Run) -> None:
        assert {*best(walled.lines)} == {site_maze.picture_url("walled"), site_maze.picture_url("hole")}
        assert walled.outcomes == {"stored": 2}
        assert "Ended: blocked (exit code 3): " in walled.done.stderr


# Sites without end

PER_PATH, PER_HOST = 8, 25
TRAPS = ("/calendar/2026/11", "/sorted?by=a&page=1", "/deeper/", "/random/")


@pytest.fixture(scope="module")
def traps(labs: Callable[[str], Lab]) -> Run:
    """And a start page that has moved to another site."""
    starts = " ".join([*(f"{MAZE}{path}" for path in TRAPS), f"{MAZE}/away"])
    bounds = ("-s", f"SITE_PAGES_PER_PATH={PER_PATH}", "-s", f"SITE_PAGES_PER_HOST={PER_HOST}")
    return labs("traps").crawl(f"url={starts}", "depth=all", *bounds, "-L", "INFO")


def trapped(run: Run) -> Counter[str]:
    """How many pages of each trap were asked for."""
    return Counter(re.split(r"[/?]", page.path)[1] for page in run.pages if page.host == site_maze.HOST)


class TestTraps:
    def test_a_walk_without_end_ends_at_the_bounds(self, traps: Run) -> None:
        found = trapped(traps)
        assert found["deeper"] == MAX_REPEATS
        assert found["sorted"] == found["random"] == PER_PATH > found["calendar"] > 2
        assert found.total() == PER_HOST
        assert {*Counter(addresses(traps.pages)).values()} == {1}

    def test_it_is_said_which_bound_ended_it(self, traps: Run) -> None:
        assert {*traps.left_out} == {"path-budget", "host-budget", "winding"}
        for reason, setting in (("path-budget", "SITE_PAGES_PER_PATH"), ("host-budget", "SITE_PAGES_PER_HOST")):
            count = traps.left_out[reason]
            assert f"WARNING: {count} links not followed: {reason}; see {setting}" in traps.done.stderr

    def test_its_pictures_are_stored_once_and_all_is_well(self, traps: Run) -> None:
        wanted = [url for path in TRAPS for url in site_maze.pictures(path)]
        wanted.append(f"https://{ELSEWHERE_HOST}/elsewhere.jpg")
        assert sorted(best(traps.lines)) == sorted(addresses(traps.pictures)) == sorted(wanted)
        assert traps.outcomes == {"stored": len(wanted)}

    def test_the_site_that_a_start_page_has_moved_to_is_read_too(self, traps: Run) -> None:
        assert [page.path for page in traps.pages if page.host == ELSEWHERE_HOST] == ["/away", "/more"]


def test_a_page_that_needs_a_browser_is_said_to_have_no_pictures(lab: Lab) -> None:
    run = lab.crawl(f"url={site_wall.SITE}", code=6)
    assert run.word(site_wall.HOST) == "page: no-results"
    assert "there is no picture; look at the page in a browser; " in run.done.stderr and "render=1" in run.done.stderr


@pytest.mark.parametrize(
    ("asked", "url"),
    [
        ("https://a.example", "https://a.example/"),  # so the browser has it
        ("https://a.example/%7Ecats/?b=1&a=2", "https://a.example/~cats/?a=2&b=1"),
        ("https://a.example/cats", "https://a.example/cats#top"),
    ],
)
def test_a_page_that_spells_its_address_otherwise_is_the_page_that_was_asked_for(asked: str, url: str) -> None:
    settings = Settings()
    settings.setmodule("settings.base")
    spider = SiteSpider.from_crawler(Crawler(SiteSpider, settings), url=asked, depth="1")
    place = spider.frontier.next()
    assert place
    spider.check_redirect(place, url)


# Without an engine

START = "https://a.example/"
DATA_URI = site_maze.data_uri()


class Host(Network):
    """Pages that it does not know never come; it tells which of those nobody waits for any more."""

    def __init__(self, pages: Mapping[str, Response | Exception]) -> None:
        super().__init__(pages)
        self.given_up: list[str] = []

    async def download_async(self, request: Request) -> Response:
        if request.url in self.answers:
            return await super().download_async(request)
        try:
            return await asyncio.Future()
        except asyncio.CancelledError:
            self.given_up.append(request.url)
            raise


@dataclass
class Walk:
    """What a spider found on a host, which of the pages that failed it told of, and which it no longer waits for."""

    spider: SiteSpider
    host: Host
    found: list[ImageItem]
    failed: list[tuple[Obstacle, str]]
    given_up: list[str]

    def hear(self, error: PageError, keyword: str) -> None:
        self.failed.append((error.kind, keyword))

    @property
    def asked(self) -> list[str]:
        return [request.url for request in self.host.requests]

    @property
    def pictures(self) -> list[str]:
        return [found.image_urls[0] for found in self.found]

    @property
    def stats(self) -> dict[str, int]:
        assert self.spider.crawler.stats
        stats: dict[str, int] = self.spider.crawler.stats.get_stats()
        return {name: count for name, count in stats.items() if name.startswith(("pages/", "pictures/"))}


def shown(url: str, body: str = "", *, links: Iterable[str] = (), picture: str | None = None) -> HtmlResponse:
    """A page with a picture of its own."""
    name = picture or f"/{hashlib.md5(url.encode()).hexdigest()}.jpg"
    listed = "".join(f'<a href="{link}">more</a>' for link in links)
    return HtmlResponse(url, body=f'<html><body><img src="{name}">{body}{listed}</body></html>'.encode())


def walked(
    pages: Mapping[str, Response | Exception], settled: Callable[[ImageItem], Any] | None = None, **arguments: str
) -> Walk:
    """Each item is settled at once, as ``settled`` makes it; the walk must come to its end. One page at a time."""
    crawler = get_crawler(SiteSpider, {"CONCURRENT_REQUESTS_PER_DOMAIN": 2 if "limit" in arguments else 1})
    host = Host(pages)
    crawler.engine = cast("Any", host)
    walk = Walk(SiteSpider.from_crawler(crawler, **{"url": START, **arguments}), host, [], [], [])
    crawler.signals.connect(walk.hear, signals.page_failed)

    async def collect() -> None:
        async for found in walk.spider.items():
            walk.found.append(found)
            walk.spider.item_settled(settled(found) if settled else replace(found, outcome=Outcome.STORED))
        await asyncio.sleep(0.01)
        walk.given_up = [*host.given_up]  # before the loop ends, and gives up everything

    asyncio.run(asyncio.wait_for(collect(), 20))
    return walk


def test_a_picture_has_the_words_of_the_page_that_shows_it() -> None:
    """The second page shows the picture larger that leads to it; the third cannot be read."""
    links = '<a href="/two"><img src="/small-100x75.jpg"></a><a href="/three"><img src="/other-100x75.jpg"></a>'
    larger = '<img src="/small-400x300.jpg">'
    answers: dict[str, Response | Exception] = {
        START: shown(START, links),
        page_at("two"): shown(page_at("two"), larger),
        page_at("three"): Response(page_at("three"), 404),
    }
    for number, answer in enumerate(cast("Iterable[Response]", answers.values())):
        answer.request = Request(START, meta={"opt_outs": {"noai": str(number)} if number else {}})
    walk = walked(answers, depth="1")
    own = {urlsplit(url).path: shown.opt_outs for url, shown in zip(walk.pictures, walk.found, strict=True)}
    assert own.pop("/small-400x300.jpg") == {"noai": "page: 1"}
    assert own.pop("/other-100x75.jpg") is None
    assert sorted(map(str, own.values())) == ["None", "{'noai': 'page: 1'}"]  # a picture of its own on each


def page_at(path: object) -> str:
    return f"{START}{path}"


def pages_of(*paths: object, **links: Iterable[str]) -> dict[str, Response | Exception]:
    return {page_at(path): shown(page_at(path), **links) for path in paths}


def test_a_limit_that_is_met_waits_for_no_page_that_is_slow_to_come() -> None:
    walk = walked(pages_of(""), url=f"{START} {page_at('slow')}", limit="1")
    assert len(walk.found) == 1 and not walk.failed
    assert walk.given_up == [page_at("slow")]


OTHER = "https://other.example/"
"""The host of a page that is read in between."""


def refusal(failure: Failure, host: str = "a.example") -> RequestRefusedError:
    """What a download raises; as PausesMiddleware leaves it."""
    error = RequestRefusedError(f"{host} says no", failure)
    error.host = host
    return error


def answered(status: int) -> HtmlResponse:
    return HtmlResponse(page_at(3), status=status, body=b"<html>no</html>")


def two_hosts(**others: Response | Exception) -> dict[str, Response | Exception]:
    """A start page that links to twenty pages of its host, and after each to one of another."""
    links = [link for number in range(1, 21) for link in (f"/{number}", f"{OTHER}{number}")]
    theirs = {f"{OTHER}{number}": shown(f"{OTHER}{number}") for number in range(1, 21)}
    return (
        pages_of("", links=links)
        | pages_of(*range(1, 21))
        | theirs
        | {page_at(name): page for name, page in others.items()}
    )


@pytest.mark.parametrize(
    ("answer", "obstacle"),
    [
        (refusal(RATE_LIMITED), Obstacle.RATE_LIMITED),
        (refusal(GIVEN_UP), Obstacle.GIVEN_UP),
        (refusal(ROBOTS_UNAVAILABLE), Obstacle.ROBOTS_UNAVAILABLE),
        (refusal(PRIVATE_ADDRESS), Obstacle.PRIVATE_ADDRESS),
        (CertificateError("a.example", "it has expired"), Obstacle.CERTIFICATE),
        (answered(429), Obstacle.REFUSED),
    ],
)
def test_a_host_where_no_page_can_be_had_is_asked_for_no_further_one_and_the_others_go_on(
    answer: Response | Exception, obstacle: Obstacle, caplog: pytest.LogCaptureFixture
) -> None:
    walk = walked(two_hosts(**{"3": answer}), depth="1", domains="a.example,other.example")
    assert [url for url in walk.asked if url.startswith(START)] == [START, *map(page_at, (1, 2, 3))]
    assert [url for url in walk.asked if url.startswith(OTHER)] == [f"{OTHER}{number}" for number in range(1, 21)]
    assert walk.failed == [(obstacle, "3")]
    assert walk.stats == {"pages/read": 3 + 20, f"pages/left_out/{obstacle}": 17}
    assert f"17 pages of a.example not asked for any more: {obstacle}" in caplog.text


def test_ten_pages_of_a_host_in_a_row_end_it_whatever_others_answer(caplog: pytest.LogCaptureFixture) -> None:
    bad = {str(number): answered(500) for number in range(2, 21) if number != 5}
    walk = walked(two_hosts(**bad), depth="1", domains="a.example,other.example")
    asked = [url for url in walk.asked if url.startswith(START)]
    assert asked == [START, *map(page_at, range(1, 5 + FAILURES_MAX + 1))]  # the fifth begins the count anew
    assert walk.failed == [(Obstacle.REFUSED, str(number)) for number in range(2, 16) if number != 5]
    assert walk.stats == {"pages/read": 3 + 20, "pages/left_out/refused": 5}
    assert "5 pages of a.example not asked for any more: refused" in caplog.text


def test_where_a_page_leads_to_another_host_that_one_is_asked_no_more() -> None:
    moved = {str(number): refusal(PRIVATE_ADDRESS, "10.0.0.1") for number in (3, 4)}
    busy = {"6": HtmlResponse(f"{OTHER}x", status=429)}
    walk = walked(two_hosts(**moved, **busy), depth="1", domains="a.example,other.example")
    assert [url for url in walk.asked if url.startswith(START)] == [START, *map(page_at, range(1, 21))]
    assert [url for url in walk.asked if url.startswith(OTHER)] == [f"{OTHER}{number}" for number in range(1, 6)]
    assert walk.failed == [(Obstacle.PRIVATE_ADDRESS, "3"), (Obstacle.REFUSED, "6")]
    assert walk.stats == {
        "pages/read": 1 + 17 + 5,
        "pages/left_out/private-address": 1,  # the second one
        "pages/left_out/refused": 15,
    }


def test_without_a_browser_no_host_is_asked(caplog: pytest.LogCaptureFixture) -> None:
    walk = walked(two_hosts(**{"3": BrowserError("no Chromium")}), depth="1", domains="a.example,other.example")
    assert walk.asked[-1] == page_at(3) and walk.failed == [(Obstacle.NO_BROWSER, "3")]
    assert "35 pages not asked for any more" in caplog.text


def test_of_many_hosts_that_are_asked_no_more_the_first_are_said_at_the_terminal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hosts = [f"{number}.a.example" for number in range(HOSTS_SAID + 5)]
    links = [f"https://{host}/{number}" for number in (1, 2) for host in hosts]
    refused = {f"https://{host}/1": refusal(GIVEN_UP, host) for host in hosts}
    with caplog.at_level(logging.INFO):
        walk = walked(pages_of("", links=links) | refused, depth="1")
    assert len(walk.failed) == len(hosts) and walk.stats["pages/left_out/given-up"] == len(hosts)
    said = [record.levelname for record in caplog.records if "not asked for any more: given-up" in record.getMessage()]
    assert said == ["ERROR"] * HOSTS_SAID + ["INFO"] * 5


@pytest.mark.parametrize("starts", [("old", "new"), ("new", "old")])
def test_a_start_page_that_leads_to_another_one_is_no_failure(starts: tuple[str, str]) -> None:
    pages = {page_at(name): shown(page_at("new")) for name in starts}
    walk = walked(pages, url=" ".join(map(page_at, starts)))
    assert walk.asked == [*map(page_at, starts)]
    assert walk.stats == {"pages/read": 1, "pages/left_out/repeated": 1}
    assert not walk.failed and len(walk.found) == 1


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_bug_is_the_trouble_of_one_page(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_linked: bool
) -> None:
    def parse(text: str, *, url: str, **others: Any) -> Page:
        if url == page_at("odd"):
            raise RuntimeError("nobody has thought of that")
        return parse_page(text, url=url, **others)

    monkeypatch.setattr("imagecrawl.pages.site.parse_page", parse)
    pages = pages_of("", links=["/odd", "/last"]) | pages_of("odd", "last")
    walk = walked(pages, depth="1") if is_linked else walked(pages, url=" ".join(pages))
    assert [found.page_url for found in walk.found] == [START, page_at("last")]
    assert walk.failed == [(Obstacle.ERROR, "odd")]  # whose exit code is 1
    assert f"{page_at('odd')} could not be read" in caplog.text
    assert "Traceback" in caplog.text and "RuntimeError: nobody has thought of that" in caplog.text


@pytest.mark.parametrize("into", ["private/1", "%70rivate/1", "a/private/"])
def test_a_link_that_leads_into_what_is_denied_is_left_out(into: str) -> None:
    pages = pages_of("", links=["/moved", "/open"]) | pages_of("open") | {page_at("moved"): shown(page_at(into))}
    walk = walked(pages, depth="1", deny="/private/")
    assert walk.stats == {"pages/read": 2, "pages/left_out/elsewhere": 1}
    assert [found.page_url for found in walk.found] == [START, page_at("open")]
    assert not walk.failed


WRITTEN = ["/forest/1", "/%66orest/2", "/категория/3", f"/{quote('категория')}/4", "/5"]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ({"allow": "/forest/"}, "12"),
        ({"allow": "/категория/"}, "34"),
        ({"deny": "/forest/"}, "345"),
        ({"deny": "/категория/", "allow": r"/\d"}, "125"),
        ({"allow": "%66|%D0"}, ""),
    ],
)
def test_what_chooses_among_links_sees_them_as_people_write_them(words: dict[str, str], numbers: str) -> None:
    links = [page_at(quote(link[1:], safe="/%")) for link in WRITTEN]
    pages = {START: shown(START, links=WRITTEN), **{url: shown(url) for url in links}}
    walk = walked(pages, None, depth="1", **words)
    assert "".join(url[-1] for url in walk.asked[1:]) == numbers


def test_a_picture_of_the_page_itself_is_never_put_off_and_not_remembered_whole() -> None:
    within = f'<a href="/next"><img src="{DATA_URI}"></a><a href="/next"><img src="/small-90x90.jpg"></a>'
    pages = {START: shown(START, within, picture="/own.jpg"), page_at("next"): shown(page_at("next"), picture="/2.jpg")}
    spider = walked(pages | pages_of("last")).spider  # as far as its state goes
    place, page = Place(START, 0), parse_page(pages[START].text, url=START)  # type: ignore[union-attr]
    spider.frontier.add(page_at("next"), 1)

    async def found_at_once() -> list[str]:
        found = [found async for found in spider.pictures(place, Read(page, START, None))]
        return [one.picture.urls[0] for one in found]

    assert asyncio.run(found_at_once()) == [page_at("own.jpg"), DATA_URI]
    [[put_off]] = spider.previews.values()
    assert put_off.picture.urls == (page_at("small-90x90.jpg"),)
    walk = walked(pages, depth="1")
    assert walk.pictures == [page_at("own.jpg"), DATA_URI, page_at("2.jpg"), page_at("small-90x90.jpg")]
    assert len(DATA_URI) > 100
    assert {len(key) for key in [*walk.spider.seen, *spider.previews]} == {16}
    assert len(walk.spider.seen) == 4 and not walk.spider.previews


def test_what_is_too_long_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    large = f'<img src="data:image/png;base64,{"A" * MAX_DATA}">'
    pages = {page_at(number): shown(page_at(number), large * number) for number in (1, 2)}
    walk = walked(pages | pages_of(3), url=" ".join(map(page_at, (1, 2, 3))))
    assert len(walk.found) == 3
    assert walk.stats == {"pages/read": 3, "pictures/left_out/too-long": 2}
    [said] = [record for record in caplog.records if "left out" in record.getMessage()]
    assert said.levelname == "WARNING"
    assert said.getMessage().startswith("2 addresses of pictures left out: longer than 8192 characters, or data: URIs")


@pytest.mark.parametrize("others", [{}, {"id": None, "keyword": None}, {"keyword": "another"}])
def test_an_item_that_a_pipeline_made_something_else_of_is_settled_all_the_same(others: dict[str, Any]) -> None:
    pages = pages_of(1, 2, 3)
    given = {"url": " ".join(pages), "limit": "2"}
    assert len(walked(pages, lambda _: {"outcome": Outcome.STORED, **others}, **given).found) == 2
    assert len(walked(pages, lambda _: {"outcome": Outcome.FAILED, **others}, **given).found) == 3
    assert len(walked(pages, lambda _: others, **given).found) == 3


# Proofs


@pytest.mark.slow
def test_the_whole_archive(lab: Lab) -> None:
    run = lab.crawl(f"url={SITE}", "depth=all", "-L", "INFO")
    check_pictures(lab, run, catalogue.pages())
    bases = [f"{SITE}/media/{section}/" for section in catalogue.SECTIONS]  # where `#top` leads on a page with a base
    pages = [canonicalize_url(SITE + path) for path in catalogue.pages()]
    assert sorted(addresses(run.pages)) == sorted([*pages, *bases])
    assert run.stats["pages/read"] == catalogue.PAGES
    wanted = [*catalogue.pictures(), f"{SITE}{SPRITE}"]
    assert sorted(addresses(run.pictures)) == sorted(wanted)
    assert run.outcomes == {"stored": catalogue.PICTURES + 1, "refused": 4}
    assert run.left_out == {"robots-txt": 1, "no-results": len(bases)}
    assert len(run.done.pictures) == catalogue.PICTURES + 1


@pytest.mark.slow
def test_a_page_with_fifty_thousand_links_is_read_to_the_default_bound(lab: Lab) -> None:
    run = lab.crawl(f"url={MAZE}/links", "depth=1", "-L", "INFO")
    assert run.left_out == {"path-budget": site_maze.LINKS - SITE_PAGES_PER_PATH}
    assert [page.path for page in run.pages[:1]] == ["/links"]
    assert {page.path for page in run.pages[1:]} == {f"/leaf/{number}" for number in range(SITE_PAGES_PER_PATH)}
    assert len(run.pages) == 1 + SITE_PAGES_PER_PATH < SITE_PAGES_PER_HOST
    assert sorted(best(run.lines)) == sorted(addresses(run.pictures)) == sorted(site_maze.pictures("/links"))


@pytest.mark.slow
def test_the_whole_maze(lab: Lab) -> None:
    """Every trouble at once; what asks to wait for ever would end it."""
    bounds = ("-s", "SITE_PAGES_PER_PATH=600", "-s", "SITE_PAGES_PER_HOST=2000", "-s", "RETRY_TIMES=0")
    run = lab.crawl(f"url={MAZE}", "depth=all", "deny=slow-down", *bounds, "-L", "INFO", code=3)
    found = trapped(run)
    by_redirect = 1
    assert max(found[trap] for trap in ("calendar", "sorted", "random", "leaf")) <= 600 + by_redirect
    assert 1_000 < run.stats["pages/read"] <= 2_000
    lost = {site_maze.picture_url("chain")}  # eight redirects are more than the settings allow
    wanted = {url for start in site_maze.STARTS for url in site_maze.pictures(start)} | {site_maze.picture_url("maze")}
    assert {*best(run.lines)} == (wanted - lost) | {site_maze.data_uri()}
    assert run.outcomes == {"stored": len(run.lines)} and len({*best(run.lines)}) == len(run.lines)
    assert {"path-budget", "host-budget", "winding", "too-large", "redirects", "changed"} <= {*run.left_out}


@pytest.mark.slow
def test_a_wall_is_scrolled_to_its_end_in_the_browser(lab: Lab) -> None:
    words = ("render=1", "keyword=wall", "-s", "BROWSER_VERIFY_TLS=False")
    run = lab.crawl(f"url={site_wall.SITE} {site_wall.SITE}/plain", *words)
    wall, plain = (run.on(f"{site_wall.SITE}{path}") for path in ("/", "/plain"))
    assert best(wall) == site_wall.wall_pictures() and len(wall) == 60
    assert best(plain) == site_wall.wall_pictures("/plain")
    assert [line["alt"] for line in wall] == [site_wall.alt_of(number) for number in range(1, 61)]
    assert run.outcomes == {"stored": 63}
    assert Counter(request.url for request in run.pictures) == Counter(best(run.lines))


def check_completed(whole: tuple[Lab, Run], lab: Lab, held: set[str], before: list[LoggedRequest]) -> None:
    """The same command ends as if it had never been interrupted; what was in place is not asked for again.

    A picture whose file was put in its place, but not written down any more, is asked for, and up to date all the same.
    """
    there = {str(path.relative_to(lab.data / "images")) for path in (lab.data / "images").rglob("*") if path.is_file()}
    run = lab.crawl(f"url=https://{BARE_HOST}/", *FOREST)
    assert sorted(map(place_of, run.lines)) == sorted(map(place_of, whole[1].lines))
    kept = {line["image_urls"][0] for line in run.lines if line["outcome"] == "uptodate"}
    assert held <= kept
    firsts = [line for line in run.lines if line["outcome"] in ("stored", "uptodate")]
    assert kept == {line["image_urls"][0] for line in firsts if line["images"][0]["path"] in there}
    assert run.outcomes["stored"] + len(kept) == whole[1].outcomes["stored"]
    files = [
        {str(path.relative_to(data)): path.read_bytes() for path in (data / "images").rglob("*") if path.is_file()}
        for data in (lab.data, whole[0].data)
    ]
    assert files[0] == files[1]
    asked = Counter(addresses(run.pictures))
    assert not held & {*asked} and {*asked.values()} <= {1}
    twice = {*asked} & {canonicalize_url(request.url) for request in before if is_picture(request)}
    assert len(twice - {f"{SITE}{SPRITE}"}) <= CONCURRENT_REQUESTS


@pytest.mark.slow
def test_a_signal_ends_it_and_the_same_command_completes(lab: Lab, forest: tuple[Lab, Run]) -> None:
    before = len(lab.replica.requests)
    process = lab.start(f"url=https://{BARE_HOST}/", *FOREST, stderr=subprocess.PIPE)
    try:
        assert process.stderr
        scraped = (line for line in process.stderr if "Scraped from" in line)
        for _ in range(10):
            next(scraped)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 8, said
    assert "Ended: shutdown (exit code 8)" in said
    assert "Traceback" not in said
    lines = Crawl(8, "", said, lab.data).items
    held = {line["image_urls"][0] for line in lines if line["outcome"] == "stored"}
    assert 5 <= len(held) < forest[1].outcomes["stored"]
    assert {line["reason"] for line in lines if line["outcome"] == "failed"} <= {"stopped"}
    check_completed(forest, lab, held, lab.replica.requests[before:])


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 9, 30, 55])
def test_a_killed_crawl_is_finished_by_the_same_command(lab: Lab, forest: tuple[Lab, Run], count: int) -> None:
    before = len(lab.replica.requests)
    process = lab.start(f"url=https://{BARE_HOST}/", *FOREST)
    with process:
        while len([*filter(is_picture, lab.replica.requests[before:])]) < count:
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    held = {row.url for row in rows(lab.data) if row.state is State.HELD}
    feeds = [feed.read_text("utf-8").splitlines(keepends=True) for feed in (lab.data / "feeds").rglob("*.jsonl")]
    told = [json.loads(line) for line in chain.from_iterable(feeds) if line.endswith("\n")]
    assert {line["image_urls"][0] for line in told if line["outcome"] == "stored"} <= held
    check_completed(forest, lab, held, lab.replica.requests[before:])
