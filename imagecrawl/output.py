"""What commands and extensions say, on a terminal or into a pipe."""

from __future__ import annotations

import sys
import unicodedata

from imagecrawl.storage import JOINERS

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: object) -> str:
    r"""``text`` without what a terminal would obey: control and format characters, and separators of lines.

    >>> printable("red\x1b[31m panda\n"), printable("cats \u202egpj.exe")
    ('red[31m panda', 'cats gpj.exe')
    """
    shown = str(text)
    if shown.isprintable():  # an address may be long
        return shown
    return "".join(c for c in shown if c in JOINERS or unicodedata.category(c) not in _UNPRINTABLE)


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
