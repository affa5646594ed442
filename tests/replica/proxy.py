"""The forward proxy: takes CONNECT and absolute addresses, ends TLS itself and answers as the host asked for."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.replica.certificates import Authority
from tests.replica.exchange import Answer, LoggedRequest, Request, Site, page


class ProxyHandler(BaseHTTPRequestHandler):
    """Serves one connection, first in plain and after a CONNECT inside TLS."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True
    server: ProxyServer

    def setup(self) -> None:
        """Start in plain; remember the connection so that :meth:`ProxyServer.stop` can end it."""
        super().setup()
        self._tunnel: str | None = None
        self.server.connections.add(self.connection)

    def handle(self) -> None:
        """Serve until either side has had enough. A client that vanishes or fails at TLS is no error here."""
        with contextlib.suppress(OSError):
            super().handle()

    def finish(self) -> None:
        """Close the connection: after CONNECT the server itself only knows the socket that TLS replaced."""
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: the log of the replica is :attr:`ProxyServer.requests`."""

    def do_CONNECT(self) -> None:
        """Open a tunnel to a known host, and go on in TLS."""
        host = self.path.rpartition(":")[0].lower()
        if host not in self.server.sites:
            self._answer(Request("CONNECT", "https", host, "", self._headers()), _unknown_host(host))
            self.close_connection = True
            return
        self.send_response_only(200, "Connection established")
        self.end_headers()
        self._start_tls(host)

    def do_GET(self) -> None:
        """Answer as the host in the address or, inside a tunnel, as the host of the tunnel."""
        scheme, host, path = self._target()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.command, scheme, host, path, self._headers(), body)
        site = self.server.sites.get(host)
        self._answer(request, site(request) if site else _unknown_host(host))

    do_HEAD = do_POST = do_GET

    def _start_tls(self, host: str) -> None:
        self.server.connections.discard(self.connection)
        self.connection = self.server.authority.context(host).wrap_socket(self.connection, server_side=True)
        self.server.connections.add(self.connection)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")
        self.close_connection = False
        self._tunnel = host

    def _target(self) -> tuple[str, str, str]:
        if self._tunnel:
            return "https", self._tunnel, self.path
        parts = urlsplit(self.path)
        return "http", parts.hostname or "", parts._replace(scheme="", netloc="").geturl() or "/"

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _answer(self, request: Request, answer: Answer) -> None:
        self.server.log(request, answer.status)
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if isinstance(answer.body, bytes):
            self._send_whole(answer.body, answer.missing)
        else:
            self._send_chunks(answer.body)

    def _send_whole(self, body: bytes, missing: int) -> None:
        self.send_header("Content-Length", str(len(body) + missing))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        if missing:
            self.close_connection = True

    def _send_chunks(self, chunks: Iterable[bytes]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks if self.command != "HEAD" else ():
            if self.server.stopping.is_set() or (not chunk and self._client_left()):
                self.close_connection = True
                return
            if chunk:
                self.wfile.write(b"%X\r\n%b\r\n" % (len(chunk), chunk))
                self.wfile.flush()
        if self.command != "HEAD":
            self.wfile.write(b"0\r\n\r\n")

    def _client_left(self) -> bool:
        """Whether the client hung up: a client that waits for an answer has nothing else to say."""
        return bool(select.select([self.connection], [], [], 0)[0])


class ProxyServer(ThreadingHTTPServer):
    """Listens on loopback and keeps the log.

    ``sites`` are the hosts that exist; ``on_stop`` is called before connections are cut, so that answers that wait for
    something stop waiting.
    """

    request_queue_size = 128  # the default of 5 lets a burst of connections wait seconds for the kernel's next try

    def __init__(self, port: int, sites: Mapping[str, Site], authority: Authority, on_stop: Callable[[], None]) -> None:
        super().__init__(("127.0.0.1", port), ProxyHandler)
        self.sites = sites
        self.authority = authority
        self.stopping = threading.Event()
        self.connections: set[socket.socket] = set()
        self._on_stop = on_stop
        self._requests: list[LoggedRequest] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="replica", daemon=True)

    @property
    def requests(self) -> list[LoggedRequest]:
        """What was asked so far, in the order of the answers."""
        with self._lock:
            return list(self._requests)

    def log(self, request: Request, status: int) -> None:
        """Keep ``request``, now that it is answered with ``status``."""
        with self._lock:
            self._requests.append(LoggedRequest(**vars(request), status=status))

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and cut what is under way, whoever waits for it."""
        self.stopping.set()
        self._on_stop()
        self.shutdown()
        self.server_close()
        for connection in self.connections.copy():
            _cut(connection)
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a fault of the replica itself, but not one that comes from being stopped."""
        if not self.stopping.is_set():
            super().handle_error(request, client_address)


def _cut(connection: socket.socket) -> None:
    """Wake whoever reads or writes ``connection``, below TLS: its own shutdown is not safe beside another thread."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _unknown_host(host: str) -> Answer:
    return page(f"no such host: {host}", 502, "text/plain")
