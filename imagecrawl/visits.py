"""What spiders that walk from page to page have learned from each, from one crawl to the next.

With it a crawl that was killed goes on where it was, and the same command again asks for no page that it has read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from imagecrawl.exceptions import LedgerError
from imagecrawl.ledger import Visit, address, is_overdue, now
from imagecrawl.memory import Memory, end_without_ledger

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class Visits:
    """The pages that the spider of a crawl has read, in any crawl on its ledger. A ledger that fails ends the crawl.

    Settings: ``LEDGER``, ``REFRESH_DAYS``.
    """

    def __init__(self, crawler: Crawler) -> None:
        """May be made before the crawl has its spider."""
        self._crawler = crawler

    async def recall(self, url: str, *, however_old: bool = False) -> dict[str, Any] | None:
        """What was kept of the page at ``url``; ``None`` when it is to be asked for.

        It is when it was never read, or ``REFRESH_DAYS`` ago (unless ``however_old``), or when what was kept is none of
        ours.
        """
        visit = None
        with self._ledger_errors_ending():
            visit = await self._memory.find_visit(self._source, address(url))
        days = 0 if however_old else self._crawler.settings.getint("REFRESH_DAYS")
        return _facts(visit, days) if visit else None

    async def keep(self, url: str, facts: dict[str, Any]) -> None:
        """Write down what was learned from the page at ``url``, in place of what was kept of it before.

        Once this returns, no ``kill -9`` loses it. Raises TypeError or ValueError for facts that are no JSON.
        """
        visit = Visit(source=self._source, url=address(url), visited=now(), facts=json.dumps(facts))
        with self._ledger_errors_ending():
            await self._memory.keep_visit(visit)

    @property
    def _memory(self) -> Memory:
        return Memory.of(self._crawler)

    @property
    def _source(self) -> str:
        assert self._crawler.spider
        return self._crawler.spider.name

    @contextmanager
    def _ledger_errors_ending(self) -> Iterator[None]:
        try:
            yield
        except LedgerError as error:
            end_without_ledger(self._crawler, error)


def _facts(visit: Visit, days: int) -> dict[str, Any] | None:
    """What was kept; ``None`` when it is no object of JSON, its time is none, or so many days have passed."""
    try:
        facts = json.loads(visit.facts)
        return facts if isinstance(facts, dict) and not is_overdue(visit.visited, days) else None
    except (ValueError, RecursionError):
        return None
