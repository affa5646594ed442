"""Addresses of Google Images searches, and the words that its filters take."""

from __future__ import annotations

import re
from datetime import date
from urllib.parse import urlencode

_SEARCH = "https://www.google.com/search"

_AT_LEAST = {">400x300": "qsvga", ">640x480": "vga", ">800x600": "svga", ">1024x768": "xga"} | {
    f">{megapixels}mp": f"{megapixels}mp" for megapixels in (2, 4, 6, 8, 10, 12, 15, 20, 40, 70)
}
_SPECIFIC_COLORS = (
    "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "white", "gray", "black", "brown"
)  # fmt: skip

SIZES = {"icon": "isz:i", "medium": "isz:m", "large": "isz:l"} | {
    word: f"isz:lt,islt:{value}" for word, value in _AT_LEAST.items()
}
"""Word of the size filter -> its part of ``tbs``. An exact size is a word like ``1920x1080``, see :func:`size_tbs`."""

COLORS = {"color": "ic:color", "blackandwhite": "ic:gray", "transparent": "ic:trans"} | {
    color: f"ic:specific,isc:{color}" for color in _SPECIFIC_COLORS
}
"""Word of the colour filter -> its part of ``tbs``. ``gray`` is mostly gray pictures, ``blackandwhite`` those without
any colour."""

TYPES = {word: f"itp:{word}" for word in ("clipart", "lineart", "animated", "photo", "face")}
"""Word of the type filter -> its part of ``tbs``."""

LICENCES = {"cc": "sur:cl", "commercial": "sur:ol"}
"""Word of the usage rights filter -> its part of ``tbs``: Creative Commons, or commercial and other licences."""

TIMES = {"hour": "qdr:h", "day": "qdr:d", "week": "qdr:w", "month": "qdr:m", "year": "qdr:y"}
"""Word of the time filter -> its part of ``tbs``. A range is ``2024-01-31..2024-06-30``, see :func:`time_tbs`."""

ASPECTS = {"tall": "iar:t", "square": "iar:s", "wide": "iar:w", "panoramic": "iar:xw"}
"""Word of the aspect ratio filter -> its part of ``tbs``."""

FILETYPES = {word: f"ift:{word}" for word in ("jpg", "gif", "png", "bmp", "webp", "ico")}
"""Word of the file type filter -> its part of ``tbs``. Google knows ``svg`` and ``craw`` too, which are not stored."""

_EXACT_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_DATE_RANGE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.\.([0-9]{4}-[0-9]{2}-[0-9]{2})")


def build_search_url(
    query: str,
    *,
    size: str | None = None,
    color: str | None = None,
    type: str | None = None,
    licence: str | None = None,
    time: str | None = None,
    aspect: str | None = None,
    filetype: str | None = None,
    site: str | None = None,
    lang: str | None = "en",
    country: str | None = None,
    safe: str | None = None,
) -> str:
    """Address of the first page of an image search.

    ``site`` is a host; ``lang`` the language of the page (English is what its texts are recognised in); ``country`` two
    letters, the country searched from and restricted to; ``safe`` ``active``, ``off`` or ``images``. The other filters
    are words of the dicts above; raises ValueError for any other word.
    """
    tbs = build_tbs(size=size, color=color, type=type, licence=licence, time=time, aspect=aspect, filetype=filetype)
    parameters = {
        "q": query,
        "udm": "2",
        "hl": lang,
        "gl": country and country.lower(),
        "cr": country and f"country{country.upper()}",
        "safe": safe,
        "as_sitesearch": site,
        "tbs": tbs,
    }
    return f"{_SEARCH}?{urlencode({name: value for name, value in parameters.items() if value})}"


def build_tbs(
    *,
    size: str | None = None,
    color: str | None = None,
    type: str | None = None,
    licence: str | None = None,
    time: str | None = None,
    aspect: str | None = None,
    filetype: str | None = None,
) -> str:
    """The filters as Google's ``tbs`` parameter: ``key:value`` pairs with commas. Empty without filters."""
    parts = (
        size and size_tbs(size),
        color and _known("color", color, COLORS),
        type and _known("type", type, TYPES),
        licence and _known("licence", licence, LICENCES),
        time and time_tbs(time),
        aspect and _known("aspect", aspect, ASPECTS),
        filetype and _known("filetype", filetype, FILETYPES),
    )
    return ",".join(part for part in parts if part)


def size_tbs(word: str) -> str:
    """``large`` -> ``isz:l``; ``1920x1080`` -> ``isz:ex,iszw:1920,iszh:1080``. Raises ValueError for any other word."""
    exact = _EXACT_SIZE.fullmatch(word)
    if exact:
        return f"isz:ex,iszw:{exact[1]},iszh:{exact[2]}"
    return _known("size", word, SIZES, "or an exact size such as 1920x1080")


def time_tbs(word: str) -> str:
    """``week`` -> ``qdr:w``; ``2024-01-31..2024-06-30`` -> ``cdr:1,cd_min:1/31/2024,cd_max:6/30/2024``.

    Raises ValueError for any other word and for a range that is not in order.
    """
    dates = _DATE_RANGE.fullmatch(word)
    if not dates:
        return _known("time", word, TIMES, "or a range such as 2024-01-31..2024-06-30")
    try:
        first, last = date.fromisoformat(dates[1]), date.fromisoformat(dates[2])
    except ValueError as error:
        raise ValueError(f"time {word!r} holds a date that does not exist: {error}") from None
    if first > last:
        raise ValueError(f"time {word!r} ends before it begins")
    return f"cdr:1,cd_min:{_us_date(first)},cd_max:{_us_date(last)}"


def _known(name: str, word: str, known: dict[str, str], other: str = "") -> str:
    if word not in known:
        takes = f"{name} takes {', '.join(known)}" + (f", {other}" if other else "")
        raise ValueError(f"{takes}; not {word!r}")
    return known[word]


def _us_date(day: date) -> str:
    return f"{day.month}/{day.day}/{day.year}"
