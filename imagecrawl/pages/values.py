"""How the text of any page becomes a document, and single values of it clean text and plain URLs."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from parsel import Selector, SelectorList

_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*>")


def encodable(text: str) -> str:
    """The text without lone surrogates, which no URL, no file and no parser can take."""
    return text.encode("utf-8", "replace").decode("utf-8")


def parse_document(text: str) -> Selector:
    """The text as an HTML document. Takes any text: lone surrogates and ``<?xml ...?>`` do no harm."""
    return Selector(text=_XML_DECLARATION.sub("", encodable(text)), type="html")


def attribute(element: Selector | SelectorList[Selector], name: str) -> str | None:
    """An attribute of the element, or of the first that has it.

    Unlike ``.attrib``, which raises ValueError as soon as any attribute of a damaged page has an impossible name.
    """
    return element.xpath(f"@{name}").get()


def text_of(value: Any) -> str | None:
    """A string with its whitespace collapsed and its surrogates paired; ``None`` for blanks and other types."""
    if not isinstance(value, str):
        return None
    paired = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return " ".join(paired.split()) or None


def web_url(value: Any) -> str | None:
    """The http or https URL in ``value`` (``//host/...`` becomes https), else ``None``."""
    url = text_of(value)
    if url is None:
        return None
    if url.startswith("//"):
        url = f"https:{url}"
    parts = split_url(url)
    return url if parts and parts.scheme in {"http", "https"} and parts.hostname else None


def split_url(url: str) -> SplitResult | None:
    """The parts of a URL whose host and port can be read, else ``None``."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def query_value(parts: SplitResult, name: str) -> str | None:
    """The first non-empty value of a query parameter."""
    return parse_qs(parts.query).get(name, [None])[0]


def host_of(url: str | None) -> str | None:
    """Host of an http(s) URL."""
    parts = split_url(url) if url else None
    return parts.hostname if parts else None


def file_name_of(url: str | None) -> str | None:
    """Last segment of the path of a URL, percent-decoded: a title when there is no other."""
    parts = split_url(url) if url else None
    return text_of(unquote(parts.path.rpartition("/")[2])) if parts else None
