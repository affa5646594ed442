"""The table at the end, and the progress lines on a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scrapy.utils.test import get_crawler

from imagecrawl.exceptions import Obstacle, PageBlockedError
from imagecrawl.extensions.summary import ROWS, Summary
from imagecrawl.items import ImageItem
from imagecrawl.outcomes import Outcome
from tests.crawling import ROOT, environment
from tests.replica import Replica


def item(keyword: str, outcome: Outcome, reason: str | None = None, images: int = 0) -> ImageItem:
    return ImageItem(
        source="test", keyword=keyword, rank=1, id=None, title=None, page_url=None, site=None, image_urls=[],
        thumbnail_url=None, rights=None, images=[{}] * images, outcome=outcome, reason=reason,
    )  # fmt: skip


def summary(*keywords: str, asked: int = 5) -> Summary:
    summary = Summary(get_crawler(settings_dict={"IMAGES_STORE": "data/images"}))
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


def test_an_obstacle_is_said_in_place_of_a_shortfall() -> None:
    table = summary("cats")
    table.page_failed(PageBlockedError(Obstacle.CAPTCHA, "x"), "cats")
    assert table.tallies["cats"].why() == "page: captcha"


def test_a_keyword_is_shown_as_it_is() -> None:
    shown = summary("[bold red]cats[/]", "🐱", "قطط").render()
    assert "[bold red]cats[/]" in shown
    assert "🐱" in shown
    assert "\x1b" not in shown


def test_a_long_list_is_cut_and_says_so() -> None:
    assert "... and 7 more" in summary(*(f"keyword {number}" for number in range(ROWS + 7))).render()


def test_the_verdict_counts_all_keywords() -> None:
    table = summary("cats", "dogs")
    table.item_scraped(item("cats", Outcome.STORED, images=1))
    table.item_scraped(item("dogs", Outcome.STORED, images=1))
    assert table.verdict("finished") == "Done: 2 pictures stored, 0 up to date, in data/images"
    assert table.verdict("shutdown").startswith("Ended: shutdown (exit code 8): 2 pictures stored")


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
