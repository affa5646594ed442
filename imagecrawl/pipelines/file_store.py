"""Fetch, prove and place the file of an item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from scrapy.utils.asyncio import run_in_thread

from imagecrawl.documents import prove
from imagecrawl.downloads import Downloads
from imagecrawl.exceptions import MediaError
from imagecrawl.items import FileItem
from imagecrawl.ledger import address
from imagecrawl.outcomes import Outcome, Reason
from imagecrawl.pipelines.media_store import MediaStore
from imagecrawl.storage import file_folder, file_name

if TYPE_CHECKING:
    from os import PathLike

    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from imagecrawl.ledger import Entry
    from imagecrawl.stores import Labels


class FileStorePipeline(MediaStore[FileItem]):
    """Scrapy's FilesPipeline, keeping the names and folders of the site. Its settings and stores are Scrapy's.

    A file is proven to be what its name says, as far as :mod:`imagecrawl.documents` can tell, so that a web page that
    came in its place is not stored. Of two files with one name in one folder both are kept: the second gets the hash of
    its bytes into its name. What else differs from the stock pipeline:
    :class:`~imagecrawl.pipelines.media_store.MediaStore`.

    Settings: ``FILES_MAX_BYTES``, ``FILES_TIMEOUT``.
    """

    ITEM = FileItem

    def __init__(self, store_uri: str | PathLike[str], *, crawler: Crawler) -> None:
        super().__init__(store_uri, crawler=crawler)
        self.max_bytes = crawler.settings.getint("FILES_MAX_BYTES")
        self.rules = str(self.max_bytes)
        timeout = crawler.settings.getfloat("FILES_TIMEOUT")
        self.downloads = Downloads(crawler, accept="*/*", max_bytes=self.max_bytes, timeout=timeout)

    async def prove(self, response: Response, entry: Entry, item: FileItem) -> Mapping[str, Any]:
        self._check_size(len(response.body))  # of a data: URI too
        said = response.headers.get("Content-Type")
        document = await run_in_thread(
            prove,
            response.body,
            name=item.name,
            content_type=said.decode("latin-1") if said else None,
            redirected=address(response.url) != entry.url,
        )
        return asdict(document)

    def check(self, entry: Entry) -> None:
        self._check_size(entry.bytes or 0)

    def _check_size(self, size: int) -> None:
        if 0 < self.max_bytes < size:
            raise MediaError(Outcome.REFUSED, Reason.TOO_LARGE, f"{size} bytes")

    def folder(self, item: FileItem) -> str:
        return file_folder(item.source, item.folder)

    def paths(self, item: FileItem, entry: Entry) -> Iterator[str]:
        assert entry.sha256
        for mark in ("", entry.sha256[:8], entry.sha256[:20]):
            yield f"{entry.folder}/{file_name(item.name, mark)}"

    def labels(self, entry: Entry) -> Labels:
        return {"meta": {}, "headers": {"Content-Type": entry.format or "application/octet-stream"}}

    def info(self, url: str, item: FileItem, entry: Entry) -> dict[str, Any]:
        return {"content_type": entry.format}
