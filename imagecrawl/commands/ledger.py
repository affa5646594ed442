"""``scrapy ledger``: what is known of everything that was ever asked for, in a table."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text
from scrapy.commands import ScrapyCommand
from scrapy.exceptions import UsageError

from imagecrawl.commands.opening import opened, refusing
from imagecrawl.outcomes import Outcome
from imagecrawl.output import counted, printable, say

if TYPE_CHECKING:
    import argparse

WIDTH = 120
"""Columns of the table where there is no terminal to ask."""

KEYWORD_WIDTH = 8
"""Columns that a keyword is never cut below."""


@dataclass(frozen=True, slots=True)
class Total:
    """How many addresses of one keyword came to the same end."""

    source: str
    keyword: str
    outcome: str
    reason: str | None
    count: int
    bytes: int | None
    """Of the files that are in place."""


class Command(ScrapyCommand):
    """Totals of the ledger. Exit code 2 when there is none, or when it cannot be read."""

    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        return "[--json]"

    def short_desc(self) -> str:
        return "Show what the ledger knows, by keyword, outcome and reason"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        if args:
            raise UsageError(f"unexpected: {' '.join(args)}", print_help=False)
        assert self.settings
        path = Path(self.settings["LEDGER"])
        with refusing(self):
            with opened(path) as ledger:
                totals = [Total(*row) for row in ledger.totals()]
            say(document(path, totals) if opts.json else f"{render(totals)}{closing(path, totals)}")


def document(path: Path, totals: list[Total]) -> str:
    """The totals as JSON; sizes in bytes."""
    addresses, in_place, size = _sums(totals)
    facts = {"ledger": str(path), "addresses": addresses, "in_place": in_place, "bytes": size}
    listed = [{**asdict(total), "bytes": total.bytes or 0} for total in totals]
    return json.dumps({**facts, "totals": listed}, indent=2)


def closing(path: Path, totals: list[Total]) -> str:
    """One line: how much there is, and where."""
    addresses, in_place, size = _sums(totals)
    known = f"{addresses} {'address' if addresses == 1 else 'addresses'}"
    return f"{known}, {counted(in_place, 'file')} in place, {decimal(size)}: {printable(path)}"


def _sums(totals: list[Total]) -> tuple[int, int, int]:
    """Addresses, files in place and their bytes."""
    in_place = sum(total.count for total in totals if total.outcome == Outcome.STORED)
    return sum(total.count for total in totals), in_place, sum(total.bytes or 0 for total in totals)


def render(totals: list[Total]) -> str:
    """The table as text with a line end, fitted to the terminal by cutting keywords; empty without totals."""
    if not totals:
        return ""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    console = Console(file=StringIO(), width=10**6, force_terminal=False, no_color=True)
    narrowest = console.measure(_table(totals, KEYWORD_WIDTH)).maximum
    console.width = max(width, narrowest)
    with console.capture() as capture:
        console.print(_table(totals, KEYWORD_WIDTH + max(0, width - narrowest)))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines() if line.strip())


def _table(totals: list[Total], keyword_width: int) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("spider", no_wrap=True)
    table.add_column("keyword", max_width=keyword_width, overflow="ellipsis", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("reason", no_wrap=True)
    table.add_column("addresses", justify="right", no_wrap=True)
    table.add_column("in place", justify="right", no_wrap=True)
    for total in totals:
        words = (total.source, total.keyword, total.outcome, total.reason or "")
        size = decimal(total.bytes or 0) if total.outcome == Outcome.STORED else ""
        table.add_row(*(Text(printable(word)) for word in words), str(total.count), size)
    return table
