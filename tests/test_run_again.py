"""The same command again, and what it remembers: real crawls of a saved page, with the replica's log as witness."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.crawling import Crawl, crawl, environment, save_results_page, scrapy
from tests.replica import LoggedRequest, Replica
from tests.replica.pictures import picture_bytes

BROWSERLESS = ("limit=12", "thumbnails=never")


class Lab:
    """Crawls of one saved page into one data folder."""

    def __init__(self, replica: Replica, page: Path, data: Path) -> None:
        self.replica = replica
        self.page = page
        self.data = data
        self.asked: list[LoggedRequest] = []
        """The pictures asked for by the last crawl."""

    def crawl(self, *words: str) -> Crawl:
        before = len(self.replica.requests)
        done = crawl(self.data, f"page={self.page}", *BROWSERLESS, *words, env=self.replica.environment())
        assert "Traceback" not in done.stderr, done.stderr
        self.asked = [r for r in self.replica.requests[before:] if r.method == "GET" and r.route != "/robots.txt"]
        return done

    def lines(self) -> list[dict[str, Any]]:
        """Of the last feed."""
        feed = max((self.data / "feeds").rglob("*.jsonl"))
        return [json.loads(line) for line in feed.read_text("utf-8").splitlines()]

    def command(self, *words: str) -> tuple[int, str]:
        done = scrapy(*words, env=environment(self.data))
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def page(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_results_page(replica, "few", tmp_path_factory.mktemp("page") / "few.html")


@pytest.fixture(scope="module")
def first(replica: Replica, page: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a first crawl."""
    lab = Lab(replica, page, tmp_path_factory.mktemp("first") / "data")
    assert lab.crawl().code == 0
    assert len(lab.asked) == 12
    return lab.data


@pytest.fixture
def lab(replica: Replica, page: Path, first: Path, tmp_path: Path) -> Lab:
    """After the first crawl, in a copy."""
    return Lab(replica, page, shutil.copytree(first, tmp_path / "data"))


@pytest.mark.slow
def test_what_grew_old_is_asked_for_whether_it_changed(lab: Lab) -> None:
    assert lab.crawl("-s", "REFRESH_DAYS=30").code == 0
    assert not lab.asked
    database = sqlite3.connect(lab.data / "ledger.sqlite3")
    with database:
        database.execute("UPDATE media SET fetched = '2020-01-01T00:00:00+00:00'")
    database.close()
    done = lab.crawl("-s", "REFRESH_DAYS=30")
    assert "0 pictures stored, 12 up to date" in done.verdict
    assert [request.status for request in lab.asked] == [304] * 12
    assert lab.crawl("-s", "REFRESH_DAYS=30").code == 0
    assert not lab.asked


def test_another_keyword_has_the_same_files_without_asking(lab: Lab) -> None:
    done = lab.crawl("q=dogs")
    assert "12 pictures stored" in done.verdict
    assert not lab.asked
    for line in lab.lines():
        [image] = line["images"]
        assert image["path"].startswith("dogs/")
        dog = lab.data / "images" / image["path"]
        assert dog.samefile(lab.data / "images" / image["path"].replace("dogs/", "few/"))
        assert dog.read_bytes() == picture_bytes(image["url"])


def test_what_was_spoiled_and_nothing_else_is_fetched_again(lab: Lab) -> None:
    gone, cut, changed, touched, *_ = paths = [lab.data / "images" / line["images"][0]["path"] for line in lab.lines()]
    urls = [line["images"][0]["url"] for line in lab.lines()]
    whole = {path: path.read_bytes() for path in paths}
    gone.unlink()
    cut.write_bytes(whole[cut][:100])
    changed.write_bytes(whole[changed][:-1] + b"!")
    touched.touch()
    code, verdict = lab.command("verify")
    assert (code, verdict) == (1, "9 files whole, 1 missing, 2 damaged, 0 unknown")
    done = lab.crawl()
    assert "3 pictures stored, 9 up to date" in done.verdict
    assert Counter(request.url for request in lab.asked) == Counter(urls[:3])
    assert {path: path.read_bytes() for path in paths} == whole
    assert lab.command("verify") == (0, "12 files whole, 0 missing, 0 damaged, 0 unknown")


@pytest.mark.slow
def test_a_lost_ledger_is_rebuilt_and_nothing_is_asked_for(lab: Lab) -> None:
    (lab.data / "ledger.sqlite3").unlink()
    code, verdict = lab.command("rebuild")
    assert code == 0
    assert "12 files in place" in verdict
    done = lab.crawl()
    assert "0 pictures stored, 12 up to date" in done.verdict
    assert not lab.asked


def test_without_a_ledger_files_are_recognised(lab: Lab) -> None:
    (lab.data / "ledger.sqlite3").unlink()
    files = {path: path.stat().st_mtime_ns for path in (lab.data / "images").rglob("*.*")}
    done = lab.crawl()
    assert "0 pictures stored, 12 up to date" in done.verdict
    assert len(lab.asked) == 12
    assert {path: path.stat().st_mtime_ns for path in (lab.data / "images").rglob("*.*")} == files


def test_a_higher_limit_asks_for_the_rest_only(lab: Lab) -> None:
    done = lab.crawl("limit=15")
    assert "3 pictures stored, 12 up to date" in done.verdict
    assert len(lab.asked) == 3


def test_other_bounds_are_kept_without_asking(lab: Lab) -> None:
    narrow = sum(line["images"][0]["width"] < 800 for line in lab.lines())
    assert 0 < narrow < 12
    lab.crawl("limit=12", "-s", "IMAGES_MIN_WIDTH=800")
    outcomes = Counter((line["outcome"], line["reason"]) for line in lab.lines())
    assert outcomes["uptodate", None] == 12 - narrow
    assert outcomes["refused", "too-small"] >= narrow
    assert not {request.url for request in lab.asked} & {line["image_urls"][0] for line in lab.lines()[:12]}


def test_the_ledger_is_shown(lab: Lab) -> None:
    code, verdict = lab.command("ledger")
    assert code == 0
    assert verdict.startswith("12 addresses, 12 files in place, ")
