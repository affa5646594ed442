"""How the commands that look at a ledger open it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from imagecrawl.exceptions import LedgerError
from imagecrawl.ledger import Ledger
from imagecrawl.output import complain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scrapy.commands import ScrapyCommand


@contextmanager
def refusing(command: ScrapyCommand) -> Iterator[None]:
    """Say in one line what is wrong with the ledger, with exit code 2, instead of a traceback."""
    try:
        yield
    except LedgerError as error:
        complain(error)
        command.exitcode = 2


def has_ledger(path: Path) -> bool:
    """Whether there is a file that may be a ledger: opening none, or an empty one, would make one."""
    try:
        return path.stat().st_size > 0
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be read ({error.strerror})") from error


@contextmanager
def opened(path: Path) -> Iterator[Ledger]:
    """The ledger that is there, for as long as it is needed; raises :class:`LedgerError`, where there is none too."""
    if not has_ledger(path):
        raise LedgerError(no_ledger(path))
    ledger = Ledger(path)
    try:
        yield ledger
    finally:
        ledger.close()


def no_ledger(path: Path) -> str:
    return f"there is no ledger at {path}: the first crawl makes it, `scrapy rebuild` makes one from feeds"
