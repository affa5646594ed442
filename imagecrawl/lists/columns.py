"""Which column of a table is what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imagecrawl.lists.rows import shown
from imagecrawl.params import did_you_mean

# Names that can only be a picture's come before those that may be the page's.
URL_NAMES = (
    "image_urls", "image_url", "img_urls", "img_url", "photo_image_url", "original_url", "content_url", "media_url",
    "picture_url", "download_url", "urls", "url", "uri", "src", "link", "href", "image", "img", "picture", "photo",
)  # fmt: skip
KEYWORD_NAMES = ("keyword", "label", "class", "class_name", "category", "query", "q", "search_term")
CAPTION_NAMES = ("caption", "text", "alt", "alt_text", "title", "description")
"""Where no column is named: the first of these that there is. Capitals, spaces, ``_`` and ``-`` do not count."""

MAX_LISTED = 30
"""Columns that an error names."""

_IGNORED = re.compile(r"[\s_-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Names of columns, as the user gives them (any capitals) or as the file has them."""

    url: str | None = None
    keyword: str | None = None
    caption: str | None = None
    extra: tuple[str, ...] = ()
    """Other columns to carry along; ``*`` for all that are not one of the above."""

    @property
    def named(self) -> dict[str, str]:
        """What the user names: the spider's argument for each, and the name."""
        pairs = {"url_column": self.url, "keyword_column": self.keyword, "caption_column": self.caption}
        return {argument: name for argument, name in pairs.items() if name is not None}

    @property
    def named_extra(self) -> tuple[str, ...]:
        return tuple(name for name in self.extra if name != "*")


class ColumnError(ValueError):
    """Raised by :func:`find_columns` when a column is missing; the message lists those that there are."""


def find_columns(names: Sequence[str], asked: Columns) -> Columns:
    """The columns to use, of those there are: those asked for, else those with sensible names.

    ``url`` is never ``None`` in the result. Raises :class:`ColumnError`.
    """
    known = list(dict.fromkeys(names))
    named = {argument: _match(known, name, argument) for argument, name in asked.named.items()}
    extra = [_match(known, name, "extra_columns") for name in asked.named_extra]
    taken = set(named.values())
    for argument, sensible in (
        ("url_column", URL_NAMES),
        ("keyword_column", KEYWORD_NAMES),
        ("caption_column", CAPTION_NAMES),
    ):
        if argument not in named and (found := _first(known, sensible, taken)) is not None:
            named[argument] = found
            taken.add(found)
    if "url_column" not in named:
        raise ColumnError(f"no column with a name known for URLs; name it with url_column. {_there_are(known)}")
    if "*" in asked.extra:
        extra += [name for name in known if name and name not in taken]
    return Columns(
        url=named["url_column"],
        keyword=named.get("keyword_column"),
        caption=named.get("caption_column"),
        extra=tuple(dict.fromkeys(extra)),
    )


def find_url(names: Sequence[str], asked: Columns) -> str | None:
    """The column of URLs, of those there are; ``None`` when there is none."""
    if asked.url is not None:
        return _same(names, asked.url)
    return _first(names, URL_NAMES, set())


def refuse_columns(asked: Columns) -> None:
    """Raises :class:`ColumnError` when a column is named; for lists that have none."""
    for argument, name in (*asked.named.items(), *(("extra_columns", name) for name in asked.named_extra)):
        raise ColumnError(f"there are no columns in this kind of list, and {argument} names {shown(name)}")


def _match(known: Sequence[str], name: str, argument: str) -> str:
    found = _same(known, name)
    if found is None:
        hint = did_you_mean(name, [other for other in known if len(other) <= 100])
        raise ColumnError(f"no column {shown(name)} ({argument}). {f'{hint} ' if hint else ''}{_there_are(known)}")
    return found


def _same(known: Iterable[str], name: str) -> str | None:
    """``name`` as it is written in the file: exactly, else in other capitals."""
    same = [other for other in known if other.casefold() == name.strip().casefold()]
    return name if name in same else next(iter(same), None)


def _first(known: Sequence[str], sensible: Iterable[str], taken: set[str]) -> str | None:
    by_word: dict[str, str] = {}
    for name in known:
        if name not in taken and len(name) <= 100:
            by_word.setdefault(_word(name), name)
    return next((by_word[word] for word in map(_word, sensible) if word in by_word), None)


def _word(name: str) -> str:
    """
    >>> _word("Image URL"), _word("image_url"), _word("contentUrl")
    ('imageurl', 'imageurl', 'contenturl')
    """
    return _IGNORED.sub("", name).casefold()


def _there_are(known: Sequence[str]) -> str:
    more = f" and {len(known) - MAX_LISTED} more" if len(known) > MAX_LISTED else ""
    return f"There are: {', '.join(shown(name) for name in known[:MAX_LISTED])}{more}"
