"""What the head of a page says of its pictures: Open Graph, Twitter cards, JSON-LD, ``link`` elements."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from imagecrawl.pages.site_addresses import Addresses, ends_like_picture
from imagecrawl.pages.site_attributes import Attributes, make_find
from imagecrawl.pages.site_values import MAX_URLS, Find, Source, bounded, pixels
from imagecrawl.pages.srcset import parse_srcset

_OPEN_GRAPH = re.compile(r"og:image(?::(url|secure_url|width|height|alt))?")
_TWITTER = re.compile(r"twitter:image(?::src|\d)?(:alt)?")
_OTHER_META = {"thumbnail", "image"}
_PICTURES = {"image", "images", "photo", "photos", "primaryImageOfPage", "associatedMedia", "thumbnailUrl"}
"""Properties of JSON-LD whose values are pictures."""
_OTHERS = {"logo", "author", "publisher", "creator", "provider", "sponsor", "brand"}
"""Properties of JSON-LD that tell of someone whose pictures the page does not show."""
_BEFORE = ("//", "<!--", "//", "<![CDATA[")
_AFTER = (";", "]]>", "//", "-->", "//", ";")
"""What stands around the JSON of some pages, from the outside in."""


@dataclass(slots=True)
class _Card:
    """The tags of one picture of Open Graph or of a Twitter card."""

    url: str | None = None
    secure_url: str | None = None
    alt: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(slots=True)
class Metadata:
    """Reads the elements of the head one by one; :meth:`finds` are their pictures, in the order of trust."""

    addresses: Addresses
    title: str | None = None
    """``og:title``."""
    _open_graph: list[_Card] = field(default_factory=list)
    _twitter: list[_Card] = field(default_factory=list)
    _json_ld: list[Find] = field(default_factory=list)
    _links: list[Find] = field(default_factory=list)

    def meta(self, attributes: Attributes) -> None:
        content = attributes.get("content")
        names = (attributes.get(kind) for kind in ("property", "name", "itemprop"))
        for name in [name.strip().lower() for name in names if name and content][:1]:
            if found := _OPEN_GRAPH.fullmatch(name):
                self._add(self._open_graph, found[1] or "url", content)
            elif found := _TWITTER.fullmatch(name):
                self._add(self._twitter, "alt" if found[1] else "url", content)
            elif name in _OTHER_META:
                self._add(self._twitter, "url", content)
            elif name == "og:title":
                self.title = self.title or bounded(content)

    @staticmethod
    def _add(cards: list[_Card], kind: str, content: str | None) -> None:
        """Adds a tag to the last picture; ``og:image`` begins a new one, and so does ``og:image:url`` after another."""
        if not cards or (kind == "url" and cards[-1].url not in {None, content}):
            cards.append(_Card())
        card = cards[-1]
        if kind in {"width", "height"}:
            setattr(card, kind, pixels(content))
        else:
            setattr(card, kind, content)

    def link(self, attributes: Attributes) -> None:
        """Reads a ``link``. The icons of a site are no pictures of its pages."""
        kinds = (attributes.get("rel") or "").lower().split()
        is_preload = "preload" in kinds and (attributes.get("as") or "").strip().lower() == "image"
        if not (is_preload or "image_src" in kinds or attributes.get("itemprop") == "image"):
            return
        candidates = sorted(
            parse_srcset(attributes.get("imagesrcset") or ""), key=lambda one: (-one.width, -one.density)
        )
        urls = [self.addresses.absolute(candidate.address) for candidate in candidates]
        urls.append(self.addresses.absolute(attributes.get("href")))
        known = [url for url in urls if url]
        if known:
            find = make_find(known, Source.LINK_REL, {})
            find.width = (candidates[0].width or None) if candidates and urls[0] else None
            self._links.append(find)

    def json_ld(self, text: str) -> None:
        self._json_ld.extend(read_json_ld(text, self.addresses))

    def finds(self) -> Iterator[Find]:
        for card in (*self._open_graph, *self._twitter):
            urls = [self.addresses.absolute(url) for url in (card.secure_url, card.url)]
            known = [*dict.fromkeys(url for url in urls if url)]
            if known:
                alt = bounded(card.alt)
                yield Find(urls=known, source=Source.META, alt=alt, width=card.width, height=card.height)
        yield from self._json_ld
        yield from self._links


def read_json_ld(text: str, addresses: Addresses) -> Iterator[Find]:
    """The pictures of a JSON-LD script, in its order; nothing for what is no JSON.

    They are the objects of the type ImageObject and whatever stands as ``image`` or ``thumbnailUrl`` of another. Logos
    and portraits of those who made the page are left out.
    """
    try:
        data = json.loads(_bare(text), strict=False)
    except (ValueError, RecursionError):
        return
    stack: list[tuple[Any, bool]] = [(data, False)]
    while stack:
        node, is_picture = stack.pop()
        if isinstance(node, str):
            yield from _json_find([node], {}, addresses)
        elif isinstance(node, list):
            stack += [(item, is_picture) for item in reversed(node) if is_picture or not isinstance(item, str)]
        elif isinstance(node, dict):
            is_object = is_picture or any(kind.endswith("ImageObject") for kind in _strings(node.get("@type")))
            if is_object:
                yield from _json_find(_addresses_of(node), node, addresses)
            stack += reversed([*_children(node, is_object=is_object)])


def _bare(text: str) -> str:
    for mark in _BEFORE:
        text = text.strip().removeprefix(mark)
    for mark in _AFTER:
        text = text.strip().removesuffix(mark)
    return text


def _children(node: dict[str, Any], *, is_object: bool) -> Iterator[tuple[Any, bool]]:
    for key, value in node.items():
        is_copy = key == "thumbnailUrl" and (is_object or "image" in node)
        if key in _OTHERS or is_copy or (is_object and key in {"thumbnail", "image"}):
            continue
        if isinstance(value, dict | list) or (key in _PICTURES and isinstance(value, str)):
            yield value, key in _PICTURES


def _addresses_of(node: dict[str, Any]) -> list[str]:
    """Those of an ImageObject: the file, then what may be its page, then its thumbnails."""
    pages = [url for url in _strings(node.get("url")) if ends_like_picture(url) or not node.get("contentUrl")]
    thumbnail = node.get("thumbnail")
    inner = _strings(thumbnail.get("contentUrl") or thumbnail.get("url")) if isinstance(thumbnail, dict) else []
    return [
        *_strings(node.get("contentUrl")),
        *pages,
        *_strings(node.get("thumbnailUrl")),
        *_strings(thumbnail),
        *inner,
    ]


def _json_find(found: list[str], node: dict[str, Any], addresses: Addresses) -> Iterator[Find]:
    urls = [addresses.absolute(address) for address in found[:MAX_URLS]]
    known = [*dict.fromkeys(url for url in urls if url)]
    if known:
        yield Find(
            urls=known,
            source=Source.JSON_LD,
            title=bounded(node.get("name")),
            caption=bounded(node.get("caption")),
            width=pixels(node.get("width")),
            height=pixels(node.get("height")),
        )


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
