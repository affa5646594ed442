"""What a crawl needs and does not have, said one line each before anything is fetched."""

from __future__ import annotations

import re
import sys
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
    "FILES_MAX_BYTES",
    "REFRESH_DAYS",
    "PAUSE_MAX",
    "SITE_PAGES_PER_HOST",
    "SITE_PAGES_PER_PATH",
)


def wrong_settings(settings: BaseSettings) -> Iterator[str]:
    """A line for each of our settings that takes something else than it was given."""
    yield from wrong_numbers(settings)
    yield from wrong_hosts(settings)


def wrong_numbers(settings: BaseSettings) -> Iterator[str]:
    """A line for each of our settings that should be a number, or a list of them, and is not."""
    for name in NUMBERS:
        value = settings.get(name)
        values = settings.getlist(name) if name.endswith("_CLASSES") else [value]
        if not all(str(each).strip().isdecimal() for each in values):
            kind = "whole numbers from 0, with commas between" if name.endswith("_CLASSES") else "a whole number from 0"
            yield f"setting `{name}` takes {kind}; got {value!r}"


def wrong_hosts(settings: BaseSettings) -> Iterator[str]:
    """A line for each of ``TLS_UNVERIFIED_HOSTS`` that is no host: it would do nothing, and nobody would know why."""
    for host in settings.getlist("TLS_UNVERIFIED_HOSTS"):
        if not _is_host(str(host).strip()):
            yield f"setting `TLS_UNVERIFIED_HOSTS` takes host names, with commas between; got {host!r}"


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
        if not store_class(place):
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
