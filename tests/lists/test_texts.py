"""Text, and its bad lines."""

from __future__ import annotations

from pathlib import Path

from tests.lists.lists import URL, brief, rows_of, written

ONE, TWO, THREE = URL.format(1), URL.format(2), URL.format(3)


def test_lines_of_one_two_and_three_cells(tmp_path: Path) -> None:
    path = written(
        tmp_path, "a.txt", f"\n# mine\n{ONE}\r\n  \ncats\t{TWO}\n  #x\ndogs\t{THREE}\ta dog\n\t{ONE}\t\n\t{TWO}\ta cat"
    )
    assert brief(rows_of(path)) == [
        (3, ONE, None, None),
        (5, TWO, "cats", None),
        (7, THREE, "dogs", "a dog"),
        (8, ONE, None, None),
        (9, TWO, None, "a cat"),
    ]


def test_a_keyword_may_begin_with_the_sign_of_a_comment(tmp_path: Path) -> None:
    lines = [f"#sunset\t{ONE}", f"# cats\t{ONE}", f"#{ONE}", f"#\t{ONE}", f"  #sun\t{TWO}\ta #tag", "#", f"#x {ONE}"]
    assert brief(rows_of(written(tmp_path, "a.txt", "\n".join(lines)))) == [
        (1, ONE, "#sunset", None),
        (5, TWO, "#sun", "a #tag"),
    ]


def test_each_bad_line_is_one_bad_row(tmp_path: Path) -> None:
    body = b"\n".join([
        ONE.encode(),
        b"cats",
        b"ftp://a.example/1.jpg",
        b"caf\xe9\thttps://a.example/1.jpg",
        b"https://a.example/\0.jpg",
        b"a\tb\tc\td",
        b"a\x07\thttps://a.example/1.jpg",
        f"{ONE}\tcats".encode(),
        TWO.encode(),
    ])  # fmt: skip
    assert brief(rows_of(written(tmp_path, "a.txt", body))) == [
        (1, ONE, None, None),
        (2, "no URL in it, but `cats`"),
        (3, "`ftp:` is not http:, https: or data:"),
        (4, "not UTF-8"),
        (5, "a NUL byte"),
        (6, "4 cells where there may be three: keyword, URL, caption"),
        (7, "the keyword `a\ufffd` cannot be used: It has a control character"),
        (8, "no URL in it, but `cats`"),
        (9, TWO, None, None),
    ]


def test_half_a_character_of_utf_16_is_one_bad_row(tmp_path: Path) -> None:
    body = b"\xff\xfe" + f"{ONE}\n".encode("utf-16-le") + b"\x3d\xd8\n\0" + f"{TWO}\n".encode("utf-16-le")
    assert brief(rows_of(written(tmp_path, "a.txt", body))) == [
        (1, ONE, None, None),
        (2, "not UTF-8"),
        (3, TWO, None, None),
    ]
    assert brief(rows_of(written(tmp_path, "a.txt", body + b"h")))[3:] == [(4, "not UTF-8")]
