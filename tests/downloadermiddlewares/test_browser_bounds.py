"""Where the browser may not go: crawls with real Chromium through a proxy that plays the internet.

A host on loopback stands for what is private. It must see no connection at all, nor may the proxy be asked for it.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import BrowserContext, Route
from scrapy.settings import Settings
from scrapy_playwright.handler import Config

from imagecrawl.browser import ChromiumProvider
from imagecrawl.downloadermiddlewares.browser import Navigation
from imagecrawl.exceptions import Obstacle, PageBlockedError
from imagecrawl.failures import PRIVATE_ADDRESS, ROBOTS_TXT, RequestRefusedError
from imagecrawl.network.gateway import Address, Gateway
from tests.downloadermiddlewares.test_browser import HTML, LONG, Found, crawl

pytestmark = pytest.mark.slow

HOST, OTHER = "http://page.example", "http://other.example"
CANARY = "http://127.0.0.1:PORT"
ROBOTS = dict.fromkeys((f"{HOST}/robots.txt", f"{OTHER}/robots.txt"), "User-agent: *\nDisallow: /forbidden")

GOING = {
    "/redirect": f"{CANARY}/",
    "/redirect-tls": "https://127.0.0.1:PORT/",
    "/redirect-octal": "http://0177.1:PORT/",
    "/redirect-twice": f"{OTHER}/to-canary",
    "/robots": f"{OTHER}/forbidden/page",
    "/robots-on-the-way": f"{OTHER}/forbidden/hop",
    "/allowed": f"{OTHER}/allowed",
}
"""Redirects, and where they lead."""

SHOWING = {
    "/refresh": f'<meta http-equiv="refresh" content="0; url={CANARY}/">',
    "/location": f"<script>location = '{CANARY}/'</script>",
    "/form": f"""<form method="post" action="{CANARY}/"></form><script>document.forms[0].submit()</script>""",
    "/robots-refresh": f'<meta http-equiv="refresh" content="0; url={OTHER}/forbidden/refresh">',
    "/robots-location": f"<script>location = '{OTHER}/forbidden/location'</script>",
    "/parts": f"""<p>Parts<img src="{CANARY}/img"><script src="{CANARY}/script"></script>
        <iframe src="{CANARY}/frame"></iframe><iframe src="/redirect"></iframe>
        <link rel="preconnect" href="{CANARY}"><link rel="prefetch" href="{CANARY}/prefetch">
        <script>
            fetch("{CANARY}/fetch", {{mode: "no-cors"}}).catch(() => 0);
            fetch("/redirect", {{mode: "no-cors"}}).catch(() => 0);
            navigator.sendBeacon("{CANARY}/beacon");
            new WebSocket("ws://127.0.0.1:PORT/socket");
            new EventSource("{CANARY}/events");
            new Worker(URL.createObjectURL(new Blob(["fetch('{CANARY}/worker', {{mode: 'no-cors'}})"])));
            navigator.serviceWorker.register("/worker.js", {{scope: "/nowhere"}});
            const peer = new RTCPeerConnection({{iceServers: [
                {{urls: "turn:127.0.0.1:PORT?transport=tcp", username: "a", credential: "b"}},
                {{urls: "stun:127.0.0.1:PORT"}}, {{urls: "turn:127.0.0.1:PORT", username: "a", credential: "b"}}]}});
            peer.createDataChannel("x");
            peer.createOffer().then(offer => peer.setLocalDescription(offer));
        </script>""",
    "/windows": f"""<p>Windows<script>
            window.open("{OTHER}/forbidden/window");
            window.open("{CANARY}/window");
            const link = document.body.appendChild(document.createElement("a"));
            link.target = "_blank";
            link.href = "{OTHER}/forbidden/link";
            link.click();
        </script>""",
}
REST = {
    f"{OTHER}/to-canary": (302, "text/plain", f"{CANARY}/"),
    f"{OTHER}/forbidden/hop": (302, "text/plain", f"{HOST}/allowed"),
    f"{OTHER}/allowed": (200, HTML, "<p>Allowed"),
    f"{HOST}/worker.js": (200, "text/javascript", f"fetch('{CANARY}/service-worker', {{mode: 'no-cors'}})"),
}
ANSWERS: dict[str, tuple[int, str, str]] = {
    **{url: (200, "text/plain", text) for url, text in ROBOTS.items()},
    **{HOST + path: (302, "text/plain", url) for path, url in GOING.items()},
    **{HOST + path: (200, HTML, text) for path, text in SHOWING.items()},
    **REST,
}
"""By address; the text of a redirect is where it leads."""


class Internet(BaseHTTPRequestHandler):
    """A proxy that answers for every host, and writes down what it was asked for."""

    server: Any

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, kind, text = ANSWERS.get(self.path, (404, "text/plain", "nothing"))
        text = text.replace("PORT", str(self.server.canary))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Location", text if status == 302 else "")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(text.encode())

    do_POST = do_CONNECT = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


class Canary:
    """A host on loopback that counts who comes, on TCP and on UDP."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.tcp = socket.create_server((address, 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, self.port))
        self.udp.setblocking(False)
        self.asked: list[str] = []

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.tcp.accept()
                connection.settimeout(5)
                self.asked.append("")
                with connection, suppress(OSError):
                    self.asked[-1] = connection.recv(1000).decode("latin-1").partition(" HTTP")[0]
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    @property
    def datagrams(self) -> bytes:
        try:
            return self.udp.recv(1000)
        except BlockingIOError:
            return b""

    @contextmanager
    def listening(self) -> Iterator[Canary]:
        threading.Thread(target=self.serve, daemon=True).start()
        with self.tcp, self.udp:
            yield self
            self.tcp.shutdown(socket.SHUT_RDWR)


ROBOTS_AHEAD = ("/robots", "/robots-on-the-way", "/robots-refresh", "/robots-location")

Result = tuple[Found, list[str], list[str], bytes, str]


def crawled(data: Path, *words: str) -> Result:
    """What came of every page, what the proxy and the canary were asked for, its datagrams, and the log."""
    with Canary().listening() as canary, ThreadingHTTPServer(("127.0.0.1", 0), Internet) as proxy:
        proxy.asked, proxy.canary = [], canary.port  # type: ignore[attr-defined]
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{proxy.server_port}"
        env = {"http_proxy": url, "https_proxy": url, "no_proxy": "127.0.0.1"}
        secure = {"args": [f"--unsafely-treat-insecure-origin-as-secure={HOST}"]}
        words = (*words, "-s", "ROBOTSTXT_OBEY=True", "-s", f"PLAYWRIGHT_LAUNCH_OPTIONS={json.dumps(secure)}")
        with crawl(HOST, data, LONG, *GOING, *SHOWING, words=words, env=env) as process:
            out, log = process.communicate(timeout=2 * LONG)
        proxy.shutdown()
        lines = [json.loads(line.replace(str(canary.port), "PORT")) for line in out.splitlines()]
        asked = [path.replace(str(canary.port), "PORT") for path in proxy.asked]  # type: ignore[attr-defined]
        return {line["path"]: line for line in lines}, asked, canary.asked, canary.datagrams, log


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return crawled(tmp_path_factory.mktemp("bounds"), "-s", "ALLOW_PRIVATE_ADDRESSES=False")


def test_nothing_private_is_contacted_by_any_way(result: Result) -> None:
    found, asked, canary, datagrams, log = result
    assert found.keys() == {*GOING, *SHOWING}, log
    assert (canary, datagrams) == ([], b"")
    assert [url for url in asked if "PORT" in url or "127.0.0.1" in url] == []
    assert f"{HOST}/worker.js" in asked  # the service worker ran


@pytest.mark.parametrize(
    ("path", "said"),
    [
        *((path, "127.0.0.1 is not on the public internet") for path in GOING if path.startswith("/redirect")),
        *((path, "127.0.0.1 is not on the public internet") for path in ("/refresh", "/location", "/form")),
        *((path, "the robots.txt of other.example forbids it") for path in ROBOTS_AHEAD),
    ],
)
def test_a_page_that_is_sent_where_it_may_not_go_says_so(result: Result, path: str, said: str) -> None:
    found, *_, log = result
    assert found[path].get("error") == f"no page of a.example: {said}", (found[path], log)
    assert found[path]["raised"].startswith("RequestRefusedError: ")
    assert found[path]["kind"] == ("robots-txt" if "robots" in path else "private-address")


def test_what_robots_txt_forbids_is_not_asked_for(result: Result) -> None:
    _, asked, *_ = result
    assert [url for url in asked if url.startswith(f"{OTHER}/forbidden")] == []
    assert asked.count(f"{OTHER}/robots.txt") == 1


@pytest.mark.parametrize(("path", "text"), [("/parts", "Parts"), ("/windows", "Windows"), ("/allowed", "Allowed")])
def test_other_pages_stand_whatever_was_refused_of_them(result: Result, path: str, text: str) -> None:
    found, *_, log = result
    assert (found[path].get("status"), text in found[path].get("text", "")) == (200, True), (found[path], log)
    assert found[path]["seconds"] < LONG / 2


def test_nothing_is_left_behind(result: Result) -> None:
    *_, log = result
    assert "'playwright/page_count': 14" in log and "'playwright/page_count/closed': 14" in log
    assert "never retrieved" not in log and "never awaited" not in log and "was destroyed" not in log


def test_private_addresses_are_contacted_when_they_are_allowed(tmp_path: Path) -> None:
    found, _, canary, datagrams, log = crawled(tmp_path, "-s", "ALLOW_PRIVATE_ADDRESSES=True")
    assert found.keys() == {*GOING, *SHOWING}, log
    ways = ("robots.txt", "", "script", "frame", "fetch", "socket", "worker", "service-worker")
    assert {f"GET /{way}" for way in ways} | {"POST /"} <= {*canary}, log
    assert any(line.startswith("\x16\x03") for line in canary)  # TLS
    assert datagrams == b""  # by no proxy
    assert found["/redirect"].get("status") == 404


# Without a crawl, and without a proxy: names lead to addresses on loopback, of which 127.0.0.1 counts as public.

IN_ADVANCE = """<script type="speculationrules">
    {"prefetch": [{"urls": ["/fetched"], "eagerness": "immediate"}]}
</script>
<script>
    setInterval(async () => { if (await (await fetch("/asked")).text() > 0) location = "/fetched" }, 100);
</script>"""


class Host(BaseHTTPRequestHandler):
    """Redirects to what stands behind a question mark; ``/asked`` says how often ``/fetched`` was asked for."""

    server: Any

    def do_GET(self) -> None:
        target = self.path.partition("?")[2]
        self.server.asked.append((self.path, self.headers.get("Sec-Purpose", "")))
        asked = sum(path == "/fetched" for path, _ in self.server.asked)
        text = {"/in-advance": IN_ADVANCE, "/asked": str(asked)}.get(self.path, "fetched")
        self.send_response(302 if target else 200)
        self.send_header("Location", target)
        self.send_header("Content-Type", HTML)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


async def look_up(host: str, _: int) -> list[Address]:
    if host == "unknown.example":
        raise OSError
    return [ip_address("127.0.0.2" if host == "inner.example" else "127.0.0.1")]


@asynccontextmanager
async def browsing() -> AsyncIterator[tuple[BrowserContext, ThreadingHTTPServer]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as host:
        host.asked = []  # type: ignore[attr-defined]
        threading.Thread(target=host.serve_forever, daemon=True).start()
        args = [f"--unsafely-treat-insecure-origin-as-secure={HOST}:{host.server_port}"]
        provider = ChromiumProvider(Config.from_settings(Settings({"PLAYWRIGHT_LAUNCH_OPTIONS": {"args": args}})))
        provider.gateway = Gateway(is_allowed=lambda address: str(address) == "127.0.0.1", resolve=look_up)
        try:
            yield await (await provider.launch_browser()).new_context(), host
        finally:
            await provider.close()
            host.shutdown()


async def visit(context: BrowserContext, url: str, permit: Callable[[str], Awaitable[None]]) -> Navigation:
    page = await context.new_page()
    await page.route("**", Route.continue_)
    navigation = await Navigation.open(page, permit)
    await navigation.unless_refused(page.goto(url))
    return navigation


async def permit(_: str) -> None:
    pass


def test_where_a_name_leads_counts_and_the_page_says_so() -> None:
    async def work() -> None:
        with Canary("127.0.0.2").listening() as canary:
            async with browsing() as (context, host):
                inner, unknown = f"inner.example:{canary.port}", f"unknown.example:{canary.port}"
                page = f"{HOST}:{host.server_port}/"
                for url in (
                    f"http://{inner}/",
                    f"https://{inner}/",
                    f"{page}?http://{inner}/",
                    f"{page}?https://{inner}/",
                ):
                    with pytest.raises(RequestRefusedError, match=r"^inner\.example leads to 127\.0\.0\.2: ") as raised:
                        await visit(context, url, permit)
                    assert raised.value.failure is PRIVATE_ADDRESS
                for url in (f"http://{unknown}/", f"https://{unknown}/"):
                    with pytest.raises(PageBlockedError, match=r"^unknown\.example did not answer") as blocked:
                        await visit(context, url, permit)
                    assert blocked.value.kind is Obstacle.UNREACHABLE
                await visit(context, page, permit)
            assert canary.asked == []

    asyncio.run(work())


def test_a_page_that_was_fetched_in_advance_is_asked_about_when_it_is_shown() -> None:
    async def forbid(url: str) -> None:
        raise RequestRefusedError(f"not {urlsplit(url).path}", ROBOTS_TXT)

    async def work() -> None:
        async with browsing() as (context, host):
            navigation = await visit(context, f"{HOST}:{host.server_port}/in-advance", forbid)
            with pytest.raises(RequestRefusedError, match=r"^not /fetched$"):
                await navigation.unless_refused(asyncio.sleep(LONG))
            assert [asked for asked in host.asked if asked[0] == "/fetched"] == [("/fetched", "prefetch")]  # type: ignore[attr-defined]

    asyncio.run(work())
