"""Addresses of Unsplash: which photo they mean, and the widths in which its picture can be had.

Pictures are served by imgix (``images.unsplash.com``), whose query says how one is made from the original; see
:func:`sized_url`. Paid pictures have a host of their own, ``plus.unsplash.com``.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urljoin

from imagecrawl.pages.values import split_url, text_of, web_url

HOST = "unsplash.com"
IMAGE_HOST = "images.unsplash.com"
PAID_HOST = "plus.unsplash.com"
SITE = f"https://{HOST}/"

_IMAGE = re.compile(r"/(?:flagged/)?photo-(?P<id>[0-9]{13}-[0-9a-f]{12})/?")
_LANGUAGE = "(?:/[a-z]{2}(?:-[a-z]{2})?)?"
_PHOTOS = "(?:photos|fotos|foto|fotografias|写真|사진|照片)"
_PHOTO_PAGE = re.compile(f"{_LANGUAGE}/{_PHOTOS}/(?:[^/]+-)?(?P<code>[A-Za-z0-9_-]{{11}})/?")
"""``/photos/<code>`` until 2023, since then ``/photos/<words>-<code>``, in many languages. Codes may hold hyphens."""
_SEARCH = re.compile(f"{_LANGUAGE}/s/{_PHOTOS}/(?P<words>[^/]+)/?")
_PROFILE = re.compile(rf"{_LANGUAGE}/(?P<name>@[^/\s]+)/?")

_CONTRADICT_WIDTH = {"w", "h", "fit", "crop", "dpr", "ar", "rect", "max-w", "max-h", "min-w", "min-h"}
_SAYS_WHERE_SEEN = {"ixid", "ixlib"}


def image_id(url: str | None) -> str | None:
    """The id ``<13 digits>-<12 hex>`` of a free photo's picture; ``None`` for avatars, paid ones and other hosts.

    >>> image_id("https://images.unsplash.com/photo-1593642632559-0c6d3fc62b89?w=600")
    '1593642632559-0c6d3fc62b89'
    """
    parts = _parts(url)
    if parts is None or parts.netloc.lower() != IMAGE_HOST:
        return None
    found = _IMAGE.fullmatch(parts.path)
    return found["id"] if found else None


def is_paid(url: str | None) -> bool:
    """Whether a picture is one of those that only subscribers may have."""
    parts = _parts(url)
    return parts is not None and parts.hostname == PAID_HOST


def photo_code(url: str | None) -> str | None:
    """The code of the photo whose page ``url`` is, else ``None``.

    >>> photo_code("https://unsplash.com/photos/a-lake-at-dawn-Ab3-_xYz012"), photo_code("https://unsplash.com/")
    ('Ab3-_xYz012', None)
    """
    parts = _parts(url)
    if parts is None or not _is_site(parts):
        return None
    found = _PHOTO_PAGE.fullmatch(unquote(parts.path))
    return found["code"] if found else None


def canonical_photo_url(url: str) -> str:
    """The one address of a photo's page, whatever its words, language and query; ValueError for any other page.

    The site sends it on to the address with words.

    >>> canonical_photo_url("https://unsplash.com/de/fotos/ein-see-Ab3-_xYz012?utm_source=x#more")
    'https://unsplash.com/photos/Ab3-_xYz012'
    """
    code = photo_code(url)
    if code is None:
        raise ValueError(f"no address of a photo on {HOST}: {text_of(url) or ''!r}")
    return f"{SITE}photos/{code}"


def is_site_url(url: str) -> bool:
    """Whether a page is one of the site."""
    parts = _parts(url)
    return parts is not None and _is_site(parts)


def build_search_url(q: str) -> str:
    """The first page of a search; ValueError for a blank one. What comes after it is loaded by scripts.

    >>> build_search_url("mountain lake")
    'https://unsplash.com/s/photos/mountain-lake'
    """
    words = (text_of(q) or "").split()
    if not words:
        raise ValueError("a search needs a word")
    return f"{SITE}s/photos/{quote('-'.join(words), safe='')}"


def is_search(url: str) -> bool:
    """Whether an address is that of a search for photos, in any language."""
    return tag_of(url) is not None


def tag_of(url: str | None) -> str | None:
    """What a search for photos is for, from its address.

    >>> tag_of("https://unsplash.com/s/photos/mountain-lake")
    'mountain lake'
    """
    parts = _parts(url)
    if parts is None or not _is_site(parts):
        return None
    found = _SEARCH.fullmatch(unquote(parts.path))
    return text_of(found["words"].replace("-", " ")) if found else None


def profile_url(url: str | None) -> str | None:
    """The one address of the photographer's page that ``url`` leads to, else ``None``."""
    parts = _parts(url)
    if parts is None or not _is_site(parts):
        return None
    found = _PROFILE.fullmatch(unquote(parts.path))
    return f"{SITE}{quote(found['name'], safe='@')}" if found else None


def sized_url(image_url: str, width: int) -> str:
    """The address of the same picture ``width`` pixels wide, or as wide as the original where that is less.

    By imgix's documentation ``w`` alone keeps the proportions. ``h``, ``ar``, ``crop``, ``rect`` and the bounds
    (``max-w``, ...) cut the picture or limit it, ``dpr`` multiplies ``w``: they go. ``fit`` becomes ``max``, the one
    mode that promises the whole picture and never to enlarge it (the site's own ``crop`` does not). ``ixid`` and
    ``ixlib`` say on which kind of page and by which version of the site it was seen: they go too, and the rest is
    sorted, so that a picture does not have as many addresses as pages show it. Format, quality and colours (``auto``,
    ``fm``, ``q``, ``cs``) stay. ValueError for what is no picture of a free photo, and for a width below 1.

    >>> sized_url("https://images.unsplash.com/photo-1593642632559-0c6d3fc62b89?q=60&auto=format&fit=crop&w=1000", 600)
    'https://images.unsplash.com/photo-1593642632559-0c6d3fc62b89?auto=format&fit=max&q=60&w=600'
    """
    if width < 1:
        raise ValueError(f"a width is a number of pixels, not {width}")
    parts = _image_parts(image_url)
    dropped = _CONTRADICT_WIDTH | _SAYS_WHERE_SEEN
    kept = {name: value for name, value in parse_qsl(parts.query) if name.lower() not in dropped}
    query = urlencode(sorted({**kept, "fit": "max", "w": str(width)}.items()), safe=",")
    return parts._replace(query=query).geturl()


def original_url(image_url: str) -> str:
    """The address of the picture as it was uploaded; ValueError for what is no picture of a free photo.

    >>> original_url("https://images.unsplash.com/photo-1593642632559-0c6d3fc62b89?auto=format&w=600 ")
    'https://images.unsplash.com/photo-1593642632559-0c6d3fc62b89'
    """
    return _image_parts(image_url)._replace(query="").geturl()


def free_image_url(value: Any) -> str | None:
    """The address in ``value`` as it is given, if it is a picture of a free photo."""
    url = web_url(value)
    return url if image_id(url) else None


def absolute(href: str | None, base: str) -> str | None:
    """A link of a page as an absolute one; ``None`` for what is no web address."""
    said = text_of(href)
    try:
        return web_url(urljoin(base, said)) if said else None
    except ValueError:
        return None


def plain_page_url(url: str) -> str:
    """The address of a page of the site without query and fragment."""
    parts = _parts(url)
    return parts._replace(scheme="https", netloc=HOST, query="", fragment="").geturl() if parts else url


def short(url: str) -> str:
    """An address for a message: one line, not endless."""
    return (text_of(url) or "")[:200]


def _image_parts(url: str) -> SplitResult:
    parts = _parts(web_url(url)) if image_id(web_url(url)) else None
    if parts is None:
        raise ValueError(f"no picture of a free photo: {short(url)!r}")
    return parts._replace(scheme="https", netloc=IMAGE_HOST, fragment="")


def _parts(url: str | None) -> SplitResult | None:
    parts = split_url(url) if url else None
    return parts if parts and parts.scheme in {"http", "https"} else None


def _is_site(parts: SplitResult) -> bool:
    return parts.hostname in {HOST, f"www.{HOST}"}
