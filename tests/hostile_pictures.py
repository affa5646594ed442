"""Pictures that nobody should have to decode: spoiled ones, by fixed seeds, and bombs. Run as a process of its own:

``python -m tests.hostile_pictures FORMAT[,FORMAT...] NUMBER FILE`` or ``... bombs 0 FILE``; FILE gets the name of the
one that is being looked at. The memory of the process is bounded, and so is a processor's time for each picture.
"""

from __future__ import annotations

import json
import random
import resource
import signal
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image

from imagecrawl.exceptions import MediaError
from imagecrawl.pictures import Limits, prove
from settings.base import IMAGES_MAX_FRAMES, IMAGES_MAX_PIXELS
from tests.test_pictures import SAMPLES

SEED = 7_000_000
SECONDS = 5
"""Of a processor, for one file; the machine may have other work."""
MEMORY = 3 * 1024**3
"""Bytes of address space: those of Python, its modules and the threads of AVIF's decoder are some 1.2 GB."""

FORMATS: dict[str, list[bytes]] = {
    name: [body for sample, body in SAMPLES.items() if sample.endswith(name)]
    for name in ("jpeg", "png", "gif", "webp", "bmp", "tiff", "avif", "ico")
}
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


# Spoiled pictures


def flip(body: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 1, 3, 30))):
        body[dice.randrange(len(body))] ^= 1 << dice.randrange(8)


def cut(body: bytearray, dice: random.Random) -> None:
    del body[dice.randrange(1, len(body)) :]


def block(body: bytearray, dice: random.Random) -> slice:
    start = dice.randrange(len(body))
    return slice(start, min(len(body), start + dice.choice((1, 4, 16, 64, 300))))


def double(body: bytearray, dice: random.Random) -> None:
    part = block(body, dice)
    body[part.start : part.start] = body[part] * dice.choice((1, 2, 20))


def remove(body: bytearray, dice: random.Random) -> None:
    del body[block(body, dice)]


def swap(body: bytearray, dice: random.Random) -> None:
    one, other = block(body, dice), block(body, dice)
    body[one], body[other] = bytes(body[other]), bytes(body[one])


def clear(body: bytearray, dice: random.Random) -> None:
    part = block(body, dice)
    body[part] = bytes(len(body[part]))


def count(body: bytearray, dice: random.Random) -> None:
    """A number in the head, or anywhere, that is huge, negative or nothing."""
    size = dice.choice((1, 2, 4))
    at = dice.randrange(min(len(body), dice.choice((64, 64, 64, 400, len(body)))))
    number = dice.choice(NUMBERS) & (1 << 8 * size) - 1
    body[at : at + size] = number.to_bytes(size, dice.choice(("little", "big")))


def splice(body: bytearray, dice: random.Random) -> None:
    """A block of any picture of ours, of another format too."""
    other = dice.choice(list(SAMPLES.values()))
    start = dice.randrange(len(other))
    body[block(body, dice)] = other[start : start + dice.choice((8, 64, 1000))]


SPOILING: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip, cut, double, remove, swap, clear, count, count, splice,
)  # fmt: skip


def spoiled(image_format: str, number: int) -> bytes:
    """The spoiled picture with this number: the same in each run, but for the encoders of other versions of Pillow."""
    dice = random.Random(f"{SEED} {image_format} {number}")
    body = bytearray(dice.choice(FORMATS[image_format]))
    for _ in range(dice.choice((1, 1, 2, 3))):
        if body:
            dice.choice(SPOILING)(body, dice)
    return resealed(bytes(body)) if image_format == "png" and number % 2 else bytes(body)


def resealed(body: bytes) -> bytes:
    """A PNG with checksums that are right again: else nothing gets past them."""
    parts, at = [body[:8]], 8
    while at + 12 <= len(body):
        end = min(len(body), at + 8 + int.from_bytes(body[at : at + 4], "big"))
        parts += [body[at:end], zlib.crc32(body[at + 4 : end]).to_bytes(4, "big")]
        at = end + 4
    return b"".join(parts)


# Bombs


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def png(side: int, *, extra: bytes = b"", after: bytes = b"", pixels: bool = True) -> bytes:
    rows = zlib.compress(bytes((3 * side + 1) * side if pixels else 1000))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", rows) + after + chunk(b"IEND")


def apng(frames: int) -> bytes:
    rows = zlib.compress(bytes(4))
    parts = [chunk(b"acTL", struct.pack(">II", frames, 0))]
    for number in range(frames):
        order = max(0, 2 * number - 1)
        parts.append(chunk(b"fcTL", struct.pack(">IIIIIHHBB", order, 1, 1, 0, 0, 1, 1, 0, 0)))
        parts.append(chunk(b"fdAT", struct.pack(">I", order + 1) + rows) if number else chunk(b"IDAT", rows))
    return png(1).replace(chunk(b"IDAT", zlib.compress(bytes(4))), b"".join(parts))


def gif(frames: int = 1, *, extra: bytes = b"") -> bytes:
    head = b"GIF89a\1\0\1\0\x80\0\0" + bytes(6)
    return head + extra + (b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\x02\x4c\x01\0") * frames + b";"


def jpeg(side: int, *, scans: int = 0, extra: bytes = b"") -> bytes:
    """A progressive JPEG that ends in ``scans`` more scans without anything in them."""
    out = BytesIO()
    Image.new("L", (side, side)).save(out, "JPEG", progressive=True, quality=5)
    body = out.getvalue()
    last = body.rindex(b"\xff\xda")
    return body[:2] + extra + body[2:-2] + body[last:-2] * scans + b"\xff\xd9"


def comments_between(scans: int) -> bytes:
    """The same, each scan hidden behind a comment that says that the picture has ended."""
    body = jpeg(8)
    last = body.rindex(b"\xff\xda")
    return body[:-2] + (b"\xff\xfe\0\6\xff\xd9\0\0" + body[last:-2]) * scans + b"\xff\xd9"


def tiff(*directories: dict[int, int], big: bool = False, loop: bool = False) -> bytes:
    """Directories of tags with one value, or a count for StripOffsets, of a picture of one pixel."""
    head, form, first = (b"II+\0\x08\0\0\0", "<HHQQ", 16) if big else (b"II*\0", "<HHII", 8)
    word = "<Q" if big else "<I"
    out = bytearray(head + struct.pack(word, first))
    for number, changes in enumerate(directories, start=1):
        tags = {256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 1, 278: 1, 279: 1} | changes
        entries = [struct.pack(form, tag, 4, value if tag == 273 else 1, 8 if tag == 273 else value)
                   for tag, value in sorted(tags.items())]  # fmt: skip
        out += struct.pack("<Q" if big else "<H", len(entries)) + b"".join(entries)
        is_last = number == len(directories)
        out += struct.pack(word, first * loop if is_last else len(out) + struct.calcsize(word))
    return bytes(out) + bytes(1000)


def bmp(width: int, height: int, data: bytes) -> bytes:
    """A BMP in run lengths (BI_RLE8)."""
    facts = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(data), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(data), 0, 0, 1078) + facts + bytes(1024) + data


def ico(inner: bytes, entries: int = 1) -> bytes:
    entry = b"\x08\x08\0\0\1\0\x20\0" + struct.pack("<II", len(inner), 6 + 16 * entries)
    return b"\0\0\1\0" + struct.pack("<H", entries) + entry * entries + inner


LARGE = bytes(100_000_000)
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "50,000 x 50,000 pixels": (lambda: png(50_000, pixels=False), "too-many-pixels"),
    "a text of 100 MB": (lambda: png(8, extra=chunk(b"zTXt", b"k\0\0" + zlib.compress(LARGE))), "broken"),
    "a text of 100 MB in UTF-8": (
        lambda: png(8, extra=chunk(b"iTXt", b"k\0\1\0\0\0" + zlib.compress(LARGE))),
        "broken",
    ),
    "a profile of 100 MB": (lambda: png(8, extra=chunk(b"iCCP", b"k\0\0" + zlib.compress(LARGE))), "broken"),
    "a million chunks before the pixels": (lambda: png(8, extra=chunk(b"abCd") * 1_000_000), "broken"),
    "a million chunks of pixels": (lambda: png(8, after=chunk(b"IDAT") * 1_000_000), "broken"),
    "20,000 frames of PNG": (lambda: apng(20_000), "too-many-frames"),
    "20,000 frames of GIF": (lambda: gif(20_000), "too-many-frames"),
    "16 million blocks": (lambda: gif(extra=b"\x21\x01" + b"\1x" * 16_000_000 + b"\0"), "broken"),
    "a million comments": (lambda: gif(extra=b"\x21\xfe\1x\0" * 1_000_000), "broken"),
    "3,000 scans of 98 megapixels": (lambda: jpeg(9900, scans=3000), "too-many-pixels"),
    "25 scans of 98 megapixels": (lambda: jpeg(9900, scans=20), "too-many-pixels"),
    "65,535 scans": (lambda: jpeg(8, scans=65_535), "broken"),
    "120 scans behind comments": (lambda: comments_between(120), "too-many-pixels"),
    "2 million segments": (lambda: jpeg(8, extra=b"\xff\xe9\0\2" * 2_000_000), "broken"),
    "30 MB of fill bytes": (lambda: jpeg(8, extra=b"\xff" * 30_000_000), "broken"),
    "a directory that follows itself": (lambda: tiff({}, loop=True), ""),
    "20,000 pages": (lambda: tiff(*[{}] * 20_000), "too-many-frames"),
    "200,000 pages": (lambda: tiff(*[{}] * 200_000), "broken"),
    "4 billion strips": (lambda: tiff({273: 0xFFFFFFFF}), "broken"),
    "2 million strips on page 2": (lambda: tiff({}, {273: 2_000_000, 257: 2_000_000}), "broken"),
    "4 billion strips of 64 bits": (lambda: tiff({273: 0xFFFFFFFF}, big=True), "broken"),
    "a row of 90 million pixels in run lengths": (lambda: bmp(90_000_000, 1, b"\1\1\0\0\0\1"), "too-many-pixels"),
    "99,000 ends of lines": (lambda: bmp(1000, 99_000, b"\1\1\0\0" * 99_000 + b"\0\1"), "too-many-pixels"),
    "15 million runs": (lambda: bmp(2800, 2800, b"\0\0" * 15_000_000 + b"\0\1"), "broken"),
    "a bomb in an icon": (lambda: ico(png(50_000, pixels=False)), "too-many-pixels"),
    "a million chunks in an icon": (lambda: ico(png(8, extra=chunk(b"abCd") * 1_000_000)), "broken"),
    "run lengths in an icon": (lambda: ico(bmp(5000, 10_000, b"\0\1")[14:]), "broken"),
    "65,535 icons": (lambda: ico(png(8), entries=65_535), ""),
}
"""What makes each, and the reason why it is not stored; none for what is a picture after all."""


# The process


def bodies(what: str, number: int) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each picture."""
    if what == "bombs":
        yield from ((name, make()) for name, (make, _) in BOMBS.items())
    else:
        for image_format in what.split(","):
            yield from ((f"{image_format} {each}", spoiled(image_format, each)) for each in range(number))


def end_of(body: bytes, limits: Limits) -> str:
    """The reason, nothing for a picture, or what should not have been raised."""
    try:
        prove(body, limits)
    except MediaError as error:
        return error.reason
    except BaseException as error:  # noqa: BLE001
        return repr(error)
    return ""


def main(what: str, number: str, current: str) -> None:
    """Says as JSON which pictures came to which end, by the reason, and what the process took."""
    limits = Limits(max_pixels=IMAGES_MAX_PIXELS if what == "bombs" else 1_000_000, max_frames=IMAGES_MAX_FRAMES)
    Image.MAX_IMAGE_PIXELS = limits.max_pixels // 2  # as the pipeline sets it
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    ends: dict[str, list[str]] = {}
    for name, body in bodies(what, int(number)):
        Path(current).write_text(name)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # nobody hears the signal: it ends the process
        ends.setdefault(end_of(body, limits), []).append(name)
        signal.setitimer(signal.ITIMER_PROF, 0)
    status = Path("/proc/self/status").read_text("ascii")
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024  # ru_maxrss is that of the parent too, before exec
    print(json.dumps({"ends": ends, "peak": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
