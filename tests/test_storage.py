import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagecrawl.storage import (
    JOINERS,
    SEGMENT_BYTES,
    blocked_path,
    file_folder,
    file_name,
    image_path,
    safe_segment,
    width_folder,
)

ODD_KEYWORDS = [
    "../../etc",
    "con",
    "NUL.txt",
    "a/b",
    "a\\b",
    "a:b",
    "🐱",
    "👨‍👩‍👧",
    "قطط جميلة",
    "x" * 300,
    "é" * 300,
    "...",
    ".hidden",
    "trailing. ",
    "line\nbreak",
    "\u202eevil",
    "CON",
    "",
]


@pytest.mark.parametrize("keyword", ODD_KEYWORDS)
def test_a_keyword_gives_one_safe_folder(keyword: str) -> None:
    segment = safe_segment(keyword)
    assert segment not in {"", ".", ".."}
    assert not set(segment) & set('<>:"/\\|?*\0\n')
    assert len(segment.encode()) <= SEGMENT_BYTES
    assert segment[0] not in " ." and segment[-1] not in " ."
    assert segment.split(".")[0].lower() not in {"con", "nul", "prn", "aux"}


def test_distinct_keywords_give_distinct_folders() -> None:
    lookalikes = [*ODD_KEYWORDS, "a_b", "a?b", "x" * 299, "etc", safe_segment("a/b"), unicodedata.normalize("NFD", "é")]
    assert len({safe_segment(keyword) for keyword in lookalikes}) == len(lookalikes)


def test_an_ordinary_keyword_stays_readable() -> None:
    for keyword in ("cats", "red panda", "قطط جميلة", "🐱", "猫", "Rock'n'Roll", "rock & roll", "c++"):
        assert safe_segment(keyword) == keyword


@given(st.text(max_size=200), st.text(max_size=200))
@settings(max_examples=500)
def test_no_two_texts_share_a_folder(first: str, second: str) -> None:
    one, other = safe_segment(first), safe_segment(second)
    assert len(one.encode()) <= SEGMENT_BYTES
    assert (one == other) == (first == second)


@pytest.mark.parametrize(
    ("width", "folder"), [(1, "0"), (319, "0"), (320, "320"), (639, "320"), (1920, "1920"), (9999, "1920")]
)
def test_width_folder_is_the_lower_bound_of_the_class(width: int, folder: str) -> None:
    assert width_folder(width, [640, 0, 1920, 320, 1024]) == folder


TEXTS = st.text(st.characters() | st.sampled_from("./\\ -_a\u200d\u200cé"), max_size=200)
"""Anything, half characters too, and more often than not what is not safe."""


@given(TEXTS, st.integers(1, 2**31), st.lists(st.integers(0, 5000), max_size=4) | st.none(), TEXTS)
@settings(max_examples=300)
def test_any_picture_and_any_page_stay_in_their_stores(
    keyword: str, width: int, classes: list[int] | None, other: str
) -> None:
    path = image_path(keyword=keyword, width=width, sha256=ONE, extension="png", width_classes=classes)
    folder, size, name = path.split("/")
    assert is_safe(folder) and size.isdecimal() and name == f"{ONE[:20]}.png"
    page = blocked_path(spider="site", time="2026-11-01T12:00:00.123Z", keyword=other, obstacle="captcha")
    spider, name = page.split("/")
    assert spider == "site" and is_safe(name.replace(safe_segment(other), "x")) and len(name.encode()) < 255
    assert PurePosixPath(path).parts == (folder, size, path.split("/")[2])
    for made in (path, page):
        assert not PurePosixPath(made).is_absolute() and not PureWindowsPath(made).drive
        assert PureWindowsPath(made).as_posix() == made


def test_paths_stay_inside_the_store() -> None:
    path = image_path(keyword="../../etc", width=10, sha256="ab" * 32, extension="png", width_classes=None)
    assert path.split("/")[1:] == ["10", "abababababababababab.png"]
    assert ".." not in path.split("/")
    blocked = blocked_path(spider="google_images", time="2026-01-01T00:00:00Z", keyword="../x", obstacle="captcha")
    assert len(blocked.split("/")) == 2


# Files

JOINERS_ALONE = frozenset(". ") | JOINERS
ONE, OTHER = "ab" * 32, "cd" * 32


def is_safe(name: str) -> bool:
    """Whether every common file system takes it, as it is, for the name of one file that is not hidden."""
    stem = name.partition(".")[0].lower()
    return (
        0 < len(name.encode()) <= SEGMENT_BYTES
        and not set(name) & set('<>:"/\\|?*')
        and not {unicodedata.category(c) for c in name if c not in JOINERS} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        and name[0] not in " ."
        and name[-1] not in " ."
        and stem not in {"con", "nul", "prn", "aux", "com1", "lpt9"}
    )


@given(TEXTS.filter(lambda text: not set(text.rpartition(".")[0] or text) <= JOINERS_ALONE))
@settings(max_examples=500)
def test_any_name_of_a_file_is_made_safe(name: str) -> None:
    for made in (file_name(name), file_name(name, ONE[:8])):
        assert is_safe(made)
    assert file_name(name, ONE[:8]) != file_name(name, OTHER[:8])


@pytest.mark.parametrize("name", ["\u200d", "\u200d.pdf", "\u200d.\u200d.pdf"])
def test_a_name_of_joiners_alone_is_made_safe(name: str) -> None:
    assert is_safe(file_name(name))


@given(TEXTS, st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True))
@settings(max_examples=300)
def test_the_extension_of_a_file_is_kept(stem: str, extension: str) -> None:
    name = f"{stem or 'x'}.{extension}"
    assert file_name(name).endswith(f".{extension}")
    assert file_name(name, ONE[:8]).endswith(f"-abababab.{extension}")


@given(st.from_regex(r"[A-Za-z0-9_(][A-Za-z0-9_ .()-]{0,90}[A-Za-z0-9_)]\.[a-z]{3}", fullmatch=True))
@settings(max_examples=300)
def test_an_ordinary_name_of_a_file_stays(name: str) -> None:
    reserved = name.partition(".")[0].lower() in {"con", "nul", "prn", "aux"}
    assert file_name(name) == name or reserved
    assert len(file_name(name, ONE[:8])) == len(name) + 9 or reserved


@given(TEXTS, TEXTS)
@settings(max_examples=500)
def test_names_that_had_to_be_changed_stay_distinct(first: str, second: str) -> None:
    """Only one that looks changed already may meet another: the pipeline keeps such files apart."""
    assert (file_name(f"{first}/.pdf") == file_name(f"{second}/.pdf")) == (first == second)


@pytest.mark.parametrize("stem", ["x" * 116, "x" * 117, "x" * 300, "é" * 300, "🐱" * 100, "/" * 200, "x. " * 60])
@pytest.mark.parametrize("extension", ["", ".pdf", ".Markdown"])
def test_a_long_name_is_cut(stem: str, extension: str) -> None:
    for made in (file_name(stem + extension), file_name(stem + extension, ONE[:8])):
        assert is_safe(made)
        assert made.endswith(extension) and len(made.encode()) > SEGMENT_BYTES - 12


def test_lookalikes_have_names_of_their_own() -> None:
    long = "x" * 300
    names = ["a/b.pdf", "a_b.pdf", "a?b.pdf", "a/b.PDF", "a/b", f"{long}.pdf", f"{long}y.pdf", f"{long}.mp3"]
    names += [unicodedata.normalize("NFD", "é.pdf"), "é.pdf", ".pdf", "pdf", "..pdf", "con.pdf", "_con.pdf", ""]
    assert len({file_name(name) for name in names}) == len(names)


@given(TEXTS, st.lists(TEXTS, max_size=4))
@settings(max_examples=300)
def test_any_folder_stays_in_the_store(source: str, names: list[str]) -> None:
    segments = file_folder(source, names).split("/")
    assert len(segments) == len(names) + 1
    assert all(is_safe(segment) for segment in segments)


@given(st.lists(TEXTS, max_size=3), st.lists(TEXTS, max_size=3))
@settings(max_examples=300)
def test_no_two_folders_of_the_site_share_one(first: list[str], second: list[str]) -> None:
    assert (file_folder("site", first) == file_folder("site", second)) == (first == second)
    for name in first:
        assert file_folder("site", [name, "x"]) != file_folder("site", [f"{name}/x"])
