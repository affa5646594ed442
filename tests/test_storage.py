import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagecrawl.storage import SEGMENT_BYTES, blocked_path, image_path, safe_segment, width_folder

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
@settings(derandomize=True, max_examples=500)
def test_no_two_texts_share_a_folder(first: str, second: str) -> None:
    one, other = safe_segment(first), safe_segment(second)
    assert len(one.encode()) <= SEGMENT_BYTES
    assert (one == other) == (first == second)


@pytest.mark.parametrize(
    ("width", "folder"), [(1, "0"), (319, "0"), (320, "320"), (639, "320"), (1920, "1920"), (9999, "1920")]
)
def test_width_folder_is_the_lower_bound_of_the_class(width: int, folder: str) -> None:
    assert width_folder(width, [640, 0, 1920, 320, 1024]) == folder


def test_paths_stay_inside_the_store() -> None:
    path = image_path(keyword="../../etc", width=10, sha256="ab" * 32, extension="png", width_classes=None)
    assert path.split("/")[1:] == ["10", "abababababababababab.png"]
    assert ".." not in path.split("/")
    blocked = blocked_path(spider="google_images", time="2026-01-01T00:00:00Z", keyword="../x", obstacle="captcha")
    assert len(blocked.split("/")) == 2
