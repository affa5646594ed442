"""``scrapy crawl google_images`` as its user runs it: a process of its own, real Chromium, the project's settings."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from imagecrawl.browser import launch_options
from imagecrawl.storage import safe_segment, width_folder
from settings.base import IMAGE_WIDTH_CLASSES, USER_AGENT
from tests.crawling import ROOT, Crawl, crawl, environment, save_results_page, scrapy
from tests.replica import LoggedRequest, Replica
from tests.replica.catalogue import Result, results
from tests.replica.pictures import picture_bytes

Google = Callable[..., Crawl]

OUR_AGENT = USER_AGENT.replace("{contact}", environment(Path())["IMAGECRAWL_CONTACT"])
FIELDS = (
    "source keyword rank id title alt caption page_url site image_urls width thumbnail_url rights opt_outs post details"
    " images outcome reason crawled_at"
).split()
IMAGE_FIELDS = "url path checksum status sha256 bytes width height format mode thumbnail".split()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def log(replica: Replica) -> list[LoggedRequest]:
    """What the crawl of ``cats`` asked for; filled by that fixture."""
    return []


@pytest.fixture(scope="module")
def cats(replica: Replica, log: list[LoggedRequest], tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """The main job: 150 pictures of cats, over two result pages with every cheap kind of trouble in them."""
    before = len(replica.requests)
    done = crawl(
        tmp_path_factory.mktemp("cats") / "data",
        "q=cats",
        "limit=150",
        "-s",
        "BROWSER_VERIFY_TLS=False",
        env=replica.environment(),
    )
    log.extend(replica.requests[before:])
    return done


@pytest.fixture(scope="module")
def known() -> dict[str, Result]:
    return {result.id: result for result in results("cats")}


class TestMainJob:
    def test_it_ends_well_and_says_so(self, cats: Crawl) -> None:
        assert cats.code == 0, cats.stderr
        assert cats.verdict == f"Done: 150 pictures stored, 0 up to date, in {cats.data}/images, 2 refused"

    def test_exactly_150_distinct_pictures_are_stored(self, cats: Crawl) -> None:
        assert len(cats.pictures) == 150
        assert len({sha256(path) for path in cats.pictures}) == 150
        assert Counter(item["outcome"] for item in cats.items)["stored"] == 150

    def test_every_file_is_byte_for_byte_what_its_host_sent(self, cats: Crawl) -> None:
        for item in cats.items:
            for image in item["images"]:
                assert (cats.data / "images" / image["path"]).read_bytes() == picture_bytes(image["url"])

    def test_every_file_is_in_its_folder_under_its_own_name(self, cats: Crawl) -> None:
        for item in cats.items:
            for image in item["images"]:
                keyword, width, name = image["path"].split("/")
                assert keyword == "cats"
                assert width == width_folder(image["width"], IMAGE_WIDTH_CLASSES)
                assert name.split(".")[0] == image["sha256"][:20]
        assert {path.parent.name for path in cats.pictures} == {str(bound) for bound in IMAGE_WIDTH_CLASSES}

    def test_every_line_has_the_names_in_their_order(self, cats: Crawl) -> None:
        for item in cats.items:
            assert list(item) == FIELDS
            assert len(item["images"]) == (item["outcome"] in {"stored", "duplicate"})
            for image in item["images"]:
                assert list(image) == IMAGE_FIELDS

    def test_every_line_says_what_the_page_said(self, cats: Crawl, known: dict[str, Result]) -> None:
        order = [result.id for result in results("cats")]
        for item in cats.items:
            result = known[item["id"]]
            assert item["source"] == "google_images"
            assert item["keyword"] == "cats"
            assert (item["title"], item["page_url"], item["site"]) == (result.title, result.page_url, result.site)
            assert item["image_urls"] == [url for url in (result.image_url, result.thumbnail_url) if url]
            assert item["thumbnail_url"] == result.thumbnail_url
            assert bool(item["rights"]) == bool(result.rights)
        ranks = [item["rank"] for item in sorted(cats.items, key=lambda item: order.index(item["id"]))]
        assert ranks == list(range(1, len(cats.items) + 1))

    def test_every_kind_of_trouble_has_its_own_reason(self, cats: Crawl, known: dict[str, Result]) -> None:
        for item in cats.items:
            result = known[item["id"]]
            fell_back = result.outcome == "failed"
            assert item["reason"] == result.reason, result
            if not result.kind.startswith("same-"):  # whichever of the two comes first is stored
                assert item["outcome"] in {"stored" if fell_back else result.outcome, "duplicate"}, result
            assert all(image["thumbnail"] == fell_back for image in item["images"])
        assert {result.kind for result in map(known.get, (item["id"] for item in cats.items)) if result} >= {
            "good", "404", "403", "html", "cut-jpeg", "empty", "redirects", "unknown-host", "svg", "no-eoi", "robots",
            "cut-gif", "closes-early", "same-bytes", "same-address", "thumbnail-only",
        }  # fmt: skip

    def test_the_second_of_two_equal_pictures_points_at_the_first(self, cats: Crawl) -> None:
        stored = {item["images"][0]["path"] for item in cats.items if item["outcome"] == "stored"}
        duplicates = [item for item in cats.items if item["outcome"] == "duplicate"]
        assert len(duplicates) == 2
        assert all(item["images"][0]["path"] in stored for item in duplicates)

    def test_no_picture_is_asked_for_twice(self, cats: Crawl, log: list[LoggedRequest]) -> None:
        retried = ("503", "closes-early", "nowhere.example")  # Scrapy asks again where it may help
        asked = Counter(request.url for request in log if not any(part in request.url for part in retried))
        pictures = {item["image_urls"][0] for item in cats.items}
        assert [url for url in pictures if asked[url] > 1] == []

    def test_the_browser_loads_the_page_and_its_scripts_only(self, cats: Crawl, log: list[LoggedRequest]) -> None:
        by_browser = [request for request in log if "Chrome" in request.headers.get("user-agent", "")]
        assert {request.route for request in by_browser if request.host == "www.google.com"} == {"/search"}
        # Chromium's own services, which no switch of its turns off, are all it may ask for beside that.
        others = {request.host for request in by_browser} - {"www.google.com"}
        assert others <= {"update.googleapis.com", "accounts.google.com", "clients2.google.com"}
        assert all(request.headers.get("user-agent") == OUR_AGENT
                   for request in log if request not in by_browser and request.method != "CONNECT")  # fmt: skip

    def test_media_are_asked_for_as_images(self, cats: Crawl, log: list[LoggedRequest]) -> None:
        media = [r for r in log if r.host.endswith(".example") and r.route != "/robots.txt" and r.method == "GET"]
        assert media
        assert {request.headers["accept"] for request in media} == {"image/*, */*;q=0.1"}

    def test_the_second_run_finds_everything_in_place(self, cats: Crawl, replica: Replica, tmp_path: Path) -> None:
        files = {path: path.stat().st_mtime_ns for path in cats.pictures}
        first = {item["id"]: item for item in cats.items}
        data = shutil.copytree(cats.data, tmp_path / "data")
        shutil.rmtree(data / "feeds")
        before = len(replica.requests)
        again = crawl(data, "q=cats", "limit=150", "-s", "BROWSER_VERIFY_TLS=False", env=replica.environment())
        assert again.code == 0
        assert again.verdict == f"Done: 0 pictures stored, 150 up to date, in {data}/images, 2 refused"
        for item in again.items:
            was = first.pop(item["id"])
            if was["outcome"] == "stored":
                was = {**was, "outcome": "uptodate", "images": [{**was["images"][0], "status": "uptodate"}]}
            assert {**item, "crawled_at": None} == {**was, "crawled_at": None}
        assert not first
        asked = {request.url for request in replica.requests[before:] if request.route != "/robots.txt"}
        may_pass = ("closes-early", "nowhere.example")
        media = [url for url in asked if ".example/" in url or "gstatic.com/" in url]
        assert not [url for url in media if not any(part in url for part in may_pass)]
        assert [path.stat().st_mtime_ns for path in again.pictures] == list(files.values())


EXPECTED = {result.id: (result.outcome, result.reason) for result in results("troubles")}


@pytest.fixture(scope="module")
def troubles(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with one result of every kind of trouble, saved: what is wrong with its hosts needs no browser."""
    return save_results_page(replica, "troubles", tmp_path_factory.mktemp("troubles") / "troubles.html")


@pytest.mark.slow
def test_every_bad_host_ends_in_its_own_reason(google: Google, troubles: Path) -> None:
    done = google(
        f"page={troubles}", "thumbnails=never", "-s", "DOWNLOAD_TIMEOUT=5", "-s", "RETRY_TIMES=0",
        "-s", "IMAGES_MAX_BYTES=3000000",
    )  # fmt: skip
    assert {item["id"]: (item["outcome"], item["reason"]) for item in done.items} == EXPECTED
    assert done.code == 0
    assert len(done.pictures) == 4


class Walls:
    """Crawls of several keywords at once, each of which meets an obstacle; done once however many tests look at them.

    All pages are open before the first has arrived, so that one that ends the crawl ends none of the others.
    """

    def __init__(self, replica: Replica, folder: Path) -> None:
        self.replica = replica
        self.folder = folder
        self._done: dict[tuple[str, ...], tuple[Crawl, list[LoggedRequest]]] = {}

    def crawl(self, keywords: tuple[str, ...], *arguments: str) -> tuple[Crawl, list[LoggedRequest]]:
        """The crawl and what it asked for."""
        if (key := (*keywords, *arguments)) not in self._done:
            data = self.folder / str(len(self._done))
            data.mkdir()
            (data / "queries.txt").write_text("\n".join(keywords), "utf-8")
            settings = ("BROWSER_VERIFY_TLS=False", "BROWSER_SETTLE_TIMEOUT=4", "RETRY_TIMES=0",
                        f"PLAYWRIGHT_MAX_PAGES_PER_CONTEXT={len(keywords)}")  # fmt: skip
            words = [f"queries={data / 'queries.txt'}", *arguments]
            words += [word for setting in settings for word in ("-s", setting)]
            before = len(self.replica.requests)
            done = crawl(data, *words, env=self.replica.environment())
            self._done[key] = done, self.replica.requests[before:]
        return self._done[key]


@pytest.fixture(scope="module")
def walls(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Walls:
    return Walls(replica, tmp_path_factory.mktemp("walls"))


def check_obstacle(done: Crawl, query: str, obstacle: str) -> None:
    """The page of this keyword was kept as what it is, and said in one line of its own."""
    [kept] = [path for path in done.blocked if path.name.endswith(f"-{safe_segment(query)}-{obstacle}.html")]
    [said] = [line for line in done.stderr.splitlines() if str(kept) in line]
    assert f" {query}: " in said


OBSTACLES = {
    ("blocked", 3): {
        "captcha": "captcha", "too many": "refused", "forbidden": "refused", "forbidden later": "refused",
        "too many later": "refused", "error": "refused", "update browser": "update-browser",
        "consent forever": "consent", "shell": "javascript",
    },
    ("page-changed", 4): {"changed": "changed", "recordless": "changed"},
    ("no-results", 6): {"nothing": "no-results", "nothing text": "no-results"},
}  # fmt: skip
"""How a crawl ends that meets nothing but these: for each query its obstacle."""


@pytest.mark.parametrize(
    ("finish", "code", "query"),
    [
        pytest.param(*end, query, marks=[] if end[0] == "blocked" else pytest.mark.slow)
        for end, queries in OBSTACLES.items()
        for query in queries
    ],
)
def test_every_obstacle_is_said_kept_and_ends_the_run(walls: Walls, finish: str, code: int, query: str) -> None:
    queries = OBSTACLES[finish, code]
    done, _ = walls.crawl(tuple(queries))
    assert done.code == code, done.stderr
    assert done.verdict.startswith(f"Ended: {finish} (exit code {code}): nothing stored")
    check_obstacle(done, query, queries[query])
    assert len(done.blocked) == len(queries)
    assert done.items == []


PLAIN = {"shell": "javascript", "cats": "javascript", "consent forever": "consent"}


@pytest.mark.parametrize("query", PLAIN)
def test_a_plain_client_meets_the_same_obstacles(walls: Walls, query: str) -> None:
    done, _ = walls.crawl(tuple(PLAIN), "via=http")
    assert done.code == 3
    check_obstacle(done, query, PLAIN[query])
    assert len(done.blocked) == len(PLAIN)


def test_a_plain_client_meets_the_captcha_too(google: Google) -> None:
    done = google("q=captcha", "via=http")
    assert done.code == 3
    assert [path.name for path in done.blocked if path.name.endswith("-captcha.html")]


@pytest.mark.parametrize(
    ("queries", "via"), [(OBSTACLES["blocked", 3], ()), (PLAIN, ("via=http",))], ids=["browser", "http"]
)
def test_one_attempt_at_consent_and_no_more(walls: Walls, queries: dict[str, str], via: tuple[str, ...]) -> None:
    _, log = walls.crawl(tuple(queries), *via)
    assert len([request for request in log if request.route == "/save"]) == 1


def consents(log: list[LoggedRequest]) -> list[str | None]:
    """The answers that were given to a question on cookies."""
    saved = [r for r in log if r.host == "consent.google.com" and r.route == "/save"]
    return [request.form.get("set_eom") for request in saved]


def test_a_plain_client_answers_a_question_on_cookies_once_with_no(google: Google, replica: Replica) -> None:
    before = len(replica.requests)
    done = google("q=consent", "via=http", "limit=2", "thumbnails=never")
    assert done.code == 0, done.stderr
    assert len(done.pictures) == 2
    assert consents(replica.requests[before:]) == ["true"]


SHAPES = ["lite", "imgres", "ischj", "old", "string table", "rg_meta"]


@pytest.fixture(scope="module")
def shapes(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """A crawl of all the shapes that a plain client is given."""
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "queries.txt").write_text("\n".join(SHAPES), "utf-8")
    words = (f"queries={folder / 'queries.txt'}", "via=http", "limit=12", "thumbnails=never")
    return crawl(folder / "data", *words, env=replica.environment())


@pytest.mark.parametrize("query", SHAPES)
def test_every_shape_with_addresses_is_read(shapes: Crawl, query: str) -> None:
    assert shapes.code == 0, shapes.stderr
    assert len([path for path in shapes.pictures if path.parent.parent.name == safe_segment(query)]) == 12
    found = {item["image_urls"][0] for item in shapes.items if item["keyword"] == query}
    assert found and found <= {result.image_url for result in results(query)}


@pytest.mark.slow
def test_the_lite_shape_goes_on_batch_by_batch(google: Google) -> None:
    done = google("q=lite", "via=http", "limit=200", "thumbnails=never")
    assert done.code == 0, done.stderr
    assert len(done.pictures) == len(results("lite")) == 130
    assert "only 130 of 200: there are no more" in done.stderr


def test_the_basic_shape_gives_thumbnails_over_several_pages(google: Google) -> None:
    done = google("q=basic", "via=http", "limit=30")
    assert done.code == 0, done.stderr
    assert len(done.pictures) == 30
    assert all(item["images"][0]["thumbnail"] for item in done.items)


@pytest.mark.slow
def test_a_page_that_breaks_off_is_said(google: Google) -> None:
    done = google("q=truncated", "-s", "BROWSER_SETTLE_TIMEOUT=3")
    assert done.code == 4  # whether a record was in what came depends on the moment of the break
    assert done.verdict.startswith("Ended: page-changed")
    assert len(done.blocked) == 1


@pytest.fixture(scope="module")
def short(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """A crawl of two keywords that have less than is asked for: one has no more, the page of the other is cut."""
    folder = tmp_path_factory.mktemp("short")
    (folder / "queries.txt").write_text("few\ncut\n", "utf-8")
    words = (f"queries={folder / 'queries.txt'}", "limit=99", "thumbnails=never", "-s", "BROWSER_VERIFY_TLS=False")
    return crawl(folder / "data", *words, env=replica.environment())


@pytest.mark.slow
def test_a_page_that_lost_some_of_its_records_is_said_and_used(short: Crawl) -> None:
    assert short.code == 4
    [said] = [line for line in short.stderr.splitlines() if "the page is cut, or it changed" in line]
    assert " cut: " in said
    assert len(short.blocked) == 1
    assert [path for path in short.pictures if path.parent.parent.name == "cut"]


def test_a_shortfall_is_said(short: Crawl) -> None:
    assert "only 17 of 99: there are no more" in short.stderr
    assert len([path for path in short.pictures if path.parent.parent.name == "few"]) == 17


ODD = ["classless", "korea", "cut", "hanging", "consent dialog"]


@pytest.fixture(scope="module")
def odd(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> tuple[Crawl, list[LoggedRequest]]:
    """A crawl of odd pages that have results nevertheless, and what it asked for."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "queries.txt").write_text("\n".join(ODD), "utf-8")
    words = (f"queries={folder / 'queries.txt'}", "limit=2", "thumbnails=never", "-s", "BROWSER_VERIFY_TLS=False")
    before = len(replica.requests)
    done = crawl(folder / "data", *words, env=replica.environment())
    return done, replica.requests[before:]


@pytest.mark.parametrize("query", ODD)
@pytest.mark.slow
def test_odd_pages_with_results_are_read(odd: tuple[Crawl, list[LoggedRequest]], query: str) -> None:
    done, _ = odd
    assert done.code == 0, done.stderr
    assert len([path for path in done.pictures if path.parent.parent.name == safe_segment(query)]) == 2


@pytest.mark.slow
def test_a_script_that_never_comes_costs_nothing(odd: tuple[Crawl, list[LoggedRequest]]) -> None:
    done, log = odd
    assert [request for request in log if request.url.endswith("/slow/jpeg/64x64/script.js")]
    assert "hanging" in {item["keyword"] for item in done.items}


def test_a_dialog_on_cookies_is_answered_without_a_page_of_its_own(odd: tuple[Crawl, list[LoggedRequest]]) -> None:
    assert consents(odd[1]) == []


@pytest.mark.slow
def test_a_captcha_on_a_later_page_keeps_what_was_found(google: Google) -> None:
    done = google("q=captcha later", "limit=150")
    assert done.code == 3
    assert "Ended: blocked" in done.verdict
    assert len(done.items) == 100
    assert len(done.pictures) > 80


def test_nothing_stored_is_an_error(google: Google) -> None:
    done = google("q=basic", "via=http", "thumbnails=never", "limit=5")
    assert done.code == 7
    assert done.verdict.startswith("Ended: nothing-stored (exit code 7)")
    assert {(item["outcome"], item["reason"]) for item in done.items} == {("failed", "no-url")}


@pytest.mark.slow
def test_several_keywords_share_one_browser(google: Google, replica: Replica, tmp_path: Path) -> None:
    keywords = ["one", "few", "nothing", "../../etc", "con", "a/b", "🐱", "x" * 300, "قطط", "consent"]
    queries = tmp_path / "queries.csv"
    queries.write_text("\ufeff" + "\n".join(f'"{keyword}",ignored' for keyword in [*keywords, "one", ""]), "utf-8")
    before = len(replica.requests)
    done = google(f"queries={queries}", "limit=1", "thumbnails=never", "-L", "INFO")
    assert done.code == 6, done.stderr  # one keyword has no results, and the others go on
    folders = {path.parent.parent.name for path in done.pictures}
    assert folders == {safe_segment(keyword) for keyword in keywords if keyword != "nothing"}
    assert {item["keyword"] for item in done.items} == set(keywords) - {"nothing"}
    assert all(done.data / "images" in path.parents for path in done.pictures)
    assert "'playwright/browser_count': 1," in done.stderr
    assert "'playwright/context_count': 1," in done.stderr
    assert f"'playwright/page_count/closed': {len(keywords)}," in done.stderr
    assert "'playwright/page_count/max_concurrent': 2," in done.stderr
    assert consents(replica.requests[before:]) == ["true"]  # the question on cookies is answered once, with no


def test_when_google_blocks_no_further_keyword_is_asked_for(google: Google, replica: Replica, tmp_path: Path) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("captcha\n" + "\n".join(f"never asked {number}" for number in range(8)), "utf-8")
    before = len(replica.requests)
    done = google(f"queries={queries}", "limit=1", "-s", "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT=1")
    assert done.code == 3
    assert "8 keywords not asked for" in done.verdict
    assert not [request for request in replica.requests[before:] if "never" in request.url]


@pytest.mark.parametrize(("thumbnails", "thumbnail"), [("only", True), ("never", False)])
def test_a_saved_page_needs_no_google(
    google: Google, replica: Replica, tmp_path: Path, thumbnails: str, thumbnail: bool
) -> None:
    saved = Path(__file__).parent.parent / "saved_pages" / "google_images" / "lite.html"
    before = len(replica.requests)
    done = google(f"page={saved}", f"thumbnails={thumbnails}", "limit=1")
    assert not [request for request in replica.requests[before:] if request.host == "www.google.com"]
    assert done.code == (0 if thumbnail else 7)  # the full pictures of this page are on hosts that are not there
    assert done.items
    assert {tuple(item["image_urls"][0:1]) for item in done.items}.isdisjoint({()})
    assert all((item["thumbnail_url"] in item["image_urls"]) is thumbnail for item in done.items)


def test_a_data_uri_is_stored_as_a_thumbnail(google: Google, tmp_path: Path) -> None:
    picture = BytesIO()
    Image.new("RGB", (3, 2), "red").save(picture, "PNG")
    uri = f"data:image/png;base64,{b64encode(picture.getvalue()).decode()}"
    page = tmp_path / "My search.html"
    page.write_text(
        '<div id="islrg"><div class="islrtb isv-r" data-docid="a" data-tbnid="abcdefghijklmn" data-ow="20" data-oh="20"'
        ' data-ou="https://trouble.example/404/jpeg/20x20/1.jpg" data-pt="Red" data-ru="https://club.example/red">'
        f'<img src="{uri}"></div></div>',
        "utf-8",
    )
    done = google(f"page={page}")
    [item] = done.items
    assert done.code == 0, done.stderr
    assert (item["outcome"], item["reason"], item["keyword"]) == ("stored", "http-404", "My search")
    assert item["images"][0]["thumbnail"] is True
    assert [path.read_bytes() for path in done.pictures] == [picture.getvalue()]


def test_a_saved_page_names_its_own_folder(google: Google, replica: Replica, tmp_path: Path) -> None:
    page = save_results_page(replica, "few", tmp_path / "saved.html")
    before = len(replica.requests)
    done = google(f"page={page}", "limit=3", "thumbnails=never")
    assert done.code == 0, done.stderr
    assert {path.parent.parent.name for path in done.pictures} == {"few"}
    assert not [request for request in replica.requests[before:] if request.host == "www.google.com"]


def crawl_with_settings(
    replica: Replica, folder: Path, settings: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """A crawl with these lines of settings after the project's own."""
    (folder / "changed.py").write_text(f"from settings.base import *\n{settings}", "utf-8")
    profile = {"SCRAPY_SETTINGS_MODULE": "changed", "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    env = environment(folder / "data", replica.environment(), profile)
    return scrapy("crawl", "google_images", *arguments, env=env, timeout=60)


def test_other_pipelines_may_turn_items_into_something_else(replica: Replica, tmp_path: Path) -> None:
    done = crawl_with_settings(
        replica,
        tmp_path,
        "from itemadapter import ItemAdapter\n"
        "class ToDict:\n"
        "    def process_item(self, item): return ItemAdapter(item).asdict()\n"
        "ITEM_PIPELINES = {**ITEM_PIPELINES, ToDict: 900}\n",
        "-a",
        "q=lite",
        "-a",
        "via=http",
        "-a",
        "limit=3",
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_users_own_browser_is_used_and_left_running(replica: Replica, tmp_path: Path) -> None:
    own = tmp_path / "own"
    process = subprocess.Popen(
        [
            launch_options().get("executable_path") or playwright_chromium(), "--headless", "--remote-debugging-port=0",
            f"--user-data-dir={own}", f"--proxy-server={replica.proxy_url}", "--ignore-certificate-errors",
            *(["--no-sandbox"] if os.geteuid() == 0 else []), "about:blank",
        ],
        stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    try:
        assert process.stderr
        address = next(line.split()[-1] for line in process.stderr if "DevTools listening on" in line)
        port = urlsplit(address).port
        env = replica.environment() | {"no_proxy": "127.0.0.1"}
        done = crawl(tmp_path, "q=few", "limit=2", "-s", f"PLAYWRIGHT_CDP_URL=http://127.0.0.1:{port}", env=env)
        assert done.code == 0, done.stderr
        assert process.poll() is None
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
            assert [tab["url"] for tab in json.load(answer) if tab["type"] == "page"] == ["about:blank"]
    finally:
        process.terminate()
        process.communicate()


def playwright_chromium() -> str:
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def test_the_log_file_has_the_table_too(google: Google, tmp_path: Path) -> None:
    log = tmp_path / "crawl.log"
    done = google("q=lite", "via=http", "limit=1", "-L", "INFO", "-s", f"LOG_FILE={log}")
    assert "Done: 1 picture stored" in done.stderr
    assert "Done: 1 picture stored" in log.read_text("utf-8")


def test_a_store_that_takes_nothing_ends_the_crawl(google: Google, tmp_path: Path) -> None:
    store = tmp_path / "data" / "images"
    store.mkdir(parents=True)
    (store / "lite").write_text("in the way", "utf-8")
    done = google("q=lite", "via=http", "thumbnails=never")
    assert done.code == 9
    assert "The store failed at lite/" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["images", "feeds", "blocked"])
def test_a_folder_that_cannot_be_written_is_said_before_anything_is_fetched(
    google: Google, replica: Replica, tmp_path: Path, name: str
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_text("in the way", "utf-8")
    before = len(replica.requests)
    done = google("q=few")
    assert done.code == 2
    assert f"{tmp_path}/data/{name}" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(replica.requests) == before


@pytest.mark.parametrize("setting", ["IMAGES_MIN_WIDTH=wide", "IMAGE_WIDTH_CLASSES=a,b", "IMAGES_MAX_BYTES=-1"])
def test_a_setting_that_is_no_number_is_named(google: Google, setting: str) -> None:
    done = google("q=few", "-s", setting)
    assert done.code == 2
    assert f"setting `{setting.partition('=')[0]}` takes" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_feeds_work_as_in_any_scrapy_project(google: Google, tmp_path: Path) -> None:
    feed = tmp_path / "out.csv"
    words = ("q=lite", "via=http", "limit=1", "thumbnails=never")
    done = google(*words, "-O", str(feed))
    assert done.code == 0
    assert feed.read_text("utf-8").splitlines()[0] == ",".join(FIELDS)
    done = google(*words, "-o", "-:jsonlines")
    assert json.loads(done.stdout)["keyword"] == "lite"
    done = google(*words, "-s", f"FEEDS={json.dumps({str(tmp_path / 'own.jsonl'): {'format': 'jsonl'}})}")
    assert len((tmp_path / "own.jsonl").read_text("utf-8").splitlines()) == 1


def test_sizes_are_settings(google: Google) -> None:
    settings = ("-s", "IMAGES_MIN_WIDTH=1024", "-s", "IMAGE_WIDTH_CLASSES=")
    done = google("q=lite", "via=http", "limit=2", "thumbnails=never", *settings)
    assert done.code == 0
    assert Counter(item["reason"] for item in done.items)["too-small"] > 1
    assert all(int(path.parent.name) >= 1024 for path in done.pictures)
    assert {path.parent.name for path in done.pictures} == {
        str(image["width"]) for item in done.items for image in item["images"]
    }


@pytest.mark.slow
def test_certificates_are_verified(replica: Replica, tmp_path: Path) -> None:
    untrusting = replica.environment() | {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
    saved = save_results_page(replica, "one", tmp_path / "one.html")
    media = crawl(tmp_path / "a", f"page={saved}", "-s", "RETRY_TIMES=0", env=untrusting)
    assert media.code == 7
    assert {item["reason"] for item in media.items} == {"certificate"}
    page = crawl(tmp_path / "b", "q=one", env=replica.environment())
    assert page.code == 5
    assert "ERR_CERT_AUTHORITY_INVALID" in page.stderr


@pytest.mark.slow
def test_a_proxy_that_is_down_is_said(tmp_path: Path) -> None:
    nobody = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = crawl(tmp_path, "q=cats", env=nobody)
    assert done.code == 5
    assert "www.google.com did not answer (no connection to 127.0.0.1 at port 9" in done.stderr
    assert done.verdict.startswith("Ended: unreachable")


def test_a_missing_browser_is_said_once(google: Google, tmp_path: Path) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("one\ntwo\nthree\nfour\n", "utf-8")
    options = json.dumps({"executable_path": str(tmp_path / "no-such-chromium")})
    done = google(
        f"queries={queries}", "-s", f"PLAYWRIGHT_LAUNCH_OPTIONS={options}", "-s", "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT=1"
    )
    assert done.code == 5
    assert done.stderr.count("Chromium") == 1
    assert "Traceback" not in done.stderr


def test_wrong_arguments_stop_before_anything_is_fetched(replica: Replica, tmp_path: Path) -> None:
    before = len(replica.requests)
    env = environment(tmp_path, replica.environment())
    done = scrapy("crawl", "google_images", "-a", "limit=0", "-a", "keyword=cats", "-a", "q=cats", env=env)
    assert done.returncode == 2
    assert "argument `limit` takes a whole number from 1" in done.stderr
    assert "argument `keyword` is unknown" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(replica.requests) == before
    assert list(tmp_path.iterdir()) == []


def stopped_crawl(
    replica: Replica, data: Path, *arguments: str, after: int, number: signal.Signals, seconds: float
) -> Crawl:
    """A crawl that gets a signal after so many items, and must have ended so many seconds later."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "scrapy", "crawl", "google_images", *arguments,
            "-s", "BROWSER_VERIFY_TLS=False", "-s", "CONCURRENT_ITEMS=10", "-L", "DEBUG",
        ],
        cwd=ROOT, env=environment(data, replica.environment()), stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert process.stderr
    scraped = (line for line in process.stderr if "Scraped from" in line)
    for _ in range(after):
        next(scraped)
    process.send_signal(number)
    try:
        _, rest = process.communicate(timeout=seconds)
    finally:
        process.kill()
    return Crawl(process.returncode, "", rest, data)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_ends_the_crawl_with_everything_whole(
    replica: Replica, tmp_path: Path, number: signal.Signals
) -> None:
    done = stopped_crawl(
        replica, tmp_path, "-a", "q=cats", "-a", "limit=200", after=1, number=number, seconds=20
    )  # fmt: skip
    assert done.code == 8
    assert "Ended: shutdown (exit code 8)" in done.stderr
    assert "of 200: stopped" in done.stderr
    assert f"WARNING: Received {number.name}, shutting down gracefully. Send again to force" in done.stderr
    assert 0 < len(done.items) < 50  # not all that the page has
    assert "stopped" in {item["reason"] for item in done.items if item["outcome"] == "failed"}
    in_place = {image["path"] for item in done.items for image in item["images"]}
    assert {str(path.relative_to(tmp_path / "images")) for path in done.pictures} == in_place
    for item in done.items:
        for image in item["images"]:
            assert (tmp_path / "images" / image["path"]).read_bytes() == picture_bytes(image["url"])
    database = sqlite3.connect(tmp_path / "ledger.sqlite3")
    stopped = database.execute("SELECT item, attempts FROM media WHERE reason = 'stopped'").fetchall()
    database.close()
    assert stopped
    assert len({item for item, _ in stopped}) == len(stopped), "a thumbnail was begun after the picture was stopped"
    assert {attempts for _, attempts in stopped} == {0}


@pytest.mark.slow
def test_a_signal_does_not_wait_for_a_host_that_is_slow(replica: Replica, tmp_path: Path) -> None:
    everything_but_the_slow_one = len(EXPECTED) - 1
    done = stopped_crawl(
        replica, tmp_path, "-a", "q=troubles", after=everything_but_the_slow_one, number=signal.SIGINT, seconds=20
    )  # fmt: skip
    assert done.code == 8
    [slow] = [item for item in done.items if "/slow/" in item["image_urls"][0]]
    assert (slow["outcome"], slow["reason"], slow["images"]) == ("failed", "stopped", [])
    assert len(done.items) == len(EXPECTED)


@pytest.mark.slow
def test_a_signal_does_not_wait_for_a_page_that_does_not_arrive(replica: Replica, tmp_path: Path) -> None:
    before = len(replica.requests)
    process = subprocess.Popen(
        [
            sys.executable, "-m", "scrapy", "crawl", "google_images", "-a", "q=shell",
            "-s", "BROWSER_VERIFY_TLS=False", "-s", "BROWSER_SETTLE_TIMEOUT=300",
        ],
        cwd=ROOT, env=environment(tmp_path, replica.environment()), stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    try:
        while not any(request.route == "/search" for request in replica.requests[before:]):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode == 8, said
    assert "Ended: shutdown (exit code 8)" in said
    assert "Traceback" not in said


def test_a_fault_in_the_program_is_an_error(replica: Replica, tmp_path: Path) -> None:
    done = crawl_with_settings(
        replica,
        tmp_path,
        "from imagecrawl.pages import google_images\n"
        "def parse_results(*args, **kwargs): raise RuntimeError('a bug')\n"
        "google_images.parse_results = parse_results\n",
        "-a",
        "q=few",
        "-a",
        "via=http",
    )
    assert done.returncode == 1
    assert "a bug" in done.stderr
    assert "Ended: error (exit code 1)" in done.stderr
