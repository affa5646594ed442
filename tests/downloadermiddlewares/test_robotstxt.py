"""robots.txt: every answer to a request for it, by a clock that the test moves, and in crawls of the replica."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    NotConfigured,
    ResponseDataLossError,
    StopDownload,
)
from scrapy.http import Response
from scrapy.settings import Settings
from scrapy.statscollectors import StatsCollector
from scrapy.utils.test import get_crawler

from imagecrawl import signals
from imagecrawl.commands.wrong_settings import wrong_settings
from imagecrawl.downloadermiddlewares.robotstxt import (
    HOSTS_MAX,
    KEPT,
    KEPT_WITHOUT,
    META,
    RobotsTxtMiddleware,
    Verdict,
    Verdicts,
)
from imagecrawl.downloads import Downloads, explain
from imagecrawl.exceptions import CertificateError
from imagecrawl.failures import (
    GIVEN_UP,
    NOT_ALLOWED,
    PRIVATE_ADDRESS,
    RATE_LIMITED,
    STOPPED,
    TOO_SLOW,
    RequestRefusedError,
)
from imagecrawl.robots import BODY_MAX, Robots
from settings import base
from tests.crawling import Run, environment, run, scrapy
from tests.replica import Replica, robots
from tests.replica.kinds import PRIVATE_HOST

SECONDS = 20
URL = "https://www.a.example/pictures/1.jpg"
ROBOTS_URL = "https://www.a.example/robots.txt"
FORBIDDING = b"User-agent: *\nDisallow: /\n"
NAME = "the robots.txt of www.a.example"


class Crawl:
    """A middleware whose robots.txt are what ``answers`` says, by address; others are not there (404)."""

    def __init__(self, *answers: bytes | int | Exception, delay_max: float = 30) -> None:
        self.now = 1000.0
        self.answers: dict[str, bytes | int | Exception] = {ROBOTS_URL: answers[0]} if answers else {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[Request] = []
        self.crawler = get_crawler()
        self.slot = SimpleNamespace(closing=None)
        self.crawler.engine = SimpleNamespace(_slot=self.slot, download_async=self.download)  # type: ignore[assignment]
        self.stats = self.crawler.stats = StatsCollector(self.crawler)
        self.middleware = RobotsTxtMiddleware(
            self.crawler, product_token="imagecrawl", delay_max=delay_max, clock=lambda: self.now
        )

    async def download(self, request: Request) -> Response:
        self.asked.append(request)
        await self.gate.wait()
        answer = self.answers.get(request.url, 404)
        if isinstance(answer, Exception):
            raise answer
        status, body = (answer, FORBIDDING) if isinstance(answer, int) else (200, answer)
        return Response(request.url, status=status, body=body)

    async def permit(self, url: str = URL, **meta: Any) -> Request:
        request = Request(url, meta=meta)
        await self.middleware.process_request(request)
        return request

    async def refusal(self, url: str = URL, **meta: Any) -> Exception:
        try:
            await self.permit(url, **meta)
        except Exception as error:  # noqa: BLE001
            return error
        raise AssertionError(f"{url} is permitted")

    @property
    def urls(self) -> list[str]:
        return [request.url for request in self.asked]

    def counts(self) -> dict[str, int]:
        return {name.removeprefix("robotstxt/"): count for name, count in self.stats.get_stats().items()}


def story(tell: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(tell(), SECONDS)

    asyncio.run(bounded())


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


# Every answer

REDIRECTS = IgnoreRequest("max redirections reached")
ALLOWED: list[bytes | int | Exception] = [
    b"", b"\x00\xff", b"<p>Disallow: /</p>", b"User-agent: other\nDisallow: /", b"User-agent: *\nDisallow: /other",
    301, 304, 400, 401, 403, 404, 410, 451, REDIRECTS,
]  # fmt: skip


@pytest.mark.parametrize("answer", ALLOWED, ids=repr)
def test_what_is_not_forbidden_is_allowed_for_a_day(answer: bytes | int | Exception) -> None:
    async def tell() -> None:
        crawl = Crawl(answer)
        await crawl.permit()
        crawl.answers = {ROBOTS_URL: FORBIDDING}
        crawl.now += KEPT - 1
        await crawl.permit()
        crawl.now += 1
        await crawl.refusal()
        assert crawl.urls == [ROBOTS_URL] * 2

    assert KEPT == 86_400
    story(tell)


def test_what_is_forbidden_is_refused_for_a_day(caplog: pytest.LogCaptureFixture) -> None:
    async def tell() -> None:
        crawl = Crawl(b"User-agent: *\nDisallow: /pictures/")
        error = await crawl.refusal()
        assert isinstance(error, RequestRefusedError) and str(error) == f"{NAME} forbids it"
        explained = explain(error)
        assert explained and (explained.outcome, explained.reason, explained.passing) == ("refused", "robots-txt", True)
        await crawl.permit("https://www.a.example/other/1.jpg")
        crawl.answers = {}
        crawl.now += KEPT - 1
        await crawl.refusal()
        crawl.now += 1
        await crawl.permit()
        assert crawl.counts() == {
            "request_count": 2, "response_count": 2, "response_status_count/200": 1, "response_status_count/404": 1,
            "forbidden": 2,
        }  # fmt: skip

    story(tell)
    assert not caplog.records


def refused(failure: Any) -> RequestRefusedError:
    return RequestRefusedError("www.a.example says no", failure)


UNREACHABLE: list[tuple[int | Exception, str, str, str]] = [
    (429, "refused", "robots-unavailable", "429"),
    (500, "refused", "robots-unavailable", "500"),
    (503, "refused", "robots-unavailable", "503"),
    (599, "refused", "robots-unavailable", "599"),
    (CannotResolveHostError("no such host"), "failed", "dns", "CannotResolveHostError: no such host"),
    (DownloadFailedError("reset\nby peer\x1b[31m"), "failed", "connection", "DownloadFailedError: reset"),
    (ConnectionResetError(), "failed", "connection", "ConnectionResetError: "),
    (DownloadTimeoutError("60 s"), "failed", "timeout", "DownloadTimeoutError: 60 s"),
    (refused(PRIVATE_ADDRESS), "refused", "private-address", "www.a.example says no"),
    (refused(RATE_LIMITED), "failed", "rate-limited", "www.a.example says no"),
    (refused(GIVEN_UP), "failed", "given-up", "www.a.example says no"),
    (refused(TOO_SLOW), "failed", "too-slow", "www.a.example says no"),
    (refused(NOT_ALLOWED), "refused", "robots-unavailable", "www.a.example says no"),
    (ResponseDataLossError(), "refused", "robots-unavailable", "ResponseDataLossError: "),
    (DownloadCancelledError("too large"), "refused", "robots-unavailable", "DownloadCancelledError: too large"),
    (IgnoreRequest("exceeded DOWNLOAD_MAXSIZE"), "refused", "robots-unavailable", "exceeded DOWNLOAD_MAXSIZE"),
    (ZeroDivisionError("who knows"), "refused", "robots-unavailable", "ZeroDivisionError: who knows"),
]


@pytest.mark.parametrize(("answer", "outcome", "reason", "said"), UNREACHABLE, ids=repr)
def test_without_an_answer_nothing_is_allowed_for_ten_minutes(
    answer: int | Exception, outcome: str, reason: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def tell() -> None:
        crawl = Crawl(answer)
        errors = [await crawl.refusal(), await crawl.refusal("https://www.a.example/")]
        for error in errors:
            assert isinstance(error, RequestRefusedError)  # RetryMiddleware leaves it alone
            explained = explain(error)
            assert explained and (explained.outcome, explained.reason) == (outcome, reason)
            is_down = reason in {"dns", "connection", "timeout"}
            assert str(error) == (
                f"www.a.example did not answer ({said})" if is_down else f"{NAME} cannot be had ({said})"
            )
        assert errors[0] is not errors[1]  # each has a traceback of its own
        crawl.answers = {}
        crawl.now += KEPT_WITHOUT - 1
        await crawl.refusal()
        crawl.now += 1
        await crawl.permit()
        assert crawl.urls == [ROBOTS_URL] * 2

    assert KEPT_WITHOUT == 600
    story(tell)
    assert not caplog.records


def test_a_bad_certificate_says_itself_what_can_be_done() -> None:
    async def tell() -> None:
        crawl = Crawl(CertificateError("www.a.example", "expired"))
        errors = [await crawl.refusal(), await crawl.refusal()]
        assert {str(error) for error in errors} == {str(CertificateError("www.a.example", "expired"))}
        assert {type(error) for error in errors} == {CertificateError} and errors[0] is not errors[1]
        assert len(crawl.asked) == 1

    story(tell)


def test_exceptions_are_counted_but_those_that_are_answers() -> None:
    async def tell() -> None:
        crawl = Crawl(DownloadTimeoutError())
        await crawl.refusal()
        assert crawl.counts() == {"request_count": 1, f"exception_count/{DownloadTimeoutError}": 1}
        crawl = Crawl(REDIRECTS)
        await crawl.permit()
        assert crawl.counts() == {"request_count": 1}

    story(tell)


# Hosts


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://www.a.example:443/x", ROBOTS_URL),
        ("https://user:secret@WWW.A.example/x", ROBOTS_URL),
        ("http://www.a.example:80/x?y", "http://www.a.example/robots.txt"),
        ("http://www.a.example:443/x", "http://www.a.example:443/robots.txt"),
        ("https://www.a.example:8443/x", "https://www.a.example:8443/robots.txt"),
        ("https://a.example/x", "https://a.example/robots.txt"),
        ("https://[::1]:8080/x", "https://[::1]:8080/robots.txt"),
    ],
)
def test_each_scheme_host_and_port_has_its_own(url: str, asked: str) -> None:
    async def tell() -> None:
        crawl = Crawl()
        await crawl.permit()
        await crawl.permit(url)
        assert crawl.urls == list(dict.fromkeys([ROBOTS_URL, asked]))

    story(tell)


@pytest.mark.parametrize("url", ["data:,picture", "file:///etc/passwd", "ftp://a.example/x", "https:///x"])
def test_what_is_of_no_host_has_none(url: str) -> None:
    async def tell() -> None:
        crawl = Crawl()
        await crawl.permit(url)
        assert not crawl.asked

    story(tell)


def test_it_is_asked_for_once_without_cookies_and_whatever_it_says_itself() -> None:
    async def tell() -> None:
        crawl = Crawl(FORBIDDING)
        crawl.gate.clear()
        asking = [asyncio.ensure_future(crawl.refusal(f"{URL}?{number}")) for number in range(50)]
        await turns()
        assert crawl.urls == [ROBOTS_URL]
        await crawl.middleware.process_request(crawl.asked[0])
        assert crawl.asked[0].meta["dont_merge_cookies"] is True
        assert crawl.asked[0].meta["robots_txt"] is True  # for PausesMiddleware
        slot = crawl.asked[0].meta["download_slot"]  # that of the host may be full of pages that wait for it
        assert slot == "robots.txt of https://www.a.example" and "download_slot" not in META
        crawl.gate.set()
        assert {str(error) for error in await asyncio.gather(*asking)} == {f"{NAME} forbids it"}
        assert crawl.urls == [ROBOTS_URL]

    story(tell)


def test_others_still_get_it_when_the_first_who_asked_is_cancelled() -> None:
    async def tell() -> None:
        crawl = Crawl(FORBIDDING)
        crawl.gate.clear()
        first, second = (asyncio.ensure_future(crawl.permit()) for _ in range(2))
        await turns()
        first.cancel()
        await turns()
        assert first.cancelled() and not second.done()
        crawl.gate.set()
        await asyncio.wait([second])
        assert isinstance(second.exception(), RequestRefusedError)
        assert crawl.urls == [ROBOTS_URL]

    story(tell)


def test_nobody_waits_for_a_slow_host_when_the_crawl_ends() -> None:
    async def tell() -> None:
        crawl = Crawl(FORBIDDING)
        crawl.gate.clear()
        waiting = asyncio.ensure_future(crawl.refusal())
        await turns()
        crawl.middleware.stop()
        for error in (await waiting, await crawl.refusal("https://other.example/")):
            assert isinstance(error, RequestRefusedError) and error.failure is STOPPED
        assert crawl.urls == [ROBOTS_URL]

    story(tell)


def test_what_is_known_holds_and_nothing_is_asked_when_the_crawl_is_closing() -> None:
    async def tell() -> None:
        crawl = Crawl(b"User-agent: *\nDisallow: /x")
        await crawl.permit()
        crawl.slot.closing = asyncio.get_running_loop().create_future()
        await crawl.permit()
        error = await crawl.refusal("https://other.example/")
        assert isinstance(error, RequestRefusedError) and error.failure is STOPPED
        assert crawl.urls == [ROBOTS_URL]

    story(tell)


def test_that_a_crawl_ends_is_nothing_to_be_remembered_of_a_host() -> None:
    async def tell() -> None:
        crawl = Crawl(refused(STOPPED))
        error = await crawl.refusal()
        assert isinstance(error, RequestRefusedError) and error.failure is STOPPED
        crawl.answers = {}
        await crawl.permit()

    story(tell)


# Memory


def test_of_many_hosts_the_latest_are_remembered() -> None:
    verdicts = Verdicts(hosts_max=3)
    for host in "abc":
        verdicts.put(host, Verdict(9))
    verdicts.get("a", 0)
    verdicts.put("d", Verdict(9))
    assert [host for host in "abcd" if verdicts.get(host, 0)] == ["a", "c", "d"]


def test_of_large_texts_few_are_remembered() -> None:
    small, large = (Robots(FORBIDDING + b"".join(b"Allow: /%d\n" % n for n in range(lines)), "x") for lines in (1, 100))
    verdicts = Verdicts(size_max=2 * large.size)
    for host, text in (("a", small), ("b", large), ("c", large), ("d", small), ("d", small)):
        verdicts.put(host, Verdict(9, text))
    assert [host for host in "abcd" if verdicts.get(host, 0)] == ["c", "d"]
    assert verdicts.size == large.size + small.size
    verdicts.put("c", Verdict(9))
    assert verdicts.size == small.size


def test_nothing_is_left_of_requests_and_hosts() -> None:
    async def tell() -> None:
        crawl = Crawl()
        crawl.middleware.verdicts.hosts_max = 10
        for number in range(50):
            await crawl.permit(f"https://{number}.a.example/")
        await turns()
        assert len(crawl.middleware.verdicts) == 10
        assert not crawl.middleware._asking

    assert HOSTS_MAX == 10_000 and Verdicts().hosts_max == HOSTS_MAX
    story(tell)


# Large ones


def test_no_more_is_downloaded_than_is_read() -> None:
    async def tell() -> None:
        crawl = Crawl(FORBIDDING)
        await crawl.refusal()
        (asked,), again = crawl.asked, crawl.asked[0].copy()
        for request in (asked, again):  # as when it is asked for again after an error
            crawl.middleware.bytes_received(b"x" * BODY_MAX, request)
            with pytest.raises(StopDownload) as stopped:
                crawl.middleware.bytes_received(b"x", request)
            assert stopped.value.fail is False
        crawl.middleware.bytes_received(b"x" * 9 * BODY_MAX, Request(URL))
        crawl.asked.clear()
        del asked, again, request, stopped
        gc.collect()
        assert not crawl.middleware._received

    story(tell)


# Exemptions


@pytest.mark.parametrize(
    ("exempt", "url", "is_exempt"),
    [
        (True, URL, True),
        (1, URL, True),
        (False, URL, False),
        (None, URL, False),
        ("", URL, False),
        ("a.example", URL, True),
        ("www.a.example", URL, True),
        ("www.a.example", "https://a.example/", False),
        ("a.example", "http://user@A.Example:8080/", True),
        ("a.example", "https://aa.example/", False),
        ("a.example", "https://a.example.evil.example/", False),
        ("a.example", "https://evil.example/a.example", False),
        ("a.example", "https://a.example@evil.example/", False),
    ],
)
def test_an_exemption_is_for_a_domain_or_for_everything(exempt: Any, url: str, is_exempt: bool) -> None:
    async def tell() -> None:
        crawl = Crawl()
        await crawl.permit(url, dont_obey_robotstxt=exempt)
        assert bool(crawl.asked) is not is_exempt

    story(tell)


def test_a_redirect_out_of_the_domain_obeys_again() -> None:
    async def tell() -> None:
        crawl = Crawl(FORBIDDING)
        request = await crawl.permit("https://google.com/search", dont_obey_robotstxt="google.com")
        await crawl.middleware.process_request(request.replace(url="https://www.google.com/search"))
        assert not crawl.asked
        with pytest.raises(RequestRefusedError):
            await crawl.middleware.process_request(request.replace(url=URL))

    story(tell)


def test_pictures_are_never_exempt() -> None:
    request = Downloads(get_crawler(), accept="image/*", max_bytes=1).request(URL)
    assert "dont_obey_robotstxt" not in request.meta


# What else is said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3, ("INFO", "www.a.example wants 3 s between requests")),
        (20, ("WARNING", "www.a.example wants 20 s between requests")),
        (100, ("WARNING", "www.a.example wants 100 s between requests: CRAWL_DELAY_MAX lets it have 30 s")),
    ],
)
def test_a_delay_is_said_once(seconds: int, said: tuple[str, str], caplog: pytest.LogCaptureFixture) -> None:
    async def tell() -> None:
        crawl = Crawl(f"User-agent: *\nCrawl-delay: {seconds}".encode())
        await crawl.permit()
        await crawl.permit()

    with caplog.at_level(logging.INFO):
        story(tell)
    assert [(each.levelname, each.message) for each in caplog.records if "wants" in each.message] == [said]


@pytest.mark.parametrize(
    ("said", "delay"), [("5", 5.0), ("0.5", 0.5), ("31", 30.0), ("86400", 30.0), ("0", None), ("soon", None)]
)
def test_a_delay_is_passed_on_to_a_cap_and_not_to_another_host(said: str, delay: float | None) -> None:
    async def tell() -> None:
        crawl = Crawl(f"User-agent: *\nCrawl-delay: {said}".encode())
        request = await crawl.permit()
        assert request.meta.get("crawl_delay") == delay
        hop = request.replace(url="https://other.example/")
        await crawl.middleware.process_request(hop)
        assert "crawl_delay" not in hop.meta
        exempt = request.replace(meta={**request.meta, "dont_obey_robotstxt": True})
        await crawl.middleware.process_request(exempt)
        assert "crawl_delay" not in exempt.meta

    story(tell)


def test_a_cap_of_nothing_is_no_delay() -> None:
    async def tell() -> None:
        crawl = Crawl(b"User-agent: *\nCrawl-delay: 5", delay_max=0)
        assert "crawl_delay" not in (await crawl.permit()).meta

    story(tell)


def test_what_is_reserved_is_passed_on_and_what_a_redirect_led_through_counts() -> None:
    async def tell() -> None:
        crawl = Crawl(b"User-agent: *\nContent-Signal: ai-train=no")
        crawl.answers["https://other.example/robots.txt"] = b"User-agent: *\nContent-Usage: /2 search=n"
        first = await crawl.permit()
        train = {"ai-train": "robots.txt: Content-Signal: ai-train=no"}
        assert first.meta["opt_outs"] == train
        hop = first.replace(url="https://other.example/2.jpg")
        await crawl.middleware.process_request(hop)
        assert hop.meta["opt_outs"] == {**train, "search": "robots.txt: Content-Usage: search=n"}
        assert first.meta["opt_outs"] == train
        second = await crawl.permit()
        second.meta["opt_outs"]["noai"] = "a header"
        assert (await crawl.permit()).meta["opt_outs"] == train
        exempt = first.replace(url="data:,picture")
        await crawl.middleware.process_request(exempt)
        assert exempt.meta["opt_outs"] == train and exempt.meta["opt_outs"] is not first.meta["opt_outs"]

    story(tell)


# Scrapy


def project(**settings: Any) -> RobotsTxtMiddleware:
    crawler = get_crawler(settings_dict={name: getattr(base, name) for name in dir(base) if name.isupper()} | settings)
    crawler.stats = StatsCollector(crawler)
    return RobotsTxtMiddleware.from_crawler(crawler)


def test_the_settings_are_those_of_the_project() -> None:
    middleware = project(CRAWL_DELAY_MAX=7)
    assert (middleware.product_token, middleware.delay_max) == ("imagecrawl", 7)
    assert base.USER_AGENT.startswith(middleware.product_token)
    with pytest.raises(NotConfigured):
        project(ROBOTSTXT_OBEY=False)


def test_it_hears_that_the_crawl_ends_and_what_comes() -> None:
    middleware = project()
    middleware.crawler.signals.send_catch_log(signals.crawl_stopping)
    assert middleware._stopped


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("ROBOTSTXT_USER_AGENT", "", "a name of letters, digits, `-` and `_`; got ''"),
        ("ROBOTSTXT_USER_AGENT", None, "a name of letters, digits, `-` and `_`; got None"),
        ("ROBOTSTXT_USER_AGENT", "*", "a name of letters, digits, `-` and `_`; got '*'"),
        ("ROBOTSTXT_USER_AGENT", "my bot/1.0", "a name of letters, digits, `-` and `_`; got 'my bot/1.0'"),
        ("CRAWL_DELAY_MAX", "-1", "a whole number from 0; got '-1'"),
        ("CRAWL_DELAY_MAX", "long", "a whole number from 0; got 'long'"),
    ],
)
def test_a_setting_that_is_wrong_is_said(name: str, value: str | None, takes: str) -> None:
    settings = Settings({name: getattr(base, name) for name in dir(base) if name.isupper()})
    assert not [*wrong_settings(settings)]
    settings.set(name, value)
    assert [*wrong_settings(settings)] == [f"setting `{name}` takes {takes}"]


# Real crawls


def test_every_kind_of_host_gets_what_it_says(replica: Replica, tmp_path: Path) -> None:
    addresses = {robots.url(name): name for name in robots.CASES}
    (tmp_path / "list.txt").write_text("\n".join(addresses))
    words = (f"file={tmp_path / 'list.txt'}", "-s", "BACKOFF_START=0.01", "-s", "CONTACT=tests@a.example", "-L", "INFO")
    done = run(Run, replica, tmp_path / "data", *words, spider="urls")
    found = {addresses[line["image_urls"][0]]: (line["outcome"], line["reason"]) for line in done.lines}
    assert found == {name: (case.outcome, case.reason) for name, case in robots.CASES.items()}
    log = Counter(request.url for request in done.log)
    assert {url for url in log if url in addresses} == {
        url for url, name in addresses.items() if robots.CASES[name].is_asked or name == "away"
    }
    assert not [url for url in log if url.startswith(f"https://{PRIVATE_HOST}/jpeg")]
    asked = {name: log[f"https://{robots.host(name)}/robots.txt"] for name in robots.CASES}
    assert {name for name, times in asked.items() if times > 1} == {"500", "503", "429", "truncated", "loop"}
    assert " ERROR: " not in done.done.stderr and " WARNING: " not in done.done.stderr, done.done.stderr


@pytest.mark.slow
def test_a_host_is_asked_as_slowly_as_it_wants_and_others_are_not(replica: Replica, tmp_path: Path) -> None:
    slow = [robots.url("slowly").replace("of-slowly", f"of-slowly-{number}") for number in range(4)]
    (tmp_path / "list.txt").write_text("\n".join((*slow, robots.url("404"), robots.url("nowhere"))))
    done = run(Run, replica, tmp_path / "data", f"file={tmp_path / 'list.txt'}", "-L", "INFO", spider="urls")
    assert done.outcomes == {"stored": 6}
    times = [request.time for request in done.log if request.url in slow]
    assert len(times) == 4 and min(later - earlier for earlier, later in pairwise(times)) > 0.9
    others = [request.time for request in done.log if request.url in {robots.url("404"), robots.url("nowhere")}]
    assert max(others) < times[-1]
    assert "slowly.robots.example wants 1 s between requests" in done.done.stderr


SPIDER = """
import json
from scrapy import Request, Spider

class ExemptSpider(Spider):
    name = "exempt"
    handle_httpstatus_list = [404]

    async def start(self):
        for url, exempt in json.loads(self.requests):
            yield Request(url, errback=self.failed, meta={"dont_obey_robotstxt": exempt}, dont_filter=True)

    def parse(self, response):
        print(json.dumps([response.url, response.status]), flush=True)

    def failed(self, failure):
        print(json.dumps([failure.request.url, str(failure.value)]), flush=True)
"""


def test_who_is_sent_out_of_an_exempt_domain_obeys_again(replica: Replica, tmp_path: Path) -> None:
    (tmp_path / "exempt.py").write_text(SPIDER)
    away, named = robots.url("away"), robots.url("named")
    forbidden = f"https://{PRIVATE_HOST}/jpeg/300x200/of-away.jpg"
    before = len(replica.requests)
    exempt = [(away, robots.DOMAIN), (named, robots.DOMAIN), (named + "?x", "other.example"), (away, True)]
    words = ("-a", f"requests={json.dumps(exempt)}", "-s", "CONTACT=tests@a.example", "-s", "CONCURRENT_REQUESTS=1")
    done = scrapy("runspider", str(tmp_path / "exempt.py"), *words, env=environment(tmp_path, replica.environment()))
    assert "Traceback" not in done.stderr, done.stderr
    found = {tuple(json.loads(line)) for line in done.stdout.splitlines()}
    assert found == {
        (named, 200),
        (named + "?x", f"the robots.txt of {robots.host('named')} forbids it"),
        (forbidden, 200),
        (forbidden, f"the robots.txt of {PRIVATE_HOST} forbids it"),
    }, done.stderr
    asked = Counter(request.url for request in replica.requests[before:])
    assert asked[forbidden] == 1
    assert asked[f"https://{robots.host('away')}/robots.txt"] == 0
