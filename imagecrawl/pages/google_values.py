"""What Google Images gives for one picture, and what single values of its pages mean."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from parsel import Selector

from imagecrawl.pages.values import attribute, query_value, split_url, text_of, web_url

IMAGE_ID = "[A-Za-z0-9_-]{6,40}"
"""Pattern of an image id: 14 characters on all captured pages."""

_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_GOOGLE_HOST = re.compile(r"(?:.+\.)?google\.(?:com?\.)?[a-z]{2,3}")
_IMAGE_ID = re.compile(IMAGE_ID)
_PROXY_HOST = re.compile(r"lh\d+\.googleusercontent\.com")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageResult:
    """One picture of a results page. Every URL is absolute; ``None`` means that the page does not say."""

    id: str | None
    """Google's image id (``tbnid``), the same for the same picture on every page."""
    title: str | None
    """Title of the page the picture stands on, else its ``alt`` text, else its file name."""
    page_url: str | None
    """The page the picture stands on."""
    site: str | None
    """Name of the site, else the host of ``page_url``."""
    image_url: str | None
    """The full picture at its source. ``None``: the page gave only a thumbnail."""
    thumbnail_url: str | None
    """Google's small copy: https, or a ``data:`` URI when nothing else is known."""
    rights: dict[str, Any] | None
    """Keys, each only when said: credit, creators (a list), notice, licence_url, purchase_url. ``None``: nothing is."""


def find_tiles(page: Selector) -> dict[str, Selector]:
    """The tiles of the grid by image id, in order.

    Classes and ``jsname`` rotate, ``data-docid`` stays. On the lite page, whose tiles have ``data-ou``, it is the id of
    something else.
    """
    tiles: dict[str, Selector] = {}
    for tile in page.css("[data-docid]:not([data-ou])"):
        image_id = attribute(tile, "data-docid") or ""
        if _IMAGE_ID.fullmatch(image_id):
            tiles.setdefault(image_id, tile)
    return tiles


def plain_text(value: Any) -> str | None:
    """As :func:`text_of`, for strings that are HTML: tags removed, entities decoded."""
    return text_of(html.unescape(_TAG.sub("", value))) if isinstance(value, str) else None


def full_image_url(value: Any) -> str | None:
    """As :func:`web_url`, but ``None`` for Google's own copies: thumbnails, favicons and proxied pictures."""
    url = web_url(value)
    parts = split_url(url) if url else None
    if not parts:
        return None
    host = parts.hostname or ""
    is_thumbnail = host.endswith(".gstatic.com") and (host.startswith("encrypted-tbn") or "favicon" in parts.path)
    is_proxied = _PROXY_HOST.fullmatch(host) is not None and parts.path.startswith("/proxy")
    return None if is_thumbnail or is_proxied else url


def small_image_url(value: Any) -> str | None:
    """The http(s) URL or ``data:`` picture in ``value``; never a GIF, which is the 1x1 placeholder."""
    if isinstance(value, str) and value.startswith("data:image/"):
        return None if value.startswith("data:image/gif") else value
    return web_url(value)


def linked_page_url(href: str | None) -> str | None:
    """The page a result link leads to.

    Unwraps ``/url?url=``, ``/url?q=`` (``q`` is empty when ``url`` is there) and ``/imgres?imgrefurl=``. ``/goto?url=``
    is opaque: ``None``.
    """
    parts = split_url(href or "")
    if parts is None or (parts.hostname and not is_google(parts.hostname)):
        return web_url(href)
    match parts.path:
        case "/url":
            return web_url(query_value(parts, "url")) or web_url(query_value(parts, "q"))
        case "/imgres":
            return web_url(query_value(parts, "imgrefurl"))
        case "/goto":
            return None
    return web_url(href)


def rights_of(
    *,
    credit: Any = None,
    creators: Any = None,
    notice: Any = None,
    licence_url: Any = None,
    purchase_url: Any = None,
) -> dict[str, Any] | None:
    """What is said about the rights, in the shape of :attr:`ImageResult.rights`; odd values are left out."""
    names = [plain_text(name) for name in creators] if isinstance(creators, list) else []
    said = {
        "credit": plain_text(credit),
        "creators": [name for name in names if name],
        "notice": plain_text(notice),
        "licence_url": web_url(licence_url),
        "purchase_url": web_url(purchase_url),
    }
    return {key: value for key, value in said.items() if value} or None


def is_google(host: str) -> bool:
    """True for google.com, www.google.co.uk, consent.google.com, ..."""
    return _GOOGLE_HOST.fullmatch(host) is not None
