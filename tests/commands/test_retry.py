"""``scrapy retry`` as its user runs it, after a crawl that could not get everything."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imagecrawl.items import FileItem, ImageItem, keyword_of, read_item
from imagecrawl.ledger import Ledger
from imagecrawl.outcomes import Outcome
from tests.commands.stock import Stock, feed_line, file_line
from tests.crawling import ROOT, Crawl, crawl, environment, save_results_page, scrapy
from tests.replica import Replica
from tests.replica.catalogue import results
from tests.replica.pictures import picture_bytes

QUICK = ("-s", "BROWSER_VERIFY_TLS=False", "-s", "RETRY_TIMES=0", "-s", "IMAGES_MAX_BYTES=3000000")


@pytest.fixture(scope="module")
def own_replica() -> Iterator[Replica]:
    """One of its own: its slow answers are let go in the middle."""
    with Replica() as replica:
        yield replica


@pytest.fixture
def troubled(first_crawl: Crawl, tmp_path: Path) -> Crawl:
    """What that crawl left, in a copy."""
    return replace(first_crawl, data=shutil.copytree(first_crawl.data, tmp_path / "data"))


@pytest.fixture(scope="module")
def first_crawl(own_replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """A crawl with one picture of every kind of trouble, of which the slow one then gets well."""
    folder = tmp_path_factory.mktemp("troubled")
    page = save_results_page(own_replica, "troubles", folder / "troubles.html")
    done = crawl(
        folder / "data", f"page={page}", "thumbnails=never", *QUICK,
        "-s", "DOWNLOAD_TIMEOUT=3", env=own_replica.environment(),
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert len(done.pictures) == 4
    own_replica.release()
    return done


def retry(replica: Replica, data: Path, *words: str) -> Crawl:
    done = scrapy("retry", *words, *QUICK, env=environment(data, replica.environment()))
    return Crawl(done.returncode, done.stdout, done.stderr, data)


def test_only_what_failed_for_the_reason_is_asked_again(own_replica: Replica, troubled: Crawl) -> None:
    before, lines = len(own_replica.requests), len(troubled.items)
    done = retry(own_replica, troubled.data, "google_images", "--reason", "timeout,http-503")
    asked = {r.url for r in own_replica.requests[before:] if r.method == "GET" and r.route != "/robots.txt"}
    wanted = {result.image_url for result in results("troubles") if result.kind in {"slow", "503"}}
    assert asked == wanted
    assert done.code == 0, done.stderr
    assert "Done: 1 picture stored" in done.verdict
    assert re.search(r"troubles +2 +1 +0", done.stderr)
    new = {item["image_urls"][0]: item for item in done.items[lines:]}
    first = {item["image_urls"][0]: item for item in done.items[:lines]}
    assert set(new) == wanted
    outcome_part = ("images", "outcome", "reason", "crawled_at")
    for url, item in new.items():
        assert {**item, **dict.fromkeys(outcome_part)} == {**first[url], **dict.fromkeys(outcome_part)}
    [stored] = [item for item in new.values() if item["outcome"] == "stored"]
    assert (done.data / "images" / stored["images"][0]["path"]).read_bytes() == picture_bytes(
        stored["images"][0]["url"]
    )
    assert {item["reason"] for item in new.values()} == {None, "http-503"}


def test_what_has_been_had_is_not_asked_for_any_more(own_replica: Replica, troubled: Crawl) -> None:
    retry(own_replica, troubled.data, "google_images", "--reason", "timeout")
    before = len(own_replica.requests)
    done = retry(own_replica, troubled.data, "google_images", "--reason", "timeout", "--reason", "dns")
    assert (done.code, done.stderr) == (0, "There is nothing that google_images failed to get for dns, timeout\n")
    assert len(own_replica.requests) == before


@pytest.mark.slow
def test_without_a_reason_all_that_failed_is_asked_again(own_replica: Replica, troubled: Crawl) -> None:
    lines = len(troubled.items)
    done = retry(own_replica, troubled.data, "google_images")
    failed = {
        result.image_url for result in results("troubles") if result.outcome == "failed" and result.kind != "slow"
    }
    assert {item["image_urls"][0] for item in done.items[lines:] if item["outcome"] == "failed"} == failed
    assert done.code == 0


def test_a_retry_that_gets_nothing_ends_like_a_crawl(own_replica: Replica, troubled: Crawl) -> None:
    done = retry(own_replica, troubled.data, "google_images", "--reason", "http-404")
    assert done.code == 7
    assert done.verdict.startswith("Ended: nothing-stored (exit code 7)")


def test_a_bound_that_is_met_ends_a_retry_while_items_are_under_way(own_replica: Replica, troubled: Crawl) -> None:
    done = retry(own_replica, troubled.data, "google_images", "-s", "CLOSESPIDER_ITEMCOUNT=1")
    assert done.code == 8
    assert done.verdict.startswith("Ended: closespider_itemcount (exit code 8): ")
    assert "Traceback" not in done.stderr


def test_a_refusal_can_be_asked_again_too(own_replica: Replica, troubled: Crawl) -> None:
    lines = len(troubled.items)
    done = retry(own_replica, troubled.data, "google_images", "--reason", "unsupported-format")
    assert [(item["outcome"], item["reason"]) for item in done.items[lines:]] == [("refused", "unsupported-format")]


@pytest.mark.parametrize(("words", "said"), [
    (["google_image"], "there is no spider `google_image`"),
    (["google_images", "--reason", "time-out"], "`time-out` is no reason. Did you mean `timeout`?"),
    (["google_images", "--reason", "http-9"], "`http-9` is no reason"),
    (["google_images", "--reason", ""], "`` is no reason"),
    (["google_images", "-a", "q=cats"], "a retry takes no arguments of the spider (-a)"),
    ([], "Usage"),
])  # fmt: skip
def test_what_makes_no_sense_is_said(own_replica: Replica, tmp_path: Path, words: list[str], said: str) -> None:
    done = retry(own_replica, tmp_path, *words)
    assert done.code == 2
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_without_a_ledger_there_is_nothing_to_retry_and_none_is_made(own_replica: Replica, tmp_path: Path) -> None:
    done = retry(own_replica, tmp_path, "google_images")
    assert done.code == 2
    assert f"there is no ledger at {tmp_path}/ledger.sqlite3" in done.stderr
    assert not list(tmp_path.iterdir())


def test_other_pipelines_may_turn_items_into_something_else(
    own_replica: Replica, troubled: Crawl, tmp_path: Path
) -> None:
    (tmp_path / "changed.py").write_text(
        "from settings.base import *\n"
        "from itemadapter import ItemAdapter\n"
        "class ToDict:\n"
        "    def process_item(self, item): return ItemAdapter(item).asdict()\n"
        "ITEM_PIPELINES = {**ITEM_PIPELINES, ToDict: 900}\n",
        "utf-8",
    )
    profile = {"SCRAPY_SETTINGS_MODULE": "changed", "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    env = environment(troubled.data, own_replica.environment(), profile)
    done = scrapy("retry", "google_images", "--reason", "http-404", *QUICK, env=env, timeout=60)
    assert done.returncode == 7, done.stderr


# Files and pictures, as they are read back


def test_what_failed_is_read_back_as_what_it_was(tmp_path: Path) -> None:
    stock = Stock(tmp_path)
    stock.miss_file("https://a.example/1.pdf", Outcome.FAILED, "timeout")
    stock.miss_file("https://a.example/1.pdf", Outcome.FAILED, "timeout", folder=["caie", "other"], subject="Art")
    stock.miss_file("https://a.example/2.pdf", Outcome.REFUSED, "too-large")
    stock.miss("https://a.example/1.jpg", Outcome.FAILED, "timeout")
    ledger = Ledger(stock.path)
    found = [(keyword, read_item(ledger.item(number) or "")) for keyword, number in ledger.reopen("papacambridge", [])]
    [(_, refused)] = ledger.reopen("papacambridge", ["too-large"])
    assert read_item(ledger.item(refused) or "").urls == ["https://a.example/2.pdf"]
    ledger.close()
    assert [(keyword, type(item), item.keyword) for keyword, item in found] == [
        ("Art", FileItem, "Art"),
        ("Physics", FileItem, "Physics"),
    ]
    assert {(item.outcome, item.reason, item.crawled_at) for _, item in found} == {(None, None, None)}


def test_a_line_of_a_feed_is_read_as_the_page_gave_it() -> None:
    url = "https://a.example/1"
    file = read_item(json.dumps(file_line(url, "1.pdf", files=[{"url": url}])))
    picture = read_item(json.dumps(feed_line(url, "cats", images=[{"url": url}])).encode())
    assert isinstance(file, FileItem) and isinstance(picture, ImageItem)
    for item in (file, picture):
        assert (item.urls, item.media, item.outcome, item.crawled_at) == ([url], [], None, None)
        assert read_item(item.page_part()) == item
        assert item.page_fields().isdisjoint({"images", "files", "outcome", "crawled_at"})
    assert (file.keyword, file.rank, picture.keyword, picture.rank) == ("Physics", None, "cats", 1)
    with pytest.raises(TypeError):
        read_item('{"file_urls": []}')


@pytest.mark.parametrize(
    ("values", "keyword"),
    [
        ({"keyword": "cats", "source": "x"}, "cats"),
        ({"subject": "Art", "level": "A", "board": "B", "source": "x"}, "Art"),
        ({"subject": None, "level": "A", "board": "B", "source": "x"}, "A"),
        ({"subject": "", "level": "", "board": "B", "source": "x"}, "B"),
        ({"source": "x"}, "x"),
        ({"title": "of another program"}, ""),
    ],
)
def test_the_keyword_of_what_other_pipelines_made(values: dict[str, str | None], keyword: str) -> None:
    assert keyword_of(values) == keyword
