"""Pages that are scrolled to their end: real Chromium in crawls of a host in this process. The spider is here too."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic, sleep
from types import MappingProxyType
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from imagecrawl.scrolling import QUIET
from imagecrawl.spider import ERROR_STATUSES, MediaSpider, page_error, text_of
from tests.crawling import ROOT, environment

pytestmark = pytest.mark.slow

NO_ENV: Mapping[str, str] = MappingProxyType({})

SHORT = 10
"""Seconds for pages that never come to an end: enough for a busy machine to begin with each of them."""

LONG = 60
"""Seconds for the others: so many that none of them may need them."""


class RenderingSpider(MediaSpider):
    """Asks for ``paths`` of ``host`` in the browser, and prints a line of JSON on what came of each."""

    name = "rendering"
    custom_settings = {"ROBOTSTXT_OBEY": False}  # noqa: RUF012
    handle_httpstatus_list = ERROR_STATUSES
    host = paths = ""

    def item_settled(self, item: Any) -> None:
        pass

    async def start(self) -> AsyncIterator[Request]:
        self.missing = self.paths.split()
        self.done = asyncio.Event()
        with self.interruptible():
            for path in list(self.missing):
                meta = {"browser": {"scroll": True}, "path": path, "begun": monotonic()}
                yield Request(self.host + path, meta=meta, errback=self.failed)
            await self.done.wait()

    def parse(self, response: Response) -> None:
        images = re.findall(r'<img[^>]*? src="(.*?)"', text_of(response))
        self.say(response.request, status=response.status, url=response.url, text=text_of(response), images=images)

    def failed(self, failure: Failure) -> None:
        error = failure.value
        raised = f"{type(error).__name__}: {error}".splitlines()[0]
        said = page_error(error, "a.example")
        self.say(failure.request, error=str(said), kind=said.kind, raised=raised)

    def say(self, request: Request | None, **found: Any) -> None:
        assert request
        seconds = monotonic() - request.meta["begun"]
        path = request.meta["path"]
        print(json.dumps({"path": path, "seconds": seconds, **found}), flush=True)
        self.missing.remove(path)
        if not self.missing:
            self.done.set()


# Pages

LAZY = """<!DOCTYPE html><style>html { scroll-behavior: smooth } img { display: block; height: 301px }</style>
<body><script>
    const seen = new IntersectionObserver(entries => entries.filter(entry => entry.isIntersecting).forEach(entry => {
        seen.unobserve(entry.target);
        entry.target.src = entry.target.dataset.src;
    }));
    for (let number = 0; number < 40; number++) {
        const image = document.body.appendChild(new Image());
        image.dataset.src = `/${number}.png`;
        seen.observe(image);
    }
</script>"""

LIST = """<!DOCTYPE html><div id="list"></div><footer>The end</footer>
<script>
    let batch = 0;
    const more = async () => {
        const added = await (await fetch(`/batch/BATCHES/${++batch}`)).json();
        if (batch === 3) await new Promise(rendered => setTimeout(rendered, 300));
        for (const source of added) {
            const image = new Image();
            image.style = "display: block; height: 500px";
            image.src = source;
            document.getElementById("list").append(image);
        }
        if (added.length) { seen.disconnect(); seen.observe(document.querySelector("footer")); }
    };
    const seen = new IntersectionObserver(entries => entries.some(entry => entry.isIntersecting) && more());
    seen.observe(document.querySelector("footer"));
</script>"""

FOOTED = """<!DOCTYPE html><style>img { display: block; height: 301px } footer { height: 600px }</style>
<div id="list"></div><footer>A footer that leaves room for two pictures more</footer>
<script>
    let number = 0;
    const shown = new IntersectionObserver(entries => entries.filter(entry => entry.isIntersecting).forEach(entry => {
        shown.unobserve(entry.target);
        entry.target.src = entry.target.dataset.src;
    }));
    const ends = new IntersectionObserver(entries => {
        if (number === 40 || !entries.some(entry => entry.isIntersecting)) return;
        for (const last = number + 4; number < last; number++) {
            const image = document.getElementById("list").appendChild(new Image());
            image.dataset.src = `/${number}.png`;
            shown.observe(image);
        }
        ends.disconnect();
        ends.observe(document.querySelector("footer"));
    });
    ends.observe(document.querySelector("footer"));
</script>"""

POLLING = """<img src="/1.png"><script>setInterval(() => fetch("/batch/0/9"), 200)</script>"""
WAITING = """<img src="/1.png"><script>fetch("/never")</script>"""
WITHHELD = """<p style="height: 3000px"><img src="/0.png">
<script>addEventListener("scroll", () => { document.images[0].src = "/1.png"; })</script>
<script src="/never"></script><img src="/2.png">"""
FRAMED = """<img src="/1.png"><iframe src="/never"></iframe>"""
HANGING = """<img src="/1.png"><script>setInterval(() => { while (true); }, 10)</script>"""
ASKING = """<script>confirm("Leave?") || document.write('<img src="/1.png">')</script>"""
RELOADING = """<img src="/1.png"><script>location.reload()</script>"""
REFRESHING = """<meta http-equiv="refresh" content="0"><img src="/1.png">"""
REPLACED = """<p>Wait<script>setTimeout(() => location.replace("/gone"), 300)</script>"""
BARE = """<script>document.documentElement.remove()</script>"""
GROWING = """<p style="height: 3000px"><img src="/1.png">
<script>addEventListener("scroll", () => document.body.append(new Image()))</script>"""

HTML = "text/html; charset=utf-8"
PAGES: dict[str, tuple[int, str, str]] = {
    "/lazy": (200, HTML, LAZY),
    "/list": (200, HTML, LIST.replace("BATCHES", "5")),
    "/footed": (200, HTML, FOOTED),
    "/endless": (200, HTML, LIST.replace("BATCHES", "999999")),
    "/polling": (200, HTML, POLLING),
    "/waiting": (200, HTML, WAITING),
    "/withheld": (200, HTML, WITHHELD),
    "/framed": (200, HTML, FRAMED),
    "/hanging": (200, HTML, HANGING),
    "/asking": (200, HTML, ASKING),
    "/reloading": (200, HTML, RELOADING),
    "/refreshing": (200, HTML, REFRESHING),
    "/replaced": (200, HTML, REPLACED),
    "/bare": (200, HTML, BARE),
    "/gone": (404, HTML, GROWING),
    "/gone-without-a-word": (404, HTML, ""),
    "/pdf": (200, "application/pdf", "%PDF-1.4"),
    "/json": (200, "application/json", '{"a": 1}'),
    "/zip": (200, "application/zip", "PK\3\4" * 1000),
    "/nothing": (204, HTML, ""),
    "/round": (302, HTML, ""),
}


# Crawls


class Host:
    """The pages above on loopback; ``asked`` are the paths in the order in which they were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = threading.Event()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(self.path)
                if self.path == "/never":
                    host.closed.wait()
                else:
                    self.answer(
                        *(batch(self.path) or PAGES.get(self.path.partition("?")[0]) or (404, "text/plain", ""))
                    )

            def answer(self, status: int, kind: str, text: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Location", self.path)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(ConnectionError):  # the browser has gone on
                    if self.path == "/reloading":  # most of the time it is on its way
                        self.wfile.flush()
                        sleep(0.3)
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Host:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()


def batch(path: str) -> tuple[int, str, str] | None:
    """``/batch/<how many there are>/<number>``: three pictures; the third batch is slow to come."""
    if not (asked := re.fullmatch(r"/batch/(\d+)/(\d+)", path)):
        return None
    last, number = map(int, asked.groups())
    if (last, number) == (5, 3):
        sleep(1.5 * QUIET)
    names = [f"/{number}-{place}.png" for place in range(3)] if number <= last else []
    return 200, "application/json", json.dumps(names)


@contextmanager
def crawl(
    host: str, data: Path, seconds: float, *paths: str, words: Iterable[str] = (), env: Mapping[str, str] = NO_ENV
) -> Iterator[subprocess.Popen[str]]:
    """``scrapy runspider`` of this module; eight pages are open at once."""
    words = [
        "-a", f"host={host}", "-a", f"paths={' '.join(paths)}",
        "-s", f"BROWSER_SETTLE_TIMEOUT={seconds}", "-s", "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT=8",
        "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=8", "-s", "ALLOW_PRIVATE_ADDRESSES=True", "-L", "INFO", *words,
    ]  # fmt: skip
    command = [sys.executable, "-m", "scrapy", "runspider", __file__, *words]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(data, dict(env)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


Found = dict[str, dict[str, Any]]

ENDLESS = ["/endless", "/withheld", "/hanging", "/reloading", "/refreshing"]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Found, list[str], str]:
    """What came of every page, with the host's name left out, what the host was asked for, and the log."""
    data = tmp_path_factory.mktemp("rendering")
    with (
        Host() as host,
        crawl(host.url, data / "short", SHORT, *ENDLESS) as short,
        crawl(host.url, data / "long", LONG, *[path for path in PAGES if path not in ENDLESS]) as long,
    ):
        said = [process.communicate(timeout=LONG) for process in (short, long)]
    lines = [json.loads(line.replace(host.url, "")) for out, _ in said for line in out.splitlines()]
    return {line["path"]: line for line in lines}, host.asked, "".join(log for _, log in said)


def names(first: int, last: int) -> list[str]:
    return [f"/{number}.png" for number in range(first, last + 1)]


@pytest.mark.parametrize(
    ("path", "images"),
    [
        ("/lazy", names(0, 39)),
        ("/list", [f"/{number}-{place}.png" for number in range(1, 6) for place in range(3)]),
        ("/footed", names(0, 39)),
        ("/asking", ["/1.png", "/1.png"]),  # that of the script too, as text
        ("/bare", []),
    ],
)
def test_what_a_page_adds_on_the_way_to_its_end_is_there(
    crawled: tuple[Found, list[str], str], path: str, images: list[str]
) -> None:
    found, _, log = crawled
    assert (found[path]["status"], found[path]["images"]) == (200, images), log


def test_a_page_without_end_is_taken_as_far_as_it_came(crawled: tuple[Found, list[str], str]) -> None:
    found, asked, log = crawled
    endless = found["/endless"]
    assert endless["status"] == 200, log
    batches = [path for path in asked if path.startswith("/batch/999999/")]
    assert len(batches) >= 2 and 3 <= len(endless["images"]) <= 3 * len(batches)


@pytest.mark.parametrize("path", ["/polling", "/waiting", "/framed"])
def test_what_never_ends_is_not_waited_for(crawled: tuple[Found, list[str], str], path: str) -> None:
    found, _, log = crawled
    assert (found[path]["status"], found[path]["images"]) == (200, ["/1.png"]), log
    assert found[path]["seconds"] < LONG / 2


@pytest.mark.parametrize("path", ["/withheld", "/hanging", "/reloading", "/refreshing"])
def test_a_page_that_does_not_arrive_is_taken_as_it_stands(crawled: tuple[Found, list[str], str], path: str) -> None:
    found, _, log = crawled
    assert (found[path].get("status"), found[path].get("images")) == (200, ["/1.png"]), (found[path], log)
    assert found[path]["seconds"] < LONG / 2


@pytest.mark.parametrize("path", ["/gone", "/replaced"])
def test_an_error_status_is_final_as_it_stands(crawled: tuple[Found, list[str], str], path: str) -> None:
    found, _, log = crawled
    assert (found[path]["status"], found[path]["url"]) == (404, "/gone"), log
    assert "<p" in found[path]["text"] and found[path]["text"].count("<img") == 1  # it would grow


def test_an_error_status_without_a_body_is_an_answer(crawled: tuple[Found, list[str], str]) -> None:
    found, _, log = crawled
    bare = found["/gone-without-a-word"]
    assert (bare["status"], bare["url"], bare["text"]) == (404, "/gone-without-a-word", ""), log


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/pdf", "/pdf is application/pdf, no HTML page"),
        ("/json", "/json is application/json, no HTML page"),
        ("/zip", "/zip is no page: 200, application/zip"),
        ("/nothing", "/nothing is no page: 204, text/html; charset=utf-8"),
        ("/round", "/round leads on and on"),
    ],
)
def test_what_is_no_page_is_named(crawled: tuple[Found, list[str], str], path: str, error: str) -> None:
    found, _, log = crawled
    assert found[path].get("error") == error, (found[path], log)


def test_all_pages_were_closed_and_no_answer_was_forgotten(crawled: tuple[Found, list[str], str]) -> None:
    found, _, log = crawled
    assert found.keys() == PAGES.keys()
    opened = sum(map(int, re.findall(r"'playwright/page_count': (\d+)", log)))
    closed = sum(map(int, re.findall(r"'playwright/page_count/closed': (\d+)", log)))
    assert opened == closed == len(PAGES)
    assert "never retrieved" not in log and "never awaited" not in log


def test_ctrl_c_gives_up_pages_that_would_still_be_scrolled(tmp_path: Path) -> None:
    with Host() as host, crawl(host.url, tmp_path, 300, "/endless", "/hanging", "/reloading") as process:
        while not ({"/batch/999999/1", "/hanging"} <= set(host.asked) and host.asked.count("/reloading") > 2):
            assert process.poll() is None
            sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, log = process.communicate(timeout=15)
    raised = [json.loads(line)["raised"] for line in out.splitlines()]
    assert raised == ["BrowserError: the crawl ends"] * 3, log
    assert "'finish_reason': 'shutdown'" in log
