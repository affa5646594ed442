"""The shapes in which Google Images writes its results.

They are tried in this order, and the first that gives results is taken:

- records in the scripts of the modern page (``udm=2``, since 2024) and its ancestors, merged with the tiles;
- ``rg_meta`` elements of the desktop page until 2020;
- tiles with ``data-ou`` of the lite mobile page;
- ``/imgres?imgurl=`` links of the WML page and of some basic pages;
- the ``ischj`` JSON of the Google app;
- the basic page without JavaScript, which has thumbnails only.

Captures of 2025 and 2026 exist of the modern and the basic page and of 2026 of the lite one; the others follow the code
of other scrapers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Any

from parsel import Selector, SelectorList

from imagecrawl.pages.google_records import decode_json, find_records, unescape_js
from imagecrawl.pages.google_values import (
    ImageResult,
    find_tiles,
    full_image_url,
    linked_page_url,
    plain_text,
    rights_of,
    small_image_url,
)
from imagecrawl.pages.values import attribute, query_value, split_url, text_of, web_url

_INLINE_THUMBNAIL = re.compile(r"var s='(?P<src>data:image/[^']*)';var ii=\[(?P<ids>[^\];]*)\]")
"""``var s='data:image/jpeg;base64,...\\x3d';var ii=['dimg_1'];``: the picture of the img elements with these ids."""

_LAZY_THUMBNAILS = re.compile(r"google\.ldi\s*=\s*")
"""What comes before ``{"dimg_2":"https://encrypted-tbn0..."}``: the URLs of the other img elements."""

_APP_ANSWER = re.compile(r'\{"ischj":')


def read_results(page: Selector, text: str) -> list[ImageResult]:
    """What the page says, ``None`` for whatever its shape does not. Empty if it has none of the shapes."""
    # A grid whose records are gone must not be taken for a page with the two links that a mouse has passed over.
    shapes = (_grid,) if find_tiles(page) else _SHAPES
    return next(filter(None, (list(shape(page, text)) for shape in shapes)), [])


def _grid(page: Selector, text: str) -> Iterator[ImageResult]:
    """The modern page: what the scripts know of a picture, completed by what its tile says.

    Nothing if no tile has a record: then the scripts have changed, and a list of thumbnails would hide it.
    """
    records = find_records(text)
    tiles = find_tiles(page)
    if tiles and tiles.keys().isdisjoint(records):
        return
    thumbnails = _deferred_thumbnails(text)
    for image_id in _grid_order(list(tiles), list(records)):
        if image_id not in tiles:
            yield records[image_id]
            continue
        shown = _tile_result(image_id, tiles[image_id], thumbnails)
        yield _merged(records[image_id], shown) if image_id in records else shown


def _grid_order(tiles: list[str], records: list[str]) -> list[str]:
    """Ids of the grid with each record that has no tile in its place between the others, or at the end if the scripts
    are not in the order of the grid."""
    shown, known = set(tiles), set(records)
    if [each for each in records if each in shown] != [each for each in tiles if each in known]:
        return list(dict.fromkeys([*tiles, *records]))
    order: list[str] = []
    waiting = iter(records)
    for tile in tiles:
        if tile in known:
            order.extend(takewhile(tile.__ne__, waiting))
        order.append(tile)
    return [*order, *waiting]


def _merged(record: ImageResult, tile: ImageResult) -> ImageResult:
    return replace(
        record,
        title=record.title or tile.title,
        page_url=record.page_url or tile.page_url,
        site=record.site or tile.site,
        thumbnail_url=record.thumbnail_url or tile.thumbnail_url,
    )


def _tile_result(image_id: str, tile: Selector, thumbnails: dict[str, str]) -> ImageResult:
    image = tile.css("img")[:1]
    return ImageResult(
        id=image_id,
        title=text_of(attribute(image, "alt")) or _string(tile.css(".toI8Rb")) or text_of(attribute(tile, "data-pt")),
        page_url=web_url(attribute(tile, "data-lpage")) or linked_page_url(tile.css("a::attr(href)").get()),
        site=_string(tile.css(".guK3rf")),
        image_url=None,
        thumbnail_url=_thumbnail(image, thumbnails.get(attribute(image, "id") or "")),
        rights=None,
    )


def _deferred_thumbnails(text: str) -> dict[str, str]:
    """Thumbnails that scripts put in place after the 1x1 placeholder, by id of the img element."""
    found: dict[str, str] = {}
    for inline in _INLINE_THUMBNAIL.finditer(text):
        source = unescape_js(inline["src"])
        found |= dict.fromkeys(re.findall(r"[\w-]+", inline["ids"]), source)
    for script in _LAZY_THUMBNAILS.split(text)[1:]:
        found |= {key: value for key, value in _dict(decode_json(script)).items() if isinstance(value, str)}
    return found


def _rg_meta(page: Selector, text: str) -> Iterator[ImageResult]:
    """The desktop page until February 2020: one JSON object per picture in a hidden element."""
    for element in page.css(".rg_meta"):
        meta = _dict(decode_json(element.xpath("string()").get("").strip()))
        yield ImageResult(
            id=text_of(meta.get("id")),
            title=text_of(meta.get("pt")),
            page_url=web_url(meta.get("ru")),
            site=text_of(meta.get("st")),
            image_url=full_image_url(meta.get("ou")),
            thumbnail_url=small_image_url(meta.get("tu")),
            rights=None,
        )


def _lite(page: Selector, text: str) -> Iterator[ImageResult]:
    """The lite mobile page and its chunks: everything is in attributes. The ``alt`` texts are all alike."""
    for tile in page.css("[data-ou]"):
        yield ImageResult(
            id=text_of(attribute(tile, "data-tbnid")),
            title=text_of(attribute(tile, "data-pt")),
            page_url=web_url(attribute(tile, "data-ru")),
            site=text_of(attribute(tile, "data-st")),
            image_url=full_image_url(attribute(tile, "data-ou")),
            thumbnail_url=_thumbnail(tile.css("img")[:1], attribute(tile, "data-pu")),
            rights=None,
        )


def _imgres(page: Selector, text: str) -> Iterator[ImageResult]:
    """Links to Google's own page about a picture, on the WML page and in some basic pages."""
    for link in page.css('a[href*="/imgres?"]'):
        parts = split_url(attribute(link, "href") or "")
        if parts is None or parts.path != "/imgres":
            continue
        image_id = text_of(query_value(parts, "tbnid"))
        image = link.css("img")[:1]
        yield ImageResult(
            id=image_id,
            title=text_of(attribute(image, "alt")),
            page_url=web_url(query_value(parts, "imgrefurl")),
            site=None,
            image_url=full_image_url(query_value(parts, "imgurl")),
            thumbnail_url=_thumbnail(image, image_id and f"https://encrypted-tbn0.gstatic.com/images?q=tbn:{image_id}"),
            rights=None,
        )


def _app_answer(page: Selector, text: str) -> Iterator[ImageResult]:
    """The JSON for the Google app, behind a guard and perhaps followed by more."""
    found = _APP_ANSWER.search(text)
    answer = _dict(decode_json(text[found.start() :])) if found else {}
    entries = _dict(answer.get("ischj")).get("metadata")
    for entry in entries if isinstance(entries, list) else []:
        parts = _dict(entry)
        result = _dict(parts.get("result"))
        iptc = _dict(result.get("iptc"))
        yield ImageResult(
            id=None,
            title=plain_text(result.get("page_title")) or plain_text(_dict(parts.get("text_in_grid")).get("snippet")),
            page_url=web_url(result.get("referrer_url")),
            site=plain_text(result.get("site_title")),
            image_url=full_image_url(_dict(parts.get("original_image")).get("url")),
            thumbnail_url=small_image_url(_dict(parts.get("thumbnail")).get("url")),
            rights=rights_of(creators=iptc.get("creator"), notice=iptc.get("copyright_notice")),
        )


def _basic(page: Selector, text: str) -> Iterator[ImageResult]:
    """The page without JavaScript: per picture two links to the same page, one with the thumbnail, the next with a
    shortened title and the host. A spelling suggestion may stand among them; it has no thumbnail."""
    for link in page.xpath('//a[contains(@href, "/url?")][.//img[contains(@src, "encrypted-tbn")]]'):
        page_url = linked_page_url(attribute(link, "href"))
        caption = link.xpath("following::a[1]")
        lines = caption.xpath(".//*[self::span or self::div][not(span or div)]")
        is_ours = linked_page_url(attribute(caption, "href")) == page_url
        title, site = [*map(_string, lines if is_ours else ()), None, None][:2]
        yield ImageResult(
            id=None,
            title=title,
            page_url=page_url,
            site=site,
            image_url=None,
            thumbnail_url=_thumbnail(link.css("img")[:1]),
            rights=None,
        )


_SHAPES: tuple[Callable[[Selector, str], Iterator[ImageResult]], ...] = (
    _grid,
    _rg_meta,
    _lite,
    _imgres,
    _app_answer,
    _basic,
)


def _thumbnail(image: SelectorList[Selector], other: str | None = None) -> str | None:
    """The best source of a thumbnail: a URL before a ``data:`` URI, never the placeholder."""
    candidates = (attribute(image, "src"), attribute(image, "data-src"), other)
    usable = [source for source in map(small_image_url, candidates) if source]
    return min(usable, key=lambda source: source.startswith("data:"), default=None)


def _string(elements: Selector | SelectorList[Selector]) -> str | None:
    """Text of the element, or of the first of them."""
    return text_of(elements.xpath("string()").get())


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
