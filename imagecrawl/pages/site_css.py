"""Pictures in style sheets and ``style`` attributes: backgrounds, never fonts, imports, cursors or masks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagecrawl.pages.srcset import Candidate

_TOKEN = re.compile(
    r"""
      (?P<boundary>[{};])(?:\s|/\*(?:.*?\*/|.*))*+(?:(?P<name>[\w-]++)(?:\s|/\*(?:.*?\*/|.*))*+:(?!:))?
    | /\*(?:.*?\*/|.*)
    | (?P<url>\burl\(\s*+)
      (?:"(?P<double>(?:[^"\\\n]|\\.)*+)"?|'(?P<single>(?:[^'\\\n]|\\.)*+)'?|(?P<bare>(?:[^)\\]|\\.)*+))\s*+\)?
    | "(?P<string>(?:[^"\\\n]|\\.)*+)"?
    | '(?P<quoted>(?:[^'\\\n]|\\.)*+)'?
    | (?<![\w-])(?P<function>[\w-]*+)\(
    | (?P<close>\))
    | (?<![\w.])(?P<density>\d{1,4}(?:\.\d{1,9})?(?:x|dppx|dpi)\b)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|\n|(.))", re.IGNORECASE | re.DOTALL)
_SHOWN = re.compile(r"background(?:-image)?|-webkit-background(?:-image)?|content|border-image(?:-source)?|--[\w-]+")
_SETS = {"image-set", "-webkit-image-set"}
_DPI = 96


def read_css(text: str) -> Iterator[list[Candidate]]:
    """The pictures that declarations show, in order; one ``image-set`` is one picture of several candidates.

    ``text`` is a style sheet, or the declarations of a ``style`` attribute.

    >>> [[one.address for one in picture] for picture in read_css("background: url('a.jpg'), url(b.png)")]
    [['a.jpg'], ['b.png']]
    """
    return _Reader().read(text)


class _Reader:
    """Where the reading stands: in which declaration, how many parentheses are open, in which ``image-set``."""

    def __init__(self) -> None:
        self._name = ""
        self._depth = 0
        self._types = 0
        """Where a ``type("image/avif")`` has begun: its string is no address."""
        self._set: list[Candidate] | None = None
        self._set_depth = 0

    def read(self, text: str) -> Iterator[list[Candidate]]:
        for token in _TOKEN.finditer(f";{text}"):
            if token["boundary"]:
                yield from self._end_set()
                self._name, self._depth, self._types = (token["name"] or "").lower(), 0, 0
            elif token["function"] is not None:
                self._open(token["function"].lower())
            elif token["close"]:
                yield from self._close()
            elif _SHOWN.fullmatch(self._name):
                yield from self._value(token)
        yield from self._end_set()

    def _open(self, function: str) -> None:
        self._depth += 1
        if function in _SETS and self._set is None:
            self._set, self._set_depth = [], self._depth
        elif function == "type" and not self._types:
            self._types = self._depth

    def _close(self) -> Iterator[list[Candidate]]:
        if self._depth <= self._set_depth:
            yield from self._end_set()
        if self._depth <= self._types:
            self._types = 0
        self._depth = max(self._depth - 1, 0)

    def _end_set(self) -> Iterator[list[Candidate]]:
        if self._set:
            yield sorted(self._set, key=lambda candidate: -candidate.density)
        self._set = None

    def _value(self, token: re.Match[str]) -> Iterator[list[Candidate]]:
        if token["url"]:
            address = _unescaped(token["double"] or token["single"] or (token["bare"] or "").strip())
            if self._set is None:
                yield [Candidate(address)]
            else:
                self._set.append(Candidate(address))
        elif self._set and token["density"]:
            self._set[-1] = Candidate(self._set[-1].address, density=_density(token["density"]))
        elif self._set is not None and not self._types and (token["string"] or token["quoted"]):
            self._set.append(Candidate(_unescaped(token["string"] or token["quoted"])))


def _density(text: str) -> float:
    number = float(text.lower().rstrip("xdpi"))
    return number / _DPI if text.lower().endswith("dpi") else number


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    if escape[1]:
        code = int(escape[1], 16)
        return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    return escape[2] or ""
