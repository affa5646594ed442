"""``scrapy verify``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scrapy.settings import Settings

from imagecrawl.commands.verify import JsonReport, Verification
from imagecrawl.ledger import Ledger
from imagecrawl.memory import CrawlLock
from imagecrawl.outcomes import Outcome
from imagecrawl.stores import file_sha256
from tests.bucket import Bucket
from tests.commands.stock import Stock, row

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION_NAME": "us-east-1"}


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    return Stock(tmp_path / "data")


def verify(stock: Stock, **settings: Any) -> dict[str, Any]:
    """What the command says as JSON, without a process of its own; paths only, in the order they were found."""
    report = JsonReport()
    ledger = Ledger(stock.path)
    Verification(ledger, Settings({**stock.stores, **settings}), report).run()
    ledger.close()
    paths = {what: [file["path"] for file in files] for what, files in report.lists.items()}
    return {"whole": report.counts["whole"], **paths, "not_verified": report.not_verified}


def all_whole(number: int) -> dict[str, Any]:
    return {"whole": number, "missing": [], "damaged": [], "unknown": [], "not_verified": []}


def test_a_whole_store_is_said_to_be(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg")
    stock.miss("https://a.example/2.jpg", Outcome.FAILED, "timeout")
    done = stock.run("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "1 file whole, 0 missing, 0 damaged, 0 unknown\n"
    assert done.stderr == ""


def test_what_is_wrong_is_named_line_by_line(stock: Stock) -> None:
    stock.keep("https://a.example/whole.jpg", b"whole", path="cats/0/a.jpg")
    stock.keep("https://a.example/cut.jpg", b"cut", path="cats/0/cut one.jpg").write_bytes(b"cu")
    stock.keep("https://a.example/gone.jpg", b"gone", path="قطط/0/gone.jpg").unlink()
    stock.keep("https://a.example/changed.jpg", b"old", path="cats/0/changed.jpg").write_bytes(b"new")
    (stock.images / "cats" / "0" / "what\x1b[31m.jpg").write_bytes(b"?")
    done = stock.run("verify")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"damaged: {stock.images}/cats/0/changed.jpg (https://a.example/changed.jpg)",
        f"damaged: {stock.images}/cats/0/cut one.jpg (https://a.example/cut.jpg)",
        f"unknown: {stock.images}/cats/0/what[31m.jpg",
        f"missing: {stock.images}/قطط/0/gone.jpg (https://a.example/gone.jpg)",
        "1 file whole, 1 missing, 2 damaged, 1 unknown",
    ]


def test_json_is_one_document(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg", b"1", path="cats/0/1.jpg")
    stock.keep("https://a.example/2.jpg", b"2", path="cats/0/2.jpg").unlink()
    stock.keep("https://a.example/3.jpg", b"3", path="cats/0/3.jpg").write_bytes(b"")
    (stock.images / "قطط.jpg").write_bytes(b"?")
    (stock.images / os.fsdecode(b"\xff.jpg")).write_bytes(b"?")
    done = stock.run("verify", "--json", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    store = {"store": str(stock.images)}
    assert json.loads(done.stdout) == {
        "whole": 1,
        "missing": [store | {"path": "cats/0/2.jpg", "url": "https://a.example/2.jpg"}],
        "damaged": [store | {"path": "cats/0/3.jpg", "url": "https://a.example/3.jpg"}],
        "unknown": [store | {"path": "قطط.jpg"}, store | {"path": os.fsdecode(b"\xff.jpg")}],
        "not_verified": [],
        "not_searched": [],
    }


def test_a_terminal_that_lacks_a_letter_is_no_trouble(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg", path="قطط/0/1.jpg").unlink()
    done = stock.run("verify", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert done.stdout.startswith(f"missing: {stock.images}/???/0/1.jpg (")


def test_without_a_ledger_nothing_is_verified_and_nothing_made(stock: Stock) -> None:
    done = stock.run("verify")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 and str(stock.path) in done.stderr
    assert not stock.data.exists()


def test_damage_that_no_query_meets_is_found(stock: Stock) -> None:
    ledger = Ledger(stock.path)
    with ledger.transaction():
        for number in range(2000):
            ledger.settle(
                replace(row(f"https://a.example/{number}", "cats"), sha256=f"{number:064}", path=f"a/{number}")
            )
    ledger.close()
    spoiled = bytearray(stock.path.read_bytes())
    leaves = [page for page in range(4096, len(spoiled), 4096) if spoiled[page] == 0x0A]  # of an index
    middle = leaves[len(leaves) // 2]
    spoiled[middle : middle + 4096] = b"\xff" * 4096
    stock.path.write_bytes(spoiled)
    done = stock.run("verify")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 and "(*** in database main" in done.stderr
    assert stock.path.read_bytes() == spoiled


def test_addresses_that_share_a_file_count_once(stock: Stock) -> None:
    for number in range(3):
        file = stock.keep(f"https://a.example/{number}.jpg", b"same")
    assert verify(stock) == all_whole(1)
    file.unlink()
    assert verify(stock)["missing"] == [file.relative_to(stock.images).as_posix()]


def test_the_same_file_is_read_once(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        stock.keep(f"https://a.example/{number}.jpg", b"same")
    read: list[Path] = []

    def hash_and_tell(path: Path) -> str:
        read.append(path)
        return file_sha256(path)

    monkeypatch.setattr("imagecrawl.stores.file_sha256", hash_and_tell)
    verify(stock)
    assert len(read) == 1


def test_another_time_of_modification_is_no_damage(stock: Stock) -> None:
    os.utime(stock.keep("https://a.example/1.jpg"), (1, 1))
    assert verify(stock) == all_whole(1)


def test_the_same_time_of_modification_hides_no_damage(stock: Stock) -> None:
    file = stock.keep("https://a.example/1.jpg", b"old", path="cats/0/1.jpg")
    before = file.stat().st_mtime_ns
    file.write_bytes(b"new")
    os.utime(file, ns=(before, before))
    assert verify(stock)["damaged"] == ["cats/0/1.jpg"]


def test_odd_names_are_matched_and_sorted_like_the_ledger(stock: Stock) -> None:
    names = ["a/x.jpg", "a.jpg", "a b.jpg", "a/b/c.jpg", "a-/x.jpg", "ä/x.jpg", "Z/x.jpg", "😀/x.jpg", "\uffee/x.jpg"]
    for number, name in enumerate(names):
        stock.keep(f"https://a.example/{number}", str(number).encode(), path=name)
    assert verify(stock) == all_whole(len(names))
    others = ["a!.jpg", "a/b.jpg", "a/b/d", "a0.jpg", "\ufffe.jpg", os.fsdecode(b"\x80.jpg"), os.fsdecode(b"\xff.jpg")]
    for name in others:
        (stock.images / name).write_bytes(b"?")
    assert verify(stock)["unknown"] == sorted(others, key=os.fsencode)


def test_a_file_that_cannot_be_read_is_damaged_and_says_why(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    stock.keep("https://a.example/1.jpg", path="cats/0/1.jpg")

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("imagecrawl.stores.file_sha256", refuse)
    assert verify(stock)["damaged"] == ["cats/0/1.jpg"]


def test_half_written_files_are_unknown_unless_a_crawl_runs(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg", path="cats/0/1.jpg")
    (stock.images / "cats" / "0" / ".2.jpg.7.part").write_bytes(b"half")
    placed = stock.images / "cats" / "0" / "2.jpg"
    placed.write_bytes(b"whole, but its row is not written yet")
    assert verify(stock)["unknown"] == ["cats/0/.2.jpg.7.part", "cats/0/2.jpg"]
    lock = CrawlLock(stock.path, "google_images-0")
    lock.acquire()
    try:
        assert verify(stock)["unknown"] == []
    finally:
        lock.release()


def test_old_files_are_unknown_while_a_crawl_runs_too(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    stock.keep("https://a.example/1.jpg", path="cats/0/1.jpg")
    (stock.images / "cats" / "0" / "2.jpg").write_bytes(b"?")
    monkeypatch.setattr("imagecrawl.commands.verify.GRACE", -3600)
    lock = CrawlLock(stock.path, "google_images-0")
    lock.acquire()
    try:
        assert verify(stock)["unknown"] == ["cats/0/2.jpg"]
    finally:
        lock.release()


def test_a_store_folder_that_is_gone_is_not_made(stock: Stock, tmp_path: Path) -> None:
    stock.keep("https://a.example/1.jpg", path="cats/0/1.jpg")
    stock.images.rename(tmp_path / "elsewhere")
    assert verify(stock)["missing"] == ["cats/0/1.jpg"]
    assert not stock.images.exists()


def test_the_store_of_the_project_is_searched_beside_those_of_the_rows(stock: Stock, tmp_path: Path) -> None:
    stock.keep("https://a.example/1.jpg")
    other = tmp_path / "other"
    other.mkdir()
    (other / "1.jpg").write_bytes(b"?")
    found = verify(stock, IMAGES_STORE=str(other))
    assert (found["whole"], found["unknown"]) == (1, ["1.jpg"])


def test_a_folder_that_cannot_be_searched_is_said(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    stock.keep("https://a.example/1.jpg", path="cats/0/1.jpg")

    def refuse(folder: Path, prefix: str) -> Iterator[str]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("imagecrawl.stores._walk", refuse)
    found = verify(stock)
    assert found["whole"] == 1
    why = f"{stock.images} cannot be searched for unknown files (Permission denied)"
    assert found["not_verified"] == [(str(stock.images), why)]


def test_files_are_verified_beside_pictures(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg", path="cats/0/1.jpg")
    names = [f"papacambridge/caie/physics-0625/{number}.pdf" for number in range(1, 5)]
    stock.keep_file("https://a.example/1.pdf", b"1")
    stock.keep_file("https://a.example/2.pdf", b"2").unlink()
    stock.keep_file("https://a.example/3.pdf", b"3").write_bytes(b"?")
    (stock.files / names[3]).write_bytes(b"?")
    assert verify(stock) == all_whole(2) | {"missing": [names[1]], "damaged": [names[2]], "unknown": [names[3]]}
    done = stock.run("verify")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"missing: {stock.files}/{names[1]} (https://a.example/2.pdf)",
        f"damaged: {stock.files}/{names[2]} (https://a.example/3.pdf)",
        f"unknown: {stock.files}/{names[3]}",
        "2 files whole, 1 missing, 1 damaged, 1 unknown",
    ]


def test_a_store_that_was_never_used_is_no_trouble(stock: Stock) -> None:
    stock.keep_file("https://a.example/1.pdf")
    assert verify(stock) == all_whole(1)
    assert not stock.images.exists()


def test_unknown_files_are_found_where_the_ledger_has_none(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg")
    stock.files.mkdir()
    (stock.files / "own.pdf").write_bytes(b"?")
    assert verify(stock) == all_whole(1) | {"unknown": ["own.pdf"]}


def test_two_addresses_of_one_file_count_once(stock: Stock) -> None:
    stock.keep_file("https://a.example/1.pdf", b"same")
    stock.keep_file("https://b.example/1.pdf", b"same")
    assert verify(stock) == all_whole(1)


def test_stores_that_cannot_be_verified_are_said(stock: Stock) -> None:
    stock.keep("https://a.example/1.jpg")
    entry = replace(row("https://a.example/2.jpg", "cats"), path="cats/2.jpg", sha256="0" * 64, md5="0" * 32)
    stock.settle(replace(entry, store="gs://bucket/images/"))
    stock.settle(replace(entry, store="ftp://host/images/"))
    done = stock.run("verify")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "ftp://host/images/ cannot be verified: only local folders and S3 can",
        "gs://bucket/images/ cannot be verified: only local folders and S3 can",
        "1 file whole, 0 missing, 0 damaged, 0 unknown; not verified: ftp://host/images/, gs://bucket/images/",
    ]


def test_objects_on_s3_are_held_against_their_md5(bucket: Bucket, stock: Stock) -> None:
    stock.images = Path("images")
    ledger = Ledger(stock.path)
    md5 = "5d41402abc4b2a76b9719d911017c592"
    for name, body in (("1.jpg", b"hello"), ("2.jpg", b"other"), ("3.jpg", None)):
        entry = row(f"https://a.example/{name}", "cats")
        ledger.settle(replace(entry, store="s3://pictures/crawl/", path=f"cats/{name}", sha256=name * 8, md5=md5))
        if body:
            bucket.put(f"crawl/cats/{name}", body)
    ledger.close()
    done = stock.run("verify", *bucket.options, "-s", "IMAGES_STORE=s3://pictures/crawl/")
    assert done.stdout.splitlines() == [
        "damaged: s3://pictures/crawl/cats/2.jpg (https://a.example/2.jpg)",
        "missing: s3://pictures/crawl/cats/3.jpg (https://a.example/3.jpg)",
        "1 file whole, 1 missing, 1 damaged, 0 unknown; not searched for unknown files: s3://pictures/crawl/",
    ]
    assert done.returncode == 1


def test_an_s3_that_does_not_answer_is_said(stock: Stock) -> None:
    entry = row("https://a.example/1.jpg", "cats")
    stock.settle(replace(entry, store="s3://pictures/crawl/", path="cats/1.jpg", sha256="0" * 64, md5="0" * 32))
    found = verify(stock, AWS_ENDPOINT_URL="http://127.0.0.1:9", **KEYS)
    assert [store for store, _ in found["not_verified"]] == ["s3://pictures/crawl/"]
    assert found["missing"] == []
