"""``srcset`` and ``media``: which candidates there are, by the algorithm of the HTML standard, and which is larger."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BETWEEN = re.compile(r"[ \t\n\f\r,]*")
_URL = re.compile(r"[^ \t\n\f\r]+")
_DESCRIPTORS = re.compile(r"(?:[^,(]+|\([^)]*(?:\)|\Z))*")
_WIDTH = re.compile(r"(\d{1,6})w")
_HEIGHT = re.compile(r"\d{1,6}h")
_DENSITY = re.compile(r"(\d{1,4}(?:\.\d{1,9})?|\.\d{1,9})x")
_LIMIT = re.compile(r"(min|max)-(?:device-)?width\s*:\s*(\d{1,6})(?:\.\d+)?\s*(px|r?em)", re.IGNORECASE)
_RANGE = re.compile(r"width\s*([<>])=?\s*(\d{1,6})(?:\.\d+)?\s*(px|r?em)", re.IGNORECASE)
_MOST = 1_000
_FAR = 1_000_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several addresses of a picture, with what the page declares of its size."""

    address: str
    """As the page has it."""
    width: int = 0
    """In pixels; 0 when it is not declared."""
    density: float = 1.0

    @property
    def size(self) -> tuple[int, float]:
        """What tells which of several is larger."""
        return (self.width, self.density)


def parse_srcset(text: str, *, strict: bool = True) -> list[Candidate]:
    """The candidates of a ``srcset``, in its order; those with descriptors that mean nothing are left out.

    Commas belong to an address unless they end it. There is an end to them after a thousand. Unless ``strict``, a
    descriptor that means nothing says nothing, and its candidate stays.

    >>> [(one.address, one.width, one.density) for one in parse_srcset("a,b.jpg 2x, c.jpg, d.jpg 640w")]
    [('a,b.jpg', 0, 2.0), ('c.jpg', 0, 1.0), ('d.jpg', 640, 1.0)]
    """
    candidates: list[Candidate] = []
    place = _end(_BETWEEN, text, 0)
    while len(candidates) < _MOST and (found := _URL.match(text, place)):
        address, place, descriptors = found[0], found.end(), ""
        if address.endswith(","):
            address = address.rstrip(",")
        else:
            end = _end(_DESCRIPTORS, text, place)
            descriptors, place = text[place:end], end
        candidate = _candidate(address, descriptors.split(), strict=strict)
        if candidate:
            candidates.append(candidate)
        place = _end(_BETWEEN, text, place)
    return candidates


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def _candidate(address: str, descriptors: list[str], *, strict: bool) -> Candidate | None:
    width, density = 0, 1.0
    for descriptor in descriptors:
        if found := _WIDTH.fullmatch(descriptor):
            width = int(found[1])
        elif found := _DENSITY.fullmatch(descriptor):
            density = float(found[1])
        elif strict and not _HEIGHT.fullmatch(descriptor):
            return None
    return Candidate(address, width, density)


def reach_of(media: str | None) -> int:
    """How wide the screens are that a ``source`` is for, to compare those of one ``picture``.

    Positive from a least width on, 0 for all screens, negative up to a greatest width, and lowest for paper and for
    dark screens, which see another version.

    >>> [reach_of(media) for media in ("(min-width: 600px)", None, "(max-width: 600px)", "print")]
    [600, 0, -999400, -2000000]
    """
    if not media:
        return 0
    said = media[:1_000].lower()
    if "print" in said or "dark" in said:
        return -2 * _FAR
    limits = [(kind, number, unit) for kind, number, unit in _LIMIT.findall(said)]
    limits += [("min" if sign == ">" else "max", number, unit) for sign, number, unit in _RANGE.findall(said)]
    sizes = {kind: int(number) * (1 if unit == "px" else 16) for kind, number, unit in limits}
    return sizes.get("min") or (sizes["max"] - _FAR if "max" in sizes else 0)
