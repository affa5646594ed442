"""The pages Google gives, or once gave, to clients without JavaScript."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from urllib.parse import quote, urlencode, urlsplit

from tests.replica.catalogue import Result
from tests.replica.google_records import callback_data, dumps, rg_meta, string_table
from tests.replica.google_results import PLACEHOLDER, script
from tests.replica.google_search import Search

LITE_TOKEN = "CAEY7gQgADC0"
LITE_VED = "2ahUKEwReplicaLite"
"""What the addresses of further batches must repeat."""

_COLUMNS = 4
_BASIC_DOCTYPE = '<!DOCTYPE html PUBLIC "-//WAPFORUM//DTD XHTML Mobile 1.0//EN" "xhtml-mobile10.dtd">'


def lite(search: Search, shown: Sequence[Result]) -> str:
    """Shape L: everything is in the attributes of the tiles. ``data-docid`` is the id of the PAGE here."""
    loader = script(f"islrgLoad(100,3,'{LITE_TOKEN}');")
    tiles = lite_batch(search, shown)
    return _document(search, f'<div id="islrg" data-ved="{LITE_VED}"><div class="islrc">{tiles}</div></div>{loader}')


def lite_batch(search: Search, shown: Sequence[Result]) -> str:
    """What the script of that page loads: tiles and nothing else."""
    return "".join(_lite_tile(result, search) for result in shown)


def _lite_tile(result: Result, search: Search) -> str:
    attributes = {
        "data-docid": result.page_id,
        "data-lds": "1",
        "data-oh": str(result.height),
        "data-ou": result.image_url,
        "data-ow": str(result.width),
        "data-platform": "3",
        "data-pt": result.title,
        "data-ru": result.page_url,
        "data-st": result.site,
        "data-tbnid": result.id,
        "data-tw": str(result.thumbnail_size[0]),
    }
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return (
        f'<div class="AxB6zd"><div class="islrtb isv-r"{written}><div class="islib"><a href="#"><img'
        f' data-src="{escape(result.thumbnail_url)}" style="opacity:0" class="islir"'
        f' alt="Image result for {escape(search.query)}"></a></div>'
        f'<a class="iKjWAf" href="{escape(_url_link(result, quoted=True))}"><div>{escape(result.title)}</div></a>'
        "</div></div>"
    )


def basic(search: Search, shown: Sequence[Result], next_start: int | None) -> str:
    """Shape B: a table of thumbnails; no full address, no size, and two ways to write the link to the page."""
    cells = [_basic_cell(result, quoted=index % 2 == 0) for index, result in enumerate(shown)]
    rows = "".join(f"<tr>{''.join(cells[at : at + _COLUMNS])}</tr>" for at in range(0, len(cells), _COLUMNS))
    return (
        f"{_BASIC_DOCTYPE}<html><head><title>{escape(search.query)} - Google Search</title></head><body>"
        f'<form action="/search"><input type="hidden" name="tbm" value="isch"/></form>'
        f'<table class="GpQGbf">{rows}</table>{_next_table(search, next_start)}</body></html>'
    )


def _basic_cell(result: Result, quoted: bool) -> str:
    link = escape(_url_link(result, quoted))
    title = escape(f"{result.title[:20]}...")
    return (
        '<td class="e3goi" align="center"><div class="lIMUZd"><table class="RntSmf">'
        f'<tr><td><a href="{link}"><img class="DS1iW" alt="" src="{escape(result.thumbnail_url)}"/></a></td></tr>'
        f'<tr><td><a href="{link}"><span class="x3G5ab"><span class="fYyStc">{title}</span></span>'
        f'<span class="F9iS2e"><span class="fYyStc">{urlsplit(result.page_url).hostname}</span></span></a></td></tr>'
        "</table></div></td>"
    )


def imgres(search: Search, shown: Sequence[Result], next_start: int | None) -> str:
    """Shape I: the full address is in the query of a link."""
    cells = "".join(
        f'<a href="{escape(_imgres_link(search, result))}"><img alt="" src="{escape(result.thumbnail_url)}"/></a>'
        for result in shown
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head>'
        f"<title>{escape(search.query)} - Google Search</title></head><body><div>{cells}</div>"
        f"{_next_table(search, next_start)}</body></html>"
    )


def ischj(shown: Sequence[Result]) -> str:
    """Shape J: the JSON of the app behind its guard, with something after it."""
    metadata = [_ischj_entry(result) for result in shown]
    return f")]}}'\n{json.dumps({'ischj': {'metadata': metadata}}, ensure_ascii=False)}\n"


def _ischj_entry(result: Result) -> dict[str, object]:
    page: dict[str, object] = {
        "referrer_url": result.page_url,
        "page_title": result.title,
        "site_title": result.site,
    }
    if result.rights:
        page["iptc"] = {"creator": list(result.rights.creators), "copyright_notice": result.rights.notice or ""}
    width, height = result.thumbnail_size
    return {
        "result": page,
        "text_in_grid": {"snippet": result.title},
        "original_image": {"url": result.image_url, "width": result.width, "height": result.height},
        "thumbnail": {"url": result.thumbnail_url, "width": width, "height": height},
        "gsa": {"file_size": "325KB"},
    }


def with_callback(search: Search, shown: Sequence[Result]) -> str:
    """2020 to 2023: the records are the data of a callback."""
    call = f"AF_initDataCallback({{key: 'ds:1', hash: '2', data:{dumps(callback_data(shown))}, sideChannel: {{}}}});"
    first = "AF_initDataCallback({key: 'ds:0', hash: '1', data:[], sideChannel: {}});"
    return _document(search, _old_tiles(shown) + script(first) + script(call))


def with_string_table(search: Search, shown: Sequence[Result]) -> str:
    """2023: the records are strings in a table."""
    return _document(search, _old_tiles(shown) + script(string_table(shown)))


def with_rg_meta(search: Search, shown: Sequence[Result]) -> str:
    """Until 2020: each tile has its metadata as text."""
    tiles = "".join(
        f'<div class="rg_bx"><a class="rg_l"><img class="rg_i" data-src="{escape(result.thumbnail_url)}"></a>'
        f'<div class="rg_meta notranslate">{escape(dumps(rg_meta(result)), quote=False)}</div></div>'
        for result in shown
    )
    return _document(search, f'<div id="rg"><div id="rg_s">{tiles}</div></div>')


def _old_tiles(shown: Sequence[Result]) -> str:
    tiles = "".join(
        f'<div class="isv-r PNCib" data-id="{result.id}" data-ri="{index}" data-ow="{result.width}"'
        f' data-oh="{result.height}"><img class="rg_i Q4LuWd" src="{PLACEHOLDER}" alt="{escape(result.title)}"></div>'
        for index, result in enumerate(shown)
    )
    return f'<div id="islrg">{tiles}</div>'


def _document(search: Search, body: str) -> str:
    return (
        f'<!doctype html><html lang="{escape(search.language)}"><head><meta charset="UTF-8">'
        f"<title>{escape(search.query)} - Google Search</title></head><body>{body}</body></html>"
    )


def _next_table(search: Search, start: int | None) -> str:
    if start is None:
        return ""
    link = escape(search.next_link(start))
    return f'<table class="uZgmoc"><tbody><td><a class="frGj1b" href="{link}">Next&nbsp;&gt;</a></td></tbody></table>'


def _url_link(result: Result, quoted: bool) -> str:
    """The link through Google: the page as ``q``, or as ``url`` beside an empty ``q``."""
    page_url = quote(result.page_url, safe=":/")
    if quoted:
        return f"/url?q={page_url}&sa=U&ved=2ah&usg=AOv"
    return f"/url?esrc=s&q=&rct=j&sa=U&url={page_url}&ved=2ah&usg=AOv"


def _imgres_link(search: Search, result: Result) -> str:
    width, height = result.thumbnail_size
    image, page_url = (quote(url, safe=":/") for url in (result.image_url, result.page_url))
    sizes = {"h": result.height, "w": result.width, "tbnh": height, "tbnw": width}
    rest = urlencode({**sizes, "tbnid": result.id, "docid": result.page_id, "q": search.query, "sa": "X"})
    return f"/imgres?imgurl={image}&imgrefurl={page_url}&{rest}"
