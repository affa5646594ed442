"""What goes wrong with the bytes of a picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GIF_FRAME = b"\x21\xf9\x04"


def spoil(kind: str, picture: bytes) -> bytes:
    """What a picture of ``kind`` comes as. KeyError for a kind that sends no picture at all."""
    return _SPOILERS[kind](picture)


def _whole(picture: bytes) -> bytes:
    return picture


def _first_half(picture: bytes) -> bytes:
    return picture[: len(picture) // 2]


def _without_end_marker(picture: bytes) -> bytes:
    return picture[:-2]


def _cut_in_last_frame(picture: bytes) -> bytes:
    start = picture.rindex(_GIF_FRAME)
    return picture[: (start + len(picture)) // 2]


def _damaged_stream(picture: bytes) -> bytes:
    """The compressed pixels go wrong halfway; length, chunks and end stay as they were."""
    middle = len(picture) // 2
    end = picture.rindex(b"IEND") - 8
    return picture[:middle] + b"\xff" * (end - middle) + picture[end:]


def _web_page(_: bytes) -> bytes:
    return b"<!DOCTYPE html><html><title>Sign in</title><body>Please sign in to see this picture.</body></html>"


def _nothing(_: bytes) -> bytes:
    return b""


def _drawing(_: bytes) -> bytes:
    return (
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" r="4"/></svg>'
    )


def _bomb(_: bytes) -> bytes:
    """A PNG of 60000 x 60000 pixels by its header, with next to none inside."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return _PNG_SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(1000))) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


_SPOILERS: dict[str, Callable[[bytes], bytes]] = {
    "redirects": _whole,
    "slow": _whole,
    "cut-jpeg": _first_half,
    "cut-png": _first_half,
    "closes-early": _first_half,
    "no-eoi": _without_end_marker,
    "cut-gif": _cut_in_last_frame,
    "broken-png": _damaged_stream,
    "html": _web_page,
    "empty": _nothing,
    "svg": _drawing,
    "bomb": _bomb,
}
