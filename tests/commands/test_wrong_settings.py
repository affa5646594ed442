"""Values of settings that are wrong are said in a line each, Scrapy's own settings too."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.settings import Settings

from imagecrawl.commands.wrong_settings import SCRAPY_NUMBERS, SWITCHES, wrong_settings
from settings import base


def wrong(**given: Any) -> list[str]:
    """The lines for the project's settings with these."""
    return [*wrong_settings(Settings({**vars(base), **given}))]


def test_the_project_has_none() -> None:
    assert not wrong()


@pytest.mark.parametrize("name", SCRAPY_NUMBERS)
@pytest.mark.parametrize("value", ["x", "", None, "10MB", "nan", "inf"])
def test_a_number_of_scrapy_that_is_none_is_named(name: str, value: str | None) -> None:
    [line] = wrong(**{name: value})
    assert line.startswith(f"setting `{name}` takes a ") and line.endswith(f"; got {value!r}")


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("CONCURRENT_REQUESTS", "0", "a whole number from 1"),
        ("CONCURRENT_REQUESTS_PER_DOMAIN", "-1", "a whole number from 1"),
        ("DOWNLOAD_MAXSIZE", "1.5", "a whole number from 0"),
        ("DOWNLOAD_DELAY", "-0.5", "a number from 0"),
        ("DEPTH_PRIORITY", "0.5", "a whole number"),
    ],
)
def test_what_a_number_takes_is_said(name: str, value: str, takes: str) -> None:
    assert wrong(**{name: value}) == [f"setting `{name}` takes {takes}; got {value!r}"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOWNLOAD_DELAY", "0.5"), ("DOWNLOAD_TIMEOUT", 2.5), ("AUTOTHROTTLE_MAX_DELAY", "30"),
        ("DEPTH_PRIORITY", "-1"), ("FEED_EXPORT_INDENT", None), ("FEED_EXPORT_INDENT", -1),
        ("CONCURRENT_ITEMS", 1), ("LOG_ENABLED", "0"),
    ],
)  # fmt: skip
def test_what_scrapy_takes_is_taken(name: str, value: Any) -> None:
    assert not wrong(**{name: value})


@pytest.mark.parametrize("value", ["yes", "127.0.0.1", ""])
def test_a_switch_that_is_none_is_named(value: str) -> None:
    [line] = wrong(ALLOW_PRIVATE_ADDRESSES=value)
    assert line == f"setting `ALLOW_PRIVATE_ADDRESSES` takes True or False; got {value!r}"


@pytest.mark.parametrize("value", ["-1", "5", "19", "x", ""])
def test_a_length_that_leaves_no_room_for_an_address_is_named(value: str) -> None:
    [line] = wrong(URLLENGTH_LIMIT=value)
    assert line == f"setting `URLLENGTH_LIMIT` takes 0 (no bound) or a whole number from 20; got {value!r}"


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_is_one(name: str) -> None:
    [line] = wrong(**{name: "maybe"})
    assert line == f"setting `{name}` takes True or False; got 'maybe'"
