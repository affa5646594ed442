"""One line of a list: the picture that it names, or why it names none."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from imagecrawl.params import clean_keyword

LINE_BYTES = 4 * 2**20
"""The longest line, URL, or element of a JSON list: room for a ``data:`` URI of a picture of 3 MB."""

DECODER = json.JSONDecoder(parse_constant=lambda _: None)
"""Reads ``NaN`` and ``Infinity``, which are no JSON but written by some tools, as ``null``."""

_SHOWN = 60  # characters of a list that a message repeats
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NEXT_URL = re.compile(r",(?=(?:https?://|data:))")
_KINDS: dict[type, str] = {dict: "an object", list: "a list", bool: "a truth value", int: "a number", float: "a number"}


@dataclass(frozen=True, slots=True)
class Row:
    """One picture."""

    line: int
    """Where it begins in the file, from 1; in a parquet file, the row's number."""
    urls: tuple[str, ...]
    """Addresses of this one picture, best first, at least one: ``http:``, ``https:`` or ``data:``."""
    keyword: str | None
    """Cleaned by :func:`imagecrawl.params.clean_keyword`; ``None`` when the list says none."""
    caption: str | None
    extra: dict[str, Any]
    """The other columns that were asked for, by the names the file gives them; the values are plain JSON."""
    feed_line: dict[str, Any] | None = None
    """All of the object, as plain JSON, where it is a line of a feed of ours and no column was asked for."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that names no picture."""

    line: int
    """As of :class:`Row`."""
    why: str
    """One line of text."""


def make_row(
    line: int,
    urls: Any,
    keyword: Any = None,
    caption: Any = None,
    extra: dict[str, Any] | None = None,
    *,
    feed_line: dict[str, Any] | None = None,
) -> Row | BadRow:
    """The row that these values make, as they came out of the file; ``urls`` is one address or a list of them.

    Of several addresses those that cannot be used are left out; with none left the row is bad.
    """
    try:
        plain = {name: _plain(value) for name, value in extra.items()} if extra else {}
        return Row(line, _urls(urls), _keyword(keyword), _caption(caption), plain, _plain(feed_line))
    except ValueError as error:
        return BadRow(line, str(error))


def split_urls(cell: str) -> list[str]:
    """The addresses in a cell of a column named ``...urls``: Scrapy's CSV feeds put commas between.

    >>> split_urls("https://a.example/w_1,h_1/1.jpg,https://b.example/1.jpg")
    ['https://a.example/w_1,h_1/1.jpg', 'https://b.example/1.jpg']
    """
    return _NEXT_URL.split(cell)


def json_problem(error: ValueError | RecursionError) -> str:
    """What :data:`DECODER` has against a text, in a few words."""
    if isinstance(error, RecursionError):
        return "no JSON: values in values too deep"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON: {error.msg}"
    return "no JSON: a number of too many digits"  # which Python takes for an attack


def is_url(text: str) -> bool:
    """Whether ``text`` would do as the address of a picture."""
    try:
        _url(text)
    except ValueError:
        return False
    return True


def shown(text: str) -> str:
    r"""``text`` as it may stand in a message: one line, short, nothing in it that a terminal would obey.

    >>> shown("a\n\x1b[31mb"), shown("x" * 100)
    ('`a \ufffd[31mb`', '`xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...`')
    """
    short = " ".join(text[: _SHOWN + 1].split())
    safe = "".join(character if character.isprintable() else "\ufffd" for character in short[:_SHOWN])
    return f"`{safe}{'...' if len(text) > _SHOWN else ''}`"


def _urls(value: Any) -> tuple[str, ...]:
    found: dict[str, None] = {}
    problem = "no URL in it"
    for given in value if isinstance(value, list | tuple) else (value,):
        if given is None or given in ("", b""):
            continue
        try:
            found[_url(given)] = None
        except ValueError as error:
            problem = str(error)
    if not found:
        raise ValueError(problem)
    return tuple(found)


def _url(value: Any) -> str:
    text = _decoded(value) if isinstance(value, bytes) else value
    if not isinstance(text, str):
        raise ValueError(f"no URL in it, but {_KINDS.get(type(text), 'something else')}")  # noqa: TRY004
    url = _sound(text.strip())
    if len(url) > LINE_BYTES:
        raise ValueError(f"a URL longer than {LINE_BYTES:,} characters")
    scheme, colon, rest = url.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        if "http://" in url or "https://" in url:
            raise ValueError(f"something stands before the URL: {shown(url)}")
        raise ValueError(f"no URL in it, but {shown(url)}" if url else "no URL in it")
    if scheme.lower() == "data":
        return _data_uri(url, rest)
    if scheme.lower() not in {"http", "https"}:
        raise ValueError(f"{shown(scheme + ':')} is not http:, https: or data:")
    _check_host(url)
    return url


def _data_uri(url: str, rest: str) -> str:
    if "," not in rest:
        raise ValueError("a data: URI without data")
    url = url.replace("\n", "").replace("\r", "").replace("\t", "")  # some writers fold base64
    if _CONTROL.search(url):
        raise ValueError("a control character in the URL")
    return url


def _check_host(url: str) -> None:
    if _CONTROL.search(url):
        raise ValueError("a control character in the URL")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{shown(url)} is no URL: {shown(str(error))}") from error
    if not host or any(character.isspace() for character in parts.netloc):
        raise ValueError(f"{shown(url)} has no host")


def _keyword(value: Any) -> str | None:
    text = _text(value)
    if text is None or not text.strip():
        return None
    try:
        return clean_keyword(text)
    except ValueError as error:
        raise ValueError(f"the keyword {shown(text)} cannot be used: {error}") from error


def _caption(value: Any) -> str | None:
    if isinstance(value, dict | list | tuple):
        return json.dumps(_plain(value), ensure_ascii=False)
    text = _text(value)
    return (text and text.strip()) or None


def _text(value: Any) -> str | None:
    """A string or a number as text, ``None`` for nothing; raises ValueError for all else."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bytes):
        return _decoded(value)
    if isinstance(value, str):
        return _sound(value)
    if isinstance(value, int | float):
        return str(value)
    raise ValueError(f"a keyword or caption that is {_KINDS.get(type(value), 'something else')}")


def _decoded(value: bytes) -> str:
    try:
        return _sound(value.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error


def _sound(text: str) -> str:
    """``text`` itself; raises ValueError when a feed or the ledger could not hold it."""
    if "\0" in text:
        raise ValueError("a NUL byte")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("not UTF-8, or half a character") from error
    return text


def _plain(value: Any) -> Any:
    """``value`` as JSON has it: dates and decimals as text, of bytes their number."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _sound(value)
    try:
        return DECODER.decode(_sound(json.dumps(value, ensure_ascii=False, default=_as_text)))
    except RecursionError as error:
        raise ValueError("values in values too deep") from error


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
