"""What commands and extensions say, on a terminal or into a pipe."""

from __future__ import annotations

import re
import sys
import unicodedata

from imagecrawl.storage import JOINERS

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LOGIN = re.compile(r'(?<=://)[^/?#\s"<>]+@')


def printable(text: object) -> str:
    r"""``text`` without what a terminal would obey: control and format characters, and separators of lines.

    >>> printable("red\x1b[31m panda\n"), printable("cats \u202egpj.exe")
    ('red[31m panda', 'cats gpj.exe')
    """
    shown = str(text)
    if shown.isprintable():  # an address may be long
        return shown
    return "".join(c for c in shown if not _is_obeyed(c))


def escaped(text: str) -> str:
    r"""``text`` with what :func:`printable` leaves out written as Python writes it; lines and tabs stay.

    >>> escaped("red\x1b[31m panda\r\n"), escaped("cats \u202egpj.exe")
    ('red\\x1b[31m panda\\r\n', 'cats \\u202egpj.exe')
    """
    if text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if _is_obeyed(c) and c not in "\n\t" else c for c in text)


def _is_obeyed(character: str) -> bool:
    return character not in JOINERS and unicodedata.category(character) in _UNPRINTABLE


def without_login(text: str, instead: str = "") -> str:
    """``text`` without the user names and passwords that stand in its addresses.

    >>> without_login("https://me:secret@a.example/@x"), without_login("at ftp://me@a.example", "***@")
    ('https://a.example/@x', 'at ftp://***@a.example')
    """
    return _LOGIN.sub(instead, text) if "@" in text else text


def say(text: str) -> None:
    """One line, or several, on standard output at once; what its encoding lacks is shown as ``?``."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()


def complain(text: object) -> None:
    """One line on standard error."""
    sys.stderr.write(f"{printable(text)}\n")


def counted(number: int, noun: str) -> str:
    """
    >>> counted(1, "file"), counted(2, "file"), counted(2, "address")
    ('1 file', '2 files', '2 addresses')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{'es' if noun.endswith('s') else 's'}"
