"""How many results are still wanted."""

from __future__ import annotations

import asyncio


class Quota:
    """Counts what is in place and what is under way, so that ``limit`` means results in place and no more are fetched.

    A spider asks :meth:`room` before each result and calls :meth:`take` for the one it yields; the outcome of every
    item taken is told by :meth:`settle`. All of it happens on the event loop: no locks.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.in_place = 0
        self.under_way = 0
        self._settled = asyncio.Event()

    async def room(self) -> bool:
        """Wait until it is known whether one more result is needed; ``False`` when the limit is met."""
        while self.in_place < self.limit <= self.in_place + self.under_way:
            await self._next_outcome()
        return self.in_place < self.limit

    async def drained(self) -> None:
        """Wait until nothing is under way."""
        while self.under_way:
            await self._next_outcome()

    def take(self) -> None:
        """One more result is under way."""
        self.under_way += 1

    def settle(self, *, in_place: bool) -> None:
        """The outcome of one result is known."""
        self.under_way -= 1
        self.in_place += in_place
        self._settled.set()

    async def _next_outcome(self) -> None:
        self._settled.clear()
        await self._settled.wait()
