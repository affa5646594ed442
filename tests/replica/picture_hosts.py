"""The hosts of pictures: good ones, Google's thumbnails, one that wants no robots, and one that is all trouble."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat
from urllib.parse import urlsplit

from tests.replica.exchange import Answer, Request, not_found, page, redirect, robots_txt
from tests.replica.kinds import PICTURE_HOSTS
from tests.replica.pictures import FORMATS, NO_THUMBNAIL, PictureAddress, picture_bytes, thumbnail_bytes

_MIME_BY_EXTENSION = {form.extension: form.mime for form in FORMATS.values()} | {"svg": "image/svg+xml"}
_STATUSES = {"403": 403, "404": 404, "503": 503}
_TYPES = {"html": "image/jpeg", "svg": "image/svg+xml"}
_CHUNK = 64 * 1024


def good(request: Request) -> Answer:
    """A host that keeps to the rules: it marks its pictures, and says when one has not changed."""
    address = PictureAddress.parse(request.route)
    if not address or address.kind:
        return not_found()
    mark = f'"{address.seed}"'
    if request.headers.get("if-none-match") == mark:
        return Answer(304, (("ETag", mark),))
    answer = _picture(request, address.picture())
    return replace(answer, headers=(*answer.headers, ("ETag", mark)))


def private(request: Request) -> Answer:
    """A host with pictures and a robots.txt that forbids them."""
    if request.route == "/robots.txt":
        return robots_txt("User-agent: *\nDisallow: /\n")
    return good(request)


def thumbnails(request: Request) -> Answer:
    """Google's thumbnails: small JPEGs, without an extension."""
    if request.route != "/images" or NO_THUMBNAIL in request.path:
        return not_found()
    try:
        return Answer(200, (("Content-Type", "image/jpeg"),), thumbnail_bytes(request.url))
    except LookupError:
        return not_found()


def trouble(request: Request, released: threading.Event) -> Answer:
    """A host where the first part of the path says what goes wrong."""
    address = PictureAddress.parse(request.route)
    if not address or not address.kind:
        return not_found()
    if address.kind in _STATUSES:
        return page(f"<html><body>{address.kind}</body></html>", _STATUSES[address.kind])
    match address.kind:
        case "redirect-loop":
            return redirect(request.url)
        case "redirects":
            return _next_hop(request, address)
        case "endless":
            return _picture(request, chain([address.picture()[:-2]], repeat(bytes(_CHUNK))))
        case "slow":
            return _picture(request, _slowly(picture_bytes(request.url), released))
        case "closes-early":
            sent = picture_bytes(request.url)
            return _picture(request, sent, missing=len(address.picture()) - len(sent))
        case _:
            return _picture(request, picture_bytes(request.url))


def _next_hop(request: Request, address: PictureAddress) -> Answer:
    """The first of two redirects stays on this host, the second leads to where the picture is."""
    if "hop" not in request.params:
        return redirect(f"{request.url}?hop=2")
    extension = FORMATS[address.format].extension
    target = PictureAddress(address.format, address.size, address.seed).path(extension)
    return redirect(f"https://{PICTURE_HOSTS[0]}{target}", 301)


def _slowly(data: bytes, released: threading.Event) -> Iterator[bytes]:
    """A first part at once, the rest when ``released``; empty chunks in between."""
    yield data[:1000]
    while not released.wait(0.02):
        yield b""
    yield data[1000:]


def _picture(request: Request, body: bytes | Iterator[bytes], missing: int = 0) -> Answer:
    """An answer that calls itself what the extension says, as hosts do."""
    address = PictureAddress.parse(request.route)
    name = urlsplit(request.url).path.rpartition("/")[2]
    mime = _MIME_BY_EXTENSION.get(name.rpartition(".")[2])
    if address:
        mime = _TYPES.get(address.kind) or mime or FORMATS[address.format].mime
    return Answer(200, (("Content-Type", mime or "application/octet-stream"),), body, missing)
