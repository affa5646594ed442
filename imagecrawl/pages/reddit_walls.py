"""What stands between us and the posts: Reddit's error answers, interstitials and block pages, each by its own word.

The titles of the interstitials are those of Reddit's archived source, the block pages were quoted by users of 2021 to
2026; the page of 429 was captured.
"""

from __future__ import annotations

from typing import Any

from parsel import Selector

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError, PageError
from imagecrawl.pages.reddit_addresses import REDDIT, short_url
from imagecrawl.pages.values import split_url, text_of

_ADDRESSES = {
    "/login": Obstacle.LOGIN,
    "/over18": Obstacle.OVER_18,
    "/quarantine": Obstacle.QUARANTINED,
    "/subreddits/search": Obstacle.NO_SUBREDDIT,
}
"""Where Reddit redirects to."""

_TITLES = {
    "reddit.com: over 18?": Obstacle.OVER_18,
    "reddit.com: private": Obstacle.PRIVATE,
    "reddit.com: gold members only": Obstacle.PRIVATE,
    "reddit.com: banned": Obstacle.BANNED,
    "reddit.com: quarantined": Obstacle.QUARANTINED,
    "reddit.com: page not found": Obstacle.NO_SUBREDDIT,
    "reddit.com: subreddits search": Obstacle.NO_SUBREDDIT,
    "search results": Obstacle.NO_SUBREDDIT,
    "welcome to reddit": Obstacle.LOGIN,
    "too many requests": Obstacle.RATE_LIMITED,
    "blocked": Obstacle.NETWORK_BLOCK,
    "reddit - please wait for verification": Obstacle.JAVASCRIPT,
    "just a moment...": Obstacle.JAVASCRIPT,
}

_WORDS = {
    "you must be 18+ to view this community": Obstacle.OVER_18,
    "you must be invited to visit this community": Obstacle.PRIVATE,
    "this community has been banned": Obstacle.BANNED,
    "are you sure you want to view this community": Obstacle.QUARANTINED,
    "too many requests": Obstacle.RATE_LIMITED,
    "blocked by network security": Obstacle.NETWORK_BLOCK,
    "blocked due to a network policy": Obstacle.NETWORK_BLOCK,
    "forbidden by administrative rules": Obstacle.NETWORK_BLOCK,
    "whoa there, pardner": Obstacle.NETWORK_BLOCK,
    "you may have a bit of a problem": Obstacle.NETWORK_BLOCK,
}
"""What the pages say to a reader; the first that is found decides."""

_REASONS = {
    "private": Obstacle.PRIVATE,
    "gold_only": Obstacle.PRIVATE,
    "banned": Obstacle.BANNED,
    "quarantined": Obstacle.QUARANTINED,
    "gated": Obstacle.QUARANTINED,
}
"""The ``reason`` of an error in JSON."""

_SAID = {
    Obstacle.LOGIN: "answers only those who are logged in",
    Obstacle.OVER_18: "shows this community only to those who say that they are over 18",
    Obstacle.PRIVATE: "says that this community is private",
    Obstacle.BANNED: "says that this community has been banned",
    Obstacle.QUARANTINED: "has quarantined this community",
    Obstacle.NO_SUBREDDIT: "has no community of that name",
    Obstacle.CREDENTIALS: "does not accept the token or the credentials",
    Obstacle.RATE_LIMITED: "says that we ask too often",
    Obstacle.NETWORK_BLOCK: "turns away this network address or user agent",
    Obstacle.JAVASCRIPT: "wants proof that a browser is asking (a JavaScript check)",
}

_ENDS_CRAWL = {Obstacle.LOGIN, Obstacle.CREDENTIALS, Obstacle.NETWORK_BLOCK, Obstacle.JAVASCRIPT}
_LASTING = "requests come from your ip address"
"""The rate limit that names no time: it is for the address, not for the last minute."""

_MARKS = {
    'form input[name="js_challenge"]': Obstacle.JAVASCRIPT,
    '[data-fullname^="t5_"]': Obstacle.NO_SUBREDDIT,
    "#noresults, #empty-feed-content, #end-of-feed-tracker": Obstacle.NO_RESULTS,
}
"""Elements of pages without posts; those of ``t5_`` are communities that a search has found."""


def explain_address(url: str) -> PageError | None:
    """The error for an address that Reddit redirected to."""
    parts = split_url(url)
    if parts is None or not REDDIT.fullmatch(parts.hostname or ""):
        return None
    path = parts.path.rstrip("/").removesuffix(".json")
    return wall(_ADDRESSES[path], url) if path in _ADDRESSES else None


def explain_json(value: dict[str, Any], *, url: str, status: int) -> PageError:
    """The error for a JSON object that is an error: by its reason, its number or its status."""
    code = value["error"] if isinstance(value.get("error"), int) else status
    said = ": ".join(filter(None, (text_of(value.get(key)) for key in ("message", "error_description", "explanation"))))
    kind = _REASONS.get(str(value.get("reason")).lower()) or _by_status(code, url)
    if kind is Obstacle.REFUSED:
        return _refused(code, url, said or text_of(value.get("error")) or "")
    return wall(kind, url, said)


def explain_page(page: Selector, text: str, *, url: str, status: int) -> PageError:
    """The error for a document in which no post was found."""
    title = text_of(page.css("title::text").get()) or ""
    spoken = _spoken_text(page)
    kind = _obstacle(page, title, spoken, status, in_place_of_json=_expects_json(url) and not ends_early(text))
    if kind is None and status >= 400:
        kind = _by_status(status, url)
    if kind is Obstacle.NO_RESULTS:
        return PageEmptyError(f"Reddit says that there is nothing here, or no more ({short_url(url)})")
    if kind is Obstacle.REFUSED:
        return _refused(status, url, title)
    if kind:
        return wall(kind, url, title, lasting=_LASTING in spoken)
    if ends_early(text):
        return truncated(url, text)
    return PageChangedError(
        f"Neither posts nor a known obstacle: status {status}, title {title[:80]!r}, {len(text)} characters"
    )


def _obstacle(page: Selector, title: str, spoken: str, status: int, *, in_place_of_json: bool) -> Obstacle | None:
    """What the page is, by its title, its marks and what it says."""
    return (
        _TITLES.get(title.lower())
        or next((kind for mark, kind in _MARKS.items() if status < 400 and page.css(mark)), None)
        or (Obstacle.RATE_LIMITED if status == 429 else None)
        or next((kind for words, kind in _WORDS.items() if words in spoken), None)
        or (Obstacle.NETWORK_BLOCK if in_place_of_json and status in {200, 403} else None)
    )


def wall(kind: Obstacle, url: str, said: str = "", *, lasting: bool = False) -> PageError:
    """The error for an obstacle that Reddit names, with what it says about it."""
    message = f"Reddit {_SAID[kind]} ({short_url(url)}{f': {said[:200]}' if said else ''})"
    if kind is Obstacle.NO_SUBREDDIT:
        return PageEmptyError(message, kind=kind)
    return PageBlockedError(kind, message, ends_crawl=lasting or kind in _ENDS_CRAWL)


def _refused(status: int, url: str, said: str) -> PageError:
    """The error for a status that says no more than its number."""
    message = f"Reddit answered {status} ({short_url(url)}{f': {said[:200]}' if said else ''})"
    return PageBlockedError(Obstacle.REFUSED, message)


def truncated(url: str, text: str) -> PageError:
    """The error for an answer that ends early."""
    said = f"The answer of Reddit ends early, after {len(text)} characters ({short_url(url)})"
    return PageBlockedError(Obstacle.TRUNCATED, said)


def ends_early(text: str) -> bool:
    """Whether a whole page, or nothing at all, lacks its end. A fragment shows no sign of it."""
    return not text.strip() or ("<html" in text and "</html" not in text)


def _by_status(status: int, url: str) -> Obstacle:
    """What a status means: 401 is about the app's token only where one is sent."""
    if status == 401:
        return Obstacle.CREDENTIALS if _wants_credentials(url) else Obstacle.LOGIN
    known = {404: Obstacle.NO_SUBREDDIT, 429: Obstacle.RATE_LIMITED}
    return known.get(status, Obstacle.REFUSED)


def _wants_credentials(url: str) -> bool:
    parts = split_url(url)
    return parts is not None and (parts.hostname == "oauth.reddit.com" or parts.path.startswith("/api/"))


def _expects_json(url: str) -> bool:
    parts = split_url(url)
    return parts is not None and (parts.hostname == "oauth.reddit.com" or parts.path.endswith(".json"))


def _spoken_text(page: Selector) -> str:
    """What the page says to a reader, in lower case."""
    spoken = page.xpath("//text()[not(parent::script or parent::style or parent::title)]")
    return (text_of(" ".join(spoken.getall())) or "").lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
