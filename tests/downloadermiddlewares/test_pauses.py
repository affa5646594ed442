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
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.statscollectors import StatsCollector
from scrapy.utils.test import get_crawler

from imagecrawl import signals
from imagecrawl.downloadermiddlewares.pauses import PAUSE_TIMES, PausesMiddleware
from imagecrawl.downloads import explain
from imagecrawl.outcomes import Outcome, Reason
from settings.base import DOWNLOADER_MIDDLEWARES
from tests.crawling import ROOT, environment, scrapy
from tests.replica import LoggedRequest, Replica

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


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Crawl:
    """A middleware between requests and a host that answers when the test says so."""

    def __init__(self, pause_max: float = 120, per_host: int = 4) -> None:
        self.clock = FakeClock()
        crawler = get_crawler()
        self.slot = SimpleNamespace(closing=None)
        crawler.engine = SimpleNamespace(_slot=self.slot)  # type: ignore[assignment]
        self.stats = crawler.stats = StatsCollector(crawler)
        self.pauses = PausesMiddleware(crawler, pause_max=pause_max, per_host=per_host, clock=self.clock)  # type: ignore[arg-type]
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
        except IgnoreRequest as error:
            self.pauses.process_exception(request, error)  # as Scrapy does
            raise
        self.sent.append(request)

    def error(self, request: Request) -> str:
        error = self.tasks[request].exception()
        assert isinstance(error, IgnoreRequest)
        return str(error)

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
        await crawl.answer(three, 503)
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
        assert crawl.pauses.process_response(request, response) is response
        assert not crawl.pauses._hosts

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
            error = explain(IgnoreRequest(crawl.error(request)))
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
            error = explain(IgnoreRequest(crawl.error(request)))
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
        assert crawl.error(waiting) == "the crawl ends"
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


def test_pages_of_the_browser_and_data_addresses_are_let_alone() -> None:
    async def story() -> None:
        crawl = Crawl(per_host=1)
        requests = [*crawl.get(URL, URL, browser={}), *crawl.get("data:,x", "data:,y")]
        await turns()
        assert crawl.sent == requests
        for request in requests:
            assert isinstance(await crawl.answer(request, 429, retry_after="60"), Response)
        assert not crawl.pauses._hosts

    run(story)


def test_the_settings_and_the_signal_reach_it() -> None:
    crawler = get_crawler(settings_dict={"PAUSE_MAX": "7", "CONCURRENT_REQUESTS_PER_DOMAIN": 3})
    crawler.stats = StatsCollector(crawler)
    pauses = PausesMiddleware.from_crawler(crawler)
    assert (pauses.pause_max, pauses.per_host) == (7, 3)
    crawler.signals.send_catch_log(signals.crawl_stopping)
    assert pauses._stopped


def test_it_sees_answers_before_the_middlewares_that_would_ask_again_at_once() -> None:
    from scrapy.settings.default_settings import DOWNLOADER_MIDDLEWARES_BASE as BASE

    numbers = {name.rpartition(".")[2]: number for name, number in {**BASE, **DOWNLOADER_MIDDLEWARES}.items()}
    assert numbers["RedirectMiddleware"] < numbers["PausesMiddleware"] < numbers["DownloaderStats"]
    assert numbers["RetryMiddleware"] < numbers["PausesMiddleware"]


# Crawls


@contextmanager
def refusing_host(seconds: int) -> Iterator[tuple[str, list[str]]]:
    """A host without a proxy that answers 429 to everything, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(429)
            self.send_header("Retry-After", str(seconds))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def arguments(agent: str, *urls: str, media: tuple[str, ...] = ()) -> list[str]:
    """``scrapy runspider``; the replica counts by user agent, so that each test has its own."""
    words = ["-a", f"urls={' '.join(urls)}", "-a", f"media={' '.join(media)}", "-s", f"USER_AGENT={agent}"]
    return ["runspider", str(Path(__file__).with_name("asking.py")), "-L", "INFO", *words]


def ask(replica: Replica, data: Path, *words: str) -> tuple[list[tuple[str, int | str]], list[LoggedRequest], str]:
    """What became of each address; what the replica was asked; the log."""
    before = len(replica.requests)
    done = scrapy(*words, env=environment(data, replica.environment()))
    found = [(said["url"], said["answer"]) for said in map(json.loads, done.stdout.splitlines())]
    return found, replica.requests[before:], done.stderr


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


def test_the_window_of_the_api_is_kept(replica: Replica, tmp_path: Path) -> None:
    urls = [f"https://oauth.reddit.com/r/ratelimited/hot?limit={limit}" for limit in range(1, 9)]
    found, asked, log = ask(replica, tmp_path, *arguments("api", media=tuple(urls)), "-a", "token=1")
    assert sorted(found) == [(url, 200) for url in urls], log
    api = [request for request in asked if request.host == "oauth.reddit.com"]
    assert {request.status for request in api} == {200}
    assert all(fifth.time - first.time >= 0.99 for first, fifth in zip(api, api[4:], strict=False))


def test_a_pause_beyond_the_cap_fails_what_would_wait_at_once(replica: Replica, tmp_path: Path) -> None:
    with refusing_host(300) as (host, asked):
        env = environment(tmp_path, {"no_proxy": "127.0.0.1"})
        words = [*arguments("capped", *(f"{host}/{number}" for number in range(3))), "-s", "CONCURRENT_REQUESTS=1"]
        begun = monotonic()
        done = scrapy(*words, env=env)
    assert monotonic() - begun < 60
    found = [json.loads(line)["answer"] for line in done.stdout.splitlines()]
    assert found[0] == 429 and len(asked) == 1, done.stderr
    assert [answer.partition(": ")[0] for answer in found[1:]] == ["IgnoreRequest"] * 2
    assert "which is more than PAUSE_MAX" in done.stderr


def test_a_crawl_that_waits_ends_soon_after_a_bound_is_met(tmp_path: Path) -> None:
    with refusing_host(100) as (host, asked):
        env = environment(tmp_path, {"no_proxy": "127.0.0.1"})
        begun = monotonic()
        done = scrapy(*arguments("bound", f"{host}/1", f"{host}/2"), "-s", "CLOSESPIDER_TIMEOUT=1", env=env)
    assert monotonic() - begun < 30
    assert "'finish_reason': 'closespider_timeout'" in done.stderr and len(asked) == 2
    assert [json.loads(line)["answer"] for line in done.stdout.splitlines()] == ["IgnoreRequest: the crawl ends"] * 2


def test_a_crawl_that_waits_ends_soon_after_ctrl_c(tmp_path: Path) -> None:
    with refusing_host(100) as (host, asked):
        words = [*arguments("stopped", f"{host}/1", media=(f"{host}/2",))]
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
