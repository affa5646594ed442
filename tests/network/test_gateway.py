"""The gateway with real connections on loopback, where 127.0.0.1 counts as public and 127.0.0.2 does not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from imagecrawl.exceptions import Obstacle, PageBlockedError
from imagecrawl.failures import BAD_URL, PRIVATE_ADDRESS, RequestRefusedError
from imagecrawl.network import gateway as module
from imagecrawl.network.gateway import Address, Gateway, Proxy, Stream
from imagecrawl.network.proxying import basic
from tests.replica import Replica
from tests.replica.certificates import Authority

PUBLIC, PRIVATE = ip_address("127.0.0.1"), ip_address("127.0.0.2")
NAMES = {
    "a.example": [PUBLIC],
    "b.example": [PUBLIC],
    "inner.example": [PRIVATE],
    "both.example": [PRIVATE, PUBLIC],
    "none.example": [],
}
SOON = 5
"""Seconds in which everything here must have happened."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


async def look_up(host: str, _: int) -> list[Address]:
    if host == "bad.example":
        raise UnicodeError("label too long")
    if host not in NAMES:
        raise OSError("Name or service not known")
    return NAMES[host]


class Host:
    """A host that answers each head with ``answer``, and stays open until its client has gone."""

    def __init__(self, answer: bytes = OK, *, hangs_up: bool = False) -> None:
        self.answer = answer
        self.hangs_up = hangs_up
        self.port = 0
        self.connections = 0
        self.received = b""
        self.came, self.left = asyncio.Event(), asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.came.set()
        with contextlib.suppress(OSError):
            while data := await reader.read(1000):
                self.received += data
                if data.endswith(b"\r\n\r\n"):
                    writer.write(self.answer)
                    if self.hangs_up:
                        break
        self.left.set()
        writer.close()

    @asynccontextmanager
    async def listening(self, address: str = "127.0.0.1", **options: Any) -> AsyncIterator[Host]:
        server = await asyncio.start_server(self.serve, address, 0, **options)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self


@asynccontextmanager
async def opened(proxy: Proxy | None = None, **options: Any) -> AsyncIterator[Gateway]:
    """A gateway that leaves nothing behind."""
    gateway = Gateway(proxy, **{"is_allowed": lambda address: address == PUBLIC, "resolve": look_up, **options})
    before = asyncio.all_tasks()
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.close()
    assert not gateway._tasks
    assert not [task for task in asyncio.all_tasks() - before if "Gateway" in repr(task)]


@asynccontextmanager
async def client(gateway: Gateway) -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        yield Stream(reader, writer)
    finally:
        writer.close()


def head(gateway: Gateway, line: str, *fields: str) -> bytes:
    login = f"Proxy-Authorization: {basic(gateway.username, gateway.password)}"
    return "\r\n".join([f"{line} HTTP/1.1", *fields, login, "", ""]).encode()


async def ask(gateway: Gateway, data: bytes) -> bytes:
    """All that comes back, until the gateway hangs up."""
    async with client(gateway) as (reader, writer):
        writer.write(data)
        return await reader.read(-1)


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def soon() -> None:
        async with asyncio.timeout(SOON):
            await work()

    asyncio.run(soon())


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


# What goes through


def test_an_http_request_arrives_as_its_host_takes_it_and_its_answer_as_it_was_sent() -> None:
    async def work() -> None:
        async with Host(hangs_up=True).listening() as host, opened() as gateway:
            line = f"GET http://a.example:{host.port}/path?a=b"
            fields = ("Host: evil.example", "Accept: */*", "Connection: keep-alive, X-Own", "X-Own: 1", "TE: trailers")
            answer = await ask(gateway, head(gateway, line, *fields, "Proxy-Connection: keep-alive"))
            sent = f"GET /path?a=b HTTP/1.1\r\nHost: a.example:{host.port}\r\nConnection: close\r\nAccept: */*\r\n\r\n"
            assert (host.received, answer) == (sent.encode(), OK)
            assert gateway.failure(f"http://a.example:{host.port}/") is None

    run(work)


def test_a_body_is_handed_on_to_its_last_byte_and_nothing_behind_it() -> None:
    async def work() -> None:
        async with Host(hangs_up=True).listening() as host, opened() as gateway:
            post = head(gateway, f"POST http://a.example:{host.port}/", "Content-Length: 8")
            await ask(gateway, post + b"body\r\n\r\n" + b"GET http://b.example/")
            assert host.received.endswith(b"\r\n\r\nbody\r\n\r\n")

    run(work)


def test_a_tunnel_carries_both_ways_until_both_have_ended() -> None:
    async def work() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"first")
            writer.write((await reader.read(-1)).upper())
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, opened() as gateway, client(gateway) as (reader, writer):
            writer.write(head(gateway, f"CONNECT a.example:{port}"))
            assert status(await reader.readuntil(b"\r\n\r\n")) == 200
            assert await reader.readexactly(5) == b"first"
            writer.write(b"said ")
            writer.write(b"then")
            writer.write_eof()
            assert await reader.read(-1) == b"SAID THEN"

    run(work)


def test_a_name_is_looked_up_once_for_a_connection_that_goes_to_what_was_checked() -> None:
    asked: list[str] = []

    async def rebinding(host: str, _: int) -> list[Address]:
        asked.append(host)
        return [PUBLIC if len(asked) == 1 else PRIVATE]

    async def work() -> None:
        async with Host(hangs_up=True).listening() as host, opened(resolve=rebinding) as gateway:
            request = head(gateway, f"GET http://a.example:{host.port}/")
            assert status(await ask(gateway, request)) == 200
            assert asked == ["a.example"]
            assert status(await ask(gateway, request)) == 403
            assert host.connections == 1

    run(work)


# What does not


@pytest.mark.parametrize("line", ["GET http://{}:{}/", "CONNECT {}:{}"])
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("inner.example", "inner.example leads to 127.0.0.2: not on the public internet"),
        ("127.0.0.2", "127.0.0.2 is not on the public internet"),
        ("0x7f.2", "0x7f.2 is 127.0.0.2: not on the public internet"),
        ("localhost", "localhost is a name without a domain: not on the public internet"),
        ("[::ffff:127.0.0.2]", "[::ffff:127.0.0.2] is ::ffff:127.0.0.2: not on the public internet"),
    ],
)
def test_a_private_address_is_refused_and_never_connected_to(line: str, name: str, why: str) -> None:
    async def work() -> None:
        async with Host().listening("127.0.0.2") as host, opened() as gateway:
            answer = await ask(gateway, head(gateway, line.format(name, host.port)))
            assert status(answer) == 403
            said = answer.partition(b"\r\n\r\n")[2].decode()
            assert said.endswith("not on the public internet\n") and said.count("\n") == 1
            failure = gateway.failure(f"{'http' if 'http' in line else 'https'}://{name}:{host.port}/some/page")
            assert isinstance(failure, RequestRefusedError) and failure.failure is PRIVATE_ADDRESS
            assert str(failure) == said.strip()
            if "ffff" not in name:
                assert str(failure) == why
            assert host.connections == 0

    run(work)


def test_a_name_with_private_addresses_too_is_reached_at_its_public_one() -> None:
    async def work() -> None:
        async with Host(hangs_up=True).listening() as host, Host().listening("127.0.0.2") as inner, opened() as gateway:
            assert status(await ask(gateway, head(gateway, f"GET http://both.example:{host.port}/"))) == 200
            assert status(await ask(gateway, head(gateway, f"GET http://both.example:{inner.port}/"))) == 502
            assert (host.connections, inner.connections) == (1, 0)

    run(work)


@pytest.mark.parametrize("name", ["127.0.0.2", "inner.example"])
def test_private_addresses_can_be_allowed(name: str) -> None:
    async def work() -> None:
        async def literal(host: str, port: int) -> list[Address]:
            return [PRIVATE] if host == "127.0.0.2" else await look_up(host, port)

        async with (
            Host(hangs_up=True).listening("127.0.0.2") as host,
            opened(allow_private=True, resolve=literal) as gateway,
        ):
            assert status(await ask(gateway, head(gateway, f"GET http://{name}:{host.port}/"))) == 200

    run(work)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("unknown.example", "its name is not known"),
        ("bad.example", "its name is not known"),
        ("none.example", "its name has no address"),
        ("a.example", "no connection to 127.0.0.1 at port 1: "),
    ],
)
def test_what_cannot_be_reached_is_said(name: str, why: str) -> None:
    async def work() -> None:
        async with opened() as gateway:
            answer = await ask(gateway, head(gateway, f"CONNECT {name}:1"))
            assert status(answer) == 502 and why in answer.decode()
            failure = gateway.failure(f"https://{name}:1/page")
            assert isinstance(failure, PageBlockedError) and failure.kind is Obstacle.UNREACHABLE
            assert str(failure).startswith(f"{name} did not answer ({why}")
            assert gateway.failure(f"https://{name}:2/page") is None

    run(work)


def test_a_failure_is_forgotten_when_the_host_answers() -> None:
    async def work() -> None:
        host = Host(hangs_up=True)
        async with host.listening():
            port = host.port
        async with opened() as gateway:
            request = head(gateway, f"GET http://a.example:{port}/")
            assert status(await ask(gateway, request)) == 502
            assert gateway.failure(f"http://a.example:{port}/")
            server = await asyncio.start_server(host.serve, "127.0.0.1", port)
            async with server:
                assert status(await ask(gateway, request)) == 200
            assert gateway.failure(f"http://a.example:{port}/") is None

    run(work)


@pytest.mark.parametrize("slow", ["resolver", "host"])
def test_nobody_waits_for_ever_for_a_connection(monkeypatch: pytest.MonkeyPatch, slow: str) -> None:
    monkeypatch.setattr(module, "CONNECT_SECONDS", 0.02)
    never = asyncio.Event()

    async def resolve(_: str, __: int) -> list[Address]:
        if slow == "resolver":
            await never.wait()
        return [PUBLIC]

    async def connect(*_: object, **__: object) -> None:
        await never.wait()

    async def work() -> None:
        async with opened(resolve=resolve) as gateway:
            async with client(gateway) as (reader, writer):
                monkeypatch.setattr(asyncio, "open_connection", connect)
                writer.write(head(gateway, "CONNECT a.example:443"))
                assert status(await reader.read(-1)) == 504
            assert isinstance(gateway.failure("https://a.example/"), PageBlockedError)

    run(work)


# Who may use it, and how


@pytest.mark.parametrize(
    "field",
    ["X: 1", *(f"Proxy-Authorization: {value}" for value in (basic("imagecrawl", "guess"), "Basic \xff", ""))],
)
def test_nobody_goes_through_without_the_password(field: str) -> None:
    async def work() -> None:
        async with Host().listening() as host, opened() as gateway:
            for line in (f"GET http://a.example:{host.port}/", f"CONNECT a.example:{host.port}"):
                answer = await ask(gateway, f"{line} HTTP/1.1\r\n{field}\r\n\r\n".encode("latin-1"))
                assert status(answer) == 407 and b'\r\nProxy-Authenticate: Basic realm="imagecrawl"\r\n' in answer
            assert host.connections == 0

    run(work)


def test_each_gateway_has_a_password_of_its_own() -> None:
    assert Gateway().password != Gateway().password


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
        (b"GET https://a.example/ HTTP/1.1\r\n\r\n", 400),
        (b"GET file:///etc/passwd HTTP/1.1\r\n\r\n", 400),
        (b"GET http:///path HTTP/1.1\r\n\r\n", 400),
        (b"GET http://a.example:99999/ HTTP/1.1\r\n\r\n", 400),
        (b"GET http://me:secret@a.example/ HTTP/1.1\r\n\r\n", 400),
        (b"GET http://a.example/ HTTP/2\r\n\r\n", 400),
        (b"GET http://a.example/ b HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT a.example:443/path HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT http://a.example HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT [::1:443 HTTP/1.1\r\n\r\n", 400),
        (b"GET http://a.example/ HTTP/1.1\r\nX: a\r\n folded\r\n\r\n", 400),
        (b"GET http://a.example/ HTTP/1.1\r\nX : a\r\n\r\n", 400),
        (b"GET http://a.example/ HTTP/1.1\r\nX: a\nY: b\r\n\r\n", 400),
        (b"GET http://a.example/ HTTP/1.1\r\nX: \0\r\n\r\n", 400),
        (b"POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12", 411),
        (b"POST http://a.example/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 411),
        (b"GET http://a.example/ HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
        (b"x" * 200_000, 431),
    ],
)
def test_a_head_that_no_browser_sends_is_refused_before_anything_is_looked_up(data: bytes, expected: int) -> None:
    async def nobody(*_: object) -> list[Address]:
        raise AssertionError

    async def work() -> None:
        async with opened(resolve=nobody) as gateway, client(gateway) as (reader, writer):
            writer.write(data)
            assert status(await reader.readuntil(b"\r\n")) == expected

    run(work)


def test_a_head_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.02)

    async def work() -> None:
        async with opened() as gateway:
            assert await ask(gateway, b"GET http://a.example/ HTT") == b""

    run(work)


def test_a_second_request_never_reaches_the_host_of_the_first_one() -> None:
    async def work() -> None:
        async with Host().listening() as host, opened() as gateway:
            first = head(gateway, f"GET http://a.example:{host.port}/1")
            second = head(gateway, f"GET http://b.example:{host.port}/2")
            await ask(gateway, first + second)
            assert b"/2" not in host.received

    run(work)


def test_a_host_that_stays_open_gets_no_second_request_either() -> None:
    async def work() -> None:
        async with Host().listening() as host, opened() as gateway, client(gateway) as (reader, writer):
            writer.write(head(gateway, f"GET http://a.example:{host.port}/1"))
            assert await reader.readexactly(len(OK)) == OK
            writer.write(head(gateway, f"GET http://a.example:{host.port}/2"))
            assert await reader.read(-1) == b""  # Chromium takes another connection
            await host.left.wait()
            assert host.received.count(b"GET") == 1

    run(work)


@pytest.mark.parametrize("line", ["GET http://a.example:{}/", "CONNECT a.example:{}"])
def test_a_client_that_vanishes_takes_its_connection_with_it(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(module, "LINGER", 0.05)

    async def work() -> None:
        async with Host(b"").listening() as host, opened() as gateway:
            async with client(gateway) as (_, writer):
                writer.write(head(gateway, line.format(host.port)))
                await host.came.wait()
                writer.transport.abort()
            await host.left.wait()
            await asyncio.gather(*gateway._tasks)

    run(work)


def test_one_direction_of_a_tunnel_does_not_go_on_for_ever_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER", 0.05)

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        await gone.wait()
        writer.close()

    gone = asyncio.Event()

    async def work() -> None:
        server = await asyncio.start_server(deaf, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, opened() as gateway, client(gateway) as (reader, writer):
            writer.write(head(gateway, f"CONNECT a.example:{port}"))
            await reader.readuntil(b"\r\n\r\n")
            writer.write_eof()
            assert await reader.read(-1) == b""
            gone.set()

    run(work)


def test_closing_cuts_what_is_under_way() -> None:
    async def work() -> None:
        async with Host().listening() as host:
            async with opened() as gateway:
                reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
                writer.write(head(gateway, f"CONNECT a.example:{host.port}"))
                await reader.readuntil(b"\r\n\r\n")
                idle = await asyncio.open_connection("127.0.0.1", gateway.port)
            await host.left.wait()
            with contextlib.suppress(ConnectionError):
                assert await reader.read(-1) == b""
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.close()
            idle[1].close()

    run(work)


def test_there_is_a_bound_to_what_is_under_way_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1)

    async def work() -> None:
        async with Host().listening() as host, opened() as gateway:
            connect = head(gateway, f"CONNECT a.example:{host.port}")
            async with client(gateway) as (reader, writer):
                writer.write(connect)
                assert status(await reader.readuntil(b"\r\n\r\n")) == 200
                assert status(await ask(gateway, connect)) == 503
                writer.transport.abort()
                await asyncio.gather(*gateway._tasks)
            async with client(gateway) as (reader, writer):
                writer.write(connect)
                assert status(await reader.readuntil(b"\r\n\r\n")) == 200

    run(work)


# Through a proxy


def test_a_proxy_is_told_where_to_go_with_its_own_password() -> None:
    async def work() -> None:
        login = basic("me", "secret")
        async with (
            Host(hangs_up=True).listening() as proxy,
            opened(Proxy("127.0.0.1", proxy.port, authorization=login)) as gateway,
        ):
            await ask(gateway, head(gateway, "GET http://unknown.example/path", "Accept: */*"))
            sent = "GET http://unknown.example/path HTTP/1.1\r\nHost: unknown.example\r\nConnection: close\r\n"
            assert proxy.received.decode() == f"{sent}Accept: */*\r\nProxy-Authorization: {login}\r\n\r\n"

    run(work)


def test_a_proxy_makes_tunnels() -> None:
    async def work() -> None:
        login = basic("me", "secret")
        async with (
            Host(b"HTTP/1.0 200 fine\r\nVia: x\r\n\r\nat once").listening() as proxy,
            opened(Proxy("127.0.0.1", proxy.port, authorization=login)) as gateway,
            client(gateway) as (reader, writer),
        ):
            writer.write(head(gateway, "CONNECT unknown.example:443"))
            assert status(await reader.readuntil(b"\r\n\r\n")) == 200
            assert await reader.readexactly(7) == b"at once"
            sent = "CONNECT unknown.example:443 HTTP/1.1\r\nHost: unknown.example:443\r\n"
            assert proxy.received.decode() == f"{sent}Proxy-Authorization: {login}\r\n\r\n"

    run(work)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the proxy answers 407"),
        (b"HTTP/1.1 503 No\r\n\r\n", "the proxy answers 503"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the proxy answers in no HTTP"),
        (b"", "the proxy hangs up"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", "the proxy hangs up"),
    ],
)
def test_a_proxy_that_makes_no_tunnel_is_said(answer: bytes, why: str) -> None:
    async def work() -> None:
        async with (
            Host(answer, hangs_up=True).listening() as proxy,
            opened(Proxy("127.0.0.1", proxy.port)) as gateway,
        ):
            assert status(await ask(gateway, head(gateway, "CONNECT a.example:443"))) == 502
            assert str(gateway.failure("https://a.example/")) == f"a.example did not answer ({why})"

    run(work)


@pytest.mark.parametrize("line", ["GET http://127.0.0.2:80/", "CONNECT 169.254.169.254:443", "CONNECT 0:80"])
def test_a_proxy_is_not_asked_for_private_addresses(line: str) -> None:
    async def work() -> None:
        async with Host().listening() as proxy, opened(Proxy("127.0.0.1", proxy.port)) as gateway:
            assert status(await ask(gateway, head(gateway, line))) == 403
            assert proxy.connections == 0

    run(work)


def test_hosts_without_a_proxy_are_checked_like_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "a.example,inner.example")

    async def work() -> None:
        async with (
            Host(hangs_up=True).listening() as host,
            Host(hangs_up=True).listening() as proxy,
            opened(Proxy("127.0.0.1", proxy.port)) as gateway,
        ):
            assert status(await ask(gateway, head(gateway, f"GET http://a.example:{host.port}/"))) == 200
            assert status(await ask(gateway, head(gateway, f"GET http://inner.example:{host.port}/"))) == 403
            assert (host.connections, proxy.connections) == (1, 0)
            assert status(await ask(gateway, head(gateway, f"GET http://b.example:{host.port}/"))) == 200
            assert (host.connections, proxy.connections) == (1, 1)

    run(work)


def test_a_proxy_may_be_asked_in_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority({})
    authority.write(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    async def work() -> None:
        async with (
            Host(hangs_up=True).listening("localhost", ssl=authority.context("localhost")) as proxy,
            opened(Proxy("localhost", proxy.port, tls=True)) as gateway,
        ):
            assert await ask(gateway, head(gateway, "GET http://a.example/")) == OK

    run(work)


def test_the_replica_is_reached_through_its_proxy(replica: Replica) -> None:
    async def work() -> None:
        async with opened(Proxy("127.0.0.1", urlsplit(replica.proxy_url).port or 0)) as gateway:
            answer = await ask(gateway, head(gateway, "GET http://maze.example/good"))
            assert status(answer) == 200 and b"A good page" in answer
            assert status(await ask(gateway, head(gateway, "CONNECT nowhere.example:443"))) == 502
            async with client(gateway) as (reader, writer):
                writer.write(head(gateway, "CONNECT maze.example:443"))
                assert status(await reader.readuntil(b"\r\n\r\n")) == 200

    run(work)


def test_a_host_that_cannot_be_read_is_no_private_one() -> None:
    async def work() -> None:
        async with opened() as gateway:
            assert status(await ask(gateway, head(gateway, "CONNECT 1.2.3.256:80"))) == 403
            failure = gateway.failure("https://1.2.3.256:80/")
            assert isinstance(failure, RequestRefusedError) and failure.failure is BAD_URL

    run(work)
