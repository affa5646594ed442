"""What the name of a past paper says: ``9609_w19_qp_11.pdf`` is a question paper of October/November 2019.

The grammar is that of the Cambridge board, ``<syllabus>_<session><yy>_<type>[_<component>].<ext>``; the session letter
is ``m`` February/March, ``s`` May/June, ``w`` October/November, ``y`` a specimen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

EXTENSIONS = (
    "pdf", "zip", "rar", "7z", "mp3", "mp4", "wav", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt", "rtf", "csv",
    "mdb", "accdb",
)  # fmt: skip
"""Extensions that make any link of a page a file: papers, recordings, and the source files of computing subjects.

No pictures: one that is listed or offered for download is taken all the same, and a bare link to one is a logo.
"""

_NAME = re.compile(
    r"(?P<code>[0-9]{4,5})_(?P<letter>[mswy])(?P<yy>[0-9]{2})_(?P<type>[a-z]{2,4}|in?2)"
    r"(?:_(?P<component>0?[1-9]|[1-9][0-9]))?\.[a-z0-9]+"
)
_EXTENSION = re.compile(r"\.([a-z0-9]{1,5})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperName:
    """What a file name says. All but the extension are ``None`` for a name that breaks the grammar."""

    code: str | None = None
    """Syllabus: four digits, rarely five."""
    letter: str | None = None
    """Session: ``m``, ``s``, ``w``, or ``y`` for a specimen."""
    year: int | None = None
    type: str | None = None
    """``qp``, ``ms``, ``er``, ``gt``, ..."""
    paper: int | None = None
    variant: int | None = None
    extension: str = ""
    """Without the dot; empty if there is none."""


def parse_file_name(name: str) -> PaperName:
    """What the name says, in lower case. Never raises.

    >>> parse_file_name("9702_s19_ms_22.PDF")
    PaperName(code='9702', letter='s', year=2019, type='ms', paper=2, variant=2, extension='pdf')
    >>> parse_file_name("Data_Booklet.pdf").type
    """
    name = name.lower()
    extension = extension_of(name)
    found = _NAME.fullmatch(name)
    if not found:
        return PaperName(extension=extension)
    year = int(found["yy"])
    paper, variant = _component(found["component"])
    return PaperName(
        code=found["code"],
        letter=found["letter"],
        year=year + (2000 if year < 90 else 1900),
        type=found["type"],
        paper=paper,
        variant=variant,
        extension=extension,
    )


def extension_of(name: str) -> str:
    """The extension of a file name or a path in lower case, without the dot; empty if there is none."""
    found = _EXTENSION.search(name.lower())
    return found[1] if found else ""


def _component(text: str | None) -> tuple[int | None, int | None]:
    """``12`` is paper 1, variant 2; ``1`` and ``02`` are papers without variants, and so is ``10``."""
    if text is None:
        return None, None
    if len(text) == 1 or text[0] == "0":
        return int(text), None
    return int(text[0]), int(text[1]) or None
