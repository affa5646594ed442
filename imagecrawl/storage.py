r"""The storage layout, in one place: values in, paths out. Nothing here touches a disk.

::

    data/                                      or $IMAGECRAWL_DATA
        images/<keyword>/<width>/<name>.<ext>      pictures: IMAGES_STORE
        files/<spider>/<folder>/.../<file>         other files, as their site names them: FILES_STORE
        feeds/<spider>/<time>.jsonl                one line per result: FEEDS
        blocked/<spider>/<time>-<keyword>-<obstacle>.html    pages that gave no results: BLOCKED_STORE
        ledger.sqlite3                             what is known of every picture and file: LEDGER
        running/<spider>-<arguments>.lock          held by each crawl while it runs; beside the ledger

``<keyword>`` is the keyword made safe as one path segment, ``<width>`` the lower bound of the picture's width class,
``<name>`` the first 20 hexadecimal digits of the SHA-256 of the bytes, ``<ext>`` what the bytes are. So the first level
loads as classes (torchvision's ``ImageFolder``, Keras), equal bytes are one file, and a file proves itself.

A file keeps the names that its site gives it and the folders it lies in, each made safe.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

SEGMENT_BYTES = 120
"""The longest folder name we make, in bytes of UTF-8: every common file system takes 255, encrypted ones 143."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices, with or without an extension."""

_UNSAFE = frozenset('<>:"/\\|?*')
JOINERS = frozenset("\u200c\u200d")  # inside emoji, and between letters of Persian and the scripts of India
_LOOKS_HASHED = re.compile(r"-[0-9a-f]{8}$")
_EXTENSION = re.compile(r"[A-Za-z0-9]{1,8}")


def safe_segment(text: str) -> str:
    r"""``text`` as the name of one folder: safe on every common file system, readable, and distinct for distinct texts
    (as far as the file system tells capitals from small letters).

    A text that is safe already stays as it is; any other is cleaned, shortened and given eight digits of its own hash.

    >>> safe_segment("red panda"), safe_segment("قطط"), safe_segment("🐱")
    ('red panda', 'قطط', '🐱')
    >>> safe_segment("a/b"), safe_segment("a_b")
    ('a_b-c14cddc0', 'a_b')
    >>> safe_segment("../../etc"), safe_segment("con"), safe_segment("...")
    ('_.._etc-74ccf3c5', '_con-1143da2b', '_-ab5df625')
    >>> len(safe_segment("x" * 300).encode())
    120
    """
    clean = _clean(text)
    if clean == text and len(clean.encode()) <= SEGMENT_BYTES and not _LOOKS_HASHED.search(clean):
        return clean
    return _marked(clean, text, SEGMENT_BYTES)


def _clean(text: str) -> str:
    """``text`` without what some file system would not take; ``_`` when nothing is left."""
    normal = unicodedata.normalize("NFC", text)
    clean = "".join("_" if _is_unsafe(character) else character for character in normal).strip(". ") or "_"
    return f"_{clean}" if _RESERVED.fullmatch(clean) else clean


def _marked(clean: str, text: str, size: int) -> str:
    """``clean`` with eight digits of the hash of what it was, in at most ``size`` bytes."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_cut(clean, size - 9)}-{digest}"


def _is_unsafe(character: str) -> bool:
    """Control, format, surrogate and private characters, separators other than the plain space, and ``<>:"/\\|?*``."""
    if character in _UNSAFE:
        return True
    if character == " " or character in JOINERS:
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp"}


def _cut(text: str, size: int) -> str:
    """At most ``size`` bytes of ``text``, never half a character, and no space or dot at the end."""
    return text.encode("utf-8")[:size].decode("utf-8", "ignore").rstrip(". \u200d")


def width_folder(width: int, classes: Sequence[int] | None) -> str:
    """The folder of a picture ``width`` pixels wide: its class's lower bound, or the exact width without classes.

    >>> width_folder(700, [0, 320, 640, 1024, 1920]), width_folder(700, None), width_folder(100, [320, 640])
    ('640', '700', '0')
    """
    if classes is None:
        return str(width)
    bounds = sorted({0, *classes})
    return str(bounds[bisect_right(bounds, width) - 1])


def image_path(*, keyword: str, width: int, sha256: str, extension: str, width_classes: Sequence[int] | None) -> str:
    """The path of a picture inside the store.

    >>> image_path(keyword="cats", width=700, sha256="0123456789abcdef" * 4, extension="jpg", width_classes=[0, 640])
    'cats/640/0123456789abcdef0123.jpg'
    """
    return f"{safe_segment(keyword)}/{width_folder(width, width_classes)}/{sha256[:20]}.{extension}"


def file_folder(source: str, names: Sequence[str]) -> str:
    """The folder of a file inside the store: the spider, then the site's own folders.

    >>> file_folder("papacambridge", ["caie", "igcse", "physics-0625", "2019-Oct-Nov"])
    'papacambridge/caie/igcse/physics-0625/2019-Oct-Nov'
    """
    return "/".join(safe_segment(name) for name in (source, *names))


def file_name(name: str, mark: str = "") -> str:
    """The name of a file in its folder: the site's own, made safe; with a mark, where another file has it.

    >>> file_name("0625_w19_qp_11.pdf"), file_name("0625_w19_qp_11.pdf", "01234567")
    ('0625_w19_qp_11.pdf', '0625_w19_qp_11-01234567.pdf')
    >>> file_name("a/b.PDF"), file_name(".hidden"), file_name("con.pdf"), len(file_name("x" * 300 + ".pdf"))
    ('a_b-c14cddc0.PDF', 'hidden-16924190', '_con-1143da2b.pdf', 120)
    """
    stem, dot, extension = name.rpartition(".")
    if not stem or not _EXTENSION.fullmatch(extension):
        stem, dot, extension = name, "", ""
    room = SEGMENT_BYTES - len(dot + extension)
    clean = _clean(stem)
    if clean != stem or len(clean.encode()) > room:
        clean = _marked(clean, stem, room)
    mark = f"-{mark}" if mark else ""
    return f"{_cut(clean, room - len(mark)) or '_'}{mark}{dot}{extension}"


def blocked_path(*, spider: str, time: str, keyword: str, obstacle: str) -> str:
    """The path of a page that gave no results; ``time`` is ISO 8601, its colons become dashes.

    >>> blocked_path(spider="google_images", time="2026-11-01T12:00:00Z", keyword="a/b", obstacle="captcha")
    'google_images/2026-11-01T12-00-00Z-a_b-c14cddc0-captcha.html'
    """
    return f"{spider}/{time.replace(':', '-')}-{safe_segment(keyword)}-{obstacle}.html"


def local_folder(place: str) -> Path | None:
    """The folder of a store on a local disk; ``None`` for a remote one.

    >>> local_folder("data/images"), local_folder("file:///srv/images"), local_folder("s3://bucket/images/")
    (PosixPath('data/images'), PosixPath('/srv/images'), None)
    """
    scheme, mark, rest = place.partition("://")
    if not mark:
        return Path(place)
    return Path(rest) if scheme == "file" else None


def feed_folder(uri: str) -> Path | None:
    """The local folder that a feed is written into, as far as it is fixed; ``None`` for one that goes elsewhere.

    >>> feed_folder("data/feeds/%(name)s/%(time)s.jsonl"), feed_folder("out-%(time)s.csv"), feed_folder("stdout:")
    (PosixPath('data/feeds'), PosixPath('.'), None)
    >>> feed_folder("file:///srv/out.jsonl"), feed_folder("/out.jsonl"), feed_folder("s3://bucket/out.jsonl")
    (PosixPath('/srv'), PosixPath('/'), None)
    """
    if uri.startswith(("stdout:", "/dev/")):
        return None
    fixed = uri.partition("%(")[0]
    path = local_folder(fixed)
    return path if path is None or fixed.endswith("/") else path.parent
