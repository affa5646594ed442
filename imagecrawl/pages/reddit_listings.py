"""The JSON of oauth.reddit.com: listings, and the pages of posts."""

from __future__ import annotations

import json
import re
from json import JSONDecodeError
from typing import Any

from imagecrawl.exceptions import Obstacle, PageChangedError, PageEmptyError
from imagecrawl.pages.reddit_addresses import with_after
from imagecrawl.pages.reddit_posts import items, mapping, read_post
from imagecrawl.pages.reddit_values import Listing, make_listing
from imagecrawl.pages.reddit_walls import explain_json, truncated, wall
from imagecrawl.pages.values import text_of

_BARE_AMPERSAND = re.compile(r"&(?!amp;|lt;|gt;)|\\u0026", re.IGNORECASE)
_TAIL = 12
"""An answer that was cut cannot be read from within its last token: that of a number or ``\\u0026`` is the longest."""


def decode(text: str, *, url: str) -> Any:
    """The JSON of an answer; raises PageBlockedError for one that was cut, PageChangedError for what is no JSON.

    Without ``raw_json=1`` every ``&``, ``<`` and ``>`` arrives as an entity, which is undone.
    """
    body = text.strip().lstrip("\ufeff")
    if "raw_json=1" not in url and not _BARE_AMPERSAND.search(body):
        body = body.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    try:
        return json.loads(body)
    except JSONDecodeError as error:
        if len(body) - error.pos <= _TAIL or error.msg.startswith("Unterminated"):
            raise truncated(url, text) from None
        raise PageChangedError(f"No JSON where it should be: {error}") from None
    except (ValueError, RecursionError) as error:
        raise PageChangedError(f"JSON that cannot be read: {error}") from None


def read_json(value: Any, *, url: str, status: int) -> Listing:
    """The posts of a listing, or of the first of the two listings that the page of a post is.

    Raises PageEmptyError for a listing without anything, and for one of communities: there is none of that name;
    PageBlockedError and PageChangedError for anything else.
    """
    listing = mapping(value[0] if isinstance(value, list) and value else value)
    if status >= 400 or "error" in listing or "reason" in listing:
        raise explain_json(listing, url=url, status=status)
    data = mapping(listing.get("data"))
    if listing.get("kind") != "Listing" or not isinstance(data.get("children"), list):
        raise PageChangedError(f"JSON without a listing: {text_of(', '.join(listing)[:200]) or type(value).__name__}")
    return _read_children(data, url=url)


def _read_children(data: dict[str, Any], *, url: str) -> Listing:
    children = [mapping(child) for child in items(data["children"])]
    after = text_of(data.get("after"))
    kinds = {str(child.get("kind")) for child in children}
    posts = [post for child in children if child.get("kind") == "t3" and (post := read_post(child.get("data")))]
    if "t3" in kinds and not posts:
        raise PageChangedError(f"None of {len(children)} posts has an id: the JSON of Reddit changed")
    if kinds == {"t5"}:
        raise wall(Obstacle.NO_SUBREDDIT, url)
    if not (children or after):
        raise PageEmptyError("Reddit says that there is nothing here, or no more: an empty listing")
    return make_listing(posts, after=after, next_url=with_after(url, after))
