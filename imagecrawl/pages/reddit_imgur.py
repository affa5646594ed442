"""Pages of imgur: the pictures that the JSON in them lists, else the one they name for sharing."""

from __future__ import annotations

import json
import re
from typing import Any

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError
from imagecrawl.pages.reddit_addresses import short_url
from imagecrawl.pages.reddit_media import is_removed_url, read_link
from imagecrawl.pages.reddit_posts import mapping
from imagecrawl.pages.reddit_values import Kind, PostPage, numbered
from imagecrawl.pages.values import attribute, parse_document, split_url, text_of

_POST_DATA = re.compile(r'window\.postDataJSON\s*=\s*("(?:[^"\\]|\\.)*")')
"""What holds the JSON in a page, as a string of JavaScript. Not captured: it is what public programs look for."""


def is_imgur(url: str) -> bool:
    """True for the pages of imgur."""
    parts = split_url(url)
    host = (parts.hostname if parts else None) or ""
    return host in {"imgur.com", "imgur.io"} or host.endswith((".imgur.com", ".imgur.io"))


def read_imgur(text: str, *, url: str, status: int) -> PostPage:
    """The pictures of a page, without the films; of an album that does not list them the first.

    Raises PageEmptyError when a picture is gone, PageBlockedError for an error status, PageChangedError for a page of
    another shape.
    """
    if is_removed_url(url):
        raise PageEmptyError(f"imgur has no such picture or album ({short_url(url)})")
    if status >= 400:
        raise PageBlockedError(Obstacle.REFUSED, f"imgur answered {status} ({short_url(url)})")
    data = _POST_DATA.search(text)
    listed = _read_media(_decoded(_decoded(data[1]))) if data else None
    if listed is not None:
        return listed
    shared = read_link(attribute(parse_document(text).css('meta[property="og:image"]'), "content")).pictures
    if not shared:
        raise PageChangedError(f"No picture on the page of imgur ({short_url(url)}, {len(text)} characters)")
    is_album = "/a/" in url
    return PostPage(pictures=shared, kind=Kind.GALLERY if is_album else Kind.IMAGE, is_whole=not is_album)


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError, TypeError):
        return None


def _read_media(value: Any) -> PostPage | None:
    """The pictures of ``{"image_count": 1, "media": [{"id", "ext", "url", ...}]}``; ``None`` for anything else."""
    data = mapping(value)
    media, count = data.get("media"), data.get("image_count")
    if not isinstance(media, list):
        return None
    pictures = numbered(picture for item in media for picture in read_link(text_of(mapping(item).get("url"))).pictures)
    return PostPage(
        pictures=pictures,
        kind=Kind.IMAGE if len(media) == 1 else Kind.GALLERY,
        is_whole=not isinstance(count, int) or count <= len(media),
    )
