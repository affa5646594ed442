"""Hosts of horrors: a gallery that shows a picture for everything that a page or the host of a picture can do to a
crawl, and pages that do it themselves. What there is, and what should become of it, stands in ``horror_rows``.

``PORT`` in an address is that of a server on this machine, which nobody may reach; the gallery is told it. Every
picture has its name in its address, so that it is found again whatever else becomes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from html import escape
from itertools import cycle
from urllib.parse import quote, urlsplit

from tests.replica import horror_answers as answers
from tests.replica.exchange import Answer, Request, Site, not_found, page, robots_txt
from tests.replica.horror_addresses import FORBIDDEN
from tests.replica.horror_answers import Answering
from tests.replica.horror_rows import BELOW, BY_NAME, CDN, ESC, FLAWS, HORRORS, TEXTS, Horror

HOST = f"www.{BELOW}"
GALLERY = f"https://{HOST}/?port=PORT"
LIVE = f"https://{HOST}/live?port=PORT"
"""A page whose elements and scripts ask for what no browser of ours may ask for."""

_NAME = re.compile(r"horror=([\w-]+)")
_ROBOTS = {
    f"forbidden.{BELOW}": robots_txt("User-agent: *\nDisallow: /\n"),
    f"reserved.{BELOW}": robots_txt("User-agent: *\nContent-Signal: ai-train=no\nAllow: /\n"),
    f"silent.{BELOW}": page("no", 503, "text/plain"),
}


@dataclass(frozen=True)
class Page:
    """A page that cannot be read, and what is said of it. Each is on a host of its own."""

    name: str
    said: str
    """Part of the line."""
    answer: Answering
    query: str = ""

    @property
    def host(self) -> str:
        return f"{self.name}.{BELOW}"

    @property
    def url(self) -> str:
        return f"https://{self.host}/{self.query}"


def _to(way: str, name: str) -> Page:
    target = quote(f"http://{FORBIDDEN[name]}:PORT/", safe="")
    return Page(f"page-{way}-{name}", "not on the public internet", answers.led, f"?way={way}&to={target}")


PAGES = (
    _to("301", "loopback"),
    _to("302", "loopback-6"),
    _to("303", "metadata"),
    _to("307", "metadata-google"),
    _to("308", "name-that-leads-home"),
    _to("meta", "loopback-decimal"),
    _to("meta", "private-10"),
    Page("page-hops", "leads on and on", lambda request: answers.hops(-1, request)),
    Page("page-endless", "larger than", answers.endless),
    Page("page-bomb", "larger than", answers.body(answers.gzip_bomb, ("Content-Encoding", "gzip"))),
    Page("page-type", "no HTML page", answers.with_headers(("Content-Type", f"application/{ESC}\x9b"))),
    Page("page-head", "HEADERS_MAX_BYTES", answers.with_headers(("X-Long", "x" * 200_000))),
)


def name_in(text: str) -> str | None:
    """The name of the horror whose address stands in ``text``."""
    found = _NAME.search(text)
    return found[1] if found else None


def sites() -> dict[str, Site]:
    """Every host."""
    hosts = {urlsplit(horror.url).hostname or "" for horror in HORRORS if BELOW in horror.url} | set(FLAWS)
    pages = {page.host: partial(bad_page, page) for page in PAGES}
    return {**dict.fromkeys(hosts, pictures), **pages, CDN: pictures, HOST: gallery}


def bad_page(bad: Page, request: Request) -> Answer:
    return not_found() if request.route == "/robots.txt" else bad.answer(request)


def pictures(request: Request) -> Answer:
    """The hosts of the pictures. An address that a horror leads to has a picture."""
    if request.route == "/robots.txt":
        return _ROBOTS.get(request.host, not_found())
    horror = BY_NAME.get(request.params.get("horror", ""))
    return horror.answer(request) if horror else answers.good(request)


def gallery(request: Request) -> Answer:
    """www.horrors.example: the gallery, and what a browser is to be caught with."""
    port = request.params.get("port", "0")
    match request.route:
        case "/":
            return page(_SHOWN.replace("PORT", port))
        case "/live":
            return page(_LIVE.replace("PORT", port))
        case _:
            return not_found()


def _shown(horrors: Iterable[Horror]) -> str:
    """Each in another way, as far as its address allows it."""
    ways = cycle(_WAYS)
    shown = []
    for horror in horrors:
        url, alt = escape(horror.url), escape(horror.alt or horror.name)
        way = _WAYS[0] if horror.alt or "," in url or " " in url else next(ways)
        shown.append(way % {"url": url, "alt": alt})
    return "\n".join(shown)


_WAYS = (
    '<figure><img src="%(url)s" alt="%(alt)s" width="200" height="150"><figcaption>%(alt)s</figcaption></figure>',
    '<img srcset="%(url)s 2x" alt="%(alt)s">',
    '<picture><source srcset="%(url)s 800w"><img alt="%(alt)s"></picture>',
    '<a href="%(url)s">%(alt)s</a>',
    '<img data-src="%(url)s" alt="%(alt)s">',
    "<div style=\"background-image: url('%(url)s')\">%(alt)s</div>",
)
_TITLE = escape(f"{TEXTS['traversal']} {TEXTS['escapes']} {TEXTS['bidi']}")
_PICTURES = _shown(horror for horror in HORRORS if not (horror.is_slow or horror.keyword))
_SHOWN = f"<html><head><title>{_TITLE}</title></head><body>{_PICTURES}</body></html>"
_TARGETS = [f"http://{host}:PORT/" for host in FORBIDDEN.values()]
_LIVE = f"""<html><head><title>Live</title>
{"".join(f'<link rel="stylesheet" href="{url}style.css">' for url in _TARGETS)}
{"".join(f'<script async src="{url}script.js"></script>' for url in _TARGETS)}
</head><body><img src="https://{CDN}/x.jpg?horror=of-the-live-page" alt="one">
{"".join(f'<iframe src="{url}frame"></iframe>' for url in _TARGETS)}
<iframe src="file:///etc/passwd"></iframe>
<script>
for (const url of {_TARGETS}) {{
  fetch(url + "fetched", {{ mode: "no-cors" }}).catch(() => 0);
  navigator.sendBeacon(url + "beacon", "x");
  try {{ new WebSocket(url.replace("http", "ws") + "socket") }} catch (error) {{}}
  try {{ new EventSource(url + "events") }} catch (error) {{}}
  new Image().src = url + "image";
}}
</script></body></html>"""
