"""What our spiders share, as far as no crawl is needed to see it."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy.exceptions import DownloadTimeoutError, IgnoreRequest

from imagecrawl.exceptions import Obstacle, PageBlockedError, PageChangedError
from imagecrawl.rates import RATE_LIMIT
from imagecrawl.spider import MediaSpider, page_error


class SomeSpider(MediaSpider):
    name = "some"
    limit = "10"

    def item_settled(self, item: Any) -> None:
        pass


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (
            IgnoreRequest(f"{RATE_LIMIT}: www.a.example asks to wait 90 s"),
            Obstacle.RATE_LIMITED,
            "no page of a.example (rate limit: www.a.example asks to wait 90 s)",
        ),
        (
            IgnoreRequest(f"no {RATE_LIMIT}"),
            Obstacle.REFUSED,
            "the page of a.example is not to be asked for (IgnoreRequest: no rate limit)",
        ),
        (
            IgnoreRequest("Forbidden by robots.txt"),
            Obstacle.REFUSED,
            "the page of a.example is not to be asked for (IgnoreRequest: Forbidden by robots.txt)",
        ),
        (
            DownloadTimeoutError("first\nsecond"),
            Obstacle.UNREACHABLE,
            "a.example did not answer (DownloadTimeoutError: first)",
        ),
        (OSError(f"{RATE_LIMIT}: x"), Obstacle.UNREACHABLE, "a.example did not answer (OSError: rate limit: x)"),
    ],
)
def test_why_there_is_no_page(error: Exception, kind: Obstacle, said: str) -> None:
    found = page_error(error, "a.example")
    assert isinstance(found, PageBlockedError)
    assert (found.kind, str(found), found.ends_crawl) == (kind, said, False)


def test_an_error_of_a_page_is_what_it_is() -> None:
    error = PageChangedError("another shape")
    assert page_error(error, "a.example") is error


def test_arguments_are_attributes() -> None:
    spider = SomeSpider(q="cats", limit="5")
    assert (spider.q, spider.limit) == ("cats", "5")  # type: ignore[attr-defined]


def test_an_argument_called_name_does_not_rename_the_spider() -> None:
    assert SomeSpider(name="pics").name == "some"


@pytest.mark.parametrize("method", ["start", "ask", "item_settled", "page_failed", "wrong_arguments"])
def test_an_argument_replaces_no_method(method: str) -> None:
    assert callable(getattr(SomeSpider(**{method: "x"}), method))
