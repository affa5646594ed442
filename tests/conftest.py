from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crawling import Crawl, crawl
from tests.replica import Replica


@pytest.fixture(scope="session")
def replica() -> Iterator[Replica]:
    """The small internet, one for all tests. Its log grows: ask for what came since ``mark``."""
    with Replica() as replica:
        yield replica


@pytest.fixture
def google(replica: Replica, tmp_path: Path) -> Callable[..., Crawl]:
    """A crawl of google_images against the replica: ``google("q=cats", "limit=5")``."""

    def run(*arguments: str) -> Crawl:
        return crawl(tmp_path / "data", *arguments, "-s", "BROWSER_VERIFY_TLS=False", env=replica.environment())

    return run
