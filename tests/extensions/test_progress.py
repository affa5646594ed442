"""The progress lines, on what takes itself for a terminal."""

from __future__ import annotations

import io
import sys

import pytest
from scrapy.exceptions import NotConfigured
from scrapy.utils.test import get_crawler

from imagecrawl.extensions import progress
from imagecrawl.extensions.progress import FINISHED_LINES, NEW_LINES, OPEN_LINES, ProgressLines
from imagecrawl.outcomes import Outcome
from tests.pipelines.network import file_item, item

URL = "https://a.example/1.pdf"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def opened(monkeypatch: pytest.MonkeyPatch) -> ProgressLines:
    """The lines on a terminal. Not a fixture: pytest itself changes ``sys.stderr`` between a fixture and its test."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    return ProgressLines.from_crawler(get_crawler())


def test_without_a_terminal_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with pytest.raises(NotConfigured):
        ProgressLines()


def test_a_number_that_nobody_knows_is_shown_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = opened(monkeypatch)
    lines.spider_opened()
    lines.keyword_opened("Physics", None)
    for outcome in (Outcome.STORED, Outcome.UPTODATE, Outcome.LISTED, Outcome.FAILED, Outcome.DUPLICATE, None):
        lines.item_scraped(file_item(URL, outcome=outcome))
    lines.item_scraped(file_item(URL, subject="elsewhere", outcome=Outcome.STORED))
    lines.item_scraped({"subject": "Physics"})
    assert [task.completed for task in lines.progress.tasks] == [3]
    lines.progress.refresh()
    lines.keyword_closed("Physics")
    lines.spider_closed()
    shown = lines.progress.console.file.getvalue()  # type: ignore[attr-defined]
    assert "Physics" in shown
    assert "3/?" in shown


def test_pictures_and_files_advance_their_own_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = opened(monkeypatch)
    lines.keyword_opened("cats", 5)
    lines.keyword_opened("Physics", None)
    stored = item(URL)
    stored.outcome = Outcome.STORED
    lines.item_scraped(stored)
    lines.item_scraped(file_item(URL, outcome=Outcome.STORED))
    lines.item_scraped(file_item(URL, outcome=Outcome.STORED))
    assert [(task.description, task.completed, task.total) for task in lines.progress.tasks] == [
        ("cats", 1, 5),
        ("Physics", 2, None),
    ]


def test_a_keyword_commands_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = opened(monkeypatch)
    lines.keyword_opened("cats\x1b[2J \u202egpj\n", 5)
    assert [task.description for task in lines.progress.tasks] == ["cats[2J gpj"]
    assert list(lines.tasks) == ["cats\x1b[2J \u202egpj\n"]


def test_few_lines_stay_when_their_keywords_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "NEW_LINES", 1000)
    lines = opened(monkeypatch)
    for number in range(FINISHED_LINES + 3):
        lines.keyword_opened(f"subject {number}", None)
        lines.keyword_closed(f"subject {number}")
    assert len(lines.progress.tasks) == FINISHED_LINES


def test_a_keyword_that_is_opened_again_goes_on_in_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = opened(monkeypatch)
    stored = item(URL)
    stored.outcome = Outcome.STORED
    for _ in range(3):
        lines.keyword_opened("cats", None)
        lines.item_scraped(stored)
        assert [task.total for task in lines.progress.tasks] == [None]
        lines.keyword_closed("cats")
    assert [(task.description, task.completed, task.total) for task in lines.progress.tasks] == [("cats", 3, 3)]


def test_of_many_keywords_in_quick_succession_some_have_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    lines = opened(monkeypatch)
    shown = []
    for number in range(3 * NEW_LINES):
        lines.keyword_opened(f"keyword {number}", None)
        shown.append(len(lines.tasks))
        lines.keyword_closed(f"keyword {number}")
        now = 1.0 if number >= 2 * NEW_LINES - 1 else 0.0
    assert shown == [1] * NEW_LINES + [0] * NEW_LINES + [1] * NEW_LINES


def test_so_many_lines_are_open_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "NEW_LINES", 1000)
    lines = opened(monkeypatch)
    for number in range(OPEN_LINES + 5):
        lines.keyword_opened(f"keyword {number}", None)
    assert len(lines.progress.tasks) == OPEN_LINES
