"""The records in the scripts of a Google Images page: the only place where the full-size URLs are.

One record, the same since 2020, is a protobuf written as a JSON array::

    [0,"<image id>",["<thumbnail>",height,width],["<full picture>",height,width],null,0,"rgb(..)",null,0,
     {"2000":[_,host,"325KB"], "2003":[_,page id,page url,title,...], "2006":[...], "2008":[_,title]}]

It has been seen plain in a JSON object (``W_jd``, 2024 to 2026) and in ``AF_initDataCallback`` (2020 to 2023), inside a
single-quoted JavaScript string with ``\\x22`` for quotes (2023), and as a JSON string in answers to scrolling. What is
around it changes; so nothing but the start of the array is searched for.
"""

from __future__ import annotations

import json
import re
from itertools import zip_longest
from typing import Any

from imagecrawl.pages.google_values import IMAGE_ID, ImageResult, full_image_url, rights_of, small_image_url
from imagecrawl.pages.values import text_of, web_url

_QUOTE = r"""(?P<quote>"|\\"|\\x22|\\u0022)"""
_START = re.compile(rf"\[[01],{_QUOTE}{IMAGE_ID}(?P=quote),\[(?P=quote)")
_JS_ESCAPE = re.compile(r"\\(?:x(?P<x>[0-9A-Fa-f]{2})|u(?P<u>[0-9A-Fa-f]{4})|(?P<char>.))", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
_JSON = json.JSONDecoder(strict=False)


def find_records(text: str) -> dict[str, ImageResult]:
    """Every complete record of the text by image id, in script order.

    A record is cut off where the next one starts, so that the time is linear in the text even when no array ever
    closes. Arrays that only look like records are left out.
    """
    starts = list(_START.finditer(text))
    records: dict[str, ImageResult] = {}
    for start, following in zip_longest(starts, starts[1:]):
        chunk = text[start.start() : following.start() if following else None]
        record = _record_of(decode_json(chunk if start["quote"] == '"' else unescape_js(chunk)))
        if record is not None and record.id is not None:
            records.setdefault(record.id, record)
    return records


def has_record_start(text: str) -> bool:
    """True if a record begins somewhere, complete or not."""
    return _START.search(text) is not None


def decode_json(text: str) -> Any:
    """The JSON value that the text begins with, whatever follows it; ``None`` if there is none."""
    try:
        return _JSON.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def unescape_js(text: str) -> str:
    """Content of a JavaScript or JSON string, one level of escapes undone."""
    return _JS_ESCAPE.sub(_unescape, text)


def _unescape(match: re.Match[str]) -> str:
    code = match["x"] or match["u"]
    return chr(int(code, 16)) if code else _CONTROL.get(match["char"], match["char"])


def _record_of(value: Any) -> ImageResult | None:
    match value:
        case [0 | 1, str(image_id), [str(thumbnail), int(), int(), *_], [str(full), int(), int(), *_], *rest]:
            extensions = next((item for item in rest if isinstance(item, dict)), {})
            page = extensions.get("2003")
            return ImageResult(
                id=image_id,
                title=text_of(_item(page, 3)),
                page_url=web_url(_item(page, 2)),
                site=text_of(_item(page, 12)) or text_of(_item(page, 17)),
                image_url=full_image_url(full),
                thumbnail_url=small_image_url(thumbnail),
                rights=_record_rights(iptc=_item(page, 18), licence=_item(extensions.get("2006"), 11)),
            )
    return None


def _record_rights(*, iptc: Any, licence: Any) -> dict[str, Any] | None:
    return rights_of(
        credit=_item(iptc, 0),
        creators=_item(iptc, 1),
        notice=_item(iptc, 3),
        purchase_url=_item(licence, 0),
        licence_url=_item(licence, 1),
    )


def _item(values: Any, index: int) -> Any:
    return values[index] if isinstance(values, list) and index < len(values) else None
