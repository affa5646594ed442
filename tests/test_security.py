"""docs/security.md names tests, rows of the host of horrors and settings: they are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import settings.base
from tests.crawling import ROOT
from tests.replica.horror_rows import BY_NAME
from tests.replica.horrors import PAGES

TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
ROWS = [line.strip("|").split("|") for line in TEXT.splitlines() if line.startswith("| ")]
SHOWN = sorted({name for *_, shown in ROWS for name in re.findall(r"`([^`]+)`", shown)})
SETTINGS = sorted(set(re.findall(r"`([A-Z]+_[A-Z_]*[A-Z])[`=]", TEXT)))
OF_OTHERS = {"PLAYWRIGHT_CDP_URL", "PLAYWRIGHT_LAUNCH_OPTIONS"}
"""Settings of scrapy-playwright, which have no default here."""


@cache
def named_in(path: Path) -> set[str]:
    """The functions of a module of tests."""
    return {node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", SHOWN)
def test_what_shows_it_exists(name: str) -> None:
    path, _, test = name.partition("::")
    if test:
        assert test in named_in(ROOT / "tests" / path)
    else:
        assert name in BY_NAME or name in {page.name for page in PAGES}


def test_every_threat_is_shown_by_something() -> None:
    threats = [row for row in ROWS if row[-1].strip() != "shown by"]
    assert len(threats) > 40
    assert not [threat for threat in threats if len(threat) != 3 or "`" not in threat[-1]]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_exists(name: str) -> None:
    assert name in vars(settings.base) or name in OF_OTHERS
