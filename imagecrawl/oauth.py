"""How an app asks the interface of a site: with a token that it is given for a while (OAuth 2.0, RFC 6750)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

MARGIN = 60
"""Seconds before its end in which a token is no longer used, at most a tenth of its life: an answer takes its time."""


class Token(Protocol):
    """What a site gives: the token, and how many seconds it lives."""

    @property
    def value(self) -> str: ...

    @property
    def lifetime(self) -> float: ...


class AppAccess:
    """Asks with a token, which ``issue`` gets when one is needed: at first, at its end, and when 401 says so."""

    def __init__(self, ask: Callable[[Request], Awaitable[Response]], issue: Callable[[], Awaitable[Token]]) -> None:
        self._ask = ask
        self._issue = issue
        self._token = ""
        self._ends = 0.0

    async def ask(self, request: Request) -> Response:
        """The answer, 401 only if a new token does not help; raises what ``ask`` and ``issue`` raise."""
        response = await self._ask_with_token(request)
        if response.status != 401:
            return response
        self._token = ""
        return await self._ask_with_token(request)

    async def _ask_with_token(self, request: Request) -> Response:
        now = time.monotonic()
        if not self._token or now >= self._ends:
            token = await self._issue()
            self._token = token.value
            self._ends = now + token.lifetime - min(MARGIN, token.lifetime / 10)
        signed = request.copy()
        signed.headers["Authorization"] = f"bearer {self._token}"
        return await self._ask(signed)
