"""The proof of a picture: bytes in, facts out, or the reason why they are no picture that we store.

The whole stream is decoded once. What the bytes are decides, never a header or an address. The call takes milliseconds
and releases the GIL for most of it: run it in a thread.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageSequence

from imagecrawl.bombs import check_structure, reading
from imagecrawl.digests import digests
from imagecrawl.exceptions import MediaError
from imagecrawl.outcomes import Outcome, Reason

# What is wrong with a picture is said by its reason; Pillow's warnings beside it would only be noise.
warnings.filterwarnings("ignore", module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

EXTENSIONS = {
    "JPEG": "jpg",
    "PNG": "png",
    "GIF": "gif",
    "WEBP": "webp",
    "BMP": "bmp",
    "TIFF": "tif",
    "AVIF": "avif",
    "ICO": "ico",
}
"""The formats that are stored, by Pillow's names, and the extension of each."""

MIME_TYPES = {name: f"image/{name.lower()}" for name in EXTENSIONS} | {"ICO": "image/vnd.microsoft.icon"}
"""The media type of each, as IANA registered it."""

ANIMATION_FACTOR = 10
"""All frames of an animation together may have this many times the pixels that one picture may have."""

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (8, b"WEBP", "WEBP"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),  # with 64-bit offsets
    (0, b"MM\0+", "TIFF"),
    (0, b"\0\0\1\0", "ICO"),
    (0, b"II\xbc\1", "JPEG XR"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"8BPS", "PSD"),
)
_FILL = re.compile(rb"\xff+")
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What is stored and what is refused, both bounds included. Sizes in pixels, ``bytes`` in bytes; 0 = no bound.

    ``max_frames`` are those of an animation.
    """

    min_width: int = 0
    min_height: int = 0
    min_bytes: int = 0
    min_pixels: int = 0
    max_width: int = 0
    max_height: int = 0
    max_bytes: int = 0
    max_pixels: int = 0
    max_frames: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """What a proven picture is. Width and height are the encoded pixels; ``md5`` is what Scrapy calls the checksum."""

    format: str
    mode: str
    width: int
    height: int
    bytes: int
    sha256: str
    md5: str


def prove(body: bytes, limits: Limits) -> Picture:
    """The facts of the picture in ``body``; raises :class:`MediaError` with the reason when it is not to be stored."""
    if not body:
        raise MediaError(Outcome.FAILED, Reason.EMPTY)
    image, image_format = _open(body)
    width, height, mode = image.width, image.height, image.mode
    check_limits(len(body), width, height, limits)
    check_structure(image_format, body, pixels=width * height, max_pixels=limits.max_pixels)
    _decode(image, image_format, body, limits)
    if _ends_early(image_format, body):
        raise MediaError(Outcome.FAILED, Reason.TRUNCATED, f"the {image_format} has no end")
    sha256, md5 = digests(body)
    return Picture(
        format=image_format,
        mode=mode,
        width=width,
        height=height,
        bytes=len(body),
        sha256=sha256,
        md5=md5,
    )


def _open(body: bytes) -> tuple[Image.Image, str]:
    """The picture, its header read and nothing decoded, and the name of its format in :data:`EXTENSIONS`."""
    name = _sniff(body)
    if name is None:
        raise MediaError(Outcome.FAILED, Reason.NOT_AN_IMAGE, f"begins with {body[:16]!r}")
    if name not in EXTENSIONS:
        raise MediaError(Outcome.REFUSED, Reason.UNSUPPORTED_FORMAT, name)
    with _decoder_errors(name, body):
        return Image.open(reading(name, body), formats=[name]), name


def _sniff(body: bytes) -> str | None:
    """The name of the format that the first bytes claim, stored or not; ``None`` when they claim none."""
    for offset, signature, name in _SIGNATURES:
        if body.startswith(signature, offset):
            return name
    if body[4:8] == b"ftyp":
        return _sniff_brand(body)
    head = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in head:
        return "SVG"
    return None


def _sniff_brand(body: bytes) -> str | None:
    """AVIF, HEIF, or ``None`` for a film: what an ISO base media file may be read as (ISO/IEC 14496-12, 4.3)."""
    size = min(int.from_bytes(body[:4], "big"), 256)
    brands = {body[8:12], *(body[at : at + 4] for at in range(16, size, 4))}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def check_limits(size: int, width: int, height: int, limits: Limits) -> None:
    """Raises :class:`MediaError` when the header alone says that the picture is not wanted."""
    if limits.max_pixels and width * height > limits.max_pixels:
        raise MediaError(Outcome.REFUSED, Reason.TOO_MANY_PIXELS, f"{width}x{height}")
    under = (
        (size, limits.min_bytes),
        (width, limits.min_width),
        (height, limits.min_height),
        (width * height, limits.min_pixels),
    )
    if any(value < bound for value, bound in under):
        raise MediaError(Outcome.REFUSED, Reason.TOO_SMALL, f"{width}x{height}, {size} bytes")
    over = ((size, limits.max_bytes), (width, limits.max_width), (height, limits.max_height))
    if any(bound and value > bound for value, bound in over):
        raise MediaError(Outcome.REFUSED, Reason.TOO_LARGE, f"{width}x{height}, {size} bytes")


def _decode(image: Image.Image, image_format: str, body: bytes, limits: Limits) -> None:
    """Read the picture to its end, every frame of an animation too.

    A JPEG is decoded at an eighth of its size, which reads the whole stream as well. What phones append to one (depth
    maps, second views: MPO) is not looked at, since hosts strip it.
    """
    with _decoder_errors(image_format, body):
        if image_format == "JPEG":
            image.draft(image.mode, (max(1, image.width // 8), max(1, image.height // 8)))
            image.load()
        else:
            _decode_frames(image, limits)


def _decode_frames(image: Image.Image, limits: Limits) -> None:
    spent = 0
    for number, frame in enumerate(ImageSequence.Iterator(image)):
        if limits.max_frames and number == limits.max_frames:
            raise MediaError(Outcome.REFUSED, Reason.TOO_MANY_FRAMES, f"more than {number}")
        pixels = frame.width * frame.height
        spent += pixels
        if limits.max_pixels and (pixels > limits.max_pixels or spent > limits.max_pixels * ANIMATION_FACTOR):
            raise MediaError(Outcome.REFUSED, Reason.TOO_MANY_PIXELS, f"in {number + 1} frames")
        frame.load()


@contextmanager
def _decoder_errors(image_format: str, body: bytes) -> Iterator[None]:
    """What a decoder raises as :class:`MediaError`: a bomb, a picture cut off, or one that is broken."""
    try:
        yield
    except MediaError:
        raise
    except Image.DecompressionBombError as error:
        raise MediaError(Outcome.REFUSED, Reason.TOO_MANY_PIXELS, str(error)) from error
    except Exception as error:  # a decoder fed with strangers' bytes may raise anything
        cut = isinstance(error, EOFError) or "truncated" in str(error).lower() or _ends_early(image_format, body)
        reason = Reason.TRUNCATED if cut else Reason.BROKEN
        raise MediaError(Outcome.FAILED, reason, f"{image_format}: {error}") from error


def _ends_early(image_format: str, body: bytes) -> bool:
    """Whether the file says of itself that more should follow. Decoders forgive a missing end; we do not.

    Each format's own mark is used: JPEG's EOI, PNG's IEND, GIF's trailer, the directory of ICO, the length in the head
    of RIFF (WebP). The others cannot be decoded without their last bytes. What comes after the end is left in peace:
    phones append films.
    """
    match image_format:
        case "JPEG":
            return body.find(b"\xff\xd9", _jpeg_scan(body)) < 0
        case "PNG":
            return body.rfind(b"IEND\xaeB`\x82") < 0
        case "GIF":
            return not _gif_is_whole(body)
        case "ICO":
            return len(body) < _icons_end(body)
        case "WEBP":
            return len(body) < 8 + int.from_bytes(body[4:8], "little")
        case _:
            return False


def _jpeg_scan(body: bytes) -> int:
    """Where the first scan of the picture itself begins (ITU-T T.81, B.1.1): the head may hold a thumbnail JPEG."""
    at = 2
    while at + 4 <= len(body) and body[at] == 0xFF and body[at + 1] != 0xDA:
        if fill := _FILL.match(body, at + 1):
            at = fill.end() - 1
        else:
            at += 2 + int.from_bytes(body[at + 2 : at + 4], "big")
    return at


def _gif_is_whole(body: bytes) -> bool:
    """Whether the trailer follows the last block (GIF89a, appendix A); what comes after it does not count."""
    at = 13 + _color_table_size(body, 10)
    while at < len(body):
        block = body[at]
        if block == 0x3B:
            return True
        at += 11 + _color_table_size(body, at + 9) if block == 0x2C else 2
        while at < len(body) and body[at]:  # sub-blocks, each with its length before it
            at += 1 + body[at]
        at += 1
    return False


def _color_table_size(body: bytes, at: int) -> int:
    flags = body[at] if at < len(body) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _icons_end(body: bytes) -> int:
    """Where the last of the pictures in an icon ends, by its directory: Pillow decodes the largest one only."""
    count = int.from_bytes(body[4:6], "little")
    ends = (
        int.from_bytes(body[at + 8 : at + 12], "little") + int.from_bytes(body[at + 12 : at + 16], "little")
        for at in range(6, 6 + 16 * count, 16)
    )
    return max(ends, default=0)
