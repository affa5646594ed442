"""The bytes of a list: unpacked, in UTF-8, a little at a time, and cut into lines."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imagecrawl.lists.rows import LINE_BYTES, BadRow

if sys.version_info >= (3, 14):  # pragma: no cover
    from compression import zstd
else:
    from backports import zstd

CHUNK = 65_536
"""Bytes that are read at a time; the first of them tell what the file is."""

PACKED = {".gz": "gzip", ".zst": "zstd"}

_NO_TEXT = {
    b"\x1f\x8b": "gzip: let its name end in .gz",
    b"\x28\xb5\x2f\xfd": "zstd: let its name end in .zst",
    b"PK\3\4": "a zip file or a spreadsheet",
    b"PAR1": "parquet: let its name end in .parquet",
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
}
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_ODD = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ufffd]")

Stream = io.BufferedReader | gzip.GzipFile | zstd.ZstdFile

Line = tuple[int, str] | BadRow
"""Its number, from 1, and its text without the line feed."""


class UnreadableError(ValueError):
    """Raised where a list as a whole, or the rest of it, cannot be read; ``line`` is where, if that is known."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True, slots=True)
class Source:
    """An open list. ``chunks`` can be read once."""

    path: Path
    head: bytes
    """What it begins with, at least :data:`CHUNK` bytes unless there are fewer."""
    whole: bool
    """Whether ``head`` is all there is."""
    chunks: Iterator[bytes]
    """All of it, ``head`` included, in UTF-8 without BOM; raises :class:`UnreadableError` where it breaks off."""

    @property
    def first(self) -> bytes:
        """The first character that is not white space, ``b""`` when there is none in the head."""
        return self.head.lstrip()[:1]

    def head_lines(self) -> list[str]:
        """The lines of the head that are whole and not blank; what is not UTF-8 in them is replaced."""
        lines = self.head.decode("utf-8", "replace").split("\n")
        return [line for line in (lines if self.whole else lines[:-1] or lines) if line.strip()]


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """The list at ``path``; raises :class:`UnreadableError` when it cannot be opened or is no text."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from error
    with file:
        kind = PACKED.get(path.suffix.lower(), "file")
        head, whole, chunks = _peeked(_read(_unpacked(file, kind), kind))
        head, chunks = _as_utf_8(head, chunks)
        _check_text(head)
        yield Source(path, head, whole, chunks)


def read_lines(chunks: Iterator[bytes]) -> Iterator[Line]:
    """The lines, those that cannot be read as :class:`BadRow`; none is held that is longer than LINE_BYTES."""
    number = 0
    begun = bytearray()  # a line whose end is not read yet
    too_long = False
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            number += 1
            if begun or too_long:
                begun += piece
                yield _line(number, bytes(begun), too_long=too_long)
                begun.clear()
                too_long = False
            else:
                yield _line(number, piece)
        begun += rest
        if len(begun) > LINE_BYTES:
            too_long = True
            begun.clear()
    if begun or too_long:
        yield _line(number + 1, bytes(begun), too_long=too_long)


def _line(number: int, raw: bytes, *, too_long: bool = False) -> Line:
    if too_long or len(raw) > LINE_BYTES:
        return BadRow(number, f"longer than {LINE_BYTES:,} bytes")
    if b"\0" in raw:
        return BadRow(number, "a NUL byte")
    try:
        return number, raw.decode("utf-8")
    except UnicodeDecodeError:
        return BadRow(number, "not UTF-8")


def _unpacked(file: io.BufferedReader, kind: str) -> Stream:
    if kind == "gzip":
        return gzip.GzipFile(fileobj=file)
    return zstd.ZstdFile(file) if kind == "zstd" else file


def _read(stream: Stream, kind: str) -> Iterator[bytes]:
    """The chunks of ``stream``. ``read1`` gives what can still be read before a stream breaks off."""
    at_all = False
    while True:
        try:
            chunk = stream.read1(CHUNK)
        except (OSError, EOFError, zlib.error, zstd.ZstdError) as error:
            raise UnreadableError(_broken(error, kind, at_all=at_all)) from error
        if not chunk:
            return
        at_all = True
        yield chunk


def _broken(error: Exception, kind: str, *, at_all: bool) -> str:
    if kind == "file":
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if isinstance(error, EOFError):
        return f"the {kind} stream breaks off"
    return f"the {kind} stream is broken: {error}" if at_all else f"it is no {kind} file: {error}"


def _peeked(chunks: Iterator[bytes]) -> tuple[bytes, bool, Iterator[bytes]]:
    """The head, whether it is all, and all chunks again; what breaks within the head is raised after it."""
    head = bytearray()
    problem: UnreadableError | None = None
    try:
        while len(head) < CHUNK and (chunk := next(chunks, b"")):
            head += chunk
    except UnreadableError as error:
        if not head:
            raise
        problem = error

    def again() -> Iterator[bytes]:
        yield bytes(head)
        if problem is not None:
            raise problem
        yield from chunks

    return bytes(head), len(head) < CHUNK, again()


def _as_utf_8(head: bytes, chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    for signature, what in _NO_TEXT.items():
        if head.startswith(signature):
            raise UnreadableError(f"it is no text, but {what}")
    if head.startswith(codecs.BOM_UTF8):
        return head[3:], _without(chunks, 3)
    if (encoding := _UTF_16.get(head[:2])) is None:
        return head, chunks
    start = head[2 : len(head) // 2 * 2].decode(encoding, "replace")
    return start.encode("utf-8", "replace"), _recoded(_without(chunks, 2), encoding)


def _without(chunks: Iterator[bytes], count: int) -> Iterator[bytes]:
    yield next(chunks)[count:]
    yield from chunks


def _recoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """UTF-16 as UTF-8; half a character becomes bytes that are not UTF-8, so that its line is bad and no other."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"


def _check_text(head: bytes) -> None:
    """Raises :class:`UnreadableError` when more than a tenth of the characters are none of a text in UTF-8."""
    text = head.decode("utf-8", "replace")
    if len(_ODD.findall(text)) * 10 > len(text):
        raise UnreadableError("it is no text in UTF-8 (UTF-16 needs a BOM)")
