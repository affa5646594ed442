"""Posts and listings as the API writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from tests.replica.exchange import Answer, page
from tests.replica.reddit_posts import Picture, Post, media_id, signed
from tests.replica.subreddits import Page, Subreddit

Json = dict[str, Any]

_WIDTHS = (108, 216, 320, 640, 960, 1080)
_TYPE = "application/json; charset=UTF-8"


def answer(value: Any, status: int = 200, *headers: tuple[str, str], raw: bool = True) -> Answer:
    """An answer of JSON; unless ``raw``, its texts are escaped as Reddit does it."""
    found = page(json.dumps(value if raw else _escaped(value)), status, _TYPE)
    return Answer(status, (*found.headers, *headers), found.body)


def error(status: int, message: str, *headers: tuple[str, str], **more: str) -> Answer:
    """The usual error."""
    return answer({**more, "message": message, "error": status}, status, *headers)


def listing(found: Page) -> Json:
    """A page of a listing."""
    if not found.posts and not found.after:
        return {"kind": "Listing", "data": {"modhash": "", "children": [], "after": None, "before": None}}
    return things([{"kind": "t3", "data": post_json(post)} for post in found.posts], found.after)


def things(children: list[Json], after: str = "") -> Json:
    """A listing of anything."""
    data = {
        "after": after or None,
        "dist": len(children),
        "modhash": None,
        "geo_filter": None,
        "children": children,
        "before": None,
    }
    return {"kind": "Listing", "data": data}


def comments(post: Post) -> list[Json]:
    """The page of a post: the post, and a comment with more behind it."""
    comment = {"id": "replica1", "name": "t1_replica1", "body": "Well drawn.", "link_id": post.name, "score": 1}
    more = {"count": 3, "name": "t1_replica2", "id": "replica2", "children": ["replica2"]}
    return [
        things([{"kind": "t3", "data": post_json(post)}]),
        things([{"kind": "t1", "data": comment}, {"kind": "more", "data": more}]),
    ]


def subreddits(found: Iterable[Subreddit]) -> Json:
    """What a search for subreddits gives: no posts."""
    return things(
        [
            {
                "kind": "t5",
                "data": {
                    "id": f"replica{number}",
                    "name": f"t5_replica{number}",
                    "display_name": subreddit.name,
                    "title": f"The {subreddit.name} of the replica",
                    "url": f"/r/{subreddit.name}/",
                    "over18": subreddit.is_adult,
                    "subscribers": 1000 + number,
                },
            }
            for number, subreddit in enumerate(found)
        ]
    )


def post_json(post: Post) -> Json:
    """A post, with the fields that real ones have."""
    author: Json = {"author": post.author}
    if post.author != "[deleted]":
        author |= {"author_fullname": f"t2_{media_id(post.author)[:6]}", "author_premium": False}
    found = {
        "approved_at_utc": None,
        "subreddit": post.subreddit,
        "selftext": "[removed]" if post.removed_by and post.is_self else _markdown(post),
        "selftext_html": _markdown_html(post) if post.is_self else None,
        **author,
        "saved": False,
        "gilded": 0,
        "clicked": False,
        "title": post.title,
        "link_flair_richtext": [{"e": "text", "t": post.flair}] if post.flair else [],
        "link_flair_text": post.flair or None,
        "link_flair_css_class": "replica" if post.flair else None,
        "link_flair_type": "richtext" if post.flair else "text",
        "subreddit_name_prefixed": f"r/{post.subreddit}",
        "subreddit_id": f"t5_{media_id(post.subreddit)[:5]}",
        "subreddit_type": "public",
        "hidden": False,
        "pwls": 6,
        "downs": 0,
        "ups": post.score,
        "score": post.score,
        "upvote_ratio": post.ratio,
        "hide_score": False,
        "name": post.name,
        "id": post.id,
        "quarantine": post.subreddit == "quarantined",
        "is_original_content": "[OC]" in post.title,
        "is_reddit_media_domain": post.domain in {"i.redd.it", "v.redd.it"},
        "is_meta": False,
        "is_self": post.is_self,
        "is_video": post.kind == "video",
        "category": None,
        "edited": False,
        "created": float(post.created),
        "created_utc": float(post.created),
        "domain": post.domain,
        "url": post.url,
        "permalink": post.permalink,
        "thumbnail": _thumbnail(post),
        "thumbnail_width": 140 if post.preview else None,
        "thumbnail_height": 105 if post.preview else None,
        "over_18": post.nsfw,
        "spoiler": post.spoiler,
        "stickied": post.stickied,
        "pinned": False,
        "locked": post.locked,
        "archived": False,
        "media_only": False,
        "num_comments": post.comments,
        "num_crossposts": 0,
        "removed_by_category": post.removed_by or None,
        "removed_by": None,
        "distinguished": "moderator" if post.stickied else None,
        "allow_live_comments": False,
        "media_embed": {},
        "secure_media_embed": {},
        "media": _media(post),
        "secure_media": _media(post),
    }
    return found | _sometimes(post)


def _sometimes(post: Post) -> Json:
    """The fields that only some posts have."""
    found: Json = {}
    if not post.is_self:
        found["url_overridden_by_dest"] = post.url
    hint = {"image": "image", "external": "image", "imgur": "image", "video": "hosted:video", "self": "self"}
    if post.hinted and (post.kind in hint or post.preview):
        found["post_hint"] = hint.get(post.kind, "link")
    if post.preview:
        found["preview"] = {"images": [_preview(post.preview)], "enabled": post.kind in {"image", "external", "imgur"}}
    if post.kind == "gallery":
        found |= {"is_gallery": True, "gallery_data": _gallery(post)}
    if post.kind in {"gallery", "self"}:
        found["media_metadata"] = _metadata(post)
    if post.parent:
        found |= {"crosspost_parent": post.parent.name, "crosspost_parent_list": [post_json(post.parent)]}
    if post.kind == "poll":
        options = [{"text": text, "id": str(number)} for number, text in enumerate(("The big one", "The small one"))]
        found["poll_data"] = {"options": options, "total_vote_count": 7, "voting_end_timestamp": post.created * 1000}
    return found


def _gallery(post: Post) -> Json:
    items = []
    for number, picture in enumerate(post.media):
        item: Json = {"media_id": picture.id, "id": 911_000_000 + number, "is_deleted": picture.state == "deleted"}
        if picture.caption or number % 2 == 0:
            item["caption"] = picture.caption
        if picture.link:
            item["outbound_url"] = picture.link
        items.append(item)
    return {"items": items}


def _metadata(post: Post) -> Json:
    """By id, and not in the order of the gallery: the second half comes first, and each half backwards."""
    there = [picture for picture in post.media if picture.state != "deleted"][::-1]
    there = there[1::2] + there[::2] if len(there) > 2 else there
    return {picture.id: _metadatum(picture, post) for picture in there}


def _metadatum(picture: Picture, post: Post) -> Json:
    width, height = picture.size
    if picture.state == "failed":
        return {"status": "failed"}
    if picture.state == "video":
        base = f"https://v.redd.it/link/{post.id}/asset/{picture.id}"
        return {
            "status": "valid",
            "e": "RedditVideo",
            "dashUrl": f"{base}/DASHPlaylist.mpd?a=1",
            "x": width,
            "y": height,
            "hlsUrl": f"{base}/HLSPlaylist.m3u8?a=1",
            "id": picture.id,
            "isGif": False,
        }
    animated = picture.is_animated
    full: Json = {"y": height, "x": width}
    if animated:
        full |= {"gif": picture.url, "mp4": picture.scaled_url(format="mp4")}
    else:
        written = "png" if picture.extension == "png" else "pjpg"
        full["u"] = picture.scaled_url(width=width, format=written, auto="webp")
    return {
        "status": "valid",
        "e": "AnimatedImage" if animated else "Image",
        "m": picture.mime.replace("jpeg", "jpg"),
        "p": [{"y": at[1], "x": at[0], "u": _small(picture, at[0])} for at in _sizes(picture)],
        "s": full,
        "id": picture.id,
    }


def _preview(picture: Picture) -> Json:
    variants = {}
    if picture.is_animated:
        variants = {
            form: {"source": _source(picture, url), "resolutions": []}
            for form, url in (("gif", picture.scaled_url()), ("mp4", picture.scaled_url(format="mp4")))
        }
    return {
        "source": _source(picture, picture.preview_url),
        "resolutions": [{"url": _small(picture, at[0]), "width": at[0], "height": at[1]} for at in _sizes(picture)],
        "variants": variants,
        "id": picture.id,
    }


def _source(picture: Picture, url: str) -> Json:
    return {"url": url, "width": picture.size[0], "height": picture.size[1]}


def _sizes(picture: Picture) -> list[tuple[int, int]]:
    return [picture.scaled_size(width) for width in _WIDTHS if width < picture.size[0]]


def _small(picture: Picture, width: int) -> str:
    return picture.scaled_url(width=width, crop="smart", **picture.still_format)


def _media(post: Post) -> Json | None:
    if post.kind != "video":
        return None
    video = {
        "bitrate_kbps": 2400,
        "fallback_url": f"{post.url}/CMAF_720.mp4?source=fallback",
        "has_audio": True,
        "height": 720,
        "width": 1280,
        "scrubber_media_url": f"{post.url}/CMAF_96.mp4",
        "dash_url": f"{post.url}/DASHPlaylist.mpd?a=1&v=1&f=sd",
        "duration": 12,
        "hls_url": f"{post.url}/HLSPlaylist.m3u8?a=1&v=1&f=sd",
        "is_gif": False,
        "transcoding_status": "completed",
    }
    return {"reddit_video": video}


def _thumbnail(post: Post) -> str:
    if post.nsfw:
        return "nsfw"
    if post.spoiler:
        return "spoiler"
    if post.is_self:
        return "self"
    if not post.preview:
        return "default" if post.kind != "image" else "image"
    return post.preview.scaled_url(width=140, height=140, crop="1:1,smart", auto="webp")


def inline_url(picture: Picture) -> str:
    """The address by which a text shows a picture."""
    return picture.scaled_url(width=picture.size[0], format="pjpg", auto="webp")


def _markdown(post: Post) -> str:
    links = (f"[{picture.caption or 'picture'}]({inline_url(picture)})" for picture in post.pictures)
    return "\n\n".join([post.text, *(links if post.kind == "self" else ())])


def _markdown_html(post: Post) -> str:
    return f"<!-- SC_OFF -->{text_block(post)}<!-- SC_ON -->"


def text_block(post: Post) -> str:
    """A text as HTML, with its pictures as links."""
    shown = post.pictures if post.kind == "self" else ()
    links = (f'<p><a href="{escape(inline_url(picture))}">picture</a></p>' for picture in shown)
    return f'<div class="md"><p>{escape(post.text)}</p>{"".join(links)}</div>'


def avatar(author: str) -> str:
    """The address of an icon, which nobody wants."""
    return signed("styles.redditmedia.com", f"/t5_x/styles/profileIcon_{media_id(author)}.png", {"width": 64})


def _escaped(value: Any) -> Any:
    """Every text as it comes without ``raw_json=1``."""
    if isinstance(value, str):
        return escape(value, quote=False)
    if isinstance(value, list):
        return [_escaped(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _escaped(inner) for name, inner in value.items()}
    return value
