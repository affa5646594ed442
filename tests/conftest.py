from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from scrapy.utils.reactor import install_reactor

from tests.bucket import Bucket, served_bucket
from tests.crawling import Crawl, crawl
from tests.replica import Replica

# Seeds are fixed, and slow machines are no fault.
hypothesis.settings.register_profile("project", derandomize=True, deadline=None)
hypothesis.settings.load_profile("project")

install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")  # what the project's crawls run on
from twisted.internet import reactor  # noqa: E402


@pytest.fixture(scope="session")
def replica() -> Iterator[Replica]:
    """The small internet, one for all tests. Its log grows: look at what came after a test began."""
    with Replica() as replica:
        yield replica


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket on S3."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with served_bucket() as bucket:
        yield bucket


@pytest.fixture
def google(replica: Replica, tmp_path: Path) -> Callable[..., Crawl]:
    """A crawl of google_images against the replica: ``google("q=cats", "limit=5")``."""

    def run(*arguments: str) -> Crawl:
        return crawl(tmp_path / "data", *arguments, "-s", "BROWSER_VERIFY_TLS=False", env=replica.environment())

    return run


@pytest.fixture
def papacambridge(replica: Replica, tmp_path: Path) -> Callable[..., Crawl]:
    """A crawl of papacambridge against the replica: ``papacambridge("subject=9609", "limit=5")``."""

    def run(*arguments: str) -> Crawl:
        return crawl(tmp_path / "data", *arguments, spider="papacambridge", env=replica.environment())

    return run


def pytest_unconfigure() -> None:
    """Close the loop of the reactor, which was installed but never ran."""
    reactor._asyncioEventloop.close()
