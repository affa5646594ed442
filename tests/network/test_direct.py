"""Crawls that are led to this machine: what no list, no redirect and no name may do, and what the setting allows."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.crawling import Crawl, crawl
from tests.network.canary import Canary, Horrors, serving

NUMBERS = [
    "127.0.0.1",
    "2130706433",
    "0177.0.0.1",
    "0x7f.1",
    "127.1",
    "127.0.0.2",
    "0.0.0.0",
    "017700000001",
    "0x7f000001",
]
"""What the C library takes for this machine, so that it is what the canary hears when nobody hinders it."""

SPELLINGS = [
    *NUMBERS, "１２７.0.0.1", "127。0。0。1", "127.0.0.1.", "%31%32%37.0.0.1", "localhost", "LOCALHOST.", "a.localhost",
    "[::1]", "[::ffff:127.0.0.1]", "[::]",
]  # fmt: skip

NAMES = ["private.example", "rebinding.example"]

ONLY_HERE = ("-s", "DOWNLOAD_BIND_ADDRESS=127.0.0.1")
"""No connection may leave this machine: one to another fails at once."""


@pytest.fixture
def canary() -> Iterator[Canary]:
    server = Canary("0.0.0.0")
    with serving(server):
        yield server


@pytest.fixture
def horrors() -> Iterator[str]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Horrors)) as address:
        yield f"http://{address}"


def listed(folder: Path, *urls: str) -> Path:
    path = folder / "list.txt"
    path.write_text("".join(f"{url}\n" for url in urls), "utf-8")
    return path


def fetch(folder: Path, *words: str, urls: list[str], proxy: str = "", direct: str = "*", code: int = 7) -> Crawl:
    """``scrapy crawl urls`` on these addresses, those of the hosts ``direct`` not through the proxy."""
    env = {"http_proxy": proxy, "no_proxy": direct} if proxy else {"no_proxy": "*"}
    settings = ("-s", "DNS_RESOLVER=tests.network.names.Names", "-s", "RETRY_TIMES=1", *ONLY_HERE)
    done = crawl(folder / "data", f"file={listed(folder, *urls)}", *settings, *words, spider="urls", env=env)
    assert done.code == code, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert len(done.items) == len(urls), done.stderr
    return done


def test_no_address_no_name_and_no_redirect_leads_to_this_machine(canary: Canary, horrors: str, tmp_path: Path) -> None:
    hosts = [*SPELLINGS, *NAMES]
    urls = [f"http://{host}:{canary.server_port}/{number}" for number, host in enumerate(hosts)]
    urls += [f"http://redirect.example/{number}?{url}" for number, url in enumerate(urls)]
    direct = ",".join(sorted({host.strip("[]").lower().rstrip(".") for host in hosts}))
    done = fetch(tmp_path, "-L", "DEBUG", urls=urls, proxy=horrors, direct=direct)
    ends = {line["image_urls"][0]: (line["outcome"], line["reason"]) for line in done.items}
    assert set(ends.values()) == {("refused", "private-address")}, ends
    assert canary.connections == 0
    assert done.stderr.count("Redirecting (302)") == len(hosts)


def test_with_the_setting_they_do(canary: Canary, tmp_path: Path) -> None:
    hosts = [*NUMBERS, "１２７.0.0.1", "127。0。0。1", "private.example", "rebinding.example"]
    urls = [f"http://{host}:{canary.server_port}/{number}" for number, host in enumerate(hosts)]
    done = fetch(tmp_path, "-s", "ALLOW_PRIVATE_ADDRESSES=True", urls=urls, code=0)
    assert {line["outcome"] for line in done.items} == {"stored", "duplicate"}
    assert {f"/{number}" for number in range(len(hosts))} <= set(canary.asked)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("allowed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_with_a_resolver_for_ipv6_it_is_the_same(tmp_path: Path, allowed: bool) -> None:
    six = Canary("::")  # which hears IPv4 as well
    with serving(six):
        hosts = ["[::1]", "[::ffff:127.0.0.1]", "127.0.0.1", "127.1", "private.example", "mapped.example"]
        urls = [f"http://{host}:{six.server_port}/{number}" for number, host in enumerate(hosts)]
        settings = ("-s", "DNS_RESOLVER=tests.network.names.SixNames", "-s", f"ALLOW_PRIVATE_ADDRESSES={allowed}")
        done = fetch(tmp_path, *settings, "-s", "DOWNLOAD_BIND_ADDRESS=", urls=urls, code=0 if allowed else 7)
    if allowed:
        assert {line["outcome"] for line in done.items} == {"stored", "duplicate"}, done.items
        assert six.connections
    else:
        assert {(line["outcome"], line["reason"]) for line in done.items} == {("refused", "private-address")}
        assert six.connections == 0


def test_heads_without_end_and_bytes_without_haste_are_given_up(horrors: str, tmp_path: Path) -> None:
    kinds = {
        "lines": ("failed", "headers-too-large"),
        "line": ("failed", "headers-too-large"),
        "early": ("failed", "headers-too-large"),
        "head": ("failed", "timeout"),
        "body": ("failed", "timeout"),
        "policy": ("stored", None),
        "redirect": ("failed", "bad-url"),
    }
    urls = [f"http://{kind}.example/?http://[::1" for kind in kinds]
    settings = ("-s", "DOWNLOAD_TIMEOUT=2", "-s", "RETRY_TIMES=0")
    done = fetch(tmp_path, *settings, urls=urls, proxy=horrors, direct="", code=0)
    ends = {line["image_urls"][0]: (line["outcome"], line["reason"]) for line in done.items}
    assert ends == dict(zip(urls, kinds.values(), strict=True))


@pytest.mark.slow
def test_a_body_that_comes_too_slowly_is_given_up(horrors: str, tmp_path: Path) -> None:
    done = fetch(tmp_path, urls=["http://body.example/"], proxy=horrors, direct="", code=7)
    assert Counter((line["outcome"], line["reason"]) for line in done.items) == {("failed", "too-slow"): 1}
