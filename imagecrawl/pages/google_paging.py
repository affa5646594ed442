"""Where the next results of a Google Images search are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from parsel import Selector

from imagecrawl.pages.google_values import is_google
from imagecrawl.pages.values import attribute, query_value, split_url, text_of

LITE_BATCH = 100
"""Tiles in one batch of the lite page. A shorter batch is the last one."""

LITE_BATCHES = 3
"""Index of the last batch that the lite page's own script asks for."""

_LITE_TOKEN = re.compile(r"'(CAEY[\w=-]+)'")
_LITE_KEPT = ("q", "safe", "tbm", "udm", "tbs", "chips", "hl", "gl", "cr", "as_sitesearch")


def next_link(page: Selector, *, base: SplitResult, query: str | None) -> str | None:
    """The link with the nearest larger ``start`` of the same query."""
    start = _number(base, "start")
    later = [
        link
        for link in _search_links(page, base.geturl())
        if query and text_of(query_value(link, "q")) == query and _number(link, "start") > start
    ]
    return min(later, key=lambda link: _number(link, "start")).geturl() if later else None


def next_lite_batch(page: Selector, text: str, *, base: SplitResult) -> str | None:
    """The address from which the script of the lite page would load its next batch (capture of 2026-02).

    The first page has the token and the ``ved`` that the address needs; a batch has them in its own address.
    """
    tiles = len(page.css("[data-ou]"))
    token = query_value(base, "imgvl") or next(iter(_LITE_TOKEN.findall(text)), None)
    ved = query_value(base, "ved") or attribute(page.css("#islrg"), "data-ved")
    batch = _number(base, "ijn") + 1
    if tiles < LITE_BATCH or batch > LITE_BATCHES or not (token and ved):
        return None
    kept = {name: value for name in _LITE_KEPT if (value := query_value(base, name))}
    loader = {
        "async": "_id:islrg_c,_fmt:html",
        "asearch": "ichunklite",
        "ved": ved,
        "vet": f"1{ved}..i",
        "start": str(_number(base, "start") + tiles),
        "ijn": str(batch),
        "imgvl": token,
    }
    return base._replace(query=urlencode(kept | loader, safe=":,"), fragment="").geturl()


def _search_links(page: Selector, base: str) -> Iterator[SplitResult]:
    for href in page.css('a[href*="start="]::attr(href)').getall():
        if split_url(href) is None:
            continue
        link = urlsplit(urljoin(base, href))
        if link.path.endswith("/search") and is_google(link.hostname or ""):
            yield link


def _number(parts: SplitResult, name: str) -> int:
    value = query_value(parts, name) or ""
    return int(value) if re.fullmatch(r"[0-9]{1,6}", value) else 0
