"""Hosts with one picture each, and every answer that can be had when their robots.txt is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat

from tests.replica.exchange import Answer, Request, Site, not_found, page, redirect, robots_txt
from tests.replica.kinds import PRIVATE_HOST
from tests.replica.picture_hosts import good

DOMAIN = "robots.example"
NOT_AT_ALL = "User-agent: *\nDisallow: /\n"
KIB = 1024


@dataclass(frozen=True)
class Case:
    """What a host answers when its robots.txt is asked for, and what becomes of its picture."""

    answer: Callable[[Request], Answer]
    outcome: str = "stored"
    reason: str | None = None

    @property
    def is_asked(self) -> bool:
        """Whether the picture is asked for."""
        return self.outcome == "stored"


def host(name: str) -> str:
    return f"{name}.{DOMAIN}"


def url(name: str) -> str:
    """The address of the picture."""
    return f"https://{host(name)}/jpeg/300x200/of-{name}.jpg"


def hops(number: int, request: Request) -> Answer:
    """So many redirects, the last to the robots.txt of a host that forbids everything."""
    left = int(request.params.get("left", number)) - 1
    return redirect(f"https://{request.host}/robots.txt?left={left}" if left else f"https://{PRIVATE_HOST}/robots.txt")


def closes(request: Request) -> Answer:
    raise ConnectionResetError


def endless(request: Request) -> Answer:
    def chunks() -> Iterator[bytes]:
        yield NOT_AT_ALL.encode()
        yield from repeat(b"#" * 16 * KIB + b"\n")

    return replace(page("", content_type="text/plain"), body=chunks())


def padded(kib: int) -> str:
    """A robots.txt of 600 KiB whose rule stands so far down."""
    line = f"#{'-' * 1022}\n"
    return f"{line * kib}{NOT_AT_ALL}{line * (600 - kib)}"


def says(rules: str) -> Callable[[Request], Answer]:
    return lambda _: robots_txt(rules)


def status(code: int) -> Callable[[Request], Answer]:
    """An error whose page would forbid everything, were it a robots.txt."""
    return lambda _: page(NOT_AT_ALL, code)


def binary(request: Request) -> Answer:
    return Answer(200, (("Content-Type", "application/octet-stream"),), bytes(range(256)) * 100)


CASES = {
    "404": Case(status(404)),
    "403": Case(status(403)),
    "500": Case(status(500), "refused", "robots-unavailable"),
    "503": Case(status(503), "refused", "robots-unavailable"),
    "429": Case(status(429), "refused", "robots-unavailable"),
    "4-hops": Case(partial(hops, 4), "refused", "robots-txt"),
    "5-hops": Case(partial(hops, 5), "refused", "robots-txt"),
    "6-hops": Case(partial(hops, 6)),
    "loop": Case(lambda request: redirect(request.url)),
    "nowhere": Case(lambda _: Answer(302)),
    "490-kib": Case(says(padded(490)), "refused", "robots-txt"),
    "520-kib": Case(says(padded(520))),
    "endless": Case(endless, "refused", "robots-txt"),
    "binary": Case(binary),
    "html": Case(lambda _: page("<!DOCTYPE html>\n<title>Hello</title>\n<p>Disallow: /</p>")),
    "closes": Case(closes, "failed", "connection"),
    "truncated": Case(lambda _: replace(robots_txt(NOT_AT_ALL), missing=10), "refused", "robots-unavailable"),
    "named": Case(says("User-agent: *\nAllow: /\n\nUser-agent: ImageCrawl\nDisallow: /\n"), "refused", "robots-txt"),
    "namesakes": Case(says("User-agent: image\nUser-agent: imagecrawler\nDisallow: /\n")),
    "reserved": Case(says("User-agent: *\nContent-Signal: ai-train=no\nAllow: /\n"), "refused", "opt-out"),
    "usage": Case(says("User-agent: *\nContent-Usage: /jpeg/ train-ai=n\n"), "refused", "opt-out"),
    "slowly": Case(says("User-agent: *\nCrawl-delay: 1\n")),
    "away": Case(lambda _: not_found(), "refused", "robots-txt"),
}
"""By the first part of the host's name. The picture of ``away`` is a redirect to a host that forbids it."""


def sites() -> dict[str, Site]:
    return {host(name): partial(_answer, name) for name in CASES}


def _answer(name: str, request: Request) -> Answer:
    if request.route == "/robots.txt":
        return CASES[name].answer(request)
    return redirect(f"https://{PRIVATE_HOST}{request.path}") if name == "away" else good(request)
