"""Where the pictures are that posts link to: Reddit's own hosts, imgur, and any address that ends like a picture."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import SplitResult

from parsel import Selector, SelectorList

from imagecrawl.pages.reddit_addresses import GALLERY_PATH, POST_PATH, REDDIT
from imagecrawl.pages.reddit_values import Kind, Media, Picture, absolute, numbered
from imagecrawl.pages.values import attribute, query_value, split_url, text_of, web_url

_EXTENSION = re.compile(r"\.(?:jpe?g|jpe|jfif|png|gif|webp|avif|bmp|tiff?)\Z", re.IGNORECASE)
_FILM = re.compile(r"\.(?:mp4|webm|mov|m4v|mkv)\Z", re.IGNORECASE)
_UPLOAD = re.compile(r"/(?P<name>(?P<id>[a-z0-9]+)\.(?:jpe?g|png|gif|webp))")
"""A file of i.redd.it that is the picture of a post: those in folders are avatars and awards."""

_NEVER = re.compile(r"(?:.+\.)?(?:redditmedia\.com|redditstatic\.com|redd\.it)")
"""Thumbnails, icons, banners, and what is left of the image hosts: avatars and awards."""
_FILM_HOSTS = re.compile(r"(?:.+\.)?(?:v\.redd\.it|gfycat\.com|redgifs\.com|streamable\.com|youtube\.com|youtu\.be)")

_IMGUR = re.compile(r"(?:(?:www|m|i|o)\.)?imgur\.(?:com|io)")
_IMGUR_FILE = re.compile(
    r"/(?P<id>[a-z0-9]{7}|[a-z0-9]{5})[sbtmlh]?(?:_d)?\.(?P<ext>jpe?g|png|gif[a-z]?|webp)", re.IGNORECASE
)
"""A file with the letter of its size: ids have 5 or 7 characters."""
_IMGUR_PAGE = re.compile(r"(?P<place>/gallery|/t/[^/]+|/r/[^/]+)?/(?:[^/]*-)?(?P<id>[a-z0-9]{7}|[a-z0-9]{5})/?", re.I)
_IMGUR_ALBUM = re.compile(r"/a/(?:[^/]*-)?(?P<id>[a-z0-9]+)/?", re.IGNORECASE)
_IMGUR_REMOVED = "/removed.png"


def original_of(preview_url: str) -> str | None:
    """The file that a ``preview.redd.it`` address is a copy of, at i.redd.it; ``None`` for all others.

    The rule holds for both forms of the path, with and without the words of the title; some previews have no original.

    >>> original_of("https://preview.redd.it/a-cat-v0-87udn5gszb6a1.jpg?width=640&s=1")
    'https://i.redd.it/87udn5gszb6a1.jpg'
    """
    parts = split_url(preview_url)
    if parts is None or parts.hostname != "preview.redd.it" or parts.path.count("/") != 1:
        return None
    upload = _UPLOAD.fullmatch(f"/{parts.path[1:].rpartition('-')[2]}")
    return f"https://i.redd.it/{upload['name']}" if upload else None


def is_removed_url(url: str) -> bool:
    """True for the picture that imgur redirects to in place of one that is gone."""
    parts = split_url(url)
    return parts is not None and _IMGUR.fullmatch(parts.hostname or "") is not None and parts.path == _IMGUR_REMOVED


def read_link(address: str | None, previews: Iterable[str | None] = ()) -> Media:
    """What the link of a post leads to; ``previews`` are Reddit's copies of it, best first.

    A link to another post is a crosspost, one to a gallery a gallery, both without pictures. ``more_url`` is set for
    pages of imgur that may show more than one picture.
    """
    url = _unwrapped(address)
    parts = split_url(url) if url else None
    if url is None or parts is None:
        return Media(kind=Kind.LINK)
    copies = [copy for copy in map(web_url, previews) if copy and _is_copy(copy)]
    host = parts.hostname or ""
    if _IMGUR.fullmatch(host):
        return _read_imgur(parts, copies)
    if REDDIT.fullmatch(host):
        return Media(kind=_kind_of_page(parts))
    picture = _picture_at(url, parts)
    if picture:
        return Media(kind=Kind.IMAGE, pictures=(_with_copies(picture, copies),))
    is_film = _FILM_HOSTS.fullmatch(host) or _FILM.search(parts.path)
    return Media(kind=Kind.VIDEO if is_film else Kind.LINK)


def _unwrapped(address: str | None) -> str | None:
    """The address that Reddit's own redirects lead to: ``out.reddit.com/...?url=`` and ``reddit.com/media?url=``."""
    url = absolute(address)
    parts = split_url(url) if url else None
    if parts is None:
        return None
    host = parts.hostname or ""
    is_wrapped = host == "out.reddit.com" or (REDDIT.fullmatch(host) and parts.path == "/media")
    return web_url(query_value(parts, "url")) if is_wrapped else url


def picture_of(address: str | None, caption: Any = None) -> Picture | None:
    """The picture at an address of i.redd.it or preview.redd.it, else ``None``. No caption is an address."""
    url = _unwrapped(address)
    parts = split_url(url) if url else None
    is_upload = parts is not None and parts.hostname in {"i.redd.it", "preview.redd.it"}
    picture = _picture_at(url, parts) if url and parts and is_upload else None
    said = text_of(caption)
    return replace(picture, caption=None if said and "://" in said else said) if picture else None


def _with_copies(picture: Picture, copies: Iterable[str]) -> Picture:
    """The picture with more copies to fall back on."""
    more = [copy for copy in dict.fromkeys(copies) if copy not in picture.urls]
    return replace(picture, urls=(*picture.urls, *more), preview_urls=(*picture.preview_urls, *more))


def read_body(body: Selector | SelectorList[Selector]) -> tuple[Picture, ...]:
    """The pictures in the text of a self post, as HTML: Reddit's own only, since other links are mere links."""
    found = []
    for element in body.xpath(".//a[@href] | .//img[@src]"):
        address = attribute(element, "href") or attribute(element, "src")
        picture = picture_of(address, element.xpath("string()").get())
        if picture:
            found.append(picture)
    return numbered(found)


def _picture_at(url: str, parts: SplitResult) -> Picture | None:
    """The picture that an address ends in, by host and path."""
    host = parts.hostname or ""
    if host == "i.redd.it":
        upload = _UPLOAD.fullmatch(parts.path)
        return Picture(urls=(f"https://i.redd.it/{upload['name']}",), id=upload["id"]) if upload else None
    if original := original_of(url):
        name = original.rpartition("/")[2].partition(".")[0]
        return Picture(urls=(original, url), preview_urls=(url,), id=name)
    if host == "external-preview.redd.it" or (host == "preview.redd.it" and parts.path.count("/") == 1):
        return Picture(urls=(url,), preview_urls=(url,))
    is_picture = host == "i.reddituploads.com" or (_EXTENSION.search(parts.path) and not _NEVER.fullmatch(host))
    return Picture(urls=(url,)) if is_picture else None


def _is_copy(url: str) -> bool:
    parts = split_url(url)
    return parts is not None and parts.hostname in {"preview.redd.it", "external-preview.redd.it"}


def _kind_of_page(parts: SplitResult) -> Kind:
    if GALLERY_PATH.fullmatch(parts.path):
        return Kind.GALLERY
    return Kind.CROSSPOST if POST_PATH.match(parts.path) else Kind.LINK


def _read_imgur(parts: SplitResult, copies: list[str]) -> Media:
    """A file without the letter of its size, the file of a page, or an album, of which Reddit has one copy at most."""
    path = parts.path
    if path == _IMGUR_REMOVED:
        return Media(kind=Kind.REMOVED)
    if _FILM.search(path):
        return Media(kind=Kind.VIDEO)
    if file := _IMGUR_FILE.fullmatch(path):
        # A .gifv is a web page; the animation is the .gif of the same id.
        extension = "gif" if file["ext"].lower().startswith("gif") else file["ext"]
        return Media(kind=Kind.IMAGE, pictures=(_imgur_picture(file["id"], extension, copies),))
    if album := _IMGUR_ALBUM.fullmatch(path):
        known = (Picture(urls=(copies[0],), preview_urls=(copies[0],)),) if copies else ()
        return Media(kind=Kind.GALLERY, pictures=known, more_url=f"https://imgur.com/a/{album['id']}")
    if page := _IMGUR_PAGE.fullmatch(path):
        # The host serves the bytes whatever the extension. What stands in the gallery may be an album.
        more_url = f"https://imgur.com/gallery/{page['id']}" if page["place"] else None
        return Media(kind=Kind.IMAGE, pictures=(_imgur_picture(page["id"], "jpg", copies),), more_url=more_url)
    other = _picture_at(parts._replace(scheme="https").geturl(), parts)
    return Media(kind=Kind.IMAGE, pictures=(_with_copies(other, copies),)) if other else Media(kind=Kind.LINK)


def _imgur_picture(name: str, extension: str, copies: list[str]) -> Picture:
    return _with_copies(Picture(urls=(f"https://i.imgur.com/{name}.{extension}",), id=name), copies)
