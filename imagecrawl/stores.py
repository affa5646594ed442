"""Where files are kept: on a local disk, or on S3. GCS and FTP are Scrapy's own classes, unchanged.

What is synced when: the bytes of a file reach the disk (fsync) before the file gets its name. So a name never stands
for half a file, not even after a loss of power. The name itself may be lost then, and the ledger notices that.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Protocol

from scrapy.pipelines.files import FilesPipeline, FilesStoreProtocol, FSFilesStore, S3FilesStore
from scrapy.pipelines.media import MediaPipeline
from scrapy.settings import BaseSettings
from scrapy.utils.asyncio import run_in_thread
from scrapy.utils.defer import ensure_awaitable

from imagecrawl.storage import local_folder

logger = logging.getLogger(__name__)

NO_COPY = "%s is written from its bytes: %s"


class Facts(Protocol):
    """What is known of a file: a row of the ledger."""

    @property
    def path(self) -> str | None: ...
    @property
    def bytes(self) -> int | None: ...
    @property
    def mtime_ns(self) -> int | None: ...
    @property
    def sha256(self) -> str | None: ...
    @property
    def md5(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is in its place and whole. ``mtime_ns`` is ``None`` where a store keeps no such time."""

    mtime_ns: int | None = None
    was_there: bool = True
    """Whether it was there before we put it there."""


class LocalStore(FSFilesStore):
    """Scrapy's file store with two promises added: a file appears whole or not at all, and the reactor never waits.

    Bytes go to a hidden name in the file's own folder (so on the same disk) and are renamed when complete. The name
    has the number of the run in it, so that a later run can remove what a killed one left (:meth:`sweep`).
    """

    run = 0

    def __init__(self, basedir: str | os.PathLike[str]) -> None:
        # Scrapy's own would make the folder now; ours is there when something is in it.
        self.basedir = str(local_folder(os.fspath(basedir)))
        self.created_directories = defaultdict(set)

    def find(self, facts: Facts) -> Found | None:
        """The file, if it is whole: by size and time of modification, by its hash where the time differs.

        Blocks; raises OSError when the file cannot be read.
        """
        assert facts.path
        target = self._get_filesystem_path(facts.path)
        try:
            stat = target.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.st_size != facts.bytes:
            return None
        if stat.st_mtime_ns == facts.mtime_ns or file_sha256(target) == facts.sha256:
            return Found(stat.st_mtime_ns)
        return None

    def stranger(self, facts: Facts) -> str | None:
        """What :func:`stranger` says: the SHA-256. Blocks; raises OSError."""
        target = self._get_filesystem_path(str(facts.path))
        try:
            there = file_sha256(target)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except IsADirectoryError:
            return ""
        return None if there == facts.sha256 else there

    def keep(self, facts: Facts, body: bytes | None, other: Facts | None) -> Found | None:
        """What :func:`keep` does, in one trip to a thread. Blocks; raises OSError."""
        assert facts.path
        if found := self.find(facts):
            return found
        try:
            if other and other.path and self.find(other):
                return self.copy_file(other.path, facts.path)
        except OSError as error:
            logger.info(NO_COPY, facts.path, error)
        return None if body is None else self._place(facts.path, _writing(body))

    def copy_file(self, source: str, path: str) -> Found:
        """Make ``path`` a second name of ``source``, or a copy where the disk has no hard links. Blocks; OSError."""
        origin = self._get_filesystem_path(source)

        def link(part: Path) -> None:
            try:
                os.link(origin, part)
            except OSError:
                with part.open("wb") as file, origin.open("rb") as original:
                    shutil.copyfileobj(original, file)
                    _sync(file)

        return self._place(path, link)

    def _place(self, path: str | os.PathLike[str], fill: Callable[[Path], None]) -> Found:
        target = self._get_filesystem_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{self.run}.part")
        try:
            part.unlink(missing_ok=True)
            fill(part)
            mtime_ns = part.stat().st_mtime_ns
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)  # renaming one name of a file to another name of it does nothing
        return Found(mtime_ns, was_there=False)

    def sweep(self, folder: str, run: int | str) -> None:
        """Remove what a run that was killed left half written below a folder; ``*`` is any run. Blocks; OSError."""
        for part in self._get_filesystem_path(folder).rglob(f".*.{run}.part"):
            part.unlink(missing_ok=True)

    def walk(self) -> Iterator[str]:
        """The path of every file in the store, in the order in which the ledger sorts paths: byte by byte."""
        yield from _walk(Path(self.basedir), "")


def _walk(folder: Path, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        names = [entry.name + "/" * entry.is_dir() for entry in found]
    for name in sorted(names, key=os.fsencode):
        if name.endswith("/"):
            yield from _walk(folder / name, prefix + name)
        else:
            yield prefix + name


class S3Store(S3FilesStore):
    """Scrapy's S3 store, which can also copy inside the bucket without a transfer."""

    def find(self, facts: Facts) -> Found | None:
        """The object, if its ETag is the MD5 of the bytes. Blocks; raises botocore's errors, for a missing one too."""
        head = self.s3_client.head_object(Bucket=self.bucket, Key=f"{self.prefix}{facts.path}")
        return Found() if head["ETag"].strip('"') == facts.md5 else None

    def copy_file(self, source: str, path: str) -> Found:
        """Make ``path`` a copy of ``source``. Blocks; raises botocore's errors."""
        self.s3_client.copy_object(
            Bucket=self.bucket,
            Key=f"{self.prefix}{path}",
            CopySource={"Bucket": self.bucket, "Key": f"{self.prefix}{source}"},
            ACL=self.POLICY,
        )
        return Found(was_there=False)


STORE_SCHEMES: dict[str, type[FilesStoreProtocol]] = {
    **FilesPipeline.STORE_SCHEMES,
    "": LocalStore,
    "file": LocalStore,
    "s3": S3Store,
}
"""The class of a store by the scheme of its URI: what our pipelines give Scrapy."""


def store_class(place: str) -> type[FilesStoreProtocol] | None:
    """The class of the store at a folder or URI; ``None`` when there is none for its scheme."""
    scheme, mark, _ = place.partition("://")
    return STORE_SCHEMES.get(scheme if mark else "")


class _Stores(FilesPipeline):
    STORE_SCHEMES = STORE_SCHEMES

    @classmethod
    def open(cls, place: str, settings: BaseSettings) -> FilesStoreProtocol:
        cls._update_stores(settings)
        found = store_class(place)
        assert found
        return found(place)


def open_store(place: str, settings: BaseSettings) -> FilesStoreProtocol:
    """The store at a folder or URI, outside a crawl; remote ones take their keys from Scrapy's settings."""
    return _Stores.open(place, settings)


Labels = Mapping[str, dict[str, Any]]
"""What a store is told of a file: ``meta`` and ``headers`` of Scrapy's ``persist_file``."""


async def find(store: FilesStoreProtocol, facts: Facts, info: MediaPipeline.SpiderInfo) -> Found | None:
    """The file in any store, if it is whole; ``None`` when it is missing or damaged.

    Raises what the store raises when it cannot be looked at: OSError, botocore's errors, google's.
    """
    if isinstance(store, LocalStore | S3Store):
        try:
            return await run_in_thread(store.find, facts)
        except Exception as error:
            if is_missing(error):
                return None
            raise
    answer: Any = store.stat_file(str(facts.path), info)
    stat = await ensure_awaitable(answer)
    return Found() if stat.get("checksum") == facts.md5 else None


async def stranger(store: FilesStoreProtocol, facts: Facts, info: MediaPipeline.SpiderInfo) -> str | None:
    """The SHA-256, in a remote store the MD5, of another file at the path of ``facts``; empty for a folder.

    ``None`` when there is nothing else, and where we may write and not look. Raises what the store raises.
    """
    if isinstance(store, LocalStore):
        return await run_in_thread(store.stranger, facts)
    try:
        answer: Any = store.stat_file(str(facts.path), info)
        there: str | None = (await ensure_awaitable(answer)).get("checksum")
    except Exception as error:
        if is_missing(error) or _is_forbidden(error):
            return None
        raise
    return None if there == facts.md5 else there


def is_missing(error: Exception) -> bool:
    """Whether S3 says that there is no such object. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html"""
    return _s3_code(error) in {"404", "NoSuchKey"}


def _is_forbidden(error: Exception) -> bool:
    """Whether S3, or Google's storage, says that we may not look."""
    return _s3_code(error) in {"403", "AccessDenied"} or getattr(error, "code", None) == 403


def _s3_code(error: Exception) -> str | None:
    answer = getattr(error, "response", None)
    code: str | None = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
    return code


async def keep(
    store: FilesStoreProtocol,
    facts: Facts,
    *,
    body: bytes | None,
    other: Facts | None,
    info: MediaPipeline.SpiderInfo,
    labels: Labels,
) -> Found | None:
    """See that a file is in its place: it may be there, or be copied from ``other``, or be written from ``body``.

    ``None`` when none of this can be done. Raises what the store raises: OSError, botocore's errors, google's.
    """
    if isinstance(store, LocalStore):
        return await run_in_thread(store.keep, facts, body, other)
    try:
        if found := await find(store, facts, info):
            return found
        if other and other.path and isinstance(store, S3Store) and await find(store, other, info):
            return await run_in_thread(store.copy_file, other.path, str(facts.path))
    except Exception as error:  # one may be allowed to write and not to look
        if body is None:
            raise
        logger.info(NO_COPY, facts.path, error)
    if body is None:
        return None
    answer: Any = store.persist_file(str(facts.path), BytesIO(body), info, **labels)
    await ensure_awaitable(answer)
    return Found(was_there=False)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits. Blocks; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _writing(body: bytes) -> Callable[[Path], None]:
    def write(part: Path) -> None:
        with part.open("wb") as file:
            file.write(body)
            _sync(file)

    return write


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
