"""A progress line per keyword, on a terminal."""

from __future__ import annotations

import logging
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column
from scrapy import signals as scrapy_signals
from scrapy.exceptions import NotConfigured

from imagecrawl import signals
from imagecrawl.items import FileItem, ImageItem
from imagecrawl.output import printable

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

KEYWORD_WIDTH = 30
"""Columns of a keyword; a longer one is cut."""

FINISHED_LINES = 10
"""How many keywords that are done stay on the screen."""

OPEN_LINES = 20
"""How many keywords that are open are shown."""

NEW_LINES = 10
"""How many lines begin within a second at most: each paints the screen anew, and lists may have a keyword a row."""


class ProgressLines:
    """Shows how much of each open keyword is in place. Silent where standard error is not a terminal.

    Of many keywords in quick succession only some have a line.
    """

    def __init__(self) -> None:
        if not sys.stderr.isatty():
            raise NotConfigured
        console = Console(stderr=True)
        keyword = Column(max_width=KEYWORD_WIDTH, overflow="ellipsis", no_wrap=True)
        self.progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=keyword),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            redirect_stdout=sys.stdout.isatty(),  # else what is written into a pipe would go to the terminal
        )
        self.tasks: dict[str, TaskID] = {}
        self.finished: dict[str, TaskID] = {}
        self.begun: deque[float] = deque(maxlen=NEW_LINES)
        """When the last lines began."""
        self.handlers: list[logging.StreamHandler] = []  # type: ignore[type-arg]

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        extension = cls()
        crawler.signals.connect(extension.spider_opened, scrapy_signals.spider_opened)
        crawler.signals.connect(extension.keyword_opened, signals.keyword_opened)
        crawler.signals.connect(extension.item_scraped, scrapy_signals.item_scraped)
        crawler.signals.connect(extension.keyword_closed, signals.keyword_closed)
        crawler.signals.connect(extension.spider_closed, scrapy_signals.spider_closed)
        return extension

    def spider_opened(self) -> None:
        terminal = sys.stderr
        self.handlers = [
            handler
            for handler in logging.root.handlers
            if isinstance(handler, logging.StreamHandler) and handler.stream is terminal
        ]
        self.progress.start()
        for handler in self.handlers:  # log lines go above the bars, not through them
            handler.setStream(sys.stderr)

    def keyword_opened(self, keyword: str, asked: int | None) -> None:
        if keyword in self.finished:
            task = self.tasks[keyword] = self.finished.pop(keyword)
            self.shown(task).total = asked
        elif self.has_room():
            self.begun.append(time.monotonic())
            self.tasks[keyword] = self.progress.add_task(printable(keyword), total=asked)

    def has_room(self) -> bool:
        is_quick = len(self.begun) == NEW_LINES and time.monotonic() - self.begun[0] < 1
        return len(self.tasks) < OPEN_LINES and not is_quick

    def shown(self, task: TaskID) -> Task:
        [shown] = [each for each in self.progress.tasks if each.id == task]
        return shown

    def item_scraped(self, item: object) -> None:
        if not isinstance(item, ImageItem | FileItem) or item.keyword not in self.tasks:
            return
        if item.outcome and item.outcome.as_asked:
            self.progress.advance(self.tasks[item.keyword])

    def keyword_closed(self, keyword: str) -> None:
        task = self.tasks.pop(keyword, None)
        if task is None:
            return
        shown = self.shown(task)
        if shown.total is None:  # its clock would run on
            self.progress.update(task, total=shown.completed)
            self.progress.stop_task(task)
        self.finished[keyword] = task
        if len(self.finished) > FINISHED_LINES:
            self.progress.remove_task(self.finished.pop(next(iter(self.finished))))

    def spider_closed(self) -> None:
        self.progress.stop()
        for handler in self.handlers:
            handler.setStream(sys.stderr)
