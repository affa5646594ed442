"""The lines of what is found and not fetched."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import signals
from scrapy.exceptions import NotConfigured
from scrapy.settings import Settings
from scrapy.signalmanager import SignalManager

from imagecrawl.extensions import listing
from imagecrawl.extensions.listing import Listing
from imagecrawl.lists import Row, read_rows
from imagecrawl.outcomes import Finish, Outcome
from tests.pipelines.network import file_item, item

URL = "https://a.example/1.pdf"
CRAWLER: Any = object()


def show(listed: object) -> None:
    Listing(CRAWLER).item_scraped(listed)


def test_a_line_says_where_it_would_go_and_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    show(file_item(URL, "https://b.example/1.pdf", name="1.pdf", outcome=Outcome.LISTED))
    assert capsys.readouterr().out == f"test/caie/physics-0625/1.pdf\t{URL}\n"


def test_a_line_has_the_names_of_the_store(capsys: pytest.CaptureFixture[str]) -> None:
    show(file_item(URL, name="con.pdf", folder=["..", "a/b", "IGCSE"], outcome=Outcome.LISTED))
    [place, url] = capsys.readouterr().out.rstrip("\n").split("\t")
    parts = place.split("/")
    assert len(parts) == 5 and parts[0] == "test" and parts[3] == "IGCSE"
    assert ".." not in parts and parts[4] != "con.pdf" and parts[4].endswith(".pdf")
    assert url == URL


def test_a_line_is_one_line_without_what_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    show(
        file_item(
            "https://a.example/\x1b[2J\n1.pdf",
            name="red\x1b[31m\tpaper\n.pdf",
            folder=["caie\r", "\u202egpj\x9b31m"],
            outcome=Outcome.LISTED,
        )
    )
    out = capsys.readouterr().out
    assert out.count("\n") == out.count("\t") == 1
    assert out.startswith("test/caie") and out.endswith("\thttps://a.example/[2J1.pdf\n")
    assert all(c.isprintable() for c in out.replace("\t", "").replace("\n", ""))


def test_a_picture_has_its_keyword(capsys: pytest.CaptureFixture[str]) -> None:
    listed = item(URL, keyword="red panda")
    listed.outcome = Outcome.LISTED
    show(listed)
    assert capsys.readouterr().out == f"red panda\t{URL}\n"


def test_the_first_of_several_addresses_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    listed = item(URL, "https://b.example/2.jpg")
    listed.outcome = Outcome.LISTED
    show(listed)
    assert capsys.readouterr().out == f"cats\t{URL}\n"


@pytest.mark.parametrize(
    "keyword",
    [
        "red panda",
        "猫",
        "a, b; c",
        "https:",
        "#sunset",
    ],
)
def test_the_lines_of_pictures_are_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str], keyword: str) -> None:
    listed = item(URL, keyword=keyword)
    listed.outcome = Outcome.LISTED
    show(listed)
    path = tmp_path / "list.txt"
    path.write_text(capsys.readouterr().out, "utf-8")
    assert list(read_rows(path)) == [Row(1, (URL,), keyword, None, {})]


@pytest.mark.parametrize("outcome", [None, *(outcome for outcome in Outcome if outcome is not Outcome.LISTED)])
def test_what_is_fetched_has_no_line(capsys: pytest.CaptureFixture[str], outcome: Outcome | None) -> None:
    show(file_item(URL, outcome=outcome))
    show({"outcome": "listed", "file_urls": [URL]})
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("error", "reason", "said"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), Finish.FEED_ERROR, "the list cannot be written (Broken pipe)"),
        (OSError(errno.ENOSPC, "No space left"), Finish.DISK_FULL, "the list cannot be written (No space left)"),
        (OSError(errno.EIO, "I/O error"), Finish.FEED_ERROR, "the list cannot be written (I/O error)"),
    ],
)
def test_a_list_that_cannot_be_written_ends_the_crawl(
    monkeypatch: pytest.MonkeyPatch, error: OSError, reason: Finish, said: str
) -> None:
    ended: list[tuple[object, ...]] = []

    def fail(text: str) -> None:
        raise error

    monkeypatch.setattr(listing, "say", fail)
    monkeypatch.setattr(listing, "end_crawl", lambda *words: ended.append(words))
    monkeypatch.setattr(listing.os, "dup2", lambda *numbers: None)
    monkeypatch.setattr(listing.sys, "stdout", Numbered())
    show(file_item(URL, outcome=Outcome.LISTED))
    assert ended == [(CRAWLER, reason, said)]


def hears(*feeds: str) -> bool:
    """Whether it listens to what a crawl with these feeds finds."""
    crawler: Any = SimpleNamespace(
        settings=Settings({"FEEDS": {uri: {"format": "jsonlines"} for uri in feeds}}), signals=SignalManager()
    )
    extension = Listing.from_crawler(crawler)
    [(heard, _)] = crawler.signals.send_catch_log(signals.item_scraped, item=None)
    return bool(heard == extension.item_scraped)


def test_a_feed_on_standard_output_is_not_mixed_with_lines() -> None:
    for feeds in (["stdout:"], ["data/feeds/x.jsonl", "stdout:"]):
        with pytest.raises(NotConfigured):
            hears(*feeds)


@pytest.mark.parametrize("feeds", [[], ["data/feeds/x.jsonl"], ["stdout.jsonl"], ["s3://bucket/stdout:"]])
def test_any_other_feed_leaves_the_lines(feeds: list[str]) -> None:
    assert hears(*feeds)


class Numbered:
    """Standard output, as far as it is asked for its number."""

    def fileno(self) -> int:
        return 1
