"""Pages of imgur: the JSON of its own interface, which its pages hold too, else the picture they name for sharing."""

from __future__ import annotations

import json
import re
from typing import Any

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError
from imagecrawl.pages.reddit_addresses import short_url
from imagecrawl.pages.reddit_media import is_removed_url, read_link
from imagecrawl.pages.reddit_posts import mapping
from imagecrawl.pages.reddit_values import Picture, numbered
from imagecrawl.pages.values import attribute, parse_document, split_url, text_of

_POST_DATA = re.compile(r'window\.postDataJSON\s*=\s*("(?:[^"\\]|\\.)*")')
"""What holds the JSON in a page, as a string of JavaScript. Not captured: it is what public programs look for."""

_MORE_PATH = re.compile(r"/(?P<place>a|gallery)/(?P<id>[A-Za-z0-9]+)")


def is_imgur(url: str) -> bool:
    """True for the pages of imgur and for the addresses of its interface."""
    parts = split_url(url)
    host = (parts.hostname if parts else None) or ""
    return host in {"imgur.com", "imgur.io"} or host.endswith((".imgur.com", ".imgur.io"))


def imgur_api_url(url: str) -> str | None:
    """Where imgur's interface tells the pictures behind a ``more_url``: it wants ``Authorization: Client-ID <id>``.

    The page of an album names its first picture at least, the interface all. ``None`` for other addresses.

    >>> imgur_api_url("https://imgur.com/a/AbCdE")
    'https://api.imgur.com/post/v1/albums/AbCdE?include=media'
    """
    parts = split_url(url)
    found = _MORE_PATH.fullmatch(parts.path) if parts and is_imgur(url) else None
    place = "albums" if found and found["place"] == "a" else "media"
    return f"https://api.imgur.com/post/v1/{place}/{found['id']}?include=media" if found else None


def read_imgur(text: str, *, url: str, status: int) -> tuple[Picture, ...]:
    """The pictures of a page or of an answer of the interface, without the films.

    Raises PageEmptyError when a picture is gone, PageBlockedError for an error status, PageChangedError for a page of
    another shape.
    """
    if is_removed_url(url):
        raise PageEmptyError(f"imgur has no such picture or album ({short_url(url)})")
    if status >= 400:
        raise PageBlockedError(Obstacle.REFUSED, f"imgur answered {status} ({short_url(url)})")
    data = _POST_DATA.search(text)
    pictures = _read_media(_decoded(_decoded(data[1]) if data else text))
    if pictures is not None:
        return pictures
    shared = read_link(attribute(parse_document(text).css('meta[property="og:image"]'), "content")).pictures
    if not shared:
        raise PageChangedError(f"No picture on the page of imgur ({short_url(url)}, {len(text)} characters)")
    return shared


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError, TypeError):
        return None


def _read_media(value: Any) -> tuple[Picture, ...] | None:
    """The pictures of ``{"media": [{"id", "ext", "url", ...}]}``; ``None`` for anything else."""
    media = mapping(value).get("media")
    if not isinstance(media, list):
        return None
    return numbered(picture for item in media for picture in read_link(text_of(mapping(item).get("url"))).pictures)
