"""What a search address asks for, and the addresses that lead on from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.replica.exchange import Request

_OF_ONE_VISIT = {"start", "sei", "sg_ss", "ei", "sa", "emsg"}
"""Parameters that belong to one page view; every other one is kept in links."""


@dataclass(frozen=True)
class Search:
    """One request for a page of results."""

    request: Request

    @property
    def query(self) -> str:
        """The keyword."""
        return self.request.params.get("q", "")

    @property
    def start(self) -> int:
        """Where the page starts, in Google's own tens."""
        value = self.request.params.get("start", "0")
        return int(value) if value.isdecimal() else 0

    @property
    def language(self) -> str:
        """The language of the interface."""
        return self.request.params.get("hl", "en")

    @property
    def event_id(self) -> str:
        """The id of this page view, from which ids within the page are made (kEI)."""
        return hashlib.sha256(self.request.path.encode()).hexdigest()[:22] + "A"

    def link(self, **changes: str) -> str:
        """The path of the same search with ``changes``."""
        kept = {name: value for name, value in self.request.params.items() if name not in _OF_ONE_VISIT}
        return f"/search?{urlencode({**kept, **changes})}"

    def next_link(self, start: int) -> str:
        """The path of the page that begins at ``start``."""
        return self.link(ei=self.event_id, start=str(start), sa="N")
