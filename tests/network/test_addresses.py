"""Which addresses are public, in every spelling that a resolver or a browser takes."""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagecrawl.network.addresses import CARRIERS, NO_HOST, NOT_PUBLIC, is_public, refusal

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.215.14", "100.63.255.255", "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700:4700::1111", "2a00:1450:4001::", "2001:4860:4860::8888", "2620:fe::fe", "3ffe::1",
    "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1",
]  # fmt: skip
PRIVATE = [
    "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.0", "169.254.169.254", "172.16.0.0", "172.31.255.255",
    "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fd00:ec2::254", "fc00::1", "fdff::1", "fe80::1", "fe80::1%eth0", "2606:4700::1111%eth0",
    "fec0::1", "ff02::1", "100::1",
    "2001:db8::1", "3fff::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:7f00:1", "::127.0.0.1", "::1.1.1.1", "::a9fe:a9fe",
    "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1.1.1.1", "2002:7f00:1::1",
    "2002:c0a8:808:808::1", "2002:a9fe:a9fe::",
    "4000::1", "1::1",
]  # fmt: skip


@pytest.mark.parametrize("text", PUBLIC)
def test_what_is_on_the_internet_is_public(text: str) -> None:
    assert is_public(ip_address(text))
    assert refusal(f"http://{f'[{text}]' if ':' in text else text}:8080/x") is None


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_is_not(text: str) -> None:
    assert not is_public(ip_address(text))
    assert refusal(f"https://{f'[{text}]' if ':' in text else text}/x")


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_what_python_knows_to_be_private_is(address: IPv4Address | IPv6Address) -> None:
    knows = address.is_private or address.is_link_local or address.is_multicast or address.is_reserved
    carries = any(address in network for network, _ in CARRIERS)  # of these Python's versions say different things
    assert carries or not (knows and is_public(address))


LOOPBACK = [
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0X7F000001", "017700000001", "0177.0.0.1",
    "0177.0.1",
    "0x7f.0.0.1", "0x7f.1", "0x7F.0x0.0x0.0x1", "00000177.0.0.01", "127.0.0.1.", "127.0.0.1..", "127.1.",
    "2130706433.",
    "0x00000000000000000000000007f.1", "%31%32%37.0.0.1", "%3127.%30.0.1", "127%2e0%2E0.1", "127.0.0.1%2e",
    "127.0.0.0x1",
    "１２７.０.０.１", "①②⑦.0.0.1", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1",
    "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1", "𝟏𝟐𝟕.0.0.1",
    "127.0.0\u00ad.1", "127\u200b.0.0.1", "127.\u20600.0.1", "0ｘ7ｆ.1",
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:7F00:1]", "[::127.0.0.1]",
    "me@127.0.0.1", "me:word@127.0.0.1", "a.example:80@127.0.0.1", "a.example%40x@127.0.0.1", "a@b@127.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
def test_this_machine_is_refused_in_every_spelling(host: str) -> None:
    for url in (
        f"http://{host}/",
        f"HTTPS://{host}:8080/x?y#z",
        f" http://{host}",
        f"ht\ttp://{host}?x",
        f"http://{host}#",
    ):
        why = refusal(url) or ""
        assert why.endswith("not on the public internet"), url


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "localhost.", "a.localhost", "printer.local", "x.y.LOCAL.",
        "wiki.internal", "router.home.arpa",
        "metadata.google.internal", "metadata", "instance-data", "instance-data.ec2.internal",
        "ip6-loopback", "router", "ai.", "-1",
        "ｌocalhost", "loc%61lhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "loc\u00adalhost", "a。localhost",
    ],
)  # fmt: skip
def test_names_of_local_networks_are_refused(host: str) -> None:
    why = refusal(f"http://{host}:8000/")
    assert why and why.endswith(": not on the public internet")


@pytest.mark.parametrize(
    "url",
    [
        "http://256.1.1.1/", "http://1.2.3.4.5/", "http://0x100000000/", "http://4294967296/",
        "http://1.2.3.256/", "http://08.1/",
        "http://1..2/", "http://.1/", "http://a.1/", "http://a.0x/", "http://+127.0.0.1/", "http://1.256.1/",
        "http://1.2.65536/", "http://1.16777216/", f"http://{'9' * 5000}/", f"http://0x{'f' * 5000}/",
        "http:///x", "http://", "http:", "http:127.0.0.1", "http:/127.0.0.1/", "http:\\\\127.0.0.1\\", "http://:80/",
        "http://me@/", "http://a.example\\@127.0.0.1/", "http://127.0.0.1\\@a.example/", "http://[::1", "http://::1/",
        "http://[]/", "http://[::1]x/", "http://[v1.x]/", "http://[127.0.0.1]/", "http://%5B::1%5D/",
        "http://127.0.0.1:80:90/",
        "http://a.example:x/", "http://a%00.example/", "http://%2531.0.0.1/", "http://a%2fb.example/",
        "http://a b.example/",
        "http://a<b.example/", "http://%ff.example/", "http://\u2488com.example\uff0f/", "http://\u200b/",
    ],
)  # fmt: skip
def test_what_programs_read_differently_is_no_host(url: str) -> None:
    assert refusal(url) == NO_HOST


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://EXAMPLE.com.:8443/x", "http://bücher.example/",
        "http://xn--bcher-kva.example/", "http://a_b.example/",
        "http://1.example/", "http://0x7f.example/", "http://127.0.0.1.example/",
        "http://localhost.example/", "http://mylocal.example/x",
        "http://not.alocal/", "http://home.arpa.example/", "http://a.example:/", "http://a.example?x@127.0.0.1",
        "http://a.example#@127.0.0.1", "http://a.example/@127.0.0.1", "https://١.example/", "data:,x",
        "file:///etc/passwd", "ftp://localhost/", "",
        "no address", "//localhost/", "mailto:me@localhost",
    ],
)  # fmt: skip
def test_against_others_nothing_speaks(url: str) -> None:
    assert refusal(url) is None


# Any spelling

FULL_WIDTH = {ord(char): ord(char) - 0x20 + 0xFF00 for char in "0123456789abcdefABCDEFxX"}


@st.composite
def spelled(draw: st.DrawFn, numbers: st.SearchStrategy[int]) -> tuple[IPv4Address, str]:
    """An address, and a spelling of it that browsers take."""
    address = IPv4Address(draw(numbers))
    count = draw(st.integers(1, 4))
    value = int(address)
    parts = [value >> 24 - 8 * place & 255 for place in range(count - 1)]
    parts.append(value & (1 << 32 - 8 * (count - 1)) - 1)
    ways = (str, "0{:o}".format, "0x{:x}".format, "0X{:X}".format, "000{:o}".format, "0x000{:x}".format)
    text = ".".join(draw(st.sampled_from(ways))(part) for part in parts) + draw(st.sampled_from(["", "."]))
    wide = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    text = "".join(char.translate(FULL_WIDTH) if is_wide else char for char, is_wide in zip(text, wide, strict=True))
    dot = draw(st.sampled_from([".", "\u3002", "\uff0e", "\uff61"]))
    text = text.replace(".", dot, draw(st.integers(0, 3)))
    quoted = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    written = "".join(
        (quote(char) if not char.isascii() else f"%{ord(char):02x}") if is_quoted else char
        for char, is_quoted in zip(text, quoted, strict=True)
    )
    return address, written


NOT_PUBLIC_NUMBERS = st.one_of(
    [st.integers(int(network[0]), int(network[-1])) for network in NOT_PUBLIC],
)
ANY_NUMBER = st.integers(0, 2**32 - 1)


@given(spelled(NOT_PUBLIC_NUMBERS))
def test_every_spelling_of_a_private_address_is_refused(case: tuple[IPv4Address, str]) -> None:
    address, host = case
    why = refusal(f"http://{host}/")
    assert why and str(address) in why


@given(spelled(ANY_NUMBER.filter(lambda number: is_public(IPv4Address(number)))))
def test_no_spelling_of_a_public_address_is(case: tuple[IPv4Address, str]) -> None:
    assert refusal(f"https://{case[1]}:8443/x") is None


@given(
    st.text()
    | st.text("0123456789abcdefx.:%[]@/\\ \t-~")
    | spelled(ANY_NUMBER | NOT_PUBLIC_NUMBERS).map(lambda case: case[1])
)
@example("\ud800")
@example("\x00")
@example("１" * 300)
def test_what_passes_and_is_a_number_to_the_resolver_is_public(text: str) -> None:
    for scheme in ("http", "https"):
        url = f"{scheme}://{text}"
        refused = refusal(url)
        assert refused is None or refused.isprintable()
        if refused is None and (host := _host(url)):
            assert all(map(is_public, _resolved(host))), url


@given(st.text())
def test_it_never_raises(text: str) -> None:
    assert refusal(text) is None or text.strip()


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _resolved(host: str) -> list[IPv4Address | IPv6Address]:
    """The addresses that the C library takes a host for, as it stands."""
    found: list[IPv4Address | IPv6Address] = []
    with suppress(OSError, ValueError):
        found.append(IPv4Address(socket.inet_aton(host)))
    with suppress(OSError, ValueError):
        answers = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        found += [ip_address(answer[4][0]) for answer in answers]
    return found
