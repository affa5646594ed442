"""The store on a local disk. S3, GCS and FTP are Scrapy's own classes, unchanged."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

from scrapy.pipelines.files import FSFilesStore, StatInfo
from scrapy.pipelines.media import MediaPipeline
from scrapy.utils.asyncio import run_in_thread
from scrapy.utils.defer import deferred_from_coro
from twisted.internet.defer import Deferred


class LocalStore(FSFilesStore):
    """Scrapy's file store with two promises added: a file appears whole or not at all, and the reactor never waits.

    Bytes go to a hidden name in the file's own folder (so on the same disk) and are renamed when complete.
    """

    def persist_file(  # type: ignore[override]
        self,
        path: str | os.PathLike[str],
        buf: BytesIO,
        info: MediaPipeline.SpiderInfo,
        meta: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Deferred[None]:
        """Fires when the file is in its place; fails with OSError."""
        return deferred_from_coro(run_in_thread(_place, self._get_filesystem_path(path), buf.getvalue()))

    def stat_file(  # type: ignore[override]
        self, path: str | os.PathLike[str], info: MediaPipeline.SpiderInfo
    ) -> Deferred[StatInfo]:
        """Fires with what Scrapy's own store says: the time and the MD5 of the file, or nothing where there is none."""
        return deferred_from_coro(run_in_thread(super().stat_file, path, info))


def _place(target: Path, body: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(body)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
