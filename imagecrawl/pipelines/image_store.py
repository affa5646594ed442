"""Fetch, prove and place the picture of an item."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Hashable
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from PIL import Image
from scrapy import Request
from scrapy.http.request import NO_CALLBACK
from scrapy.pipelines.files import FilesStoreProtocol
from scrapy.pipelines.images import ImagesPipeline
from scrapy.utils.asyncio import run_in_thread
from scrapy.utils.datatypes import LocalCache
from scrapy.utils.defer import ensure_awaitable

from imagecrawl import signals
from imagecrawl.downloads import DOWNLOAD_ERRORS, explain
from imagecrawl.exceptions import MediaError
from imagecrawl.items import ImageItem
from imagecrawl.outcomes import Finish, Outcome, Reason, http_reason
from imagecrawl.pictures import Limits, Picture, prove
from imagecrawl.storage import image_path
from imagecrawl.stores import LocalStore

if TYPE_CHECKING:
    from os import PathLike

    from scrapy import Spider
    from scrapy.crawler import Crawler
    from scrapy.http import Response

logger = logging.getLogger(__name__)

REMEMBERED = 10_000
"""How many addresses, and how many files, of this run are remembered for telling duplicates: the bound on memory."""

STORE_ERRORS = 3
"""How many pictures in a row the store may fail to take before the crawl ends."""

ACCEPT = "image/*, */*;q=0.1"
"""Hosts that prefer a web page (i.redd.it) send the picture for this; naming formats would invite a converted copy."""

SCHEMES = frozenset({"http", "https", "data"})

ImageInfo = dict[str, Any]
"""One entry of ``images``; :class:`~imagecrawl.items.ImageItem` names its fields."""


class ImageStorePipeline(ImagesPipeline):
    """Scrapy's ImagesPipeline, keeping the original bytes. Its settings and stores are Scrapy's.

    What differs from the stock pipeline:

    - the addresses of an item are tried in turn; the first that yields a picture, or one we refuse, ends the search;
    - the picture is decoded as proof and stored as it came, under the path that :mod:`imagecrawl.storage` gives;
    - decoding, hashing and writing run in threads, and a local file appears whole or not at all;
    - every item leaves with an outcome, and none is dropped;
    - what is remembered of a run is bounded, and Scrapy's ``info.downloaded`` stays empty.
    """

    STORE_SCHEMES: ClassVar[dict[str, type[FilesStoreProtocol]]] = {
        **ImagesPipeline.STORE_SCHEMES,
        "": LocalStore,
        "file": LocalStore,
    }

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
        # Pillow gives up at twice this, inside containers (ICO) too: at our limit, that is.
        Image.MAX_IMAGE_PIXELS = self.limits.max_pixels // 2 or None
        self._decoders = asyncio.Semaphore(os.cpu_count() or 1)  # bounds the memory of pictures being decoded
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._store_errors = 0
        self._stopping = False
        self._downloads: set[asyncio.Future[Response]] = set()
        crawler.signals.connect(self.crawl_stopping, signals.crawl_stopping)
        self._tried: LocalCache[Hashable, ImageInfo | MediaError] = LocalCache(REMEMBERED)
        self._placed: LocalCache[str, None] = LocalCache(REMEMBERED)

    def crawl_stopping(self) -> None:
        """Let no picture that is slow to come hold up the end, and begin no other."""
        self._stopping = True
        for download in self._downloads:
            download.cancel()

    async def process_item(self, item: Any, spider: Spider | None = None) -> Any:
        """Fill ``images``, ``outcome``, ``reason`` and ``crawled_at``. Items of other kinds pass untouched."""
        if not isinstance(item, ImageItem):
            return item
        failure: MediaError | None = None
        for url in item.image_urls:
            try:
                item.outcome, image = await self._obtain(url, item)
            except MediaError as error:
                logger.info("No picture from %.200r: %.300r", url, str(error))
                failure = failure or error
                if error.outcome is Outcome.REFUSED:
                    break
            else:
                item.images = [image]
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

    async def _obtain(self, url: str, item: ImageItem) -> tuple[Outcome, ImageInfo]:
        """The picture at ``url`` in the item's folder: fetched once a run, however many items ask for it.

        Raises :class:`MediaError`.
        """
        request = self._request(url)
        key = (self.crawler.request_fingerprinter.fingerprint(request), item.keyword)
        async with self._turn(key):
            match self._tried.get(key):
                case MediaError() as error:
                    raise MediaError(error.outcome, error.reason)
                case dict() as image:
                    return Outcome.DUPLICATE, {**image, "status": "uptodate"}
            try:
                outcome, image = await self._fetch(request, item)
            except MediaError as error:
                # Not the error itself: its traceback would keep the response in memory.
                self._tried[key] = MediaError(error.outcome, error.reason)
                raise
            image["thumbnail"] = url == item.thumbnail_url
            if not url.startswith("data:"):  # a picture by itself, too long to remember
                self._tried[key] = image
            return outcome, image

    def _request(self, url: str) -> Request:
        """The request for ``url``; raises :class:`MediaError`. A page must not make us read files or other schemes."""
        try:
            if urlsplit(url).scheme not in SCHEMES:
                raise ValueError("neither http, https nor data")
            return Request(
                url,
                headers={"Accept": ACCEPT},
                meta={"download_maxsize": self.limits.max_bytes, "dont_merge_cookies": True},
                callback=NO_CALLBACK,
            )
        except ValueError as error:
            raise MediaError(Outcome.FAILED, Reason.BAD_URL, str(error)) from error

    async def _fetch(self, request: Request, item: ImageItem) -> tuple[Outcome, ImageInfo]:
        try:
            return await self._keep(await self._download(request), request, item)
        except MediaError:
            raise
        except Exception as error:  # a bug, or a new way to fail: one picture's trouble all the same
            logger.exception("No picture from %s", request)
            raise MediaError(Outcome.FAILED, Reason.ERROR, str(error)) from error

    async def _download(self, request: Request) -> Response:
        """The answer to ``request``, with a status of success; raises :class:`MediaError`."""
        assert self.crawler.engine
        if self._stopping:
            raise MediaError(Outcome.FAILED, Reason.STOPPED)
        download = asyncio.ensure_future(self.crawler.engine.download_async(request))
        self._downloads.add(download)
        try:
            response = await download
        except asyncio.CancelledError as error:
            raise MediaError(Outcome.FAILED, Reason.STOPPED) from error
        except DOWNLOAD_ERRORS as error:
            raise explain(error) from error
        finally:
            self._downloads.discard(download)
        if not 200 <= response.status < 300:
            raise MediaError(Outcome.FAILED, http_reason(response.status))
        return response

    async def _keep(self, response: Response, request: Request, item: ImageItem) -> tuple[Outcome, ImageInfo]:
        """Prove the picture in ``response`` and put it in its place; raises :class:`MediaError`."""
        async with self._decoders:
            picture = await run_in_thread(prove, response.body, self.limits)
        path = image_path(
            keyword=item.keyword,
            width=picture.width,
            sha256=picture.sha256,
            extension=picture.extension,
            width_classes=self.width_classes,
        )
        async with self._turn(path):
            if path in self._placed:
                outcome = Outcome.DUPLICATE
            else:
                outcome = await self._place(path, response.body, picture)
                self._placed[path] = None
        return outcome, _image_info(request, path, picture, outcome)

    async def _place(self, path: str, body: bytes, picture: Picture) -> Outcome:
        """Hand the bytes to the store, unless it has them; raises :class:`MediaError`.

        A store that fails again and again (a full disk, a lost permission) ends the crawl.
        """
        if await self._holds(path, picture):
            return Outcome.UPTODATE
        answer: Any = self.store.persist_file(
            path,
            BytesIO(body),
            self.spiderinfo,
            meta={"width": picture.width, "height": picture.height},
            headers={"Content-Type": picture.mime_type},
        )
        try:
            await ensure_awaitable(answer)
        except Exception as error:  # each store has its own: OSError, botocore's, google's
            self._store_failed(path, error)
            raise MediaError(Outcome.FAILED, Reason.STORE_ERROR, str(error)) from error
        self._store_errors = 0
        return Outcome.STORED

    async def _holds(self, path: str, picture: Picture) -> bool:
        try:
            answer: Any = self.store.stat_file(path, self.spiderinfo)
            found = await ensure_awaitable(answer)
        except Exception as error:  # noqa: BLE001  # S3 answers a missing file with an exception of its own class
            logger.debug("%s is not in the store: %s", path, error)
            return False
        return bool(found.get("checksum") == picture.md5)

    def _store_failed(self, path: str, error: Exception) -> None:
        self._store_errors += 1
        if self._store_errors <= STORE_ERRORS:
            logger.error("The store did not take %s: %s", path, error)
        if self._store_errors == STORE_ERRORS:
            assert self.crawler.engine
            closing = self.crawler.engine.close_spider_async(reason=Finish.STORE_ERROR)
            self._closing = asyncio.ensure_future(closing)

    def _turn(self, key: Hashable) -> asyncio.Lock:
        """The lock of ``key``, forgotten as soon as nobody holds or awaits it."""
        return self._turns.setdefault(key, asyncio.Lock())


def _width_classes(bounds: list[Any]) -> list[int] | None:
    try:
        return [int(bound) for bound in bounds] or None
    except ValueError as error:
        raise ValueError(f"IMAGE_WIDTH_CLASSES takes widths in pixels, not {bounds}") from error


def _image_info(request: Request, path: str, picture: Picture, outcome: Outcome) -> ImageInfo:
    """The entry of ``images``: Scrapy's four names first."""
    return {
        "url": request.url,
        "path": path,
        "checksum": picture.md5,
        "status": "downloaded" if outcome is Outcome.STORED else "uptodate",
        "sha256": picture.sha256,
        "width": picture.width,
        "height": picture.height,
        "format": picture.format,
        "mode": picture.mode,
        "bytes": picture.bytes,
        "thumbnail": False,
    }
