"""Settings that take something else than they were given, said one line each before anything is fetched."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from scrapy.settings import default_settings

from imagecrawl.optouts import Policy, Signal
from imagecrawl.output import without_login

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.settings import BaseSettings

NUMBERS = (
    "IMAGE_WIDTH_CLASSES",
    *(f"IMAGES_{bound}_{what}" for bound in ("MIN", "MAX") for what in ("WIDTH", "HEIGHT", "BYTES", "PIXELS")),
    "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT",
    "BROWSER_SETTLE_TIMEOUT",
    "IMAGES_MAX_FRAMES",
    "TEXT_MAX_LENGTH",
    "FILES_MAX_BYTES",
    "FILES_TIMEOUT",
    "DATA_URI_MAX",
    "DOWNLOAD_MIN_RATE",
    "HEADERS_MAX_BYTES",
    "REFRESH_DAYS",
    "PAUSE_MAX",
    "CRAWL_DELAY_MAX",
    "REFUSALS_MAX",
    "SITE_PAGES_PER_HOST",
    "SITE_PAGES_PER_PATH",
)

_SCRAPY: dict[str, Any] = {name: value for name, value in vars(default_settings).items() if name.isupper()}
"""Scrapy's own settings, with its defaults: these show what each takes."""

SWITCHES = (
    "ALLOW_PRIVATE_ADDRESSES",
    "BROWSER_VERIFY_TLS",
    *(name for name, value in _SCRAPY.items() if isinstance(value, bool) or name.endswith("_ENABLED")),
)

_FRACTIONS = ("DNS_TIMEOUT", "DOWNLOAD_DELAY", "DOWNLOAD_TIMEOUT")  # seconds, whole by default only
_OTHERS = ("FEED_EXPORT_INDENT", "URLLENGTH_LIMIT")  # may be None; has a rule of its own

SCRAPY_NUMBERS = {
    name: float if isinstance(value, float) or name in _FRACTIONS else int
    for name, value in _SCRAPY.items()
    if isinstance(value, int | float) and name not in (*SWITCHES, *_OTHERS)
}
"""What Scrapy reads each of its numbers as."""

URL_LEAST = 20
"""Characters of an address that must be allowed."""

_PLAIN = r"[!-'*-.0-?A-\[\]-~]"  # ASCII that is printed, without ()\ and /@
CONTACT = re.compile(rf"https?://{_PLAIN}+(/(?:{_PLAIN}|[/@])*)?|{_PLAIN}+@{_PLAIN}+")
"""An address of the web or of mail that may stand in the comment of a User-Agent: RFC 9110, 5.6.5."""


def wrong_settings(settings: BaseSettings) -> Iterator[str]:
    """A line for each setting that takes something else than it was given."""
    yield from wrong_numbers(settings)
    yield from wrong_scrapy_numbers(settings)
    yield from wrong_lengths(settings)
    yield from wrong_hosts(settings)
    yield from wrong_switches(settings)
    yield from wrong_seconds(settings)
    yield from wrong_contact(settings)
    yield from wrong_product_token(settings)
    yield from wrong_policies(settings)


def wrong_numbers(settings: BaseSettings) -> Iterator[str]:
    """A line for each of our settings that should be a number, or a list of them, and is not."""
    for name in NUMBERS:
        value = settings.get(name)
        values = settings.getlist(name) if name.endswith("_CLASSES") else [value]
        if not all(str(each).strip().isdecimal() for each in values):
            kind = "whole numbers from 0, with commas between" if name.endswith("_CLASSES") else "a whole number from 0"
            yield f"setting `{name}` takes {kind}; got {value!r}"


def wrong_scrapy_numbers(settings: BaseSettings) -> Iterator[str]:
    """A line for each of Scrapy's settings that should be a number and is not, or is one that stops the crawl."""
    for name, kind in SCRAPY_NUMBERS.items():
        least = 1 if name.startswith("CONCURRENT_") else -math.inf if "PRIORITY" in name else 0
        if not _is_number(value := settings[name], kind, least):
            what = "a number" if kind is float else "a whole number"
            yield f"setting `{name}` takes {what}{f' from {least}' if least >= 0 else ''}; got {value!r}"


def wrong_seconds(settings: BaseSettings) -> Iterator[str]:
    """A line when ``BACKOFF_START`` is no number of seconds, which may have a fraction."""
    value = settings.get("BACKOFF_START")
    if not _is_number(value, float, 0):
        yield f"setting `BACKOFF_START` takes a number from 0, of seconds; got {value!r}"


def wrong_lengths(settings: BaseSettings) -> Iterator[str]:
    """A line when ``URLLENGTH_LIMIT`` leaves no room for an address; Scrapy would drop each without a word."""
    value = str(settings["URLLENGTH_LIMIT"]).strip()
    if not value.isdecimal() or 0 < int(value) < URL_LEAST:
        yield f"setting `URLLENGTH_LIMIT` takes 0 (no bound) or a whole number from {URL_LEAST}; got {value!r}"


def wrong_switches(settings: BaseSettings) -> Iterator[str]:
    """A line for each of :data:`SWITCHES` that is neither yes nor no."""
    for name in SWITCHES:
        try:
            settings.getbool(name)
        except ValueError:
            yield f"setting `{name}` takes True or False; got {settings[name]!r}"


def wrong_hosts(settings: BaseSettings) -> Iterator[str]:
    """A line for each of ``TLS_UNVERIFIED_HOSTS`` that is no host: it would do nothing, and nobody would know why."""
    for host in settings.getlist("TLS_UNVERIFIED_HOSTS"):
        if not _is_host(str(host).strip()):
            yield f"setting `TLS_UNVERIFIED_HOSTS` takes host names, with commas between; got {host!r}"


def wrong_product_token(settings: BaseSettings) -> Iterator[str]:
    """A line when ``ROBOTSTXT_USER_AGENT`` is no name that a robots.txt can call us by: RFC 9309, 2.2.1."""
    token = settings["ROBOTSTXT_USER_AGENT"]
    if not re.fullmatch(r"[\w-]+", str(token or ""), re.ASCII):
        yield f"setting `ROBOTSTXT_USER_AGENT` takes a name of letters, digits, `-` and `_`; got {token!r}"


def wrong_policies(settings: BaseSettings) -> Iterator[str]:
    """A line for each of ``OPT_OUT_...`` that is no policy, or of no signal: it would do nothing."""
    known = [signal.setting for signal in Signal]
    for name in settings:
        if str(name).startswith("OPT_OUT_") and name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"Did you mean `{close[0]}`? " if close else ""
            yield f"setting `{name}` is unknown. {hint}There are: {', '.join(known)}"
    for signal in Signal:
        value = settings.get(signal.setting)
        if str(value).strip().lower() not in set(Policy):
            yield f"setting `{signal.setting}` takes {', '.join(f'`{policy}`' for policy in Policy)}; got {value!r}"


def wrong_contact(settings: BaseSettings) -> Iterator[str]:
    """A line when ``CONTACT`` is no address: hosts see it in each request."""
    contact = str(settings["CONTACT"] or "").strip()
    if contact and not CONTACT.fullmatch(contact):
        takes = "a mail address, or one of a web page (http:// or https://), in ASCII without parentheses"
        yield f"setting `CONTACT` (or IMAGECRAWL_CONTACT) takes {takes}; got {without_login(contact, '...@')!r}"


def _is_number(value: Any, kind: type[int] | type[float], least: float) -> bool:
    try:
        return least <= kind(value) < math.inf
    except (TypeError, ValueError, OverflowError):
        return False


def _is_host(word: str) -> bool:
    try:
        if re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", word):
            return bool(word.encode("idna"))
        return bool(ip_address(word))
    except ValueError:
        return False
