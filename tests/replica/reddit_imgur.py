"""imgur: files, pages, albums, and the placeholder of what was removed."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from html import escape
from itertools import chain

from tests.replica import subreddits
from tests.replica.exchange import Answer, Request, not_found, page, redirect
from tests.replica.pictures import FORMATS, PictureAddress
from tests.replica.reddit_media import film, marked
from tests.replica.reddit_posts import Picture, Post

REMOVED = "https://i.imgur.com/removed.png"

_THUMBNAILS = {"s": 90, "b": 160, "t": 160, "m": 320, "l": 640, "h": 1024}


def files(request: Request) -> Answer:
    """i.imgur.com: the bytes are what they are, whatever the extension."""
    name, _, extension = request.route.strip("/").partition(".")
    if request.url.partition("?")[0] == REMOVED:
        return marked(request, PictureAddress("png", (161, 81), "imgur-removed").picture(), "image/png")
    picture = _pictures().get(name)
    if not picture and name[:-1] in _pictures() and name[-1] in _THUMBNAILS:
        return _scaled(request, _pictures()[name[:-1]], _THUMBNAILS[name[-1]])
    if not picture and name.endswith("_d") and name[:-2] in _pictures():
        return _scaled(request, _pictures()[name[:-2]], int(request.params.get("maxwidth", "520")))
    if not picture:
        return not_found()
    if picture.trap == "removed":
        return redirect(REMOVED)
    if extension.lower() == "gifv":
        video = f'<video><source src="//i.imgur.com/{name}.mp4" type="video/mp4"></video>'
        return _page(picture, video)
    if extension == "mp4":
        return marked(request, film(name), "video/mp4") if picture.is_animated else not_found()
    return marked(request, picture.body, picture.mime)


def pages(request: Request) -> Answer:
    """imgur.com: pages of a picture and of an album. Files of old lead to the host of files."""
    match request.route.strip("/").split("/"):
        case [file] if "." in file and file.partition(".")[0] in _pictures():
            return redirect(f"https://i.imgur.com/{file}")
        case ["a", name] if album := _albums().get(name.rpartition("-")[2]):
            answer = _page(album.media[0], "" if album.is_partly_known else _data(album))
            return replace(answer, headers=(*answer.headers, ("X-Robots-Tag", "noindex")))
        case [*_, name] if picture := _pictures().get(name.rpartition("-")[2]):
            return _page(picture)
        case _:
            return not_found()


def _data(album: Post) -> str:
    """The script that lists the pictures of an album: JSON, as a string of JavaScript."""
    media = [
        {
            "id": picture.id,
            "ext": FORMATS[picture.form].extension,
            "mime_type": picture.mime,
            "url": _true_url(picture),
            "width": picture.size[0],
            "height": picture.size[1],
        }
        for picture in album.media
    ]
    facts = {"id": _name(album), "title": album.title, "description": 'Drawn "by hand" <b>at sea</b>'}
    listed = {**facts, "image_count": len(media), "media": media}
    written = json.dumps(json.dumps(listed)).replace("</", r"<\/")
    return f"<script>window.postDataJSON={written}</script>"


def _page(picture: Picture, body: str = "") -> Answer:
    head = f'<title>Imgur</title><meta property="og:image" content="{escape(_true_url(picture))}?fb">'
    return page(f"<!doctype html><html><head>{head}</head><body><div id='root'></div>{body}</body></html>")


def _true_url(picture: Picture) -> str:
    """Its address with the extension that is true."""
    return f"https://i.imgur.com/{picture.id}.{FORMATS[picture.form].extension}"


def _scaled(request: Request, picture: Picture, width: int) -> Answer:
    size = picture.scaled_size(min(width, picture.size[0]))
    return marked(request, PictureAddress("jpeg", size, picture.id).picture(), "image/jpeg")


@cache
def _pictures() -> dict[str, Picture]:
    return {picture.id: picture for picture in subreddits.pictures() if "//i.imgur.com/" in picture.url}


@cache
def _albums() -> dict[str, Post]:
    posts = chain.from_iterable(map(subreddits.listing, subreddits.SUBREDDITS))
    return {_name(post): post for post in posts if post.kind == "imgur-album"}


def _name(album: Post) -> str:
    return album.url.rpartition("/")[2]
