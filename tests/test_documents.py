"""The proof of a file that is not a picture, on small real files that are made here and then spoiled."""

import hashlib
import random
import struct
import zipfile
from contextlib import suppress
from io import BytesIO
from time import perf_counter, process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagecrawl import documents
from imagecrawl.documents import MEDIA_TYPES, Document, prove
from imagecrawl.exceptions import MediaError
from imagecrawl.outcomes import Outcome

PAGE = b"<!DOCTYPE html>\n<html><head><title>PapaCambridge</title></head><body>Home</body></html>\n"


def pdf(pages: int = 2, header: bytes = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n") -> bytes:
    """A PDF of empty pages, with its cross-reference table."""
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(pages))
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages)]
    objects += [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"] * pages
    body, offsets = header, []
    for number, value in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    return body + xref(len(body), offsets)


def xref(at: int, offsets: list[int], pointer: int | None = None) -> bytes:
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(offsets) + 1)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
    return head + rows + trailer + b"startxref\n%d\n%%%%EOF\n" % (at if pointer is None else pointer)


def linearized(first_pointer: int = 0) -> bytes:
    """As much of a linearised PDF as matters: its dictionary with the true length, and an end near its beginning."""
    head = b"%PDF-1.5\n9 0 obj\n<< /Linearized 1 /L 0000000000 /H [ 500 20 ] /O 11 /E 900 /N 1 /T 999 >>\nendobj\n"
    body = head + xref(len(head), [15, 20], first_pointer) + pdf(8)
    return body.replace(b"/L 0000000000", b"/L %010d" % len(body))


def updated(body: bytes) -> bytes:
    at = len(body)
    body += b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>\nendobj\n"
    return body + xref(len(body), [at])


def archive(files: dict[str, bytes], *, comment: bytes = b"", packed: bool = True, wide: bool = False) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as made:
        made.comment = comment
        for name, body in files.items():
            with made.open(name, "w", force_zip64=wide) as entry:
                entry.write(body)
    return out.getvalue()


def streamed(files: dict[str, bytes]) -> bytes:
    """A zip written to a pipe: sizes only after the data and in the directory."""

    class Pipe(BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in files.items():
            made.writestr(name, body)
    return out.getvalue()


def with_zip64_end(body: bytes, *, extra: bool = True) -> bytes:
    """The same zip of one entry with ZIP64 records, as a writer makes them that does not know the sizes before."""
    end = len(body) - 22
    entries, size, offset = struct.unpack_from("<HLL", body, end + 10)
    entry = bytearray(body[offset:end])
    packed, unpacked, name_length = struct.unpack_from("<LLH", entry, 20)
    if extra:
        entry[20:28] = b"\xff" * 8
        entry[42:46] = b"\xff" * 4
        field = struct.pack("<HHH", 0x5455, 2, 7) + struct.pack("<HHQQQ", 1, 24, unpacked, packed, 0)
        entry[30:32] = struct.pack("<H", len(field))
        entry[46 + name_length : 46 + name_length] = field
        size = len(entry)
    end = offset + size
    record = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, size, offset)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    last = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return body[:offset] + bytes(entry) + record + locator + last


def frame(version: int = 3, layer: int = 3, rate: int = 9, frequency: int = 0, *, padding: int = 0) -> bytes:
    """A silent MPEG audio frame; its length is given by the table of known lengths below, or by ``prove`` itself."""
    head = 0x7FF << 21 | version << 19 | (4 - layer) << 17 | 1 << 16 | rate << 12 | frequency << 10 | padding << 9
    raw = head.to_bytes(4, "big")
    return raw.ljust(documents._frame_length(raw, 0), b"\x55")


def tag(content: int = 300, *, version: int = 4, footer: bool = False) -> bytes:
    size = bytes([content >> 21 & 127, content >> 14 & 127, content >> 7 & 127, content & 127])
    head = bytes([version, 0, 0x10 if footer else 0]) + size
    return b"ID3" + head + b"\1" * content + (b"3DI" + head if footer else b"")


NOTES = {"folder/notes.txt": b"read me " * 20, "data.csv": b"1,2,3\n" * 30}
SAMPLES = {
    "plain.pdf": pdf(),
    "junk before.pdf": b"\r\n\r\n" + pdf(),
    "spaces after.pdf": pdf() + b"\r\n \0\0\0" * 30,
    "long zeros after.pdf": pdf() + b"\0" * 200_000,
    "comment after.pdf": pdf() + b"<!-- served in 0.1 s -->",
    "echoed length after.pdf": pdf() + b"871",
    "linearised.pdf": linearized(),
    "linearised and updated.pdf": updated(linearized()),
    "updated.pdf": updated(pdf()),
    "packed.zip": archive(NOTES),
    "stored.zip": archive(NOTES, packed=False),
    "comment.zip": archive(NOTES, comment=b"made by a school"),
    "empty.zip": archive({}),
    "streamed.zip": streamed(NOTES),
    "zip64 entries.zip": archive(NOTES, wide=True),
    "zip64 end.zip": with_zip64_end(archive({"a.txt": b"a" * 50})),
    "zip64 end alone.zip": with_zip64_end(archive({"a.txt": b"a" * 50}), extra=False),
    "space before.zip": b"\r\n" + archive(NOTES),
    "zip in zip.zip": archive({"inner.zip": archive(NOTES), "empty.zip": archive({}), "z": b"z" * 90}, packed=False),
    "paper.docx": archive({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}),
    "macros.DOCM": archive({"[Content_Types].xml": b"<Types/>"}),
    "sheet.ods": archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, packed=False),
    "bare.mp3": frame() + frame(padding=1) + frame(),
    "tagged.mp3": tag() + frame() * 2,
    "old tag.mp3": tag(version=3) + frame() * 2,
    "footer.mp3": tag(footer=True) + frame() * 2,
    "two tags.mp3": tag() + tag(10) + frame() * 2,
    "many tags.mp3": tag(3) * documents.MAX_TAGS + frame() * 2,
    "padded.mp3": tag() + b"\0" * documents.MAX_BEFORE + frame() * 2,
    "one frame.mp3": frame(),
    "one frame and id3v1.mp3": frame() + b"TAG".ljust(128, b"\0"),
    "mpeg 2.mp3": frame(2, 3) * 2,
    "mpeg 2.5.mp3": frame(0, 3, 8) * 2,
    "layer 2.mp3": frame(3, 2) * 2,
    "layer 1.mp3": frame(3, 1, padding=1) * 2,
}
UNPROVEN = ["paper.doc", "notes.txt", "picture.jpg", "sound.wav", "base.mdb", "set.accdb", "booklet", "K-9... and more"]


def verdict(body: bytes, name: str, content_type: str | None = None, *, redirected: bool = False) -> str:
    """The reason of the failure."""
    with pytest.raises(MediaError) as caught:
        prove(body, name=name, content_type=content_type, redirected=redirected)
    assert caught.value.outcome is Outcome.FAILED
    assert not caught.value.passing
    return caught.value.reason


def proven(body: bytes, name: str, content_type: str | None = None, *, redirected: bool = False) -> str | None:
    return prove(body, name=name, content_type=content_type, redirected=redirected).format


@pytest.mark.parametrize("redirected", [False, True])
@pytest.mark.parametrize("said", [None, "application/octet-stream", "text/html; charset=UTF-8"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sound_file_is_proven_whatever_the_host_says(name: str, said: str | None, redirected: bool) -> None:
    body = SAMPLES[name]
    assert prove(body, name=name, content_type=said, redirected=redirected) == Document(
        format=MEDIA_TYPES[name.rpartition(".")[2].lower()],
        bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        md5=hashlib.md5(body).hexdigest(),
    )


@pytest.mark.parametrize("extension", sorted(MEDIA_TYPES.keys() - {"pdf", "mp3"}))
def test_every_zip_format_is_proven_as_a_zip(extension: str) -> None:
    assert proven(SAMPLES["packed.zip"], f"a.{extension}") == MEDIA_TYPES[extension]
    assert verdict(SAMPLES["plain.pdf"], f"a.{extension}") == "not-the-file"


def test_python_reads_the_zips_that_are_made_here() -> None:
    for name, body in SAMPLES.items():
        if name.endswith(".zip"):
            with zipfile.ZipFile(BytesIO(body)) as opened:
                assert opened.testzip() is None


@pytest.mark.parametrize(("version", "layer", "rate", "frequency", "length"), [
    (3, 3, 9, 0, 417), (3, 3, 14, 1, 960), (2, 3, 8, 0, 208), (0, 3, 8, 2, 576), (3, 2, 10, 0, 626), (3, 1, 12, 0, 416),
    (2, 1, 8, 1, 256), (2, 2, 14, 0, 1044),
])  # fmt: skip
def test_frame_lengths_are_those_of_the_standard(
    version: int, layer: int, rate: int, frequency: int, length: int
) -> None:
    assert len(frame(version, layer, rate, frequency)) == length


def whole_lengths(name: str) -> set[int]:
    """The lengths at which a cut sample is whole all the same: only a line end is lost, or what is no part of it."""
    end = len(SAMPLES[name])
    match name:
        case "plain.pdf" | "junk before.pdf" | "linearised.pdf":
            return {end - 1}
        case "spaces after.pdf" | "comment after.pdf" | "echoed length after.pdf":
            return set(range(len(pdf()) - 1, end))
        case "updated.pdf":  # the earlier state is a whole file, and one number after it means nothing yet
            return {len(pdf()) - 1, len(pdf()), len(pdf()) + 1, len(pdf()) + 2, end - 1}
        case "linearised and updated.pdf":
            return {*range(len(linearized()) - 1, len(linearized()) + 3), end - 1}
        case _:
            return set()


@pytest.mark.parametrize("name", [name for name in SAMPLES if not name.endswith(".mp3") and "long" not in name])
def test_a_file_cut_at_any_byte_is_never_proven(name: str) -> None:
    body, whole = SAMPLES[name], whole_lengths(name)
    for length in range(1, len(body)):
        if length in whole:
            assert proven(body[:length], name), length
        else:
            assert verdict(body[:length], name) in {"truncated", "not-the-file"}, length


NOTICE = b"<br />\n<b>Notice</b>: ob_end_clean() in <b>get.php</b> on line <b>12</b><br />\n"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.pdf", NOTICE + pdf()),
        ("a.pdf", pdf() + b"2019 10 23 10:00:00"),
        ("a.pdf", pdf().replace(b"startxref\n", b"startxref\n9")),
        ("a.zip", NOTICE + archive({"a.txt": b"a"})),
        ("a.mp3", tag(20) + b"four" + frame() * 2),
        ("a.mp3", b"APETAGEX" + bytes(24) + frame() * 2),
        ("a.mp3", frame()[100:] + frame() * 2),
    ],
)
def test_what_sloppy_hosts_and_programs_leave_is_left_in_peace(name: str, body: bytes) -> None:
    assert proven(body, name, "text/html")


@pytest.mark.parametrize(("name", "body"), [("a.doc", b"\xd0\xcf\x11\xe0" + bytes(600)), ("a.rar", b"Rar!\x1a\7\0")])
def test_bytes_that_are_no_text_speak_louder_than_the_header(name: str, body: bytes) -> None:
    assert proven(body, name, "text/html")


def test_an_update_that_is_cut_is_found() -> None:
    body = SAMPLES["updated.pdf"]
    for length in range(len(pdf()) + 3, len(body) - 1):
        assert verdict(body[:length], "updated.pdf") == "truncated", length


@pytest.mark.parametrize("pointer", [0, 200])
def test_a_linearised_file_cut_after_its_first_end_is_found(pointer: int) -> None:
    body = linearized(pointer)
    first = body.index(b"%%EOF") + 6
    assert proven(body, "a.pdf")
    for length in (first - 1, first, first + 1, first + 500, len(body) - 7, len(body) - 2):
        assert verdict(body[:length], "a.pdf") == "truncated", length


def test_an_mp3_cut_within_tag_or_first_frame_is_never_proven() -> None:
    for name, body in SAMPLES.items():
        if name.endswith(".mp3"):
            start = body.index(frame()[:2]) if frame()[:2] in body else 0
            length = documents._frame_length(body, start)
            assert length
            for cut in range(1, start + length, 1 if start < 5000 else 97):
                assert verdict(body[:cut], name) in {"truncated", "not-the-file"}, (name, cut)


def test_an_mp3_cut_in_its_second_header_is_found() -> None:
    assert [verdict(frame() + frame()[:count], "a.mp3") for count in (1, 2, 3)] == ["truncated"] * 3


def zip_with(body: bytes, at: int, new: bytes) -> bytes:
    """The zip with some of its bytes replaced; ``at`` counts from the beginning of its directory."""
    at += body.index(b"PK\1\2")
    return body[:at] + new + body[at + len(new) :]


ONE = archive({"a.txt": b"a" * 50}, packed=False)
ONE_NOTED = archive({"a.txt": b"a"}, comment=b"PK\3\4")
ONE_WIDE = SAMPLES["zip64 end.zip"]
PREFIX = b"MZ" * 600


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        # nothing, or another kind
        ("a.pdf", b"", "empty"),
        ("a.txt", b"", "empty"),
        ("a.pdf", b"Not found", "not-the-file"),
        ("a.pdf", SAMPLES["packed.zip"], "not-the-file"),
        ("a.pdf", b" " * 1020 + pdf(), "not-the-file"),
        ("a.zip", pdf(), "not-the-file"),
        ("a.zip", b"Rar!\x1a\x07\0" + bytes(80), "not-the-file"),
        ("a.zip", PREFIX + archive(NOTES), "not-the-file"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "not-the-file"),
        ("a.mp3", pdf(), "not-the-file"),
        ("a.mp3", bytes(100), "not-the-file"),
        ("a.mp3", b"RIFF\0\0\0\0WAVEfmt ", "not-the-file"),
        ("a.mp3", frame(rate=9)[:2] + b"\0\0" + bytes(900), "not-the-file"),  # free format
        ("a.mp3", frame()[:2] + b"\xf0\0" + bytes(900), "not-the-file"),  # bad bitrate
        ("a.mp3", frame()[:2] + b"\x9c\0" + bytes(900), "not-the-file"),  # reserved sampling rate
        ("a.mp3", b"\xff\xeb\x90\0" + bytes(900), "not-the-file"),  # reserved version
        ("a.mp3", b"\xff\xf1\x90\0" + bytes(900), "not-the-file"),  # reserved layer: AAC
        # cut
        ("a.pdf", b"%PDF-1.4\n", "truncated"),
        ("a.pdf", b"%PDF-1.4\n%%EOF", "truncated"),
        ("a.pdf", b"%PDF-1.4\nstartxref\n%%EOF", "truncated"),
        ("a.pdf", pdf() + b"x" * 1020, "truncated"),
        ("a.pdf", b"\0" * 9 + b"%PDF-" + bytes(70_000), "truncated"),
        ("a.zip", b"PK\3\4" + bytes(100), "truncated"),
        ("a.zip", archive({})[:15], "truncated"),
        ("a.zip", SAMPLES["comment.zip"][:-1], "truncated"),
        ("a.zip", SAMPLES["comment.zip"][:-17], "truncated"),
        ("a.zip", ONE[:60] + archive({}), "truncated"),
        ("a.zip", b"PK\3\4" + bytes(80) + ONE, "truncated"),
        ("a.mp3", b"ID3\4", "truncated"),
        ("a.mp3", tag(300)[:200], "truncated"),
        ("a.mp3", tag(300), "truncated"),
        ("a.mp3", tag(300) + bytes(50), "truncated"),
        ("a.mp3", tag(300) + b"\xff\xfb", "truncated"),
        ("a.mp3", frame()[:-1], "truncated"),
        # broken
        ("a.zip", ONE[:20] + ONE[40:], "broken"),
        ("a.zip", zip_with(ONE, 0, b"PK\1\1"), "broken"),
        ("a.zip", zip_with(ONE, 20, struct.pack("<L", 51)), "broken"),
        ("a.zip", zip_with(ONE, 28, struct.pack("<H", 4)), "broken"),
        ("a.zip", zip_with(ONE, 28, struct.pack("<H", 6)), "broken"),
        ("a.zip", zip_with(ONE, 30, struct.pack("<H", 65535)), "broken"),
        ("a.zip", zip_with(ONE, 42, struct.pack("<L", 1)), "broken"),
        ("a.zip", zip_with(ONE, 42, struct.pack("<L", 2**32 - 2)), "broken"),
        ("a.zip", zip_with(ONE, 42, struct.pack("<L", 2**32 - 1)), "broken"),
        ("a.zip", zip_with(ONE_NOTED, 42, struct.pack("<L", len(ONE_NOTED) - 4)), "broken"),
        ("a.zip", ONE[:-14] + b"\2\0\2\0" + ONE[-10:], "broken"),
        ("a.zip", ONE[:-10] + struct.pack("<L", 2**31) + ONE[-6:], "broken"),
        ("a.zip", ONE[:-6] + struct.pack("<L", 2**31) + ONE[-2:], "broken"),
        ("a.zip", ONE_WIDE.replace(b"PK\6\6", b"PK\6\5"), "broken"),
        ("a.zip", ONE_WIDE.replace(struct.pack("<HHQ", 1, 24, 50), struct.pack("<HHQ", 1, 8, 50)), "broken"),
        ("a.mp3", b"ID3\4\0\0\0\0\x80\0" + frame() * 2, "broken"),
        ("a.mp3", b"ID3\xff\0\0\0\0\0\0" + frame() * 2, "broken"),
        ("a.mp3", tag(3) * (documents.MAX_TAGS + 1) + frame() * 2, "broken"),
        ("a.mp3", tag() + b"no sound at all", "broken"),
        ("a.mp3", tag() + bytes(documents.MAX_BEFORE + 1) + frame() * 2, "broken"),
        ("a.mp3", frame() + b"something else", "broken"),
        ("a.mp3", frame() + frame(frequency=1), "broken"),
        ("a.mp3", frame() + frame(layer=2), "broken"),
    ],
)
def test_what_is_not_the_file_has_its_reason(name: str, body: bytes, reason: str) -> None:
    assert verdict(body, name) == reason


PAGES = [
    PAGE,
    b"<html>",
    b"<HTML lang=en>",
    b"\xef\xbb\xbf\r\n <!doctype HTML>",
    b"<!-- a -->\n<!-- b --> <head>",
    b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC 'x'>",
    b"<script>location='/home'</script>",
    b"<br />\n<b>Warning</b>: readfile()",
    b"<title>Moved",
    b"<!--" + b"-" * 5000 + b"--><body>",
    PAGE.decode().encode("utf-16"),
    PAGE.decode().encode("utf-16-le"),
    PAGE.decode().encode("utf-16-be"),
]


@pytest.mark.parametrize("name", ["a.pdf", "a.zip", "a.docx", "a.mp3", "a.PDF", *UNPROVEN])
@pytest.mark.parametrize("page", PAGES, ids=range(len(PAGES)))
def test_a_page_is_never_the_file(page: bytes, name: str) -> None:
    for said in (None, "application/pdf", "text/html"):
        assert verdict(page, name, said) == "not-the-file"


@pytest.mark.parametrize(
    "text", [b"<htmlarea>", b"<body-part>", b"<html:p>", b"html", b"<!-- <html>", b"5 < 6 <html>", b"<p>", b"<w:body>"]
)
def test_what_only_looks_like_a_page_is_none(text: bytes) -> None:
    assert proven(text, "a.txt", "text/plain") == "text/plain"


@pytest.mark.parametrize("name", ["a.htm", "a.HTML", "a.xhtml"])
def test_a_page_is_the_file_where_a_page_is_listed_and_not_led_to(name: str) -> None:
    expected = "application/xhtml+xml" if name == "a.xhtml" else "text/html"
    assert proven(PAGE, name) == expected
    assert verdict(PAGE, name, redirected=True) == "not-the-file"
    assert proven(b"a piece of a page", name, "text/html") == "text/html"


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        ("a.doc", "Application/MSWord; charset=x", "application/msword"),
        ("a.doc", None, None),
        ("a.doc", " ; ", None),
        ("a.txt", "text/html", "text/html"),
        ("a", "audio/x", "audio/x"),
        ("a.2 b", None, None),
        ("a.", None, None),
        ("", None, None),
    ],
)
def test_what_cannot_be_proven_is_what_the_host_says(name: str, said: str | None, expected: str | None) -> None:
    assert proven(b"\1\2\3", name, said) == expected


@pytest.mark.parametrize("name", ["a.doc", "a.mdb", "a.jpg", "a", "a.pdf"])
@pytest.mark.parametrize("said", ["text/html", "TEXT/HTML;charset=utf-8", "application/xhtml+xml"])
def test_a_page_by_its_header_alone_is_not_the_file(name: str, said: str) -> None:
    assert verdict(b"File not found", name, said) == "not-the-file"


@pytest.mark.parametrize("sample", ["plain.pdf", "junk before.pdf", "packed.zip", "empty.zip", "tagged.mp3"])
def test_a_file_without_an_extension_is_proven_by_its_first_bytes(sample: str) -> None:
    body = SAMPLES[sample]
    assert proven(body, "1123", "text/html") == MEDIA_TYPES[sample[-3:]]
    assert verdict(body[:12], "1123") == "truncated"


def test_an_extension_that_is_proven_by_nothing_takes_any_bytes() -> None:
    assert proven(SAMPLES["plain.pdf"], "a.doc", "application/msword") == "application/msword"


@pytest.mark.parametrize("name", [".pdf", "a.b.pdf", " a.pdf ", "9702_s19.PdF"])
def test_the_extension_is_what_follows_the_last_dot(name: str) -> None:
    assert verdict(b"no", name) == "not-the-file"


def test_a_directory_of_many_entries_costs_little() -> None:
    local = ONE[: ONE.index(b"PK\1\2")]
    entry = ONE[len(local) : -22]
    entries = 200_000
    directory = entry * entries
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, entries % 65536, entries % 65536, len(directory), len(local), 0)
    start = process_time()
    assert proven(local + directory + end, "a.zip")
    assert verdict(local + directory + end.replace(end[8:12], b"\xff\xff\xff\xff"), "a.zip") == "broken"
    assert process_time() - start < 5


def test_a_page_of_many_comments_costs_little() -> None:
    start = process_time()
    assert proven(b"<!---->" * 9000, "a.txt") is None
    assert proven(b" " * 65_000, "a.txt") is None
    assert process_time() - start < 2


def test_a_large_file_costs_little_beyond_its_digests() -> None:
    body = pdf() + random.Random(1).randbytes(1000) * 20_000 + pdf()[-400:]

    def seconds(work: object) -> float:
        start = perf_counter()
        assert callable(work)
        work()
        return perf_counter() - start

    hashing = min(seconds(lambda: documents.digests(body)) for _ in range(3))
    assert min(seconds(lambda: proven(body, "a.pdf")) for _ in range(3)) < hashing * 1.5 + 0.02


NAMES = [f"a.{extension}" for extension in [*MEDIA_TYPES, "html", "txt", "doc"]] + ["a", ""]
BEGINNINGS = [b"", b"%PDF-1.4 ", b"PK\3\4", b"PK\5\6", b"ID3\4\0\0", b"\xff\xfb\x90", b"<", b"\xff\xfe<\0"]
ENDINGS = [b"", b"startxref 7 %%EOF", b"PK\5\6" + bytes(18), b"PK\6\7" + bytes(16) + b"PK\5\6" + bytes(18), b"TAG"]


def survives(body: bytes, name: str) -> None:
    with suppress(MediaError):
        assert isinstance(prove(body, name=name, content_type=None, redirected=False), Document)


@settings(max_examples=400)
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=400), st.sampled_from(ENDINGS), st.sampled_from(NAMES))
def test_any_bytes_give_a_document_or_a_reason(begin: bytes, middle: bytes, end: bytes, name: str) -> None:
    survives(begin + middle + end, name)


@settings(max_examples=100)
@given(st.text(max_size=30), st.none() | st.text(max_size=30))
def test_any_name_and_header_give_a_document_or_a_reason(name: str, said: str | None) -> None:
    with suppress(MediaError):
        prove(b"\1\2\3", name=name, content_type=said, redirected=False)


SMALL = sorted(name for name, body in SAMPLES.items() if len(body) < 5000)


@settings(max_examples=600)
@given(st.sampled_from(SMALL), st.data())
@pytest.mark.slow
def test_a_spoiled_file_gives_a_document_or_a_reason(name: str, data: st.DataObject) -> None:
    body = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(-60, len(body) - 1))  # more often near the end, where the directories are
        at = max(0, at if at >= 0 else len(body) + at)
        new = data.draw(st.binary(min_size=1, max_size=8) | st.sampled_from([b"\xff" * 4, bytes(4), b"PK\5\6"]))
        body[at : at + data.draw(st.integers(0, 8))] = new
    survives(bytes(body), name)


@pytest.mark.parametrize("name", [name for name in SMALL if name.endswith((".zip", ".mp3", ".docx"))])
def test_random_damage_raises_nothing_but_a_media_error(name: str) -> None:
    dice = random.Random(f"20261121 {name}")
    for _ in range(150):
        body = bytearray(SAMPLES[name])
        for _ in range(dice.randint(1, 6)):
            body[dice.randrange(len(body))] = dice.choice([0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)])
        survives(bytes(body), name)
