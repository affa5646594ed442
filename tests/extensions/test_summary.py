"""The table at the end, and the progress lines on a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scrapy.utils.test import get_crawler

from imagecrawl.exceptions import Obstacle, PageBlockedError
from imagecrawl.extensions.summary import ROWS, TALLIES, WIDTH, Summary
from imagecrawl.items import FileItem, ImageItem
from imagecrawl.outcomes import Outcome
from tests.crawling import ROOT, environment
from tests.extensions.test_progress import Terminal
from tests.replica import Replica


def item(keyword: str, outcome: Outcome, reason: str | None = None, images: int = 0) -> ImageItem:
    return ImageItem(
        source="test", keyword=keyword, rank=1, id=None, title=None, page_url=None, site=None, image_urls=[],
        thumbnail_url=None, rights=None, images=[{}] * images, outcome=outcome, reason=reason,
    )  # fmt: skip


def file(subject: str, outcome: Outcome, reason: str | None = None, files: int = 0) -> FileItem:
    return FileItem(
        source="test", board=None, level=None, subject=subject, code=None, session=None, year=None, type=None,
        paper=None, variant=None, label=None, folder=[], name="1.pdf", page_url=None, file_urls=[],
        files=[{}] * files, outcome=outcome, reason=reason,
    )  # fmt: skip


def summary(*keywords: str, asked: int | None = 5) -> Summary:
    summary = Summary(get_crawler(settings_dict={"IMAGES_STORE": "data/images", "FILES_STORE": "data/files"}))
    for keyword in keywords:
        summary.keyword_opened(keyword, asked)
    return summary


def test_every_outcome_has_its_column_and_every_reason_its_count() -> None:
    table = summary("cats", asked=9)
    for outcome, count in ((Outcome.STORED, 3), (Outcome.UPTODATE, 1), (Outcome.DUPLICATE, 2)):
        for _ in range(count):
            table.item_scraped(item("cats", outcome, images=1))
    table.item_scraped(item("cats", Outcome.STORED, "http-404", images=1))
    table.item_scraped(item("cats", Outcome.REFUSED, "too-small"))
    table.item_scraped(item("cats", Outcome.FAILED, "timeout"))
    table.item_scraped(item("cats", Outcome.FAILED, "timeout"))
    [row] = [line.split() for line in table.render().splitlines() if line.strip().startswith("cats")]
    assert row[:7] == ["cats", "9", "4", "1", "2", "1", "2"]
    assert table.tallies["cats"].why() == "only 5 of 9: stopped; timeout 2, too-small 1; 1 as thumbnails (http-404 1)"
    table.keyword_closed("cats", exhausted=True)
    assert table.tallies["cats"].why().startswith("only 5 of 9: there are no more; ")


def test_what_decides_about_a_refusal_is_said_once_before_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    table = summary("cats", "dogs")
    for keyword, reason in (("cats", "opt-out"), ("dogs", "opt-out"), ("cats", "too-small")):
        table.item_scraped(item(keyword, Outcome.REFUSED, reason))
    table.spider_closed("finished")
    *_, hint, verdict = capsys.readouterr().err.splitlines()
    assert hint == "opt-out: `opt_outs` in the feed says what they said, and OPT_OUT_... whether that is obeyed"
    assert verdict.startswith("Done: ")


def test_a_keyword_commands_no_terminal() -> None:
    shown = summary("cats\x1b[2J \u202egpj\x9b1m\nDone: all").render()
    assert "cats[2J gpj1mDone: all" in shown and shown.replace("\n", "").isprintable()


def test_an_obstacle_is_said_in_place_of_a_shortfall() -> None:
    table = summary("cats")
    table.page_failed(PageBlockedError(Obstacle.CAPTCHA, "x"), "cats")
    assert table.tallies["cats"].why() == "page: captcha"


def on_a_terminal(table: Summary, columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", str(columns))
    return [line.rstrip() for line in table.render().splitlines()]


@pytest.mark.parametrize(("columns", "room"), [(40, 10), (80, 16), (90, 26), (119, 30), (120, 30)])
def test_long_keywords_leave_the_headings_whole(monkeypatch: pytest.MonkeyPatch, columns: int, room: int) -> None:
    _, headings, _, row, *_ = on_a_terminal(summary("x" * 100, asked=9), columns, monkeypatch)
    assert headings.split() == "keyword asked stored up to date duplicate refused failed".split() + ["why"] * (
        columns >= WIDTH
    )
    assert row.startswith(f" {'x' * (room - 1)}… ") and row.split()[1:7] == ["9", "0", "0", "0", "0", "0"]


def test_a_narrow_terminal_shows_below_its_keyword_what_kept_it(monkeypatch: pytest.MonkeyPatch) -> None:
    table = summary("cats", "dogs", *(f"keyword {number}" for number in range(ROWS)), asked=None)
    for reason in ["private-address", "too-small", "robots-txt", "not-an-image", "http-404"]:
        table.item_scraped(item("cats", Outcome.REFUSED, reason))
    lines = on_a_terminal(table, 80, monkeypatch)
    assert lines[3:7] == [
        " cats                  0            0           0         5        0",
        "    private-address 1, too-small 1, robots-txt 1, not-an-image 1, http-404 1",
        " dogs                  0            0           0         0        0",
        " keyword 0             0            0           0         0        0",
    ]
    assert lines[-1] == " ... and 2 more"
    table.page_failed(PageBlockedError(Obstacle.CAPTCHA, "x"), "cats")
    long = on_a_terminal(table, 80, monkeypatch)
    assert long[4:6] == [
        "    page: captcha; private-address 1, too-small 1, robots-txt 1, not-an-image 1,",
        "    http-404 1",
    ]
    assert all(len(line) <= 80 for line in long)


def test_a_keyword_is_shown_as_it_is() -> None:
    shown = summary("[bold red]cats[/]", "🐱", "قطط").render()
    assert "[bold red]cats[/]" in shown
    assert "🐱" in shown
    assert "\x1b" not in shown


def test_a_long_list_is_cut_and_says_so() -> None:
    assert "... and 7 more" in summary(*(f"keyword {number}" for number in range(ROWS + 7))).render()
    assert f"... and {TALLIES - ROWS} more" in summary(*map(str, range(TALLIES))).render()


def test_a_keyword_that_is_opened_again_is_counted_on() -> None:
    table = summary("cats")
    for _ in range(2):
        table.item_scraped(item("cats", Outcome.STORED, images=1))
        table.keyword_closed("cats", exhausted=True)
        table.keyword_opened("cats", 7)
    assert words(table, "cats")[:3] == ["cats", "5", "2"]


def test_no_more_keywords_are_remembered_than_there_is_room_for() -> None:
    table = summary(*map(str, range(TALLIES + 3)))
    last, first = str(TALLIES + 2), "0"
    for keyword in (last, first):
        table.keyword_opened(keyword, 7)
        table.page_failed(PageBlockedError(Obstacle.CAPTCHA, "x"), keyword)
        table.item_scraped(item(keyword, Outcome.STORED, images=1))
        table.item_scraped(item(keyword, Outcome.REFUSED, "too-small"))
        table.keyword_closed(keyword, exhausted=True)
    assert len(table.tallies) == TALLIES
    assert last not in table.tallies
    assert f"... and more than {TALLIES - ROWS} more" in table.render()
    assert words(table, first)[:7] == [first, "5", "1", "0", "0", "1", "0"]
    assert table.verdict("finished") == "Done: 2 pictures stored, 0 up to date, in data/images, 2 refused"


def test_a_page_that_failed_after_its_keyword_was_left_out_leaves_the_others_alone() -> None:
    table = summary(*map(str, range(TALLIES)))
    table.page_failed(PageBlockedError(Obstacle.CAPTCHA, "x"), "never opened")
    table.keyword_closed("never opened", exhausted=True)
    assert not table.left_out
    assert not any(tally.obstacle or tally.exhausted for tally in table.tallies.values())


def test_the_verdict_counts_all_keywords() -> None:
    table = summary("cats", "dogs")
    table.item_scraped(item("cats", Outcome.STORED, images=1))
    table.item_scraped(item("dogs", Outcome.STORED, images=1))
    assert table.verdict("finished") == "Done: 2 pictures stored, 0 up to date, in data/images"
    assert table.verdict("shutdown").startswith("Ended: shutdown (exit code 8): 2 pictures stored")


# Files


def words(table: Summary, keyword: str = "") -> list[str]:
    """One row of the table; the heading without a keyword."""
    lines = table.render().strip().splitlines()
    return next(line.split() for line in lines if line.strip().startswith(keyword or "keyword"))


def test_files_are_counted_by_subject() -> None:
    table = summary("Physics", "Art", asked=None)
    for outcome, count in ((Outcome.STORED, 3), (Outcome.UPTODATE, 2), (Outcome.DUPLICATE, 1)):
        for _ in range(count):
            table.item_scraped(file("Physics", outcome, files=1))
    table.item_scraped(file("Physics", Outcome.REFUSED, "too-large"))
    table.item_scraped(file("Physics", Outcome.FAILED, "not-the-file"))
    table.item_scraped(file("opened by nobody", Outcome.STORED, files=1))
    assert words(table, "Physics") == ["Physics", "3", "2", "1", "1", "1", "too-large", "1,", "not-the-file", "1"]
    assert words(table, "Art") == ["Art", "0", "0", "0", "0", "0"]
    said = "Done: 4 files stored, 2 up to date, in data/files, 1 refused, 1 failed"
    assert table.verdict("finished") == said


def test_what_was_asked_is_said_where_something_was_limited() -> None:
    counts = ["stored", "up", "to", "date", "duplicate", "refused", "failed", "why"]
    assert words(summary("Physics", asked=None)) == ["keyword", *counts]
    assert words(summary("Physics", asked=5)) == ["keyword", "asked", *counts]
    both = summary("Physics", asked=5)
    both.keyword_opened("Art", None)
    assert words(both, "Physics")[:2] == ["Physics", "5"]
    assert words(both, "Art")[:2] == ["Art", "all"]


def test_all_there_is_is_no_shortfall() -> None:
    table = summary("Physics", asked=None)
    table.item_scraped(file("Physics", Outcome.STORED, files=1))
    assert table.tallies["Physics"].why() == ""


def test_a_list_has_its_own_column_and_no_other() -> None:
    table = summary("Physics", asked=None)
    table.item_scraped(file("Physics", Outcome.LISTED))
    table.item_scraped(file("Physics", Outcome.LISTED))
    assert words(table) == ["keyword", "listed", "up", "to", "date", "why"]
    assert words(table, "Physics") == ["Physics", "2", "0"]
    assert table.verdict("finished") == "Done: 2 files listed"


def test_a_list_fills_what_was_asked() -> None:
    table = summary("Physics", asked=1)
    table.item_scraped(file("Physics", Outcome.LISTED))
    assert table.tallies["Physics"].why() == ""


STORED = item("cats", Outcome.STORED, images=1)
KEPT = [item("cats", Outcome.UPTODATE, images=1), file("cats", Outcome.STORED, files=1)]


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], "nothing stored"),
        ([file("cats", Outcome.STORED, files=1)], "1 file stored, 0 up to date, in data/files"),
        ([file("cats", Outcome.FAILED, "timeout")], "0 files stored, 0 up to date, in data/files, 1 failed"),
        ([STORED, item("cats", Outcome.REFUSED, "too-small"), item("cats", Outcome.FAILED, "dns")],
         "1 picture stored, 0 up to date, in data/images, 1 refused, 1 failed"),
        ([item("cats", Outcome.REFUSED, "too-small"), *KEPT],
         "0 pictures stored, 1 up to date, in data/images, 1 refused, 1 file stored, 0 up to date, in data/files"),
        ([file("cats", Outcome.LISTED), file("cats", Outcome.UPTODATE, files=1)], "1 file listed, 1 up to date"),
        ([STORED], "1 picture stored, 0 up to date, in data/images"),
        ([*KEPT], "0 pictures stored, 1 up to date, in data/images, 1 file stored, 0 up to date, in data/files"),
        ([STORED, file("cats", Outcome.LISTED)], "1 picture stored, 0 up to date, in data/images, 1 file listed"),
    ],
)  # fmt: skip
def test_the_verdict_names_what_there_was(items: list[ImageItem | FileItem], said: str) -> None:
    table = summary("cats")
    for each in items:
        table.item_scraped(each)
    assert table.verdict("finished") == f"Done: {said}"
    assert table.verdict("nothing-stored") == f"Ended: nothing-stored (exit code 7): {said}"


def test_the_verdict_counts_what_was_not_asked_for() -> None:
    table = summary()
    table.crawler.stats.set_value("keywords/skipped", 2)
    assert table.verdict("finished") == "Done: nothing stored, 2 keywords not asked for"


def test_on_a_terminal_every_keyword_has_a_line(replica: Replica, tmp_path: Path) -> None:
    reader, terminal = os.openpty()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "scrapy", "crawl", "google_images", "-a", "q=few", "-a", "limit=3",
            "-s", "BROWSER_VERIFY_TLS=False",
        ],
        cwd=ROOT, env=environment(tmp_path, replica.environment(), {"TERM": "xterm-256color", "COLUMNS": "100"}),
        stdout=subprocess.DEVNULL, stderr=terminal,
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    try:
        while chunk := os.read(reader, 4096):
            shown += chunk
    except OSError:  # the terminal's other end closed
        pass
    os.close(reader)
    assert process.wait(60) == 0
    text = shown.decode()
    assert "few" in text
    assert "3/3" in text
    assert "Done: 3 pictures stored" in text
