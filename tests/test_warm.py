"""The processes that crawls of the tests run in are what ``python -m scrapy`` would be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests import crawling
from tests.crawling import environment, scrapy


def test_a_job_has_words_folder_environment_and_streams_of_its_own(tmp_path: Path) -> None:
    first = environment(tmp_path, {"IMAGECRAWL_CONTACT": "first@example.com"})
    said = [scrapy("settings", "--get", "CONTACT", env=env).stdout for env in (first, environment(tmp_path), first)]
    assert said == ["first@example.com\n", "test@example.com\n", "first@example.com\n"]


@pytest.mark.parametrize("words", [["crawl", "nothing"], ["list"]])
def test_it_says_and_returns_what_a_cold_one_does(tmp_path: Path, words: list[str]) -> None:
    env = environment(tmp_path)
    cold, warm = (run(*words, env=env) for run in (crawling.cold, scrapy))
    assert (warm.returncode, warm.stdout, warm.stderr) == (cold.returncode, cold.stdout, cold.stderr)


def test_one_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        scrapy("list", env=environment(tmp_path), timeout=0.01)


def test_what_python_reads_when_it_starts_needs_a_cold_one(tmp_path: Path) -> None:
    env = environment(tmp_path, {"PYTHONIOENCODING": "ascii"})
    assert not crawling.warm().can_run(env) and crawling.warm().can_run(environment(tmp_path))
