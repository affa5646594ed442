"""The browser's only way to the network: a forward proxy on loopback, which goes to no private address.

A browser looks names up by itself, follows redirects and runs scripts: what it connects to can be checked only where
the connection is made. Here a name is looked up once, and what was checked is what is connected to: there is no moment
in which the name could come to mean another address. Websockets come as tunnels too.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from scrapy.utils.datatypes import LocalCache

from imagecrawl.exceptions import Obstacle, PageBlockedError
from imagecrawl.network.addresses import NOT_ON_THE_INTERNET, is_public, refusal
from imagecrawl.network.proxying import GatewayError, ProxyRequest, basic, head, host_and_port, status_of
from imagecrawl.network.urls import host_refused

HEAD_MAX = 64 * 1024
"""Bytes of the head of a request, and of a proxy's answer to one."""

HEAD_SECONDS = 10
"""Seconds in which a head must be there."""

CONNECT_SECONDS = 20
"""Seconds to look up a name, to reach one address, and for a proxy to make a tunnel."""

LINGER = 5
"""Seconds that one direction of a tunnel has to end after the other, and what is still to be sent to go."""

AT_ONCE = 256
"""Requests under way at once. Chromium opens 32 connections to a proxy, and as many for websockets."""

REMEMBERED = 1000
"""Of so many hosts and ports, the latest, it is remembered why they could not be reached."""

CHUNK = 64 * 1024

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[list[Address]]]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that the gateway goes on through, but for the hosts that ``no_proxy`` of the environment names.

    It looks names up by itself, so that no address is refused but those that a URL shows. ``authorization`` is the
    value of the header that it wants.
    """

    host: str
    port: int
    tls: bool = False
    authorization: str = ""

    def serves(self, request: ProxyRequest) -> bool:
        return not proxy_bypass(f"{request.host}:{request.port}")

    @property
    def fields(self) -> list[tuple[str, str]]:
        return [("Proxy-Authorization", self.authorization)] if self.authorization else []


class Stream(NamedTuple):
    """One end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Gateway:
    """The proxy, from :meth:`start` to :meth:`close`, for who knows ``username`` and ``password``.

    ``is_allowed`` says which addresses may be connected to, ``resolve`` gives those of a host and port, best first, or
    raises OSError or UnicodeError.
    """

    def __init__(
        self,
        proxy: Proxy | None = None,
        *,
        allow_private: bool = False,
        is_allowed: Callable[[Address], bool] = is_public,
        resolve: Resolve | None = None,
    ) -> None:
        self.username, self.password = "imagecrawl", secrets.token_urlsafe(24)
        self.port = 0
        self._proxy = proxy
        self._allow_private = allow_private
        self._is_allowed = is_allowed
        self._resolve = resolve or look_up
        self._failed: LocalCache[tuple[str, int], GatewayError] = LocalCache(REMEMBERED)
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port of loopback, unless it does already."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", limit=HEAD_MAX)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def failure(self, url: str) -> Exception | None:
        """What a page fails with whose host could not be reached the last time; ``None`` when it could."""
        host, port = host_and_port(urlsplit(url))
        failed = self._failed.get((host, port))
        if failed and failed.status is HTTPStatus.FORBIDDEN:
            return host_refused(str(failed))
        return PageBlockedError(Obstacle.UNREACHABLE, f"{host} did not answer ({failed})") if failed else None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            await self._answer(Stream(reader, writer))
        finally:
            self._tasks.discard(task)

    async def _answer(self, client: Stream) -> None:
        """Serve one connection: one request."""
        try:
            request = ProxyRequest.parse(await _read_head(client.reader))
            self._admit(request)
            self._under_way += 1
            try:
                await self._serve(client, request)
            finally:
                self._under_way -= 1
        except GatewayError as failed:
            client.writer.write(failed.answer)
        except (OSError, EOFError):
            pass  # the browser has gone, or has nothing to say
        finally:
            await _close(client.writer)

    def _admit(self, request: ProxyRequest) -> None:
        known = basic(self.username, self.password)
        if not secrets.compare_digest(request.field("proxy-authorization").encode(), known.encode()):
            raise GatewayError(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, "this is the way of one browser only")
        if self._under_way >= AT_ONCE:
            raise GatewayError(HTTPStatus.SERVICE_UNAVAILABLE, "too much is under way")

    async def _serve(self, client: Stream, request: ProxyRequest) -> None:
        proxy = self._proxy if self._proxy and self._proxy.serves(request) else None
        try:
            server = await self._open(request, proxy)
        except GatewayError as failed:
            self._failed[request.host, request.port] = failed
            raise
        self._failed.pop((request.host, request.port), None)
        try:
            if request.is_tunnel:
                client.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _first(_pump(client, server), _pump(server, client), linger=LINGER)
            else:
                more = proxy.fields if proxy else []
                server.writer.write(request.forwarded(to_proxy=proxy is not None, more=more))
                await _first(_send_body(client, server, request.length), _pump(server, client))
        finally:
            await _close(server.writer)

    async def _open(self, request: ProxyRequest, proxy: Proxy | None) -> Stream:
        """A connection that leads to the host of ``request``, as a tunnel or to its next proxy; raises GatewayError."""
        if not self._allow_private and (why := refusal(request.url.geturl())):
            raise GatewayError(HTTPStatus.FORBIDDEN, why)
        if proxy is None:
            return await _connect(await self._addresses(request), request.port)
        server = await _connect([proxy.host], proxy.port, ssl.create_default_context() if proxy.tls else None)
        if request.is_tunnel:
            try:
                await _tunnel(server, request.url.netloc, proxy)
            except BaseException:
                await _close(server.writer)
                raise
        return server

    async def _addresses(self, request: ProxyRequest) -> list[str]:
        """The public addresses of the host; raises GatewayError when they are all private."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                addresses = await self._resolve(request.host, request.port)
        except TimeoutError as error:
            raise GatewayError(HTTPStatus.GATEWAY_TIMEOUT, "its name takes too long to be looked up") from error
        except (OSError, UnicodeError) as error:
            raise GatewayError(HTTPStatus.BAD_GATEWAY, "its name is not known") from error
        allowed = [address for address in addresses if self._allow_private or self._is_allowed(address)]
        if addresses and not allowed:
            said = ", ".join(map(str, addresses))
            raise GatewayError(HTTPStatus.FORBIDDEN, f"{request.host} leads to {said}: {NOT_ON_THE_INTERNET}")
        return [str(address) for address in allowed]


async def look_up(host: str, port: int) -> list[Address]:
    """The addresses of a host, from the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(address[0]) for *_, address in found]


async def _connect(hosts: list[str], port: int, tls: ssl.SSLContext | None = None) -> Stream:
    """A connection to the first of ``hosts`` that takes one; raises GatewayError."""
    failed = GatewayError(HTTPStatus.BAD_GATEWAY, "its name has no address")
    for host in hosts:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return Stream(*await asyncio.open_connection(host, port, ssl=tls, limit=HEAD_MAX))
        except TimeoutError:
            failed = GatewayError(HTTPStatus.GATEWAY_TIMEOUT, f"{host} does not answer at port {port}")
        except OSError as error:
            failed = GatewayError(HTTPStatus.BAD_GATEWAY, f"no connection to {host} at port {port}: {_words(error)}")
    raise failed


def _words(error: OSError) -> str:
    return error.strerror or type(error).__name__


async def _tunnel(server: Stream, authority: str, proxy: Proxy) -> None:
    """Let the proxy at the other end make a tunnel; raises GatewayError."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            server.writer.write(head(f"CONNECT {authority} HTTP/1.1", [("Host", authority), *proxy.fields]))
            status = status_of(await server.reader.readuntil(b"\r\n\r\n"))
    except TimeoutError as error:
        raise GatewayError(HTTPStatus.GATEWAY_TIMEOUT, "the proxy does not answer") from error
    except (OSError, EOFError, asyncio.LimitOverrunError) as error:
        raise GatewayError(HTTPStatus.BAD_GATEWAY, "the proxy hangs up") from error
    if not 200 <= status < 300:
        raise GatewayError(HTTPStatus.BAD_GATEWAY, f"the proxy answers {status or 'in no HTTP'}")


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    """All up to the empty line; raises GatewayError, OSError, EOFError."""
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise GatewayError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large") from error


async def _send_body(client: Stream, server: Stream, length: int) -> None:
    """Hand on so many bytes. It ends when the client hangs up, or says more: that would be for another host."""
    while length and (data := await client.reader.read(min(length, CHUNK))):
        server.writer.write(data)
        await server.writer.drain()
        length -= len(data)
    await client.reader.read(1)


async def _pump(source: Stream, target: Stream) -> None:
    """Hand on what comes until it ends, and the end too, where there is a way to say it: TLS has none."""
    while data := await source.reader.read(CHUNK):
        target.writer.write(data)
        await target.writer.drain()
    if target.writer.can_write_eof():
        target.writer.write_eof()


async def _first(*works: Coroutine[Any, Any, None], linger: float = 0) -> None:
    """Wait until one has ended, and ``linger`` seconds for the others. Whatever broke, the connection is over."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(tasks, timeout=linger)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection when all is sent, but do not wait for ever."""
    try:
        with suppress(OSError):
            async with asyncio.timeout(LINGER):
                writer.close()
                await writer.wait_closed()
    finally:
        writer.transport.abort()
