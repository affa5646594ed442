"""Addresses to ask Reddit for: the pages of a listing and of a post, by each of its doors."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode

from imagecrawl.pages.reddit_values import WWW, post_id
from imagecrawl.pages.values import query_value, split_url, text_of

DOMAIN = "reddit.com"
SORTS = ("hot", "new", "top", "rising", "controversial")
TIMES = ("hour", "day", "week", "month", "year", "all")
LIMIT = 100
"""Posts of a page at most: Reddit takes a larger number for this one."""
HORIZON = 1000
"""About so many posts a listing shows at most, whatever there are."""

REDDIT = re.compile(r"(?:(?:www|old|new|np|m|sh|embed|oauth|www\.old)\.)?reddit\.com")
"""The hosts that show posts, all equal."""
POST_PATH = re.compile(r"(?:/r/[^/]+|/u(?:ser)?/[^/]+)?/comments/(?P<id>[a-z0-9]+)(?=/|\Z)", re.IGNORECASE)
GALLERY_PATH = re.compile(r"/gallery/(?P<id>[a-z0-9]+)/?", re.IGNORECASE)

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{1,23}")
_NAMED = re.compile(r"(?:(?:https?://)?(?:[a-z.]+\.)?reddit\.com/|/)?r/(?P<names>[^/?#]+)/?", re.IGNORECASE)
_MEANT = re.compile(r"(?:\A|/)r/(?P<name>\w{2,24})(?:[/?+]|\Z)", re.ASCII)
_PARTIAL = "/svc/shreddit/"
_TIMED = {"top", "controversial"}
_SEARCHED = {"hot", "new", "top"}


class Via(StrEnum):
    """The doors to a listing."""

    API = "api"
    """oauth.reddit.com, with a token: JSON."""
    OLD = "old"
    """old.reddit.com: HTML."""
    SHREDDIT = "shreddit"
    """www.reddit.com: HTML, continued by fragments."""
    RSS = "rss"
    """www.reddit.com: an Atom feed."""


_HOSTS = {Via.API: "https://oauth.reddit.com", Via.OLD: "https://old.reddit.com", Via.SHREDDIT: WWW, Via.RSS: WWW}


def subreddit_names(text: str) -> list[str]:
    """The names in ``pics``, ``r/pics``, the address of a subreddit, or several of them with ``+``.

    Raises ValueError for what cannot be a name.

    >>> subreddit_names("r/pics+EarthPorn")
    ['pics', 'EarthPorn']
    """
    said = text.strip()
    found = _NAMED.fullmatch(said)
    names = [name.strip() for name in (found["names"] if found else said).split("+")]
    for name in names:
        if not _NAME.fullmatch(name):
            meant = _MEANT.search(said)
            hint = f"; of an address give the name alone: `{meant['name']}`" if meant else ""
            raise ValueError(f"`{name:.80}` is no name of a subreddit: those are 2 to 24 letters, digits and _{hint}")
    return names


def build_listing_url(
    names: Sequence[str],
    *,
    via: Via,
    sort: str = "hot",
    time: str | None = None,
    search: str | None = None,
    after: str | None = None,
    limit: int = LIMIT,
    nsfw: bool = False,
) -> str:
    """The address of a page of a listing: the first, or the one after the post with the full name ``after``.

    ``time`` counts for ``top``, ``controversial`` and a search only; ``nsfw`` for a search, which leaves out posts for
    adults unless asked for them. Raises ValueError for a name, ``sort`` or
    ``time`` that Reddit does not have, and for a search where none is known: in HTML, and by ``rising`` or
    ``controversial``.
    """
    if not names or not all(_NAME.fullmatch(name) for name in names):
        raise ValueError(f"names of subreddits are letters, digits and _; not {'+'.join(names)!r}")
    if sort not in SORTS or time not in {None, *TIMES}:
        raise ValueError(f"sort is one of {', '.join(SORTS)}, time one of {', '.join(TIMES)}; not {sort!r}, {time!r}")
    if search and (via in {Via.OLD, Via.SHREDDIT} or sort not in _SEARCHED):
        raise ValueError(f"a search works by api and rss, sorted by hot, new or top; not by {via}, {sort}")
    joined = "+".join(names)
    asked = {"t": time if sort in _TIMED or search else None, "after": after}
    if via is Via.SHREDDIT:
        return _shreddit_url(joined, sort, asked)
    asked |= {"limit": str(min(limit, LIMIT))}
    asked |= {"q": search, "restrict_sr": "1", "sort": sort} if search else {}
    asked |= {"include_over_18": "on"} if search and nsfw else {}
    asked |= {"raw_json": "1"} if via is Via.API else {}
    asked |= {"sort": sort} if via is Via.OLD and sort in _TIMED else {}
    page = "search" if search else sort
    path = {Via.API: page, Via.OLD: f"{page}/", Via.RSS: "search.rss" if search else f"{page}/.rss"}[via]
    return f"{_HOSTS[via]}/r/{joined}/{path}{_query(asked)}"


def build_post_url(url: str | None, *, via: Via, permalink: str | None = None) -> str | None:
    """The page of the post that ``url`` leads to; at embed.reddit.com, which is open to all, for the feed.

    ``permalink`` is taken in its place where both lead to the same post: it needs no redirect. ``None`` for an address
    that leads to no post.
    """
    name = post_of(url)
    if name is None:
        return None
    if via is Via.API:
        return f"{_HOSTS[via]}/comments/{name}?raw_json=1"
    parts = split_url((permalink if name == post_of(permalink) else url) or "")
    page = POST_PATH.match(parts.path) if parts else None
    host = "https://embed.reddit.com" if via is Via.RSS else _HOSTS[via]
    return f"{host}{page[0] if page else f'/comments/{name}'}/"


def is_reddit_url(url: str) -> bool:
    """True for the addresses of Reddit's pages, feeds and interface; not for those of its pictures."""
    parts = split_url(url)
    return parts is not None and REDDIT.fullmatch(parts.hostname or "") is not None


def wants_token(url: str) -> bool:
    """True for the addresses of Reddit's interface."""
    return url.startswith(f"{_HOSTS[Via.API]}/")


def accepted_types(url: str) -> str:
    """What to ask of an address of Reddit, as an ``Accept`` header: the fragments of its listings have their own."""
    return "text/vnd.reddit.partial+html, text/html;q=0.9" if _PARTIAL in url else "*/*"


def post_of(url: str | None) -> str | None:
    """The id of the post that an address of Reddit leads to: its page, its gallery or its short link.

    >>> post_of("https://www.reddit.com/gallery/1skh6dk")
    '1skh6dk'
    """
    parts = split_url(url) if url else None
    host = (parts.hostname if parts else None) or ""
    if parts and host == "redd.it":
        return post_id(f"t3_{parts.path[1:]}")
    found = (POST_PATH.match(parts.path) or GALLERY_PATH.fullmatch(parts.path)) if parts else None
    return found["id"].lower() if found and REDDIT.fullmatch(host) else None


def with_after(url: str, after: str | None) -> str | None:
    """The address of a page, asked for what comes after a post; ``None`` without one, or where ``url`` is a file's."""
    parts = split_url(url)
    if not after or parts is None or not REDDIT.fullmatch(parts.hostname or ""):
        return None
    query = {name: value for name, value in parse_qsl(parts.query) if name not in {"after", "before", "count"}}
    return parts._replace(query=urlencode(query | {"after": after}), fragment="").geturl()


def after_of(url: str | None) -> str | None:
    """The full name in the ``after`` of an address, which shreddit writes in base64.

    >>> after_of("https://www.reddit.com/svc/shreddit/community-more-posts/hot/?after=dDNfMXY4a2d5aQ%3D%3D")
    't3_1v8kgyi'
    """
    parts = split_url(url) if url else None
    said = query_value(parts, "after") if parts else None
    try:
        decoded = b64decode(said or "", validate=True).decode()
    except (binascii.Error, ValueError):
        decoded = ""
    return next((name for name in (said, decoded) if post_id(name)), None)


def short_url(url: str) -> str:
    """The address without its query, which may hold the key of a user's own feed."""
    return (text_of(url) or "no address").partition("?")[0][:200]


def _shreddit_url(joined: str, sort: str, asked: dict[str, str | None]) -> str:
    if not asked["after"]:
        return f"{WWW}/r/{joined}/{sort}/{_query(asked)}"
    cursor = b64encode(asked["after"].encode()).decode()
    return f"{WWW}{_PARTIAL}community-more-posts/{sort}/{_query(asked | {'after': cursor, 'name': joined})}"


def _query(asked: dict[str, str | None]) -> str:
    said = urlencode({name: value for name, value in asked.items() if value})
    return f"?{said}" if said else ""
