"""The captured listing, if ``../shared`` is there: its posts in pages, and a picture at each address in them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

CAPTURE = Path(__file__).parents[3] / "shared/sites/pages/reddit/oauth_r_popular_hot_limit100_a_2026-04-13.json"

_ADDRESS = re.compile(r"https://(?:external-)?preview\.redd\.it/[^\"\s)\\]+")
_ORIGINAL = re.compile(r"https://(?:i|preview)\.redd\.it/(?:[\w-]*-v0-)?(\w+\.\w+)")


@cache
def children() -> list[dict[str, Any]]:
    """The posts of the capture, in its order."""
    return json.loads(CAPTURE.read_text("utf-8"))["data"]["children"] if CAPTURE.is_file() else []


def listing(after: str, limit: int) -> dict[str, Any]:
    """A page of them."""
    names = [child["data"]["name"] for child in children()]
    start = names.index(after) + 1 if after in names else 0
    shown = children()[start : start + limit]
    more = start + limit < len(names)
    data = {"after": names[start + limit - 1] if more else None, "dist": len(shown), "modhash": None}
    return {"kind": "Listing", "data": {**data, "geo_filter": None, "children": shown, "before": None}}


def knows(url: str) -> bool:
    """Whether a picture is at an address: a copy the capture names, or the original of one."""
    return url in _addresses() or url in _originals()


@cache
def _addresses() -> frozenset[str]:
    return frozenset(_ADDRESS.findall(_text()))


@cache
def _originals() -> frozenset[str]:
    return frozenset(f"https://i.redd.it/{name}" for name in _ORIGINAL.findall(_text()))


@cache
def _text() -> str:
    return json.dumps(children(), ensure_ascii=False)
