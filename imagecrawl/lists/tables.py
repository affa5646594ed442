"""Tables: CSV, with commas, semicolons or tabs between its cells.

A quotation mark that is left open would make one cell of the rest of the file. So a record of several lines that cannot
be right is one bad row, named by its first line, and reading goes on with its second.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

from imagecrawl.lists.columns import Columns, find_columns, find_url
from imagecrawl.lists.rows import LINE_BYTES, BadRow, Row, is_url, make_row, shown, split_urls
from imagecrawl.lists.sources import Line, Source, UnreadableError, read_lines

RECORD_LINES = 1000
"""Lines that quotation marks may make one record; together they may be as long as a line may."""

_DELIMITERS = {".csv": ",;\t", ".tsv": "\t,;"}
"""By the file's suffix: the first one wins where two would do."""

_ONE_COLUMN = "\t"
"""The delimiter of a table of one column: there may be commas in its URLs."""

_SNIFFED = 20  # lines that must agree on the delimiter where there is no header
_LEFT_OPEN = "a quotation mark is left open"


def read_table(source: Source, asked: Columns) -> tuple[Columns, Iterator[Row | BadRow]]:
    """The columns in use and the rows. The first record is the header unless it begins with a URL.

    Without a header the columns are named ``1``, ``2``, ... and the first is that of the URLs. Raises UnreadableError.
    """
    csv.field_size_limit(max(csv.field_size_limit(), 2 * LINE_BYTES))  # of the whole process; 131,072 if nobody says
    records = _Records(read_lines(source.chunks), _delimiter(source, asked))
    header = next((record for record in records if isinstance(record, BadRow) or any(map(str.strip, record))), None)
    if header is None:
        return Columns(), iter(())
    if isinstance(header, BadRow):
        raise UnreadableError(header.why, header.line)
    names = [cell.strip() for cell in header]
    if _is_header(names, asked):
        return (found := find_columns(names, asked)), _rows(records, names, found)
    numbers = [str(number) for number in range(1, len(names) + 1)]
    found = find_columns(numbers, replace(asked, url=asked.url or "1"))
    records.repeat()
    return found, _rows(records, numbers, found)


def _is_header(names: Sequence[str], asked: Columns) -> bool:
    return not is_url(names[0]) or find_url(names, asked) is not None


def _delimiter(source: Source, asked: Columns) -> str:
    """The one that shows a column of URLs, else the one that cuts every line alike, else the one that cuts most."""
    lines = source.head_lines()[:_SNIFFED]
    suffix = ".tsv" if ".tsv" in source.path.name.lower() else ".csv"
    if not lines:
        return _ONE_COLUMN
    scores = {}
    for delimiter in _DELIMITERS[suffix]:
        names, *others = (_cells(line, delimiter) for line in lines)
        alike = len(names) > 1 and all(len(cells) == len(names) for cells in others)
        scores[delimiter] = (find_url(names, asked) is not None, alike, len(names))
    best = max(scores, key=lambda delimiter: scores[delimiter])
    knows, alike, count = scores[best]
    if count == 1 or (not knows and not alike and is_url(_cells(lines[0], best)[0])):
        return _ONE_COLUMN
    return best


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line.strip("\r")], delimiter=delimiter), [""])]
    except csv.Error:
        return [line]


def _rows(records: _Records, names: Sequence[str], found: Columns) -> Iterator[Row | BadRow]:
    url, keyword, caption = (_place(names, name) for name in (found.url, found.keyword, found.caption))
    extra = {name: names.index(name) for name in found.extra}
    assert url is not None
    many = names[url].casefold().endswith("urls")
    for cells in records:
        if isinstance(cells, BadRow):
            yield cells
        elif len(cells) != len(names):
            if cells and (len(cells) > 1 or cells[0].strip()):  # and not a blank line
                yield records.refuse(f"{len(cells)} cells instead of {len(names)}")
        else:
            yield make_row(
                records.line,
                split_urls(cells[url]) if many else cells[url],
                None if keyword is None else cells[keyword],
                None if caption is None else cells[caption],
                {name: cells[place] for name, place in extra.items()},
            )


def _place(names: Sequence[str], name: str | None) -> int | None:
    return None if name is None else names.index(name)


class _BadLineError(ValueError):
    """Raised by :class:`_Lines` in the middle of a record; the message says what is wrong with the record."""


class _Lines(Iterator[str]):
    """What csv.reader draws its lines from: it takes as many as the quotation marks make one record."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._again: deque[Line] = deque()
        self._size = 0
        self._open_until = 0
        self.taken: list[Line] = []
        """Those of the current record."""

    def __next__(self) -> str:
        if self.taken:
            self._check_bounds()
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        if isinstance(line, BadRow):
            raise _BadLineError(f"{_LEFT_OPEN}: line {line.line} is {line.why}")
        self._size += len(line[1])
        return f"{line[1]}\n"

    def _check_bounds(self) -> None:
        if _number(self.taken[-1]) < self._open_until:
            raise _BadLineError(_LEFT_OPEN)
        if len(self.taken) >= RECORD_LINES or self._size > LINE_BYTES:
            raise _BadLineError(f"{_LEFT_OPEN}, or its cell has more than {RECORD_LINES} lines or {LINE_BYTES:,} bytes")

    def begin(self) -> None:
        self.taken.clear()
        self._size = 0

    def give_back(self, *, but: int) -> None:
        """Read the lines of the current record again, but for the first few."""
        self._again.extendleft(reversed(self.taken[but:]))
        del self.taken[but:]

    def stay_open(self) -> None:
        """The quotation mark of the current record has no end: neither has one in its other lines, but for the last.

        csv.reader is inside a cell at the end of each of these, and would come to the same end from there. Without this
        a file of open quotation marks would be read a thousand times.
        """
        self._open_until = _number(self.taken[-1])


class _Records(Iterator["list[str] | BadRow"]):
    """The records of a table: their cells, or the bad row that they are."""

    def __init__(self, lines: Iterator[Line], delimiter: str) -> None:
        self._lines = _Lines(lines)
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)

    @property
    def line(self) -> int:
        """Where the current record begins."""
        return _number(self._lines.taken[0])

    def __next__(self) -> list[str] | BadRow:
        self._lines.begin()
        try:
            return next(self._reader)
        except _BadLineError as error:
            why = str(error)
        except csv.Error as error:
            why = _LEFT_OPEN if "unexpected end" in str(error) else f"no CSV: {shown(str(error))}"
        first = self._lines.taken[0]
        if isinstance(first, BadRow):
            return first
        if len(self._lines.taken) > 1:
            self._lines.stay_open()
        return self.refuse(why)

    def refuse(self, why: str) -> BadRow:
        """The bad row that the current record is; reading goes on with its second line."""
        if len(self._lines.taken) > 1 and _LEFT_OPEN not in why:
            why = f"{why} in lines {self.line} to {_number(self._lines.taken[-1])}; is a quotation mark left open?"
        bad = BadRow(self.line, why)
        self._lines.give_back(but=1)
        return bad

    def repeat(self) -> None:
        """Read the current record again."""
        self._lines.give_back(but=0)


def _number(line: Line) -> int:
    return line.line if isinstance(line, BadRow) else line[0]
