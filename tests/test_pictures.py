"""The proof of a picture, on files that Pillow makes and that are then spoiled."""

import random
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from PIL import Image

from imagecrawl.exceptions import MediaError
from imagecrawl.outcomes import Outcome
from imagecrawl.pictures import EXTENSIONS, Limits, Picture, prove

LIMITS = Limits(max_pixels=1_000_000, max_bytes=1_000_000)
SEED = 20261121


def noise(size: tuple[int, int], mode: str = "RGB", seed: int = SEED) -> Image.Image:
    return Image.frombytes(
        mode, size, random.Random(seed).randbytes(size[0] * size[1] * len(Image.new(mode, (1, 1)).getbands()))
    )


def encode(image: Image.Image, image_format: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


def animated(image_format: str, frames: int = 4) -> bytes:
    views = [noise((64, 48), seed=seed) for seed in range(frames)]
    return encode(views[0], image_format, save_all=True, append_images=views[1:])


SAMPLES = {
    "jpeg": encode(noise((120, 80)), "JPEG"),
    "progressive jpeg": encode(noise((120, 80)), "JPEG", progressive=True),
    "smooth jpeg": encode(Image.linear_gradient("L").resize((40, 40)).convert("RGB"), "JPEG", quality=60),
    "grey jpeg": encode(noise((120, 80), "L"), "JPEG"),
    "cmyk jpeg": encode(noise((120, 80), "CMYK"), "JPEG"),
    "png": encode(noise((120, 80)), "PNG"),
    "palette png": encode(noise((120, 80)).quantize(32), "PNG"),
    "transparent png": encode(noise((120, 80), "RGBA"), "PNG"),
    "animated png": animated("PNG"),
    "gif": encode(noise((120, 80)).quantize(64), "GIF"),
    "animated gif": animated("GIF"),
    "webp": encode(noise((120, 80)), "WEBP"),
    "lossless webp": encode(noise((120, 80)), "WEBP", lossless=True),
    "animated webp": animated("WEBP"),
    "bmp": encode(noise((120, 80)), "BMP"),
    "tiff": encode(noise((120, 80)), "TIFF"),
    "two-page tiff": animated("TIFF", 2),
    "avif": encode(noise((120, 80)), "AVIF"),
    "ico": encode(noise((64, 64), "RGBA"), "ICO", sizes=[(64, 64), (16, 16)]),
}


def refusal(body: bytes, limits: Limits = LIMITS) -> tuple[Outcome, str]:
    with pytest.raises(MediaError) as caught:
        prove(body, limits)
    return caught.value.outcome, caught.value.reason


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sound_picture_is_proven(name: str) -> None:
    body = SAMPLES[name]
    picture = prove(body, LIMITS)
    with Image.open(BytesIO(body)) as image:
        assert (picture.format, picture.mode, picture.width, picture.height) == (
            image.format, image.mode, image.width, image.height,
        )  # fmt: skip
    assert picture.bytes == len(body)


def test_every_stored_format_has_a_sample() -> None:
    assert {prove(body, LIMITS).format for body in SAMPLES.values()} == set(EXTENSIONS)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_cut_picture_is_never_proven(name: str, share: float) -> None:
    body = SAMPLES[name]
    outcome, reason = refusal(body[: int(len(body) * share)])
    assert outcome is Outcome.FAILED
    assert reason in {"truncated", "broken"}


# Pillow by itself forgives the smooth JPEG, the PNG, the GIFs and the icon.
@pytest.mark.parametrize(
    "name", ["jpeg", "progressive jpeg", "smooth jpeg", "png", "gif", "animated gif", "webp", "avif", "ico"]
)
def test_a_missing_last_byte_is_found(name: str) -> None:
    assert refusal(SAMPLES[name][:-1]) == (Outcome.FAILED, "truncated")


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "gif", "animated gif"])
def test_bytes_after_the_end_do_no_harm(name: str) -> None:
    assert prove(SAMPLES[name] + b"a film that a phone put here" * 10, LIMITS).format


def mpo(frames: int) -> bytes:
    views = [noise((120, 80), seed=seed) for seed in range(frames)]
    return encode(views[0], "MPO", save_all=True, append_images=views[1:])


def test_a_phones_jpeg_with_further_views_is_proven() -> None:
    body = mpo(3)
    picture = prove(body, LIMITS)
    assert (picture.format, picture.width) == ("JPEG", 120)


def test_a_jpeg_whose_further_views_a_host_stripped_is_proven() -> None:
    body = mpo(2)
    first = body[: body.index(b"\xff\xd9") + 2]
    assert len(first) < len(body)
    assert prove(first, LIMITS).format == "JPEG"


def test_an_avif_of_the_general_brand_is_proven() -> None:
    body = SAMPLES["avif"]
    assert body[8:12] == b"avif"
    assert prove(body[:8] + b"mif1" + body[12:16] + body[16:].replace(b"mif1", b"avif", 1), LIMITS).format == "AVIF"


def test_a_bomb_inside_an_icon_is_refused() -> None:
    inner = png_bomb(20_000)
    head = b"\0\0\1\0\1\0" + b"\0\0\0\0\1\0\x20\0" + len(inner).to_bytes(4, "little") + (22).to_bytes(4, "little")
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = LIMITS.max_pixels // 2  # as the pipeline sets it
    try:
        assert refusal(head + inner) == (Outcome.REFUSED, "too-many-pixels")
    finally:
        Image.MAX_IMAGE_PIXELS = before


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_an_animation_of_too_many_frames_is_refused(image_format: str) -> None:
    body = animated(image_format, 4)
    assert refusal(body, Limits(max_frames=3)) == (Outcome.REFUSED, "too-many-frames")
    for number in (4, 0):
        assert prove(body, Limits(max_frames=number)).format == image_format


def test_a_thumbnail_in_the_head_does_not_hide_a_missing_end() -> None:
    inner = encode(noise((16, 16)), "JPEG")
    body = encode(noise((120, 80)), "JPEG", exif=b"Exif\0\0" + inner)
    assert inner in body
    assert prove(body, LIMITS)
    assert refusal(body[:-2]) == (Outcome.FAILED, "truncated")


def test_damage_in_the_middle_is_broken() -> None:
    body = bytearray(SAMPLES["png"])
    body[len(body) // 2 : len(body) // 2 + 40] = b"\0" * 40
    assert refusal(bytes(body)) == (Outcome.FAILED, "broken")


@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        (b"", "failed", "empty"),
        (b"<!doctype html><title>Not found</title>", "failed", "not-an-image"),
        (b"\x00" * 100, "failed", "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "refused", "unsupported-format"),
        (b"<?xml version='1.0'?>\n<!-- x --><svg/>", "refused", "unsupported-format"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 50, "refused", "unsupported-format"),
        (b"8BPS" + b"\0" * 50, "refused", "unsupported-format"),
        (b"\x89PNG\r\n\x1a\n", "failed", "truncated"),
        (b"GIF89a", "failed", "truncated"),
    ],
)
def test_what_is_no_picture_has_its_reason(body: bytes, outcome: str, reason: str) -> None:
    assert refusal(body) == (outcome, reason)


def png_bomb(side: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = side.to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [1001, 20_000, 100_000])
def test_a_bomb_is_refused_by_its_header(side: int) -> None:
    assert refusal(png_bomb(side)) == (Outcome.REFUSED, "too-many-pixels")


def test_an_animation_of_too_many_pixels_is_refused() -> None:
    assert refusal(animated("GIF", 40), Limits(max_pixels=64 * 48)) == (Outcome.REFUSED, "too-many-pixels")


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(min_width=121), "too-small"),
        (Limits(min_height=81), "too-small"),
        (Limits(min_bytes=10**6), "too-small"),
        (Limits(min_pixels=120 * 80 + 1), "too-small"),
        (Limits(max_width=119), "too-large"),
        (Limits(max_height=79), "too-large"),
        (Limits(max_bytes=100), "too-large"),
        (Limits(max_pixels=120 * 80 - 1), "too-many-pixels"),
    ],
)
def test_bounds_are_kept(limits: Limits, reason: str) -> None:
    assert refusal(SAMPLES["png"], limits) == (Outcome.REFUSED, reason)


def test_bounds_are_inclusive() -> None:
    size = len(SAMPLES["png"])
    exact = Limits(
        min_width=120, max_width=120, min_height=80, max_height=80, min_bytes=size, max_bytes=size, max_pixels=9600
    )
    assert isinstance(prove(SAMPLES["png"], exact), Picture)


@pytest.mark.parametrize("name", SAMPLES)
def test_random_damage_raises_nothing_but_a_media_error(name: str) -> None:
    dice = random.Random(f"{SEED} {name}")
    for _ in range(60):
        body = bytearray(SAMPLES[name])
        for _ in range(dice.randint(1, 20)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        with suppress(MediaError):
            prove(bytes(body), LIMITS)
