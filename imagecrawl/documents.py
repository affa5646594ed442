"""The proof of a file that is not a picture: bytes in, facts out, or the reason why they are not the file asked for.

The site's own file name says what the bytes must be, and the bytes prove it; a header only speaks where they cannot.
PDF, MP3 and everything that is a zip are proven, by their structure alone: nothing is decompressed or rendered, nothing
copied but heads and tails. The call costs little beyond the hashing, which releases the GIL: run it in a thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

from imagecrawl.digests import digests
from imagecrawl.exceptions import MediaError
from imagecrawl.outcomes import Outcome, Reason

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "mp3": "audio/mpeg",
    "zip": "application/zip",
    "docx": f"{_OPEN_XML}wordprocessingml.document",
    "dotx": f"{_OPEN_XML}wordprocessingml.template",
    "xlsx": f"{_OPEN_XML}spreadsheetml.sheet",
    "xltx": f"{_OPEN_XML}spreadsheetml.template",
    "pptx": f"{_OPEN_XML}presentationml.presentation",
    "ppsx": f"{_OPEN_XML}presentationml.slideshow",
    "potx": f"{_OPEN_XML}presentationml.template",
    "docm": "application/vnd.ms-word.document.macroenabled.12",
    "dotm": "application/vnd.ms-word.template.macroenabled.12",
    "xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    "xltm": "application/vnd.ms-excel.template.macroenabled.12",
    "xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    "pptm": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
    "ppsm": "application/vnd.ms-powerpoint.slideshow.macroenabled.12",
    "potm": "application/vnd.ms-powerpoint.template.macroenabled.12",
    "odt": f"{_OPEN_DOCUMENT}text",
    "ods": f"{_OPEN_DOCUMENT}spreadsheet",
    "odp": f"{_OPEN_DOCUMENT}presentation",
    "odg": f"{_OPEN_DOCUMENT}graphics",
    "odb": f"{_OPEN_DOCUMENT}base",
}
"""The extensions whose files are proven, and the media type of each, as IANA registered it, in lower case.

All but ``pdf`` and ``mp3`` are zips.
"""

PAGES = {"htm": "text/html", "html": "text/html", "xhtml": "application/xhtml+xml"}
"""The extensions that may hold a web page, and the media type of each."""

TEXTS = {"txt", "csv", "md", "rtf", "xml", "json", "css", "js", "sql", "py", "vb", "pas"} | PAGES.keys()
"""The extensions that a host may send as text/html although they hold text of another kind."""

HEAD = 1024
"""Bytes in which a PDF or a zip must have begun; what stands before (white space, a stray line) is left in peace."""

MAX_TAGS = 16
"""ID3v2 tags that may stand before the sound; each but the first is an editor's mistake."""

MAX_BEFORE = 65_536
"""Bytes of other things that may stand before the sound: padding, a tag of another kind, the rest of a cut frame."""

_ZEROS = re.compile(rb"\0*+")

LINE_END = 2
"""Bytes after the end of a PDF that a host may have taken off."""

# What may follow the end of a PDF is the next object, or the begin of one where it is cut. A number or two alone may be
# what a host's script echoes after the file; exactly two at the very end are taken for a cut.
_MORE = re.compile(rb"\d+\s+\d+(?:\s+obj|\s+ob?\Z|\s*\Z)|xref")

_SPACE = b"\0\t\n\x0c\r "  # the white space of PDF (ISO 32000-1, 7.2.2)

# The tags by which the MIME Sniffing Standard (WHATWG, 7.1) knows a page, and a few of its kind; those that other XML
# may begin with (a, b, p, font, table) are left out. Possessive, or a page of many comments would take for ever.
_PAGE = re.compile(
    rb"(?:\s+|<!--.*?-->|<\?xml.*?\?>)*+"
    rb"<(?:!doctype\s+html|(?:html|head|body|script|title|meta|style|iframe|frameset|noscript|br|h1|div))(?![\w:.-])",
    re.IGNORECASE | re.DOTALL,
)
_PAGE_HEAD = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """What a proven file is. ``format`` is its media type in lower case, without parameters.

    Where the bytes prove nothing, ``format`` is what the host said, and ``None`` when it said nothing. ``md5`` is what
    Scrapy calls the checksum.
    """

    format: str | None
    bytes: int
    sha256: str
    md5: str


def prove(body: bytes, *, name: str, content_type: str | None, redirected: bool) -> Document:
    """The facts of the file in ``body``; raises :class:`MediaError` with the reason when it is not the file.

    ``name`` is the file's name as the site lists it, ``content_type`` the host's header, and ``redirected`` says
    whether another address than the one asked for has answered. The reasons are ``empty``, ``not-the-file``,
    ``truncated`` and ``broken``; the outcome is always ``failed``.
    """
    if not body:
        raise _failed(Reason.EMPTY)
    said = (content_type or "").partition(";")[0].strip().lower()
    media_type = _prove_format(body, _extension(name), said, redirected=redirected)
    sha256, md5 = digests(body)
    return Document(format=media_type, bytes=len(body), sha256=sha256, md5=md5)


def _failed(reason: Reason, detail: str = "") -> MediaError:
    return MediaError(Outcome.FAILED, reason, detail)


def _extension(name: str) -> str:
    """The extension in lower case, ``""`` when there is none.

    >>> _extension("9702_s19_ms_22.PDF"), _extension("K-9... and more"), _extension("booklet")
    ('pdf', '', '')
    """
    extension = name.strip().rpartition(".")[2].lower() if "." in name else ""
    return extension if extension.isalnum() else ""


def _prove_format(body: bytes, extension: str, said: str, *, redirected: bool) -> str | None:
    """The media type of the file; ``said`` is the host's word for it, ``""`` for none."""
    media_type = MEDIA_TYPES.get(extension) if extension else _sniff(body)
    if media_type is not None:
        try:
            _CHECKS.get(media_type, _check_zip)(body)
        except MediaError:
            if _is_page(body):
                raise _failed(Reason.NOT_THE_FILE, "a web page") from None
            raise
        return media_type  # though a script may have left a few words of HTML before it
    if _is_page(body):
        if redirected or extension not in PAGES:
            raise _failed(Reason.NOT_THE_FILE, "a web page")
        return PAGES[extension]
    if said in PAGES.values() and extension not in TEXTS and b"\0" not in body[:HEAD]:
        raise _failed(Reason.NOT_THE_FILE, f"the host calls it {said}")
    return said or None


def _is_page(body: bytes) -> bool:
    """Whether the first bytes are those of a web page, in UTF-8 or alike, or in UTF-16."""
    head = body[:_PAGE_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):
        head = head.replace(b"\0", b"")
    return _PAGE.match(head.lstrip(b"\xef\xbb\xbf\xfe\xff")) is not None


def _sniff(body: bytes) -> str | None:
    """The media type of a file without an extension, by its signature; ``None`` for a kind that is not proven here."""
    if body.find(b"%PDF-", 0, HEAD) >= 0:
        return MEDIA_TYPES["pdf"]
    if body.startswith((b"PK\3\4", b"PK\5\6")):
        return MEDIA_TYPES["zip"]
    return MEDIA_TYPES["mp3"] if body.startswith(b"ID3") else None


def _check_pdf(body: bytes) -> None:
    """Raises :class:`MediaError` unless the file begins and ends like a PDF (ISO 32000-1, 7.5.2 and 7.5.5).

    Header and ``%%EOF`` may lie within 1024 bytes of begin and end: Adobe's PDF Reference 1.7, appendix H, notes 13
    and 18. A PDF with updates that is cut right at the end of an earlier state is a whole PDF, and passes.
    """
    header = body.find(b"%PDF-", 0, HEAD)
    if header < 0:
        raise _failed(Reason.NOT_THE_FILE, f"no PDF, begins with {body[:16]!r}")
    end = _stripped_length(body)
    mark = body.rfind(b"%%EOF", max(header, end - HEAD), end)
    if mark < 0:
        raise _failed(Reason.TRUNCATED, "the PDF has no end")
    start = body.rfind(b"startxref", max(header, mark - HEAD), mark)
    if start < 0 or not re.match(rb"startxref[\0\s]*\d", body[start:mark]):
        raise _failed(Reason.TRUNCATED, "the PDF has no cross-references before its end")
    if mark + 5 + LINE_END < _linearized_length(body, header):
        raise _failed(Reason.TRUNCATED, "the PDF is shorter than it says")
    if _MORE.match(body[mark + 5 : end].lstrip(_SPACE)):
        raise _failed(Reason.TRUNCATED, "the PDF goes on after its first end")


def _stripped_length(body: bytes) -> int:
    """Length of ``body`` in bytes without the white space and NULs at its end, found without a copy of it all."""
    end = len(body)
    while end:
        start = max(0, end - 65_536)
        if tail := body[start:end].rstrip(_SPACE):
            return start + len(tail)
        end = start
    return 0


def _linearized_length(body: bytes, header: int) -> int:
    """The length in bytes that a linearised PDF says of itself, 0 for any other (ISO 32000-1, F.3.3, table F.1).

    Such a file has an ``%%EOF`` near its beginning as well. Updates make it longer than it says.
    """
    first = re.search(rb"obj\s*<<(.*?)>>", body[header : header + 2 * HEAD], re.DOTALL)
    if first is None or b"/Linearized" not in first[1]:
        return 0
    length = re.search(rb"/L\s+(\d{1,20})", first[1])
    return int(length[1]) if length else 0


# PKWARE's APPNOTE.TXT 6.3: sections 4.3.7, 4.3.12, 4.3.14, 4.3.16 and 4.5.3.
_ENTRY = Struct("<4s16xLLHHH8xL")  # sizes packed and unpacked, lengths of name, extra field and comment, offset
_END = Struct("<4s6xHLLH")  # entries, size and offset of the directory, length of the comment
_END_64 = Struct("<4s28xQQQ")  # entries, size and offset of the directory
_TWO = Struct("<HH")
_QUAD = Struct("<Q")
_WIDE = 0xFFFFFFFF  # the true value stands in the extra field


@dataclass(frozen=True, slots=True)
class _Directory:
    """The directory of a zip: offsets in the file, and how far the archive's own offsets are to be shifted."""

    start: int
    end: int
    entries: int
    shift: int


def _check_zip(body: bytes) -> None:
    """Raises :class:`MediaError` unless the zip has its directory, and room for all that the directory lists.

    The directory is walked in place, since ``zipfile`` would make objects of entries, as many as a stranger likes.
    """
    first = body.find(b"PK\3\4", 0, HEAD)
    if first < 0:
        first = body.find(b"PK\5\6", 0, HEAD)  # an empty archive
    if first < 0:
        raise _failed(Reason.NOT_THE_FILE, f"no zip, begins with {body[:16]!r}")
    directory = _directory(body)
    # A zip that is cut may end with the directory of another zip inside it, which does not begin where this one does.
    if directory.shift > 0 and directory.shift != first:
        raise _failed(Reason.TRUNCATED, "the directory is not that of the whole zip")
    if directory.shift < 0 or not _holds_its_entries(body, directory):
        raise _failed(Reason.BROKEN, "the zip does not hold what its directory says")


def _directory(body: bytes) -> _Directory:
    """The directory by its end record, which is within a comment's length (65,535 bytes) of the end of the file."""
    end = body.rfind(b"PK\5\6", max(0, len(body) - _END.size - 65_535))
    if end < 0 or end + _END.size > len(body):
        raise _failed(Reason.TRUNCATED, "the zip has no directory")
    _, entries, size, offset, comment = _END.unpack_from(body, end)
    if end + _END.size + comment > len(body):
        raise _failed(Reason.TRUNCATED, "the comment of the zip is cut")
    if end >= 76 and body.startswith(b"PK\6\7", end - 20):  # ZIP64: a second end record and its locator come before
        end -= 76
        signature, entries, size, offset = _END_64.unpack_from(body, end)
        if signature != b"PK\6\6":
            raise _failed(Reason.BROKEN, "the directory of the zip has no end")
    return _Directory(start=end - size, end=end, entries=entries, shift=end - size - offset)


def _holds_its_entries(body: bytes, directory: _Directory) -> bool:
    """Whether every entry's header and data lie before the directory, and the directory lists as many as it says."""
    at, seen = directory.start, 0
    while at + _ENTRY.size <= directory.end:
        signature, packed, unpacked, name, extra, comment, offset = _ENTRY.unpack_from(body, at)
        after_name = at + _ENTRY.size + name
        at = after_name + extra + comment
        if signature != b"PK\1\2" or at > directory.end:
            return False
        if _WIDE in {packed, offset}:
            packed, offset = _wide(body, after_name, after_name + extra, (unpacked, packed, offset))
        if not _is_held(body, offset + directory.shift, packed, directory.start):
            return False
        seen += 1
    return at == directory.end and (seen - directory.entries) % 65_536 == 0  # some writers count in 16 bits


def _wide(body: bytes, at: int, end: int, values: tuple[int, int, int]) -> tuple[int, int]:
    """Packed size and offset, out of the ZIP64 extra field for those of the ``values`` that did not fit."""
    while at + 4 <= end:
        kind, length = _TWO.unpack_from(body, at)
        at += 4
        if kind == 1:
            quads = iter([_QUAD.unpack_from(body, place)[0] for place in range(at, min(at + length, end) - 7, 8)])
            _, packed, offset = (next(quads, value) if value == _WIDE else value for value in values)
            return packed, offset
        at += length
    return values[1:]


def _is_held(body: bytes, at: int, packed: int, limit: int) -> bool:
    """Whether a local header begins at ``at``, and it and its ``packed`` bytes of data end before ``limit``."""
    if at + 30 > limit or not body.startswith(b"PK\3\4", at):
        return False
    name, extra = _TWO.unpack_from(body, at + 26)
    return bool(at + 30 + name + extra + packed <= limit)


# ISO/IEC 11172-3, 2.4.2.3 (MPEG 1) and ISO/IEC 13818-3, 2.4.2.3 (MPEG 2; 2.5 uses the same), in kbit/s, from index 1.
_LOW_RATES = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {
    (True, 1): tuple(range(32, 449, 32)),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): _LOW_RATES,
    (False, 3): _LOW_RATES,
}
_FREQUENCIES = (44_100, 48_000, 32_000)  # Hz for MPEG 1; a half for MPEG 2, a quarter for 2.5
_HALVINGS = {3: 0, 2: 1, 0: 2}  # by the two version bits; 1 is reserved


def _check_mp3(body: bytes) -> None:
    """Raises :class:`MediaError` unless tags lead to an MPEG audio frame, and that one to a second or to the end.

    Frames after the second are not looked at, so a cut in the middle of the sound is not found. Free format (a bitrate
    index of 0, whose frames do not say their length) is not supported.
    """
    tagged = _after_tags(body)
    at, first = tagged, None
    while (at := body.find(b"\xff", at, tagged + MAX_BEFORE + 1)) >= 0:
        if length := _frame_length(body, at):
            after = at + length
            is_last = after == len(body) or body.startswith(b"TAG", after)
            if _same_stream(body, at, after) or (is_last and first is None):
                return
            first = first or after
        at += 1
    if first is None and not tagged:
        raise _failed(Reason.NOT_THE_FILE, f"no MP3, begins with {body[:16]!r}")
    begin = first or _padding_end(body, tagged)
    cut = begin + 4 > len(body)
    raise _failed(Reason.TRUNCATED if cut else Reason.BROKEN, "no two MP3 frames that follow each other")


def _padding_end(body: bytes, at: int) -> int:
    """Where the zero bytes from ``at`` on end, found without a copy of what follows; the end of a file that is cut."""
    zeros = _ZEROS.match(body, at)
    assert zeros  # of none, too
    return zeros.end()


def _after_tags(body: bytes) -> int:
    """Where the ID3v2 tags at the beginning end, 0 when there is none (id3.org, ID3v2.4 main structure, 3.1).

    That may be past the end of a file that is cut.
    """
    at = 0
    for _ in range(MAX_TAGS + 1):
        if not body.startswith(b"ID3", at):
            return at
        header = body[at : at + 10]
        if len(header) < 10:
            raise _failed(Reason.TRUNCATED, "the ID3 tag is cut")
        if 0xFF in header[3:5] or max(header[6:]) > 0x7F:
            raise _failed(Reason.BROKEN, "the ID3 tag says no size")
        footer = 10 if header[3] >= 4 and header[5] & 0x10 else 0
        at += 10 + footer + (header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9])
    raise _failed(Reason.BROKEN, f"more than {MAX_TAGS} ID3 tags")


def _frame_length(body: bytes, at: int) -> int:
    """Length in bytes of the MPEG audio frame at ``at``, 0 when there is none (ISO/IEC 11172-3, 2.4.2.3 and 2.4.3.1).

    MPEG 2.5 is Fraunhofer's extension, which took a bit of the sync word as a bit of the version.
    """
    head = int.from_bytes(body[at : at + 4], "big")  # of less than four bytes, a number without the sync bits
    version, layer, rate, frequency = head >> 19 & 3, 4 - (head >> 17 & 3), head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or version == 1 or layer == 4 or rate in {0, 15} or frequency == 3:
        return 0
    bits, hertz = _RATES[version == 3, layer][rate - 1] * 1000, _FREQUENCIES[frequency] >> _HALVINGS[version]
    padding = head >> 9 & 1
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding


def _same_stream(body: bytes, first: int, second: int) -> bool:
    """Whether a frame begins at ``second`` with version, layer and sampling rate of the one at ``first``."""
    if not _frame_length(body, second):
        return False
    return not (body[first + 1] ^ body[second + 1]) & 0xFE and not (body[first + 2] ^ body[second + 2]) & 0x0C


_CHECKS: dict[str, Callable[[bytes], None]] = {MEDIA_TYPES["pdf"]: _check_pdf, MEDIA_TYPES["mp3"]: _check_mp3}
