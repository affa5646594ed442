"""Where files are kept: a file appears whole or not at all, and what is looked at is really there."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scrapy.pipelines.files import FilesStoreProtocol, FSFilesStore
from scrapy.settings import Settings

from imagecrawl import stores
from imagecrawl.stores import Found, LocalStore, S3Store, file_sha256, find, keep, open_store, store_class, stranger
from tests.bucket import Bucket

BODY = b"the bytes of a picture" * 1000
NOBODY: Any = None  # the spider's information, which our stores do not ask


@dataclass(frozen=True)
class Facts:
    """As the ledger has them, for a file with these bytes."""

    path: str = "cats/320/1.jpg"
    bytes: int | None = len(BODY)
    mtime_ns: int | None = None
    sha256: str | None = hashlib.sha256(BODY).hexdigest()
    md5: str | None = hashlib.md5(BODY).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "images")
    store.run = 7
    return store


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The place of the file that ``Facts()`` is about."""
    target = tmp_path / "images" / Facts.path
    target.parent.mkdir(parents=True)
    return target


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file may be read."""

    def read(path: Path) -> str:
        raise AssertionError(f"{path} is read")

    monkeypatch.setattr(stores, "file_sha256", read)


def persist(store: LocalStore, path: str, body: bytes = BODY) -> Found:
    return store._place(path, stores._writing(body))


def kept(
    store: FilesStoreProtocol, facts: Facts, body: bytes | None = None, other: Facts | None = None
) -> Found | None:
    labels = {"meta": {"width": 3}, "headers": {"Content-Type": "image/jpeg"}}
    return asyncio.run(keep(store, facts, body=body, other=other, info=NOBODY, labels=labels))


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


# Looking at a file


@pytest.mark.usefixtures("unread")
def test_a_file_of_the_right_size_and_time_is_not_read(store: LocalStore, target: Path) -> None:
    target.write_bytes(BODY)
    mtime_ns = target.stat().st_mtime_ns
    assert store.find(Facts(mtime_ns=mtime_ns)) == Found(mtime_ns)


@pytest.mark.usefixtures("unread")
def test_a_file_of_another_size_is_not_read(store: LocalStore, target: Path) -> None:
    target.write_bytes(BODY[:-1])
    assert store.find(Facts(mtime_ns=target.stat().st_mtime_ns)) is None


@pytest.mark.parametrize("mtime_ns", [5, None])
def test_a_file_that_was_touched_is_read_and_its_new_time_said(
    store: LocalStore, target: Path, mtime_ns: int | None
) -> None:
    target.write_bytes(BODY)
    os.utime(target, ns=(1, 123456789))
    assert store.find(Facts(mtime_ns=mtime_ns)) == Found(123456789)


def test_a_damaged_file_of_the_same_size_is_not_whole(store: LocalStore, target: Path) -> None:
    target.write_bytes(BODY[:-1] + b"!")
    assert store.find(Facts(mtime_ns=target.stat().st_mtime_ns - 1)) is None


def test_a_file_that_is_not_there_is_not_found(store: LocalStore) -> None:
    assert store.find(Facts()) is None


@pytest.mark.parametrize("way", ["cats", "cats/320"])
def test_a_file_in_the_way_is_nothing_found(store: LocalStore, tmp_path: Path, way: str) -> None:
    place = tmp_path / "images" / way
    place.parent.mkdir(parents=True)
    place.write_bytes(BODY)
    assert store.find(Facts()) is None


def test_a_file_that_cannot_be_read_is_an_error_and_not_missing(store: LocalStore, target: Path) -> None:
    target.mkdir()
    facts = Facts(bytes=target.stat().st_size)
    with pytest.raises(IsADirectoryError):
        store.find(facts)
    with pytest.raises(IsADirectoryError):
        asyncio.run(find(store, facts, NOBODY))


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(BODY)
    assert file_sha256(tmp_path / "file") == Facts().sha256
    with pytest.raises(FileNotFoundError):
        file_sha256(tmp_path / "none")


def test_any_other_store_is_asked_for_the_md5(tmp_path: Path) -> None:
    """Scrapy's plain class in place of GCS and FTP, which answer in the same words."""
    (tmp_path / "1.jpg").write_bytes(BODY)
    other = FSFilesStore(str(tmp_path))
    ask = [Facts("1.jpg"), Facts("1.jpg", md5="another"), Facts("none.jpg")]
    assert [asyncio.run(find(other, facts, NOBODY)) for facts in ask] == [Found(), None, None]


def test_any_other_store_is_given_the_bytes_and_copies_nothing(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(BODY)
    other = FSFilesStore(str(tmp_path))
    assert kept(other, Facts("1.jpg"), b"unused") == Found()
    assert kept(other, Facts("2.jpg"), other=Facts("1.jpg")) is None
    assert kept(other, Facts("2.jpg"), BODY, Facts("1.jpg")) == Found(was_there=False)
    assert files(tmp_path) == ["1.jpg", "2.jpg"]
    assert (tmp_path / "2.jpg").read_bytes() == BODY


# Who else stands there


def other_there(store: FilesStoreProtocol, facts: Facts) -> str | None:
    return asyncio.run(stranger(store, facts, NOBODY))


def test_another_file_is_known_by_its_hash(store: LocalStore, target: Path) -> None:
    assert other_there(store, Facts()) is None
    target.write_bytes(b"my notes")
    os.utime(target, ns=(1, 1))
    assert other_there(store, Facts(bytes=8, mtime_ns=1)) == hashlib.sha256(b"my notes").hexdigest()
    target.write_bytes(BODY)
    assert other_there(store, Facts(bytes=1, mtime_ns=1)) is None


def test_a_folder_is_another_without_a_hash(store: LocalStore, target: Path) -> None:
    target.mkdir()
    assert other_there(store, Facts()) == ""


@pytest.mark.parametrize("way", ["cats", "cats/320"])
def test_a_file_in_the_place_of_a_folder_is_no_other(store: LocalStore, tmp_path: Path, way: str) -> None:
    place = tmp_path / "images" / way
    place.parent.mkdir(parents=True)
    place.write_bytes(BODY)
    assert other_there(store, Facts()) is None


def test_another_file_that_cannot_be_read_is_an_error(
    store: LocalStore, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(stores, "file_sha256", refuse)
    with pytest.raises(PermissionError):
        other_there(store, Facts())


def test_any_other_store_is_asked_who_stands_there(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(BODY)
    other = FSFilesStore(str(tmp_path))
    assert other_there(other, Facts("1.jpg")) is None
    assert other_there(other, Facts("1.jpg", md5="another")) == Facts().md5
    assert other_there(other, Facts("none.jpg")) is None


class Refusing(FSFilesStore):
    """A store that answers every look with one error."""

    def __init__(self, error: Exception) -> None:
        super().__init__("unused")
        self.error = error

    def stat_file(self, path: Any, info: Any) -> Any:
        raise self.error


class GoogleError(Exception):
    """As google.api_core raises them."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code} from Google")
        self.code = code


def s3_error(code: str) -> Exception:
    return botocore.exceptions.ClientError({"Error": {"Code": code}}, "HeadObject")


@pytest.mark.parametrize(
    "error", [*map(s3_error, ("403", "AccessDenied", "404", "NoSuchKey")), GoogleError(403)], ids=str
)
def test_a_store_that_lets_nobody_look_is_taken_for_empty(error: Exception) -> None:
    assert other_there(Refusing(error), Facts("1.jpg")) is None


@pytest.mark.parametrize(
    "error",
    [
        *map(s3_error, ("500", "503", "SlowDown", "301")), GoogleError(503), GoogleError(404),
        botocore.exceptions.EndpointConnectionError(endpoint_url="https://s3.example/"), TimeoutError("too late"),
        PermissionError(13, "Permission denied"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_looked_at_is_an_error(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        other_there(Refusing(error), Facts("1.jpg"))
    assert caught.value is error


# Writing a file


def test_a_file_is_written_and_its_time_said(store: LocalStore, tmp_path: Path) -> None:
    found = persist(store, "cats/320/1.jpg")
    place = tmp_path / "images" / "cats/320/1.jpg"
    assert place.read_bytes() == BODY
    assert found == Found(place.stat().st_mtime_ns, was_there=False)
    assert store.find(Facts(mtime_ns=found.mtime_ns)) == Found(found.mtime_ns)
    assert files(tmp_path) == ["images/cats/320/1.jpg"]
    persist(store, "cats/320/1.jpg", b"other")
    assert place.read_bytes() == b"other"


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, bytes]]:
    """What was synced and renamed, in order: the inode, and what it held by then on disk."""
    found: list[tuple[str, int, bytes]] = []
    fsync, replace = os.fsync, Path.replace

    def note_fsync(number: int) -> None:
        fsync(number)
        found.append(("fsync", os.fstat(number).st_ino, Path(f"/proc/self/fd/{number}").read_bytes()))

    def note_replace(self: Path, place: Path) -> Path:
        assert self.parent == place.parent, "a rename is atomic only inside one disk"
        found.append(("replace", self.stat().st_ino, self.read_bytes()))
        return replace(self, place)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(Path, "replace", note_replace)
    return found


def test_bytes_are_on_disk_before_the_file_has_its_name(
    store: LocalStore, target: Path, steps: list[tuple[str, int, bytes]]
) -> None:
    for body in (BODY, b"small"):  # a small one lies in Python's own buffer at first
        persist(store, Facts.path, body)
        inode = target.stat().st_ino
        assert steps == [("fsync", inode, body), ("replace", inode, body)]
        steps.clear()


def test_a_copy_is_on_disk_before_it_has_its_name(
    store: LocalStore, target: Path, steps: list[tuple[str, int, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    target.write_bytes(BODY)
    monkeypatch.setattr(os, "link", _no_links)
    store.copy_file(Facts.path, "dogs/1.jpg")
    inode = (target.parents[2] / "dogs/1.jpg").stat().st_ino
    assert inode != target.stat().st_ino
    assert steps == [("fsync", inode, BODY), ("replace", inode, BODY)]


def _no_links(*_: object) -> None:
    raise OSError(errno.EPERM, "no hard links here")


def test_a_write_that_fails_leaves_what_was_there(
    store: LocalStore, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for body in (None, b"before"):
        if body:
            target.write_bytes(body)
        with pytest.raises(OSError, match="No space left"):
            persist(store, Facts.path)
        assert files(target.parent) == (["1.jpg"] if body else [])
    assert target.read_bytes() == b"before"


def test_a_full_disk_leaves_nothing_half(tmp_path: Path) -> None:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk may be mounted here: {done.stderr.strip()}")
    try:
        store = LocalStore(place)
        persist(store, "cats/1.jpg")
        with pytest.raises(OSError, match="No space left"):
            persist(store, "cats/2.jpg", BODY * 10)
        assert files(place) == ["cats/1.jpg"]
        persist(store, "cats/3.jpg")
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_folder_in_the_place_of_a_file_is_an_error_and_leaves_nothing(store: LocalStore, target: Path) -> None:
    target.mkdir()
    with pytest.raises(OSError, match="directory"):
        persist(store, Facts.path)
    assert files(target.parent) == []


# Copying a file


def test_a_copy_is_a_second_name(store: LocalStore, target: Path) -> None:
    target.write_bytes(BODY)
    found = store.copy_file(Facts.path, "dogs/640/1.jpg")
    place = target.parents[2] / "dogs/640/1.jpg"
    assert place.samefile(target)
    assert found == Found(target.stat().st_mtime_ns, was_there=False)
    assert files(target.parents[2]) == ["cats/320/1.jpg", "dogs/640/1.jpg"]


def test_a_copy_is_bytes_where_there_are_no_hard_links(
    store: LocalStore, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.write_bytes(BODY)
    os.utime(target, ns=(1, 1))
    monkeypatch.setattr(os, "link", _no_links)
    found = store.copy_file(Facts.path, "dogs/1.jpg")
    place = target.parents[2] / "dogs/1.jpg"
    assert place.read_bytes() == BODY
    assert found == Found(place.stat().st_mtime_ns, was_there=False)
    assert files(place.parent) == ["1.jpg"]


def test_a_second_name_that_is_there_already_leaves_nothing_behind(store: LocalStore, target: Path) -> None:
    target.write_bytes(BODY)
    for _ in range(2):
        store.copy_file(Facts.path, "dogs/1.jpg")
    assert files(target.parents[2]) == ["cats/320/1.jpg", "dogs/1.jpg"]
    assert (target.parents[2] / "dogs/1.jpg").samefile(target)


def test_a_copy_replaces_a_damaged_file(store: LocalStore, target: Path) -> None:
    target.write_bytes(BODY)
    place = target.parents[2] / "dogs/1.jpg"
    place.parent.mkdir()
    place.write_bytes(b"damaged")
    (place.parent / ".1.jpg.7.part").write_bytes(b"left by this very run")
    store.copy_file(Facts.path, "dogs/1.jpg")
    assert place.samefile(target)
    assert files(place.parent) == ["1.jpg"]


def test_a_copy_of_nothing_is_nothing(store: LocalStore, target: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.copy_file(Facts.path, "dogs/1.jpg")
    assert files(target.parents[2]) == []


def test_writing_one_name_leaves_the_others_as_they_are(store: LocalStore, target: Path) -> None:
    """Two names of one file: a rename gives the new bytes to one of them only."""
    target.write_bytes(BODY)
    store.copy_file(Facts.path, "dogs/1.jpg")
    persist(store, "dogs/1.jpg", b"new")
    assert target.read_bytes() == BODY


# Seeing that a file is in its place


@pytest.mark.usefixtures("unread")
def test_a_file_that_is_in_its_place_is_left_there(
    store: LocalStore, target: Path, steps: list[tuple[str, int, bytes]]
) -> None:
    target.write_bytes(BODY)
    mtime_ns = target.stat().st_mtime_ns
    assert kept(store, Facts(mtime_ns=mtime_ns), BODY, Facts("dogs/1.jpg")) == Found(mtime_ns)
    assert steps == []


def test_a_file_that_is_elsewhere_is_not_written(store: LocalStore, target: Path) -> None:
    target.write_bytes(BODY)
    for body in (None, BODY):
        place = target.parents[2] / "dogs/1.jpg"
        found = kept(store, Facts("dogs/1.jpg"), body, Facts())
        assert found == Found(target.stat().st_mtime_ns, was_there=False)
        assert place.samefile(target)
        place.unlink()


@pytest.mark.parametrize("there", [None, b"damaged", BODY[:-1] + b"!"])
def test_a_file_that_is_nowhere_whole_is_written(store: LocalStore, target: Path, there: bytes | None) -> None:
    if there:
        target.write_bytes(there)
    assert kept(store, Facts("dogs/1.jpg"), None, Facts()) is None
    assert kept(store, Facts("dogs/1.jpg")) is None
    assert not (target.parents[2] / "dogs").exists()
    found = kept(store, Facts("dogs/1.jpg"), BODY, Facts())
    assert found and found.mtime_ns and not found.was_there
    assert (target.parents[2] / "dogs/1.jpg").read_bytes() == BODY


def test_a_damaged_file_is_replaced(store: LocalStore, target: Path) -> None:
    target.write_bytes(BODY[:-1] + b"!")
    found = kept(store, Facts(), BODY)
    assert found and not found.was_there
    assert target.read_bytes() == BODY


# The store as a whole


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}"])
def test_a_store_is_no_folder_before_something_is_in_it(tmp_path: Path, form: str) -> None:
    place = tmp_path / "a" / "images"
    store = LocalStore(form.format(place))
    assert other_there(store, Facts()) is None
    assert store.find(Facts()) is None
    assert kept(store, Facts(), None, Facts("dogs/1.jpg")) is None
    store.sweep("cats", 7)
    assert files(tmp_path) == [] and not place.parent.exists()
    assert kept(store, Facts(), BODY)
    assert files(tmp_path) == ["a/images/cats/320/1.jpg"]
    assert asyncio.run(find(LocalStore(place), Facts(), NOBODY))


def test_a_sweep_takes_what_one_run_left_in_one_folder(store: LocalStore, tmp_path: Path) -> None:
    names = [
        "cats/320/.1.jpg.7.part", "cats/.2.jpg.7.part", "cats/a/b/.3.jpg.7.part",  # swept
        "cats/320/.1.jpg.17.part", "cats/320/.1.jpg.71.part", "cats/320/1.jpg.7.part", "cats/320/.7.part",
        "cats/320/1.jpg", "dogs/320/.1.jpg.7.part", ".4.jpg.7.part",
    ]  # fmt: skip
    for name in names:
        place = tmp_path / "images" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    store.sweep("cats", 7)
    assert files(tmp_path / "images") == sorted(names[3:])
    store.sweep("birds", 7)


SEGMENTS = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]) | st.sampled_from("-. 0aAé\uffff😀"),
    min_size=1,
    max_size=8,
).filter(lambda segment: segment not in {".", ".."})


@given(st.lists(st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join), max_size=30))
@settings(max_examples=150)
def test_a_walk_is_in_the_order_of_the_ledger(paths: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE files (path TEXT)")
        for path in {*paths, "a-b/1", "a/1", "a.b", "a0"}:
            place = Path(folder, path)
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch(exist_ok=False)
            except (FileExistsError, NotADirectoryError):
                continue  # another one is its folder, or the other way round
            database.execute("INSERT INTO files VALUES (?)", (path,))
        expected = [path for (path,) in database.execute("SELECT path FROM files ORDER BY path")]
        assert list(LocalStore(folder).walk()) == expected


def test_a_store_is_opened_by_its_place(tmp_path: Path) -> None:
    for place in (str(tmp_path / "1"), f"file://{tmp_path / '2'}"):
        opened = open_store(place, Settings())
        assert isinstance(opened, LocalStore)
        assert opened.basedir == place.removeprefix("file://")
    assert store_class("s3://bucket/") is S3Store
    assert store_class("gopher://bucket/") is None


# S3


@pytest.fixture
def s3(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    # Scrapy keeps the settings on the class, so each test has one of its own
    monkeypatch.setitem(stores.STORE_SCHEMES, "s3", type("OurS3Store", (S3Store,), {}))
    store = open_store("s3://pictures/crawl/", Settings(bucket.settings))
    assert isinstance(store, S3Store)
    bucket.client.put_object(Bucket="pictures", Key=f"crawl/{Facts.path}", Body=BODY, ContentType="image/jpeg")
    return store


def test_an_object_is_whole_when_its_md5_is_that_of_the_ledger(s3: S3Store) -> None:
    assert s3.find(Facts()) == asyncio.run(find(s3, Facts(), NOBODY)) == Found()
    assert s3.find(Facts(md5="another")) is None


def test_an_object_that_is_not_there_is_an_error_to_find_and_missing_to_ask(s3: S3Store) -> None:
    with pytest.raises(botocore.exceptions.ClientError):
        s3.find(Facts("none.jpg"))
    assert asyncio.run(find(s3, Facts("none.jpg"), NOBODY)) is None


def test_an_object_is_copied_inside_the_bucket(s3: S3Store, bucket: Bucket) -> None:
    assert kept(s3, Facts("dogs/320/1.jpg"), other=Facts()) == Found(was_there=False)
    copied = bucket.get("crawl/dogs/320/1.jpg")
    assert copied["Body"] == BODY
    assert copied["ContentType"] == "image/jpeg"
    assert kept(s3, Facts("dogs/320/1.jpg")) == Found()
    assert list(bucket.objects) == ["crawl/cats/320/1.jpg", "crawl/dogs/320/1.jpg"]


def test_a_copy_of_no_object_is_nothing(s3: S3Store, bucket: Bucket) -> None:
    with pytest.raises(botocore.exceptions.ClientError):
        s3.copy_file("none.jpg", "dogs/1.jpg")
    assert kept(s3, Facts("dogs/1.jpg"), other=Facts("none.jpg")) is None
    assert list(bucket.objects) == ["crawl/cats/320/1.jpg"]


def test_an_object_that_is_nowhere_whole_is_written(s3: S3Store, bucket: Bucket) -> None:
    assert kept(s3, Facts("dogs/1.jpg"), BODY, Facts(md5="another")) == Found(was_there=False)
    written = bucket.get("crawl/dogs/1.jpg")
    assert (written["Body"], written["ContentType"], written["Metadata"]) == (BODY, "image/jpeg", {"width": "3"})


def test_another_object_is_known_by_its_md5(s3: S3Store, bucket: Bucket) -> None:
    assert other_there(s3, Facts()) is None
    assert other_there(s3, Facts(md5="another")) == Facts().md5
    assert other_there(s3, Facts("none.jpg")) is None
    bucket.put(f"crawl/{Facts.path}", b"my notes")
    assert other_there(s3, Facts()) == hashlib.md5(b"my notes").hexdigest()


def test_a_bucket_that_lets_nobody_look_is_taken_for_empty(s3: S3Store) -> None:
    s3.bucket = "no-such-bucket"
    assert other_there(s3, Facts()) is None
