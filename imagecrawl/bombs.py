"""Pictures that are quick to send and slow to decode: told by how they are made, before a decoder has to bear them.

What each check is for was measured with Pillow 13: without it a file of 32 MB keeps a processor busy for 7 s to hours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import Any, Literal

from imagecrawl.exceptions import MediaError
from imagecrawl.outcomes import Outcome, Reason

READS = 600_000
"""So often a picture may be read from, and once more for each hundred of its bytes.

Pillow reads each chunk of a PNG, each segment of a JPEG and each entry of a TIFF by itself, some 1 to 7 us each. A GIF
has 255 bytes in a block at most, which are two reads.
"""

SCANS = 100
"""Scans of a JPEG: libtiff takes as many, https://libtiff.gitlab.io/libtiff/functions/TIFFOpenOptions.html. Progressive
ones have about 10; each goes over the whole picture, even if it holds nothing."""

SCAN_FACTOR = 20
"""All scans of a JPEG together may go over this many times the pixels that one picture may have."""

STRIPS = 300_000
"""Strips or tiles of a TIFF, all pages together: a strip has 8 KB, or a row at least (TIFF 6.0, page 19)."""

MARKERS = 20_000
"""Markers of a JPEG, those of restarts left out: a profile or a film of 100 MB needs some 1,600."""

RUN_LENGTH_PIXELS = 8_000_000
"""Pixels of a BMP in run lengths, which Pillow decodes in Python."""

_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
"""One that ends the picture or begins a segment (ITU-T T.81, B.1.1.3); before it may be any bytes, and 0xFF to fill."""

_EOI, _SOS = b"\xd9", b"\xda"
_STRIP_OFFSETS, _TILE_OFFSETS = 273, 324


class Reading(BytesIO):
    """The bytes of a picture, which raise :class:`MediaError` when they are read too often."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self._left = READS + len(body) // 100

    def read(self, *args: Any) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise MediaError(Outcome.FAILED, Reason.BROKEN, "it is in too many pieces")
        return super().read(*args)


def reading(image_format: str, body: bytes) -> Reading:
    """What a decoder is given; raises :class:`MediaError` for what it should not even open."""
    if image_format == "TIFF":
        _check_strips(body)
    return Reading(body)


def _check_strips(body: bytes) -> None:
    """Raises :class:`MediaError` when the directories of a TIFF or BigTIFF name too many strips, or are too many."""
    order: Literal["little", "big"] = "little" if body.startswith(b"II") else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(body[at : at + size], order)

    is_big = number(2, 2) == 43  # https://www.awaresystems.be/imaging/tiff/bigtiff.html
    head, entry, word = (8, 20, 8) if is_big else (2, 12, 4)
    at, seen, entries, strips = number(word, word), set[int](), 0, 0
    while at and at not in seen:
        seen.add(at)
        first = at + head
        end = min(first + entry * number(at, head), len(body))
        entries += 1 + (end - first) // entry
        if entries > READS:
            raise MediaError(Outcome.FAILED, Reason.BROKEN, "TIFF: it is in too many pieces")
        places = (place for place in range(first, end, entry) if number(place, 2) in {_STRIP_OFFSETS, _TILE_OFFSETS})
        strips += max((number(place + 4, word) for place in places), default=0)
        if strips > STRIPS:
            raise MediaError(Outcome.FAILED, Reason.BROKEN, f"TIFF: {strips} strips")
        at = number(end, word)


def check_structure(image_format: str, body: bytes, *, pixels: int, max_pixels: int) -> None:
    """Raises :class:`MediaError` for what would take a decoder too long; ``pixels`` are those of its header."""
    match image_format:
        case "JPEG":
            _check_scans(body, pixels, max_pixels)
        case "BMP" if pixels > RUN_LENGTH_PIXELS and _is_run_lengths(body, 14):
            raise MediaError(Outcome.REFUSED, Reason.TOO_MANY_PIXELS, f"{pixels} in run lengths")
        case "ICO" if any(_is_run_lengths(body, at) for at in _icons(body)):
            raise MediaError(Outcome.FAILED, Reason.BROKEN, "ICO: run lengths, which icons do not have")


def _check_scans(body: bytes, pixels: int, max_pixels: int) -> None:
    markers = list(islice(_markers(body), MARKERS))
    scans = markers.count(_SOS)
    if len(markers) == MARKERS:
        raise MediaError(Outcome.FAILED, Reason.BROKEN, "JPEG: it is in too many pieces")
    if scans > SCANS or (max_pixels and scans * pixels > max_pixels * SCAN_FACTOR):
        raise MediaError(Outcome.REFUSED, Reason.TOO_MANY_PIXELS, f"in {scans} scans")


def _markers(body: bytes) -> Iterator[bytes]:
    """The markers up to the end of the picture, as libjpeg finds them."""
    at = 2
    while (marker := _MARKER.search(body, at)) and marker[1] != _EOI:
        yield marker[1]
        at = marker.end() + int.from_bytes(body[marker.end() : marker.end() + 2], "big")


def _icons(body: bytes) -> Iterator[int]:
    """Where each of the pictures in an icon begins, by its directory."""
    for at in range(6, 6 + 16 * int.from_bytes(body[4:6], "little"), 16):
        yield int.from_bytes(body[at + 12 : at + 16], "little")


def _is_run_lengths(body: bytes, at: int) -> bool:
    """Whether the header of a bitmap at ``at`` says BI_RLE8 or BI_RLE4.

    https://learn.microsoft.com/windows/win32/api/wingdi/ns-wingdi-bitmapinfoheader
    """
    size = int.from_bytes(body[at : at + 4], "little")
    return 40 <= size <= 124 and int.from_bytes(body[at + 16 : at + 20], "little") in {1, 2}
