"""One result: what a page says of it, and what should become of it. Made from the query and the place in its list."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from random import Random
from urllib.parse import quote

from tests.replica.kinds import KINDS, PICTURE_HOSTS, TROUBLE_HOST
from tests.replica.pictures import FORMATS, NO_THUMBNAIL, PictureAddress, Size, thumbnail_url

_PLAIN_HTTP = 24
_NO_CROP = 30

_FORMAT_CYCLE = (
    "jpeg", "png", "jpeg-progressive", "webp", "jpeg", "gif", "png-alpha", "jpeg", "gif-animated", "webp-lossless",
    "jpeg-progressive", "png-palette", "avif", "jpeg", "bmp", "webp", "tiff", "jpeg", "ico",
)  # fmt: skip
_WIDTH_CLASSES = ((640, 1023), (1024, 1919), (320, 639), (1920, 2200), (64, 319), (640, 1023), (320, 639))
_SITES = (("Photo Club", "club.example"), ("Encyclopedia of Everything", "encyclopedia.example"), ("", "blog.example"))
_TITLES = (
    "{query}, number {number}",
    'The "best" {query} <b>in town</b> & more',
    "{query} 사진 {number} - 백과사전",
    "🐈 {query} \N{EM DASH} it's number {number}",
    "1 < 2 and 3 > 2: {query} compared",
)


@dataclass(frozen=True)
class Rights:
    """What a record says about rights."""

    credit: str
    creators: tuple[str, ...]
    notice: str | None
    licence_url: str
    purchase_url: str


@dataclass(frozen=True)
class Result:
    """One result, what its page says of it, and what should become of it.

    ``image_url`` is empty when the page gives only a thumbnail. Sizes are (width, height). ``kind`` is ``good``, a key
    of KINDS, ``same-bytes``, ``same-address`` or ``thumbnail-only``.
    """

    id: str
    page_id: str
    title: str
    page_url: str
    site: str
    image_url: str
    width: int
    height: int
    thumbnail_url: str
    thumbnail_size: Size
    rights: Rights | None = None
    kind: str = "good"
    reason: str | None = None
    outcome: str = "stored"
    record_kind: int = 0
    crop: tuple[int | None, ...] = (None, None, None, 12, 6, 18, 9)
    has_tile: bool = True
    has_record: bool = True


def good(query: str, index: int) -> Result:
    """A result with a good picture; every twentieth picture is also found by all other queries."""
    shared = index % 20 == 3
    seed = f"shared-{index}" if shared else f"{_digest(query)[:8]}-{index}"
    name = _FORMAT_CYCLE[index % len(_FORMAT_CYCLE)]
    address = PictureAddress(name, _size(Random(seed), index, FORMATS[name].max_width), seed)
    scheme = "http" if index == _PLAIN_HTTP else "https"
    host = PICTURE_HOSTS[index % len(PICTURE_HOSTS)]
    url = f"{scheme}://{host}{address.path(_extension(index, name))}{_query_string(index)}"
    return _result(query, index, url, address)


def bad(query: str, index: int, name: str) -> Result:
    """A result of the kind ``name``."""
    kind = KINDS[name]
    random = Random(f"{query} {index}")
    size = (random.randint(400, 480), random.randint(300, 400))
    path_kind = name if kind.host == TROUBLE_HOST else ""
    address = PictureAddress(kind.format, size, f"{_digest(query)[:8]}-{index}", path_kind)
    url = f"https://{kind.host}{address.path(FORMATS[kind.format].extension)}"
    return replace(_result(query, index, url, address), kind=name, reason=kind.reason, outcome=kind.outcome)


def same_bytes(result: Result, original: Result) -> Result:
    """``result`` with a copy of the picture of ``original``: a host gives the same bytes with any query."""
    return _copy(result, original, f"{original.image_url}?copy=1", "same-bytes")


def same_address(result: Result, original: Result) -> Result:
    """``result`` with the picture of ``original``."""
    return _copy(result, original, original.image_url, "same-address")


def _copy(result: Result, original: Result, url: str, kind: str) -> Result:
    return replace(result, image_url=url, width=original.width, height=original.height, kind=kind, outcome="duplicate")


def without_address(result: Result) -> Result:
    """``result`` when its page gives only the thumbnail."""
    return replace(result, image_url="", kind="thumbnail-only", reason="no-url", outcome="failed")


def _result(query: str, index: int, url: str, address: PictureAddress) -> Result:
    site, host = _SITES[index % len(_SITES)]
    thumbnail = _thumbnail_size(address.size)
    licensed = index % 20 == 11
    return Result(
        id=_id(query, index),
        page_id=_token(f"page {query} {index}")[:14],
        title=_TITLES[index % len(_TITLES)].format(query=query, number=index),
        page_url=f"https://{host}/{quote(query)}/{index}?from=list&n={index}",
        site=site or host,
        image_url=url,
        width=address.size[0],
        height=address.size[1],
        thumbnail_url=_thumbnail_url(query, index, thumbnail),
        thumbnail_size=thumbnail,
        rights=_rights(index, host) if licensed else None,
        record_kind=7 if licensed else 3 if index % 25 == 8 else 0,
        crop=() if index == _NO_CROP else Result.crop,
    )


def _rights(index: int, host: str) -> Rights:
    return Rights(
        credit="Agency/Stock & Sons",
        creators=("Ann Example", "Bo Beispiel")[: 1 + index % 2],
        notice="All Rights Reserved" if index % 40 == 11 else None,
        licence_url=f"https://{host}/licence",
        purchase_url=f"https://{host}/buy?n={index}",
    )


def _size(random: Random, index: int, max_width: int) -> Size:
    low, high = _WIDTH_CLASSES[index % len(_WIDTH_CLASSES)]
    width = random.randint(low, high) if low <= max_width else random.randint(64, max_width)
    width = min(width, max_width)
    return width, round(width * random.choice((0.56, 0.67, 0.75) if width > 1000 else (0.56, 0.75, 1, 1.33)))


def _thumbnail_size(size: Size) -> Size:
    scale = min(1, (50_000 / (size[0] * size[1])) ** 0.5)
    return round(size[0] * scale), round(size[1] * scale)


def _thumbnail_url(query: str, index: int, size: Size) -> str:
    prefix = NO_THUMBNAIL if query == "thumbless" else ""
    return thumbnail_url(prefix + _token(f"thumbnail {query} {index}")[:30], size)


def _extension(index: int, name: str) -> str:
    """Mostly the true one; sometimes none, and a PNG is sometimes called a JPEG."""
    if index % 13 == 4:
        return ""
    return "jpg" if name == "png" and index % 2 else FORMATS[name].extension


def _query_string(index: int) -> str:
    return f"?w=1200&fit=crop&v={index}" if index % 10 == 5 else ""


def _id(query: str, index: int) -> str:
    first = {4: "-", 9: "_"}.get(index % 12, "")
    return (first + _token(f"{query} {index}").lstrip("-_"))[:14]


def _token(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
