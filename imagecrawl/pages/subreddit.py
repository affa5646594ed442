"""Subreddits: the posts that Reddit's listings show and the pictures of each, by every door that Reddit leaves open.

Pure functions of text; nothing is fetched. The parts are in the ``reddit_*`` modules beside this one; spiders need this
one only.
"""

from __future__ import annotations

import re
from dataclasses import replace

from parsel import Selector

from imagecrawl.exceptions import PageChangedError, PageEmptyError
from imagecrawl.pages.reddit_addresses import (
    DOMAIN,
    HORIZON,
    SORTS,
    TIMES,
    Via,
    accepted_types,
    build_listing_url,
    build_post_url,
    is_reddit_url,
    post_of,
    short_url,
    subreddit_names,
    wants_token,
)
from imagecrawl.pages.reddit_api import TOKEN_FORM, TOKEN_URL, Token, parse_token, token_form
from imagecrawl.pages.reddit_choice import Choice
from imagecrawl.pages.reddit_feed import read_feed
from imagecrawl.pages.reddit_imgur import is_imgur, read_imgur
from imagecrawl.pages.reddit_listings import decode, read_json
from imagecrawl.pages.reddit_old import read_old
from imagecrawl.pages.reddit_paging import Paging
from imagecrawl.pages.reddit_shreddit import read_embed, read_shreddit
from imagecrawl.pages.reddit_values import Kind, Listing, Picture, Post, PostPage, Skipped
from imagecrawl.pages.reddit_walls import ends_early, explain_address, explain_page, truncated
from imagecrawl.pages.values import parse_document

__all__ = [
    "DOMAIN",
    "HORIZON",
    "SORTS",
    "TIMES",
    "TOKEN_FORM",
    "TOKEN_URL",
    "Choice",
    "Kind",
    "Listing",
    "Paging",
    "Picture",
    "Post",
    "PostPage",
    "Skipped",
    "Token",
    "Via",
    "accepted_types",
    "build_listing_url",
    "build_post_url",
    "is_reddit_url",
    "parse_listing",
    "parse_post_page",
    "parse_token",
    "subreddit_names",
    "token_form",
    "wants_token",
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


def parse_post_page(text: str, *, url: str, status: int = 200) -> PostPage:
    """The one post that a ``more_url`` or :func:`build_post_url` leads to.

    ``text`` is JSON, a page of old., www. or embed.reddit.com, or one of imgur; ``url`` its final address, which says
    which of the posts on a page is meant. Raises as :func:`parse_listing` does, and PageEmptyError for a post that is
    gone.
    """
    if status in {404, 410}:
        raise PageEmptyError(f"There is no such post or picture any more: {status} ({short_url(url)})")
    if is_imgur(url):
        return read_imgur(text, url=url, status=status)
    if error := explain_address(url):
        raise error
    if _JSON.match(text):
        return _meant_post(read_json(decode(text, url=url), url=url, status=status), url)
    page = parse_document(text)
    listing = _read_page(page) if status < 400 else None
    shown = read_embed(page) if status < 400 else None
    if listing is None and shown is None:
        raise explain_page(page, text, url=url, status=status)
    if ends_early(text):
        raise truncated(url, text)
    if shown is None or listing is None:
        return shown or _meant_post(listing, url)
    meant = _meant_post(listing, url)
    return replace(meant if meant.pictures else shown, nsfw=meant.nsfw or shown.nsfw)


def _read_page(page: Selector) -> Listing | None:
    return read_shreddit(page) or read_old(page)


def _meant_post(listing: Listing | None, url: str) -> PostPage:
    """The post that the address names, or the first where it names none: others on its page are related ones."""
    posts = {post.id: post for post in listing.posts} if listing else {}
    name = post_of(url)
    meant = posts.get(name) if name else next(iter(posts.values()), None)
    if meant is None:
        raise PageChangedError(f"The page does not show its post ({short_url(url)})")
    return PostPage(pictures=meant.pictures, kind=meant.kind, nsfw=meant.nsfw)
