"""What a page of Unsplash gives for one photo, and how what it says in several places becomes one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from imagecrawl.pages.values import text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One free photo. Every URL is absolute; ``None`` means that the page does not say."""

    id: str
    """``<13 digits>-<12 hex>``: the name of its picture, the same on every page."""
    code: str | None = None
    """The last 11 characters of the address of its page."""
    image_url: str
    """The largest candidate of the first element that shows it, else what the JSON has; as given. ``sized_url`` and
    ``original_url`` make any other size of it."""
    page_url: str | None = None
    """Its page, without query."""
    description: str | None = None
    """What is to be seen: the ``alt`` text."""
    title: str | None = None
    """The second description: the title of the link to its page, or the photographer's own words."""
    photographer: str | None = None
    photographer_url: str | None = None
    tags: tuple[str, ...] | None = None
    """``None``: the page does not say; ``()``: it says that there are none."""
    licence_url: str | None = None

    def completed(self, other: Photo) -> Photo:
        """The photo with what is not known of it from ``other``, which another place or a later visit says."""
        gaps = [field.name for field in fields(self) if not getattr(self, field.name)]
        news = {name: getattr(other, name) for name in gaps}
        return replace(self, **{name: value for name, value in news.items() if value is not None})


def merge_photos(photos: Iterable[Photo]) -> dict[str, Photo]:
    """Each photo once, by id, in the order in which they are first seen."""
    merged: dict[str, Photo] = {}
    for photo in photos:
        known = merged.get(photo.id)
        merged[photo.id] = known.completed(photo) if known else photo
    return merged


def distinct_tags(values: Iterable[Any]) -> tuple[str, ...]:
    """Each tag once, whatever its case.

    >>> distinct_tags(["Lake", " lake ", None, "dawn"])
    ('Lake', 'dawn')
    """
    distinct: dict[str, str] = {}
    for tag in filter(None, map(text_of, values)):
        distinct.setdefault(tag.casefold(), tag)
    return tuple(distinct.values())
