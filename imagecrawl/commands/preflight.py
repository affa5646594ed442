"""What a crawl writes to and cannot, said one line each before anything is fetched."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from imagecrawl.commands.opening import has_ledger
from imagecrawl.exceptions import LedgerError
from imagecrawl.items import STORES
from imagecrawl.ledger import ADVICE
from imagecrawl.memory import reserve
from imagecrawl.output import without_login
from imagecrawl.storage import feed_folder, local_folder
from imagecrawl.stores import STORE_SCHEMES, store_class

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy.settings import BaseSettings


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
