"""Answers that are no page: error statuses, and whatever is no HTML."""

from __future__ import annotations

import json
import re

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError
from imagecrawl.pages.values import host_of, text_of

_TAG = re.compile(r"<(?:[A-Za-z]|!--|!doctype)", re.IGNORECASE)
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_ROOT = re.compile(r"<([A-Za-z][\w.:-]{0,40})")
_PROLOG = re.compile(r"<\?xml\b", re.IGNORECASE)
_NO_PAGES = {"rss", "feed", "rdf:rdf", "urlset", "sitemapindex", "svg", "opml", "error", "soap:envelope"}
_FILES = {
    "%PDF-": "a PDF file",
    "GIF87a": "a GIF picture",
    "GIF89a": "a GIF picture",
    "\x89PNG": "a PNG picture",
    "\ufffdPNG": "a PNG picture",
    "ÿØÿ": "a JPEG picture",
    "\ufffd\ufffd\ufffd\ufffd": "binary data",
    "RIFF": "a WebP picture or a film",
    "PK\x03\x04": "a ZIP file",
    "\x1f\x8b": "gzip data",
    "\x1f\ufffd": "gzip data",
}
_CONTROL = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_HEAD = 4_000
_BLANKS = "\ufeff \t\r\n\f"


def check_status(url: str, status: int) -> None:
    """Raises PageEmptyError for 404 and 410, PageBlockedError for other error statuses."""
    if status in {404, 410}:
        raise PageEmptyError(f"there is no such page: {status} ({_short(url)})")
    if status >= 400:
        host = text_of(host_of(url)) or "the site"
        ends_crawl = status == 429
        raise PageBlockedError(Obstacle.REFUSED, f"{host} answered {status} ({_short(url)})", ends_crawl=ends_crawl)


def check_html(text: str, url: str) -> None:
    """Raises PageChangedError for what is no HTML, with the name of what it is."""
    if what := _what_else(text):
        raise PageChangedError(f"{_short(url)} is {what}, no HTML page")


def _what_else(text: str) -> str | None:
    """What a text is that is no HTML: judged by its beginning, and for JSON by the whole."""
    start = text[:_HEAD].replace("\0", "").lstrip(_BLANKS)
    if not start and not text.strip(_BLANKS + "\0"):
        return "an empty answer"
    file = next((name for mark, name in _FILES.items() if start.startswith(mark)), None)
    if file or _HTML.search(start):
        return file
    if len(_CONTROL.findall(start)) > len(start) // 10:
        return "binary data"
    root = _ROOT.search(start) if start.startswith("<") else None
    if root and (_PROLOG.match(start) or root[1].lower() in _NO_PAGES):
        return f"XML (<{root[1]}>)"
    if start.startswith(("{", "[")) and _is_json(text):
        return "JSON"
    return None if _TAG.search(text) else "plain text"


def _is_json(text: str) -> bool:
    try:
        json.loads(text.strip("\ufeff\0 \t\r\n"), strict=False)
    except ValueError:
        return _TAG.search(text) is None
    except RecursionError:
        pass
    return True


def _short(url: str) -> str:
    return (text_of(url) or "the page")[:200]
