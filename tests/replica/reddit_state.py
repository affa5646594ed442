"""What Reddit remembers of its clients: tokens, how much each has asked, and what it was refused the first time."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    """An app that is known to Reddit. ``error`` is what every of its requests for a token ends in, if it is set."""

    secret: str = ""
    lifetime: int = 86_400
    error: str = ""


CLIENTS = {
    "replica-id": Client("replica-secret"),
    "replica-installed": Client(),
    "replica-short": Client("replica-secret", 2),
    "replica-busy": Client("replica-secret", error="429"),
    "replica-unauthorized": Client("replica-secret", error="unauthorized_client"),
}
"""By id. A token of ``replica-short`` lives two seconds."""

USER, PASSWORD, REFRESH_TOKEN = "replica_user", "replica-password", "replica-refresh"


@dataclass
class Token:
    """An access token."""

    value: str
    lifetime: int
    ends: float
    expiring_uses: int = 0


@dataclass(frozen=True)
class Allowance:
    """Where a client stands in its window. ``reset`` is in whole seconds, and never too early."""

    allowed: bool
    used: int
    remaining: int
    reset: int

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """As every answer of the API says it."""
        return (
            ("x-ratelimit-used", str(self.used)),
            ("x-ratelimit-remaining", f"{self.remaining:.1f}"),
            ("x-ratelimit-reset", str(self.reset)),
        )


class State:
    """The memory of one replica; its hosts answer in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}
        self._windows: dict[tuple[str, ...], tuple[float, int]] = {}
        self._refused: set[tuple[str, ...]] = set()

    def issue(self, lifetime: int) -> Token:
        """A new token, of the length that real ones have."""
        with self._lock:
            number = len(self._tokens)
            letters = "".join(hashlib.sha256(f"token {number} {part}".encode()).hexdigest() for part in range(12))
            token = Token(f"replica{number:04}-{letters}", lifetime, time.monotonic() + lifetime)
            self._tokens[token.value] = token
            return token

    def token(self, authorization: str) -> Token | None:
        """The token a request carries, if it is one that still counts."""
        scheme, _, value = authorization.partition(" ")
        with self._lock:
            token = self._tokens.get(value.strip()) if scheme.lower() == "bearer" else None
            return token if token and time.monotonic() < token.ends else None

    def wear(self, token: Token, uses: int) -> None:
        """Count a use of a token that ends ahead of its time, after so many."""
        with self._lock:
            token.expiring_uses += 1
            if token.expiring_uses >= uses:
                token.ends = 0

    def take(self, key: tuple[str, ...], most: int, seconds: float) -> Allowance:
        """Take one of ``most`` requests of the window, which begins with its first."""
        with self._lock:
            now = time.monotonic()
            start, used = self._windows.get(key, (now, 0))
            if now - start >= seconds:
                start, used = now, 0
            allowed = used < most
            used += allowed
            self._windows[key] = start, used
        return Allowance(allowed, used, most - used, max(1, math.ceil(start + seconds - now)))

    def refuse(self, *key: str) -> bool:
        """Whether to refuse: every first time, and then not the second."""
        with self._lock:
            if key in self._refused:
                self._refused.remove(key)
                return False
            self._refused.add(key)
            return True
