"""``scrapy crawl urls`` as its user runs it, and lists that other spiders write for it, against the replica.

How each format is read is proven in ``tests/lists``, each wrong argument in ``test_urls_params``.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from scrapy.utils.test import get_crawler

from imagecrawl.items import FileItem, ImageItem
from imagecrawl.lists import read_rows
from imagecrawl.lists.sources import zstd
from imagecrawl.network.handler import HOSTS_KEPT
from imagecrawl.outcomes import Outcome, Reason
from settings.base import CONCURRENT_REQUESTS
from spiders.urls import BAD_LINES_SHOWN, UrlsSpider
from tests import crawling
from tests.crawling import ROOT, Crawl, crawl, environment, save_results_page
from tests.lists.lists import brief, json_lines, parquet, written
from tests.pipelines.network import Network, file_item, item, picture
from tests.replica import Replica, papers
from tests.replica.catalogue import results
from tests.replica.pictures import picture_bytes

GONE = "https://trouble.example/404/jpeg/300x200/gone.jpg"
DATA_URI = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"


def photo(name: object, size: str = "300x200") -> str:
    return f"https://photos.example/jpeg/{size}/{name}.jpg"


# Crawls


class Run(crawling.Run):
    def told(self, level: str) -> list[int]:
        """The numbers of the bad lines that the log names at this level."""
        return [int(number) for number in re.findall(rf"\[urls\] {level}: .+?, line (\d+): ", self.done.stderr)]

    def stat(self, name: str) -> int:
        """From the dump that ``-L INFO`` shows."""
        found = re.search(rf"'{name}': (\d+)", self.done.stderr)
        assert found, self.done.stderr
        return int(found[1])

    @property
    def folders(self) -> dict[str, str]:
        """The folder in the store of what each line has, by the address it came from."""
        media = [entry for line in self.lines for entry in line.get("images") or line.get("files") or ()]
        return {entry["url"]: entry["path"].rpartition("/")[0] for entry in media}


@dataclass
class Lab:
    """Crawls into one folder of data."""

    replica: Replica
    data: Path

    def crawl(self, *words: str, spider: str = "urls", code: int = 0) -> Run:
        return crawling.run(Run, self.replica, self.data, *words, spider=spider, code=code)

    def google(self, *words: str) -> Run:
        return self.crawl(*words, "-s", "BROWSER_VERIFY_TLS=False", spider="google_images")

    def held(self) -> dict[str, bytes]:
        """What both stores hold."""
        done = Crawl(0, "", "", self.data)
        return {str(path.relative_to(self.data)): path.read_bytes() for path in (*done.pictures, *done.files)}


@pytest.fixture
def lab(replica: Replica, tmp_path: Path) -> Lab:
    return Lab(replica, tmp_path / "data")


@pytest.fixture
def other(replica: Replica, tmp_path: Path) -> Lab:
    """Another folder of data."""
    return Lab(replica, tmp_path / "other")


def as_listed(given: ImageItem | FileItem, outcome: str = "listed", **others: Any) -> dict[str, Any]:
    """The line of a feed in which something became of an item."""
    told: dict[str, Any] = json.loads(json.dumps(asdict(given)))
    return told | {"outcome": outcome, "crawled_at": "2026-11-21T12:00:00Z", **others}


def without_end(line: dict[str, Any]) -> dict[str, Any]:
    """A line without what became of it."""
    ends = {"outcome", "reason", "crawled_at", "images", "files"}
    return {name: value for name, value in line.items() if name not in ends}


# A list with every kind of line in it


PAPER = next(paper for paper in papers.files("B", "igcse-physics-0625") if not paper.trap)
KNOWN = ImageItem(
    source="subreddit", keyword="pics", rank=7, id="t3_abc", title="A cat", alt="a cat", caption="of mine",
    page_url="https://www.reddit.com/r/pics/comments/abc/", site="photos.example",
    image_urls=[GONE, photo("known", "700x500")], thumbnail_url=photo("small"), rights={"credit": "somebody"},
    post={"score": 5, "nsfw": False}, details={"tags": ["cat", "sun"]},
)  # fmt: skip
SMALL = replace(item(photo("small"), keyword="red panda", thumbnail_url=photo("small")), reason=Reason.NO_URL)
FILE = file_item(PAPER.url, name=PAPER.name, folder=PAPER.folder)

ORNAMENT = replace(item(photo("ornament"), keyword="icons"), reason=Reason.DECORATION, outcome=Outcome.REFUSED)
"""Found as such by the spider that wrote the line: it is not to be fetched."""

REPLAYED: list[ImageItem | FileItem] = [KNOWN, SMALL, FILE]
GOOD: list[Any] = [
    as_listed(KNOWN, "failed", reason="timeout"),
    as_listed(SMALL, "stored", reason="no-url"),
    as_listed(FILE, "uptodate", files=[{"url": PAPER.url, "path": "x/y.pdf"}]),
    {"url": photo("plain"), "label": "cats", "text": "a cat", "licence": "CC0"},
    photo("bare"),
    DATA_URI,
]
BAD: list[Any] = [
    as_listed(KNOWN, rank="7"),
    {name: value for name, value in as_listed(KNOWN).items() if name != "site"},
    {"label": "cats"},
    "cats",
    *[None] * (BAD_LINES_SHOWN - 2),
]
LAST = photo("last")
EVERYTHING = [*GOOD, *BAD, LAST, as_listed(ORNAMENT, "refused")]
BAD_LINES = list(range(len(GOOD) + 1, len(GOOD) + len(BAD) + 1))


@dataclass
class Twice:
    lab: Lab
    first: Run
    times: dict[Path, int]
    """Of the files after the first run."""
    again: Run


@pytest.fixture(scope="module")
def twice(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Twice:
    folder = tmp_path_factory.mktemp("everything")
    path = written(folder, "my pictures.jsonl.zst", json_lines(EVERYTHING))
    lab = Lab(replica, folder / "data")
    first = lab.crawl(f"file={path}", "-L", "INFO")
    times = {file: file.stat().st_mtime_ns for file in (*first.done.pictures, *first.done.files)}
    return Twice(lab, first, times, lab.crawl(f"file={path}"))


class TestEveryKindOfLine:
    def test_all_that_can_be_had_is_stored(self, twice: Twice) -> None:
        assert Counter(line["outcome"] for line in twice.first.lines) == {"stored": len(GOOD) + 1, "refused": 1}
        assert set(twice.lab.held().values()) == {
            PAPER.body, picture(),
            *map(picture_bytes, [KNOWN.urls[1], *SMALL.urls, photo("plain"), photo("bare"), LAST]),
        }  # fmt: skip

    def test_folders_are_those_of_the_keywords_or_of_the_list(self, twice: Twice) -> None:
        assert twice.first.folders == {
            KNOWN.urls[1]: "pics/640",
            SMALL.urls[0]: "red panda/0",
            PAPER.url: "/".join(["test", *PAPER.folder]),
            photo("plain"): "cats/0",
            photo("bare"): "my pictures/0",
            DATA_URI: "my pictures/0",
            LAST: "my pictures/0",
        }

    def test_what_is_no_picture_but_an_ornament_stays_one_and_is_not_fetched(self, twice: Twice) -> None:
        [line] = [line for line in twice.first.lines if line["outcome"] == "refused"]
        assert (line["keyword"], line["reason"], line["images"]) == ("icons", "decoration", [])
        assert not [request for request in twice.first.log if "ornament" in request.url]

    def test_a_line_of_a_feed_is_what_it_was(self, twice: Twice) -> None:
        lines = [line for line in twice.first.lines if line["source"] != "urls"]
        assert len(lines) == len(REPLAYED) + 1
        for given in [*REPLAYED, ORNAMENT]:
            assert without_end(as_listed(given)) in [without_end(line) for line in lines]

    def test_reasons_are_those_of_this_run_and_of_the_page(self, twice: Twice) -> None:
        reasons = {line["keyword"]: line["reason"] for line in twice.first.lines if "keyword" in line}
        assert {keyword: reason for keyword, reason in reasons.items() if reason} == {
            "pics": "removed", "red panda": "no-url", "icons": "decoration"
        }  # fmt: skip

    def test_any_other_line_has_its_number_for_a_rank(self, twice: Twice) -> None:
        lines = {line["rank"]: line for line in twice.first.lines if line["source"] == "urls"}
        assert set(lines) == {4, 5, 6, len(EVERYTHING) - 1}
        plain = lines[4]
        assert (plain["keyword"], plain["caption"], plain["details"]) == ("cats", "a cat", None)
        for rank, url in ((5, photo("bare")), (6, DATA_URI), (len(EVERYTHING) - 1, LAST)):
            assert lines[rank]["image_urls"] == [url]
            empty = ("id", "title", "caption", "page_url", "site", "thumbnail_url", "rights", "details")
            assert [lines[rank][name] for name in empty] == [None] * len(empty)

    def test_bad_lines_are_said_with_their_numbers_and_counted(self, twice: Twice) -> None:
        assert twice.first.told("WARNING") == BAD_LINES[:BAD_LINES_SHOWN]
        assert twice.first.told("INFO") == BAD_LINES[BAD_LINES_SHOWN:] != []
        assert twice.first.stat("lines/bad") == len(BAD)
        said = twice.first.done.stderr
        assert f"{len(BAD)} lines were bad; the first {BAD_LINES_SHOWN} of them are named above" in said
        assert f"line {BAD_LINES[0]}: the field `rank` of this line is wrong: " in said
        assert f"line {BAD_LINES[1]}: the field `site` of this line is wrong: Field required" in said

    def test_again_everything_is_in_place_and_no_host_is_asked(self, twice: Twice) -> None:
        assert Counter(line["outcome"] for line in twice.again.lines) == {"uptodate": len(GOOD) + 1, "refused": 1}
        assert not twice.again.log
        assert {path: path.stat().st_mtime_ns for path in twice.times} == twice.times
        assert set(twice.lab.held()) == {str(path.relative_to(twice.lab.data)) for path in twice.times}
        key = lambda line: json.dumps(without_end(line), sort_keys=True)  # noqa: E731
        assert sorted(map(key, twice.again.lines)) == sorted(map(key, twice.first.lines))

    def test_it_ends_well_both_times(self, twice: Twice) -> None:
        images, files = twice.lab.data / "images", twice.lab.data / "files"
        rest = f"in {files}, {len(BAD)} lines bad"
        first = f"Done: 6 pictures stored, 0 up to date, in {images}, 1 refused, 1 file stored, 0 up to date, {rest}"
        again = f"Done: 0 pictures stored, 6 up to date, in {images}, 1 refused, 0 files stored, 1 up to date, {rest}"
        assert first in twice.first.done.stderr.splitlines()
        assert again == twice.again.done.verdict


# Lists that break off


def broken_off(path: Path, lines: list[str]) -> Path:
    """A gzip file whose rest is missing after these lines."""
    packer = zlib.compressobj(wbits=31)
    path.write_bytes(packer.compress("\n".join([*lines, ""]).encode()) + packer.flush(zlib.Z_SYNC_FLUSH))
    return path


def test_a_list_that_breaks_off_is_listed_as_far_as_it_goes(lab: Lab, tmp_path: Path) -> None:
    rows = [f"{'red panda' if number % 2 else 'cats'}\t{photo(number)}" for number in range(10)]
    path = broken_off(tmp_path / "list.txt.gz", [*rows, f"dogs\t{photo('dog')}\ta dog", photo("bare")])
    run = lab.crawl(f"file={path}", "download=0", code=4)
    expected = [*rows, f"dogs\t{photo('dog')}", f"list\t{photo('bare')}"]
    assert sorted(run.done.stdout.splitlines()) == sorted(expected)
    assert f"{path}, after line 12: the gzip stream breaks off" in run.done.stderr
    assert "mend the file, and run the same command again" in run.done.stderr
    assert run.done.verdict == "Ended: page-changed (exit code 4): 12 pictures listed"
    assert {line["outcome"] for line in run.lines} == {"listed"}
    assert {line["caption"] for line in run.lines if line["keyword"] == "dogs"} == {"a dog"}
    assert len(run.lines) == 12
    assert not run.log
    assert not lab.held()


@pytest.mark.slow
def test_what_comes_before_a_list_breaks_off_is_stored(lab: Lab, tmp_path: Path) -> None:
    path = broken_off(tmp_path / "list.txt.gz", [photo(number) for number in range(10)])
    run = lab.crawl(f"file={path}", code=4)
    assert run.folders == {photo(number): "list/0" for number in range(10)}
    assert len(lab.held()) == 10


# Without an engine


def spider_of(path: Path, **arguments: str) -> UrlsSpider:
    crawler = get_crawler(UrlsSpider)
    crawler.engine = cast("Any", Network({}))
    return UrlsSpider.from_crawler(crawler, file=str(path), **arguments)


def items_of(spider: UrlsSpider) -> list[Any]:
    """What it yields, each of them settled at once; it must come to its end."""

    async def collect() -> list[Any]:
        found = []
        async for given in spider.items():
            found.append(given)
            spider.item_settled(given)
        return found

    return asyncio.run(asyncio.wait_for(collect(), 10))


@pytest.mark.parametrize(
    ("name", "head", "rest", "why"),
    [
        ("list.json", f'["{photo(1)}", "{photo(2)}"', "", "line 1: no JSON: "),
        ("list.json", f'{{"cats": ["{photo(1)}", "{photo(2)}"], ', "5: ", "line 1: neither JSON ("),
        ("list.jsonl.zst", json_lines([photo(1), photo(2)]), "cut", "after line 2: the zstd stream breaks off"),
        ("list.csv.gz", f"url\n{photo(1)}\n{photo(2)}\n", "cut", "after line 3: the gzip stream breaks off"),
    ],
)
def test_a_rest_that_cannot_be_read_is_said_after_what_comes_before(
    tmp_path: Path, name: str, head: str, rest: str, why: str
) -> None:
    if rest != "cut":
        path = written(tmp_path, name, head + rest)
    elif name.endswith(".gz"):
        path = broken_off(tmp_path / name, head.splitlines())
    else:
        packer = zstd.ZstdCompressor()
        path = tmp_path / name
        path.write_bytes(packer.compress(head.encode(), packer.FLUSH_BLOCK))
    spider = spider_of(path)
    failed = []
    spider.page_failed = lambda error, keyword, body=None: failed.append((str(error), keyword))  # type: ignore[method-assign]
    assert [given.urls for given in items_of(spider)] == [[photo(1)], [photo(2)]]
    [(said, keyword)] = failed
    assert said.startswith(f"{path}, {why}")
    assert keyword == "list"


@pytest.mark.parametrize("count", [BAD_LINES_SHOWN, BAD_LINES_SHOWN + 5])
def test_the_first_bad_lines_are_warnings(tmp_path: Path, caplog: pytest.LogCaptureFixture, count: int) -> None:
    caplog.set_level(logging.INFO, "urls")
    spider = spider_of(written(tmp_path, "list.txt", f"{photo(1)}\n" + "no picture\n" * count))
    assert len(items_of(spider)) == 1
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [f", line {line}: " in said for line, said in enumerate(warned, 2)][:BAD_LINES_SHOWN] == [
        True
    ] * BAD_LINES_SHOWN
    assert len(warned) == min(count, BAD_LINES_SHOWN) + (count > BAD_LINES_SHOWN)
    assert spider.crawler.stats and spider.crawler.stats.get_value("lines/bad") == spider.bad_lines == count


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ("cats", "a cat", None)),
        ({"extra_columns": "year,licence"}, ("cats", "a cat", {"year": "1999", "licence": "CC0"})),
        ({"extra_columns": "*"}, ("cats", "a cat", {"link": GONE, "licence": "CC0", "year": "1999"})),
        ({"url_column": "link", "keyword_column": "year", "caption_column": "licence"}, ("1999", "CC0", None)),
        ({"keyword_column": "text", "caption_column": "label"}, ("a cat", "cats", None)),
    ],
)
def test_columns_go_where_they_are_named(tmp_path: Path, arguments: dict[str, str], expected: tuple[Any, ...]) -> None:
    body = f"link,url,label,text,licence,year\n{GONE},{photo(1)},cats,a cat,CC0,1999\n"
    [found] = items_of(spider_of(written(tmp_path, "list.csv", body), **arguments))
    assert (found.keyword, found.caption, found.details) == expected
    assert found.urls == [GONE if "url_column" in arguments else photo(1)]
    assert (found.source, found.rank, found.outcome) == ("urls", 2, None)


@pytest.mark.parametrize(("download", "outcome"), [("0", Outcome.LISTED), ("1", None)])
def test_lines_of_every_kind_are_listed_where_nothing_is_to_be_fetched(
    tmp_path: Path, download: str, outcome: Outcome | None
) -> None:
    found = items_of(spider_of(written(tmp_path, "list.jsonl", json_lines(GOOD)), download=download))
    assert [given.outcome for given in found] == [outcome] * len(GOOD)
    assert [replace(given, outcome=None) for given in found[: len(REPLAYED)]] == REPLAYED


@pytest.mark.parametrize(
    ("keyword", "found"), [("  red \n panda ", "red panda"), (" ", "list"), ("a\x1b[31mb", None), ("\0", None)]
)
def test_the_keyword_of_a_line_of_a_feed_is_checked_as_any(tmp_path: Path, keyword: str, found: str | None) -> None:
    spider = spider_of(written(tmp_path, "list.jsonl", json_lines([as_listed(KNOWN, keyword=keyword), photo(1)])))
    assert [given.keyword for given in items_of(spider)] == [*[found] * (found is not None), "list"]
    assert spider.bad_lines == (found is None)


@pytest.mark.parametrize("others", [{"rank": -1}, {"rank": 2**63}, {"width": 0}, {"width": 2**31}, {"rank": 10**30}])
def test_a_line_of_a_feed_with_a_number_out_of_range_is_bad(tmp_path: Path, others: dict[str, int]) -> None:
    spider = spider_of(written(tmp_path, "list.jsonl", json_lines([as_listed(KNOWN, **others), photo(1)])))
    assert [given.urls for given in items_of(spider)] == [[photo(1)]]
    assert spider.bad_lines == 1


@pytest.mark.parametrize("download", ["0", "1"])
def test_an_ornament_is_one_whether_anything_is_fetched_or_not(tmp_path: Path, download: str) -> None:
    for outcome in ("refused", "listed"):
        path = written(tmp_path, "list.jsonl", json_lines([as_listed(ORNAMENT, outcome)]))
        assert items_of(spider_of(path, download=download)) == [ORNAMENT]


# No more is read than there is room for


def test_a_list_is_read_only_as_far_as_there_is_room(lab: Lab, tmp_path: Path) -> None:
    """Four pictures hang until they time out. How far the list was read by then is told by bad lines, one after each
    address, and by its end, which nobody must come to: the file breaks off there."""
    lines = [f"https://trouble.example/slow/jpeg/300x200/{number}.jpg\nbad" for number in range(20_000)]
    path = broken_off(tmp_path / "list.txt.gz", lines)
    settings = ("CONCURRENT_ITEMS=4", "DOWNLOAD_TIMEOUT=1", "RETRY_TIMES=0", "CLOSESPIDER_ITEMCOUNT=1")
    run = lab.crawl(f"file={path}", "-L", "INFO", *(word for given in settings for word in ("-s", given)), code=8)
    assert {line["reason"] for line in run.lines} == {"timeout", "stopped"}
    assert len(run.lines) < 40
    assert max(run.told("WARNING") + run.told("INFO")) < 80
    assert "breaks off" not in run.done.stderr


# Lists that other spiders write


def test_a_search_lists_its_pictures_as_lines_of_a_list(lab: Lab, replica: Replica, tmp_path: Path) -> None:
    page = save_results_page(replica, "cats", tmp_path / "cats.html")
    listed = lab.crawl(f"page={page}", "q=cats", "limit=6", "download=0", spider="google_images")
    urls = [str(result.image_url) for result in results("cats")[:6]]
    assert sorted(listed.done.stdout.splitlines()) == sorted(f"cats\t{url}" for url in urls)
    assert {line["outcome"] for line in listed.lines} == {"listed"}
    assert listed.done.verdict == "Done: 6 pictures listed"
    assert not listed.log
    assert not lab.held()
    rows = list(read_rows(written(tmp_path, "urls.txt", listed.done.stdout)))
    assert sorted((url, keyword) for _, url, keyword, _ in brief(rows)) == [(url, "cats") for url in sorted(urls)]


@pytest.mark.slow
def test_a_search_in_the_browser_lists_without_asking_for_pictures(lab: Lab, tmp_path: Path) -> None:
    listed = lab.google("q=cats", "limit=6", "download=0")
    assert [line["outcome"] for line in listed.lines] == ["listed"] * 6
    assert not [request for request in listed.log if request.host.endswith((".example", "gstatic.com"))]
    assert not lab.held()
    run = lab.crawl(f"file={written(tmp_path, 'urls.txt', listed.done.stdout)}")
    urls = [str(result.image_url) for result in results("cats")[:6]]
    assert {folder.split("/")[0] for folder in run.folders.values()} == {"cats"}
    assert sorted(run.folders) == sorted(urls)
    assert sorted(lab.held().values()) == sorted(map(picture_bytes, urls))


@pytest.mark.slow
def test_the_classic_workflow_gives_what_one_crawl_gives(lab: Lab, other: Lab, tmp_path: Path) -> None:
    queries = written(tmp_path, "queries.csv", "cats,1\nred panda,2\n")
    feed = tmp_path / "urls.jsonl"
    listed = lab.google(f"queries={queries}", "limit=30", "download=0", "-O", str(feed))
    assert not lab.held()
    assert len(listed.done.stdout.splitlines()) == 60
    lab.crawl(f"file={feed}")
    other.google(f"queries={queries}", "limit=30")
    assert len(other.held()) == 60
    assert lab.held() == other.held()


@pytest.mark.slow
def test_a_feed_on_standard_output_is_all_that_stands_there(lab: Lab, tmp_path: Path) -> None:
    path = written(tmp_path, "list.txt", f"cats\t{photo(1)}\n")
    run = lab.crawl(f"file={path}", "download=0", "-O", "-:jsonl")
    assert [json.loads(line)["image_urls"] for line in run.done.stdout.splitlines()] == [[photo(1)]]


@pytest.mark.slow
def test_a_feed_of_pictures_gives_them_again(lab: Lab, other: Lab, replica: Replica, tmp_path: Path) -> None:
    """Those that failed at first, too, and those of which Google's copy is kept."""
    page = save_results_page(replica, "cats", tmp_path / "cats.html")
    first = lab.crawl(f"page={page}", "limit=100", spider="google_images")
    [feed] = (lab.data / "feeds" / "google_images").iterdir()
    again = other.crawl(f"file={feed}")
    assert other.held() == lab.held()
    key = lambda line: (line["rank"], line["outcome"], line["reason"])  # noqa: E731
    assert sorted(map(key, again.lines), key=str) == sorted(map(key, first.lines), key=str)
    assert sorted(map(str, map(without_end, again.lines))) == sorted(map(str, map(without_end, first.lines)))


@pytest.mark.slow
def test_a_feed_of_papers_gives_them_in_their_folders(lab: Lab, other: Lab) -> None:
    first = lab.crawl("subject=9609", "limit=8", spider="papacambridge")
    [feed] = (lab.data / "feeds" / "papacambridge").iterdir()
    run = other.crawl(f"file={feed}")
    assert other.held() == lab.held() != {}
    assert sorted(map(str, map(without_end, run.lines))) == sorted(map(str, map(without_end, first.lines)))
    same = lab.crawl(f"file={feed}")
    assert {line["outcome"] for line in same.lines if line["files"]} == {"uptodate"}


# Formats, through the real path


@pytest.mark.slow
def test_a_table_is_stored_by_its_columns(lab: Lab, tmp_path: Path) -> None:
    body = f"url;label;text;licence\n{photo(1)};cats;a cat;CC0\n{photo(2)};;;\n{photo(3)};cats\n"
    run = lab.crawl(f"file={written(tmp_path, 'photos.csv.gz', body)}", "extra_columns=licence")
    assert run.folders == {photo(1): "cats/0", photo(2): "photos/0"}
    assert {line["rank"]: (line["caption"], line["details"]) for line in run.lines} == {
        2: ("a cat", {"licence": "CC0"}), 3: (None, {"licence": ""})
    }  # fmt: skip
    assert run.told("WARNING") == [4]


@pytest.mark.slow
def test_a_dictionary_of_an_older_script_is_data(lab: Lab, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    attack = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    body = f"{{'cats': ['{photo(1)}', '{DATA_URI}', {attack}], 'red panda': ['{photo(2)}'], {attack}: ['{photo(3)}']}}"
    run = lab.crawl(f"file={written(tmp_path, 'keyword_urls.txt', body)}", "-L", "INFO")
    assert run.folders == {photo(1): "cats/0", DATA_URI: "cats/0", photo(2): "red panda/0"}
    assert run.stat("lines/bad") == 2
    assert not mark.exists()


@pytest.mark.slow
def test_parquet_is_stored_by_its_columns(lab: Lab, tmp_path: Path) -> None:
    columns = {"URL": [photo(1), None, photo(2)], "TEXT": ["a cat", "nothing", None], "WIDTH": [300, 1, 2]}
    run = lab.crawl(f"file={parquet(tmp_path, columns)}", "caption_column=TEXT", "extra_columns=*")
    assert run.folders == {photo(1): "list/0", photo(2): "list/0"}
    assert {line["rank"]: (line["caption"], line["details"]) for line in run.lines} == {
        1: ("a cat", {"WIDTH": 300}), 3: (None, {"WIDTH": 2})
    }  # fmt: skip
    assert run.told("WARNING") == [2]


# Killed, and long lists


@pytest.mark.slow
@pytest.mark.parametrize("asked", [1, 20, 60])
def test_a_killed_crawl_is_finished_by_the_same_command(lab: Lab, tmp_path: Path, asked: int) -> None:
    urls = [photo(f"k{asked}-{number}", "640x480") for number in range(120)]
    path = written(tmp_path, "list.txt.zst", "\n".join(urls))
    before = len(lab.replica.requests)
    process = subprocess.Popen(
        [sys.executable, "-m", "scrapy", "crawl", "urls", "-a", f"file={path}"],
        cwd=ROOT, env=environment(lab.data, lab.replica.environment()), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while len(lab.replica.requests) - before < asked and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    shutil.rmtree(lab.data / "feeds", ignore_errors=True)
    run = lab.crawl(f"file={path}")
    assert sorted(line["image_urls"][0] for line in run.lines) == sorted(urls)
    assert {line["outcome"] for line in run.lines} <= {"stored", "uptodate"}
    assert sorted(lab.held().values()) == sorted(map(picture_bytes, urls))
    again = lab.crawl(f"file={path}")
    assert Counter(line["outcome"] for line in again.lines) == {"uptodate": 120}
    assert not again.log


@pytest.mark.slow
def test_memory_does_not_grow_with_the_list(replica: Replica, tmp_path: Path) -> None:
    def peaks() -> Iterator[int]:
        for count in (5_000, 25_000):
            path = written(tmp_path, f"{count}.txt", "".join(f"cats\t{photo(number)}\n" for number in range(count)))
            lab = Lab(replica, tmp_path / str(count))
            run = lab.crawl(f"file={path}", "download=0", "-L", "INFO", "-s", "MEMUSAGE_CHECK_INTERVAL_SECONDS=0.2")
            assert len(run.done.stdout.splitlines()) == len(run.lines) == count
            yield run.stat("memusage/max")

    short, long = peaks()
    assert long < short + 10 * 2**20


# Many hosts


class KeptAlive(BaseHTTPRequestHandler):
    """Hosts that never close a connection by themselves; ``most`` were open at once."""

    protocol_version = "HTTP/1.1"
    open: ClassVar[set[object]] = set()
    most: ClassVar[int] = 0
    picture: ClassVar[bytes] = picture_bytes("https://photos.example/jpeg/200x150/many.jpg")

    def handle(self) -> None:
        self.open.add(self)
        KeptAlive.most = max(self.most, len(self.open))
        super().handle()
        self.open.discard(self)

    def do_GET(self) -> None:
        body = b"" if self.path == "/robots.txt" else self.picture
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.slow
def test_of_many_hosts_few_connections_stay_open(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("", 0), KeptAlive)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hosts = [f"127.0.{number // 250}.{number % 250 + 1}" for number in range(400)]
    path = tmp_path / "hosts.txt"
    path.write_text("".join(f"http://{host}:{server.server_port}/{host}.jpg\n" for host in hosts), "utf-8")
    try:
        allowed = ("-s", "ALLOW_PRIVATE_ADDRESSES=True")
        done = crawl(tmp_path / "data", f"file={path}", *allowed, spider="urls", env={"no_proxy": "*"})
    finally:
        server.shutdown()
        server.server_close()
    assert done.code == 0, done.stderr
    assert Counter(line["outcome"] for line in done.items) == {"stored": 1, "duplicate": 399}
    assert KeptAlive.most <= HOSTS_KEPT + 2 * CONCURRENT_REQUESTS
