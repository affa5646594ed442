"""Fetch, prove and place the picture of an item."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple
from typing import TYPE_CHECKING, Any

from PIL import Image
from scrapy.pipelines.images import ImagesPipeline
from scrapy.utils.asyncio import run_in_thread

from imagecrawl.downloads import Downloads
from imagecrawl.exceptions import MediaError
from imagecrawl.items import ImageItem
from imagecrawl.outcomes import Outcome, Reason, http_reason
from imagecrawl.pictures import EXTENSIONS, MIME_TYPES, Limits, check_limits, prove
from imagecrawl.pipelines.media_store import MediaStore
from imagecrawl.storage import image_path, safe_segment

if TYPE_CHECKING:
    from os import PathLike

    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from imagecrawl.ledger import Entry
    from imagecrawl.stores import Labels

ACCEPT = "image/*, */*;q=0.1"
"""Hosts that prefer a web page (i.redd.it) send the picture for this; naming formats would invite a converted copy."""


NOT_FOUND = {http_reason(404), http_reason(410)}
"""Of a picture that stood in a post they mean that it was taken away."""


class ImageStorePipeline(MediaStore[ImageItem], ImagesPipeline):
    """Scrapy's ImagesPipeline, keeping the original bytes. Its settings and stores are Scrapy's.

    The picture is decoded as proof and stored as it came, under the path that :mod:`imagecrawl.storage` gives. What
    else differs from the stock pipeline: :class:`~imagecrawl.pipelines.media_store.MediaStore`.
    """

    ITEM = ImageItem

    def __init__(self, store_uri: str | PathLike[str], *, crawler: Crawler) -> None:
        super().__init__(store_uri, crawler=crawler)
        settings = crawler.settings
        self.width_classes = _width_classes(settings.getlist("IMAGE_WIDTH_CLASSES"))
        self.limits = Limits(
            min_width=self.min_width,
            min_height=self.min_height,
            min_bytes=settings.getint("IMAGES_MIN_BYTES"),
            min_pixels=settings.getint("IMAGES_MIN_PIXELS"),
            max_width=settings.getint("IMAGES_MAX_WIDTH"),
            max_height=settings.getint("IMAGES_MAX_HEIGHT"),
            max_bytes=settings.getint("IMAGES_MAX_BYTES"),
            max_pixels=settings.getint("IMAGES_MAX_PIXELS"),
            max_frames=settings.getint("IMAGES_MAX_FRAMES"),
        )
        self.placeholders = frozenset(settings.getlist("IMAGE_PLACEHOLDERS"))
        self.rules = str(astuple(self.limits))
        self.downloads = Downloads(crawler, accept=ACCEPT, max_bytes=self.limits.max_bytes)
        # Pillow gives up at twice this, inside containers (ICO) too: at our limit, that is.
        Image.MAX_IMAGE_PIXELS = self.limits.max_pixels // 2 or None
        self._decoders = asyncio.Semaphore(os.cpu_count() or 1)  # bounds the memory of pictures being decoded

    async def fetch(self, request: Request, item: ImageItem) -> Response:
        """The answer of the host, unless it stands for a picture that was removed."""
        try:
            response = await super().fetch(request, item)
        except MediaError as failure:
            if item.post and failure.reason in NOT_FOUND:
                raise MediaError(Outcome.FAILED, Reason.REMOVED, failure.reason) from failure
            raise
        if response.url.partition("?")[0] in self.placeholders:
            raise MediaError(Outcome.FAILED, Reason.REMOVED, response.url)
        return response

    async def prove(self, response: Response, entry: Entry, item: ImageItem) -> Mapping[str, Any]:
        async with self._decoders:
            return asdict(await run_in_thread(prove, response.body, self.limits))

    def check(self, entry: Entry) -> None:
        check_limits(entry.bytes or 0, entry.width or 0, entry.height or 0, self.limits)

    def folder(self, item: ImageItem) -> str:
        return safe_segment(item.keyword)

    def paths(self, item: ImageItem, entry: Entry) -> Iterator[str]:
        assert entry.width
        assert entry.sha256
        assert entry.format
        asked = item.width if item.width and item.width <= entry.width else None
        yield image_path(
            keyword=item.keyword,
            width=asked or entry.width,
            sha256=entry.sha256,
            extension=EXTENSIONS[entry.format],
            width_classes=None if asked else self.width_classes,
        )

    def labels(self, entry: Entry) -> Labels:
        return {
            "meta": {"width": entry.width, "height": entry.height},
            "headers": {"Content-Type": MIME_TYPES[str(entry.format)]},
        }

    def info(self, url: str, item: ImageItem, entry: Entry) -> dict[str, Any]:
        return {
            "width": entry.width,
            "height": entry.height,
            "format": entry.format,
            "mode": entry.mode,
            "thumbnail": url == item.thumbnail_url,
        }


def _width_classes(bounds: list[Any]) -> list[int] | None:
    try:
        return [int(bound) for bound in bounds] or None
    except ValueError as error:
        raise ValueError(f"IMAGE_WIDTH_CLASSES takes widths in pixels, not {bounds}") from error
