"""robots.txt as RFC 9309 says: https://www.rfc-editor.org/rfc/rfc9309

Beside the rules of that RFC, three lines are read that hosts write into their groups: ``Crawl-delay: 5`` (seconds), and
what may be done with what they show, ``Content-Signal: search=yes, ai-train=no`` (https://contentsignals.org) and
``Content-Usage: /pictures/ train-ai=n`` (https://datatracker.ietf.org/doc/draft-ietf-aipref-attach/).

Protego, which Scrapy uses, takes ``User-agent: image`` for ours, and keeps neither of the latter two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

from imagecrawl.optouts import ROBOTS_TXT, WORDS_MAX, merged, of_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BODY_MAX = 512 * 1024
"""Bytes that are read. RFC 9309, section 2.5, wants 500 KiB at least."""

_RULE_COST, _USE_COST = 100, 400
"""About as many bytes are kept of a line beside its path."""

_USER_AGENT, _ALLOW, _DISALLOW, _CRAWL_DELAY = b"user-agent", b"allow", b"disallow", b"crawl-delay"
_USES = {b"content-signal": "Content-Signal", b"content-usage": "Content-Usage"}

_MISSPELLED = {
    **dict.fromkeys((b"useragent", b"user agent"), _USER_AGENT),
    **dict.fromkeys((b"dissallow", b"dissalow", b"disalow", b"diasllow", b"disallaw"), _DISALLOW),
    b"crawl delay": _CRAWL_DELAY,
}
"""What site owners write and mean; as in Google's parser, which also takes a blank for the colon:
https://github.com/google/robotstxt
"""

_NAMES = (_USER_AGENT, _ALLOW, _DISALLOW, _CRAWL_DELAY, *_USES, *_MISSPELLED)
_LINE = re.compile(rb"[ \t]*(%b)(?:[ \t]*:|[ \t])([^#]*)" % b"|".join(_NAMES), re.IGNORECASE)
_END_OF_LINE = re.compile(rb"\r\n?|\n")
_NAME = re.compile(rb"\*|[\w-]*")
_SECONDS = re.compile(rb"\d{1,12}(?:\.\d{1,12})?")

_AUTHORITY = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_SAFE = "/:@!&'()+,;=[]"
_PLAIN = re.compile(rb"[\w.~/:@!&'()+,;=\[\]-]*")
_OCTETS = re.compile(rb"%[0-9A-Fa-f]{2}|[^%]+|%")


class Robots:
    """What a robots.txt says to the crawler of that product token (RFC 9309, section 2.2.1), such as ``imagecrawl``.

    Any bytes are a robots.txt: what is no line of one is passed over. ``crawl_delay`` is in seconds, ``None`` when
    nothing is said of it; ``size`` about how many bytes are kept.

    >>> robots = Robots(b"User-agent: *\\nDisallow: /private/\\nContent-Signal: ai-train=no", "imagecrawl")
    >>> robots.allows("https://a.example/private/1.jpg"), robots.allows("https://a.example/2.jpg")
    (False, True)
    >>> robots.usage("https://a.example/2.jpg")
    {'ai-train': 'robots.txt: Content-Signal: ai-train=no'}
    """

    __slots__ = ("_rules", "_uses", "crawl_delay", "size")

    def __init__(self, body: bytes, product_token: str) -> None:
        rules: set[tuple[str, bool]] = set()
        self._uses: dict[str, list[tuple[str, dict[str, str]]]] = {}
        self.crawl_delay: float | None = None
        for field, value in _group(_fields(body), product_token.lower().encode()):
            if field in _USES:
                self._add_use(_USES[field], value)
            elif field == _CRAWL_DELAY:
                if _SECONDS.fullmatch(value):
                    self.crawl_delay = max(self.crawl_delay or 0.0, float(value))
            elif value:  # "Disallow:" alone forbids nothing
                rules.add((_pattern(value), field == _ALLOW))
        # The longest that matches counts, and of equal ones the one that allows: section 2.2.2.
        self._rules = sorted(rules, key=lambda rule: (len(rule[0]), rule[1]), reverse=True)
        self.size = sum(len(pattern) + _RULE_COST for pattern, _ in rules)
        self.size += sum(len(pattern) + _USE_COST for uses in self._uses.values() for pattern, _ in uses)

    def allows(self, url: str) -> bool:
        """Whether this address may be asked for; ``url`` is absolute."""
        path = _path_of(url)
        found = (allowed for pattern, allowed in self._rules if _matches(pattern, path))
        return path == "/robots.txt" or next(found, True)

    def usage(self, url: str) -> dict[str, str]:
        """What is reserved at this address, in the words of :mod:`imagecrawl.optouts`."""
        path = _path_of(url)
        reserved: dict[str, str] = {}
        for uses in self._uses.values():
            matching = [(len(pattern), said) for pattern, said in uses if _matches(pattern, path)]
            longest = max((length for length, _ in matching), default=0)
            for length, said in matching:
                if length == longest:  # what one of them reserves is reserved
                    reserved = merged(reserved, said)
        return reserved

    def _add_use(self, field: str, value: bytes) -> None:
        path = b"/"  # Content-Signal mostly has none; Content-Usage always should
        if value.startswith(b"/"):
            path, *rest = value.split(maxsplit=1)
            value = b"".join(rest)
        said = of_headers([(field, value.decode("utf-8", "replace"))], agent="")
        reserved = {signal: f"{ROBOTS_TXT}{words}"[:WORDS_MAX] for signal, words in said.items()}
        self._uses.setdefault(field, []).append((_pattern(path), reserved))


def _fields(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The lines that mean something: the name in small letters, the value without what surrounds it."""
    if len(body) > BODY_MAX:
        # A line that is cut may say the opposite of the whole one.
        end = max(body.rfind(mark, 0, BODY_MAX) for mark in (b"\n", b"\r"))
        body = body[: end + 1]
    for line in _END_OF_LINE.split(body.removeprefix(b"\xef\xbb\xbf")):
        if found := _LINE.match(line):
            name = found[1].lower()
            yield _MISSPELLED.get(name, name), found[2].strip()


def _group(fields: Iterable[tuple[bytes, bytes]], name: bytes) -> list[tuple[bytes, bytes]]:
    """The rules of all groups with this name, else of those for everybody (section 2.2.1)."""
    groups: dict[bytes, list[tuple[bytes, bytes]]] = {}
    current: set[bytes] = set()
    in_heading = False
    for field, value in fields:
        if field == _USER_AGENT:
            if not in_heading:
                current.clear()
            found = _NAME.match(value)
            if found and (said := found[0].lower()) in {name, b"*"}:
                current.add(said)
                groups.setdefault(said, [])
        else:
            for said in current:
                groups[said].append((field, value))
        in_heading = field == _USER_AGENT
    return groups.get(name, groups.get(b"*", []))


def _path_of(url: str) -> str:
    """Path and query of an address, spelled so that they can be compared."""
    octets = url.encode("utf-8", "surrogatepass")
    found = _AUTHORITY.match(octets)
    path = octets[found.end() if found else 0 :].partition(b"#")[0]
    return _spelled(path if path.startswith(b"/") else b"/" + path)


def _pattern(value: bytes) -> str:
    """The path of a rule, where ``*`` stands for anything and a last ``$`` for the end."""
    text = re.sub(rb"\*+", b"*", value.removesuffix(b"$"))
    return _spelled(text, "*") + "$" * value.endswith(b"$")


def _spelled(text: bytes, wildcard: str = "") -> str:
    """Path and query in one of the spellings that percent-encoding allows (section 2.2.2).

    An encoded ``/`` is none in a path, and the same as a plain one in a query.
    """
    if _PLAIN.fullmatch(text):
        return text.decode()
    path, mark, query = text.partition(b"?")
    return _quoted(path, "/%", wildcard) + mark.decode() + _quoted(query, "%", wildcard)


def _quoted(text: bytes, kept: str, wildcard: str) -> str:
    """``text`` with no more percent-encoding than needed, but for the characters of ``kept`` and ``wildcard``."""
    stays = {b"%%%02X" % ord(character) for character in kept + wildcard}
    return "".join(
        octets.upper().decode()
        if octets.upper() in stays
        else quote_from_bytes(unquote_to_bytes(octets), _SAFE + wildcard)
        for octets in _OCTETS.findall(text)
    )


def _matches(pattern: str, path: str) -> bool:
    """Whether ``path`` begins as ``pattern`` says. It takes one walk along the path, whatever strangers wrote."""
    text = pattern.removesuffix("$")
    first, *parts = text.split("*")
    if not path.startswith(first):
        return False
    end, limit = len(first), len(path)
    if text != pattern:  # what follows the last wildcard stands at the end
        if not parts:
            return path == first
        limit -= len(parts[-1])
        if not path.endswith(parts.pop()):
            return False
    for part in parts:
        begin = path.find(part, end)
        if begin < 0:
            return False
        end = begin + len(part)
    return end <= limit
