"""old.reddit.com: listings and pages of posts as they have been for years."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from urllib.parse import quote, urlencode

from tests.replica import subreddits
from tests.replica.reddit_json import inline_url, text_block
from tests.replica.reddit_posts import WWW, Picture, Post, media_id
from tests.replica.subreddits import Page

OLD = "https://old.reddit.com"

_PAGE = (
    '<!doctype html><html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><title>{title}</title>'
    '<link rel="canonical" href="{www}/r/{name}/"></head><body class="{kind} loggedin">'
    '<div id="header"><a href="/" id="header-img">reddit.com</a></div><div class="side"><a class="title" '
    'href="/r/{name}/">{name}</a></div><div class="content" role="main">{body}</div></body></html>'
)


def listing(name: str, sort: str, shown: Page, params: dict[str, str]) -> str:
    """A page of a listing."""
    blocks = [thing(post, rank) for rank, post in enumerate(shown.posts, start=1)]
    for advertisement in subreddits.advertisements(name) if blocks else ():
        blocks.insert(2, thing(advertisement, 0))
    clear = '<div class="clearleft"></div>'
    if blocks or shown.after:
        body = "".join(block + clear for block in blocks) + _buttons(name, sort, shown, params)
    else:
        body = '<p id="noresults" class="error">there doesn\'t seem to be anything here</p>'
    table = f'<div id="siteTable" class="sitetable linklisting">{body}</div>'
    return _PAGE.format(title=escape(name), www=WWW, name=escape(name), kind=f"listing-page {sort}-page", body=table)


def comments(post: Post) -> str:
    """The page of a post: its block stands open. Other posts are shown beside it."""
    related = "".join(thing(other, 0) for other in subreddits.listing(post.subreddit)[:2] if other is not post)
    comment = '<div class=" thing id-t1_replica1 comment" data-fullname="t1_replica1" data-type="comment"></div>'
    body = (
        f'<div id="siteTable" class="sitetable linklisting">{thing(post, 0, is_open=True)}</div>'
        f'<div class="commentarea"><div class="sitetable nestedlisting">{comment}</div></div>'
        f'<div class="related">{related}</div>'
    )
    return _PAGE.format(title=escape(post.title), www=WWW, name=post.subreddit, kind="comments-page", body=body)


def thing(post: Post, rank: int, *, is_open: bool = False) -> str:
    """The block of a post."""
    relative = post.permalink if post.is_self else post.url
    flags = {
        "linkflair": post.flair,
        "over18": post.nsfw,
        "spoiler": post.spoiler,
        "stickied": post.stickied,
        "self": post.is_self,
        "locked": post.locked,
        "promoted promotedlink": post.promoted,
    }
    data = {
        "fullname": post.name,
        "type": "link",
        "gildings": "0",
        "whitelist-status": "",
        "is-gallery": _word(post.kind == "gallery"),
        "author": post.author,
        "author-fullname": f"t2_{media_id(post.author)[:6]}",
        "subreddit": post.subreddit,
        "subreddit-prefixed": f"r/{post.subreddit}",
        "subreddit-fullname": f"t5_{media_id(post.subreddit)[:5]}",
        "subreddit-type": "public",
        "timestamp": str(post.created * 1000),
        "url": relative,
        "permalink": post.permalink,
        "domain": post.domain,
        "rank": str(rank or ""),
        "comments-count": str(post.comments),
        "score": str(post.score),
        "promoted": _word(post.promoted),
        "nsfw": _word(post.nsfw),
        "spoiler": _word(post.spoiler),
        "oc": _word("[OC]" in post.title),
        "num-crossposts": "0",
        "context": "comments" if is_open else "listing",
    }
    if post.author == "[deleted]":
        del data["author"], data["author-fullname"]
    if post.parent:
        data |= {
            "crosspost-root-url": post.parent.url,
            "crosspost-root-subreddit": post.parent.subreddit,
            "crosspost-root-author": post.parent.author,
            "crosspost-root-title": post.parent.title,
        }
    classes = " ".join(name for name, is_set in flags.items() if is_set)
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    return (
        f'<div class=" thing id-{post.name} {"odd" if rank % 2 else "even"}  link {classes}" id="thing_{post.name}" '
        f'onclick="click_thing(this)" {attributes}><p class="parent"></p><span class="rank">{rank or ""}</span>'
        f'{_thumbnail(post)}<div class="entry unvoted"><div class="top-matter">{_title(post)}'
        f'{_tagline(post)}<ul class="flat-list buttons"><li class="first"><a href="{OLD}{post.permalink}" '
        f'class="bylink comments may-blank" rel="nofollow">{post.comments} comments</a></li></ul></div>'
        f'{_expando(post, is_open)}</div><div class="child"></div><div class="clearleft"></div></div>'
    )


def _word(value: bool) -> str:
    return "true" if value else "false"


def _thumbnail(post: Post) -> str:
    word = "nsfw" if post.nsfw else "self" if post.is_self else "" if post.preview else "default"
    image = f'<img src="//b.thumbs.redditmedia.com/{media_id(post.id)}.jpg" width="70" height="55" alt="">'
    href = escape(post.permalink if post.is_self else post.url)
    return f'<a class="thumbnail {word} may-blank" href="{href}" rel="nofollow ugc">{"" if word else image}</a>'


def _title(post: Post) -> str:
    href = post.permalink if post.is_self else post.url
    out = ""
    if post.domain not in {"", "i.redd.it", "v.redd.it", "reddit.com"} and not post.is_self:
        address = f"https://out.reddit.com/{post.name}?{urlencode({'url': post.url, 'token': 'replica'})}"
        out = f' data-outbound-url="{escape(address)}"'
    label = f'<span class="linkflairlabel" title="{escape(post.flair)}">{escape(post.flair)}</span>'
    domain = escape(post.domain)
    return (
        f'<p class="title">{label if post.flair else ""}<a class="title may-blank" href="{escape(href)}"{out} '
        f'tabindex="1">{escape(post.title)}</a> <span class="domain">(<a href="/domain/{domain}/">{domain}</a>)'
        "</span></p>"
    )


def _tagline(post: Post) -> str:
    when = datetime.fromtimestamp(post.created, UTC).isoformat()
    author = f'<a href="{OLD}/user/{post.author}" class="author may-blank">{post.author}</a>'
    by = "<span>[deleted]</span>" if post.author == "[deleted]" else author
    return (
        f'<p class="tagline ">submitted <time datetime="{when}" class="live-timestamp">some time ago</time> by {by}</p>'
    )


def _expando(post: Post, is_open: bool) -> str:
    """The block that opens below a title. Without its content it is loaded later; the page of the post has it."""
    block = _block(post)
    if is_open:
        return f'<div class="expando expando-initialized">{block}</div>' if block else ""
    if not block and post.kind not in {"imgur", "gifv", "imgur-album", "external"}:
        return ""
    cached = f' data-cachedhtml=" {escape(block)} "' if block and post.expando else ""
    return (
        '<div class="expando-button collapsed hide-when-pinned"></div>'
        f'<div class="expando expando-uninitialized" style="display: none"{cached}>'
        '<span class="error">loading...</span></div>'
    )


def _block(post: Post) -> str:
    match post.kind:
        case "image" if post.preview:
            return _image(post.id, post.media[0])
        case "gallery":
            return _gallery(post)
        case "crosspost":
            assert post.parent
            return f'<div class="crosspost-preview">{_block(post.parent)}</div>'
        case "self" | "text" | "poll":
            return f'<form action="#" class="usertext"><div class="usertext-body">{text_block(post)}</div></form>'
        case "video":
            video = f'<video class="preview" data-hls-url="{post.url}/HLSPlaylist.m3u8"></video>'
            return f'<div class="media-preview">{video}</div>'
        case _:
            return ""


def _image(post_id: str, picture: Picture) -> str:
    width = min(839, picture.size[0])
    if picture.is_animated:
        source = escape(picture.scaled_url(width=width, format="mp4"))
        shown = f'<video class="preview" autoplay loop><source src="{source}" type="video/mp4"></video>'
    else:
        shown = f'<img class="preview" src="{escape(picture.scaled_url(width=width, auto="webp"))}" width="{width}">'
    return (
        f'<div class="media-preview" id="media-preview-{post_id}" style="max-width: {width}px">'
        f'<div class="media-preview-content"><a href="{escape(picture.url)}" class="may-blank post-link">{shown}</a>'
        "</div></div>"
    )


def _gallery(post: Post) -> str:
    tiles, items = [], []
    for picture in post.pictures:
        small = escape(picture.scaled_url(width=216, crop="smart", **picture.still_format))
        full = small if picture.is_animated else escape(inline_url(picture))
        tiles.append(f'<div class="gallery-tile"><img class="preview" src="{small}"></div>')
        items.append(
            f'<div class="gallery-preview"><a class="may-blank gallery-item-thumbnail-link" href="{full}">'
            f'<img class="preview" src="{small}"></a></div>'
        )
    tiled = f'<div class="gallery-tiles">{"".join(tiles)}</div>'
    return f'<div class="media-gallery" id="media-gallery-{post.id}">{tiled}{"".join(items)}</div>'


def _buttons(name: str, sort: str, shown: Page, params: dict[str, str]) -> str:
    kept = {key: params[key] for key in ("sort", "t", "limit") if key in params}
    count = int(params.get("count", "0") or 0) + int(params.get("limit", "25"))
    path = f"{OLD}/r/{quote(name, safe='+')}/{'' if sort == 'hot' else f'{sort}/'}"
    back = next_ = ""
    if "after" in params and shown.posts:
        before = escape(f"{path}?{urlencode({**kept, 'count': count, 'before': shown.posts[0].name})}")
        back = f'<span class="prev-button"><a href="{before}" rel="nofollow prev">‹ prev</a></span>'
    if shown.after:
        href = escape(f"{path}?{urlencode({**kept, 'count': count, 'after': shown.after})}")
        next_ = f'<span class="next-button"><a href="{href}" rel="nofollow next">next ›</a></span>'
    return f'<div class="nav-buttons"><span class="nextprev">view more: {back}{next_}</span></div>'
