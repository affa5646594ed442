"""Resolvers for crawls, by ``-s DNS_RESOLVER``: names that lead where none should. No server is asked for them."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from scrapy.resolver import CachingHostnameResolver, CachingThreadedResolver
from twisted.internet import defer
from twisted.internet._resolver import GAIResolver
from twisted.internet.error import DNSLookupError

ANSWERS = {
    "private.example": ["127.0.0.1"],
    "rebinding.example": ["93.184.215.14", "127.0.0.1"],  # the second one from the second question on
}
SIX = {
    "private.example": ["::1", "127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
}


class Names(CachingThreadedResolver):
    """In place of Scrapy's default one."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.answers = {name: list(answers) for name, answers in ANSWERS.items()}

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> defer.Deferred[str]:  # noqa: N802
        answers = self.answers.get(name, [])
        if len(answers) > 1:
            return defer.succeed(answers.pop(0))
        try:
            return defer.succeed(answers[0] if answers else socket.inet_ntoa(socket.inet_aton(name)))
        except OSError:
            return defer.fail(DNSLookupError(name))


class SixNames(CachingHostnameResolver):
    """In place of Scrapy's that knows IPv6."""

    def __init__(self, reactor: Any, cache_size: int) -> None:
        super().__init__(reactor, cache_size)
        self.original_resolver = GAIResolver(reactor, getaddrinfo=look_up)


def look_up(host: str, port: int, *args: Any) -> list[Any]:
    """``socket.getaddrinfo`` for these names and for numbers."""
    numeric = socket.AI_NUMERICHOST
    return [
        found for address in SIX.get(host, [host]) for found in socket.getaddrinfo(address, port, *args, flags=numeric)
    ]
