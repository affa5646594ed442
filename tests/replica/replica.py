"""The replica as a test sees it: start it, point a client at it, look at what was asked."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.replica.certificates import Authority, Flaw
from tests.replica.exchange import LoggedRequest
from tests.replica.hosts import build_sites
from tests.replica.proxy import ProxyServer


class Replica:
    """A small internet on loopback, for the length of a ``with`` block or between :meth:`start` and :meth:`stop`.

    ``flaws`` are hosts whose certificate should not be believed, and why: :class:`tests.replica.certificates.Flaw`.
    """

    def __init__(self, port: int = 0, flaws: Mapping[str, Flaw] | None = None) -> None:
        self._released = threading.Event()
        authority = Authority(flaws or {})
        self._folder = tempfile.TemporaryDirectory(prefix="replica-")
        self.ca_file = Path(self._folder.name) / "ca.pem"
        authority.write(self.ca_file)
        self._server = ProxyServer(port, build_sites(self._released), authority, on_stop=self.release)

    def start(self) -> Self:
        """Serve from now on."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Cut every connection and remove the certificate."""
        self._server.stop()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def proxy_url(self) -> str:
        """The address of the proxy."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def environment(self) -> dict[str, str]:
        """The variables a client process needs to see the replica instead of the internet, and to trust it."""
        return {
            "http_proxy": self.proxy_url,
            "https_proxy": self.proxy_url,
            "no_proxy": "",
            "SSL_CERT_FILE": str(self.ca_file),
        }

    @property
    def requests(self) -> list[LoggedRequest]:
        """What was asked so far: a request is there from the moment its answer starts."""
        return self._server.requests

    def requested(self, part: str) -> list[LoggedRequest]:
        """The requests whose address contains ``part``: a host, a path, a parameter."""
        return [request for request in self.requests if part in request.url]

    def release(self) -> None:
        """Let every slow answer go on, those to come included."""
        self._released.set()
