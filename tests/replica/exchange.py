"""What a client asks and what a host answers: the two values every host of the replica deals in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from time import monotonic
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """One request; ``path`` includes the query, header names are lower-case."""

    method: str
    scheme: str
    host: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def url(self) -> str:
        """The address as the client would write it."""
        return f"{self.scheme}://{self.host}{self.path}"

    @property
    def route(self) -> str:
        """The path without its query."""
        return urlsplit(self.url).path

    @property
    def params(self) -> dict[str, str]:
        """The query; of a repeated name the last value counts."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The fields of a posted form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies the client sent."""
        return {name: morsel.value for name, morsel in SimpleCookie(self.headers.get("cookie", "")).items()}


@dataclass(frozen=True)
class LoggedRequest(Request):
    """A request as the log keeps it. ``CONNECT`` appears only when it was refused.

    ``time`` is when its answer began, by the clock of :func:`time.monotonic`.
    """

    status: int = 200
    time: float = field(default_factory=monotonic)


@dataclass(frozen=True)
class Answer:
    """One answer.

    A body of bytes is sent with its length, an iterator in chunks; an empty chunk sends nothing and lets the server
    see whether the client is still there. ``missing`` is how many bytes the answer promises beyond those it sends.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterator[bytes] = field(default=b"", repr=False)
    missing: int = 0


Site = Callable[[Request], Answer]
"""A host: what it answers to a request."""


def page(text: str, status: int = 200, content_type: str = "text/html; charset=UTF-8", missing: int = 0) -> Answer:
    """A page of text."""
    return Answer(status, (("Content-Type", content_type),), text.encode(), missing)


def redirect(location: str, status: int = 302, *headers: tuple[str, str]) -> Answer:
    """A redirect, with further headers such as cookies."""
    return Answer(status, (("Location", location), ("Content-Type", "text/html; charset=UTF-8"), *headers))


def not_found() -> Answer:
    """The plain 404 every host gives for what it does not know."""
    return page("<html><title>404</title><body>Not found</body></html>", 404)


def robots_txt(rules: str = "") -> Answer:
    """The robots.txt of a host; a host without rules has none."""
    return page(rules, content_type="text/plain") if rules else not_found()
