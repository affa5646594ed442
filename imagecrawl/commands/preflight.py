"""What a crawl needs and does not have, said one line each before anything is fetched."""

from __future__ import annotations

import math
import re
import sys
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imagecrawl.commands.opening import has_ledger
from imagecrawl.exceptions import LedgerError
from imagecrawl.items import STORES
from imagecrawl.ledger import ADVICE
from imagecrawl.memory import reserve
from imagecrawl.optouts import Policy, Signal
from imagecrawl.output import without_login
from imagecrawl.storage import feed_folder, local_folder
from imagecrawl.stores import STORE_SCHEMES, store_class

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

SWITCHES = (
    "ALLOW_PRIVATE_ADDRESSES",
    "AUTOTHROTTLE_ENABLED",
    "BROWSER_VERIFY_TLS",
    "DOWNLOAD_VERIFY_CERTIFICATES",
    "ROBOTSTXT_OBEY",
)

URL_LEAST = 20
"""Characters of an address that must be allowed."""

_PLAIN = r"[!-'*-.0-?A-\[\]-~]"  # ASCII that is printed, without ()\ and /@
CONTACT = re.compile(rf"https?://{_PLAIN}+(/(?:{_PLAIN}|[/@])*)?|{_PLAIN}+@{_PLAIN}+")
"""An address of the web or of mail that may stand in the comment of a User-Agent: RFC 9110, 5.6.5."""


def wrong_settings(settings: BaseSettings) -> Iterator[str]:
    """A line for each of our settings that takes something else than it was given."""
    yield from wrong_numbers(settings)
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


def wrong_seconds(settings: BaseSettings) -> Iterator[str]:
    """A line when ``BACKOFF_START`` is no number of seconds, which may have a fraction."""
    value = settings.get("BACKOFF_START")
    try:
        is_wrong = not 0 <= float(value) < math.inf
    except (TypeError, ValueError):
        is_wrong = True
    if is_wrong:
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


def _is_host(word: str) -> bool:
    try:
        if re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", word):
            return bool(word.encode("idna"))
        return bool(ip_address(word))
    except ValueError:
        return False


def wrong_places(settings: BaseSettings, crawl: str) -> Iterator[str]:
    """A line for each place that ``crawl`` would write to and cannot. Else the crawl is this process's to begin."""
    problems = [*empty_places(settings), *store_problems(settings)] or [*unwritable_folders(settings)]
    yield from problems
    if not problems:
        yield from ledger_problems(settings, crawl)


def empty_places(settings: BaseSettings) -> Iterator[str]:
    """A line for each setting that must name a place and names none."""
    for name in (*STORES.values(), "BLOCKED_STORE", "LEDGER"):
        if not settings.get(name):
            yield f"setting `{name}` is empty"


def store_problems(settings: BaseSettings) -> Iterator[str]:
    """A line for each store that is no folder and no URI of a kind that we know, or BLOCKED_STORE no folder."""
    if not local_folder(settings["BLOCKED_STORE"]):
        yield f"setting `BLOCKED_STORE` takes a folder; got {settings['BLOCKED_STORE']!r}"
    for name in STORES.values():
        place = str(settings[name])
        scheme, _, rest = place.partition("://")
        if without_login(place) != place:
            yield f"setting `{name}` takes no login, which the ledger would keep: other settings do"
        elif not store_class(place):
            known = ", ".join(f"{scheme}://" for scheme in STORE_SCHEMES if scheme)
            yield f"setting `{name}` takes a folder or one of {known}; got {place!r}"
        elif scheme == "file" and not rest.startswith("/"):
            yield f"setting `{name}` takes a folder, or file:// and an absolute path; got {place!r}"
        elif scheme == "ftp" and not (urlsplit(place).port and settings["FTP_USER"]):
            yield f"setting `{name}` takes ftp://host:port/path, with FTP_USER and FTP_PASSWORD; got {place!r}"


def unwritable_folders(settings: BaseSettings) -> Iterator[str]:
    """A line for each local folder that the crawl would write to and cannot."""
    stores = (local_folder(settings[name]) for name in (*STORES.values(), "BLOCKED_STORE"))
    feeds = (feed_folder(str(uri)) for uri in settings.getdict("FEEDS"))
    for folder in dict.fromkeys((*stores, *feeds)):
        if folder is None:
            continue
        try:
            nearest = next(place for place in (folder, *folder.parents) if place.exists())
            with TemporaryFile(dir=nearest):
                pass
        except OSError as error:
            yield f"{folder} cannot be written: {error.strerror}"


def ledger_problems(settings: BaseSettings, crawl: str) -> Iterator[str]:
    """A line when ``crawl`` is running, or when the ledger is not sound. A new one beside old files is worth a word."""
    path = Path(settings["LEDGER"])
    try:
        is_new = not has_ledger(path)
        reserve(path, crawl)
    except LedgerError as error:
        yield str(error)
        return
    for store in (local_folder(settings[name]) for name in STORES.values()):
        if is_new and store and store.is_dir() and any(store.iterdir()):
            sys.stderr.write(f"{path} is new, though {store} is not: what is there is asked for again; {ADVICE}\n")
