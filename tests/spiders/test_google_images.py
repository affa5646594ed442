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

FIELDS = (
    "source keyword rank id title page_url site image_urls thumbnail_url rights images outcome reason crawled_at"
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
        assert all(request.headers.get("user-agent") == USER_AGENT
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


def test_every_bad_host_ends_in_its_own_reason(google: Google) -> None:
    done = google(
        "q=troubles", "thumbnails=never", "-s", "DOWNLOAD_TIMEOUT=5", "-s", "RETRY_TIMES=0",
        "-s", "IMAGES_MAX_BYTES=3000000",
    )  # fmt: skip
    assert {item["id"]: (item["outcome"], item["reason"]) for item in done.items} == EXPECTED
    assert done.code == 0
    assert len(done.pictures) == 4


@pytest.mark.parametrize(
    ("query", "code", "finish", "obstacle"),
    [
        ("captcha", 3, "blocked", "captcha"),
        ("too many", 3, "blocked", "refused"),
        ("forbidden", 3, "blocked", "refused"),
        ("error", 3, "blocked", "refused"),
        ("update browser", 3, "blocked", "update-browser"),
        ("consent forever", 3, "blocked", "consent"),
        ("shell", 3, "blocked", "javascript"),
        ("forbidden later", 3, "blocked", "refused"),
        ("too many later", 3, "blocked", "refused"),
        ("changed", 4, "page-changed", "changed"),
        ("recordless", 4, "page-changed", "changed"),
        ("nothing", 6, "no-results", "no-results"),
        ("nothing text", 6, "no-results", "no-results"),
    ],
)
def test_every_obstacle_is_said_kept_and_ends_the_run(
    google: Google, query: str, code: int, finish: str, obstacle: str
) -> None:
    done = google(f"q={query}", "-s", "BROWSER_SETTLE_TIMEOUT=2", "-s", "RETRY_TIMES=0")
    assert done.code == code, done.stderr
    assert done.verdict.startswith(f"Ended: {finish} (exit code {code}): nothing stored")
    assert [path.name for path in done.blocked if path.name.endswith(f"-{safe_segment(query)}-{obstacle}.html")]
    said = [line for line in done.stderr.splitlines() if str(done.blocked[0]) in line]
    assert len(said) == 1
    assert done.items == []


@pytest.mark.parametrize(
    ("query", "obstacle"), [("captcha", "captcha"), ("shell", "javascript"), ("cats", "javascript")]
)
def test_a_plain_client_meets_the_same_obstacles(google: Google, query: str, obstacle: str) -> None:
    done = google(f"q={query}", "via=http")
    assert done.code == 3
    assert [path.name for path in done.blocked if path.name.endswith(f"-{obstacle}.html")]


@pytest.mark.parametrize(("query", "via"), [("consent", "browser"), ("consent dialog", "browser"), ("consent", "http")])
def test_a_question_on_cookies_is_answered_once_with_no(google: Google, replica: Replica, query: str, via: str) -> None:
    before = len(replica.requests)
    done = google(f"q={query}", f"via={via}", "limit=2", "thumbnails=never")
    assert done.code == 0, done.stderr
    assert len(done.pictures) == 2
    saved = [r for r in replica.requests[before:] if r.host == "consent.google.com" and r.route == "/save"]
    assert len(saved) == (0 if query == "consent dialog" else 1)
    assert all(request.form.get("set_eom") == "true" for request in saved)


@pytest.mark.parametrize("via", ["browser", "http"])
def test_one_attempt_at_consent_and_no_more(google: Google, replica: Replica, via: str) -> None:
    before = len(replica.requests)
    done = google("q=consent forever", f"via={via}", "-s", "BROWSER_SETTLE_TIMEOUT=2")
    assert done.code == 3
    assert len([r for r in replica.requests[before:] if r.route == "/save"]) == 1


@pytest.mark.parametrize("query", ["lite", "imgres", "ischj", "old", "string table", "rg_meta"])
def test_every_shape_with_addresses_is_read(google: Google, query: str) -> None:
    done = google(f"q={query}", "via=http", "limit=12", "thumbnails=never")
    assert done.code == 0, done.stderr
    assert len(done.pictures) == 12
    assert {item["image_urls"][0] for item in done.items} <= {result.image_url for result in results(query)}


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


def test_a_page_that_breaks_off_is_said(google: Google) -> None:
    done = google("q=truncated", "-s", "BROWSER_SETTLE_TIMEOUT=3")
    assert done.code == 4  # whether a record was in what came depends on the moment of the break
    assert done.verdict.startswith("Ended: page-changed")
    assert len(done.blocked) == 1


def test_a_page_that_lost_some_of_its_records_is_said_and_used(google: Google) -> None:
    done = google("q=cut", "limit=99", "thumbnails=never")
    assert done.code == 4
    assert "the page is cut, or it changed" in done.stderr
    assert len(done.blocked) == 1
    assert done.pictures


def test_a_script_that_never_comes_costs_nothing(google: Google) -> None:
    done = google("q=hanging", "limit=2", "thumbnails=never")
    assert done.code == 0, done.stderr
    assert len(done.pictures) == 2


@pytest.mark.parametrize("query", ["classless", "korea", "cut"])
def test_odd_pages_with_results_are_read(google: Google, query: str) -> None:
    done = google(f"q={query}", "limit=2", "thumbnails=never")
    assert done.code == 0, done.stderr
    assert len(done.pictures) == 2


def test_a_captcha_on_a_later_page_keeps_what_was_found(google: Google) -> None:
    done = google("q=captcha later", "limit=150")
    assert done.code == 3
    assert "Ended: blocked" in done.verdict
    assert len(done.items) == 100
    assert len(done.pictures) > 80


def test_a_shortfall_is_said(google: Google) -> None:
    done = google("q=few", "limit=50", "thumbnails=never")
    assert done.code == 0
    assert "only 17 of 50: there are no more" in done.stderr
    assert len(done.pictures) == 17


def test_nothing_stored_is_an_error(google: Google) -> None:
    done = google("q=basic", "via=http", "thumbnails=never", "limit=5")
    assert done.code == 7
    assert done.verdict.startswith("Ended: nothing-stored (exit code 7)")
    assert {(item["outcome"], item["reason"]) for item in done.items} == {("failed", "no-url")}


def test_several_keywords_share_one_browser(google: Google, tmp_path: Path) -> None:
    keywords = ["one", "few", "nothing", "../../etc", "con", "a/b", "🐱", "x" * 300, "قطط", "consent"]
    queries = tmp_path / "queries.csv"
    queries.write_text("\ufeff" + "\n".join(f'"{keyword}",ignored' for keyword in [*keywords, "one", ""]), "utf-8")
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
    done = google("q=one", "limit=1", "-L", "INFO", "-s", f"LOG_FILE={log}")
    assert "Done: 1 picture stored" in done.stderr
    assert "Done: 1 picture stored" in log.read_text("utf-8")


def test_a_store_that_takes_nothing_ends_the_crawl(google: Google, tmp_path: Path) -> None:
    store = tmp_path / "data" / "images"
    store.mkdir(parents=True)
    (store / "few").write_text("in the way", "utf-8")
    done = google("q=few", "thumbnails=never")
    assert done.code == 9
    assert "The store failed at few/" in done.stderr
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


def test_feeds_work_as_in_any_scrapy_project(google: Google, tmp_path: Path) -> None:
    feed = tmp_path / "out.csv"
    done = google("q=one", "limit=1", "-O", str(feed))
    assert done.code == 0
    assert feed.read_text("utf-8").splitlines()[0] == ",".join(FIELDS)
    done = google("q=one", "limit=1", "-o", "-:jsonlines")
    assert json.loads(done.stdout)["keyword"] == "one"
    done = google("q=one", "limit=1", "-s", f"FEEDS={json.dumps({str(tmp_path / 'own.jsonl'): {'format': 'jsonl'}})}")
    assert len((tmp_path / "own.jsonl").read_text("utf-8").splitlines()) == 1


def test_sizes_are_settings(google: Google) -> None:
    done = google("q=few", "limit=2", "-s", "IMAGES_MIN_WIDTH=1024", "-s", "IMAGE_WIDTH_CLASSES=", "thumbnails=never")
    assert done.code == 0
    assert Counter(item["reason"] for item in done.items)["too-small"] > 1
    assert all(int(path.parent.name) >= 1024 for path in done.pictures)
    assert {path.parent.name for path in done.pictures} == {
        str(image["width"]) for item in done.items for image in item["images"]
    }


def test_certificates_are_verified(replica: Replica, tmp_path: Path) -> None:
    untrusting = replica.environment() | {"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
    media = crawl(tmp_path / "a", "q=one", "-s", "BROWSER_VERIFY_TLS=False", "-s", "RETRY_TIMES=0", env=untrusting)
    assert media.code == 7
    assert {item["reason"] for item in media.items} == {"certificate"}
    page = crawl(tmp_path / "b", "q=one", env=replica.environment())
    assert page.code == 5
    assert "ERR_CERT_AUTHORITY_INVALID" in page.stderr


def test_a_proxy_that_is_down_is_said(tmp_path: Path) -> None:
    nobody = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = crawl(tmp_path, "q=cats", env=nobody)
    assert done.code == 5
    assert "ERR_PROXY_CONNECTION_FAILED" in done.stderr
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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


def test_a_signal_does_not_wait_for_a_host_that_is_slow(replica: Replica, tmp_path: Path) -> None:
    everything_but_the_slow_one = len(EXPECTED) - 1
    done = stopped_crawl(
        replica, tmp_path, "-a", "q=troubles", after=everything_but_the_slow_one, number=signal.SIGINT, seconds=20
    )  # fmt: skip
    assert done.code == 8
    [slow] = [item for item in done.items if "/slow/" in item["image_urls"][0]]
    assert (slow["outcome"], slow["reason"], slow["images"]) == ("failed", "stopped", [])
    assert len(done.items) == len(EXPECTED)


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
