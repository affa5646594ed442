"""The table at the end of a crawl, and the one line that says how it ended."""

from __future__ import annotations

import logging
import sys
import textwrap
from collections import Counter
from dataclasses import dataclass, field
from io import StringIO
from itertools import zip_longest
from typing import TYPE_CHECKING, Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text
from scrapy import signals as scrapy_signals

from imagecrawl import signals
from imagecrawl.items import KINDS, STORES, FileItem, ImageItem
from imagecrawl.outcomes import EXIT_CODES, STOPPED_EARLY, Finish, Outcome, Reason
from imagecrawl.output import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.crawler import Crawler

    from imagecrawl.exceptions import PageError

logger = logging.getLogger(__name__)

HEADINGS = {Outcome.UPTODATE: "up to date"}
"""Where the column is not called as the outcome is."""

HINTS = {
    Reason.OPT_OUT: "`opt_outs` in the feed says what they said, and OPT_OUT_... whether that is obeyed",
    Reason.PRIVATE_ADDRESS: "for your own network: -s ALLOW_PRIVATE_ADDRESSES=True",
}
"""What decides about a reason that many results may have at once."""

ROWS = 200
"""Keywords shown in the table; the totals below it count all."""

TALLIES = 10_000
"""Keywords that are counted one by one: a list may have a million of them."""

KEYWORD_WIDTH = 30
"""Columns of a keyword, where there is room; a longer one is cut."""

COUNTS_WIDTH = 64
"""Columns of the terminal that the counts of a keyword need, with their headings."""

WIDTH = 120
"""Columns of the table where there is no terminal to ask. In a narrower one, what keeps a keyword from what was asked
has no column but lines of its own below the counts: there would be no room for a word.
"""

HEAD = 3
"""Lines of the table above its rows: an empty one, the headings and what is below them."""

INDENT = " " * 4


@dataclass
class Tally:
    """What became of one keyword."""

    asked: int | None
    """How many were wanted; ``None`` = all there are."""
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Of the results that are neither in place nor listed."""
    thumbnails: Counter[str] = field(default_factory=Counter)
    """Of the pictures in whose place the thumbnail is."""
    obstacle: str = ""
    exhausted: bool = False
    """Whether all results there are were seen."""

    @property
    def as_asked(self) -> int:
        return sum(count for outcome, count in self.outcomes.items() if outcome.as_asked)

    def why(self) -> str:
        """Everything that keeps this keyword from what was asked, most frequent reason first."""
        parts = [f"page: {self.obstacle}"] if self.obstacle else []
        if self.asked and self.as_asked < self.asked and not self.obstacle:
            parts.append(
                f"only {self.as_asked} of {self.asked}: {'there are no more' if self.exhausted else 'stopped'}"
            )
        if self.reasons:
            parts.append(_listed(self.reasons))
        if self.thumbnails:
            parts.append(f"{self.thumbnails.total()} as thumbnails ({_listed(self.thumbnails)})")
        return "; ".join(parts)


def _listed(reasons: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())


def _below(text: str, width: int) -> list[str]:
    """The lines of a text that stands below a row; none of an empty one."""
    return textwrap.wrap(text, width, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False)


class Summary:
    """Counts outcomes by keyword and shows them when the spider closes: on standard error, and in the log file where
    there is one.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.tallies: dict[str, Tally] = {}
        """Of the first :data:`TALLIES` keywords."""
        self.left_out = False
        """Whether there were more keywords than that."""
        self.totals: dict[str, Counter[Outcome]] = {kind: Counter() for kind in KINDS}
        self.hinted: set[Reason] = set()
        """The reasons of :data:`HINTS` that were met."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls(crawler)
        crawler.signals.connect(extension.keyword_opened, signals.keyword_opened)
        crawler.signals.connect(extension.page_failed, signals.page_failed)
        crawler.signals.connect(extension.keyword_closed, signals.keyword_closed)
        crawler.signals.connect(extension.item_scraped, scrapy_signals.item_scraped)
        crawler.signals.connect(extension.spider_closed, scrapy_signals.spider_closed)
        return extension

    def keyword_opened(self, keyword: str, asked: int | None) -> None:
        if keyword in self.tallies:
            return
        if len(self.tallies) < TALLIES:
            self.tallies[keyword] = Tally(asked)
        else:
            self.left_out = True

    def page_failed(self, error: PageError, keyword: str) -> None:
        if tally := self.tallies.get(keyword):
            tally.obstacle = error.kind

    def keyword_closed(self, keyword: str, exhausted: bool) -> None:
        if tally := self.tallies.get(keyword):
            tally.exhausted = exhausted

    def item_scraped(self, item: object) -> None:
        if not isinstance(item, ImageItem | FileItem) or not item.outcome:
            return
        self.totals[item.kind][item.outcome] += 1
        self.hinted |= {reason for reason in HINTS if reason == item.reason}
        if tally := self.tallies.get(item.keyword):
            tally.outcomes[item.outcome] += 1
            if item.reason:
                (tally.thumbnails if item.media else tally.reasons)[item.reason] += 1

    def spider_closed(self, reason: str) -> None:
        hints = [f"{each}: {HINTS[each]}" for each in sorted(self.hinted)]
        text = "\n".join((self.render(), *hints, self.verdict(reason)))
        if self.crawler.settings.get("LOG_FILE"):
            logger.info("Summary\n%s", text)
        sys.stderr.write(f"{text}\n")

    def verdict(self, reason: str) -> str:
        """One line: how it ended, what is in place, and where."""
        code = EXIT_CODES.get(reason, STOPPED_EARLY)
        head = "Done" if reason == Finish.FINISHED else f"Ended: {reason} (exit code {code})"
        skipped = self.crawler.stats.get_value("keywords/skipped", 0)
        parts = [part for kind, noun in KINDS.items() for part in self._kept(kind, noun)] or ["nothing stored"]
        if bad := self.crawler.stats.get_value("lines/bad", 0):
            parts.append(f"{counted(bad, 'line')} bad")
        if skipped:
            parts.append(f"{counted(skipped, 'keyword')} not asked for")
        return f"{head}: {', '.join(parts)}"

    def _kept(self, kind: str, noun: str) -> Iterator[str]:
        """What is in place of one kind, and where, or listed; nothing when there was none of it."""
        total = self.totals[kind]
        if total[Outcome.LISTED]:
            yield f"{counted(total[Outcome.LISTED], noun)} listed"
            if total[Outcome.UPTODATE]:
                yield f"{total[Outcome.UPTODATE]} up to date"
        elif total:
            yield f"{counted(total[Outcome.STORED], noun)} stored, {total[Outcome.UPTODATE]} up to date"
            yield f"in {self.crawler.settings[STORES[kind]]}"
        yield from (f"{total[outcome]} {outcome}" for outcome in (Outcome.REFUSED, Outcome.FAILED) if total[outcome])

    def render(self) -> str:
        """The table as text, fitted to the terminal."""
        width = None if sys.stderr.isatty() else WIDTH
        console = Console(file=StringIO(), width=width, force_terminal=False, no_color=True)
        console.width = max(console.width, COUNTS_WIDTH + KEYWORD_WIDTH // 3)  # else the counts would be cut
        shown = list(self.tallies.items())[:ROWS]
        is_wide = console.width >= WIDTH
        with console.capture() as capture:
            console.print(self._table(shown, console.width, with_why=is_wide))
        if is_wide:
            return capture.get().rstrip()
        lines = [line.rstrip() for line in capture.get().splitlines()]
        whys = (_below(tally.why(), console.width) for _, tally in shown)
        rows = (each for row, why in zip_longest(lines[HEAD:], whys, fillvalue=()) for each in (row, *why))
        return "\n".join([*lines[:HEAD], *rows]).rstrip()

    def _table(self, shown: list[tuple[str, Tally]], width: int, *, with_why: bool) -> Table:
        """A row of one line for each keyword that is shown; with a column for what kept it, more lines."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        room = max(KEYWORD_WIDTH // 3, min(KEYWORD_WIDTH, width - COUNTS_WIDTH))
        table.add_column("keyword", max_width=room, overflow="ellipsis", no_wrap=True)
        listed = any(total[Outcome.LISTED] for total in self.totals.values())
        of_a_list = [Outcome.LISTED, Outcome.UPTODATE]
        outcomes = of_a_list if listed else [outcome for outcome in Outcome if outcome is not Outcome.LISTED]
        limited = any(tally.asked is not None for tally in self.tallies.values())
        for heading in (*["asked"] * limited, *(HEADINGS.get(outcome, outcome) for outcome in outcomes)):
            table.add_column(heading, justify="right", no_wrap=not with_why)
        if with_why:
            table.add_column("why", overflow="fold")
        for keyword, tally in shown:
            counts = [str(tally.outcomes[outcome]) for outcome in outcomes]
            why = [Text(tally.why())] * with_why
            table.add_row(Text(printable(keyword)), *[str(tally.asked or "all")] * limited, *counts, *why)
        if len(self.tallies) > ROWS:
            more = "more than " if self.left_out else ""
            table.add_row(Text(f"... and {more}{len(self.tallies) - ROWS} more"))
        return table
