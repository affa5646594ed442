"""The saved pages of one site: each is two files, the page and a JSON with what it is to give."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from imagecrawl import exceptions


class SavedPages:
    """The pages in ``tests/saved_pages/<site>``; ``cases`` are their names."""

    def __init__(self, site: str) -> None:
        self.folder = Path(__file__).parents[1] / "saved_pages" / site
        self.cases = sorted(path.stem for path in self.folder.glob("*.json"))

    def page_of(self, case: str) -> str:
        (path,) = (path for path in self.folder.glob(f"{case}.*") if path.suffix != ".json")
        return path.read_text(encoding="utf-8")

    def expected_of(self, case: str) -> dict[str, Any]:
        expected: dict[str, Any] = json.loads((self.folder / f"{case}.json").read_text(encoding="utf-8"))
        return expected


@contextmanager
def raises_as(expected: dict[str, Any]) -> Iterator[pytest.ExceptionInfo[exceptions.PageError]]:
    """Expects the ``error`` that the JSON of a page names, of its ``kind``, with its ``message_part`` on one line."""
    with pytest.raises(getattr(exceptions, expected["error"])) as caught:
        yield caught
    assert caught.value.kind == expected["kind"]
    assert expected["message_part"] in str(caught.value)
    assert "\n" not in str(caught.value)
