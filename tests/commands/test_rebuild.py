"""``scrapy rebuild``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings

from imagecrawl.commands import rebuild
from imagecrawl.commands.rebuild import Command, default_feeds, find_feeds
from imagecrawl.items import FileItem, ImageItem, read_item
from imagecrawl.ledger import Entry, Ledger, State
from imagecrawl.memory import REBUILD, CrawlLock
from imagecrawl.optouts import from_json
from imagecrawl.outcomes import Outcome
from imagecrawl.stores import file_sha256
from tests.commands.stock import PDF, TIME, Stock, feed_line, file_line, row

LATER = "2026-11-02T12:00:00+00:00"
DATA_URI = "data:image/gif;base64,R0lGODlhAQABAAAAACw="


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    return Stock(tmp_path / "data")


@pytest.fixture
def run(stock: Stock) -> Callable[..., int]:
    """The command without a process of its own; its exit code."""

    def run(*feeds: str, **settings: Any) -> int:
        command = Command()
        key = f"{stock.data}/feeds/%(name)s/%(batch_time)s.jsonl"
        own = {"LEDGER": str(stock.path), **stock.stores, "FEEDS": {key: {"format": "jsonlines"}}}
        command.settings = Settings({**own, **settings})
        command.run(list(feeds), None)  # type: ignore[arg-type]
        return command.exitcode

    return run


def only(rows: list[Entry]) -> Entry:
    [row] = rows
    return row


def test_the_new_ledger_is_the_old_one(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg#top", b"one")
    stock.keep("https://b.example/1.jpg", b"one")
    stock.keep("https://a.example/2.jpg", b"two", keyword="قطط / 1")
    stock.keep("https://a.example/1.jpg", b"one", keyword="other")
    stock.keep(DATA_URI, b"three")
    stock.miss("https://a.example/3.jpg", Outcome.FAILED, "http-503")
    stock.miss("https://a.example/4.jpg", Outcome.REFUSED, "too-small")
    before, body = stock.rows(), stock.path.read_bytes()
    assert [row.outcome for row in before].count(Outcome.DUPLICATE) == 1
    done = stock.run("rebuild")
    assert (done.returncode, done.stderr) == (0, "")
    [old] = stock.data.glob("ledger.sqlite3.*.old")
    assert done.stdout == (
        "7 rows written, 4 files in place; 0 missing or damaged; 0 files that no feed names, left alone;"
        f" 0 lines not used; the old ledger is {old}\n"
    )
    assert stock.rows() == before
    assert old.read_bytes() == body
    assert sorted(path.name for path in stock.data.iterdir()) == sorted(
        ["feeds", "images", "ledger.sqlite3", old.name, "running"]
    )
    assert stock.run("verify").returncode == 0


def test_a_damaged_ledger_is_replaced_with_all_that_sqlite_kept_of_it(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg")
    before = stock.rows()
    for end in ("", "-wal", "-shm"):
        stock.path.with_name(f"ledger.sqlite3{end}").write_bytes(f"garbage{end}".encode())
    assert stock.run("rebuild").returncode == 0
    assert stock.rows() == before
    [old] = stock.data.glob("*.old")
    for end in ("", "-wal", "-shm"):
        assert old.with_name(f"{old.name}{end}").read_bytes() == f"garbage{end}".encode()


def test_a_ledger_is_made_where_there_was_none(stock: Stock, run: Callable[..., int]) -> None:
    stock.keep("https://a.example/1.jpg")
    before = stock.rows()
    stock.path.unlink()
    assert run() == 0
    assert stock.rows() == before
    assert not list(stock.data.glob("*.old"))


def test_cut_and_foreign_lines_are_counted_and_the_first_named(
    stock: Stock, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    stock.keep("https://a.example/1.jpg")
    before = stock.rows()
    good = json.loads(stock.feed.read_text("utf-8"))
    foreign = [
        {"name": "a line of another program"},
        {**good, "outcome": "eaten"},
        {**good, "rank": 2**64},
        {**good, "crawled_at": None},
        {**good, "images": [{**good["images"][0], "path": "../../secret.jpg"}]},
        {**good, "images": [{**good["images"][0], "path": "/etc/secret.jpg"}]},
        {**good, "images": [{**good["images"][0], "path": "a/\0.jpg"}]},
        {**good, "images": [{**good["images"][0], "sha256": "short"}]},
        {**good, "images": [{**good["images"][0], "url": "no address"}]},
    ]
    for line in foreign:
        stock.write(line)
    stock.write("[1, 2]\n\n")
    with stock.feed.open("ab") as file:
        file.write(b"\xff\n")
    stock.write('{"keyword": "\\ud800"}\n')
    stock.write(json.dumps(good)[:-20])
    assert run() == 0
    assert stock.rows() == before
    *named, closing = capsys.readouterr().out.splitlines()
    assert "13 lines not used" in closing
    assert len(named) == 10
    assert named[0] == f"not used: {stock.feed}:2 is no line of a feed of ours, or is cut"


def test_pictures_that_are_missing_or_damaged_get_no_row(
    stock: Stock, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    stock.keep("https://a.example/1.jpg", b"1", path="cats/0/1.jpg")
    stock.keep("https://a.example/2.jpg", b"2", path="cats/0/2.jpg").unlink()
    stock.keep("https://a.example/3.jpg", b"3", path="cats/0/3.jpg").write_bytes(b"?")
    (stock.images / "cats" / "0" / "own.jpg").write_bytes(b"?")
    stock.write(feed_line("https://a.example/2.jpg", "cats", **_again(stock, 1)))
    assert run() == 0
    assert only(stock.rows()).path == "cats/0/1.jpg"
    out = capsys.readouterr().out
    assert "missing: cats/0/2.jpg (https://a.example/2.jpg)\n" in out
    assert "damaged: cats/0/3.jpg (https://a.example/3.jpg)\n" in out
    # the file that is damaged and the one of nobody
    assert "; 2 missing or damaged; 2 files that no feed names, left alone;" in out
    assert (stock.images / "cats" / "0" / "own.jpg").exists()


def _again(stock: Stock, number: int) -> dict[str, Any]:
    """The same picture as in a line, from a later run."""
    line = json.loads(stock.feed.read_text("utf-8").splitlines()[number])
    return {"images": line["images"], "outcome": "uptodate", "crawled_at": LATER}


def test_a_file_is_read_once_however_many_lines_name_it(
    stock: Stock, run: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    stock.keep("https://a.example/1.jpg", b"same")
    stock.keep("https://b.example/1.jpg", b"same")
    bad = stock.keep("https://a.example/2.jpg", b"old")
    bad.write_bytes(b"new")
    for _ in range(3):
        stock.write(feed_line("https://a.example/1.jpg", "cats", **_again(stock, 0)))
        stock.write(feed_line("https://a.example/2.jpg", "cats", **_again(stock, 2)))
    read: list[Path] = []

    def hash_and_tell(path: Path) -> str:
        read.append(path)
        return file_sha256(path)

    monkeypatch.setattr("imagecrawl.stores.file_sha256", hash_and_tell)
    assert run() == 0
    assert len(read) == 2


def test_what_was_found_up_to_date_was_not_fetched_again(stock: Stock, run: Callable[..., int]) -> None:
    stock.keep("https://a.example/1.jpg", b"1")
    stock.write(feed_line("https://a.example/1.jpg", "cats", **_again(stock, 0)))
    assert run() == 0
    assert _times(stock) == (TIME, TIME, 1)
    stock.write(feed_line("https://a.example/1.jpg", "cats", **{**_again(stock, 0), "outcome": "stored"}))
    assert run() == 0
    assert _times(stock) == (TIME, LATER, 2)


def _times(stock: Stock) -> tuple[str, str | None, int]:
    ledger = Ledger(stock.path)
    row = only(list(ledger.held()))
    ledger.close()
    assert row.mtime_ns == (stock.images / str(row.path)).stat().st_mtime_ns
    return row.first_seen, row.fetched, row.attempts


def test_a_later_line_wins_but_nothing_takes_back_a_picture(stock: Stock, run: Callable[..., int]) -> None:
    url = "https://a.example/1.jpg"
    stock.write(feed_line(url, "cats", outcome="failed", reason="timeout"))
    assert run() == 0
    assert (only(stock.rows()).state, only(stock.rows()).reason) == (State.DUE, "timeout")
    stock.write(feed_line(url, "cats", outcome="refused", reason="too-small"))
    assert run() == 0
    assert (only(stock.rows()).state, only(stock.rows()).reason) == (State.CLOSED, "too-small")
    stock.keep(url)
    stock.write(feed_line(url, "cats", outcome="failed", reason="http-404"))
    assert run() == 0
    assert (only(stock.rows()).state, only(stock.rows()).reason) == (State.HELD, None)


def test_feeds_are_read_by_name_whatever_folder_they_are_in(stock: Stock, run: Callable[..., int]) -> None:
    for folder, time, reason in (("b", "2026-01-01", "dns"), ("a", "2026-01-02", "timeout")):
        stock.feed = stock.data / "feeds" / folder / f"{time}.jsonl"
        stock.write(feed_line("https://a.example/1.jpg", "cats", outcome="failed", reason=reason))
    assert run() == 0
    assert only(stock.rows()).reason == "timeout"


def test_a_thumbnail_leaves_its_picture_due(stock: Stock, run: Callable[..., int]) -> None:
    both = ["https://a.example/a b.jpg", "https://t.example/small.jpg"]
    stock.keep(both[1], image_urls=both, reason="http-404")
    thumbnail = only(stock.rows())
    assert run() == 0
    picture = replace(
        thumbnail, url="https://a.example/a%20b.jpg", state=State.DUE, outcome=Outcome.FAILED, reason="http-404",
        path=None, sha256=None, md5=None, bytes=None, width=None, height=None, format=None, mode=None,
    )  # fmt: skip
    assert stock.rows() == [picture, thumbnail]


def test_what_failed_can_be_retried_afterwards(stock: Stock, run: Callable[..., int]) -> None:
    stock.miss("https://a.example/3.jpg", Outcome.FAILED, "http-503")
    assert run() == 0
    ledger = Ledger(stock.path)
    [(keyword, number)] = ledger.reopen("google_images", ["http-503"])
    found = ImageItem(**json.loads(ledger.item(number) or ""))
    ledger.close()
    line = feed_line("https://a.example/3.jpg", "cats")
    assert keyword == "cats"
    assert {name: line[name] for name in json.loads(found.page_part())} == json.loads(found.page_part())


def test_what_was_said_of_being_used_is_in_the_rows(stock: Stock, run: Callable[..., int]) -> None:
    urls = [f"https://a.example/{number}.jpg" for number in range(3)]
    stock.keep(urls[0], opt_outs={"noindex": "meta robots: noindex"})
    stock.keep(urls[1], b"two")
    stock.write(
        feed_line(urls[2], "cats", outcome="refused", reason="opt-out", opt_outs={"noai": "X-Robots-Tag: noai"})
    )
    assert run() == 0
    assert {row.url: from_json(row.opt_outs) for row in stock.rows()} == {
        urls[0]: {"noindex": "meta robots: noindex"},
        urls[1]: {},
        urls[2]: {"noai": "X-Robots-Tag: noai"},
    }


def test_a_line_from_before_opt_outs_says_nothing_of_them(stock: Stock, run: Callable[..., int]) -> None:
    stock.keep("https://a.example/1.jpg")
    line = json.loads(stock.feed.read_text("utf-8"))
    del line["opt_outs"]
    stock.feed.write_text(json.dumps(line) + "\n", "utf-8")
    assert run() == 0
    assert only(stock.rows()).opt_outs is None


@pytest.mark.parametrize("text", ["", "outcome,reason\nstored,\n", '{"foreign": 1}\n'])
def test_feeds_that_are_none_change_nothing(stock: Stock, run: Callable[..., int], text: str) -> None:
    stock.keep("https://a.example/1.jpg")
    before = stock.path.read_bytes()
    (stock.data / "other.jsonl").write_text(text, "utf-8")
    assert run(str(stock.data / "other.jsonl")) == 1
    assert stock.path.read_bytes() == before
    assert not list(stock.data.glob("*.old")) + list(stock.data.glob("*.new*"))


def test_what_is_no_ledger_is_not_moved_aside(stock: Stock, run: Callable[..., int]) -> None:
    stock.keep("https://a.example/1.jpg")
    stock.path.unlink()
    with closing(sqlite3.connect(stock.path)) as database, database:
        database.execute("CREATE TABLE other (value)")
    before = stock.path.read_bytes()
    assert run() == 2
    assert stock.path.read_bytes() == before
    stock.path.unlink()
    stock.path.mkdir()
    assert run() == 2
    assert not list(stock.data.glob("*.old"))


def test_other_stores_of_the_old_ledger_are_named(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg")
    stock.settle(replace(row("https://a.example/2.jpg", "cats"), store="elsewhere", path="cats/0/2.jpg", sha256="2"))
    done = stock.run("rebuild")
    assert done.returncode == 0
    assert f"not rebuilt: {stock.data}/elsewhere, which the old ledger knew of too" in done.stdout


def test_what_killed_crawls_left_half_written_is_removed(stock: Stock, run: Callable[..., int]) -> None:
    kept = stock.keep("https://a.example/1.jpg")
    part = kept.with_name(f".{kept.name}.7.part")
    part.write_bytes(b"half")
    assert run() == 0
    assert not part.exists()
    assert kept.exists()


@pytest.mark.parametrize("urls", [[], ["no address"], ["https://t.example/small.jpg"]])
def test_a_line_without_an_address_to_ask_for_leaves_no_row(
    stock: Stock, run: Callable[..., int], urls: list[str]
) -> None:
    stock.keep("https://t.example/small.jpg", image_urls=urls, reason="no-url")
    before = stock.rows()
    stock.write(feed_line("", "cats", image_urls=urls[:0], outcome="failed", reason="no-url"))
    assert run() == 0
    assert stock.rows() == before


def test_a_thumbnail_that_is_gone_is_not_called_failed(stock: Stock, run: Callable[..., int]) -> None:
    stock.keep("https://t.example/small.jpg", reason="no-url").unlink()
    assert run() == 0
    assert stock.rows() == []


def test_nothing_is_changed_while_a_crawl_runs(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg")
    body = stock.path.read_bytes()
    lock = CrawlLock(stock.path, "google_images-0")
    lock.acquire()
    try:
        done = stock.run("rebuild")
    finally:
        lock.release()
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 and "google_images-0" in done.stderr
    assert stock.path.read_bytes() == body
    assert not list(stock.data.glob("*.new*")) + list(stock.data.glob("*.old"))


def test_a_running_crawl_is_noticed_before_anything_is_read(stock: Stock, run: Callable[..., int]) -> None:
    lock = CrawlLock(stock.path, "google_images-0")
    lock.acquire()
    try:
        assert run() == 2  # and not that there are no feeds
    finally:
        lock.release()


def test_a_crawl_that_begins_meanwhile_keeps_its_ledger(
    stock: Stock, run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stock.keep("https://a.example/1.jpg")
    body = stock.path.read_bytes()
    monkeypatch.setattr(rebuild, "PATIENCE", 0.05)
    lock = CrawlLock(stock.path, "google_images-0")
    read = rebuild.Rebuilding.read
    monkeypatch.setattr(rebuild.Rebuilding, "read", lambda self, feeds: (read(self, feeds), lock.acquire()))
    try:
        assert run() == 2
    finally:
        lock.release()
    assert "google_images-0" in capsys.readouterr().err
    assert stock.path.read_bytes() == body
    assert not list(stock.data.glob("*.new*")) + list(stock.data.glob("*.old"))


def test_no_two_rebuild_at_once(stock: Stock, run: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CrawlLock.acquire, "__defaults__", (0.1,))
    stock.keep("https://a.example/1.jpg")
    lock = CrawlLock(stock.path, REBUILD)
    lock.acquire()
    try:
        assert run() == 2
    finally:
        lock.release()


def test_what_fails_half_way_changes_nothing(
    stock: Stock, run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stock.keep("https://a.example/1.jpg")
    body = stock.path.read_bytes()
    stock.path.with_name("ledger.sqlite3.new").write_bytes(b"left by a rebuild that was killed")
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name.endswith(".new"):
            raise PermissionError(13, "Permission denied", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    assert run() == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and "Permission denied" in err
    assert stock.path.read_bytes() == body
    assert sorted(path.name for path in stock.data.iterdir()) == ["feeds", "images", "ledger.sqlite3", "running"]


@pytest.mark.parametrize(
    ("store", "words"),
    [("gs://bucket/images/", "cannot be verified"), ("s3://pictures/crawl/", "cannot be looked at")],
)
def test_a_store_that_cannot_be_looked_at_changes_nothing(
    stock: Stock, run: Callable[..., int], capsys: pytest.CaptureFixture[str], store: str, words: str
) -> None:
    stock.keep("https://a.example/1.jpg")
    body = stock.path.read_bytes()
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", "AWS_REGION_NAME": "us-east-1"}
    assert run(IMAGES_STORE=store, AWS_ENDPOINT_URL="http://127.0.0.1:9", **keys) == 2
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and words in err
    assert stock.path.read_bytes() == body


def test_a_store_folder_that_is_gone_is_not_made(stock: Stock, run: Callable[..., int], tmp_path: Path) -> None:
    stock.keep("https://a.example/1.jpg")
    stock.images.rename(tmp_path / "elsewhere")
    assert run() == 0
    assert stock.rows() == []
    assert not stock.images.exists()


# Files beside pictures


def test_the_new_ledger_has_files_and_pictures_as_the_old_one(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg", b"one")
    stock.keep_file("https://a.example/1.pdf", b"one")
    stock.keep_file("https://b.example/1.pdf", b"one", name="1.pdf")
    stock.keep_file("https://a.example/2.pdf", b"two", folder=["caie", "a/b"], subject="قطط")
    stock.keep_file("https://a.example/1.pdf", b"one", folder=["caie", "other"])
    stock.miss_file("https://a.example/3.pdf", Outcome.FAILED, "not-the-file")
    stock.miss_file("https://a.example/4.pdf", Outcome.REFUSED, "too-large")
    stock.miss("https://a.example/3.jpg", Outcome.FAILED, "http-503")
    before = stock.rows()
    assert [row.outcome for row in before].count(Outcome.DUPLICATE) == 1
    done = stock.run("rebuild")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "8 rows written, 4 files in place; 0 missing or damaged; 0 files that no feed names, left alone;"
        " 0 lines not used; the old ledger is "
    )
    assert stock.rows() == before
    assert stock.run("verify").returncode == 0


def test_the_row_of_a_file_is_what_its_line_says(stock: Stock, run: Callable[..., int]) -> None:
    file = stock.keep_file("https://a.example/1.pdf")
    assert run() == 0
    found = only(stock.rows())
    assert (found.store, found.folder) == ("files", "papacambridge/caie/physics-0625")
    assert (found.path, found.bytes, found.format) == ("papacambridge/caie/physics-0625/1.pdf", 1, PDF)
    assert (found.source, found.keyword, found.rank) == ("papacambridge", "Physics", None)
    assert file.exists()


@pytest.mark.parametrize(
    ("names", "keyword"),
    [
        ({}, "Physics"),
        ({"subject": None}, "IGCSE"),
        ({"subject": None, "level": None}, "CAIE"),
        ({"subject": "", "level": None, "board": None}, "papacambridge"),
    ],
)
def test_a_file_is_counted_under_the_nearest_thing_it_has(
    stock: Stock, run: Callable[..., int], names: dict[str, str | None], keyword: str
) -> None:
    stock.keep_file("https://a.example/1.pdf", **names)
    stock.write(file_line("https://a.example/2.pdf", "2.pdf", outcome="failed", reason="timeout", **names))
    assert run() == 0
    assert [found.keyword for found in stock.rows()] == [keyword, keyword]
    ledger = Ledger(stock.path)
    assert ledger.failures("papacambridge", [])[0][0] == keyword
    ledger.close()


def test_a_file_of_no_known_kind_has_none_in_its_row(stock: Stock, run: Callable[..., int]) -> None:
    stock.keep_file("https://a.example/1.pdf")
    line = json.loads(stock.feed.read_text("utf-8"))
    line["files"][0]["content_type"] = None
    stock.feed.write_text(json.dumps(line) + "\n", "utf-8")
    assert run() == 0
    assert only(stock.rows()).format is None


def test_listed_lines_leave_no_row_and_are_used(
    stock: Stock, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    stock.write(file_line("https://a.example/1.pdf", "1.pdf", outcome="listed"))
    assert run() == 0
    assert stock.rows() == []
    assert "0 lines not used" in capsys.readouterr().out
    stock.keep_file("https://a.example/1.pdf")
    stock.write(file_line("https://a.example/1.pdf", "1.pdf", outcome="listed"))
    before = stock.rows()
    assert run() == 0
    assert stock.rows() == before


def test_lines_of_files_that_are_none_are_counted(
    stock: Stock, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    stock.keep_file("https://a.example/1.pdf")
    before = stock.rows()
    good = json.loads(stock.feed.read_text("utf-8"))
    [file] = good["files"]
    for wrong in (
        {**good, "folder": "caie"},
        {**good, "file_urls": None},
        {**good, "files": [file, file]},
        {**good, "files": [{**file, "path": "../secret.pdf"}]},
        {**good, "files": [{name: value for name, value in file.items() if name != "content_type"}]},
        {name: value for name, value in good.items() if name != "folder"},
    ):
        stock.write(wrong)
    assert run() == 0
    assert stock.rows() == before
    assert "6 lines not used" in capsys.readouterr().out


def test_files_that_are_missing_or_damaged_or_of_nobody_get_no_row(
    stock: Stock, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    stock.keep_file("https://a.example/1.pdf", b"1")
    stock.keep_file("https://a.example/2.pdf", b"2").unlink()
    stock.keep_file("https://a.example/3.pdf", b"3").write_bytes(b"?")
    (stock.files / "own.pdf").write_bytes(b"?")
    assert run() == 0
    assert only(stock.rows()).url == "https://a.example/1.pdf"
    out = capsys.readouterr().out
    assert "missing: papacambridge/caie/physics-0625/2.pdf (https://a.example/2.pdf)\n" in out
    assert "; 2 missing or damaged; 2 files that no feed names, left alone;" in out


def test_a_file_of_the_second_address_leaves_the_first_due(stock: Stock, run: Callable[..., int]) -> None:
    both = ["https://a.example/1.pdf", "https://b.example/1.pdf"]
    stock.keep_file(both[1], file_urls=both, reason="not-the-file")
    assert run() == 0
    assert [(found.url, found.state, found.reason) for found in stock.rows()] == [
        (both[0], State.DUE, "not-the-file"),
        (both[1], State.HELD, None),
    ]


def test_what_killed_crawls_left_of_files_is_removed(stock: Stock, run: Callable[..., int]) -> None:
    kept = stock.keep_file("https://a.example/1.pdf")
    part = kept.with_name(f".{kept.name}.7.part")
    part.write_bytes(b"half")
    assert run() == 0
    assert kept.exists() and not part.exists()
    assert not stock.images.exists()


def test_a_file_that_failed_can_be_retried_afterwards(stock: Stock, run: Callable[..., int]) -> None:
    stock.miss_file("https://a.example/3.pdf", Outcome.FAILED, "http-503")
    assert run() == 0
    ledger = Ledger(stock.path)
    [(keyword, number)] = ledger.reopen("papacambridge", ["http-503"])
    found = read_item(ledger.item(number) or "")
    ledger.close()
    assert keyword == "Physics"
    assert isinstance(found, FileItem)
    line = file_line("https://a.example/3.pdf", "3.pdf")
    assert {name: line[name] for name in json.loads(found.page_part())} == json.loads(found.page_part())


def test_without_feeds_there_is_nothing_to_rebuild_from(stock: Stock) -> None:
    done = stock.run("rebuild")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"there are no feeds to rebuild from in {stock.data}/feeds\n"
    assert not stock.data.exists()


def test_a_feed_that_does_not_exist_is_refused(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg")
    done = stock.run("rebuild", str(stock.feed), "no-such-feed.jsonl")
    assert done.returncode == 2 and "no-such-feed.jsonl" in done.stderr
    assert not list(stock.data.glob("*.old"))


def test_only_the_feeds_that_are_named_are_read(stock: Stock, run: Callable[..., int], tmp_path: Path) -> None:
    stock.keep("https://a.example/1.jpg", b"1")
    own = tmp_path / "own" / "any name"
    own.parent.mkdir()
    stock.feed.rename(own)
    stock.keep("https://a.example/2.jpg", b"2")
    assert run(str(own)) == 0
    assert only(stock.rows()).url == "https://a.example/1.jpg"


def test_feeds_are_found_in_what_is_fixed_of_the_setting(tmp_path: Path) -> None:
    keys = [
        f"{tmp_path}/feeds/%(name)s/%(batch_time)s.jsonl",
        f"file://{tmp_path}/more/run-%(time)s.jsonl",
        "s3://bucket/%(time)s.jsonl",
        tmp_path / "one.jsonl",
        tmp_path / "table.csv",
    ]
    places = list(default_feeds(Settings({"FEEDS": {key: {"format": "jsonlines"} for key in keys}})))
    assert places == [tmp_path / "feeds", tmp_path / "more", tmp_path / "one.jsonl"]
    for name in ("feeds/b/2.jsonl", "more/1.jsonl", "more/3.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_feeds([*places, tmp_path]) == [tmp_path / "more/1.jsonl", tmp_path / "feeds/b/2.jsonl"]
