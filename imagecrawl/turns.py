"""Whose turn it is to ask a host: not in its pauses, as far apart as it wants, and few at once."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from scrapy import Request

FEWEST = 2
"""With fewer requests left than these, the rest of a window is waited for."""


class Clock(Protocol):
    """Of an event loop, what tells the time, in seconds."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[..., object], /, *args: Any) -> asyncio.TimerHandle: ...


@dataclass(slots=True, eq=False)
class Turn:
    """A request that waits for its turn. What comes is why it may not have it, or ``None``."""

    request: Request
    come: asyncio.Future[Exception | None]
    pause_max: float
    """The longest pause that it waits for, in seconds."""
    takes_place: bool = True
    """Else only the end of a pause is waited for: others wait for the answer while they hold places themselves."""

    @property
    def crawl_delay(self) -> float:
        return float(self.request.meta.get("crawl_delay", 0)) if self.takes_place else 0.0


@dataclass(slots=True)
class Host:
    """A host that is being asked, or has asked to wait; times are those of the clock."""

    name: str
    left: float
    """Requests that may be sent before it says more: infinite when it announces nothing."""
    resets: float = -math.inf
    """When ``left`` holds no more: the end of the window or of the pause."""
    next_start: float = -math.inf
    """When the next request with a crawl delay may start: not before the one whose turn has come has started."""
    refused: float = -math.inf
    """When it refused last; what was sent by then and is refused too is no further refusal."""
    under_way: dict[Request, float] = field(default_factory=dict)
    """When each was let go."""
    beside: dict[Request, float] = field(default_factory=dict)
    """The same for those that take no place."""
    waiting: deque[Turn] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None

    def pause(self, now: float) -> float:
        """Seconds until it may be asked again."""
        return max(0.0, self.resets - now) if self.left < FEWEST else 0.0

    def delay(self, turn: Turn, now: float) -> float:
        """Seconds that a request still keeps away from the one before it."""
        return max(0.0, self.next_start - now) if turn.crawl_delay else 0.0

    def wait(self, now: float) -> float:
        """Seconds until the first in line may go, as far as time decides; with nobody there, until anybody may."""
        if self.waiting:
            first = min(self.waiting, key=lambda turn: turn.takes_place)
            return max(self.pause(now), self.delay(first, now))
        return max(self.pause(now), self.next_start - now)

    def admits(self, turn: Turn, now: float, at_once: int) -> bool:
        """Whether one more may go. After a pause it is one, whose answer says how many may follow.

        What was sent before the pause does not matter then: it may hang until it times out.
        """
        if not turn.takes_place:
            return not self.pause(now)
        if self.delay(turn, now):
            return False
        if self.left < FEWEST:
            return now >= self.resets and not any(sent >= self.resets for sent in self.under_way.values())
        return len(self.under_way) < at_once

    def speaks_for(self, sent: float) -> bool:
        """Whether the answer to what was sent then says how it is now: after a pause, only what was sent since does."""
        return self.left >= FEWEST or sent >= self.resets

    def let_go(self, turn: Turn, now: float) -> None:
        if not turn.takes_place:
            self.beside[turn.request] = now
            return
        self.left -= 1
        self.under_way[turn.request] = now
        if turn.crawl_delay:
            self.next_start = math.inf

    def start(self, turn: Turn, now: float) -> None:
        """One whose turn has come is sent."""
        if turn.crawl_delay:
            self.next_start = now + turn.crawl_delay

    def is_still(self, turn: Turn) -> bool:
        """Whether a turn that has come still holds: the host has not refused since."""
        return self.under_way.get(turn.request, math.inf) >= self.refused

    def leave(self, turn: Turn, now: float) -> None:
        """Of one that is not sent."""
        if turn in self.waiting:
            self.waiting.remove(turn)
        elif self.end(turn.request) is not None:
            self.start(turn, now)  # no other was let go meanwhile

    def end(self, request: Request) -> float | None:
        """Let a request stand here no longer: when it was let go, if it was."""
        sent = self.under_way.pop(request, None)
        return self.beside.pop(request, None) if sent is None else sent

    def cancel_timer(self) -> None:
        if self.timer:
            self.timer.cancel()
            self.timer = None
