"""A host of pages that crawlers get lost in, choke on or fall for: :data:`STARTS`, and what is to be found behind them.

Each shows an ordinary picture of its own; those without end show the same one on every page.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from random import Random
from urllib.parse import unquote

from tests.replica.exchange import Answer, Request, not_found, page
from tests.replica.pictures import PictureAddress
from tests.replica.site_pictures import draw, send

HOST = "maze.example"
SITE = f"https://{HOST}"
ELSEWHERE = "https://www.elsewhere.example/away"
GAP_NAME = "lücke.example"
GAP_HOST = "xn--lcke-0ra.example"

STARTS = {
    "/calendar/2026/11": ("calendar",),
    "/sorted?by=a&page=1": ("sorted",),
    "/deeper/": ("deeper",),
    "/random/": ("random",),
    "/big": tuple(f"big-{number}" for number in range(300)),
    "/oversized": ("oversized",),
    "/links": ("links", "leaf-0", "leaf-1", "leaf-2"),
    "/mixed": ("mixed", "good", "chain", "leaf-1"),
    "/latin": ("latin",),
    "/cyrillic": ("cyrillic",),
    "/nested": ("nested-before", "nested-inside", "nested-after"),
    "/attributes": ("attributes-before", "attributes-after"),
    "/untitled/some/place": ("untitled",),
    "/evil-title": ("evil-title",),
    "/ten-sizes": ("ten",),
    "/inline": ("inline",),
}
"""The first page of each trouble, with the names of the pictures that a crawl of it and of all that it links to finds.

``/`` links to all of them. ``/huge`` is more than a crawl should take: ``/oversized`` links to it, and says so. Nothing
leads to ``/walled``, where a crawl should end.
"""

GAP = {
    "/": ("gap", "/größe/größer?ß=ü"),
    "/größe/": ("gap-large", "/größe/größer?ß=ü"),
    "/größe/größer?ß=ü": ("gap-larger", "/"),
}
"""The pages of the host that is called :data:`GAP_NAME`, by path: what each shows, and where it leads."""

WALLED = 30
"""Links of ``/walled``, which are refused."""
OPEN = 5
"""The one among them that is not."""

LINKS = 50_000
HUGE_SIZE = 40 * 1024 * 1024
LONGEST_TITLE = 3_000
TITLES = {
    "/latin": "Façade à Besançon: où est le hérisson ?",
    "/cyrillic": "Красная панда и её хвост",
    "/untitled/some/place": None,
}
"""The titles of pages that are hard to read."""
TEN_NAMED = (100, 120, 160, 200, 240)
"""The widths of the picture of ``/ten-sizes`` that its names say."""
TEN_ASKED = (280, 320, 360, 400)
"""Those that a parameter asks for."""
DATA_SIZE = (120, 100)
"""The size of the picture within ``/inline``; the other pictures have those of :func:`size_of`."""

_PICTURE = re.compile(r"/pictures/(?P<name>[a-z0-9-]+?)(?:-(?P<width>\d{3})x(?P<height>\d{2,3}))?\.jpg")
_WALLED = re.compile(rf"/walled/(?!{OPEN}\Z)\d+")
_SENTENCE = "Nothing happens on this line, and on the next one there is no more of it to be seen than here. "
_HTML = "text/html; charset=UTF-8"
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Odd:
    """What ``/mixed`` links to beside pages: an answer, and whether a page with pictures comes of it."""

    status: int = 200
    type: str = "text/html; charset=UTF-8"
    body: bytes = b""
    location: str | None = None
    retry_after: str | None = None
    ends_on_page: bool = False

    def answer(self) -> Answer:
        headers = (("Content-Type", self.type), ("Location", self.location), ("Retry-After", self.retry_after))
        return Answer(self.status, tuple((name, value) for name, value in headers if value), self.body)


_PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%EOF\n"
_ERROR = b"<html><head><title>Sorry</title></head><body><h1>Sorry</h1></body></html>"

MIXED = {
    "/report.pdf": Odd(type="application/pdf", body=_PDF),
    "/download?id=1": Odd(type="application/pdf", body=_PDF),
    "/data.json": Odd(type="application/json", body=b'{"image": "https://maze.example/pictures/json.jpg"}'),
    "/feed.xml": Odd(
        type="application/rss+xml",
        body=b'<?xml version="1.0"?><rss version="2.0"><channel><title>Maze</title></channel></rss>',
    ),
    "/plain.txt": Odd(type="text/plain", body=b"Nothing here is a page.\n"),
    "/picture": Odd(type="image/png"),
    "/film.mp4": Odd(type="video/mp4", body=b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(2_000)),
    "/empty": Odd(),
    "/binary": Odd(type="application/octet-stream", body=Random(7).randbytes(5_000)),
    "/gone": Odd(404, body=_ERROR),
    "/removed": Odd(410, body=_ERROR),
    "/forbidden": Odd(403, body=_ERROR),
    "/broken": Odd(500, body=_ERROR),
    "/loop": Odd(302, location="/loop"),
    "/ring/1": Odd(302, location="/ring/2"),
    "/chain/1": Odd(302, location="/chain/2", ends_on_page=True),
    "/away": Odd(302, location=ELSEWHERE),
    "/moved": Odd(301, location="/leaf/1", ends_on_page=True),
    "/slow-down": Odd(429, body=_ERROR, retry_after="100000"),
}
"""By path. ``/mixed`` links to them in this order, and then to ``/good``."""

_FURTHER = {
    "/ring/2": Odd(302, location="/ring/1"),
    **{f"/chain/{number}": Odd(302, location=f"/chain/{number + 1}") for number in range(2, 8)},
    "/chain/8": Odd(302, location="/chain-end"),
}


def pictures(start: str) -> tuple[str, ...]:
    """The addresses of the pictures that a crawl from ``start`` finds, by their best addresses."""
    return tuple(picture_url(name) for name in STARTS[start])


def picture_url(name: str) -> str:
    """The address of a picture."""
    return f"{SITE}/pictures/{name}.jpg"


def size_of(name: str) -> tuple[int, int]:
    """The size of a picture."""
    return (440, 330) if name == "ten" else (200, 150)


def maze(request: Request) -> Answer:
    """maze.example."""
    if found := _PICTURE.fullmatch(request.route):
        return _picture(request, found)
    if request.path == "/picture":
        return send(request, PictureAddress("png", (160, 120), "no-extension").picture(), "image/png")
    if odd := MIXED.get(request.path) or _FURTHER.get(request.path):
        return odd.answer()
    if _WALLED.fullmatch(request.path):
        return Odd(403, body=_ERROR).answer()
    if make := _PAGES.get(request.path):
        made = make()
        return made if isinstance(made, Answer) else page(made)
    for pattern, answer in _ENDLESS:
        if found := pattern.fullmatch(request.path):
            return page(answer(found))
    return not_found()


def gap(request: Request) -> Answer:
    """lücke.example."""
    if found := _PICTURE.fullmatch(request.route):
        return _picture(request, found)
    if shown := GAP.get(unquote(request.path)):
        name, link = shown
        return page(_html(f"Lücke: {name}", _img(name), links=[link]))
    return not_found()


def _picture(request: Request, found: re.Match[str]) -> Answer:
    """A picture, or a smaller copy by name or by ``?w=``."""
    size = size_of(found["name"])
    at = (int(found["width"]), int(found["height"])) if found["width"] else None
    width = request.params.get("w", "")
    if width.isdecimal():
        at = (int(width), int(width) * size[1] // size[0])
    return send(request, draw("jpeg", size, f"maze {found['name']}", at), "image/jpeg")


def _html(title: str | None, *shown: str, links: Iterable[str] = (), head: str = "") -> str:
    """A page with pictures or other markup, and links."""
    listed = "".join(f'<li><a href="{escape(link)}">{escape(link)}</a></li>\n' for link in links)
    named = f"<title>{escape(title)}</title>" if title is not None else ""
    return f"<!DOCTYPE html><html><head>{head}{named}</head><body>{''.join(shown)}<ul>{listed}</ul></body></html>"


def _img(name: str, alt: str = "") -> str:
    return f'<img src="/pictures/{name}.jpg" alt="{escape(alt or name)}">'


# Without end


def _calendar(found: re.Match[str]) -> str:
    year, month = int(found[1]), int(found[2])
    beside = [divmod(year * 12 + month - 1 + step, 12) for step in (-1, 1)]
    links = [f"/calendar/{other}/{place + 1}" for other, place in beside]
    return _html(f"Month {month} of {year}", _img("calendar"), links=links)


def _sorted(found: re.Match[str]) -> str:
    key, number = found[1], int(found[2])
    links = [f"/sorted?by={key}&page={number + 1}", *(f"/sorted?by={other}&page={number}" for other in ("aa", "b"))]
    links += [f"/sorted?by={key}{letter}&page={number}" for letter in "ab"]
    return _html(f"Sorted by {key[:50]}, page {number}", _img("sorted"), links=links)


def _deeper(found: re.Match[str]) -> str:
    return _html(f"{found[0].count('/') - 1} deep", _img("deeper"), links=["deeper/"])


def _random(found: re.Match[str]) -> str:
    random = Random(found[0])
    words = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randrange(5, 12))) for _ in range(5)]
    return _html(f"About {found[1] or 'nothing'}", _img("random"), links=[f"/random/{word}" for word in words])


def _leaf(found: re.Match[str]) -> str:
    return _html(f"Leaf {found[1]}", _img(f"leaf-{int(found[1]) % 3}"), links=["/links"])


_ENDLESS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"/calendar/(\d{1,9})/(\d{1,2})"), _calendar),
    (re.compile(r"/sorted\?by=([a-z]+)&page=(\d{1,9})"), _sorted),
    (re.compile(r"/(?:deeper/)+"), _deeper),
    (re.compile(r"/random/([a-z]*)"), _random),
    (re.compile(r"/leaf/(\d{1,5})"), _leaf),
)


# Too large, too many


@lru_cache(maxsize=1)
def _big() -> Answer:
    text = f"<p>{_SENTENCE * (10_000_000 // 300 // len(_SENTENCE) + 1)}</p>\n"
    return page(_html("Ten megabytes", *(_img(name) + text for name in STARTS["/big"])))


def _huge() -> Answer:
    return Answer(200, (("Content-Type", _HTML),), _streamed())


def _streamed() -> Iterator[bytes]:
    """A page in pieces, whose length nobody says."""
    text = f"<p>{_SENTENCE}</p>\n".encode()
    piece = (text * (_MEGABYTE // len(text) + 1))[:_MEGABYTE]
    yield _html("Forty megabytes", _img("huge")).removesuffix("</body></html>").encode()
    for _ in range(HUGE_SIZE // _MEGABYTE):
        yield piece
    yield b"</body></html>"


def _oversized() -> str:
    return _html("Before the forty megabytes", _img("oversized"), links=["/huge"])


@lru_cache(maxsize=1)
def _links() -> Answer:
    return page(_html("Fifty thousand links", _img("links"), links=(f"/leaf/{number}" for number in range(LINKS))))


@lru_cache(maxsize=1)
def _nested() -> str:
    inside = f"{'<div>' * 20_000}{_img('nested-inside')}{'</div>' * 20_000}"
    return _html("Twenty thousand deep", _img("nested-before"), inside, _img("nested-after"))


@lru_cache(maxsize=1)
def _attributes() -> str:
    many = " ".join(f'a{number}="{number}"' for number in range(40_000))
    return _html("Forty thousand attributes", _img("attributes-before"), f"<p {many}>x</p>", _img("attributes-after"))


# Hard to read


def _encoded(path: str, alt: str, *, encoding: str, content_type: str, head: str = "") -> Answer:
    text = _html(TITLES[path], _img(path.strip("/"), alt), head=head)
    return Answer(200, (("Content-Type", content_type),), text.encode(encoding))


def _latin() -> Answer:
    return _encoded("/latin", "Un hérisson déçu", encoding="iso-8859-1", content_type="text/html; charset=ISO-8859-1")


def _cyrillic() -> Answer:
    meta = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">'
    return _encoded("/cyrillic", "Рыжая лапа", encoding="windows-1251", content_type="text/html", head=meta)


def _evil_title() -> str:
    title = "../../etc/passwd\x01\x07\x7f\x1b[31mred\x1b[0m\r\n\t\u202egpj.exe C:\\NUL|<>:*?\"' "
    return _html(title.ljust(LONGEST_TITLE, "x"), _img("evil-title"))


def _ten_sizes() -> str:
    """One picture: five sizes by name, four by a parameter, and the original."""
    named = [f"/pictures/ten-{width}x{width * 3 // 4}.jpg" for width in TEN_NAMED]
    asked = [f"/pictures/ten.jpg?w={width}" for width in TEN_ASKED]
    first = f'<img src="{named[0]}" srcset="{_srcset(named, TEN_NAMED)}" alt="Ten">'
    second = f'<img src="{asked[0]}" srcset="{_srcset(asked, TEN_ASKED)}" alt="Ten again">'
    return _html("Ten sizes", first, second, '<a href="/pictures/ten.jpg">The original</a>')


def _srcset(urls: Iterable[str], widths: Iterable[int]) -> str:
    return ", ".join(f"{url} {width}w" for url, width in zip(urls, widths, strict=True))


def _inline() -> str:
    return _html("A picture within", _img("inline"), f'<img src="{data_uri()}" alt="Within">')


@lru_cache(maxsize=1)
def data_uri() -> str:
    """The picture within ``/inline``."""
    data = PictureAddress("png-palette", DATA_SIZE, "within").picture()
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


_PAGES: dict[str, Callable[[], str | Answer]] = {
    "/": lambda: _html("Maze", _img("maze"), links=STARTS),
    "/big": _big,
    "/huge": _huge,
    "/oversized": _oversized,
    "/links": _links,
    "/mixed": lambda: _html("Of all kinds", _img("mixed"), links=[*MIXED, "/good"]),
    "/good": lambda: _html("A good page", _img("good")),
    "/chain-end": lambda: _html("After eight redirects", _img("chain")),
    "/latin": _latin,
    "/cyrillic": _cyrillic,
    "/nested": _nested,
    "/attributes": _attributes,
    "/untitled/some/place": lambda: _html(None, _img("untitled")),
    "/evil-title": _evil_title,
    "/ten-sizes": _ten_sizes,
    "/inline": _inline,
    "/walled": lambda: _html(
        "Behind a wall", _img("walled"), links=(f"/walled/{number + 1}" for number in range(WALLED))
    ),
    f"/walled/{OPEN}": lambda: _html("A hole in the wall", _img("hole")),
}
