"""What a Google page without results is: the error to raise, and the CSS selectors of what stands in the way."""

from __future__ import annotations

import re

from parsel import Selector

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError, PageEmptyError, PageError
from imagecrawl.pages.google_records import has_record_start
from imagecrawl.pages.google_values import find_tiles, is_google
from imagecrawl.pages.values import split_url, text_of

CAPTCHA = "form#captcha-form, .g-recaptcha[data-sitekey]"
"""The form that asks for proof that a person is asking."""

CONSENT_FORM = 'form[action*="consent.google.com/save"]:has(input[name="set_eom"][value="true"])'
"""The form that rejects all cookies, on consent.google.com: accepting sends ``set_eom=false``. There are two of them,
alike; without a browser, post the fields of the first to its ``action``."""

CONSENT_REJECT = ", ".join(
    [
        f"{CONSENT_FORM} button",
        f'{CONSENT_FORM} input[type="submit"]',
        f'{CONSENT_FORM} input[type="button"]',
        "button#W0wltc",
    ]
)
"""What to click to reject all cookies: on consent.google.com, or in the dialog on a page of google.com."""

_CONSENT = 'form[action*="consent.google.com/save"], button#W0wltc, button#L2AGLb'

_RESULTS_CONTAINER = "#rso, #search"

SETTLED = ", ".join(
    [
        "[data-docid]",
        "[data-ou], #islrg",
        'a[href*="/imgres?"]',
        'a[href*="/url?"] img[src*="encrypted-tbn"]',
        f"{_RESULTS_CONTAINER}, span.r0bn4c.rQMQod",
        CAPTCHA,
        _CONSENT,
    ]
)
"""Matches as soon as the document is a results page or a known obstacle, and never on the JavaScript shell, which
reloads itself. The records come near the end of the document: wait for ``domcontentloaded`` before reading it. The
"Update your browser" page has no element of its own and is recognised by its text alone."""

_NOTHING_FOUND = (
    "did not match any image results",
    "did not match any documents",
    "no results found for",
    "it looks like there aren't many great matches for your search",
)
_UNUSUAL_TRAFFIC = "unusual traffic from your computer network"
_BEFORE_YOU_CONTINUE = "before you continue to google"
_UPDATE_BROWSER = "update your browser"

_IMAGES_PAGE = re.compile(r"google\.sn\s*=\s*['\"]images['\"]")
_SHORT_REDIRECT = 2000
"""A redirect to the CAPTCHA has a body of fewer characters than this; good pages are longer by far."""


def explain(page: Selector, text: str, *, url: str, status: int) -> PageError:
    """The error for a page on which no shape of results was found.

    The order matters, since good pages hold the marks of bad ones in their scripts: the address, what Google says in
    words, the marks of a challenge, the status, and only then what the page lacks.
    """
    spoken = _spoken_text(page)
    address = _address(url)
    return (
        _by_address(url)
        or _nothing_found(spoken)
        or _challenge(page, text, spoken, address)
        or _refused(status, address)
        or _empty_grid(page, text)
        or _shell(page, text, address)
        or _changed(page, text, status)
    )


def _by_address(url: str) -> PageError | None:
    parts = split_url(url)
    host = (parts.hostname if parts else None) or ""
    if parts is None or not is_google(host):
        return None
    if host.startswith("sorry.") or parts.path.startswith("/sorry"):
        return _captcha(_address(url))
    return _consent(_address(url)) if host.startswith("consent.") else None


def _nothing_found(spoken: str) -> PageError | None:
    phrase = next((phrase for phrase in _NOTHING_FOUND if phrase in spoken), None)
    return PageEmptyError(f'Google found nothing: "{phrase}"') if phrase else None


def _challenge(page: Selector, text: str, spoken: str, address: str) -> PageError | None:
    redirects_to_captcha = len(text) < _SHORT_REDIRECT and page.css('a[href*="/sorry/"]')
    if page.css(CAPTCHA) or redirects_to_captcha or _UNUSUAL_TRAFFIC in spoken:
        return _captcha(address)
    if page.css(_CONSENT) or _BEFORE_YOU_CONTINUE in spoken:
        return _consent(address)
    if _UPDATE_BROWSER in spoken:
        return PageBlockedError(Obstacle.UPDATE_BROWSER, f"Google says that this browser is too old ({address})")
    return None


def _captcha(address: str) -> PageError:
    return PageBlockedError(Obstacle.CAPTCHA, f"Google asks for a CAPTCHA ({address})", ends_crawl=True)


def _consent(address: str) -> PageError:
    return PageBlockedError(Obstacle.CONSENT, f"Google asks for a choice on cookies ({address})")


def _refused(status: int, address: str) -> PageError | None:
    """An error status. 403 and 429 are meant for us, and for all that we may ask; others are Google's own trouble."""
    if status < 400:
        return None
    return PageBlockedError(Obstacle.REFUSED, f"Google answered {status} ({address})", ends_crawl=status in {403, 429})


def _empty_grid(page: Selector, text: str) -> PageError | None:
    """A whole images page without a picture in its grid. No capture of one exists, so this is strict: what may be
    results in an unknown layout must be reported as changed, not as empty."""
    is_whole = _IMAGES_PAGE.search(text) and page.css(_RESULTS_CONTAINER) and not _ends_early(text)
    is_empty = not (find_tiles(page) or has_record_start(text) or page.css("#rso img, #search img"))
    return PageEmptyError("Google found nothing: its results page is empty") if is_whole and is_empty else None


def _shell(page: Selector, text: str, address: str) -> PageError | None:
    """The shell that only starts scripts. Good pages have its ``noscript`` refresh too, but also a form to search."""
    has_refresh = page.css('noscript meta[http-equiv="refresh"][content*="enablejs"]') and not _ends_early(text)
    if not (_title(page) == "Google Search" or page.css("#yvlrue") or has_refresh):
        return None
    if find_tiles(page) or page.css(f'{_RESULTS_CONTAINER}, form[action*="/search"]'):
        return None
    return PageBlockedError(
        Obstacle.JAVASCRIPT,
        f"Google sent its JavaScript shell: the scripts did not run, or led nowhere ({address})",
    )


def _changed(page: Selector, text: str, status: int) -> PageError:
    tiles = len(find_tiles(page))
    if _ends_early(text):
        return PageChangedError(
            f"The page ends early: no </html> after {len(text)} characters, {tiles} tiles, no complete record"
        )
    if tiles:
        return PageChangedError(f"{tiles} tiles but no record of any of them: the layout of Google's scripts changed")
    return PageChangedError(
        f"Neither results nor a known obstacle: status {status}, title {_title(page)[:80]!r}, {len(text)} characters"
    )


def _ends_early(text: str) -> bool:
    lowered = text.lower()
    return "<html" in lowered and "</html" not in lowered


def _title(page: Selector) -> str:
    return text_of(page.css("title::text").get()) or ""


def _address(url: str) -> str:
    """The URL without its query: blocked URLs carry long tokens that say nothing to a user."""
    return (text_of(url) or "no URL").partition("?")[0]


def _spoken_text(page: Selector) -> str:
    """What the page says to a reader, in lower case. What the user typed (title, search box) is left out."""
    spoken = page.xpath(
        "//text()[not(parent::script or parent::style or parent::noscript or parent::title or parent::textarea)]"
    )
    return (text_of(" ".join(spoken.getall())) or "").lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
