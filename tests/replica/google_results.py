"""The modern results page, udm=2: tiles, records, thumbnails and everything around them that a reader must survive."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape

from tests.replica.catalogue import Result
from tests.replica.google_records import bare_key, dumps, record_map, wrapper_key
from tests.replica.google_search import Search
from tests.replica.pictures import thumbnail_bytes

PLACEHOLDER = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
"""One transparent pixel."""
AGE_NOTICE = (
    '<div class="kav-message">Some results may need proof of age.'
    '<a class="kav-link-button" href="/preferences">Verify</a></div>'
)
NO_MATCH = '<div class="card-section"><p role="heading">Your search did not match any image results.</p></div>'

_STYLE = ".u32vCb .wIjY0d .ivg-i:last-child{height:0;visibility:hidden}"
_SET_IMAGES = (
    "function _setImagesSrc(ids,src){ids.forEach(function(id){"
    "var e=document.getElementById(id);if(e){e.src=src;e.dataset.deferred='2';}});}"
)
_SCARE_WORDS = (
    "google.xjsu={redirect:'X-Sorry-Redirect',sorry:'/sorry/index?continue',retry:'/httpservice/retry/enablejs'};"
    "google.cfg={captcha:false,recaptcha:'https://www.google.com/recaptcha/api.js'};"
)
_ROTATING = re.compile(r' (?:class|jsname)="[^"]*"')


def results_page(
    search: Search, shown: Sequence[Result], next_start: int | None, notice: str = "", records: bool = True
) -> str:
    """The page for ``shown``; without ``records`` only its tiles and thumbnails are there."""
    tiles = [result for result in shown if result.has_tile]
    ids = {index: f"dimg_{search.event_id}_{index * 3}" for index in range(len(tiles))}
    grid = "".join(_tile(result, search.event_id, ids[index]) for index, result in enumerate(tiles))
    return "".join(
        [
            _head(search),
            f'<body class="srp" id="gsr">{_no_script(search)}{_form(search)}{_menus(search)}',
            '<div id="rcnt"><div id="center_col" role="main"><div id="taw"></div>',
            f'<div id="topstuff">{notice}</div><div id="search"><div>',
            f'<div id="rso" data-async-context="query:{escape(search.query)}" eid="{search.event_id}">',
            _grid(search, grid) if tiles else "",
            _more(search, next_start) if next_start is not None else "",
            "</div></div></div></div></div>",
            _records(search, shown) if records and tiles else "",
            _thumbnails(tiles, ids),
            "</body></html>",
        ]
    )


def without_classes(html: str) -> str:
    """The same page without what rotates: class and jsname attributes."""
    return _ROTATING.sub("", html)


def script(code: str) -> str:
    """An inline script element."""
    return f'<script nonce="">{code}</script>'


def _head(search: Search) -> str:
    language = escape(search.language)
    setup = (
        f"(function(){{window.google={{kEI:'{search.event_id}',kEXPI:'31'}};}})();"
        f"(function(){{google.sn='images';google.kHL='{language}';}})();{_SCARE_WORDS}{_SET_IMAGES}"
    )
    return (
        f'<!doctype html><html itemscope="" itemtype="http://schema.org/SearchResultsPage" lang="{language}"><head>'
        f'<meta charset="UTF-8"><title>{escape(search.query)} - Google Search</title>'
        f"<style>{_STYLE}</style>{script(setup)}</head>"
    )


def _no_script(search: Search) -> str:
    target = f"/httpservice/retry/enablejs?sei={search.event_id}"
    return (
        f'<noscript><meta content="0;url={target}" http-equiv="refresh">'
        f'<div>Please click <a href="{target}">here</a>.</div></noscript>'
    )


def _form(search: Search) -> str:
    return (
        f'<form id="tsf" action="/search" name="f"><textarea name="q">{escape(search.query)}</textarea>'
        f'<input type="hidden" name="udm" value="2"><input type="hidden" name="ei" value="{search.event_id}"></form>'
    )


def _menus(search: Search) -> str:
    """Tabs, tools and chips: links that look like more results and are not."""
    links = {
        "All": search.link(udm=""),
        "Large": search.link(tbs="isz:l", source="lnt"),
        "GIF": search.link(tbs="itp:animated", source="lnt"),
        f"{search.query} drawing": search.link(q=f"{search.query} drawing", uds="ALYpb_x", sa="X"),
    }
    return '<div id="hdtb-tls">' + "".join(
        f'<a href="{escape(target)}">{escape(text)}</a>' for text, target in links.items()
    ) + '<a aria-current="page" href="#">Any size</a></div>'  # fmt: skip


def _grid(search: Search, tiles: str) -> str:
    return (
        '<div class="MjjYud"><div jscontroller="Si45qc"><div class="wH6SXe u32vCb">'
        f'<div jscontroller="gOTY1" data-id="mosaic" data-q="{escape(search.query)}">'
        f'<div jscontroller="XW992c" class="wIjY0d jFk0f">{tiles}</div></div></div></div></div>'
    )


def _tile(result: Result, event_id: str, image_id: str) -> str:
    width, height = result.thumbnail_size
    page_url, title = escape(result.page_url), escape(result.title)
    return (
        f'<div jsname="dTDiAc" class="eA0Zlc ivg-i" jsdata="j0Opre;{result.id};{wrapper_key(result, event_id)}"'
        f' data-attrid="images universal" data-docid="{result.id}" data-lpage="{page_url}"'
        f' data-ref-docid="{result.page_id}" data-hveid="CBgQAA"><div jsname="qQjpJ" class="czzyk"><h3 class="ob5Hkd">'
        f'<a><div class="F0uyec" id="e-{result.id}" role="button" tabindex="0"'
        f' jsdata="XZxcdf;{result.id};{bare_key(result, event_id)}"><div class="H8Rx8c"><img id="{image_id}"'
        f' src="{PLACEHOLDER}" alt="{title}" class="YQ4gaf" height="{height}" width="{width}">'
        "</div></div></a></h3></div>"
        f'<div class="juwGPd"><a class="EZAeBe" href="{page_url}" target="_blank"><img src="{PLACEHOLDER}" alt=""'
        f' class="YQ4gaf zr758c" height="12" width="12"><div class="guK3rf"><span>{escape(result.site)}</span></div>'
        f'<div class="toI8Rb OSrXXb">{title}</div></a></div></div>'
    )


def _more(search: Search, start: int) -> str:
    return (
        '<div jsname="BRTknd"><a class="T7sFge VknLRd" jsname="oHxHid" aria-label="More results" role="button"'
        f' href="{escape(search.next_link(start))}">More results</a>'
        '<a jsname="a79Lwf" style="display:none" role="button">Try again</a></div>'
    )


def _records(search: Search, shown: Sequence[Result]) -> str:
    """The script with the records, and a later one that adds nothing, as on real pages."""
    install = "var a=m;if(window.W_jd)for(var b in a)window.W_jd[b]=a[b];else window.W_jd=a;"
    first, later = dumps(record_map(shown, search.event_id)), "{}"
    return "".join(script(f"(function(){{var m={text};{install}}})();") for text in (first, later))


def _thumbnails(tiles: Sequence[Result], ids: dict[int, str]) -> str:
    """The first third of the thumbnails as data, the others by address for a script that loads them on scrolling."""
    inline = len(tiles) // 3
    deferred = {ids[index]: tiles[index].thumbnail_url for index in range(inline, len(tiles))}
    scripts = [_inline_thumbnail(tiles[index], ids[index]) for index in range(inline)]
    return "".join(scripts) + script(f"(function(){{google.ldi={dumps(deferred)};}})();")


def _inline_thumbnail(result: Result, image_id: str) -> str:
    data = b64encode(thumbnail_bytes(result.thumbnail_url)).decode().replace("=", "\\x3d")
    source = f"data:image/jpeg;base64,{data}"
    return script(f"(function(){{var s='{source}';var ii=['{image_id}'];_setImagesSrc(ii,s);}})();")
