"""Addresses as pages write them: made absolute, told from placeholders, and compared.

Two bounds: MAX_URL characters of an http(s) address, MAX_DATA of a ``data:`` URI. What is longer is left out, and
counted.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urljoin

from w3lib.url import safe_url_string

from imagecrawl.pages.values import encodable, split_url

MAX_URL = 8_192
MAX_DATA = 2_000_000

_SPACE = " \t\n\r\f\v\0"
_BREAKS = re.compile(r"[\t\n\r\0]+")
_SPACES = re.compile(r"\s+")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_NO_HOST = re.compile(r"[a-z]+:/{3}", re.IGNORECASE)
_WEB = {"http", "https"}
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_-])?\.?|\[[0-9a-f:.]+\]", re.IGNORECASE)
_PLAIN_CHARS = "A-Za-z0-9_.~%+,=@!$&'()*;:/?-"
_PLAIN = re.compile(rf"https?://[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)*/[{_PLAIN_CHARS}]*")
_PLAIN_PATH = re.compile(rf"/(?:[{_PLAIN_CHARS.replace('/', '')}][{_PLAIN_CHARS}]*)?")
_PLAIN_NAME = re.compile(rf"[A-Za-z0-9_~%-][{_PLAIN_CHARS.replace(':', '')}]*")
_PLAIN_QUERY = re.compile(rf"\?[{_PLAIN_CHARS}]+")
_UP = re.compile(r"(?:\.\./){1,50}")
_RESERVED = "!$%&'()*+,/:;=?@[]~"
_TEMPLATE = re.compile(r"\{\{|\$\{|<%|%[{]")

_PICTURE = re.compile(r"jpe?g|jpe|jfif|pjpeg|pjp|png|apng|gif|webp|avif|bmp|tiff?", re.IGNORECASE)
_ENDING = re.compile(rf"\.(?:{_PICTURE.pattern})(?:[!:@][\w.,!:@-]{{0,40}})?\Z", re.IGNORECASE)
_NO_PICTURE = re.compile(
    r"\.(?:mp4|webm|ogv|mov|m4v|m3u8|mp3|html?|php|aspx?|jsx?|mjs|css|json|xml|pdf|woff2?|ttf|zip)\Z", re.IGNORECASE
)
_NOTHING = re.compile(
    r"/(?:blank|spacer|space|pixel|1x1|1px|transparent|trans|clear|empty|dot|shim)[\d_-]{0,9}\.(?:gif|png|svg|webp)(?:\?|\Z)",
    re.IGNORECASE,
)
_STAND_IN = re.compile(r"placeholder|loading|loader|lazy|preload|spinner|grey|gray|no-?image|no-?img|dummy")

_SIZED_NAME = re.compile(r"-(\d{2,5})x(\d{2,5})\Z")
_DENSE_NAME = re.compile(r"@([234])x\Z")
_NUMBER = re.compile(r"(\d{1,6})(?:\.\d+)?(?:px|w)?(?:[,x:]\d{1,6})?")
_WIDTHS = {"w", "width", "wid", "imwidth", "maxwidth", "max-w", "sw", "resize", "fit", "size", "s", "sz"}
_MEASURES = {"h", "height", "hei", "maxheight", "max-h", "sh", "q", "quality", "qlt", "dpr", "zoom"}
_STYLES = {"fit", "crop", "auto", "fm", "format", "strip", "ssl", "ixlib", "ixid"}
_VERSIONS = {"v", "ver", "version", "t", "ts", "_", "s", "itok", "cb", "hash", "sig", "rev"}
_ORIGINAL = 1_000_000


class Identity(NamedTuple):
    """What addresses of one picture have in common, and how large the one at hand is said to be."""

    key: str
    size: float


class Addresses:
    """The addresses of one page, made absolute. ``oversized`` counts those that are too long."""

    def __init__(self, base: str, *, page: str, encoding: str = "utf-8") -> None:
        self._base = base.partition("#")[0]
        self._encoding = encoding
        self._known: dict[str, str | None] = {}
        self.oversized = 0
        parts = split_url(base)
        is_plain = parts is not None and _PLAIN.fullmatch(f"{parts.scheme}://{parts.netloc}/") is not None
        self._origin = f"{parts.scheme}://{parts.netloc}" if parts and is_plain else None
        file = self._base.partition("?")[0]
        self._file = file if self._origin and _PLAIN.fullmatch(file) and "/." not in file else None
        self._folder = self._file and self._file.rpartition("/")[0] + "/"
        self._page, self._here = self._resolve(page), self._resolve("")
        self.oversized = 0

    def absolute(self, text: str | None) -> str | None:
        """An address of the page as an absolute one, as a browser reads it, in ASCII and without its fragment.

        ``None`` for what is no address of a picture: other schemes than http, https and data:image, templates that no
        script has filled in, the page itself, and what keeps a place free and shows nothing: ``blank.gif``, a GIF of
        one pixel, an empty drawing.
        """
        found = self._known_or_resolved(text) if text else None
        if found is None or found in {self._page, self._here}:
            return None
        return None if found[:5] != "data:" and _NOTHING.search(found) else found

    def link(self, text: str | None) -> str | None:
        """Where a link leads, as :meth:`absolute` makes it; an address without more than a fragment is the base.

        ``None`` for what is no other page and no file: other schemes than http and https, templates that no script has
        filled in, the page itself.
        """
        found = None if text is None else self._known_or_resolved(text)
        return None if found is None or found == self._page or found[:5] == "data:" else found

    def _known_or_resolved(self, text: str) -> str | None:
        if text not in self._known:
            self._known[text] = self._resolve(text.strip(_SPACE))
        return self._known[text]

    def _resolve(self, text: str) -> str | None:
        if text[:5].lower() == "data:":
            return self._data(text)
        address = _BREAKS.sub("", text).partition("#")[0]
        scheme = _SCHEME.match(address)
        if (scheme and scheme[1].lower() not in _WEB) or _TEMPLATE.search(address):
            return None
        is_long = len(text) > MAX_URL
        found = None if is_long else self._plain(address) or self._any(address)
        if is_long or (found and len(found) > MAX_URL):
            self.oversized += 1
            return None
        return found

    def _plain(self, address: str) -> str | None:
        """The same as :meth:`_any`, ten times as fast, for the addresses that most pages consist of."""
        folder = self._folder
        if folder and (above := _UP.match(address)):
            address = address[above.end() :]
            levels = min(above.end() // 3, folder.count("/") - 3)
            folder = folder.rsplit("/", levels + 1)[0] + "/"
            if not address:
                return folder
        elif _PLAIN.fullmatch(address):
            return address if "/." not in address else None
        elif self._origin and _PLAIN_PATH.fullmatch(address):
            return self._origin + address if "/." not in address else None
        elif self._file and _PLAIN_QUERY.fullmatch(address):
            return self._file + address
        return folder + address if folder and _PLAIN_NAME.fullmatch(address) and "/." not in address else None

    def _any(self, address: str) -> str | None:
        before, mark, query = address.partition("?")
        address = before.replace("\\", "/") + mark + query
        if _NO_HOST.match(address):
            return None
        try:
            joined = encodable(urljoin(self._base, address))
            safe = safe_url_string(joined, encoding=self._encoding)
        except (ValueError, LookupError):
            return None
        parts = split_url(safe)
        if parts is None or parts.scheme not in _WEB or not _HOST.fullmatch(_bracketed(parts.hostname)):
            return None
        user, at, host = parts.netloc.rpartition("@")
        url = parts._replace(netloc=user + at + host.lower(), path=_without_dots(parts.path)).geturl()
        return url if url.isascii() else None

    def _data(self, text: str) -> str | None:
        if len(text) > MAX_DATA:
            self.oversized += 1
            return None
        head, comma, body = text.partition(",")
        head = _SPACES.sub("", head).lower()
        if not comma or not head.startswith("data:image/"):
            return None
        body = body.partition("#")[0]
        body = _SPACES.sub("", body) if head.endswith(";base64") else body
        url = f"{head},{quote(body, safe=_RESERVED, errors='replace')}"
        size = data_size(url)
        is_empty = len(url) < 100 or (size is not None and max(size) <= 2)
        is_mark = head.startswith("data:image/svg") and len(url) < 2_000
        return None if is_empty or is_mark or not head.isascii() else url


def _bracketed(host: str | None) -> str:
    return f"[{host}]" if host and ":" in host else host or ""


def _without_dots(path: str) -> str:
    """A path from the root without ``.`` and ``..``, which urljoin leaves in addresses with a host."""
    return urljoin("/", path) if "/." in path and path[:2] != "//" else path or "/"


def ends_like_picture(address: str) -> bool:
    """True for an address whose path ends like the file of a picture.

    ``/wiki/File:Cat.jpg`` is a page about one.

    >>> [ends_like_picture(url) for url in ("/a.JPG?w=1", "a.png:large", "/a.php?f=b.jpg", "/wiki/File:Cat.jpg")]
    [True, True, False, False]
    """
    if len(address) > MAX_URL:
        return False
    name = _name_of(address)
    ending = _ENDING.search(name)
    stem = name[: ending.start()].lower() if ending else ""
    return bool(stem) and ":" not in stem and "%3a" not in stem


def leads_elsewhere(address: str) -> bool:
    """True for an address whose path ends like a film, a page, a script."""
    return _NO_PICTURE.search(_name_of(address[:MAX_URL])) is not None


def is_stand_in(url: str) -> bool:
    """True for what may stand for a picture until a script has loaded it: if there is another, that one is meant."""
    if url.startswith("data:"):
        return len(url) < 4_000
    return _STAND_IN.search(_name_of(url).lower()) is not None


def data_size(url: str) -> tuple[int, int] | None:
    """Width and height of the GIF or PNG in a ``data:`` URI, read from its first bytes.

    >>> data_size("data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
    (1, 1)
    """
    head, _, body = url[:200].partition(",")
    try:
        start = b64decode(unquote(body)[:32]) if head.endswith(";base64") else b""
    except ValueError:
        return None
    if start[:3] == b"GIF":
        return int.from_bytes(start[6:8], "little"), int.from_bytes(start[8:10], "little")
    if start[:4] == b"\x89PNG":
        return int.from_bytes(start[16:20]), int.from_bytes(start[20:24])
    return None


def identify(url: str) -> Identity:
    """What an address has in common with those of the same picture in other sizes, and its size.

    The key is the address without its scheme, without what names say of sizes (``-300x200``, ``-scaled``, ``@2x``
    before the extension), and without the parameters that ask for a size, a quality or a format; for files with the
    extension of a picture also without those that name a version. All others stay: ``?id=1`` and ``?id=2`` are two. The
    size is the width; of a file without any the original's, which is taken for the largest.

    >>> identify("https://a.example/x-300x200.jpg?ver=2")
    Identity(key='a.example/x.jpg', size=300.0)
    >>> identify("http://a.example/x.jpg").size > identify("https://a.example/x-1024x768.jpg").size
    True
    """
    if url.startswith("data:"):
        return Identity(url, 0.0)
    path, _, query = url.partition("//")[2].partition("?")
    stem, dot, ending = path.rpartition(".")
    is_file = bool(dot) and _PICTURE.fullmatch(ending) is not None
    key, size = path, 0.0
    if is_file:
        stem, size = _stem_and_size(stem)
        key = f"{stem}.{ending.lower()}"
    if not query:
        return Identity(key, size)
    kept, factor, width = [], 1.0, 0
    for name, value in parse_qsl(query, keep_blank_values=True):
        asked = _NUMBER.fullmatch(value)
        if asked and name in _WIDTHS:
            width = max(width, int(asked[1]))
        elif asked and name in _MEASURES:
            factor = min(int(asked[1]), 4) if name == "dpr" else factor
        elif name not in _STYLES and not (is_file and name in _VERSIONS):
            kept.append(f"{name}={value}")
    if width:
        size = min(size or _ORIGINAL, width * factor)
    return Identity(f"{key}?{'&'.join(sorted(kept))}" if kept else key, float(size))


def _stem_and_size(stem: str) -> tuple[str, float]:
    if sized := _SIZED_NAME.search(stem):
        return stem[: sized.start()], float(sized[1])
    if dense := _DENSE_NAME.search(stem):
        return stem[: dense.start()], _ORIGINAL * float(dense[1])
    if stem.endswith("-scaled"):
        return stem.removesuffix("-scaled"), _ORIGINAL / 2
    return stem, float(_ORIGINAL)


def _name_of(address: str) -> str:
    return address.partition("#")[0].partition("?")[0].rpartition("/")[2]
