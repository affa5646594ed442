"""What an Unsplash page without photos is: the error to raise.

Answers of 403 were reported as "temporary blocks" of an address (2023), a check for bots by its title (2026). The rest
is **inferred**, above all what the site says when it finds nothing: no such page was captured.
"""

from __future__ import annotations

from parsel import Selector

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError, PageError
from imagecrawl.pages.unsplash_addresses import HOST, is_search, short
from imagecrawl.pages.values import split_url, text_of

_CHECKS = ("making sure you're not a bot", "just a moment...", "checking your browser")
_NOTHING = ("no results", "no photos found", "no images found", "we couldn't find any", "nothing found")
_NO_PAGE = ("page not found", "the page you were looking for doesn't", "this page doesn't exist")
_NEEDS_SCRIPTS = ("enable javascript", "javascript is required", "requires javascript")
_SHELL = 500
"""A page that says less than these characters waits for its scripts."""


def says_no_results(page: Selector, url: str) -> bool:
    """Whether a search says in a heading that it found nothing, whatever it shows instead."""
    headings = page.xpath("//*[self::h1 or self::h2 or self::h3 or self::h4]").xpath("string()").getall()
    return is_search(url) and any(_has(_folded(heading), _NOTHING) for heading in headings)


def no_results(url: str) -> PageError:
    """The error for a search that found nothing."""
    return PageEmptyError(f"{HOST} says that there is nothing ({short(url)})")


def no_photo(url: str, why: str) -> PageError:
    """The error for a photo that cannot be had any more, or not for free."""
    return PageEmptyError(f"{HOST} {why} ({short(url)})")


def explain_page(page: Selector, text: str, *, url: str, status: int, found_nothing: bool, has_paid: bool) -> PageError:
    """The error for a page without free photos, or with an error status."""
    title = text_of(page.xpath("//title").xpath("string()").get()) or ""
    spoken = _folded(" ".join(page.xpath("//text()[not(parent::script or parent::style)]").getall()))
    if _has(spoken, _CHECKS):
        return _blocked(Obstacle.JAVASCRIPT, url, "wants proof that a browser is asking", ends_crawl=True)
    if status >= 400:
        return _by_status(status, url, title)
    return (
        _as_said(spoken, url, found_nothing=found_nothing, has_paid=has_paid)
        or _unfinished(page, spoken, text, url)
        or PageChangedError(
            f"Neither photos nor a known obstacle: status {status}, title {title[:80]!r}, {len(text)} characters"
        )
    )


def _as_said(spoken: str, url: str, *, found_nothing: bool, has_paid: bool) -> PageError | None:
    """The error for what the page says to a reader, or where it is."""
    if _path(url).rstrip("/") in {"/login", "/join"}:
        return _blocked(Obstacle.LOGIN, url, "answers only those who are logged in", ends_crawl=True)
    if found_nothing or _has(spoken, _NOTHING):
        return no_results(url)
    if _has(spoken, _NO_PAGE):
        return no_photo(url, "has no such page")
    return no_photo(url, "shows nothing but paid photos") if has_paid else None


def _unfinished(page: Selector, spoken: str, text: str, url: str) -> PageError | None:
    """The error for a page that is cut, or not yet made. One that shows photos is not asked whether it is cut: the end
    tag of a page may be left out, and Scrapy sees to it that what a host has announced comes whole."""
    if not text.strip() or ("<html" in text and "</html" not in text):
        return _blocked(Obstacle.TRUNCATED, url, f"sent an answer that ends early, after {len(text)} characters")
    if _has(spoken, _NEEDS_SCRIPTS) or _is_shell(page, spoken):
        return _blocked(Obstacle.JAVASCRIPT, url, "sent an empty shell, whose scripts would load the photos")
    return None


def _blocked(kind: Obstacle, url: str, why: str, *, ends_crawl: bool = False) -> PageError:
    return PageBlockedError(kind, f"{HOST} {why} ({short(url)})", ends_crawl=ends_crawl)


def _by_status(status: int, url: str, title: str) -> PageError:
    if status in {404, 410}:
        return no_photo(url, f"has no such page: {status}")
    answered = f"answered {status}{f' {title[:80]!r}' if title else ''}"
    if status == 403:
        why = f"{answered}: it turns away this network address or user agent, which may be a temporary block"
        return _blocked(Obstacle.NETWORK_BLOCK, url, why, ends_crawl=True)
    return _blocked(Obstacle.RATE_LIMITED if status == 429 else Obstacle.REFUSED, url, answered)


def _is_shell(page: Selector, spoken: str) -> bool:
    """Scripts, next to no text, and no picture: with pictures, or data that cannot be read, the page has changed."""
    has_pictures = page.xpath("//figure | //img[@srcset]")
    has_data = page.xpath('//script[contains(., "images.unsplash.com/")]')
    return bool(page.xpath("//script")) and len(spoken) < _SHELL and not has_pictures and not has_data


def _path(url: str) -> str:
    parts = split_url(url)
    return parts.path if parts and parts.hostname == HOST else ""


def _has(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)


def _folded(text: str) -> str:
    return (text_of(text) or "").lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
