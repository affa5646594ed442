"""Google's image records: the JSON in a results page that knows the full address of every picture."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from tests.replica.catalogue import Result

_ESCAPED = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&='"})
_PROXY = "https://lh6.googleusercontent.com/proxy/"
_PAGE_FIELDS = 34


def dumps(value: Any) -> str:
    """JSON as Google writes it into a script: nothing in it can end the script or an attribute."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPED)


def record(result: Result) -> list[Any]:
    """The record of a picture. A triple is address, HEIGHT, WIDTH."""
    width, height = result.thumbnail_size
    return [
        0,
        result.id,
        [result.thumbnail_url, height, width],
        [result.image_url, result.height, result.width],
        None,
        result.record_kind,
        "rgb(136,117,91)",
        None,
        0,
        _extensions(result),
    ]


def record_map(shown: Sequence[Result], event_id: str) -> dict[str, Any]:
    """The map of a page: what is not about pictures, and each record twice, once in a wrapper and once bare."""
    entries: dict[str, Any] = {f"{event_id}1": ["theme", None, "#e8f0fe"]}
    for result in shown:
        if result.has_record:
            entries[wrapper_key(result, event_id)] = [1, record(result), None, None, None, None, None, result.id]
            entries[bare_key(result, event_id)] = record(result)
    return entries


def wrapper_key(result: Result, event_id: str) -> str:
    """The key of the wrapped record, which the tile names."""
    return f"{event_id}{_number(result)}0"


def bare_key(result: Result, event_id: str) -> str:
    """The key of the bare record, which the button in the tile names."""
    return f"{event_id}{_number(result)}8"


def string_table(shown: Sequence[Result]) -> str:
    """The records of 2023: JSON inside a single-quoted JavaScript string."""
    rows = []
    for result in shown:
        text = dumps([1, record(result), None, None, None, None, None, result.id])
        literal = text.replace("\\", "\\\\").replace('"', "\\x22")
        rows.append(f"'{result.page_id}','{literal}'")
    return f"window.jsl&&window.jsl.dh&&(function(){{var t=[{','.join(rows)}];}})();"


def callback_data(shown: Sequence[Result]) -> list[Any]:
    """The data of 2020 to 2023: the records lie at [56][1][0][0][1][0][i][0][0]["444383007"][1]."""
    items = [[[{"444383007": [1, record(result)]}]] for result in shown]
    return [*[None] * 56, [None, [[[None, [items]]]]]]


def rg_meta(result: Result) -> dict[str, Any]:
    """The metadata of before 2020."""
    width, height = result.thumbnail_size
    return {
        "id": result.id,
        "ou": result.image_url,
        "ow": result.width,
        "oh": result.height,
        "pt": result.title,
        "ru": result.page_url,
        "st": result.site,
        "tu": result.thumbnail_url,
        "tw": width,
        "th": height,
        "ity": "jpg",
    }


def _number(result: Result) -> int:
    """A number for keys, the same wherever the result is shown."""
    return zlib.crc32(result.id.encode())


def _extensions(result: Result) -> dict[str, Any]:
    host = urlsplit(result.page_url).hostname
    extensions = {
        "2000": [None, host, "325KB"],
        "2001": list(result.crop),
        "2003": _page_fields(result),
        "2008": [None, result.title],
    }
    if result.rights:
        purchase = [result.rights.purchase_url, result.rights.licence_url]
        extensions["2006"] = [*[None] * 11, purchase]
    elif result.record_kind == 3:
        extensions["2006"] = [*[None] * 8, [result.title, "A video."]]
    return extensions


def _page_fields(result: Result) -> list[Any]:
    host = urlsplit(result.page_url).hostname
    fields: list[Any] = [None] * _PAGE_FIELDS
    fields[1:4] = [result.page_id, result.page_url, result.title]
    fields[5] = fields[9] = 0
    fields[12] = result.site
    fields[17] = host
    if result.rights:
        rights = result.rights
        fields[18] = [rights.credit, list(rights.creators), *([None, rights.notice] if rights.notice else [])]
    fields[24] = [None, 2]
    if result.image_url.startswith("http:"):
        fields[28] = f"{_PROXY}{result.id}"
    fields[33] = f"https://www.google.com/search/about-this-image?img=H4s&q={quote(result.page_url)}&ctx=iv"
    return fields
