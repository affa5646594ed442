"""Hosts that refuse: how long each is left alone, and when for good."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from scrapy.utils.datatypes import LocalCache

REMEMBERED = 10_000
"""Of so many hosts, the latest, it is remembered that they refuse."""

DOUBLED_MAX = 30
"""So often the wait is doubled at most: what it comes to is longer than any cap, and still a number."""


@dataclass(frozen=True, slots=True)
class Row:
    """How often a host has refused without any other answer in between, and with which status the last time."""

    times: int = 0
    status: int = 0


class Refusals:
    """Counts how often each host refuses in a row.

    After the first time it is left alone for ``start`` seconds, after each further one for twice as long, times a
    random factor between 0.5 and 1.5, so that several crawlers do not come back together. "Full jitter" (a factor
    between 0 and 1: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/) spreads many clients
    better, but may ask again at once; of ours only one request goes first anyway, and the host is to have a rest.

    After ``most`` times in a row a host is given up for the rest of the crawl; 0 means never. ``rolled`` gives a random
    number from 0 up to 1.
    """

    def __init__(self, *, start: float, most: int, rolled: Callable[[], float] = random.random) -> None:
        self.start = start
        self.most = most
        self._rolled = rolled
        self._rows: LocalCache[str, Row] = LocalCache(REMEMBERED)

    def add(self, host: str, status: int) -> float:
        """One more refusal: seconds to leave the host alone, when it does not say itself for how long."""
        before = self._rows.get(host, Row()).times
        self._rows[host] = Row(before + 1, status)
        return self.start * 2.0 ** min(before, DOUBLED_MAX) * (0.5 + self._rolled())

    def end(self, host: str) -> None:
        """The host has answered something else. One that is given up stays so."""
        if not self.given_up(host):
            self._rows.pop(host, None)

    def given_up(self, host: str) -> str | None:
        """Why nothing more is asked of a host; ``None`` when it may be asked."""
        row = self._rows.get(host, Row())
        return f"refused {row.times} times in a row ({row.status})" if 0 < self.most <= row.times else None
