"""The feeds of Reddit, in Atom."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from tests.replica.reddit_json import text_block
from tests.replica.reddit_posts import WWW, Post
from tests.replica.subreddits import Page

MEDIA_TYPE = "application/atom+xml; charset=UTF-8"

_FEED = (
    '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
    'xmlns:media="http://search.yahoo.com/mrss/"><category term="{name}" label="r/{name}"/>'
    "<updated>2026-10-14T00:00:00+00:00</updated><icon>https://www.redditstatic.com/icon.png/</icon>"
    '<id>{path}</id><link rel="self" href="{www}{path}" type="application/atom+xml"/>'
    '<link rel="alternate" href="{www}/r/{name}/" type="text/html"/><subtitle>Made up.</subtitle>'
    "<title>The {name} of the replica</title>{entries}</feed>"
)


def feed(name: str, path: str, shown: Page) -> str:
    """A feed. It does not say whether there is more."""
    entries = "".join(_entry(post, is_mixed="+" in name) for post in shown.posts)
    return _FEED.format(name=escape(name), path=escape(path), www=WWW, entries=entries)


def _entry(post: Post, *, is_mixed: bool) -> str:
    when = datetime.fromtimestamp(post.created, UTC).isoformat()
    author = ""
    if post.author != "[deleted]":
        author = f"<author><name>/u/{post.author}</name><uri>{WWW}/user/{post.author}</uri></author>"
    thumbnail = ""
    if small := _thumbnail(post):
        thumbnail = f'<media:thumbnail url="{escape(small)}"/>'
    return (
        f'<entry>{author}<category term="{post.subreddit}" label="r/{post.subreddit}"/>'
        f'<content type="html">{escape(_content(post, is_mixed))}</content><id>{post.name}</id>{thumbnail}'
        f'<link href="{WWW}{post.permalink}"/><updated>{when}</updated><published>{when}</published>'
        f"<title>{escape(post.title)}</title></entry>"
    )


def _content(post: Post, is_mixed: bool) -> str:
    page, title = WWW + post.permalink, escape(post.title)
    target = WWW + post.url if post.url.startswith("/") else post.url
    text = f"<!-- SC_OFF -->{text_block(post)}<!-- SC_ON -->" if post.is_self else ""
    table = end = ""
    if small := _thumbnail(post):
        image = f'<img src="{escape(small)}" alt="{title}" title="{title}" />'
        table, end = f'<table> <tr><td> <a href="{page}"> {image} </a> </td><td>', "</td></tr></table>"
    mixed = f'to <a href="{WWW}/r/{post.subreddit}/"> r/{post.subreddit} </a>' if is_mixed else ""
    author = f'<a href="{WWW}/user/{post.author}"> /u/{post.author} </a>'
    return (
        f"{table}{text} &#32; submitted by &#32; {author} {mixed} <br/> "
        f'<span><a href="{escape(target)}">[link]</a></span> &#32; <span><a href="{page}">[comments]</a></span> {end}'
    )


def _thumbnail(post: Post) -> str:
    picture = post.media[0] if post.kind == "gallery" else post.preview
    if not picture or post.nsfw:
        return ""
    if post.kind == "gallery":
        return picture.scaled_url(post.slug.replace("_", "-"), width=640, crop="smart", auto="webp")
    return picture.scaled_url(width=640, crop="smart", **picture.still_format)
