"""The present pages of www.reddit.com: a first few posts, parts that continue them, pages of posts, embedded posts."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from html import escape
from urllib.parse import quote, urlencode

from tests.replica import subreddits
from tests.replica.reddit_json import avatar
from tests.replica.reddit_posts import WWW, Picture, Post, media_id
from tests.replica.subreddits import Page

FIRST = 3
"""How many posts the page itself has; the parts have 25."""

_TYPES = {"self": "text", "external": "image", "imgur": "image", "gifv": "link", "imgur-page": "link"}
_SHORTEST_CAROUSEL = 2


def cursor(name: str) -> str:
    """A full name as continuations carry it."""
    return b64encode(name.encode()).decode()


def name_of(value: str) -> str:
    """The full name in a cursor."""
    return b64decode(value, validate=True).decode()


def listing(name: str, sort: str, time: str, shown: Page) -> str:
    """The page of a subreddit."""
    icon = f'<img src="https://styles.redditmedia.com/t5_x/styles/communityIcon_{media_id(name)}.png" alt="icon">'
    feed = f'<shreddit-feed reload-url="/r/{name}/">{part(name, sort, time, shown)}</shreddit-feed>'
    return _page(f"r/{name}", f"<header>{icon}</header><main>{feed}</main>", name)


def part(name: str, sort: str, time: str, shown: Page, first: int = 0) -> str:
    """Posts, and where the next are. An advertisement comes after the second."""
    blocks = [article(post, first + place) for place, post in enumerate(shown.posts)]
    blocks[2:2] = [
        _advertisement(post, place) for post in subreddits.advertisements(name) for place in (1, 2) if blocks
    ]
    if not blocks and not shown.after:
        return '<div id="empty-feed-content">Nothing here</div>'
    return '<hr class="border-0">'.join([*blocks, _continuation(name, sort, time, shown, first)])


def article(post: Post, index: int) -> str:
    """A post of a feed."""
    return (
        f'<article class="w-full m-0" aria-label="{escape(post.title)}" data-post-id="{post.name}">'
        f"{_post(post, 'SubredditFeed', index)}</article>"
    )


def comments(post: Post) -> str:
    """The page of a post."""
    return _page(f"{post.title} : r/{post.subreddit}", f"<main>{_post(post, 'CommentsPage', 0)}</main>", post.subreddit)


def embedded(post: Post) -> str:
    """The page that other sites embed."""
    facts = {
        "post": {
            "id": post.name,
            "url": WWW + post.url if post.url.startswith("/") else post.url,
            "type": _type(post),
            "created_timestamp": post.created * 1000,
            "nsfw": post.nsfw,
        },
        "subreddit": {"name": post.subreddit, "id": f"t5_{media_id(post.subreddit)[:5]}"},
    }
    slides = "".join(
        f'<li slot="page-{place}"><faceplate-img src="{escape(_shown(post, picture, 960))}"></faceplate-img></li>'
        for place, picture in enumerate(post.pictures, start=1)
    )
    body = (
        f'<div id="canonical-url-updater" value="{WWW}{post.permalink}"></div>'
        f'<shreddit-screenview-data data="{escape(json.dumps(facts))}"></shreddit-screenview-data>'
        f"{f'<gallery-carousel><ul>{slides}</ul></gallery-carousel>' if post.kind == 'gallery' else ''}"
    )
    return _page(post.title, body, post.subreddit)


def _page(title: str, body: str, name: str) -> str:
    return (
        f'<!doctype html><html lang="en-US"><head><title>{escape(title)}</title></head><body class="v2">'
        f'<shreddit-app pagename="community" routename="subreddit" subreddit="{escape(name)}">{body}'
        "</shreddit-app></body></html>"
    )


def _continuation(name: str, sort: str, time: str, shown: Page, first: int) -> str:
    if not shown.after:
        return '<span id="end-of-feed-tracker"></span>'
    query = {
        "after": cursor(shown.after),
        "t": time.upper(),
        "name": name,
        "feedLength": first + len(shown.posts),
        "distance": first + len(shown.posts),
        "adDistance": 2,
        "sort": sort,
    }
    source = f"/svc/shreddit/community-more-posts/{sort}/?{urlencode(query)}"
    return (
        f'<faceplate-partial slot="load-before" loading="action" src="/svc/shreddit/feed-recap?name={quote(name)}">'
        "</faceplate-partial>"
        f'<div more-posts-cursor="{escape(query["after"])}"></div>'
        f'<faceplate-partial slot="load-after" loading="programmatic" src="{escape(source)}"></faceplate-partial>'
    )


def _post(post: Post, context: str, index: int) -> str:
    attributes = {
        "permalink": post.permalink,
        "content-href": _content_href(post, context),
        "view-context": context,
        "comment-count": str(post.comments),
        "view-type": "cardView",
        "feedIndex": str(index),
        "award-count": "0",
        "created-timestamp": _timestamp(post.created),
        "domain": post.domain,
        "id": post.name,
        "post-title": post.title,
        "post-language": "en",
        "post-type": _type(post),
        "score": str(post.score),
        "upvote-ratio": str(post.ratio),
        "subreddit-id": f"t5_{media_id(post.subreddit)[:5]}",
        "subreddit-prefixed-name": f"r/{post.subreddit}",
        "author": post.author,
        "author-id": f"t2_{media_id(post.author)[:6]}",
        "subreddit-name": post.subreddit,
    }
    if post.is_self and index % 2:
        del attributes["domain"]
    if post.author == "[deleted]":
        del attributes["author-id"]
    flags = {
        "nsfw": post.nsfw,
        "spoiler": post.spoiler,
        "stickied": post.stickied,
        "gallery": post.kind == "gallery",
        "promoted": post.promoted,
    }
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    flagged = "".join(f' {name}=""' for name, is_set in flags.items() if is_set)
    icon = f'<span slot="credit-bar"><img class="icon" src="{escape(avatar(post.author))}"></span>'
    flair = f'<shreddit-post-flair slot="post-flair"><span>{escape(post.flair)}</span></shreddit-post-flair>'
    return (
        f'<shreddit-post data-ks-item class="block relative" {written}{flagged}>{icon}'
        f'<a slot="title" href="{post.permalink}">{escape(post.title)}</a>{flair if post.flair else ""}'
        f"{_media(post, context)}</shreddit-post>"
    )


def _advertisement(post: Post, place: int) -> str:
    """An element of its own, and one that only a flag tells from a post."""
    if place == 1:
        attributes = f'promoted="" id="{post.name}" post-title="{escape(post.title)}"'
        return f"<shreddit-ad-post {attributes}>{_image(post)}</shreddit-ad-post>"
    return _post(post, "SubredditFeed", 2)


def _type(post: Post) -> str:
    if post.kind == "image" and post.media[0].is_animated:
        return "gif"
    if post.kind in {"external", "imgur"} and not post.hinted:
        return "link"
    return "link" if post.kind == "imgur-album" else _TYPES.get(post.kind, post.kind)


def _content_href(post: Post, context: str) -> str:
    """In feeds the address of some galleries is that of their page; links may lead through another host."""
    match post.kind:
        case "self" | "text" | "poll":
            return post.permalink
        case "crosspost":
            assert post.parent
            return post.parent.permalink
        case "gallery" if context == "SubredditFeed" and len(post.media) > _SHORTEST_CAROUSEL:
            return WWW + post.permalink
        case "link" if post.hinted:
            return f"https://out.reddit.com/?{urlencode({'url': post.url, 'token': 'replica'})}"
        case _:
            return post.url


def _timestamp(created: int) -> str:
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%S.281000%z")


def _media(post: Post, context: str) -> str:
    is_page = context == "CommentsPage"
    match post.kind:
        case "image":
            return _image(post)
        case "external" | "imgur" if post.preview and post.hinted:
            return _image(post)
        case "gallery" if is_page or post.expando:
            return _carousel(post)
        case "self":
            return f'<div slot="text-body">{escape(post.text)}{_figures(post) if is_page else ""}</div>'
        case "text" | "poll":
            return f'<div slot="text-body">{escape(post.text)}</div>'
        case "video":
            return f'<shreddit-player-2 src="{post.url}/HLSPlaylist.m3u8"></shreddit-player-2>'
        case _:
            return ""


def _image(post: Post) -> str:
    """One picture, before a blurred copy of itself."""
    picture = post.media[0]
    if picture.preview == "no":
        shown = f'<img id="post-image" alt="" src="{escape(picture.url)}">'
        return f"<shreddit-aspect-ratio>{shown}</shreddit-aspect-ratio>"
    blurred = escape(_shown(post, picture, 108))
    shown = escape(_shown(post, picture, 640))
    return (
        f'<shreddit-aspect-ratio><img role="presentation" class="post-background-image-filter" src="{blurred}">'
        f'<img id="post-image" class="preview-img" alt="" src="{shown}"></shreddit-aspect-ratio>'
    )


def _carousel(post: Post) -> str:
    """The pictures of a gallery: the first at once, the others lazily, and not in the order of their pages."""
    pages = [_slide(post, picture, place, is_first=place == 1) for place, picture in enumerate(post.pictures, start=1)]
    return f'<gallery-carousel post-id="{post.name}"><ul>{"".join(pages[:1] + pages[:0:-1])}</ul></gallery-carousel>'


def _slide(post: Post, picture: Picture, place: int, *, is_first: bool) -> str:
    lazy = "" if is_first else "data-lazy-"
    shown = escape(_shown(post, picture, 1080))
    caption = f"<figcaption>{escape(picture.caption)}</figcaption>" if picture.caption else ""
    return (
        f'<li slot="page-{place}"><img role="presentation" class="post-background-image-filter" '
        f'{lazy}src="{escape(_shown(post, picture, 108))}"><figure><img class="media-lightbox-img" alt="" '
        f'{lazy}src="{shown}" {lazy}srcset="{escape(_shown(post, picture, 320))} 320w, {shown} 1080w">{caption}'
        "</figure></li>"
    )


def _figures(post: Post) -> str:
    return "".join(
        f'<figure class="rte-media"><a href="{escape(_shown(post, picture, 0))}">'
        f'<img src="{escape(_shown(post, picture, 640))}"></a></figure>'
        for picture in post.pictures
    )


def _shown(post: Post, picture: Picture, width: int) -> str:
    """The address of a copy as pages write it, with the words of the title; ``width`` 0 is the full size."""
    width = min(width or picture.size[0], picture.size[0])
    words = post.slug.replace("_", "-")
    return picture.scaled_url(words, width=width, crop="smart", **picture.still_format)
