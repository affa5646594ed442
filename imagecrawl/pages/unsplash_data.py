"""The JSON that Unsplash embeds in its pages.

**Inferred**: no page was captured. What one photo looks like is documented for the site's public API (``urls``,
``alt_description``, ``user``, ``links``, ``tags``), and the JSON-LD is schema.org's ``ImageObject``; where they stand
in a page is not known. So every script is read that is JSON, assigns an object or array, or calls ``JSON.parse`` on a
string, and objects of these two shapes are looked for in whatever holds them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from parsel import Selector

from imagecrawl.pages.unsplash_addresses import (
    SITE,
    absolute,
    free_image_url,
    image_id,
    photo_code,
    plain_page_url,
    profile_url,
)
from imagecrawl.pages.unsplash_values import Photo, distinct_tags
from imagecrawl.pages.values import attribute, text_of, web_url

_START = re.compile(r"""=\s*(?=[\[{])|JSON\.parse\(\s*(?=["'])""")
_MOST_VALUES = 200
"""Of one script: each may be read to its end in vain."""
_SINGLE_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_TO_DOUBLE_QUOTES = re.compile(r'\\(?P<escaped>.)|"', re.DOTALL)
_JSON = json.JSONDecoder(strict=False)

_SIZES = ("full", "raw", "regular", "small", "thumb")
"""Of ``urls``, best first; ``raw`` has no format and no quality, so that the host would choose them."""
_NOT_OF_THE_PAGE = {"cover_photo", "preview_photos", "sponsorship", "tags", "topic", "topics", "user"}
"""What holds photos as an ornament of something else: a topic's cover is no result of a search."""


def read_values(page: Selector) -> list[Any]:
    """Every JSON value of the page's scripts, in order."""
    values: list[Any] = []
    for script in page.xpath("//script[not(@src)]"):
        text = script.xpath("string()").get("")
        if "json" in (attribute(script, "type") or "").lower():
            values.append(_decode(text, len(text) - len(text.lstrip()))[0])
        else:
            values += _assigned(text)
    return values


def read_photos(values: list[Any]) -> Iterator[Photo]:
    """The free photos that the values tell of."""
    for entry in _objects(values):
        photo = _of_api(entry) if _is_of_api(entry) else _of_json_ld(entry)
        if photo:
            yield photo


def says_nothing(values: list[Any]) -> bool:
    """Whether a list of results says that there are none."""
    return any(entry.get("total") == 0 and entry.get("results") == [] for entry in _objects(values))


def _assigned(script: str) -> Iterator[Any]:
    position = 0
    for _ in range(_MOST_VALUES):
        start = _START.search(script, position)
        if start is None:
            return
        value, position = _decode(script, start.end())
        yield _decode(value, 0)[0] if isinstance(value, str) else value


def _decode(text: str, start: int) -> tuple[Any, int]:
    """The JSON value, or the single-quoted string, at ``start`` and where it ends; ``None`` if there is none."""
    try:
        if quoted := _SINGLE_QUOTED.match(text, start):
            return _JSON.decode(f'"{_TO_DOUBLE_QUOTES.sub(_in_double_quotes, quoted[1])}"'), quoted.end()
        return _JSON.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start


def _in_double_quotes(found: re.Match[str]) -> str:
    if found["escaped"] is None:
        return '\\"'
    return "'" if found["escaped"] == "'" else found[0]


def _objects(values: list[Any]) -> Iterator[dict[str, Any]]:
    """The objects in the values, outer ones first; what a photo holds is about that photo and left out."""
    waiting = values[::-1]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value[::-1]
        elif isinstance(value, dict):
            yield value
            if not _is_of_api(value):
                waiting += [value[name] for name in reversed(value) if name not in _NOT_OF_THE_PAGE]


def _is_of_api(entry: dict[str, Any]) -> bool:
    return isinstance(entry.get("urls"), dict)


def _of_api(entry: dict[str, Any]) -> Photo | None:
    """A photo as the API gives it. Paid ones have their pictures elsewhere, and say so."""
    urls = entry["urls"]
    image_url = next(filter(None, (free_image_url(urls.get(size)) for size in _SIZES)), None)
    known = image_id(image_url)
    if image_url is None or known is None or entry.get("premium") is True or entry.get("plus") is True:
        return None
    page_url = _page_of(entry)
    user = _dict(entry.get("user"))
    username = text_of(user.get("username"))
    own_words = text_of(entry.get("description"))
    seen = text_of(entry.get("alt_description"))
    return Photo(
        id=known,
        code=photo_code(page_url),
        image_url=image_url,
        page_url=page_url,
        description=seen or own_words,
        title=own_words if seen else None,
        photographer=text_of(user.get("name")),
        photographer_url=profile_url(absolute(_text(_dict(user.get("links")).get("html")), SITE))
        or profile_url(absolute(f"/@{username}", SITE) if username else None),
        tags=_tags(entry.get("tags")),
    )


def _page_of(entry: dict[str, Any]) -> str | None:
    """The page of a photo: its link, else what its slug or its id make."""
    for path in (
        _text(_dict(entry.get("links")).get("html")),
        *(f"/photos/{name}" for name in (_text(entry.get("slug")), _text(entry.get("id"))) if name),
    ):
        url = absolute(path, SITE)
        if url and photo_code(url):
            return plain_page_url(url)
    return None


def _of_json_ld(entry: dict[str, Any]) -> Photo | None:
    image_url = free_image_url(entry.get("contentUrl"))
    known = image_id(image_url)
    if image_url is None or known is None:
        return None
    creator = entry.get("creator") or entry.get("author")
    creator = _dict(creator[0] if isinstance(creator, list) and creator else creator)
    pages = (web_url(entry.get(name)) for name in ("acquireLicensePage", "url", "mainEntityOfPage"))
    page_url = next((plain_page_url(url) for url in pages if url and photo_code(url)), None)
    return Photo(
        id=known,
        code=photo_code(page_url),
        image_url=image_url,
        page_url=page_url,
        description=text_of(entry.get("caption")) or text_of(entry.get("description")),
        title=text_of(entry.get("name")),
        photographer=text_of(creator.get("name")) or text_of(entry.get("creditText")),
        photographer_url=profile_url(web_url(creator.get("url"))),
        tags=_tags(entry.get("keywords")),
        licence_url=web_url(entry.get("license")),
    )


def _tags(value: Any) -> tuple[str, ...] | None:
    """Tags as the API and JSON-LD write them: objects with a title, strings, or one string with commas."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list):
        return None
    return distinct_tags(tag.get("title") if isinstance(tag, dict) else tag for tag in value)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
