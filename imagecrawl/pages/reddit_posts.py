"""A post of Reddit's JSON: the fields are those of the listings captured in 2020 and 2026."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from imagecrawl.pages.reddit_addresses import Via, build_post_url
from imagecrawl.pages.reddit_media import picture_of, read_link
from imagecrawl.pages.reddit_values import (
    Kind,
    Media,
    Picture,
    Post,
    absolute,
    make_post,
    moment,
    numbered,
    post_id,
)
from imagecrawl.pages.values import text_of

_WITHDRAWN = {"[removed]", "[deleted]"}
_NO_CAPTIONS = {"img", "gif"}
"""What Reddit's own editor writes in ``![img](<id>)``."""
_IMAGE_LINK = re.compile(r"https?://(?:preview|i)\.redd\.it/[^\s)\]\"'<>]+")
_CAPTION = re.compile(r"\[(?P<said>[^\[\]]{0,500})\]\((?:https?://[^\s()]{0,500})?\Z")
"""What stands before the address or the id in ``[a cat](https://preview.redd.it/...)``."""


def read_post(value: Any) -> Post | None:
    """The post in the ``data`` of a ``t3``; ``None`` for what is none.

    The media are those of the last parent of a crosspost, everything else is its own; but it is for adults if a parent
    is.
    """
    data = mapping(value)
    name = post_id(text_of(data.get("name"))) or post_id(f"t3_{data.get('id') or ''}")
    if name is None:
        return None
    score, stickied = data.get("score"), data.get("stickied")
    marks = [flag(shown.get("over_18")) for shown in (data, *_parents(data))]
    return make_post(
        _read_media(data),
        name=name,
        title=data.get("title"),
        author=data.get("author"),
        subreddit=data.get("subreddit"),
        score=score if isinstance(score, int) else None,
        created=moment(data.get("created_utc")),
        permalink=data.get("permalink"),
        flair=data.get("link_flair_text"),
        nsfw=True in marks or marks[0],
        spoiler=flag(data.get("spoiler")),
        stickied=stickied is True,
    )


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is an object of JSON, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The value where it is an array of JSON, else an empty one."""
    return value if isinstance(value, list) else []


def flag(value: Any) -> bool | None:
    """The value where it is true or false."""
    return value if isinstance(value, bool) else None


def _read_media(data: dict[str, Any]) -> Media:
    """A removed post may still say where its picture is: whether that is gone too is for its host to say."""
    if data.get("promoted"):
        return Media(kind=Kind.PROMOTED)
    shown = [data, *_parents(data)][-1]
    media = _read_shown(shown)
    may_be_withdrawn = not (media.pictures or shown.get("is_self"))  # a text had no picture that is missed
    is_withdrawn = may_be_withdrawn and (_is_withdrawn(data) or _is_withdrawn(shown))
    return Media(kind=Kind.REMOVED) if is_withdrawn else media


def _parents(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [mapping(parent) for parent in items(data.get("crosspost_parent_list"))]


def _read_shown(shown: dict[str, Any]) -> Media:
    if shown.get("is_gallery") or shown.get("gallery_data"):
        return _read_gallery(shown)
    if shown.get("is_video"):
        return Media(kind=Kind.VIDEO)
    if shown.get("is_self"):
        return Media(
            kind=Kind.POLL if shown.get("poll_data") else Kind.TEXT,
            pictures=numbered(_inline_pictures(str(shown.get("selftext")), _metadata_of(shown))),
        )
    return _read_target(shown)


def _is_withdrawn(data: dict[str, Any]) -> bool:
    return bool(data.get("removed_by_category")) or text_of(data.get("selftext")) in _WITHDRAWN


def _read_target(data: dict[str, Any]) -> Media:
    """Where a link post leads. A crosspost without its parent leads to the parent's page."""
    url = absolute(data.get("url_overridden_by_dest")) or absolute(data.get("url"))
    media = read_link(url, _previews(data))
    if media.kind is Kind.GALLERY and not media.more_url:
        return _read_gallery(data)
    if media.kind is Kind.CROSSPOST and data.get("crosspost_parent"):
        return replace(media, more_url=build_post_url(url, via=Via.API))
    if media.kind is Kind.CROSSPOST:
        return replace(media, kind=Kind.LINK)
    return replace(media, kind=Kind.VIDEO) if media.kind is Kind.LINK and _is_film(data) else media


def _is_film(data: dict[str, Any]) -> bool:
    return str(data.get("post_hint")) in {"hosted:video", "rich:video"}


def _previews(data: dict[str, Any]) -> Iterator[str | None]:
    """Reddit's copies of the linked picture: of an animation the animation before the still; never the blurred one."""
    for image in items(mapping(data.get("preview")).get("images"))[:1]:
        animation = mapping(mapping(mapping(image).get("variants")).get("gif"))
        for source in (animation, mapping(image)):
            yield text_of(mapping(source.get("source")).get("url"))


# Galleries and pictures in a text


def _read_gallery(data: dict[str, Any]) -> Media:
    """The pictures in the order of ``gallery_data``: that of the keys of ``media_metadata`` is another.

    ``gallery_data`` is null in a deleted gallery; ``media_metadata`` may be missing, then the page of the post is to be
    asked for.
    """
    if "gallery_data" in data and not data["gallery_data"]:
        return Media(kind=Kind.REMOVED)
    listed = [mapping(item) for item in items(mapping(data.get("gallery_data")).get("items"))]
    metadata = _metadata_of(data)
    if not (listed and metadata):
        return Media(kind=Kind.GALLERY, more_url=build_post_url(absolute(data.get("url")), via=Via.API))
    found = []
    for item in listed:
        picture = _item_picture(metadata.get(str(item.get("media_id"))), caption=item.get("caption"))
        if picture and item.get("is_deleted") is not True:
            found.append(picture)
    return Media(kind=Kind.GALLERY, pictures=numbered(found))


def _metadata_of(data: dict[str, Any]) -> dict[str, Any]:
    """``media_metadata`` without the stickers of comments."""
    return {name: value for name, value in mapping(data.get("media_metadata")).items() if "|" not in name}


def _item_picture(value: Any, caption: Any = None) -> Picture | None:
    """The picture of an entry of ``media_metadata``: of an animation its GIF; ``None`` for films and failed uploads."""
    item = mapping(value)
    source = mapping(item.get("s"))
    if item.get("status") != "valid" or str(item.get("e")) not in {"Image", "AnimatedImage"}:
        return None
    return picture_of(text_of(source.get("gif")) or text_of(source.get("u")), caption)


def _inline_pictures(text: str, metadata: dict[str, Any]) -> list[Picture]:
    """The pictures that a text shows, in its order: those it names by their id, and links to Reddit's image hosts."""
    spots = []
    for name, value in metadata.items():
        place = text.find(name)
        if place >= 0:
            spots.append((place, _item_picture(value, _caption_before(text, place))))
    for link in _IMAGE_LINK.finditer(text):
        picture = picture_of(link[0], _caption_before(text, link.start()))
        if picture and picture.id not in metadata:
            spots.append((link.start(), picture))
    return [picture for _, picture in sorted(spots, key=lambda spot: spot[0]) if picture]


def _caption_before(text: str, place: int) -> str | None:
    said = _CAPTION.search(text[:place])
    return said["said"] if said and said["said"] not in _NO_CAPTIONS else None
