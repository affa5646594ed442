"""Listings and pages of posts of old.reddit.com, as captured in 2023.

The facts of a post are attributes of its ``div.thing``; its pictures are its link, or stand in its "expando", a piece
of HTML that is either open or the value of ``data-cachedhtml``.
"""

from __future__ import annotations

from dataclasses import replace

from parsel import Selector

from imagecrawl.pages.reddit_addresses import Via, after_of, build_post_url, post_of
from imagecrawl.pages.reddit_media import picture_of, read_body, read_link
from imagecrawl.pages.reddit_values import (
    Kind,
    Listing,
    Media,
    Picture,
    Post,
    absolute,
    make_listing,
    make_post,
    moment,
    numbered,
    post_id,
    whole_number,
)
from imagecrawl.pages.values import attribute, parse_document

_BASE = "https://old.reddit.com/"


def read_old(page: Selector) -> Listing | None:
    """The posts of a page, and the address behind its button ``next``; ``None`` when it has neither."""
    posts = [post for thing in page.css("#siteTable > .thing") if (post := _read_thing(thing))]
    next_url = absolute(attribute(page.css("span.next-button a[href]"), "href"), _BASE)
    if not (posts or next_url):
        return None
    return make_listing(posts, after=after_of(next_url), next_url=next_url)


def _read_thing(thing: Selector) -> Post | None:
    name = post_id(attribute(thing, "data-fullname"))
    if name is None:
        return None
    marks = (attribute(thing, "class") or "").split()
    milliseconds = whole_number(attribute(thing, "data-timestamp"))
    permalink = absolute(attribute(thing, "data-permalink"))
    return make_post(
        _read_media(thing, marks, permalink),
        name=name,
        title=thing.css("a.title").xpath("string()").get(),
        author=attribute(thing, "data-author"),
        subreddit=attribute(thing, "data-subreddit"),
        created=moment(milliseconds / 1000) if milliseconds is not None else None,
        permalink=permalink,
        score=whole_number(attribute(thing, "data-score")),
        flair=attribute(thing.css(".linkflairlabel"), "title"),
        nsfw="over18" in marks or {"true": True, "false": False}.get(attribute(thing, "data-nsfw") or ""),
        spoiler=attribute(thing, "data-spoiler") == "true" or "spoiler" in marks,
        stickied="stickied" in marks,
    )


def _read_media(thing: Selector, marks: list[str], permalink: str | None) -> Media:
    """By the link, which is relative for self posts and crossposts: an absolute one to another post is a mere link."""
    if attribute(thing, "data-promoted") == "true" or "promoted" in marks:
        return Media(kind=Kind.PROMOTED)
    link = attribute(thing, "data-url") or ""
    url = absolute(link)
    expando = _expando(thing)
    media = read_link(url, _previews(expando))
    if media.kind is Kind.GALLERY and not media.more_url:
        tiles = _tiles(expando)
        more_url = None if tiles else build_post_url(url, via=Via.OLD, permalink=permalink)
        return replace(media, pictures=tiles, more_url=more_url)
    if media.kind is not Kind.CROSSPOST:
        return media
    if post_of(url) == post_of(permalink):
        return _read_text(thing, expando, permalink)
    is_crosspost = link.startswith("/") or attribute(thing, "data-crosspost-root-url") is not None
    return _read_crosspost(media, expando, url) if is_crosspost else replace(media, kind=Kind.LINK)


def _expando(thing: Selector) -> Selector | None:
    """The piece of HTML that a click opens; ``None`` where it would be fetched."""
    cached = attribute(thing.css(".expando"), "data-cachedhtml")
    if cached is not None:
        return parse_document(cached)
    return next(iter(thing.css(".expando:not(.expando-uninitialized)")), None)


def _previews(expando: Selector | None) -> list[str]:
    return expando.css("img.preview").xpath("@src").getall() if expando else []


def _tiles(expando: Selector | None) -> tuple[Picture, ...]:
    links = expando.css("a.gallery-item-thumbnail-link").xpath("@href").getall() if expando else []
    return numbered(picture for link in links if (picture := picture_of(link)))


def _read_text(thing: Selector, expando: Selector | None, permalink: str | None) -> Media:
    """A self post: without a text it has no button to open one."""
    is_closed = expando is None and thing.css(".expando-button")
    return Media(
        kind=Kind.TEXT,
        pictures=read_body(expando.css(".md")) if expando else (),
        more_url=build_post_url(permalink, via=Via.OLD) if is_closed else None,
    )


def _read_crosspost(media: Media, expando: Selector | None, url: str | None) -> Media:
    """A crosspost: its expando may show what the parent shows, else the page of the parent does."""
    if tiles := _tiles(expando):
        return Media(kind=Kind.GALLERY, pictures=tiles)
    if texts := expando.css(".md") if expando else None:
        return Media(kind=Kind.TEXT, pictures=read_body(texts))
    link = attribute(expando.css("a.post-link[href]"), "href") if expando else None
    shown = read_link(link, _previews(expando))
    return shown if shown.pictures else replace(media, more_url=build_post_url(url, via=Via.OLD))
