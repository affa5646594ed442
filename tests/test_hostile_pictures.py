"""Whatever bytes come in place of a picture, the proof ends soon, in bounded memory, with a picture or a reason."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imagecrawl import bombs
from imagecrawl.bombs import SCANS, STRIPS
from imagecrawl.exceptions import MediaError
from imagecrawl.outcomes import Reason
from imagecrawl.pictures import EXTENSIONS, Limits, prove
from tests import hostile_pictures as hostile
from tests.crawling import ROOT
from tests.test_pictures import refusal

NUMBER = 500
"""Spoiled pictures of each format."""
ALL = Limits(max_pixels=100_000_000, max_frames=5000)


def run(folder: Path, what: str, number: int = 0) -> dict[str, Any]:
    """What became of the pictures, in a process of their own that is to live to its end."""
    current = folder / "current"
    words = [sys.executable, "-m", "tests.hostile_pictures", what, str(number), str(current)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=300, check=False)
    assert done.returncode == 0, f"{done.returncode} at {current.read_text()}, seed {hostile.SEED}\n{done.stderr}"
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_every_format_is_spoiled() -> None:
    assert {prove(bodies[0], ALL).format for bodies in hostile.FORMATS.values()} == set(EXTENSIONS)
    assert len(hostile.FORMATS) == len(EXTENSIONS)
    assert hostile.spoiled("png", 3) == hostile.spoiled("png", 3) != hostile.spoiled("png", 4)


@pytest.mark.slow
def test_spoiled_pictures_end_as_pictures_or_with_a_reason(tmp_path: Path) -> None:
    said = run(tmp_path, ",".join(hostile.FORMATS), NUMBER)
    print(f"seed {hostile.SEED}:", {end: len(names) for end, names in said["ends"].items()})
    assert not {end: names for end, names in said["ends"].items() if end and end not in set(Reason)}
    assert sum(map(len, said["ends"].values())) == NUMBER * len(EXTENSIONS)
    assert len(said["ends"][""]) > NUMBER  # many are spoiled where it does not matter
    assert said["peak"] < 300 * 1024**2


@pytest.mark.slow
def test_bombs_have_their_reason(tmp_path: Path) -> None:
    said = run(tmp_path, "bombs")
    found = {name: end for end, names in said["ends"].items() for name in names}
    assert found == {name: end for name, (_, end) in hostile.BOMBS.items()}
    assert said["peak"] < 1024**3


# What tells them


def test_a_jpeg_of_many_scans_is_refused() -> None:
    assert prove(hostile.jpeg(8, scans=80), ALL).format == "JPEG"
    assert refusal(hostile.jpeg(8, scans=SCANS), ALL) == ("refused", "too-many-pixels")
    assert refusal(hostile.jpeg(100, scans=30), Limits(max_pixels=10_000)) == ("refused", "too-many-pixels")
    assert prove(hostile.jpeg(100, scans=80), Limits()).format == "JPEG"


def test_scans_are_found_behind_what_looks_like_an_end() -> None:
    assert prove(hostile.comments_between(80), ALL).format == "JPEG"
    assert refusal(hostile.comments_between(SCANS), ALL) == ("refused", "too-many-pixels")


def test_what_looks_like_scans_in_an_appendix_does_not_count() -> None:
    body = hostile.jpeg(8, extra=b"\xff\xe5\2\2" + b"\xff\xda" * 256) + b"\xff\xda\0\2" * 30_000
    assert prove(body, ALL).format == "JPEG"


@pytest.mark.parametrize(
    "body",
    [
        hostile.png(8, extra=hostile.chunk(b"abCd") * 1000),
        hostile.gif(extra=b"\x21\xfe\1x\0" * 1000),
        hostile.jpeg(8, extra=b"\xff\xe9\0\2" * 1000),
        hostile.jpeg(8, extra=b"\xff" * 3000),
        hostile.tiff(*[{}] * 200),
        hostile.ico(hostile.png(8, extra=hostile.chunk(b"abCd") * 1000)),
    ],
    ids=["png", "gif", "jpeg", "fill", "tiff", "ico"],
)
def test_a_picture_in_too_many_pieces_is_broken(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert prove(body, ALL)
    monkeypatch.setattr(bombs, "READS", 500)
    assert refusal(body, ALL) == ("failed", "broken")


@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_of_too_many_strips_is_broken(big: bool) -> None:
    assert prove(hostile.tiff({}, big=big), ALL).format == "TIFF"
    half = {273: STRIPS // 2, 257: STRIPS // 2}
    for body in (hostile.tiff({}, half, half, big=big), hostile.tiff({273: STRIPS + 1}, big=big)):
        with pytest.raises(MediaError, match=f"TIFF: {STRIPS + 1} strips"):
            prove(body, ALL)


def test_large_bitmaps_in_run_lengths_are_refused() -> None:
    assert prove(hostile.bmp(100, 100, b"\x64\1\0\0" * 100 + b"\0\1"), ALL).format == "BMP"
    assert refusal(hostile.bmp(4000, 4000, b"\0\1"), ALL) == ("refused", "too-many-pixels")
    assert refusal(hostile.ico(hostile.bmp(8, 16, b"\0\1")[14:]), ALL) == ("failed", "broken")
