"""Pictures drawn on demand: their address says format, size and seed, so their bytes are a function of the address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from random import Random
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from PIL import Image, ImageDraw, ImageOps

from tests.replica.kinds import UNKNOWN_HOST
from tests.replica.spoiled import spoil

Size = tuple[int, int]


@dataclass(frozen=True)
class Format:
    """How to write a picture, and how wide one may be before it costs too much to make."""

    pillow: str
    extension: str
    mime: str
    max_width: int
    mode: str = "RGB"
    frames: int = 1
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


FORMATS = {
    "jpeg": Format("JPEG", "jpg", "image/jpeg", 2200, options={"quality": 70}),
    "jpeg-progressive": Format("JPEG", "jpeg", "image/jpeg", 2200, options={"quality": 70, "progressive": True}),
    "png": Format("PNG", "png", "image/png", 1300, options={"compress_level": 1}),
    "png-alpha": Format("PNG", "png", "image/png", 800, "RGBA", options={"compress_level": 1}),
    "png-palette": Format("PNG", "png", "image/png", 800, "P"),
    "webp": Format("WEBP", "webp", "image/webp", 2200, options={"quality": 60, "method": 0}),
    "webp-lossless": Format("WEBP", "webp", "image/webp", 500, options={"lossless": True, "method": 0}),
    "gif": Format("GIF", "gif", "image/gif", 640, "P"),
    "gif-animated": Format("GIF", "gif", "image/gif", 480, "P", frames=4),
    "avif": Format("AVIF", "avif", "image/avif", 480, options={"speed": 10, "max_threads": 1}),
    "bmp": Format("BMP", "bmp", "image/bmp", 320, "P"),
    "tiff": Format("TIFF", "tif", "image/tiff", 640, options={"compression": "tiff_lzw"}),
    "ico": Format("ICO", "ico", "image/x-icon", 180, "RGBA"),
}

NO_THUMBNAIL = "no-thumbnail-"
"""The host has no thumbnail whose address contains this."""

_ADDRESS = re.compile(r"(?:/(?P<kind>[\w-]+))?/(?P<format>[a-z-]+)/(?P<width>\d+)x(?P<height>\d+)/(?P<seed>[\w-]+)")
_THUMBNAIL_SIZE = re.compile(r"tbn:ANd9Gc_(\d+)x(\d+)_")


@dataclass(frozen=True)
class PictureAddress:
    """What the path of a picture says; ``kind`` is empty for a good one."""

    format: str
    size: Size
    seed: str
    kind: str = ""

    @classmethod
    def parse(cls, path: str) -> PictureAddress | None:
        """The address in ``path``, or None when there is no picture at such a path."""
        found = _ADDRESS.match(path)
        if not found or found["format"] not in FORMATS:
            return None
        return cls(found["format"], (int(found["width"]), int(found["height"])), found["seed"], found["kind"] or "")

    def path(self, extension: str) -> str:
        """The path, with an extension that need not be true."""
        kind = f"/{self.kind}" if self.kind else ""
        return f"{kind}/{self.format}/{self.size[0]}x{self.size[1]}/{self.seed}{extension and '.'}{extension}"

    def picture(self) -> bytes:
        """The whole picture, before anything spoils it."""
        return _encode(self.format, self.size, self.seed)


def picture_bytes(url: str) -> bytes:
    """What a host sends for ``url``: a picture, a spoiled one or a thumbnail. LookupError when it sends none."""
    parts = urlsplit(url)
    if parts.netloc.startswith("encrypted-tbn"):
        return thumbnail_bytes(url)
    address = PictureAddress.parse(parts.path)
    if not address or parts.netloc == UNKNOWN_HOST:
        raise LookupError(f"no picture at {url}")
    return spoil(address.kind, address.picture()) if address.kind else address.picture()


def thumbnail_url(seed: str, size: Size) -> str:
    """The address of a thumbnail on Google's host. It carries the size; real ones do not."""
    return f"https://encrypted-tbn0.gstatic.com/images?q=tbn:ANd9Gc_{size[0]}x{size[1]}_{seed}&s"


def thumbnail_bytes(url: str) -> bytes:
    """The thumbnail at ``url``: any ``q=tbn:...`` has one, of a size of its own unless it carries one."""
    token = parse_qs(urlsplit(url).query).get("q", [""])[0]
    if not token.startswith("tbn:"):
        raise LookupError(f"no thumbnail at {url}")
    found = _THUMBNAIL_SIZE.match(token)
    return _encode("jpeg", (int(found[1]), int(found[2])) if found else (225, 225), token)


@lru_cache(maxsize=256)
def _encode(name: str, size: Size, seed: str) -> bytes:
    """The picture in its format. Only ICO reads ``sizes``: it would make smaller copies otherwise."""
    form = FORMATS[name]
    first, *others = (_draw(size, seed, frame, form.mode) for frame in range(form.frames))
    options: dict[str, Any] = {"sizes": [size], **form.options}
    if others:
        options |= {"save_all": True, "append_images": others, "duration": 100, "loop": 0}
    buffer = BytesIO()
    first.save(buffer, form.pillow, **options)
    return buffer.getvalue()


def _draw(size: Size, seed: str, frame: int, mode: str) -> Image.Image:
    """A gradient with some discs; a bar that moves from frame to frame."""
    random = Random(f"{seed} {size}")
    ramp = Image.linear_gradient("L").rotate(random.choice((0, 90, 180, 270))).resize(size)
    picture = ImageOps.colorize(ramp, _colour(random), _colour(random))
    brush = ImageDraw.Draw(picture)
    for _ in range(5):
        x, y = random.randrange(size[0]), random.randrange(size[1])
        radius = min(size) * random.uniform(0.05, 0.3)
        brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(random))
    brush.rectangle((size[0] * frame // 4, 0, size[0] * frame // 4 + size[0] // 8, size[1]), fill=_colour(random))
    if mode == "RGBA":
        picture.putalpha(ramp)
    return picture.quantize(64) if mode == "P" else picture


def _colour(random: Random) -> str:
    return f"#{random.randrange(1 << 24):06x}"
