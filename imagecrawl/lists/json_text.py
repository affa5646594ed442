"""A JSON text read a little at a time."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

from imagecrawl.lists.rows import DECODER, LINE_BYTES, json_problem
from imagecrawl.lists.sources import CHUNK, UnreadableError

_SPACE = re.compile(r"[ \t\r\n]*")


class NoJsonError(UnreadableError):
    """Raised where a text is no JSON; ``line`` is always known."""

    line: int


class JsonText:
    """The values of a JSON text one after the other; what is held is no more than one value, of at most LINE_BYTES.

    Bytes that are not UTF-8 become halves of characters (surrogates), which :func:`make_row` finds.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._text = ""
        self._at = 0
        self._ended = False
        self.line = 1
        """Where it stands."""

    def peek(self) -> str:
        """The next character that is not white space, ``""`` at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            assert space is not None
            self._go_to(space.end())
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._more()

    def take(self, wanted: str) -> str:
        """Go past the next character, which must be one of those ``wanted``; raises NoJsonError."""
        character = self.peek()
        if not character or character not in wanted:
            raise NoJsonError(f"no JSON: `{'` or `'.join(wanted)}` is missing", self.line)
        self._go_to(self._at + 1)
        return character

    def value(self) -> tuple[Any, int]:
        """The next value and its length in characters; raises NoJsonError, or UnreadableError when it is too long."""
        self.peek()
        while True:
            problem = ""
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                problem = json_problem(error)
            else:
                if end < len(self._text) or self._ended:  # else a number may go on
                    length = end - self._at
                    self._go_to(end)
                    return value, length
            if problem and self._ended:
                raise NoJsonError(problem, self.line)
            if len(self._text) - self._at > LINE_BYTES:
                raise NoJsonError(f"no JSON, or a value longer than {LINE_BYTES:,} characters", self.line)
            self._more()

    def elements(self) -> Iterator[tuple[int, Any, int]]:
        """The elements of the list that comes next: the line of each, its value, and its length in characters."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            self.peek()
            line = self.line
            yield line, *self.value()
            if self.take(",]") == "]":
                return

    def end(self) -> None:
        """Raises NoJsonError when there is more."""
        if self.peek():
            raise NoJsonError("no JSON: there is more after its end", self.line)

    def _go_to(self, place: int) -> None:
        self.line += self._text.count("\n", self._at, place)
        self._at = place

    def _more(self) -> None:
        """Read as much as is held already, so that a long value is not tried again for every chunk."""
        held = self._text[self._at :]
        parts = [held]
        wanted = max(CHUNK, len(held))
        while wanted > 0 and not self._ended:
            chunk = next(self._chunks, None)
            self._ended = chunk is None
            parts.append(self._decode(chunk or b"", self._ended))
            wanted -= len(parts[-1])
        self._text, self._at = "".join(parts), 0
