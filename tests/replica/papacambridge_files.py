"""Real files made by code, small and each different from every other, and what goes wrong with them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "zip": "application/zip",
    "mp3": "audio/mpeg",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

_FRAME_HEADER = b"\xff\xfb\x10\xc0"
"""MPEG-1 layer III, 32 kbit/s, 44.1 kHz, one channel."""
_FRAME_LENGTH = 144 * 32_000 // 44_100
_SIDE_INFO = bytes(17)
"""All zero: every frame is silence."""
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_CONTENT_TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_DOCX}"/></Types>'
)
_RELATIONSHIPS = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
    ' Target="word/document.xml"/></Relationships>'
)


def extension(name: str) -> str:
    """What the name ends in, in lower case."""
    return name.rpartition(".")[2].lower()


def whole_file(name: str, seed: str) -> bytes:
    """The file called ``name``; another ``seed`` (plain ASCII) gives other bytes."""
    return _MAKERS[extension(name)](seed)


def spoiled_file(trap: str, name: str, seed: str) -> bytes:
    """What comes instead of the file. KeyError for a trap that sends no file at all."""
    return _SPOILERS[trap](whole_file(name, seed))


def _pdf(seed: str) -> bytes:
    words = seed.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("ascii")
    drawing = b"BT /F1 12 Tf 72 720 Td (%b) Tj ET" % words
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 5 0 R >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
        b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>",
    ]
    pdf = b"%PDF-1.4\n"
    table = b"0000000000 65535 f \n"
    for number, content in enumerate(objects, start=1):
        table += b"%010d 00000 n \n" % len(pdf)
        pdf += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    size = len(objects) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(pdf))
    return pdf + b"xref\n0 %d\n" % size + table + end


def _archive(members: Mapping[str, str]) -> bytes:
    """A zip; its times are those of the format's first day."""
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in members.items():
            member = zipfile.ZipInfo(name)
            member.create_system = 3  # else it depends on the system this runs on
            archive.writestr(member, text)
    return written.getvalue()


def _zip(seed: str) -> bytes:
    return _archive({"readme.txt": f"Source files of {seed}\n", "data/names.csv": "id,name\n1,Ann\n2,Bo\n"})


def _docx(seed: str) -> bytes:
    text = seed.replace("&", "&amp;").replace("<", "&lt;")
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
        f"<w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
    )
    return _archive(
        {"[Content_Types].xml": _CONTENT_TYPES, "_rels/.rels": _RELATIONSHIPS, "word/document.xml": document}
    )


def _mp3(seed: str) -> bytes:
    """An ID3v2.3 tag with the seed as its title, and a quarter of a second of silence."""
    title = b"\x00" + seed.encode("ascii")
    title_frame = b"TIT2" + len(title).to_bytes(4, "big") + b"\x00\x00" + title
    size = len(title_frame)
    tag = b"ID3\x03\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + title_frame
    return tag + (_FRAME_HEADER + _SIDE_INFO).ljust(_FRAME_LENGTH, b"\x00") * 10


def _web_page(whole: bytes) -> bytes:
    return b"<!DOCTYPE html><html><head><title>Past papers</title></head><body>Please try again.</body></html>"


def _before_trailer(pdf: bytes) -> bytes:
    return pdf[: pdf.rindex(b"trailer")]


def _first_half(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _nothing(whole: bytes) -> bytes:
    return b""


def _damaged(archive: bytes) -> bytes:
    """The directory at the end does not begin as one does."""
    return archive.replace(b"PK\x01\x02", b"PK\x01\xff", 1)


_MAKERS: dict[str, Callable[[str], bytes]] = {"pdf": _pdf, "zip": _zip, "mp3": _mp3, "docx": _docx}
_SPOILERS: dict[str, Callable[[bytes], bytes]] = {
    "html": _web_page,
    "cut-pdf": _before_trailer,
    "cut-zip": _first_half,
    "broken-zip": _damaged,
    "empty": _nothing,
}
