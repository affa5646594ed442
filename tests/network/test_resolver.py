"""Between the look-up of a name and the connection: what is asked, and what is connected to."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy import Request
from scrapy.core.downloader.contextfactory import _ScrapyClientContextFactory
from scrapy.utils.test import get_crawler
from twisted.internet import reactor as installed
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError
from twisted.internet.testing import MemoryReactorClock
from twisted.web.client import HTTPConnectionPool

from imagecrawl.network import handler
from imagecrawl.network.handler import PublicAgent

WHY = "a.example leads to {}: not on the public internet"


class Names:
    """A name resolver that gives one of ``answers`` after the other, and counts how often it was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def resolveHostName(self, receiver: Any, host: str, portNumber: int = 0, *_: Any) -> None:  # noqa: N802, N803
        self.asked.append(host)
        receiver.resolutionBegan(None)
        for address in self.answers.pop(0):
            if address.startswith("/"):
                receiver.addressResolved(UNIXAddress(address))
            else:
                kind = IPv6Address if ":" in address else IPv4Address
                receiver.addressResolved(kind("TCP", address, portNumber))
        receiver.resolutionComplete()


class Asking:
    """A request on its way, over a reactor that connects to nothing."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *answers: list[str],
        url: str = "http://a.example:8080/",
        allow_private: bool = False,
        **meta: Any,
    ) -> None:
        self.names = Names(*answers)
        self.reactor = MemoryReactorClock()
        self.reactor.nameResolver = self.names
        monkeypatch.setattr("twisted.internet.reactor", self.reactor)
        self.failures: list[Any] = []
        self.agent = PublicAgent(
            allow_private=allow_private,
            contextFactory=_ScrapyClientContextFactory(),
            pool=HTTPConnectionPool(installed, persistent=False),
            crawler=get_crawler(),
        )
        agent = self.agent._get_agent(Request(url, meta=meta), 30)
        answer: Deferred[Any] = agent.request(b"GET", url.encode())
        answer.addErrback(self.failures.append)
        self.reactor.advance(5)

    @property
    def connected(self) -> list[tuple[str, int]]:
        """To what it was tried to connect."""
        return [client[:2] for client in self.reactor.tcpClients]


def test_what_is_connected_to_is_what_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    assert asking.connected == [("93.184.215.14", 8080)]
    assert asking.names.asked == ["a.example"]


def test_of_many_addresses_the_public_ones_are_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ["127.0.0.1", "93.184.215.14", "10.0.0.1", "::1", "2606:4700::1111", "::ffff:127.0.0.1", "fe80::1%eth0"]
    asking = Asking(monkeypatch, addresses)
    assert asking.connected == [("93.184.215.14", 8080), ("2606:4700::1111", 8080)]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1", "127.0.0.1"), ("fd00:ec2::254", "fd00:ec2::254"), ("/run/x", "UNIXAddress('/run/x')")],
)
def test_a_name_that_leads_to_private_addresses_only_is_refused(
    monkeypatch: pytest.MonkeyPatch, scheme: str, address: str, said: str
) -> None:
    asking = Asking(monkeypatch, [address, "10.0.0.1"], url=f"{scheme}://a.example:8080/")
    assert not asking.connected
    assert asking.failures[0].check(DNSLookupError)
    assert asking.agent.why_refused("a.example") == WHY.format(f"{said}, 10.0.0.1")


def test_a_name_that_leads_nowhere_is_a_matter_of_the_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(monkeypatch, [])
    assert asking.failures[0].check(DNSLookupError)
    assert asking.agent.why_refused("a.example") is None


@pytest.mark.parametrize(("url", "address"), [("http://127.0.0.1:8080/", "127.0.0.1"), ("http://[::1]:8080/", "::1")])
def test_numbers_pass_there_too(monkeypatch: pytest.MonkeyPatch, url: str, address: str) -> None:
    asking = Asking(monkeypatch, [address], url=url)
    assert asking.names.asked == [address] and not asking.connected


def test_the_setting_lets_all_through(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(monkeypatch, ["127.0.0.1"], allow_private=True)
    assert asking.connected == [("127.0.0.1", 8080)]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_ones_own_proxy_may_be_anywhere(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    proxy = "http://127.0.0.1:3128"
    asking = Asking(monkeypatch, ["127.0.0.1"], url=f"{scheme}://a.example/", proxy=proxy)
    assert asking.connected == [("127.0.0.1", 3128)]


def test_a_connection_does_not_take_as_long_as_a_file_may(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(monkeypatch, ["93.184.215.14"])
    [(_, _, _, seconds, _)] = asking.reactor.tcpClients
    assert seconds == asking.agent._connectTimeout == 10
    assert handler.PublicAgent is PublicAgent
