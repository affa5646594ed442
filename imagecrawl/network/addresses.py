"""Which addresses lie on the public internet, by number and by what a URL says.

What may not be asked for: this machine, private networks, the metadata services of clouds, and whatever else is not
"Globally Reachable" in IANA's registries of special-purpose addresses:
https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import unquote, urlsplit

NOT_PUBLIC = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # "this network": Linux takes 0.0.0.0 for itself; RFC 791
            "10.0.0.0/8",  # private; RFC 1918
            "100.64.0.0/10",  # shared, RFC 6598; Alibaba's metadata: 100.100.100.200
            "127.0.0.0/8",  # loopback; RFC 1122
            "168.63.129.16/32",  # Azure's platform, public by its number; https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
            "169.254.0.0/16",  # link-local, RFC 3927; most clouds' metadata: 169.254.169.254
            "172.16.0.0/12",  # private; RFC 1918
            "192.0.0.0/24",  # protocol assignments, RFC 6890; Oracle's metadata: 192.0.0.192
            "192.0.2.0/24",  # documentation; RFC 5737
            "192.88.99.0/24",  # 6to4 relays, given up; RFC 7526
            "192.168.0.0/16",  # private; RFC 1918
            "198.18.0.0/15",  # benchmarking; RFC 2544
            "198.51.100.0/24",  # documentation; RFC 5737
            "203.0.113.0/24",  # documentation; RFC 5737
            "224.0.0.0/4",  # multicast; RFC 5771
            "240.0.0.0/4",  # reserved, RFC 1112, and broadcast
        ),
    )
)

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA has opened: https://www.iana.org/assignments/ipv6-address-space. Outside of it lie loopback,
unspecified, IPv4-compatible, unique local (with Amazon's metadata, fd00:ec2::254), link-local, multicast, and the
NAT64 prefix of one's own network (64:ff9b:1::/48, RFC 8215)."""

NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, RFC 2928: Teredo (2001::/32, RFC 4380), benchmarking, ORCHID
            "2001:db8::/32",  # documentation; RFC 3849
            "3fff::/20",  # documentation; RFC 9637
        ),
    )
)

CARRIERS = (
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped; RFC 4291
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64; RFC 6052
    (IPv6Network("2002::/16"), 80),  # 6to4; RFC 3056
)
"""IPv6 addresses that stand for an IPv4 address, and how many bits lie to the right of it."""

LOCAL_NAMES = (
    "localhost",  # RFC 6761
    "local",  # RFC 6762
    "internal",  # https://www.icann.org/en/board-activities-and-meetings/materials/approved-resolutions-special-meeting-of-the-icann-board-29-07-2024-en
    "home.arpa",  # RFC 8375
)
"""Domains that exist only in local networks. Metadata services have names in ``internal``. A name without any domain is
as local: ICANN lets no top-level domain have an address of its own,
https://www.icann.org/en/system/files/files/sac-053-en.pdf."""

NO_HOST = "its host cannot be read"
NOT_ON_THE_INTERNET = "not on the public internet"

_SPACE = "".join(map(chr, range(0x21)))
_BREAKS = re.compile(r"[\t\n\r]")
_AUTHORITY = re.compile(r"(?:[^\\]*@)?(\[[^\[\]]*\]|[^\\:\[\]@]+)(?::[0-9]*)?")
# https://url.spec.whatwg.org/#forbidden-domain-code-point, and what takes the place of bytes that are no UTF-8
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\ufffd#%/:<>?@\[\\\]^|]")
_NUMBER = re.compile(r"0x(?P<hex>[0-9a-f]*)|0(?P<octal>[0-7]+)|(?P<decimal>0|[1-9][0-9]*)")
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.DOTALL)
_BASES = {"hex": 16, "octal": 8, "decimal": 10}
_STOPS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))  # dots of IDNA; RFC 3490, 3.1
_IGNORED = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public internet; of IPv6 that carries IPv4, whether that is.

    >>> from ipaddress import ip_address
    >>> [is_public(ip_address(text)) for text in ("1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1")]
    [True, True, True]
    >>> [is_public(ip_address(text)) for text in ("10.0.0.1", "::1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe")]
    [False, False, False, False]
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC)
    if address.scope_id is not None:
        return False
    for network, bits in CARRIERS:
        if address in network:
            return is_public(IPv4Address(int(address) >> bits & 0xFFFFFFFF))
    return address in GLOBAL_UNICAST and not any(address in network for network in NOT_PUBLIC_6)


def refusal(url: str) -> str | None:
    """Why an http or https URL may not be asked for, going by what it says alone; ``None`` when nothing speaks against
    it. Where a name leads is for the resolver to say.

    The host is read as browsers do (https://url.spec.whatwg.org/#host-parsing), so ``0x7f.1`` and ``%31`` are what a
    browser or ``inet_aton`` takes them for. Refused as well, because programs read them differently: a host that is
    none, none at all, or ends in a number and is no IPv4 address. Of other schemes nothing is said.

    >>> refusal("http://2130706433/")
    '2130706433 is 127.0.0.1: not on the public internet'
    >>> refusal("http://wiki.internal/")
    'wiki.internal is the name of a private network: not on the public internet'
    >>> refusal("http://256.1.1.1/")
    'its host cannot be read'
    >>> refusal("http://example.com/"), refusal("http://1.1.1.1/"), refusal("mailto:me@localhost")
    (None, None, None)
    """
    text = _BREAKS.sub("", url.strip(_SPACE))
    if text.partition(":")[0].lower() not in {"http", "https"}:
        return None
    try:
        authority = _AUTHORITY.fullmatch(urlsplit(text).netloc)
    except ValueError:  # brackets, or characters that NFKC turns into a delimiter
        return NO_HOST
    if authority is None:
        return NO_HOST
    said = authority[1]
    return _of_literal(said) if said[0] == "[" else _of_name(said, _mapped(said))


def _of_literal(said: str) -> str | None:
    """The refusal of ``[IPv6]``. A zone makes sense on one machine only, and no browser takes one."""
    try:
        address = IPv6Address(said[1:-1])
    except ValueError:
        return NO_HOST
    return None if is_public(address) else _because(said, str(address))


def _of_name(said: str, host: str) -> str | None:
    """The refusal of a name or an IPv4 address, as it is written and as it is read."""
    if not host or _FORBIDDEN.search(host):
        return NO_HOST
    if _ENDS_IN_NUMBER.fullmatch(host):
        address = _ipv4(host)
        if address is None:
            return NO_HOST
        return None if is_public(address) else _because(said, str(address))
    if "." not in host:
        return _because(said, "a name without a domain")
    if any(f".{host}".endswith(f".{name}") for name in LOCAL_NAMES):
        return _because(said, "the name of a private network")
    return None


def _because(said: str, what: str) -> str:
    host = said.strip("[]")
    plain = ascii(host)[1:-1][:100]
    return f"{plain} is {NOT_ON_THE_INTERNET}" if what == host else f"{plain} is {what}: {NOT_ON_THE_INTERNET}"


def _mapped(host: str) -> str:
    """A host as browsers write it before they look it up: decoded, in compatible and small characters, without those
    that are not seen (https://www.unicode.org/reports/tr46/#Processing), without dots at the end."""
    text = unicodedata.normalize("NFKC", unquote(host).translate(_STOPS)).translate(_STOPS).lower()
    seen = (char for char in _IGNORED.sub("", text) if unicodedata.category(char) != "Cf")
    return unicodedata.normalize("NFKC", "".join(seen)).rstrip(".")


def _ipv4(host: str) -> IPv4Address | None:
    """The address of a host that ends in a number; ``None`` when it is none.

    See https://url.spec.whatwg.org/#concept-ipv4-parser.

    >>> _ipv4("0x7f.1"), _ipv4("1.2.3.256")
    (IPv4Address('127.0.0.1'), None)
    """
    *bytes_, last = (_number(part) for part in host.split(".", maxsplit=4))
    bits = 32 - 8 * len(bytes_)
    if last is None or bits <= 0 or last >> bits:
        return None
    value = last
    for place, byte in enumerate(bytes_):
        if byte is None or byte > 255:
            return None
        value |= byte << 24 - 8 * place
    return IPv4Address(value)


def _number(part: str) -> int | None:
    """A number as C writes it, ``0x`` being 0; ``None`` when it is none, or longer than any in an address."""
    number = _NUMBER.fullmatch(part)
    if number is None or number.lastgroup is None:
        return None
    digits = number[number.lastgroup].lstrip("0")
    return int(digits or "0", _BASES[number.lastgroup]) if len(digits) <= 11 else None
