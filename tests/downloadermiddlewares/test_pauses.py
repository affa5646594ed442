"""Pauses of whole hosts: by a clock that the test moves, and in crawls of the replica, whose log has the times."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from scrapy import Request
from scrapy.http import Response
from scrapy.settings import Settings
from scrapy.statscollectors import StatsCollector
from scrapy.utils.test import get_crawler

from imagecrawl import signals
from imagecrawl.backoff import Refusals
from imagecrawl.commands.wrong_settings import wrong_settings
from imagecrawl.downloadermiddlewares.pauses import GIVEN_UP_SAID, PAUSE_TIMES, PausesMiddleware
from imagecrawl.downloads import Place, explain
from imagecrawl.exceptions import MediaError
from imagecrawl.failures import RequestRefusedError
from imagecrawl.outcomes import Outcome, Reason
from settings.base import (
    BACKOFF_START,
    CONCURRENT_REQUESTS_PER_DOMAIN,
    DOWNLOADER_MIDDLEWARES,
    REFUSALS_MAX,
    RETRY_HTTP_CODES,
)
from tests.crawling import ROOT, crawl, environment, scrapy
from tests.replica import LoggedRequest, Replica
from tests.replica.kinds import PICTURE_HOSTS, TROUBLE_HOST

SECONDS = 20
URL = "https://a.example/"


class Timer:
    """What FakeClock.call_later returns."""

    def __init__(self, when: float, callback: Callable[[], object]) -> None:
        self.when, self.callback = when, callback
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeClock:
    """Time stands still until it is told to pass."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Timer:
        self.timers.append(Timer(self.now + delay, lambda: callback(*args)))
        return self.timers[-1]

    @property
    def pending(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.is_cancelled]

    async def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self.pending if timer.when <= end]:
            timer = min(due, key=lambda timer: timer.when)
            self.timers.remove(timer)
            self.now = timer.when
            timer.callback()
            await turns()
        self.now = end
        await turns()


def foreseen(error: Exception) -> MediaError:
    explained = explain(error)
    assert explained
    return explained


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Crawl:
    """A middleware between requests and a host that answers when the test says so."""

    def __init__(self, pause_max: float = 120, per_host: int = 4, start: float = 1, most: int = 5) -> None:
        self.clock = FakeClock()
        crawler = get_crawler()
        self.slot = SimpleNamespace(closing=None)
        crawler.engine = SimpleNamespace(_slot=self.slot)  # type: ignore[assignment]
        self.stats = crawler.stats = StatsCollector(crawler)
        refusals = Refusals(start=start, most=most, rolled=lambda: 0.5)  # a factor of 1
        self.pauses = PausesMiddleware(
            crawler, pause_max=pause_max, per_host=per_host, refusals=refusals, clock=cast("Any", self.clock)
        )
        self.sent: list[Request] = []
        self.tasks: dict[Request, asyncio.Task[None]] = {}

    def get(self, *urls: str, **meta: Any) -> list[Request]:
        requests = [Request(url, meta=dict(meta)) for url in urls]
        self.go(*requests)
        return requests

    def go(self, *requests: Request) -> None:
        self.tasks |= {request: asyncio.ensure_future(self._go(request)) for request in requests}

    async def _go(self, request: Request) -> None:
        try:
            await self.pauses.process_request(request)
        except RequestRefusedError as error:
            self.pauses.process_exception(request, error)  # as Scrapy does
            raise
        self.sent.append(request)

    def error(self, request: Request) -> RequestRefusedError:
        error = self.tasks[request].exception()
        assert isinstance(error, RequestRefusedError)
        return error

    async def answer(self, request: Request, status: int = 200, **headers: str) -> Request | Response:
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        found = self.pauses.process_response(request, Response(request.url, status=status, headers=said))
        await turns()
        return found

    async def left(self, request: Request, remaining: float, reset: float) -> Request | Response:
        return await self.answer(request, x_ratelimit_remaining=str(remaining), x_ratelimit_reset=str(reset))

    def count(self, name: str) -> int:
        return self.stats.get_value(f"pauses/{name}", 0)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(story(), SECONDS)

    asyncio.run(bounded())


def paths(requests: list[Request]) -> list[str]:
    return [request.url.removeprefix(URL) for request in requests]


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    ours = (record for record in caplog.records if record.name == PausesMiddleware.__module__)
    return [(record.levelname, record.getMessage()) for record in ours]


def pages(count: int) -> list[str]:
    return [f"{URL}{number}" for number in range(count)]


def test_hosts_that_say_nothing_are_asked_at_once_and_leave_nothing_behind() -> None:
    async def story() -> None:
        crawl = Crawl(per_host=2)
        one, two, three, other = crawl.get(*pages(3), "https://b.example/")
        await turns()
        assert crawl.sent == [one, two, other]  # the third would stand in the downloader's queue
        response = await crawl.answer(one)
        assert isinstance(response, Response) and response.status == 200
        assert crawl.sent[-1] is three
        crawl.pauses.process_exception(two, OSError())
        await crawl.answer(three, 500)
        await crawl.answer(other, 404, retry_after="30")
        assert not crawl.pauses._hosts and not crawl.clock.pending and not crawl.pauses._announcing
        assert crawl.count("count") == crawl.count("seconds") == 0

    run(story)


def test_after_a_pause_one_goes_first_and_as_many_follow_as_its_answer_allows() -> None:
    async def story() -> None:
        crawl = Crawl()
        (first,) = crawl.get(f"{URL}first")
        await turns()
        await crawl.left(first, 0.0, 1)
        requests = crawl.get(*pages(10), "https://b.example/")
        await crawl.clock.pass_by(0.99)
        assert paths(crawl.sent) == ["first", "https://b.example/"]
        await crawl.clock.pass_by(0.01)
        assert paths(crawl.sent)[2:] == ["0"]
        await crawl.clock.pass_by(30)
        assert paths(crawl.sent)[2:] == ["0"]
        await crawl.left(requests[0], 3.0, 10)  # 1 and 2 leave one, which is kept
        assert paths(crawl.sent)[2:] == ["0", "1", "2"]
        await crawl.left(requests[2], 1.0, 10)
        await crawl.left(requests[1], 2.0, 10)  # it was sent first; its word is older
        await crawl.clock.pass_by(9.9)
        assert paths(crawl.sent)[2:] == ["0", "1", "2"]
        await crawl.clock.pass_by(0.1)
        assert paths(crawl.sent)[2:] == ["0", "1", "2", "3"]
        await crawl.answer(requests[3])  # nothing is announced any more
        assert paths(crawl.sent)[2:] == [str(number) for number in range(8)]
        assert (crawl.count("count"), crawl.count("seconds")) == (2, 11)

    run(story)


def test_what_is_under_way_counts_as_asked() -> None:
    async def story() -> None:
        crawl = Crawl()
        requests = crawl.get(*pages(4))
        await turns()
        await crawl.left(requests[0], 4, 60)
        (late,) = crawl.get(URL)
        await crawl.left(requests[1], 3, 60)
        await crawl.left(requests[2], 2, 60)
        assert late not in crawl.sent
        await crawl.left(requests[3], 1, 60)
        await crawl.clock.pass_by(59)
        assert late not in crawl.sent
        await crawl.clock.pass_by(1)
        assert late in crawl.sent

    run(story)


def test_a_host_with_small_windows_is_asked_carefully_when_it_is_asked_again() -> None:
    async def story() -> None:
        crawl = Crawl()
        (first,) = crawl.get(URL)
        await turns()
        await crawl.left(first, 0, 1)
        await crawl.clock.pass_by(100)
        assert not crawl.pauses._hosts and not crawl.clock.pending
        crawl.get(*pages(4))
        await turns()
        assert paths(crawl.sent) == ["", "0"]

    run(story)


def test_many_hosts_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        monkeypatch.setattr("imagecrawl.downloadermiddlewares.pauses.REMEMBERED", 10)
        crawl = Crawl()
        requests = crawl.get(*(f"https://{number}.example/" for number in range(30)))
        await turns()
        for request in requests:
            await crawl.left(request, 0, 5)
        assert len(crawl.pauses._hosts) == 30
        await crawl.clock.pass_by(5)
        assert not crawl.pauses._hosts and len(crawl.pauses._announcing) == 10

    run(story)


@pytest.mark.parametrize("status", [429, 503])
def test_a_refused_request_is_sent_again_after_the_pause_and_at_last_its_answer_stands(status: int) -> None:
    async def story() -> None:
        crawl = Crawl()
        request, other = Request(URL, priority=7, meta={"x": 1}), Request(f"{URL}other")
        crawl.go(request, other)
        await turns()
        for _ in range(PAUSE_TIMES):
            again = await crawl.answer(request, status, retry_after="30")
            assert isinstance(again, Request) and again is not request
            assert (again.url, again.priority, again.dont_filter, again.meta["x"]) == (URL, 7, True, 1)
            await crawl.answer(other)  # it was sent before the pause: no word against it
            crawl.go(again)
            await crawl.clock.pass_by(29.9)
            assert again not in crawl.sent
            await crawl.clock.pass_by(0.1)
            assert crawl.sent[-1] is again
            request = again
        last = await crawl.answer(request, status, retry_after="30")
        assert isinstance(last, Response) and last.status == status
        assert request.meta["dont_retry"] is True  # for RetryMiddleware
        assert (crawl.count("count"), crawl.count("seconds")) == (3, 90)

    run(story)


def test_a_timer_that_comes_a_little_early_is_set_again() -> None:
    async def story() -> None:
        crawl = Crawl()
        (request,) = crawl.get(URL)
        await turns()
        await crawl.left(request, 0, 0.5)
        (late,) = crawl.get(URL)
        await turns()
        (timer,) = crawl.clock.pending
        crawl.clock.timers.remove(timer)
        crawl.clock.now = timer.when - 1e-9
        timer.callback()
        await turns()
        assert late not in crawl.sent
        await crawl.clock.pass_by(0.001)
        assert late in crawl.sent

    run(story)


def test_a_request_that_must_not_be_sent_again_is_not() -> None:
    async def story() -> None:
        crawl = Crawl()
        (request,) = crawl.get(URL, dont_retry=True)
        await turns()
        assert isinstance(await crawl.answer(request, 429, retry_after="30"), Response)
        assert crawl.count("seconds") == 30

    run(story)


def test_every_spelling_of_a_pause() -> None:
    async def seconds_of(status: int, **headers: str) -> float:
        crawl = Crawl()
        (request,) = crawl.get("https://user:secret@A.example:8443/x")
        await turns()
        found = await crawl.answer(request, status, **headers)
        assert isinstance(found, Request) == (status == 429)
        (host,) = crawl.pauses._hosts.values()
        assert host.name == "a.example:8443"
        return host.resets - crawl.clock.now

    async def story() -> None:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        moment = str(math.floor(datetime.now(UTC).timestamp() + 60))
        assert await seconds_of(429, Retry_After="60") == 60
        assert 57 < await seconds_of(429, retry_after=date) <= 60
        assert 57 < await seconds_of(200, X_RateLimit_Remaining="1.0", X_RateLimit_Reset=moment) <= 60
        both = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "9"}
        assert await seconds_of(429, retry_after="60", **both) == 60
        assert await seconds_of(429, **both) == 9
        assert await seconds_of(404, **both) == 9

    run(story)


def test_headers_that_are_no_text_do_no_harm() -> None:
    async def story() -> None:
        crawl = Crawl()
        (request,) = crawl.get(URL)
        await turns()
        headers = {"Retry-After": b"\xff\xfe", "x-ratelimit-remaining": b"\xe9", "x-other": b"\xff"}
        response = Response(URL, status=429, headers=headers)
        assert isinstance(crawl.pauses.process_response(request, response), Request)
        assert crawl.count("seconds") == 1  # as if they were not there

    run(story)


def test_a_pause_grows_and_never_shrinks(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        crawl = Crawl()
        one, two, three, four = crawl.get(*pages(4))
        await turns()
        await crawl.answer(one, 429, retry_after="30")
        await crawl.clock.pass_by(0.5)
        await crawl.answer(two, 429, retry_after="30")
        await crawl.answer(three, 429, retry_after="5")
        await crawl.left(four, 900, 600)
        (late,) = crawl.get(URL)
        await crawl.clock.pass_by(29.9)
        assert late not in crawl.sent
        await crawl.clock.pass_by(0.1)
        assert late in crawl.sent
        assert crawl.count("count") == 1

    with caplog.at_level(logging.INFO):
        run(story)
    assert said(caplog) == [("WARNING", "a.example asks to wait 30 s")]


@pytest.mark.parametrize(("seconds", "level"), [("10", "INFO"), ("41.2", "WARNING")])
def test_a_long_pause_is_said_at_the_terminal(seconds: str, level: str, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        crawl = Crawl()
        (request,) = crawl.get(URL)
        await turns()
        await crawl.left(request, 0, float(seconds))

    with caplog.at_level(logging.INFO):
        run(story)
    assert said(caplog) == [(level, f"a.example asks to wait {math.ceil(float(seconds))} s")]


def test_a_pause_longer_than_the_cap_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        crawl = Crawl()
        one, two = crawl.get(*pages(2))
        await turns()
        await crawl.answer(one, 429, retry_after="100")
        (waiting,) = crawl.get(f"{URL}waiting")
        await turns()
        response = await crawl.answer(two, 503, retry_after="121")
        assert isinstance(response, Response) and two.meta["dont_retry"] is True
        (late,) = crawl.get(f"{URL}late")
        await turns()
        for request in (waiting, late):
            error = foreseen(crawl.error(request))
            assert (error.outcome, error.reason, error.passing) == (Outcome.FAILED, Reason.RATE_LIMITED, True)
            assert "a.example asks to wait 121 s" in str(error)
        await crawl.clock.pass_by(1)
        (patient,) = crawl.get(f"{URL}patient")
        await crawl.clock.pass_by(120)
        assert crawl.sent == [one, two, patient]

    with caplog.at_level(logging.INFO):
        run(story)
    why = ", which is more than PAUSE_MAX: its requests fail until then"
    assert said(caplog) == [
        ("WARNING", "a.example asks to wait 100 s"),
        ("WARNING", f"a.example asks to wait 121 s{why}"),
    ]


def test_a_request_may_say_that_it_waits_longer(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        crawl = Crawl(pause_max=120)
        [first] = crawl.get(URL, pause_max=660)
        await turns()
        await crawl.left(first, 0, 600)
        [patient] = crawl.get(f"{URL}patient", pause_max=660)
        await crawl.clock.pass_by(599)
        assert not crawl.tasks[patient].done()
        await crawl.clock.pass_by(2)
        assert crawl.sent == [first, patient]
        again = await crawl.answer(patient, 429, Retry_After="600")
        assert isinstance(again, Request)

    run(story)
    assert [message for _, message in said(caplog) if "more than PAUSE_MAX" in message] == []


@pytest.mark.parametrize("now", [1000.0, 33.3])  # 33.3 + 120 - 33.3 is more than 120
def test_a_pause_as_long_as_the_cap_is_waited_for(now: float) -> None:
    async def story() -> None:
        crawl = Crawl()
        crawl.clock.now = now
        (request,) = crawl.get(URL)
        await turns()
        assert isinstance(await crawl.answer(request, 429, retry_after="120"), Request)
        (late,) = crawl.get(URL)
        await crawl.clock.pass_by(120.001)
        assert late in crawl.sent

    run(story)


def test_when_the_crawl_stops_nobody_waits() -> None:
    async def story() -> None:
        crawl = Crawl(per_host=2)
        one, two, queued, other = crawl.get(*pages(3), "https://b.example/")
        await turns()
        await crawl.answer(other, 429, retry_after="60")
        (waiting,) = crawl.get("https://b.example/2")
        await turns()
        crawl.pauses.stop()
        await turns()
        (late,) = crawl.get("https://b.example/3")
        await turns()
        for request in (queued, waiting, late):
            error = foreseen(crawl.error(request))
            assert (error.outcome, error.reason, error.passing) == (Outcome.FAILED, Reason.STOPPED, True)
        assert isinstance(await crawl.answer(one, 429, retry_after="3"), Response)
        await crawl.answer(two)
        assert crawl.sent == [one, two, other] and not crawl.clock.pending

    run(story)


def test_when_the_engine_closes_nobody_waits() -> None:
    async def story() -> None:
        crawl = Crawl()
        (request,) = crawl.get(URL)
        await turns()
        await crawl.answer(request, 429, retry_after="60")
        (waiting,) = crawl.get(URL)
        await crawl.clock.pass_by(10)
        crawl.slot.closing = object()
        await crawl.clock.pass_by(1)
        assert str(crawl.error(waiting)) == "the crawl ends"
        assert not crawl.clock.pending

    run(story)


def test_a_request_that_fails_or_is_given_up_does_not_hold_up_the_others() -> None:
    async def story() -> None:
        crawl = Crawl()
        (request,) = crawl.get(URL)
        await turns()
        await crawl.left(request, 0, 5)
        one, two, three = crawl.get(*pages(3))
        await turns()
        crawl.tasks[one].cancel()
        await crawl.clock.pass_by(5)
        assert crawl.sent == [request, two]
        crawl.pauses.process_exception(two, OSError())
        await turns()
        assert crawl.sent == [request, two, three]  # alone again: nothing was learnt

    run(story)


def test_pages_of_the_browser_wait_and_are_heard_like_all_others() -> None:
    async def story() -> None:
        crawl = Crawl(per_host=2)
        page, picture, waiting = *crawl.get(f"{URL}page", browser={}), *crawl.get(*pages(2))
        await turns()
        assert crawl.sent == [page, picture]
        again = await crawl.answer(page, 429, retry_after="30")
        await crawl.answer(picture)
        assert isinstance(again, Request)
        await crawl.clock.pass_by(29)
        assert waiting not in crawl.sent
        await crawl.clock.pass_by(1)
        assert crawl.sent[-1] is waiting

    run(story)


def test_addresses_without_a_host_are_let_alone() -> None:
    async def story() -> None:
        crawl = Crawl(per_host=1)
        requests = crawl.get("data:,x", "data:,y")
        await turns()
        assert crawl.sent == requests
        for request in requests:
            assert isinstance(await crawl.answer(request, 429, retry_after="60"), Response)
        assert not crawl.pauses._hosts

    run(story)


def test_a_robots_txt_takes_no_place_and_waits_for_a_pause_alone() -> None:
    async def story() -> None:
        crawl = Crawl(per_host=1)
        page, waiting = crawl.get(*pages(2), crawl_delay=100.0)
        one, two = crawl.get(f"{URL}robots.txt", f"{URL}robots.txt", robots_txt=True)
        await turns()
        assert crawl.sent == [page, one, two]
        assert await crawl.answer(one) and isinstance(await crawl.answer(two, 429, retry_after="30"), Request)
        (three,) = crawl.get(f"{URL}robots.txt", robots_txt=True)
        await crawl.clock.pass_by(29.5)
        assert three not in crawl.sent
        await crawl.clock.pass_by(0.5)
        assert crawl.sent == [page, one, two, three]  # neither behind the one that waits nor instead of it
        crawl.pauses.process_exception(three, OSError())
        await crawl.answer(page)
        await crawl.clock.pass_by(70)
        assert crawl.sent[-1] is waiting
        await crawl.answer(waiting)
        await crawl.clock.pass_by(100)
        assert not crawl.pauses._hosts and not crawl.clock.pending

    run(story)


def test_a_robots_txt_is_answered_while_one_request_goes_alone_and_lets_no_others_go() -> None:
    async def story() -> None:
        crawl = Crawl()
        (first,) = crawl.get(URL)
        await turns()
        again = await refused(crawl, first, retry_after="30")
        (other,) = crawl.get(URL)
        await crawl.clock.pass_by(30)
        assert crawl.sent == [first, again]
        (robots,) = crawl.get(f"{URL}robots.txt", robots_txt=True)
        await turns()
        assert crawl.sent[-1] is robots
        await crawl.answer(robots)
        assert other not in crawl.sent
        await crawl.answer(again)
        assert crawl.sent[-1] is other

    run(story)


def test_a_robots_txt_fails_where_everything_fails() -> None:
    async def story() -> None:
        crawl = Crawl(most=1)
        one, two = crawl.get(URL, "https://b.example/")
        await turns()
        await crawl.answer(one, 503)
        await crawl.answer(two, 200, x_ratelimit_remaining="0", x_ratelimit_reset="60")
        late, waiting = crawl.get(f"{URL}robots.txt", "https://b.example/robots.txt", robots_txt=True)
        await turns()
        assert foreseen(crawl.error(late)).reason == Reason.GIVEN_UP
        crawl.pauses.stop()
        await turns()
        assert foreseen(crawl.error(waiting)).reason == Reason.STOPPED

    run(story)


def test_a_permit_waits_for_the_end_of_a_pause_and_takes_no_place() -> None:
    async def story() -> None:
        crawl = Crawl(per_host=1, most=2)
        (request,) = crawl.get(URL)
        await turns()
        await asyncio.wait_for(crawl.pauses.permit(Request(f"{URL}led")), 1)
        again = await refused(crawl, request, retry_after="30")
        permit = asyncio.ensure_future(crawl.pauses.permit(Request(f"{URL}led")))
        given_up = asyncio.ensure_future(crawl.pauses.permit(Request(f"{URL}led")))
        await crawl.clock.pass_by(29.9)
        assert not permit.done()
        given_up.cancel()
        await crawl.clock.pass_by(0.1)
        assert permit.done() and permit.exception() is None and crawl.sent[-1] is again
        await crawl.answer(again, 503)
        with pytest.raises(RequestRefusedError, match="refused 2 times"):
            await crawl.pauses.permit(Request(f"{URL}led"))
        assert not crawl.pauses._hosts and not crawl.clock.pending

    run(story)


def test_the_answer_of_a_page_of_the_browser_is_that_of_the_host_it_was_led_to() -> None:
    async def story() -> None:
        crawl = Crawl()
        (page,) = crawl.get(URL, browser={})
        await turns()
        response = Response("https://b.example/", status=429, headers={"Retry-After": "30"})
        assert isinstance(crawl.pauses.process_response(page, response), Request)
        own, led = crawl.get(URL, "https://b.example/2")
        await turns()
        assert crawl.sent == [page, own]
        await crawl.clock.pass_by(30)
        assert crawl.sent == [page, own, led]

    run(story)


@pytest.mark.parametrize("patient_last", [True, False])
def test_each_request_waits_as_long_as_it_says_itself(patient_last: bool) -> None:
    async def story() -> None:
        crawl = Crawl(pause_max=120)
        (first,) = crawl.get(URL, pause_max=660)
        await turns()
        again = await refused(crawl, first, 429, retry_after="500")
        (hasty,) = crawl.get(f"{URL}hasty")
        await turns()
        assert foreseen(crawl.error(hasty)).reason == Reason.RATE_LIMITED
        if patient_last:
            crawl.get(f"{URL}patient", pause_max=660)
        await crawl.clock.pass_by(500)
        assert crawl.sent == [first, again]

    run(story)


def test_whether_an_answer_stands_is_for_its_own_request_to_say() -> None:
    async def story() -> None:
        crawl = Crawl(pause_max=120)
        (patient,) = crawl.get(f"{URL}patient", pause_max=660)
        (hasty,) = crawl.get(f"{URL}hasty")
        await turns()
        assert isinstance(await crawl.answer(patient, 429, retry_after="500"), Request)
        assert isinstance(await crawl.answer(hasty, 429, retry_after="500"), Response)

    run(story)


def test_every_spelling_of_a_host_is_one_host() -> None:
    async def story() -> None:
        crawl = Crawl()
        (request,) = crawl.get("https://a.example:443/")
        await turns()
        await crawl.answer(request, 429, retry_after="30")
        crawl.get("https://A.example/", "http://a.example:80/", "https://a.example./")
        (other,) = crawl.get("https://a.example:80/")
        await turns()
        assert crawl.sent == [request, other]

    run(story)


def test_nobody_goes_before_one_who_waits_for_a_crawl_delay() -> None:
    async def story() -> None:
        crawl = Crawl()
        first, delayed = crawl.get(*pages(2), crawl_delay=5.0)
        await turns()
        (free,) = crawl.get(URL)
        await turns()
        assert crawl.sent == [first]
        await crawl.clock.pass_by(5)
        assert crawl.sent == [first, delayed, free]

    run(story)


# Places that are shared with other hosts


def test_who_waits_for_a_host_holds_no_place() -> None:
    async def story() -> None:
        crawl, places = Crawl(), asyncio.Semaphore(1)
        place, another = Place(places), Place(places)
        (request,) = crawl.get(URL, place=place)
        await turns()
        assert crawl.sent == [request] and places.locked()
        again = await refused(crawl, request, retry_after="30")  # with the same place
        assert not places.locked()
        (quick,) = crawl.get("https://b.example/", place=another)
        await crawl.clock.pass_by(30)
        assert crawl.sent == [request, quick]  # its turn has come, and there is no place
        await crawl.answer(quick)
        another.leave()
        await turns()
        assert crawl.sent[-1] is again and places.locked()
        place.leave()
        place.leave()
        assert not places.locked()
        (data,) = crawl.get("data:,", place=place)
        await turns()
        assert data in crawl.sent and places.locked()

    run(story)


def test_a_request_that_is_given_up_while_it_waits_for_a_place_gives_its_turn_back() -> None:
    async def story() -> None:
        crawl, places = Crawl(per_host=1), asyncio.Semaphore(0)
        (one,) = crawl.get(URL, place=Place(places), crawl_delay=5.0)
        (two,) = crawl.get(URL, crawl_delay=5.0)
        await crawl.clock.pass_by(100)
        assert crawl.sent == []
        crawl.tasks[one].cancel()
        await turns()
        await crawl.clock.pass_by(5)
        assert crawl.sent == [two]
        await crawl.answer(two)
        await crawl.clock.pass_by(5)
        assert not crawl.pauses._hosts and not crawl.clock.pending

    run(story)


def test_a_crawl_delay_is_kept_between_those_that_wait_for_places() -> None:
    async def story() -> None:
        crawl, places = Crawl(), asyncio.Semaphore(0)
        one, two = (crawl.get(URL, place=Place(places), crawl_delay=5.0)[0] for _ in range(2))
        await turns()
        await crawl.clock.pass_by(20)
        places.release()
        places.release()
        await turns()
        await crawl.clock.pass_by(4.9)
        assert crawl.sent == [one]
        await crawl.clock.pass_by(0.1)
        assert crawl.sent == [one, two]

    run(story)


def test_a_host_that_refuses_or_a_crawl_that_ends_while_there_is_no_place() -> None:
    async def story() -> None:
        crawl, places = Crawl(), asyncio.Semaphore(0)
        (asked,) = crawl.get(URL)
        (waiting,) = crawl.get(URL, place=Place(places))
        (other,) = crawl.get("https://b.example/", place=Place(places))
        await turns()
        await crawl.clock.pass_by(1)
        await crawl.answer(asked, 429, retry_after="30")
        places.release()
        await turns()
        await crawl.clock.pass_by(29)
        assert crawl.sent == [asked, other]  # to which the place went over
        places.release()
        await crawl.clock.pass_by(1)
        assert waiting in crawl.sent
        (late,) = crawl.get("https://c.example/", place=Place(places))
        await turns()
        crawl.slot.closing = object()
        places.release()
        await turns()
        assert foreseen(crawl.error(late)).reason == Reason.STOPPED

    run(story)


# Refusals that do not say how long to wait


async def refused(crawl: Crawl, request: Request, status: int = 503, **headers: str) -> Request:
    """The request that is sent again for one that is refused; it is sent when the pause is over."""
    again = await crawl.answer(request, status, **headers)
    assert isinstance(again, Request)
    crawl.go(again)
    await turns()
    return again


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_refuses_without_a_word_is_left_alone_twice_as_long_each_time(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        crawl = Crawl()
        (request,) = crawl.get(URL)
        await turns()
        for seconds in (1, 2):
            (other,) = crawl.get("https://b.example/")
            request = await refused(crawl, request, status)
            await crawl.clock.pass_by(seconds - 0.01)
            assert other in crawl.sent and request not in crawl.sent
            await crawl.clock.pass_by(0.01)
            assert crawl.sent[-1] is request
        last = await crawl.answer(request, status)
        assert isinstance(last, Response) and last.status == status
        assert (crawl.count("count"), crawl.count("seconds")) == (3, 7)

    with caplog.at_level(logging.INFO):
        run(story)
    words = f"a.example refuses ({status}): it is left alone for"
    assert said(caplog) == [("INFO", f"{words} {seconds} s") for seconds in (1, 2, 4)]


def test_refusals_of_what_was_sent_together_are_one_and_another_answer_begins_anew() -> None:
    async def story() -> None:
        crawl = Crawl(most=3)
        requests = crawl.get(*pages(4))
        await turns()
        again = [await refused(crawl, request) for request in requests[:2]]
        await crawl.clock.pass_by(1)
        assert crawl.sent[4:] == [again[0]]
        await crawl.clock.pass_by(0.1)
        again += [await refused(crawl, request) for request in requests[2:]]  # they come late
        assert crawl.sent[4:] == [again[0]] and crawl.count("seconds") == 1
        await refused(crawl, again[0])
        await crawl.clock.pass_by(2)
        assert crawl.sent[5:] == [again[1]]
        await crawl.answer(again[1], 404)
        assert crawl.sent[6:8] == again[2:]
        await refused(crawl, again[2])
        assert crawl.count("seconds") == 1 + 2 + 1 and not crawl.count("given_up")

    run(story)


def test_what_was_sent_before_a_pause_neither_holds_up_nor_speaks_for_what_comes_after_it() -> None:
    async def story() -> None:
        crawl = Crawl(most=3)
        one, hangs, slow = crawl.get(*pages(3))
        await turns()
        two = await refused(crawl, one)
        rest = crawl.get(*pages(2))
        await crawl.clock.pass_by(1)
        assert crawl.sent[3:] == [two]
        await crawl.answer(slow)
        assert crawl.sent[3:] == [two]  # still alone
        three = await refused(crawl, two)
        assert crawl.count("seconds") == 1 + 2
        await crawl.clock.pass_by(2)
        assert crawl.sent[4:] == rest[:1]
        await crawl.answer(rest[0])
        assert crawl.sent[5:] == [rest[1], three]
        crawl.pauses.process_exception(hangs, OSError())

    run(story)


@pytest.mark.parametrize(("pause_max", "start"), [(0, 1), (120, 0)])
def test_where_nobody_waits_a_refusal_stands(pause_max: float, start: float) -> None:
    async def story() -> None:
        crawl = Crawl(pause_max=pause_max, start=start)
        requests = crawl.get(*pages(2))
        await turns()
        for request in requests:
            assert isinstance(await crawl.answer(request, 503), Response)
        assert not crawl.pauses._hosts and not crawl.count("count")

    run(story)


def test_the_pause_of_a_refusal_is_no_longer_than_the_cap() -> None:
    async def story() -> None:
        crawl = Crawl(start=50, pause_max=70)
        (request,) = crawl.get(URL)
        await turns()
        again = await refused(crawl, request)
        await crawl.clock.pass_by(50)
        assert crawl.sent[-1] is again
        last = await refused(crawl, again)
        await crawl.clock.pass_by(70)
        assert crawl.sent[-1] is last

    run(story)


def test_a_request_that_wants_to_hear_of_a_refusal_hears_of_it_and_the_host_pauses() -> None:
    async def story() -> None:
        crawl = Crawl()
        (request,) = crawl.get(URL, refusal_stands=True)
        await turns()
        assert isinstance(await crawl.answer(request, 429), Response)
        (late,) = crawl.get(URL)
        await turns()
        assert late not in crawl.sent
        await crawl.clock.pass_by(1)
        assert late in crawl.sent

    run(story)


@pytest.mark.parametrize(
    "headers", [{}, {"retry_after": "3"}, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "3"}]
)
def test_a_host_that_keeps_refusing_is_given_up(headers: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        crawl = Crawl(most=3)
        request, other = crawl.get("https://www.a.example/1", "https://b.example/")
        await turns()
        for _ in range(2):
            request = await refused(crawl, request, **headers)
            await crawl.clock.pass_by(20)
            assert crawl.sent[-1] is request
        (waiting,) = crawl.get("https://www.a.example/2")
        await turns()
        last = await crawl.answer(request, 503, **headers)
        assert isinstance(last, Response) and last.status == 503
        late, robots = crawl.get("https://www.a.example/3", "https://www.a.example/robots.txt")
        await turns()
        for each in (waiting, late, robots):
            error = foreseen(crawl.error(each))
            assert (error.outcome, error.reason, error.passing) == (Outcome.FAILED, Reason.GIVEN_UP, True)
            assert str(crawl.error(each)) == "www.a.example refused 3 times in a row (503)"
            assert crawl.error(each).host == "www.a.example"
        await crawl.answer(other)
        (more,) = crawl.get("https://b.example/2")
        await crawl.clock.pass_by(10_000)
        assert more in crawl.sent
        (later,) = crawl.get("https://www.a.example/4")
        await turns()
        assert foreseen(crawl.error(later)).reason == Reason.GIVEN_UP
        assert not [host for host in crawl.pauses._hosts if "a.example" in host] and not crawl.clock.pending
        assert crawl.count("given_up") == 1

    run(story)
    words = "www.a.example refused 3 times in a row (503): nothing more is asked of it in this crawl"
    assert said(caplog) == [("WARNING", words)]


def test_of_many_hosts_that_are_given_up_the_first_are_said_at_the_terminal(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        crawl = Crawl(most=1)
        requests = crawl.get(*(f"https://{number}.example/" for number in range(GIVEN_UP_SAID + 5)))
        await turns()
        for request in requests:
            assert isinstance(await crawl.answer(request, 429), Response)
        assert crawl.count("given_up") == len(requests)

    with caplog.at_level(logging.INFO):
        run(story)
    assert [level for level, _ in said(caplog)] == ["WARNING"] * GIVEN_UP_SAID + ["INFO"] * 5


def test_what_comes_back_after_its_host_was_given_up_is_what_it_is() -> None:
    async def story() -> None:
        crawl = Crawl(most=1)
        one, two, three = crawl.get(*pages(3))
        await turns()
        for request, status in ((one, 503), (two, 200), (three, 503)):
            found = await crawl.answer(request, status)
            assert isinstance(found, Response) and found.status == status
        (late,) = crawl.get(URL)
        await turns()
        assert foreseen(crawl.error(late)).reason == Reason.GIVEN_UP

    run(story)


# Hosts that say how far apart they want to be asked


def test_requests_with_a_crawl_delay_start_that_far_apart_whatever_they_are_for() -> None:
    async def story() -> None:
        crawl = Crawl(per_host=10)
        begun = crawl.clock.now
        robots, page, other = crawl.get(f"{URL}robots.txt", f"{URL}free", "https://b.example/")
        slow = [*crawl.get(URL, browser={}, crawl_delay=2.5), *crawl.get(*pages(2), crawl_delay=2.5)]
        await turns()
        assert crawl.sent == [robots, page, other, slow[0]]
        (late,) = crawl.get("https://b.example/2", crawl_delay=1.0)
        await turns()
        assert crawl.sent[-1] is late  # its own host's first
        starts = []
        for request in slow[1:]:
            while request not in crawl.sent and crawl.clock.now < begun + 10:
                await crawl.clock.pass_by(0.125)
            starts.append(crawl.clock.now - begun)
        assert starts == [2.5, 5.0]

    run(story)


def test_an_answer_does_not_shorten_a_crawl_delay_and_it_outlives_the_last_request() -> None:
    async def story() -> None:
        crawl = Crawl()
        (first,) = crawl.get(URL, crawl_delay=5.0)
        await turns()
        await crawl.answer(first)
        (free,) = crawl.get(f"{URL}robots.txt")
        await crawl.clock.pass_by(4)
        (second,) = crawl.get(URL, crawl_delay=5.0)
        await crawl.clock.pass_by(0.9)
        assert crawl.sent == [first, free]
        await crawl.clock.pass_by(0.1)
        assert crawl.sent[-1] is second
        await crawl.answer(second)
        await crawl.answer(free)
        await crawl.clock.pass_by(5)
        assert not crawl.pauses._hosts and not crawl.clock.pending

    run(story)


def test_the_longer_one_of_a_pause_and_a_crawl_delay_counts() -> None:
    async def story() -> None:
        crawl = Crawl()
        (request,) = crawl.get(URL, crawl_delay=5.0)
        await turns()
        again = await refused(crawl, request)  # 1 s
        assert again.meta["crawl_delay"] == 5
        await crawl.clock.pass_by(4.9)
        assert crawl.sent == [request]
        await crawl.clock.pass_by(0.1)
        assert crawl.sent == [request, again]
        third = await refused(crawl, again, retry_after="30")
        await crawl.clock.pass_by(29.9)
        assert third not in crawl.sent
        await crawl.clock.pass_by(0.1)
        assert crawl.sent[-1] is third

    run(story)


def test_a_crawl_that_is_being_ended_waits_for_no_crawl_delay() -> None:
    async def story() -> None:
        crawl = Crawl()
        first, stopped = crawl.get(*pages(2), crawl_delay=100.0)
        closed, _ = crawl.get("https://b.example/1", "https://b.example/2", crawl_delay=100.0)
        await crawl.clock.pass_by(3)
        crawl.slot.closing = object()
        await crawl.clock.pass_by(1)
        assert [str(crawl.error(request)) for request in (stopped, _)] == ["the crawl ends"] * 2
        assert crawl.sent == [first, closed]

    run(story)


def test_the_settings_and_the_signal_reach_it() -> None:
    numbers = {"BACKOFF_START": "0.25", "REFUSALS_MAX": "9"}
    crawler = get_crawler(settings_dict={"PAUSE_MAX": "7", "CONCURRENT_REQUESTS_PER_DOMAIN": 3, **numbers})
    crawler.stats = StatsCollector(crawler)
    pauses = PausesMiddleware.from_crawler(crawler)
    assert (pauses.pause_max, pauses.per_host) == (7, 3)
    assert (pauses.refusals.start, pauses.refusals.most) == (0.25, 9)
    crawler.signals.send_catch_log(signals.crawl_stopping)
    assert pauses._stopped


@pytest.mark.parametrize(
    ("name", "value"),
    [("BACKOFF_START", value) for value in ("soon", "-1", "nan", "inf", None)] + [("REFUSALS_MAX", "x")],
)
def test_a_setting_that_is_no_number_is_named(name: str, value: str | None) -> None:
    settings = Settings()
    settings.setmodule("settings.base")
    assert not [*wrong_settings(settings)]
    settings.set(name, "0")
    assert not [*wrong_settings(settings)]
    settings.set(name, value)
    [line] = wrong_settings(settings)
    assert line.startswith(f"setting `{name}` takes a ") and line.endswith(f"; got {value!r}")


def test_no_other_middleware_asks_again_at_once() -> None:
    assert not {429, 503} & {*RETRY_HTTP_CODES}


def test_it_sees_answers_before_the_middlewares_that_would_ask_again_at_once() -> None:
    from scrapy.settings.default_settings import DOWNLOADER_MIDDLEWARES_BASE as BASE

    numbers = {name.rpartition(".")[2]: number for name, number in {**BASE, **DOWNLOADER_MIDDLEWARES}.items()}
    assert numbers["RedirectMiddleware"] < numbers["PausesMiddleware"] < numbers["DownloaderStats"]
    assert numbers["RetryMiddleware"] < numbers["PausesMiddleware"]


# Crawls


@contextmanager
def host(status: int = 200, *, after: float = 0, **headers: str) -> Iterator[tuple[str, list[float]]]:
    """A host without a proxy that answers everything so, after some seconds, and when it was asked."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(monotonic())
            time.sleep(after)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def refusing_host(seconds: int) -> AbstractContextManager[tuple[str, list[float]]]:
    return host(429, Retry_After=str(seconds))


def arguments(agent: str, *urls: str, media: tuple[str, ...] = ()) -> list[str]:
    """``scrapy runspider``; the replica counts by user agent, so that each test has its own."""
    words = ["-a", f"urls={' '.join(urls)}", "-a", f"media={' '.join(media)}", "-s", f"USER_AGENT={agent}"]
    words += ["-s", "ALLOW_PRIVATE_ADDRESSES=True"]  # for refusing_host
    return ["runspider", str(Path(__file__).with_name("asking.py")), "-L", "INFO", *words]


def ask(replica: Replica, data: Path, *words: str) -> tuple[list[tuple[str, int | str]], list[LoggedRequest], str]:
    """What became of each address; what the replica was asked; the log."""
    before = len(replica.requests)
    done = scrapy(*words, env=environment(data, replica.environment()))
    found = [(said["url"], said["answer"]) for said in map(json.loads, done.stdout.splitlines())]
    return found, replica.requests[before:], done.stderr


def refusing_list(folder: Path, refused: int) -> Path:
    """A list of pictures on three hosts; every picture of one of them is 503."""
    good = [f"https://{host}/jpeg/300x200/{number}.jpg" for number in range(3) for host in PICTURE_HOSTS[:2]]
    bad = [f"https://{TROUBLE_HOST}/503/jpeg/300x200/{number}.jpg" for number in range(refused)]
    path = folder / "list.txt"
    path.write_text("\n".join([*bad, *good]), "utf-8")
    return path


def test_a_host_that_keeps_refusing_is_given_up_and_the_rest_goes_on(replica: Replica, tmp_path: Path) -> None:
    before = len(replica.requests)
    words = (f"file={refusing_list(tmp_path, 12)}", "-s", "BACKOFF_START=0.2", "-L", "INFO")
    done = crawl(tmp_path / "data", *words, spider="urls", env=replica.environment())
    became = Counter((urlsplit(line["image_urls"][0]).hostname, line["reason"]) for line in done.items)
    assert became == {
        (PICTURE_HOSTS[0], None): 3,
        (PICTURE_HOSTS[1], None): 3,
        (TROUBLE_HOST, "http-503"): 1,
        (TROUBLE_HOST, "given-up"): 11,
    }, done.stderr
    asked = [
        request.time for request in replica.requests[before:] if request.url.startswith(f"https://{TROUBLE_HOST}/503")
    ]
    alone = asked[1 - REFUSALS_MAX :]  # after each pause but the last, which is none
    assert len(asked) - len(alone) <= CONCURRENT_REQUESTS_PER_DOMAIN  # these went before the first answer came
    waits = [alone[0] - asked[0], *(second - first for first, second in pairwise(alone))]
    assert all(wait >= 0.1 * 2**number for number, wait in enumerate(waits)), waits
    words = f"{TROUBLE_HOST} refused {REFUSALS_MAX} times in a row (503): nothing more is asked of it in this crawl"
    assert done.stderr.count(words) == 1
    assert "'pauses/given_up': 1," in done.stderr and "retry/count" not in done.stderr


@pytest.mark.slow
def test_by_default_a_host_is_left_alone_for_half_a_second_at_least(replica: Replica, tmp_path: Path) -> None:
    assert BACKOFF_START == 1
    before = len(replica.requests)
    words = (f"file={refusing_list(tmp_path, 1)}", "-s", f"BACKOFF_START={BACKOFF_START}", "-s", "REFUSALS_MAX=2")
    done = crawl(tmp_path / "data", *words, spider="urls", env=replica.environment())
    first, second = (request.time for request in replica.requests[before:] if "/503/" in request.url)
    assert second - first >= 0.5
    assert Counter(line["reason"] for line in done.items) == {None: 6, "http-503": 1}


@pytest.mark.slow
def test_a_host_that_answers_slowly_is_asked_more_slowly(tmp_path: Path) -> None:
    with host(after=0.4) as (site, asked):
        words = arguments("slow", media=tuple(f"{site}/{number}" for number in range(8)))
        done = scrapy(*words, env=environment(tmp_path, {"no_proxy": "127.0.0.1"}))
    assert len(done.stdout.splitlines()) == len(asked) == 8, done.stderr
    burst, later = asked[:CONCURRENT_REQUESTS_PER_DOMAIN], asked[CONCURRENT_REQUESTS_PER_DOMAIN:]
    assert burst[-1] - burst[0] < 0.4 and later[0] - burst[0] >= 0.4
    spread = [second - first for first, second in pairwise(later)]
    assert sum(spread) >= len(spread) * 0.1, spread  # a delay of 0.2 s, give or take the half of it


@pytest.mark.slow
def test_a_slow_feed_is_asked_once_a_second_and_gives_all_its_pages(replica: Replica, tmp_path: Path) -> None:
    urls = [f"https://www.reddit.com/r/slowfeed/.rss?limit={limit}" for limit in range(1, 6)]
    words = arguments("slow", *urls[:2], media=tuple(urls[2:]))
    found, asked, log = ask(replica, tmp_path, *words, "-s", "DOWNLOAD_TIMEOUT=2")  # the last wait longer
    assert sorted(found) == [(url, 200) for url in urls], log
    answered = [request for request in asked if request.status == 200]
    burst = [request for request in asked if request.time < answered[0].time + 0.9]
    assert len(burst) <= 4  # sent before the first answer came
    later = [request.time for request in asked if request not in burst]
    assert later[0] - answered[0].time >= 0.99 and len(later) == 4
    assert all(second - first >= 0.99 for first, second in pairwise(later))
    assert {request.status for request in asked if request not in burst} == {200}
    assert "www.reddit.com asks to wait 1 s" in log


def test_a_host_that_refuses_is_left_alone_while_others_are_asked(replica: Replica, tmp_path: Path) -> None:
    urls = [f"https://www.reddit.com/r/pardner/.rss?limit={limit}" for limit in range(1, 5)]
    other = "https://i.redd.it/none.png"
    found, asked, log = ask(replica, tmp_path, *arguments("pardner", *urls, media=(other,)))
    assert sorted(found) == [(other, 404), *((url, 200) for url in urls)], log
    refused = [request.time for request in asked if request.status == 429]
    answered = [request.time for request in asked if request.status == 200]
    assert (len(refused), len(answered)) == (4, 4)
    assert min(answered) - max(refused) >= 0.99
    (elsewhere,) = (request.time for request in asked if request.url == other)
    assert elsewhere < min(answered)
    assert "'pauses/count': 1," in log and "retry/count" not in log


@pytest.mark.slow
def test_the_window_of_the_api_is_kept(replica: Replica, tmp_path: Path) -> None:
    urls = [f"https://oauth.reddit.com/r/ratelimited/hot?limit={limit}" for limit in range(1, 9)]
    found, asked, log = ask(replica, tmp_path, *arguments("api", media=tuple(urls)), "-a", "token=1")
    assert sorted(found) == [(url, 200) for url in urls], log
    api = [request for request in asked if request.host == "oauth.reddit.com"]
    assert {request.status for request in api} == {200}
    assert all(fifth.time - first.time >= 0.99 for first, fifth in zip(api, api[4:], strict=False))


def test_a_pause_beyond_the_cap_fails_what_would_wait_at_once(replica: Replica, tmp_path: Path) -> None:
    with refusing_host(300) as (site, asked):
        env = environment(tmp_path, {"no_proxy": "127.0.0.1"})
        words = [*arguments("capped", *(f"{site}/{number}" for number in range(3))), "-s", "CONCURRENT_REQUESTS=1"]
        begun = monotonic()
        done = scrapy(*words, env=env)
    assert monotonic() - begun < 60
    found = [json.loads(line)["answer"] for line in done.stdout.splitlines()]
    assert found[0] == 429 and len(asked) == 1, done.stderr
    assert [answer.partition(": ")[0] for answer in found[1:]] == ["RequestRefusedError"] * 2
    assert "which is more than PAUSE_MAX" in done.stderr


def test_a_crawl_that_waits_ends_soon_after_a_bound_is_met(tmp_path: Path) -> None:
    with refusing_host(100) as (site, asked):
        env = environment(tmp_path, {"no_proxy": "127.0.0.1"})
        begun = monotonic()
        done = scrapy(*arguments("bound", f"{site}/1", f"{site}/2"), "-s", "CLOSESPIDER_TIMEOUT=1", env=env)
    assert monotonic() - begun < 30
    assert "'finish_reason': 'closespider_timeout'" in done.stderr and len(asked) == 2
    assert [json.loads(line)["answer"] for line in done.stdout.splitlines()] == [
        "RequestRefusedError: the crawl ends"
    ] * 2


def test_a_crawl_that_waits_ends_soon_after_ctrl_c(tmp_path: Path) -> None:
    with refusing_host(100) as (site, asked):
        words = [*arguments("stopped", f"{site}/1", media=(f"{site}/2",))]
        env = environment(tmp_path, {"no_proxy": "127.0.0.1", "PYTHONUNBUFFERED": "1"})
        command = [sys.executable, "-m", "scrapy", *words]
        with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, encoding="utf-8") as process:
            assert process.stderr
            next(line for line in process.stderr if "asks to wait 100 s" in line)
            begun = monotonic()
            process.send_signal(signal.SIGINT)
            log = process.stderr.read()
            process.wait(SECONDS)
    assert monotonic() - begun < 10, log
    assert "'finish_reason': 'shutdown'" in log and "Traceback" not in log
    assert len(asked) <= 2
