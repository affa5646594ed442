"""How often a host may be asked, as its answers say it: ``Retry-After`` and ``x-ratelimit-*``.

``Retry-After`` is RFC 9110, section 10.2.3. The ``x-ratelimit-*`` headers are no standard: Reddit gives the seconds
until its window ends (seen in 2026), other hosts the moment of it in seconds since 1970.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WINDOW = 365 * 86_400
"""Seconds: a larger ``x-ratelimit-reset`` is a moment, counted from 1970."""

_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,12})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many requests of the window are left: Reddit allowed 1000 in 600 seconds in 2026."""

    used: float | None
    remaining: float
    reset: float
    """Seconds until a new window begins."""


def parse_rate(headers: Mapping[str, str], now: datetime) -> Rate | None:
    """What the ``x-ratelimit-*`` headers say, in any case of letters; ``None`` when they are not there.

    ``now`` has a time zone. Values that are no numbers count as not there.
    """
    said = {name.lower(): _number(value) for name, value in headers.items()}
    remaining, reset = said.get("x-ratelimit-remaining"), said.get("x-ratelimit-reset")
    if remaining is None or reset is None:
        return None
    if reset > LONGEST_WINDOW:
        reset = max(0.0, reset - now.timestamp())
    return Rate(used=said.get("x-ratelimit-used"), remaining=remaining, reset=reset)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """How many seconds ``Retry-After`` asks to wait, never less than 0; ``None`` when it is not there.

    It is a number of seconds or a date; ``now`` has a time zone. What is neither counts as not there.
    """
    said = next((value.strip() for name, value in headers.items() if name.lower() == "retry-after"), "")
    seconds = _number(said)
    if seconds is not None:
        return seconds
    try:
        date = parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())


def _number(value: str) -> float | None:
    said = value.strip()
    return float(said) if said.isascii() and _NUMBER.fullmatch(said) else None
