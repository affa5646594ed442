"""What a crawl needs and does not have, said one line each before anything is fetched."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imagecrawl.commands.opening import has_ledger
from imagecrawl.exceptions import LedgerError
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
    "REFRESH_DAYS",
)


def wrong_numbers(settings: BaseSettings) -> Iterator[str]:
    """A line for each of our settings that should be a number, or a list of them, and is not."""
    for name in NUMBERS:
        value = settings.get(name)
        values = settings.getlist(name) if name.endswith("_CLASSES") else [value]
        if not all(str(each).strip().isdecimal() for each in values):
            kind = "whole numbers from 0, with commas between" if name.endswith("_CLASSES") else "a whole number from 0"
            yield f"setting `{name}` takes {kind}; got {value!r}"


def wrong_places(settings: BaseSettings, crawl: str) -> Iterator[str]:
    """A line for each place that ``crawl`` would write to and cannot. Else the crawl is this process's to begin."""
    problems = [*empty_places(settings), *store_problems(settings)] or [*unwritable_folders(settings)]
    yield from problems
    if not problems:
        yield from ledger_problems(settings, crawl)


def empty_places(settings: BaseSettings) -> Iterator[str]:
    """A line for each setting that must name a place and names none."""
    for name in ("IMAGES_STORE", "BLOCKED_STORE", "LEDGER"):
        if not settings.get(name):
            yield f"setting `{name}` is empty"


def store_problems(settings: BaseSettings) -> Iterator[str]:
    """A line when IMAGES_STORE is no folder and no URI of a store that we know, or BLOCKED_STORE no folder."""
    if not local_folder(settings["BLOCKED_STORE"]):
        yield f"setting `BLOCKED_STORE` takes a folder; got {settings['BLOCKED_STORE']!r}"
    place = str(settings["IMAGES_STORE"])
    scheme, _, rest = place.partition("://")
    if not store_class(place):
        known = ", ".join(f"{name}://" for name in STORE_SCHEMES if name)
        yield f"setting `IMAGES_STORE` takes a folder or one of {known}; got {place!r}"
    elif scheme == "file" and not rest.startswith("/"):
        yield f"setting `IMAGES_STORE` takes a folder, or file:// and an absolute path; got {place!r}"
    elif scheme == "ftp" and not (urlsplit(place).port and settings["FTP_USER"]):
        yield f"setting `IMAGES_STORE` takes ftp://host:port/path, with FTP_USER and FTP_PASSWORD; got {place!r}"


def unwritable_folders(settings: BaseSettings) -> Iterator[str]:
    """A line for each local folder that the crawl would write to and cannot."""
    stores = (local_folder(settings["IMAGES_STORE"]), local_folder(settings["BLOCKED_STORE"]))
    feeds = (feed_folder(str(uri)) for uri in settings.getdict("FEEDS"))
    for folder in dict.fromkeys((*stores, *feeds)):
        if folder is None:
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
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
    store = local_folder(settings["IMAGES_STORE"])
    if is_new and store and any(store.iterdir()):
        sys.stderr.write(f"{path} is new, though {store} is not: what is there is asked for again; {ADVICE}\n")
