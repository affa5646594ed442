"""A certificate authority of the replica's own, and a certificate per host made when it is first asked for."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path

import trustme


class Authority:
    """Signs for any host name. Its certificate is what a client has to trust."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
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
        self._ca.issue_cert(host).configure_cert(context)
        return context
