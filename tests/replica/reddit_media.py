"""The hosts of Reddit's own media: originals, signed copies, and videos."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from html import escape

from tests.replica import reddit_captured, subreddits
from tests.replica.exchange import Answer, Request, not_found, page, redirect
from tests.replica.pictures import FORMATS, PictureAddress, Size
from tests.replica.reddit_posts import WWW, Picture, preview_hash, signature

_MIME = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp"}
_FORMS = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "gif": "gif", "webp": "webp"}


def originals(request: Request) -> Answer:
    """i.redd.it: what was uploaded, without a signature."""
    name = request.route.rpartition("/")[2]
    picture = _by_name().get(name)
    if not picture or picture.trap == "removed":
        return _captured(request) if reddit_captured.knows(request.url.partition("?")[0]) else not_found()
    if wants_page(request):
        return viewer(request)
    return marked(request, picture.body, _MIME[picture.extension])


def copies(request: Request) -> Answer:
    """preview.redd.it and external-preview.redd.it: resized or written anew, and only as signed."""
    written, _, given = request.path.rpartition("s=")
    if reddit_captured.knows(request.url):
        return _captured(request)
    if not written or signature(request.host, written) != given:
        return page("<html><body><h1>403 Forbidden</h1></body></html>", 403)
    name = request.route.rpartition("/")[2]
    if request.host == "external-preview.redd.it":
        picture = _by_hash().get(name.rpartition(".")[0])
    else:
        picture = _by_name().get(name.rpartition("-v0-")[2])
    if not picture or picture.preview != "yes":
        return not_found()
    if wants_page(request):
        return viewer(request)
    if request.params.get("format") == "mp4":
        return marked(request, film(picture.id), "video/mp4")
    form = _form(request, picture)
    return marked(request, PictureAddress(form, _size(request, picture), picture.id).picture(), FORMATS[form].mime)


def videos(request: Request) -> Answer:
    """v.redd.it: a video leads a browser to its post; its files lie below it."""
    match request.route.strip("/").split("/"):
        case [name] if post := _posts_of_videos().get(name):
            return redirect(post)
        case [*_, name, file] if file.endswith(".mp4"):
            return marked(request, film(name + file), "video/mp4")
        case [*_, file] if file.endswith(".mpd"):
            return page('<?xml version="1.0"?><MPD><Period></Period></MPD>', content_type="application/dash+xml")
        case [*_, file] if file.endswith(".m3u8"):
            return page("#EXTM3U\n", content_type="application/vnd.apple.mpegurl")
        case _:
            return not_found()


def wants_page(request: Request) -> bool:
    """Whether the client is one that shows pages, by what it accepts."""
    return "text/html" in request.headers.get("accept", "")


def viewer(request: Request) -> Answer:
    """The page that hosts of pictures give to a browser in place of the bytes."""
    shown = f'<shreddit-app><zoomable-img><img src="{escape(request.url)}"></zoomable-img></shreddit-app>'
    return page(f"<!doctype html><html><head><title>A picture on the replica</title></head><body>{shown}</body></html>")


def marked(request: Request, body: bytes, mime: str) -> Answer:
    """Bytes with a mark, or word that they have not changed."""
    mark = ("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"')
    if body and request.headers.get("if-none-match") == mark[1]:
        return Answer(304, (mark,))
    found = Answer(200, (("Content-Type", mime),), body)
    return replace(found, headers=(*found.headers, mark)) if body else found


def film(seed: str) -> bytes:
    """An MP4 by its first bytes."""
    return b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + hashlib.sha512(seed.encode()).digest() * 8


def _captured(request: Request) -> Answer:
    """A picture of our own for an address of the capture."""
    if wants_page(request):
        return viewer(request)
    extension = request.route.rpartition(".")[2]
    form = _FORMS.get(extension, "jpeg")
    return marked(request, PictureAddress(form, (400, 300), request.url).picture(), FORMATS[form].mime)


def _form(request: Request, picture: Picture) -> str:
    """The format of a copy: WebP, whatever its name says, if that is allowed."""
    params, accepted = request.params, request.headers.get("accept", "*/*")
    if params.get("auto") == "webp" and any(kind in accepted for kind in ("image/webp", "image/*", "*/*")):
        return "webp"
    by_name = {"pjpg": "jpeg-progressive", "png": "png", "png8": "png-palette"}
    return by_name.get(params.get("format", ""), picture.form)


def _size(request: Request, picture: Picture) -> Size:
    params = request.params
    if "width" not in params:
        return picture.size
    width = int(params["width"])
    return (width, int(params["height"])) if "height" in params else picture.scaled_size(width)


@cache
def _by_name() -> dict[str, Picture]:
    return {picture.name: picture for picture in subreddits.pictures() if picture.url.startswith("https://i.redd.it/")}


@cache
def _by_hash() -> dict[str, Picture]:
    return {preview_hash(picture.url): picture for picture in subreddits.pictures()}


@cache
def _posts_of_videos() -> dict[str, str]:
    posts = (post for name in subreddits.SUBREDDITS for post in subreddits.listing(name))
    return {post.url.rpartition("/")[2]: WWW + post.permalink for post in posts if post.kind == "video"}
