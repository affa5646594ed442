"""A disk that fills up under a crawl: a small file system in memory, mounted for the test."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crawling import crawl, save_results_page
from tests.replica import Replica
from tests.replica.pictures import picture_bytes


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a file system of so many bytes: ``small_disk("600k")``."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(size: str) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], capture_output=True, check=False
        )
        if done.returncode:
            pytest.skip("mounting is not permitted here; tests/pipelines/test_media_store.py has a patched write")
        return disk

    yield mount
    if os.path.ismount(disk):
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("size", ["400k", "2m"])
def test_a_full_disk_ends_the_crawl_and_leaves_every_file_whole(
    small_disk: Callable[[str], Path], replica: Replica, tmp_path: Path, size: str
) -> None:
    data = small_disk(size) / "data"
    words = ("q=cats", "limit=100", "-s", "BROWSER_VERIFY_TLS=False")
    done = crawl(data, *words, env=replica.environment())
    assert done.code == 10, done.stderr
    assert done.stderr.count("The crawl ends: ") == 1
    assert "Ended: disk-full (exit code 10)" in done.stderr
    assert "No space left on device" in done.stderr or "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [path for path in done.pictures if path.name.endswith(".part")]
    before = {path: path.read_bytes() for path in done.pictures}
    full = crawl(data, *words, env=replica.environment())
    assert full.code in {2, 10}, full.stderr  # the ledger may have a page left, or none
    assert "Traceback" not in full.stderr
    subprocess.run(["mount", "-o", "remount,size=100m", str(data.parent)], check=True)
    again = crawl(data, *words, env=replica.environment())
    assert again.code == 0, again.stderr
    assert len(again.pictures) == 100
    assert all(path.read_bytes() == body for path, body in before.items())
    feed = max((data / "feeds").rglob("*.jsonl"))
    for line in feed.read_text("utf-8").splitlines():
        for image in json.loads(line)["images"]:
            assert (data / "images" / image["path"]).read_bytes() == picture_bytes(image["url"])


def test_a_feed_that_cannot_be_written_ends_the_crawl(
    small_disk: Callable[[str], Path], replica: Replica, tmp_path: Path
) -> None:
    feed = small_disk("16k") / "feed.jsonl"
    feeds = json.dumps({str(feed): {"format": "jsonlines"}})
    page = save_results_page(replica, "cats", tmp_path / "cats.html")
    words = (f"page={page}", "limit=100", "-s", f"FEEDS={feeds}")
    done = crawl(tmp_path / "data", *words, env=replica.environment())
    assert done.code == 10, done.stderr
    assert "The crawl ends: a feed cannot be written (No space left on device)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_feed_that_takes_not_even_its_last_lines_is_said(replica: Replica, tmp_path: Path) -> None:
    feeds = json.dumps({"/dev/full": {"format": "jsonlines"}})
    words = ("q=lite", "via=http", "limit=2", "thumbnails=never", "-s", f"FEEDS={feeds}")
    done = crawl(tmp_path / "data", *words, env=replica.environment())
    assert done.code == 10, done.stderr
    assert "The crawl ends: a feed cannot be written (No space left on device)" in done.stderr
