"""Servers on loopback for crawls that must not, or may, reach them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.pipelines.network import picture


class Canary(ThreadingHTTPServer):
    """Writes down every connection, and answers with a picture; with 404 for robots.txt."""

    daemon_threads = True

    def __init__(self, address: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        super().__init__((address, 0), _Singing)
        self.connections = 0
        self.asked: list[str] = []

    def verify_request(self, request: Any, client_address: Any) -> bool:
        self.connections += 1
        return True


class _Singing(BaseHTTPRequestHandler):
    server: Canary

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = picture()
        self.send_response(404 if self.path == "/robots.txt" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Horrors(BaseHTTPRequestHandler):
    """A forward proxy, behind which there are hosts that nobody should wait for; the first word of a name says what."""

    server_version = "Horrors"

    def do_GET(self) -> None:
        kind = self.path.removeprefix("http://").partition(".")[0]
        with suppress(OSError):  # the crawl hangs up
            if self.path.endswith("/robots.txt"):
                self.send_error(404)
            else:
                getattr(self, f"_{kind}")()

    def _redirect(self) -> None:
        """To what stands behind the question mark; brackets are quoted there."""
        self.send_response(302)
        self.send_header("Location", self.path.partition("?")[2].replace("%5B", "[").replace("%5D", "]"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _lines(self) -> None:
        """Lines of a head, for ever."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-More: and more\r\n" * 1000)

    def _line(self) -> None:
        """One line of a head, for ever."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-More: ")
        while True:
            self.wfile.write(b"and more" * 1000)

    def _early(self) -> None:
        """Heads before the head, for ever."""
        while True:
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000)

    def _policy(self) -> None:
        """A head with one long line and many short ones, and a picture."""
        body = picture()
        self.send_response(200)
        self.send_header("Content-Security-Policy", "img-src " + "https://a.example " * 3000)
        for number in range(1000):
            self.send_header(f"X-{number}", "x" * 40)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _head(self) -> None:
        """A head that comes a byte at a time."""
        self._dribble(b"HTTP/1.1 200 OK\r\nX-More: " + b"x" * 1_000_000)

    def _body(self) -> None:
        """A body that comes a byte at a time."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        self._dribble(bytes(1_000_000))

    def _dribble(self, data: bytes) -> None:
        for byte in data:
            self.wfile.write(bytes([byte]))
            time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    """The ``host:port`` of a server, which runs meanwhile."""
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    host, port = server.server_address[:2]
    try:
        yield f"[{host!s}]:{port}" if ":" in str(host) else f"{host!s}:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
