"""Files in the stores, held against the rows that name them."""

from __future__ import annotations

import heapq
import os
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from imagecrawl.storage import local_folder
from imagecrawl.stores import LocalStore, S3Store, is_missing, open_store, store_class

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scrapy.settings import BaseSettings

    from imagecrawl.ledger import Entry


class StoreError(Exception):
    """Raised by :func:`open_place` and :func:`examine`, in one line, when a store cannot be looked at."""


class Condition(StrEnum):
    """How a file of the ledger was found."""

    WHOLE = "whole"
    MISSING = "missing"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one look at a file."""

    condition: Condition
    mtime_ns: int | None = None
    """Of a whole file on a local disk."""
    trouble: str | None = None
    """Why it could not be read."""


def open_place(place: str, settings: BaseSettings) -> LocalStore | S3Store | None:
    """The store at a folder or URI, as it is: ``None`` for a folder that is not there, which opening would make.

    Raises :class:`StoreError`.
    """
    if not issubclass(store_class(place) or object, (LocalStore, S3Store)):
        raise StoreError(f"{place} cannot be verified: only local folders and S3 can")
    folder = local_folder(place)
    if folder and not folder.is_dir():
        return None
    try:
        store = open_store(place, settings)
    except Exception as error:  # botocore's own, or that it is missing
        raise StoreError(f"{place} cannot be looked at ({error})") from error
    assert isinstance(store, LocalStore | S3Store)
    return store


def examine(store: LocalStore | S3Store | None, entry: Entry) -> Finding:
    """Compare a file with its row: by its SHA-256 on a local disk, whatever its time; by its MD5 on S3.

    Blocks; raises :class:`StoreError` when a remote store does not answer.
    """
    if store is None or not entry.path:
        return Finding(Condition.MISSING)
    try:
        found = store.find(replace(entry, mtime_ns=None))
    except OSError as error:
        if isinstance(store, S3Store):
            raise StoreError(f"{entry.store} cannot be looked at ({error})") from error
        return Finding(Condition.DAMAGED, trouble=error.strerror or str(error))
    except Exception as error:  # botocore's
        if is_missing(error):
            return Finding(Condition.MISSING)
        raise StoreError(f"{entry.store} cannot be looked at ({error})") from error
    if found:
        return Finding(Condition.WHOLE, found.mtime_ns)
    there = isinstance(store, S3Store) or Path(store.basedir, *entry.path.split("/")).is_file()
    return Finding(Condition.DAMAGED if there else Condition.MISSING)


def side_by_side(rows: Iterable[Entry], files: Iterable[str]) -> Iterator[tuple[str, list[Entry]]]:
    """Every path that a row or a file of one store has, with its rows: none for a file that no row knows.

    Both must be sorted by path, byte by byte; neither is read ahead.
    """
    named = ((entry.path or "", entry) for entry in rows)
    there = ((path, None) for path in files)
    both = heapq.merge(named, there, key=lambda pair: os.fsencode(pair[0]))
    for path, pairs in groupby(both, key=itemgetter(0)):
        yield path, [entry for _, entry in pairs if entry]
