"""How hosts of ``site`` send pictures: drawn on demand, in their own size or a lesser one, with a mark."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageOps

from tests.replica.exchange import Answer, Request
from tests.replica.pictures import FORMATS, PictureAddress, Size


def send(request: Request, body: bytes, mime: str) -> Answer:
    """An answer with a mark; that the mark still holds if the client knows it."""
    mark = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == mark:
        return Answer(304, (("ETag", mark),))
    return Answer(200, (("Content-Type", mime), ("ETag", mark)), body)


def draw(name: str, size: Size, seed: str, at: Size | None = None) -> bytes:
    """A picture in the format of that name, in its own size or cut and made smaller to ``at``."""
    return _smaller(name, size, seed, at) if at and at != size else PictureAddress(name, size, seed).picture()


@lru_cache(maxsize=256)
def _smaller(name: str, size: Size, seed: str, at: Size) -> bytes:
    form = FORMATS[name]
    whole = Image.open(BytesIO(draw(name, size, seed)))
    buffer = BytesIO()
    picture = ImageOps.fit(whole.convert("RGB"), (min(at[0], size[0]), min(at[1], size[1])))
    (picture.quantize(64) if form.mode == "P" else picture).save(buffer, form.pillow, **form.options)
    return buffer.getvalue()
