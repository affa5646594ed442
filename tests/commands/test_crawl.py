"""What ``scrapy crawl`` looks at before anything is fetched."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crawling import ROOT, Crawl, environment, save_results_page
from tests.replica import Replica

Google = Callable[..., Crawl]


def garbage(path: Path) -> None:
    path.write_bytes(b"no database at all, whatever it is called" * 100)


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE other (value)")
    database.close()


def cut(path: Path) -> None:
    ledger_with_a_row(path)
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    """A page in the middle, which nothing reads at the start."""
    ledger_with_a_row(path, rows=3000)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)


def ledger_with_a_row(path: Path, rows: int = 1) -> None:
    from imagecrawl.ledger import Entry, Ledger, State, now
    from imagecrawl.outcomes import Outcome

    ledger = Ledger(path)
    with ledger.transaction():
        for number in range(rows):
            ledger.settle(Entry(
                store="images", folder="cats", url=f"https://a.example/{number}", state=State.CLOSED,
                outcome=Outcome.FAILED, reason="http-404", source="google_images", keyword="cats", first_seen=now(),
            ))  # fmt: skip
    ledger.close()


@pytest.mark.parametrize(("spoil", "said"), [
    (garbage, "is damaged; `scrapy rebuild` makes it anew"),
    (cut, "is damaged; `scrapy rebuild` makes it anew"),
    (overwritten, "is damaged; `scrapy rebuild` makes it anew"),
    (foreign, "is a database of another program"),
])  # fmt: skip
def test_a_ledger_that_is_not_sound_is_said_and_left_as_it_is(
    google: Google, replica: Replica, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "data" / "ledger.sqlite3"
    path.parent.mkdir()
    spoil(path)
    before, asked = path.read_bytes(), len(replica.requests)
    done = google("q=few")
    assert done.code == 2
    [line] = [line for line in done.stderr.splitlines() if str(path) in line]
    assert said in line
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before
    assert len(replica.requests) == asked


@contextmanager
def running(replica: Replica, data: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A crawl that has everything but one picture, which never comes."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "scrapy", "crawl", "google_images", *arguments, "-a", "thumbnails=never",
            "-s", "BROWSER_VERIFY_TLS=False", "-s", "RETRY_TIMES=0", "-s", "IMAGES_MAX_BYTES=3000000", "-L", "DEBUG",
        ],
        cwd=ROOT, env=environment(data, replica.environment()), stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert process.stderr
    next(line for line in process.stderr if "Scraped from" in line)
    try:
        yield process
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


@pytest.mark.slow
def test_the_very_same_crawl_is_refused_and_another_is_not(google: Google, replica: Replica, tmp_path: Path) -> None:
    data = tmp_path / "data"
    few = save_results_page(replica, "few", tmp_path / "few.html")
    with running(replica, data, "-a", "q=troubles"):
        asked = len(replica.requests)
        same = google("thumbnails=never", "q=troubles")
        assert same.code == 2
        assert "this very crawl is running already" in same.stderr
        assert "Traceback" not in same.stderr
        assert not [r for r in replica.requests[asked:] if r.host == "www.google.com"]
        other = google("thumbnails=never", f"page={few}", "limit=5")
        assert other.code == 0, other.stderr
    again = google("thumbnails=never", f"page={few}", "limit=5")
    assert "Done: 0 pictures stored, 5 up to date" in again.verdict


def test_a_folder_that_cannot_take_the_ledger_is_said(google: Google, replica: Replica, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "running").write_text("in the way", "utf-8")
    before = len(replica.requests)
    done = google("q=few")
    assert done.code == 2
    assert f"{tmp_path}/data/running" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(replica.requests) == before


@pytest.mark.slow
def test_of_the_same_crawl_started_twice_in_one_moment_one_runs(replica: Replica, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "scrapy", "crawl", "google_images", "-a", "q=troubles", "-a", "thumbnails=never",
        "-s", "BROWSER_VERIFY_TLS=False",
    ]  # fmt: skip
    env = environment(tmp_path / "data", replica.environment())
    both = [subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, encoding="utf-8") for _ in range(2)]
    while (ended := next((process for process in both if process.poll() is not None), None)) is None:
        time.sleep(0.01)  # one of its pictures never comes: the other does not end by itself
    [lives] = [process for process in both if process is not ended]
    said = ended.communicate()[1]
    assert ended.returncode == 2, said
    assert "this very crawl is running already" in said
    lives.send_signal(signal.SIGINT)
    assert "Traceback" not in said + lives.communicate(timeout=30)[1]
    assert lives.returncode == 8


@pytest.mark.parametrize(("setting", "said"), [
    ("IMAGES_STORE=", "setting `IMAGES_STORE` is empty"),
    ("LEDGER=", "setting `LEDGER` is empty"),
    ("IMAGES_STORE=gopher://host/", "setting `IMAGES_STORE` takes a folder or one of"),
    ("IMAGES_STORE=file://host/path", "setting `IMAGES_STORE` takes a folder, or file:// and an absolute path"),
    ("IMAGES_STORE=ftp://host/path", "setting `IMAGES_STORE` takes ftp://host:port/path"),
    ("REFRESH_DAYS=soon", "setting `REFRESH_DAYS` takes a whole number from 0"),
    ("DOWNLOAD_DELAY=x", "setting `DOWNLOAD_DELAY` takes a number from 0"),
    ("CONCURRENT_REQUESTS=0", "setting `CONCURRENT_REQUESTS` takes a whole number from 1"),
])  # fmt: skip
def test_a_setting_that_cannot_be_meant_is_named(google: Google, setting: str, said: str) -> None:
    done = google("q=few", "-s", setting)
    assert done.code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_feed_that_cannot_be_opened_is_said_before_anything_is_fetched(
    google: Google, replica: Replica, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    before = len(replica.requests)
    done = google("q=few", "-O", str(tmp_path / "file" / "out.csv"))
    assert done.code == 2
    assert f"{tmp_path}/file cannot be written" in done.stderr
    assert len(replica.requests) == before


def test_a_new_ledger_beside_old_pictures_is_worth_a_word(google: Google, tmp_path: Path) -> None:
    words = ("q=lite", "via=http", "limit=1", "thumbnails=never")
    assert "is new, though" not in google(*words).stderr
    (tmp_path / "data" / "ledger.sqlite3").unlink()
    done = google(*words)
    assert "ledger.sqlite3 is new, though" in done.stderr
    assert "`scrapy rebuild`" in done.stderr
