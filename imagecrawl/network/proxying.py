"""What a forward proxy reads and writes around the bytes that it hands on: heads of HTTP/1.1 (RFC 9112).

Only as much as Chromium says to a proxy; whatever else comes is refused.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from http import HTTPStatus
from typing import Self
from urllib.parse import SplitResult, urlsplit

_REQUEST_LINE = re.compile(r"([A-Z]+) ([!-~]+) HTTP/1\.[01]")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*")
_LENGTH = re.compile(r"[0-9]{1,18}")
_NOT_HANDED_ON = {"connection", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te", "upgrade"}

Fields = list[tuple[str, str]]


class GatewayError(Exception):
    """The answer of a proxy that could not do what it was asked for: a status, and why in a few words."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status

    @property
    def answer(self) -> bytes:
        body = f"{self}\n".encode()
        fields = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        if self.status is HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            fields.append(("Proxy-Authenticate", 'Basic realm="imagecrawl"'))
        return head(f"HTTP/1.1 {self.status} {self.status.phrase}", [*fields, ("Connection", "close")]) + body


@dataclass(frozen=True, slots=True)
class ProxyRequest:
    """The head of a request to a proxy. The URL of a tunnel is made of the host and port that it leads to.

    ``length`` is that of the body in bytes: without HTTP/2, Chromium sends none without saying it.
    """

    method: str
    url: SplitResult
    host: str
    port: int
    fields: Fields
    length: int

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raises :class:`GatewayError`."""
        first, *lines = data.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        request_line = _REQUEST_LINE.fullmatch(first)
        fields = [(field[1], field[2]) for line in lines if (field := _FIELD.fullmatch(line))]
        if request_line is None or len(fields) < len(lines):
            raise GatewayError(HTTPStatus.BAD_REQUEST, "the head is none of HTTP/1.1")
        method, target = request_line.groups()
        url = _url_of(method, target)
        return cls(method, url, *host_and_port(url), fields, _length_of(fields))

    @property
    def is_tunnel(self) -> bool:
        return self.method == "CONNECT"

    def field(self, name: str) -> str:
        """The value of a header, by its name in small letters; empty when there is none."""
        return next((value for known, value in self.fields if known.lower() == name), "")

    def forwarded(self, *, to_proxy: bool, more: Fields) -> bytes:
        """The head as the host of the URL takes it, or the next proxy, with ``more`` fields in it.

        What is about this connection alone stays behind (RFC 9110, 7.6.1); the next one carries no second request.
        """
        url = self.url if to_proxy else self.url._replace(scheme="", netloc="")
        left = _NOT_HANDED_ON | {name.strip().lower() for name in self.field("connection").split(",")}
        kept = [(name, value) for name, value in self.fields if name.lower() not in left]
        own = [("Host", self.url.netloc), ("Connection", "close")]
        return head(f"{self.method} {url.geturl()} HTTP/1.1", [*own, *kept, *more])


def _url_of(method: str, target: str) -> SplitResult:
    """Where a request is to go; raises GatewayError for what is neither ``host:port`` nor an http URL."""
    try:
        url = urlsplit(f"https://{target}" if method == "CONNECT" else target)
        is_host = bool(host_and_port(url)[0]) and "@" not in url.netloc
    except ValueError:
        is_host = False
    if not is_host or (url.path + url.query if method == "CONNECT" else url.scheme != "http"):
        raise GatewayError(HTTPStatus.BAD_REQUEST, "this leads nowhere")
    return url._replace(path=url.path or "/", fragment="")


def host_and_port(url: SplitResult) -> tuple[str, int]:
    """The host and port that a URL leads to; raises ValueError for a port that is none."""
    return url.hostname or "", url.port or (80 if url.scheme == "http" else 443)


def _length_of(fields: Fields) -> int:
    lengths = {value for name, value in fields if name.lower() == "content-length"} or {"0"}
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length) or any(name.lower() == "transfer-encoding" for name, _ in fields):
        raise GatewayError(HTTPStatus.LENGTH_REQUIRED, "the length of the body is not said")
    return int(length)


def status_of(data: bytes) -> int:
    """The status of the head of an answer; 0 when it is none of HTTP/1.1."""
    found = _STATUS_LINE.match(data)
    return int(found[1]) if found else 0


def basic(username: str, password: str) -> str:
    """The value of a header with a user and their password; RFC 7617."""
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"


def head(first: str, fields: Fields) -> bytes:
    """The bytes of a head."""
    return "".join([f"{first}\r\n", *(f"{name}: {value}\r\n" for name, value in fields), "\r\n"]).encode("latin-1")
