"""Which keywords are under way, told to whoever shows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from imagecrawl import signals
from imagecrawl.ending import is_ending

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class Keywords:
    """Opens and closes the keywords of a spider that comes to one after the other, and knows its items only by them.

    A keyword is open from its first item, or page that failed, until the spider has gone on to another one and every
    item has its outcome. It may be opened again.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.current = ""
        self._crawler = crawler
        self._signals = crawler.signals
        self._under_way: dict[str, int] = {}
        self._settled = asyncio.Event()

    def go_on(self, keyword: str) -> None:
        """What comes next belongs to ``keyword``; to none when it is empty."""
        before, self.current = self.current, keyword
        self._close(before)

    def open(self, asked: int | None = None) -> None:
        """There is something to tell of the current keyword; ``asked``: how many items are wanted, if not all."""
        if self.current not in self._under_way:
            self._under_way[self.current] = 0
            self._signals.send_catch_log(signals.keyword_opened, keyword=self.current, asked=asked)

    def take(self) -> None:
        """One more item of the current keyword is under way."""
        self.open()
        self._under_way[self.current] += 1

    def settle(self, keyword: str) -> str:
        """The outcome of one item is known. A pipeline may have changed its keyword: another one has it less then.

        Returns the keyword that has it less.
        """
        if not self._under_way.get(keyword):
            keyword = next(name for name, number in self._under_way.items() if number)
        self._under_way[keyword] -= 1
        # Not at once: others hear of it in this very moment, and should before the keyword is closed.
        asyncio.get_running_loop().call_soon(self._close, keyword)
        return keyword

    async def end(self) -> None:
        """Nothing comes any more: wait until every keyword is closed."""
        self.go_on("")
        while self._under_way:
            self._settled.clear()
            await self._settled.wait()

    def _close(self, keyword: str) -> None:
        if keyword != self.current and self._under_way.get(keyword) == 0:
            del self._under_way[keyword]
            exhausted = not is_ending(self._crawler)
            self._signals.send_catch_log(signals.keyword_closed, keyword=keyword, exhausted=exhausted)
            self._settled.set()
