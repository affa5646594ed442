"""Subreddits: the posts that Reddit's listings show and the pictures of each, by every door that Reddit leaves open.

Pure functions of text; nothing is fetched. The parts are in the ``reddit_*`` modules beside this one; spiders need this
one only.
"""

from __future__ import annotations

import re

from parsel import Selector

from imagecrawl.exceptions import PageEmptyError
from imagecrawl.pages.reddit_addresses import (
    LIMIT,
    SORTS,
    TIMES,
    Via,
    build_listing_url,
    build_post_url,
    post_of,
    short_url,
)
from imagecrawl.pages.reddit_api import TOKEN_URL, Token, parse_token
from imagecrawl.pages.reddit_feed import read_feed
from imagecrawl.pages.reddit_imgur import imgur_api_url, is_imgur, read_imgur
from imagecrawl.pages.reddit_listings import decode, read_json
from imagecrawl.pages.reddit_media import is_removed_url, original_of
from imagecrawl.pages.reddit_old import read_old
from imagecrawl.pages.reddit_shreddit import read_embed, read_shreddit
from imagecrawl.pages.reddit_values import Kind, Listing, Picture, Post, Skipped
from imagecrawl.pages.reddit_walls import ends_early, explain_address, explain_page, truncated
from imagecrawl.pages.values import parse_document

__all__ = [
    "LIMIT",
    "SORTS",
    "TIMES",
    "TOKEN_URL",
    "Kind",
    "Listing",
    "Picture",
    "Post",
    "Skipped",
    "Token",
    "Via",
    "build_listing_url",
    "build_post_url",
    "imgur_api_url",
    "is_removed_url",
    "original_of",
    "parse_listing",
    "parse_post_page",
    "parse_token",
]

_JSON = re.compile(r"[\s\ufeff]*[{\[]")
_FEED = re.compile(r"[\s\ufeff]*(?:<\?xml[^>]*>\s*)?<feed\b")


def parse_listing(text: str, *, url: str, status: int = 200) -> Listing:
    """The posts of a page, in its order; its shape is known by the text alone.

    ``text`` is JSON of oauth.reddit.com, a page of old.reddit.com or www.reddit.com or a fragment of one, or an Atom
    feed; ``url`` its final address; ``status`` its HTTP status. Raises PageBlockedError when something stands between
    us and the posts, with the kind ``truncated`` for an answer that ends early; PageEmptyError when there is no such
    community, or nothing in the listing, which after the first page is its end; PageChangedError for anything else.
    """
    if error := explain_address(url):
        raise error
    if _JSON.match(text):
        return read_json(decode(text, url=url), url=url, status=status)
    if _FEED.match(text) and status < 400:
        return read_feed(text, url=url)
    page = parse_document(text)
    listing = _read_page(page) if status < 400 else None
    if listing is None:
        raise explain_page(page, text, url=url, status=status)
    if ends_early(text):  # the link to the next page comes last
        raise truncated(url, text)
    return listing


def parse_post_page(text: str, *, url: str, status: int = 200) -> list[Picture]:
    """The pictures of the one post that a ``more_url`` leads to; empty when it shows none.

    ``text`` is JSON, a page of old., www. or embed.reddit.com, or one of imgur; ``url`` its final address, which says
    which of the posts on a page is meant. Raises as :func:`parse_listing` does, and PageEmptyError for a post that is
    gone.
    """
    if status in {404, 410}:
        raise PageEmptyError(f"There is no such post or picture any more: {status} ({short_url(url)})")
    if is_imgur(url):
        return [*read_imgur(text, url=url, status=status)]
    if error := explain_address(url):
        raise error
    if _JSON.match(text):
        return _pictures_of(read_json(decode(text, url=url), url=url, status=status), url)
    page = parse_document(text)
    listing = _read_page(page) if status < 400 else None
    shown = read_embed(page) if status < 400 else None
    if listing is None and shown is None:
        raise explain_page(page, text, url=url, status=status)
    if ends_early(text):
        raise truncated(url, text)
    return _pictures_of(listing, url) or [*(shown or ())]


def _read_page(page: Selector) -> Listing | None:
    return read_shreddit(page) or read_old(page)


def _pictures_of(listing: Listing | None, url: str) -> list[Picture]:
    """Those of the post that the address names, else of the first: other posts on its page are related ones."""
    posts = {post.id: post for post in listing.posts} if listing else {}
    meant = posts.get(post_of(url) or "") or next(iter(posts.values()), None)
    return [*meant.pictures] if meant else []
