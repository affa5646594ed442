"""What pages, pictures and hosts say of being used: ``noai``, ``ai-train=no``, ``tdm-reservation: 1`` and the like.

What was found is a dictionary of signals and the words that say them, with where they stood: ``{"noai": "X-Robots-Tag:
noai, noimageai"}``. Such words come from strangers: they are printable, one line, of :data:`WORDS_MAX` characters.
Those of a page that shows a picture begin with ``page:``, as in ``{"noai": "page: meta robots: noai"}``: they are the
page's, and say nothing of the same picture elsewhere.

Where one place says more than another, the stricter counts, and so it does where one place says two things. What allows
something is no signal.

- ``X-Robots-Tag`` and ``meta name="robots"``: https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag;
  ``noai`` and ``noimageai`` are DeviantArt's (2022), ``noml`` is Mojeek's (2023)
- ``TDM-Reservation``: https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240202/
- ``Content-Signal``: https://contentsignals.org/, made for robots.txt; sites send it as a header and a ``meta`` too
- ``Content-Usage``: https://datatracker.ietf.org/doc/draft-ietf-aipref-attach/, a header and a rule of robots.txt
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from html import unescape
from typing import Any

from imagecrawl.output import printable

WORDS_MAX = 200
"""Characters that are kept of what was said."""

HEAD_MAX = 512 * 1024
"""Characters of a page that are looked at: what is meant for robots stands in its head."""


class Signal(StrEnum):
    """What can be said. The value is the name in feeds and the ledger."""

    NOAI = "noai"
    """Not to be in any data set that machines learn from."""
    NOIMAGEAI = "noimageai"
    """Its pictures are not to be in one."""
    NOML = "noml"
    """Not for machine learning."""
    NOINDEX = "noindex"
    """Not to be shown among the results of a search. Many pictures have it that nobody minds being kept."""
    NOIMAGEINDEX = "noimageindex"
    """Its pictures are not to be shown there."""
    TDM_RESERVATION = "tdm-reservation"
    """The rights to text and data mining are reserved (EU directive 2019/790, article 4(3))."""
    AI_TRAIN = "ai-train"
    """No training of models: ``ai-train=no`` or ``train-ai=n``."""
    AI_INPUT = "ai-input"
    """Not to be put into a model's question: ``ai-input=no``."""
    SEARCH = "search"
    """No index for searching: ``search=no`` or ``search=n``."""

    @property
    def setting(self) -> str:
        """The name of the setting that says what is done about it.

        >>> Signal.AI_TRAIN.setting
        'OPT_OUT_AI_TRAIN'
        """
        return f"OPT_OUT_{self.name}"


class Policy(StrEnum):
    """What is done about a signal: the values of ``OPT_OUT_...``."""

    OBEY = "obey"
    """What has it is not kept, and not asked for when it is known before."""
    RECORD = "record"
    """It is in the feed and the ledger."""
    IGNORE = "ignore"
    """Nothing."""


class OptOuts:
    """What is done about each signal, by the settings ``OPT_OUT_...``."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Raises ValueError for a setting that is none of :class:`Policy`."""
        self.policies = {signal: Policy(str(settings[signal.setting]).strip().lower()) for signal in Signal}

    def kept(self, found: Mapping[str, str]) -> dict[str, str]:
        """Of what was found, what is to be written down."""
        return self._with({Policy.OBEY, Policy.RECORD}, found)

    def forbids(self, found: Mapping[str, str]) -> dict[str, str]:
        """Of what was found, what is obeyed: a picture or file that has any of it is not kept."""
        return self._with({Policy.OBEY}, found)

    def _with(self, policies: set[Policy], found: Mapping[str, str]) -> dict[str, str]:
        return {name: found[name] for name, policy in self.policies.items() if name in found and policy in policies}


def merged(*found: Mapping[str, str] | None) -> dict[str, str]:
    """What was found in several places. Of two that say the same, the words of the first are kept."""
    together: dict[str, str] = {}
    for each in found:
        for name, words in (each or {}).items():
            together.setdefault(name, words)
    return together


_PAGE = "page: "
ROBOTS_TXT = "robots.txt: "
"""How the words of a robots.txt begin."""


def of_its_page(found: Mapping[str, str]) -> dict[str, str]:
    """What was found on the way to a page, as what it says of the pictures and files that it shows."""
    return {name: f"{_PAGE}{words}"[:WORDS_MAX] for name, words in found.items()}


def of_its_host(found: Mapping[str, str]) -> dict[str, str]:
    """Of what was found, what holds wherever the picture is shown: all but the words of a page."""
    return {name: words for name, words in found.items() if not words.startswith(_PAGE)}


def of_its_answer(found: Mapping[str, str]) -> dict[str, str]:
    """Of what was found, what came with the picture itself."""
    return {name: words for name, words in of_its_host(found).items() if not words.startswith(ROBOTS_TXT)}


def to_json(found: Mapping[str, str]) -> str | None:
    """As the ledger has it."""
    return json.dumps(dict(found)) if found else None


def from_json(text: str | None) -> dict[str, str]:
    """What :func:`to_json` wrote; nothing, for what it did not write."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return {name: words for name, words in found.items() if isinstance(words, str)} if isinstance(found, dict) else {}


# Headers

_DIRECTIVES: dict[str, tuple[Signal, ...]] = {
    "none": (Signal.NOINDEX,),  # noindex and nofollow
    **{signal.value: (signal,) for signal in Signal if signal.startswith("no")},
}
_WITH_VALUE = re.compile(
    r"(?<![^\s,;:])(?:unavailable_after|max-(?:snippet|image-preview|video-preview))\s*+:[ \t]*+[^\s,;]*+",
    re.IGNORECASE,
)
"""A name that is no agent, and its value: the first word of a date, the others of which are no directives."""
_WORD = re.compile(r"([^\s,;:]++)(\s*+:)?+")
_AGENT = re.compile(r"(\*|[a-z][a-z0-9_.-]*)(?:/\S*)?", re.IGNORECASE)

_USAGES = {
    "content-signal": ({"ai-train": Signal.AI_TRAIN, "ai-input": Signal.AI_INPUT, "search": Signal.SEARCH}, "no"),
    "content-usage": ({"train-ai": Signal.AI_TRAIN, "search": Signal.SEARCH}, "n"),
}
"""The names of each vocabulary, and its word for no."""
_MEMBER = re.compile(r"""([^\s,;="']++)(?:\s*+=\s*+["']?+([^\s,;="']*+))?+""")


def of_headers(headers: Iterable[tuple[str, str]], agent: str) -> dict[str, str]:
    """What the headers of an answer say, names in any case. ``agent`` is our product token: ``imagecrawl``."""
    return merged(*(dict(_of_header(name.lower(), value, agent)) for name, value in headers))


def _of_header(name: str, value: str, agent: str) -> Iterator[tuple[str, str]]:
    if name == "x-robots-tag":
        yield from _said(_robots_tag(value, agent), "X-Robots-Tag", value)
    elif name == "tdm-reservation" and "1" in map(str.strip, value.split(",")):
        yield from _said([Signal.TDM_RESERVATION], "TDM-Reservation", value)
    elif name in _USAGES:
        yield from _said(_usages(name, value), name.title(), value)


def _said(signals: Iterable[Signal], where: str, value: str) -> Iterator[tuple[str, str]]:
    words = printable(" ".join(f"{where}: {value[:WORDS_MAX]}".split()))[:WORDS_MAX]
    return ((signal.value, words) for signal in signals)


def _robots_tag(value: str, agent: str) -> Iterator[Signal]:
    """The signals of a list of directives. Those behind ``name:`` are for the agent of that name alone.

    There should be commas between them; semicolons and blanks are met as well.
    """
    for_us = True
    for word, colon in _WORD.findall(_WITH_VALUE.sub(" ", value)):
        found = _AGENT.fullmatch(word) if colon else None  # the hour of a date is none
        if found:
            for_us = found[1].lower() in {"*", agent.lower()}
        elif for_us:
            yield from _DIRECTIVES.get(word.lower(), ())


def _usages(vocabulary: str, value: str) -> Iterator[Signal]:
    """The signals of a dictionary such as ``search=yes, ai-train=no``.

    https://www.rfc-editor.org/rfc/rfc9651#section-3.2 wants commas, no quotes, and the last of two values to count.
    Here semicolons, blanks and quotes are read too, and of two values the one that says no counts.
    """
    names, no = _USAGES[vocabulary]
    members = _MEMBER.findall(value.lower())
    return (signal for name, signal in names.items() if (name, no) in members)


# Pages

# Possessive throughout: what was taken is never given back, so that nothing is tried twice.
_VALUE = r"""(?:"[^"]*+"?|'[^']*+'?|[^\s>]*+)"""
_ATTRIBUTE = rf"[^\s/>][^\s/>=]*+(?:\s*+=\s*+{_VALUE})?+"
_TAG_END = rf"(?:[\s/]++|{_ATTRIBUTE})*+>?"
_MARKUP = re.compile(
    rf"""
    <!--(?:-?>|.*?(?:--!?>|\Z))                        # a comment, as far as it goes
    | <(?:[!?]|/(?![a-z]))[^>]*+                        # a doctype and the like
    | <(?P<text>script|style|title|textarea|xmp|iframe|noembed|noframes)(?=[\s/>]){_TAG_END}
      .*?(?:</(?P=text)(?=[\s/>])|\Z)                  # an element in which there is no markup
    | <meta(?=[\s/])(?P<meta>{_TAG_END})
    | (?P<body><body(?=[\s/>]))
    | </?[a-z][^\s/>]*+{_TAG_END}
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE | re.ASCII,
)
"""One piece of markup, read as browsers do: https://html.spec.whatwg.org/multipage/parsing.html#tokenization

A piece that has no end goes to the end of the page.
"""
_PAIR = re.compile(rf"([^\s/>][^\s/>=]*+)(?:\s*+=\s*+({_VALUE}))?+", re.ASCII)


def of_page(text: str, agent: str) -> dict[str, str]:
    """What the ``meta`` elements in the head of a page of HTML say, to all robots or to ``agent``."""
    found: dict[str, str] = {}
    for piece in _MARKUP.finditer(text[:HEAD_MAX]):
        if piece["body"]:
            break
        if piece["meta"]:
            found = merged(found, dict(_of_meta(_attributes(piece["meta"]), agent)))
    return found


def _attributes(text: str) -> dict[str, str]:
    """Of a name that comes twice, the first value counts."""
    pairs = [(name.lower(), unescape(value.strip("\"'"))) for name, value in _PAIR.findall(text)]
    return dict(reversed(pairs))


def _of_meta(attributes: Mapping[str, str], agent: str) -> Iterator[tuple[str, str]]:
    name, content = attributes.get("name", "").strip().lower(), attributes.get("content", "")
    if name in {"robots", agent.lower()}:
        yield from _said(_robots_tag(content, agent), f"meta {name}", content)
    else:
        yield from ((signal, f"meta {words}"[:WORDS_MAX]) for signal, words in _of_header(name, content, agent))
