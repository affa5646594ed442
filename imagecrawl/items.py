"""What a crawl yields: one item per result, one line of the feed each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from imagecrawl.outcomes import Outcome


@dataclass(kw_only=True)
class ImageItem:
    """One picture that a page offered, and what became of it. The fields are the names in the feed, in its order.

    The spider fills everything up to ``rights``, and ``reason`` where the page gave nothing but a thumbnail;
    ``ImageStorePipeline`` fills the rest.
    """

    source: str
    """Name of the spider."""
    keyword: str
    """What was searched for: the picture's folder."""
    rank: int
    """Place among the keyword's results, from 1."""
    id: str | None
    """The site's own id of the result."""
    title: str | None
    page_url: str | None
    """The page the picture stands on."""
    site: str | None
    """Name of the site it stands on, or its host."""
    image_urls: list[str]
    """Addresses of this one picture, best first: each next one is only tried when those before it failed."""
    thumbnail_url: str | None
    """The site's small copy; a ``data:`` URI when there is no address. Tried only if it is in ``image_urls`` too."""
    rights: dict[str, Any] | None
    """What the page says of the rights: any of credit, creators, notice, licence_url, purchase_url."""

    images: list[dict[str, Any]] = field(default_factory=list)
    """At most one entry: Scrapy's ``url path checksum status`` and our ``sha256 width height format mode bytes
    thumbnail`` (true when it is the thumbnail).

    ``checksum`` is the MD5 of the bytes, ``path`` is relative to IMAGES_STORE, ``width`` and ``height`` are the encoded
    pixels (an EXIF rotation is not applied), ``bytes`` is the size of the file.
    """
    outcome: Outcome | None = None
    reason: str | None = None
    """See :mod:`imagecrawl.outcomes`."""
    crawled_at: str | None = None
    """When the outcome was known: ISO 8601, UTC, whole seconds."""

    def page_part(self) -> str:
        """What the spider filled, as JSON: ``ImageItem(**json.loads(...))`` is the item as the page gave it."""
        outcome_part = {"images", "outcome", "crawled_at"}
        return json.dumps({name: value for name, value in asdict(self).items() if name not in outcome_part})
