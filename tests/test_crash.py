"""``kill -9`` at any moment, then the same command: everything is as if nothing had happened.

Each trial kills a real crawl, looks at what it left, lets the same command run to its end, and compares files, ledger
and feed with those of a crawl that was never interrupted. The replica's own log is the witness of what was asked for.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from imagecrawl.ledger import Entry, Ledger, State, address
from settings.base import CONCURRENT_REQUESTS
from tests.crawling import ROOT, environment, save_results_page
from tests.replica import Replica
from tests.replica.kinds import PICTURE_HOSTS, PRIVATE_HOST, TROUBLE_HOST, UNKNOWN_HOST

SEED = 20261121
TRIALS = 20
BY_BROWSER = 4
"""The last so many trials search Google in the browser; the others read a saved page, which is quicker."""

REDIRECTS = 2
"""Requests that one picture of these results takes beside its own address."""

MEDIA_HOSTS = {*PICTURE_HOSTS, PRIVATE_HOST, TROUBLE_HOST, UNKNOWN_HOST, "encrypted-tbn0.gstatic.com"}
PASSING = ("/503/", "/closes-early/", UNKNOWN_HOST)
"""Addresses that fail for a reason that may pass: every run asks for them again, and Scrapy more than once."""


@dataclass(frozen=True)
class End:
    """What a crawl left behind, as far as it must not depend on how often it was killed.

    Times, run numbers and attempts are left out. Of two addresses with the same bytes either may be the first.
    """

    code: int
    files: dict[str, bytes]
    rows: Counter[tuple[Any, ...]]
    lines: Counter[tuple[Any, ...]]


@pytest.fixture(scope="module")
def page(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first results page of ``cats``, saved: 100 results with every cheap kind of trouble among them."""
    return save_results_page(replica, "cats", tmp_path_factory.mktemp("page") / "cats.html")


def arguments(page: Path | None) -> list[str]:
    """One command: a saved page, or a search that needs two pages of results."""
    given = [f"page={page}"] if page else ["q=cats", "limit=120"]
    return [word for argument in given for word in ("-a", argument)]


def start(replica: Replica, data: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "scrapy", "crawl", "google_images", *words, "-s", "BROWSER_VERIFY_TLS=False"],
        cwd=ROOT, env=environment(data, replica.environment(), variables), stderr=subprocess.PIPE, encoding="utf-8",
        start_new_session=True,
    )  # fmt: skip


def finish(replica: Replica, data: Path, *words: str) -> End:
    """The same command, to its end."""
    feeds = len(list((data / "feeds").rglob("*.jsonl")))
    process = start(replica, data, *words)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert len(list((data / "feeds").rglob("*.jsonl"))) == feeds + 1
    return end(data, process.returncode)


def end(data: Path, code: int) -> End:
    images = data / "images"
    files = {str(path.relative_to(images)): path.read_bytes() for path in images.rglob("*") if path.is_file()}
    feed = max((data / "feeds").rglob("*.jsonl"))
    lines = [json.loads(line) for line in feed.read_text("utf-8").splitlines()]
    return End(code, files, Counter(map(row_part, rows(data))), Counter(map(line_part, lines)))


def rows(data: Path) -> list[Entry]:
    book = Ledger(data / "ledger.sqlite3")
    found = list(book._select("1", {}))
    book.close()
    return found


def row_part(row: Entry) -> tuple[Any, ...]:
    first = None if row.state is State.HELD else row.outcome
    return (
        row.store, row.folder, row.url, row.state, first, row.reason, row.path, row.sha256, row.md5, row.bytes,
        row.width, row.height, row.format, row.mode, row.source, row.keyword, row.page_url, row.rank, row.etag,
        row.last_modified, row.limits, row.item,
    )  # fmt: skip


def line_part(line: dict[str, Any]) -> tuple[Any, ...]:
    images = [{**image, "status": None} for image in line["images"]]
    kept = {**line, "images": images, "crawled_at": None, "outcome": "kept" if images else line["outcome"]}
    return (json.dumps(kept, sort_keys=True),)


def outcomes_by_path(data: Path) -> Counter[tuple[str, bool]]:
    """How many lines of the last feed have each file, and whether as the first or as a duplicate."""
    feed = max((data / "feeds").rglob("*.jsonl"))
    lines = [json.loads(line) for line in feed.read_text("utf-8").splitlines()]
    return Counter((image["path"], line["outcome"] == "duplicate") for line in lines for image in line["images"])


def media_requests(replica: Replica, since: int) -> Counter[str]:
    return Counter(
        request.url
        for request in replica.requests[since:]
        if request.host in MEDIA_HOSTS and request.method == "GET" and request.route != "/robots.txt"
        and not any(part in request.url for part in PASSING)
    )  # fmt: skip


def kill_at(replica: Replica, process: subprocess.Popen[str], since: int, requests: int, seconds: float) -> None:
    """Kill with -9 when so many media were asked for, and so much later; whatever it started goes with it."""
    while media_requests(replica, since).total() < requests and process.poll() is None:
        time.sleep(0.002)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it ended before it was killed"
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def check_what_a_kill_left(data: Path, whole: End) -> list[Entry]:
    """Every file is whole, and every line that was written is backed by a row and its file. Returns the rows."""
    images = data / "images"
    for path in images.rglob("*"):
        if path.is_file() and not path.name.endswith(".part"):
            assert path.read_bytes() == whole.files[str(path.relative_to(images))]
    known = rows(data) if (data / "ledger.sqlite3").exists() else []
    held = {row.path for row in known if row.state is State.HELD}
    assert all((images / str(path)).is_file() for path in held)
    for feed in (data / "feeds").rglob("*.jsonl"):
        for line in feed.read_text("utf-8").splitlines(keepends=True):
            if line.endswith("\n"):
                assert {image["path"] for image in json.loads(line)["images"]} <= held
    return known


def check_second_run(lab: Lab, known: list[Entry], whole: End, words: list[str]) -> Counter[str]:
    """Run the command again and compare; returns the media that it asked for."""
    settled = {row.url for row in known if row.state is not State.DUE}
    second = len(lab.replica.requests)
    assert finish(lab.replica, lab.data, *words) == whole
    assert all(outcomes_by_path(lab.data)[path, False] == 1 for path in whole.files)
    asked = media_requests(lab.replica, second)
    assert not settled & {address(url) for url in asked}
    assert not [url for url, count in asked.items() if count > 1]
    assert not list((lab.data / "running").iterdir())
    return asked


@dataclass(frozen=True)
class Lab:
    """What a trial needs."""

    replica: Replica
    page: Path
    data: Path


@pytest.fixture(scope="module")
def whole(replica: Replica, page: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], End]:
    """How it ends when nothing happens, by whether a saved page is read: crawled when it is first asked for."""
    folder = tmp_path_factory.mktemp("whole")
    return cache(lambda saved: finish(replica, folder / str(saved), *arguments(page if saved else None)))


@pytest.fixture
def lab(replica: Replica, page: Path, tmp_path: Path) -> Lab:
    return Lab(replica, page, tmp_path / "data")


CHANCE = random.Random(SEED)
MOMENTS = [(CHANCE.randrange(0, 95), CHANCE.random() * 0.05) for _ in range(TRIALS)]
"""How many media are asked for before each kill, and how many seconds later it comes."""


@pytest.mark.slow
@pytest.mark.parametrize("trial", range(TRIALS))
def test_a_killed_crawl_is_finished_by_the_same_command(lab: Lab, whole: Callable[[bool], End], trial: int) -> None:
    requests, seconds = MOMENTS[trial]
    saved = trial < TRIALS - BY_BROWSER
    words = arguments(lab.page if saved else None)
    expected = whole(saved)
    since = len(lab.replica.requests)
    kill_at(lab.replica, start(lab.replica, lab.data, *words), since, requests, seconds)
    first = media_requests(lab.replica, since)
    assert first.total() >= requests
    known = check_what_a_kill_left(lab.data, expected)
    second = check_second_run(lab, known, expected, words)
    twice = len(first & second)
    print(f"seed {SEED}, trial {trial}: {len(first)} media asked for, then {len(second)}, {twice} of them twice")
    assert twice <= CONCURRENT_REQUESTS + REDIRECTS


POINTS = {
    "before a file is synced": "stores._sync",
    "before a file gets its name": "Path.replace",
    "before a row is written": "Ledger.settle",
    "after a row is committed": "after Memory.settle",
}
"""Where a crawl may be killed that no clock hits: before the n-th call of something, or after it."""

PROFILE = """
import os, signal
from pathlib import Path
from imagecrawl import stores
from imagecrawl.ledger import Ledger
from imagecrawl.memory import Memory
from settings.base import *

place, _, count = os.environ["KILL_AT"].rpartition("*")
owner, name = place.removeprefix("after ").split(".")
whole = getattr(globals()[owner], name)
calls = 0

def die():
    global calls
    calls += 1
    if calls == int(count):
        os.kill(os.getpid(), signal.SIGKILL)

def before(*args, **kwargs):
    die()
    return whole(*args, **kwargs)

async def after(*args, **kwargs):
    answer = await whole(*args, **kwargs)
    die()
    return answer

setattr(globals()[owner], name, after if place.startswith("after ") else before)
"""


@pytest.mark.parametrize(
    ("point", "count"),
    [
        pytest.param(point, count, marks=() if (place, count) == (0, 1) else pytest.mark.slow)
        for place, point in enumerate(POINTS)
        for count in (1, 40)
    ],
)
def test_a_crawl_killed_between_two_steps_is_finished_too(
    lab: Lab, whole: Callable[[bool], End], tmp_path: Path, point: str, count: int
) -> None:
    (tmp_path / "killed.py").write_text(PROFILE, "utf-8")
    profile = {"SCRAPY_SETTINGS_MODULE": "killed", "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    words = arguments(lab.page)
    process = start(lab.replica, lab.data, *words, **profile, KILL_AT=f"{POINTS[point]}*{count}")
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    check_second_run(lab, check_what_a_kill_left(lab.data, whole(True)), whole(True), words)
