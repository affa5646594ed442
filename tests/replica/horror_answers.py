"""What hosts answer that mean harm: heads, bodies and pictures that are cheap to send and dear to take."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import repeat
from time import sleep

import brotli  # type: ignore[import-untyped]
from backports import zstd

from tests.replica.exchange import Answer, Request, page, redirect
from tests.replica.pictures import PictureAddress
from tests.replica.spoiled import spoil

MIB = 1024 * 1024
BOMB = 64 * MIB
"""Bytes that come out of a compressed bomb: twice what a picture or a page may have."""

SECRET = "hunter2-of-a-page"
"""A password that stands in addresses."""

Answering = Callable[[Request], Answer]


def picture(request: Request) -> bytes:
    """A sound picture, another one for each horror."""
    return PictureAddress("jpeg", (200, 150), f"horror-{request.params.get('horror', '')}").picture()


def small() -> bytes:
    return PictureAddress("jpeg", (200, 150), "data").picture()


def good(request: Request) -> Answer:
    return Answer(200, (("Content-Type", "image/jpeg"),), picture(request))


def with_headers(*headers: tuple[str, str]) -> Answering:
    """A sound picture with these headers too."""

    def answer(request: Request) -> Answer:
        sent = () if any(name == "Content-Type" for name, _ in headers) else good(request).headers
        return replace(good(request), headers=(*sent, *headers))

    return answer


def body(data: Callable[[], bytes], *headers: tuple[str, str]) -> Answering:
    """These bytes, made when they are asked for."""
    return lambda _: Answer(200, (("Content-Type", "image/jpeg"), *headers), data())


def status(code: int, *headers: tuple[str, str]) -> Answering:
    return lambda _: Answer(code, (("Content-Type", "text/plain"), *headers), b"no")


def led(request: Request) -> Answer:
    """To what stands in the address as ``to``: by a page, or a redirect with the status that is ``way``."""
    to = request.params["to"]
    if request.params["way"] == "meta":
        return page(f'<html><head><meta http-equiv="refresh" content="0; url={to}"></head><body></body></html>')
    return redirect(to, int(request.params["way"]))


def hops(number: int, request: Request) -> Answer:
    """So many redirects, and a picture."""
    done = int(request.params.get("hop", 0))
    if done == number:
        return good(request)
    return redirect(f"https://{request.host}/hop.jpg?horror={request.params.get('horror', '')}&hop={done + 1}")


def led_with_login(request: Request) -> Answer:
    return redirect(f"https://me:{SECRET}@{request.host}/x.jpg")


def led_far(request: Request) -> Answer:
    return redirect(f"https://{request.host}/{'x' * 9000}.jpg")


# Bodies


def endless(_: Request) -> Answer:
    """The beginning of a picture, whose length is not said, and no end."""
    return Answer(200, (("Content-Type", "image/jpeg"),), repeat(b"\xff\xd8\xff" + bytes(64 * 1024)))


def said_to_be_large(request: Request) -> Answer:
    """A picture whose length is said, and above any bound."""
    return replace(good(request), missing=33 * MIB)


def dribbling(rate: int, request: Request) -> Answer:
    """A picture that never ends, of so many bytes a second."""

    def chunks() -> Iterator[bytes]:
        yield picture(request)[:1000]
        while True:
            sleep(0.2)
            yield bytes(rate // 5)

    return Answer(200, (("Content-Type", "image/jpeg"),), chunks())


@cache
def gzip_bomb() -> bytes:
    return gzip.compress(bytes(BOMB), 1)


@cache
def brotli_bomb() -> bytes:
    return bytes(brotli.compress(bytes(BOMB), quality=1))


@cache
def zstd_bomb() -> bytes:
    return zstd.compress(bytes(BOMB))


@cache
def double_bomb() -> bytes:
    """Of a few hundred bytes, a bomb of a bomb."""
    return gzip.compress(gzip_bomb())


# Pictures

_DOT = b"\x2c" + bytes(4) + b"\1\0\1\0\0" + b"\x02\x02\x44\x01\0"  # a frame of a GIF: one pixel


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG that has next to nothing inside; chunks before its data."""
    head = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4) for name, data in parts
    )


def pixel_bomb() -> bytes:
    return spoil("bomb", b"")


def text_bomb() -> bytes:
    """A small PNG, and a comment of 64 MiB."""
    return png(200, 150, (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(BOMB), 1)))


def profile_bomb() -> bytes:
    return png(200, 150, (b"iCCP", b"profile\0\0" + zlib.compress(bytes(BOMB), 1)))


def frame_bomb(frames: int) -> bytes:
    """A small GIF of so many frames, in each of which a pixel changes."""
    return b"GIF89a\x64\0\x64\0\x80\0\0\0\0\0\xff\xff\xff" + _DOT * frames + b";"


def icon(inner: bytes) -> bytes:
    """An icon with one picture in it."""
    entry = bytes(4) + b"\1\0\x20\0" + len(inner).to_bytes(4, "little") + (22).to_bytes(4, "little")
    return b"\0\0\1\0\1\0" + entry + inner


def tiff(side: int, size: int, *, circles: bool = False) -> bytes:
    """A TIFF of so many pixels each way and so many bytes of them; its directories end, or lead back to the first."""
    entries = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: side, 279: size}
    directory = len(entries).to_bytes(2, "little") + b"".join(
        tag.to_bytes(2, "little") + b"\4\0" + (1).to_bytes(4, "little") + value.to_bytes(4, "little")
        for tag, value in entries.items()
    )
    head = b"II*\0\x08\0\0\0" + directory + (8 if circles else 0).to_bytes(4, "little")
    return head.ljust(200, b"\0") + bytes(size)


def scans(number: int) -> bytes:
    """A JPEG that is gone over so often."""
    whole = PictureAddress("jpeg", (200, 150), "scans").picture()
    start = whole.index(b"\xff\xda")
    return whole[:start] + whole[start:-2] * number + whole[-2:]


def drawing() -> bytes:
    """An SVG that would read a file."""
    return (
        b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        b'<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text><script>alert(1)</script></svg>'
    )
