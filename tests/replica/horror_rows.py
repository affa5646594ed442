"""Everything that a page or the host of a picture can do to a crawl, and what should become of it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import quote

from tests.replica import horror_answers as answers
from tests.replica.certificates import Flaw
from tests.replica.horror_addresses import FORBIDDEN, LED_TO, OTHER_SCHEMES
from tests.replica.horror_answers import SECRET, Answering, body, status, with_headers

CDN = "horrors-cdn.example"
BELOW = "horrors.example"
FLAWS = {f"untrusted.{BELOW}": Flaw.UNTRUSTED, f"expired.{BELOW}": Flaw.EXPIRED, f"other.{BELOW}": Flaw.OTHER_NAME}
"""Hosts whose certificates should not be believed."""

ESC = "\x1b]0;owned\x07\x1b[31mred\x1b[0m"
"""What a terminal would obey."""

TEXTS = {
    "escapes": ESC,
    "breaks": "a picture\r\n2026-11-21 20:00:00 [imagecrawl] ERROR: forged\u2028\x85more",
    "bidi": "cats \u202egpj.exe \u2066x\u2069",
    "traversal": "../../../etc/passwd",
    "absolute": "/etc/passwd",
    "endless": "x" * 100_000,
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "backspaces": "visible\b\b\b\b\b\b\bhidden \x9b31m",
}
"""What somebody may have written beside a picture."""

PRIVATE = ("refused", "private-address")


@dataclass(frozen=True)
class Horror:
    """A picture, and what should become of it."""

    name: str
    url: str
    """As it stands in the page, or in a list."""
    outcome: str | None = "stored"
    """``None`` for what is taken for no picture's address, and has no line."""
    reason: str | None = None
    answer: Answering = answers.good
    """What its host says."""
    alt: str = ""
    """What is written beside it, if not its name."""
    keyword: str = ""
    """What a list has it under: then the page does not show it."""
    on_page: bool = True
    """Whether, on a page, it is taken for the address of a picture: else it has no line there."""
    is_slow: bool = False

    @property
    def end(self) -> tuple[str, str | None] | None:
        """Outcome and reason."""
        return (self.outcome, self.reason) if self.outcome else None


# Addresses that lead where none should


def _direct() -> Iterator[Horror]:
    for name, host in FORBIDDEN.items():
        url = f"http://{host}:PORT/x.jpg?horror={name}"
        yield Horror(name, url, *PRIVATE, on_page="%" not in host)
    for name in ("loopback-6", "metadata", "metadata-google"):
        yield Horror(f"{name}-tls", f"https://{FORBIDDEN[name]}/x.jpg?horror={name}-tls", *PRIVATE)
    for name, url in OTHER_SCHEMES.items():
        yield Horror(name, f"{url}?horror={name}", None)


def _led() -> Iterator[Horror]:
    for name in LED_TO:
        for way in ("301", "302", "303", "307", "308", "meta"):
            yield _to(f"{way}-{name}", way, f"http://{FORBIDDEN[name]}:PORT/x.jpg?from={name}", *PRIVATE)
    for name, url in (*OTHER_SCHEMES.items(), ("data", "data:image/gif;base64,R0lGODlhAQABAAAAACw=")):
        is_none = name == "javascript"  # without slashes: nothing that a request can be made of
        of_name = {"javascript": ("failed", "bad-url"), "data": ("failed", "http-302")}
        yield _to(f"302-{name}", "302", url, *of_name.get(name, ("refused", "no-such-scheme")))
        yield _to(f"meta-{name}", "meta", url, "failed", "bad-url" if is_none else "not-an-image")
    for host in FLAWS:
        flaw = host.partition(".")[0]
        yield Horror(f"{flaw}-direct", f"https://{host}/x.jpg?horror={flaw}-direct", "failed", "certificate")
        yield _to(f"302-{flaw}", "302", f"https://{host}/x.jpg?horror={flaw}", "failed", "certificate")
    yield _to("302-nowhere", "302", "http://[::1", "failed", "bad-url")
    yield _to("302-escapes", "302", f"/x.jpg?horror=escapes-of-302&{ESC}", "stored")


def _to(name: str, way: str, target: str, outcome: str, reason: str | None = None) -> Horror:
    """A picture that leads to ``target``, by a status or a page."""
    url = f"https://{CDN}/to.jpg?horror={name}&way={way}&to={quote(target, safe='')}"
    return Horror(name, url, outcome, reason, answers.led)


# What a host may answer


def _at(name: str, outcome: str, reason: str | None, answer: Answering, host: str = CDN) -> Horror:
    return Horror(name, f"https://{host}/x.jpg?horror={name}", outcome, reason, answer)


_ANSWERS = (
    _at("hops-5", "stored", None, partial(answers.hops, 5)),
    _at("hops-6", "failed", "too-many-redirects", partial(answers.hops, 6)),
    _at("hops-endless", "failed", "too-many-redirects", partial(answers.hops, -1)),
    _at("hop-login", "failed", "bad-url", answers.led_with_login),
    _at("hop-too-long", "refused", "url-too-long", answers.led_far),
    _at("large-said", "refused", "too-large", answers.said_to_be_large),
    _at("large-unsaid", "refused", "too-large", answers.endless),
    _at("bomb-gzip", "refused", "too-large", body(answers.gzip_bomb, ("Content-Encoding", "gzip"))),
    _at("bomb-br", "refused", "too-large", body(answers.brotli_bomb, ("Content-Encoding", "br"))),
    _at("bomb-zstd", "refused", "too-large", body(answers.zstd_bomb, ("Content-Encoding", "zstd"))),
    _at("bomb-double", "refused", "too-large", body(answers.double_bomb, ("Content-Encoding", "gzip, gzip"))),
    _at("head-many", "failed", "headers-too-large", with_headers(*((f"X-{n}", "x" * 99) for n in range(3000)))),
    _at("head-long", "failed", "headers-too-large", with_headers(("X-Long", "x" * 200_000))),
    _at("pixel-bomb", "refused", "too-many-pixels", body(answers.pixel_bomb)),
    _at("pixel-bomb-ico", "refused", "too-many-pixels", body(lambda: answers.icon(answers.pixel_bomb()))),
    _at("pixel-bomb-tiff", "refused", "too-many-pixels", body(lambda: answers.tiff(60_000, 1))),
    _at("scan-bomb", "refused", "too-many-pixels", body(lambda: answers.scans(101))),
    _at("frame-bomb", "refused", "too-many-frames", body(lambda: answers.frame_bomb(5_001))),
    _at("text-bomb", "failed", "broken", body(answers.text_bomb)),
    _at("profile-bomb", "failed", "broken", body(answers.profile_bomb)),
    _at("tiff-circle", "stored", None, body(lambda: answers.tiff(100, 10_000, circles=True))),
    _at("tiff-promise", "failed", "truncated", body(lambda: answers.tiff(1000, 1))),
    _at("drawing", "refused", "unsupported-format", body(answers.drawing)),
    _at("robots-503", "refused", "robots-unavailable", answers.good, f"silent.{BELOW}"),
    _at("robots-no", "refused", "robots-txt", answers.good, f"forbidden.{BELOW}"),
    _at("robots-signal", "refused", "opt-out", answers.good, f"reserved.{BELOW}"),
    _at("busy-429", "failed", "http-429", status(429), f"busy.{BELOW}"),
    _at("busy-503", "failed", "http-503", status(503), f"out-of-order.{BELOW}"),
    _at("busy-for-a-day", "failed", "http-429", status(429, ("Retry-After", "86400")), f"patient.{BELOW}"),
    _at("noai", "refused", "opt-out", with_headers(("X-Robots-Tag", "noai"))),
    _at("noimageai", "refused", "opt-out", with_headers(("X-Robots-Tag", "noindex, noimageai"))),
    _at("noml", "refused", "opt-out", with_headers(("X-Robots-Tag", "imagecrawl: noml"))),
    _at("noai-of-another", "stored", None, with_headers(("X-Robots-Tag", "googlebot: noai"))),
    _at("content-usage", "refused", "opt-out", with_headers(("Content-Usage", "train-ai=n"))),
    _at("tdm", "stored", None, with_headers(("TDM-Reservation", "1"))),
    _at("tag-escapes", "stored", None, with_headers(("X-Robots-Tag", f"noindex, {ESC}"))),
    _at("type-escapes", "stored", None, with_headers(("Content-Type", f"image/{ESC}"))),
    _at("etag-escapes", "stored", None, with_headers(("ETag", f'"{ESC}"'), ("Last-Modified", ESC))),
    _at("disposition", "stored", None, with_headers(("Content-Disposition", "attachment; filename=../../../x.sh"))),
    _at("cookie", "stored", None, with_headers(("Set-Cookie", "tracker=1; Path=/; Max-Age=9999"))),
)
_SLOW = (
    replace(_at("slow-body", "failed", "too-slow", partial(answers.dribbling, 100)), is_slow=True),
    replace(_at("slow-forever", "failed", "timeout", partial(answers.dribbling, 5000)), is_slow=True),
)


# What is written beside a picture, and in its address

_PATHS = {
    "path-quoted": "..%2f..%2f..%2f..%2fetc/passwd.jpg",
    "path-dots": "../../../../../../etc/passwd.jpg",
    "path-quoted-dots": "%2e%2e/%2e%2e/%2e%2e/etc/passwd.jpg",
    "path-backslashes": "..\\..\\..\\x.jpg",
    "path-nul": "x.sh%00.jpg",
    "path-escapes": "%1b%5b31m.jpg",
    "path-breaks": "x%0d%0aSet-Cookie:%20a=b.jpg",
    "path-device": "CON.jpg",
}


def _written() -> Iterator[Horror]:
    for name, path in _PATHS.items():
        yield Horror(name, f"https://{CDN}/{path}?horror={name}")
    for name, text in TEXTS.items():
        yield Horror(f"text-{name}", f"https://{CDN}/x.jpg?horror=text-{name}", alt=text)
    for name, text in TEXTS.items():
        outcome = None if name in {"escapes", "backspaces"} else "stored"  # a line with such a keyword is bad
        yield Horror(f"folder-{name}", f"https://{CDN}/x.jpg?horror=folder-{name}", outcome, keyword=text)
    yield Horror("login", f"https://me:{SECRET}@{CDN}/x.jpg?horror=login")
    yield Horror(
        "too-long", f"https://{CDN}/{'x' * 8200}.jpg?horror=too-long", "refused", "url-too-long", on_page=False
    )
    yield Horror("data", f"data:image/jpeg;horror=data;base64,{b64encode(answers.small()).decode()}")
    yield Horror("data-page", "data:text/html;horror=data-page,<p>hello", "failed", "not-an-image", on_page=False)
    long = f"data:image/jpeg;horror=data-too-long;base64,{'A' * 2_200_000}"
    yield Horror("data-too-long", long, "refused", "url-too-long", on_page=False)


HORRORS: tuple[Horror, ...] = (*_direct(), *_led(), *_ANSWERS, *_SLOW, *_written())
BY_NAME = {horror.name: horror for horror in HORRORS}
assert len(BY_NAME) == len(HORRORS)
