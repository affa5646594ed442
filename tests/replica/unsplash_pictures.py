"""The hosts of the replica's pictures: images.unsplash.com makes them as imgix documents it, plus.unsplash.com none.

``w``, ``h`` and ``dpr`` give a box in pixels. ``fit=max`` fits the whole picture into it and never enlarges it; nor
does no ``fit`` at all. ``crop`` fills the box, ``scale`` and ``clip`` reach it, all three by enlarging if need be.
``fm`` is the format, but ``auto=format`` prefers WebP where the client accepts it; ``q`` is the quality. Without a
query the original is sent as it is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageOps

from tests.replica import unsplash_photos as catalogue
from tests.replica.exchange import Answer, Request, not_found, page
from tests.replica.pictures import FORMATS, PictureAddress, Size
from tests.replica.spoiled import spoil

_FORMATS = {"jpg": "jpeg", "pjpg": "jpeg-progressive", "png": "png", "webp": "webp"}
_ENLARGES = {"crop", "scale", "clip"}
_WIDEST = 3000


@dataclass(frozen=True)
class Rendering:
    """How a picture is made from its original; ``box`` has ``None`` for a side that is not given."""

    box: tuple[int | None, int | None]
    fit: str
    format: str
    quality: int

    @classmethod
    def parse(cls, params: dict[str, str], accept: str) -> Rendering:
        """What a query asks for. What imgix cannot read it ignores."""
        ratio = _number(params.get("dpr")) or 1
        sides = [_number(params.get(name)) for name in ("w", "h")]
        width, height = (min(side * ratio, _WIDEST) if side else None for side in sides)
        accepts_webp = "format" in params.get("auto", "").split(",") and "image/webp" in accept
        name = "webp" if accepts_webp else _FORMATS.get(params.get("fm", ""), "jpeg")
        return cls((width, height), params.get("fit", ""), name, min(_number(params.get("q")) or 75, 100))

    def size(self, original: Size) -> Size:
        """The size in which a picture of the ``original`` size comes."""
        width, height = self.box
        if width and height and self.fit in {"crop", "scale"}:
            return width, height
        ratios = [side / given for side, given in zip(self.box, original, strict=True) if side]
        ratio = min(ratios, default=1.0)
        if self.fit not in _ENLARGES:
            ratio = min(ratio, 1.0)
        return max(1, round(original[0] * ratio)), max(1, round(original[1] * ratio))


def images(request: Request) -> Answer:
    """images.unsplash.com: pictures of free photos, and avatars."""
    if request.route.startswith("/profile-"):
        return Answer(200, (("Content-Type", "image/jpeg"),), _avatar(request.route))
    photo = catalogue.by_id(request.route.removeprefix("/photo-"))
    if photo is None or photo.trap in {"gone", "paid"}:
        return not_found()
    if request.params:
        wanted = Rendering.parse(request.params, request.headers.get("accept", ""))
        body, mime, mark = _rendered(photo, wanted), FORMATS[wanted.format].mime, f"{photo.id} {wanted}"
    else:
        body, mime, mark = photo.original, "image/jpeg", photo.id
    if photo.trap == "cut":
        return Answer(200, (("Content-Type", mime),), spoil("cut-jpeg", body))
    tag = f'"{hashlib.sha256(mark.encode()).hexdigest()[:32]}"'
    headers = (("ETag", tag), ("Vary", "Accept"), ("Cache-Control", "public, max-age=31536000"))
    if request.headers.get("if-none-match") == tag:
        return Answer(304, headers)
    return Answer(200, (("Content-Type", mime), *headers), body)


def plus(request: Request) -> Answer:
    """plus.unsplash.com: nothing without a subscription."""
    return page("<html><title>Payment required</title><body>Unsplash+ members only</body></html>", 402)


@lru_cache(maxsize=512)
def _rendered(photo: catalogue.Photo, wanted: Rendering) -> bytes:
    form = FORMATS[wanted.format]
    size = wanted.size(photo.size)
    picture = Image.open(BytesIO(photo.original))
    picture.draft("RGB", size)
    picture = ImageOps.fit(picture, size) if wanted.fit == "crop" else picture.resize(size)
    buffer = BytesIO()
    picture.save(buffer, form.pillow, **{**form.options, "quality": wanted.quality})
    return buffer.getvalue()


def _avatar(route: str) -> bytes:
    return PictureAddress("jpeg", (32, 32), route.strip("/")).picture()


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and int(value) else None
