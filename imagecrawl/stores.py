"""The store on a local disk. S3, GCS and FTP are Scrapy's own classes, unchanged."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

from scrapy.pipelines.files import FSFilesStore
from scrapy.pipelines.media import MediaPipeline
from scrapy.utils.asyncio import run_in_thread
from scrapy.utils.defer import deferred_from_coro
from twisted.internet.defer import Deferred

from imagecrawl.outcomes import Outcome


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
    ) -> Deferred[Outcome]:
        """Fires with ``stored``, or with ``uptodate`` when these very bytes were there already; fails with OSError."""
        return deferred_from_coro(run_in_thread(_place, self._get_filesystem_path(path), buf.getvalue()))


def _place(target: Path, body: bytes) -> Outcome:
    if _holds(target, body):
        return Outcome.UPTODATE
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(body)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return Outcome.STORED


def _holds(target: Path, body: bytes) -> bool:
    try:
        return target.stat().st_size == len(body) and target.read_bytes() == body
    except FileNotFoundError:
        return False
