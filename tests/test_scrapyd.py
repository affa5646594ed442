"""The project on a real Scrapyd: deployed as an egg with scrapyd-client, scheduled over HTTP."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagecrawl.ledger import Ledger
from tests.crawling import ROOT, environment
from tests.replica import Replica

TIMEOUT = 120  # seconds, for a start or a job
BIN = Path(sys.executable).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Scrapyd:
    """A Scrapyd process and what it writes on its log."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        port = free_port()  # Scrapyd takes no 0
        (folder / "scrapyd.conf").write_text(f"[scrapyd]\nhttp_port = {port}\npoll_interval = 0.2\n", "utf-8")
        self.process = subprocess.Popen(
            [BIN / "scrapyd"], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._watchdog = threading.Timer(TIMEOUT, self.process.kill)
        self._watchdog.daemon = True
        self._watchdog.start()
        self.wait_for(f"Site starting on ({port})")
        self.url = f"http://127.0.0.1:{port}"

    def wait_for(self, pattern: str) -> str:
        """The first group of the next log line that ``pattern`` is found in."""
        assert self.process.stdout
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if found := re.search(pattern, line):
                return found.group(1)
        raise AssertionError(f"Scrapyd ended before it said {pattern!r}:\n{''.join(seen)}")

    def call(self, endpoint: str, **values: str) -> dict[str, object]:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        data = urllib.parse.urlencode(values).encode() or None
        with opener.open(f"{self.url}/{endpoint}", data, timeout=TIMEOUT) as answer:
            return dict(json.load(answer))

    @property
    def job_logs(self) -> list[str]:
        """The logs of all jobs so far, oldest first."""
        logs = (self.folder / "logs" / "imagecrawl" / "google_images").iterdir()
        return [path.read_text("utf-8") for path in sorted(logs, key=lambda path: path.stat().st_mtime)]

    def stop(self) -> None:
        self._watchdog.cancel()
        self.process.terminate()
        self.process.communicate()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scrapyd-data") / "data"


@pytest.fixture(scope="module")
def scrapyd(replica: Replica, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scrapyd]:
    env = environment(data, replica.environment())
    del env["PYTHONPATH"]  # the job must run from the egg
    scrapyd = Scrapyd(tmp_path_factory.mktemp("scrapyd"), env)
    yield scrapyd
    scrapyd.stop()


@pytest.fixture(scope="module")
def deploy(scrapyd: Scrapyd, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """``scrapyd-deploy`` in a copy of the project whose target is the running Scrapyd."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("setup.py", "imagecrawl", "spiders", "settings", "tests"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
    config = (ROOT / "scrapy.cfg").read_text("utf-8")
    (copy / "scrapy.cfg").write_text(config.replace("http://localhost:6800", scrapyd.url), "utf-8")

    def run(*arguments: str) -> str:
        env = {name: value for name, value in environment(copy).items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [BIN / "scrapyd-deploy", *arguments], cwd=copy, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return str(copy)

    return run


@pytest.fixture(scope="module")
def deployed(scrapyd: Scrapyd, deploy: Callable[..., str]) -> Scrapyd:
    """The same Scrapyd, with the project on it."""
    deploy()
    return scrapyd


def test_a_job_runs_from_the_egg_and_writes_its_feed(deployed: Scrapyd, data: Path) -> None:
    assert deployed.call("listspiders.json?project=imagecrawl")["spiders"] == [
        "google_images",
        "papacambridge",
        "site",
        "subreddit",
        "unsplash",
        "urls",
    ]
    scheduled = deployed.call(
        "schedule.json", project="imagecrawl", spider="google_images", q="few", limit="3", thumbnails="never",
        setting="BROWSER_VERIFY_TLS=False",
    )  # fmt: skip
    assert scheduled["status"] == "ok"
    deployed.wait_for("Process (finished):")
    [feed] = (data / "feeds" / "google_images").iterdir()
    items = [json.loads(line) for line in feed.read_text("utf-8").splitlines()]
    assert [(item["keyword"], item["outcome"]) for item in items] == [("few", "stored")] * 3
    assert all((data / "images" / item["images"][0]["path"]).is_file() for item in items)
    assert "Done: 3 pictures stored" in deployed.job_logs[-1]


def test_a_job_that_found_nothing_died_and_its_log_says_why(deployed: Scrapyd) -> None:
    deployed.call("schedule.json", project="imagecrawl", spider="google_images", q="nothing text", via="http")
    assert deployed.wait_for(r"Process died: exitstatus=(\d+)") == "6"
    assert "Ended: no-results (exit code 6)" in deployed.job_logs[-1]


@pytest.mark.slow
def test_two_jobs_at_once_share_a_ledger_and_lose_nothing(deployed: Scrapyd, data: Path) -> None:
    for query in ("lite", "imgres"):
        deployed.call(
            "schedule.json", project="imagecrawl", spider="google_images", q=query, via="http", limit="25",
            thumbnails="never",
        )  # fmt: skip
    for _ in range(2):
        deployed.wait_for("Process (finished):")
    ledger = Ledger(data / "ledger.sqlite3")
    stored = {keyword: count for _, keyword, outcome, _, count, _ in ledger.totals() if outcome == "stored"}
    assert (stored["lite"], stored["imgres"]) == (25, 25)
    assert ledger.damage() == []
    ledger.close()


def test_the_egg_holds_the_project_and_no_tests(deploy: Callable[..., str], tmp_path: Path) -> None:
    egg = tmp_path / "project.egg"
    deploy("--build-egg", str(egg))
    with zipfile.ZipFile(egg) as archive:
        rooms = {name.split("/")[0] for name in archive.namelist()}
    assert rooms == {"imagecrawl", "spiders", "settings", "EGG-INFO"}
