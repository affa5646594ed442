"""When a body comes too slowly."""

from __future__ import annotations

import gc

import pytest
from scrapy import Request, signals
from scrapy.exceptions import NotConfigured
from scrapy.utils._download_handlers import check_stop_download
from scrapy.utils.test import get_crawler

from imagecrawl.extensions.slowness import GRACE, Slowness
from imagecrawl.failures import TOO_SLOW, TooSlowError, failure_of

URL = "https://a.example/"


class Clock:
    """Tells the time when it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slowness(clock: Clock) -> Slowness:
    return Slowness(1000, clock)


def test_a_host_has_time_to_begin(slowness: Slowness, clock: Clock) -> None:
    request = Request(URL)
    for _ in range(GRACE + 1):
        slowness.bytes_received(b"x", request)
        clock.now += 1
    with pytest.raises(TooSlowError, match=rf"^12 bytes in {GRACE + 1} s are less than DOWNLOAD_MIN_RATE$"):
        slowness.bytes_received(b"x", request)


def test_the_rate_is_that_since_the_first_bytes(slowness: Slowness, clock: Clock) -> None:
    request = Request(URL)
    slowness.bytes_received(bytes(20_000), request)
    clock.now += 20
    slowness.bytes_received(b"x", request)
    clock.now += 0.01
    with pytest.raises(TooSlowError):
        slowness.bytes_received(b"x", request)


def test_each_request_has_its_own_time(slowness: Slowness, clock: Clock) -> None:
    slowness.bytes_received(b"x", Request(URL))
    clock.now += 60
    slowness.bytes_received(b"x", Request(URL))


def test_nothing_is_kept_of_requests_that_are_gone(slowness: Slowness) -> None:
    slowness.bytes_received(b"x", Request(URL))
    gc.collect()
    assert not slowness._bodies


def test_the_download_ends_with_the_reason() -> None:
    crawler = get_crawler(settings_dict={"DOWNLOAD_MIN_RATE": 1000})
    slowness = Slowness.from_crawler(crawler)
    slowness.clock = clock = Clock()
    request = Request(URL)
    assert check_stop_download(signals.bytes_received, crawler, request, data=b"x") is None
    clock.now += 60
    stop = check_stop_download(signals.bytes_received, crawler, request, data=b"x")
    assert stop is not None and stop.fail
    failure = failure_of(stop)
    assert failure is TOO_SLOW and failure.is_passing


def test_0_is_no_bound() -> None:
    with pytest.raises(NotConfigured):
        Slowness.from_crawler(get_crawler(settings_dict={"DOWNLOAD_MIN_RATE": 0}))
