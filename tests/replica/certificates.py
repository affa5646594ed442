"""A certificate authority of the replica's own, and a certificate per host made when it is first asked for."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path

import trustme


class Flaw(Enum):
    """Why a client should not believe the certificate of a host."""

    UNTRUSTED = auto()
    """Signed by an authority that no client knows."""
    EXPIRED = auto()
    OTHER_NAME = auto()
    """Made out to another host."""


class Authority:
    """Signs for any host name. Its certificate is what a client has to trust, but for the hosts with a flaw."""

    def __init__(self, flaws: Mapping[str, Flaw]) -> None:
        self._flaws = flaws
        self._ca = trustme.CA()
        self._unknown_ca = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def write(self, path: Path) -> None:
        """Write the certificate of the authority as PEM."""
        self._ca.cert_pem.write_to_path(str(path))

    def context(self, host: str) -> ssl.SSLContext:
        """The server side of TLS for ``host``."""
        with self._lock:
            if host not in self._contexts:
                self._contexts[host] = self._make_context(host)
            return self._contexts[host]

    def _make_context(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        flaw = self._flaws.get(host)
        ca = self._unknown_ca if flaw is Flaw.UNTRUSTED else self._ca
        name = "other.example" if flaw is Flaw.OTHER_NAME else host
        not_before = datetime(2001, 1, 1, tzinfo=UTC) if flaw is Flaw.EXPIRED else None
        not_after = datetime(2001, 2, 1, tzinfo=UTC) if flaw is Flaw.EXPIRED else None
        ca.issue_cert(name, not_before=not_before, not_after=not_after).configure_cert(context)
        return context
