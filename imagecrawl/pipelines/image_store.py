"""Fetch, prove and place the picture of an item."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, astuple
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from PIL import Image
from scrapy.pipelines.images import ImagesPipeline
from scrapy.utils.asyncio import run_in_thread

from imagecrawl.downloads import Downloads
from imagecrawl.exceptions import MediaError
from imagecrawl.items import ImageItem
from imagecrawl.outcomes import Outcome, Reason
from imagecrawl.pictures import EXTENSIONS, MIME_TYPES, Limits, check_limits, prove
from imagecrawl.pipelines.media_store import MediaStore
from imagecrawl.storage import image_path

if TYPE_CHECKING:
    from os import PathLike

    from scrapy import Spider
    from scrapy.crawler import Crawler

    from imagecrawl.ledger import Entry
    from imagecrawl.stores import Labels

logger = logging.getLogger(__name__)

ACCEPT = "image/*, */*;q=0.1"
"""Hosts that prefer a web page (i.redd.it) send the picture for this; naming formats would invite a converted copy."""

ImageInfo = dict[str, Any]
"""One entry of ``images``; :class:`~imagecrawl.items.ImageItem` names its fields."""


class ImageStorePipeline(MediaStore, ImagesPipeline):
    """Scrapy's ImagesPipeline, keeping the original bytes. Its settings and stores are Scrapy's.

    What differs from the stock pipeline:

    - the addresses of an item are tried in turn; the first that yields a picture, or one we refuse, ends the search;
    - the picture is decoded as proof and stored as it came, under the path that :mod:`imagecrawl.storage` gives;
    - what an earlier run knows is not asked for again: :class:`~imagecrawl.pipelines.media_store.MediaStore`;
    - decoding, hashing and writing run in threads, and a local file appears whole or not at all;
    - every item leaves with an outcome, and none is dropped.
    """

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
        )
        self.rules = str(astuple(self.limits))
        self.downloads = Downloads(crawler, accept=ACCEPT, max_bytes=self.limits.max_bytes)
        # Pillow gives up at twice this, inside containers (ICO) too: at our limit, that is.
        Image.MAX_IMAGE_PIXELS = self.limits.max_pixels // 2 or None
        self._decoders = asyncio.Semaphore(os.cpu_count() or 1)  # bounds the memory of pictures being decoded

    async def process_item(self, item: Any, spider: Spider | None = None) -> Any:
        """Fill ``images``, ``outcome``, ``reason`` and ``crawled_at``. Items of other kinds pass untouched."""
        if not isinstance(item, ImageItem):
            return item
        failure: MediaError | None = None
        for url in item.image_urls:
            try:
                item.outcome, entry = await self.obtain(url, item)
            except MediaError as error:
                logger.info("No picture from %.200r: %.300r", url, str(error))
                failure = failure or error
                if error.outcome is Outcome.REFUSED or error.reason == Reason.STOPPED:
                    break
            else:
                item.images = [_image_info(url, item, entry)]
                break
        else:
            failure = failure or MediaError(Outcome.FAILED, Reason.NO_URL)
        return self._settle(item, failure)

    def _settle(self, item: ImageItem, failure: MediaError | None) -> ImageItem:
        """Write down the outcome, in the item and in the stats."""
        if failure:
            item.reason = item.reason or failure.reason
            item.outcome = item.outcome or failure.outcome
        item.crawled_at = datetime.now(UTC).isoformat(timespec="seconds")
        stats = self.crawler.stats
        stats.inc_value(f"images/{item.outcome}")
        if item.reason:
            stats.inc_value(f"images/{item.outcome}/{item.reason}")
        return item

    async def prove(self, body: bytes) -> Mapping[str, Any]:
        async with self._decoders:
            return asdict(await run_in_thread(prove, body, self.limits))

    def check(self, entry: Entry) -> None:
        check_limits(entry.bytes or 0, entry.width or 0, entry.height or 0, self.limits)

    def path(self, item: ImageItem, entry: Entry) -> str:
        assert entry.width
        assert entry.sha256
        assert entry.format
        return image_path(
            keyword=item.keyword,
            width=entry.width,
            sha256=entry.sha256,
            extension=EXTENSIONS[entry.format],
            width_classes=self.width_classes,
        )

    def labels(self, entry: Entry) -> Labels:
        return {
            "meta": {"width": entry.width, "height": entry.height},
            "headers": {"Content-Type": MIME_TYPES[str(entry.format)]},
        }


def _width_classes(bounds: list[Any]) -> list[int] | None:
    try:
        return [int(bound) for bound in bounds] or None
    except ValueError as error:
        raise ValueError(f"IMAGE_WIDTH_CLASSES takes widths in pixels, not {bounds}") from error


def _image_info(url: str, item: ImageItem, entry: Entry) -> ImageInfo:
    """The entry of ``images``: Scrapy's four names first."""
    return {
        "url": url if url.startswith("data:") else entry.url,
        "path": entry.path,
        "checksum": entry.md5,
        "status": "downloaded" if item.outcome is Outcome.STORED else "uptodate",
        "sha256": entry.sha256,
        "width": entry.width,
        "height": entry.height,
        "format": entry.format,
        "mode": entry.mode,
        "bytes": entry.bytes,
        "thumbnail": url == item.thumbnail_url,
    }
