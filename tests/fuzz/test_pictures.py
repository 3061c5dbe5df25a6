"""Pictures and masks: damaged files of every kind that is read."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from fuzz_tools import damaged, fuzzed, holds
from PIL import ExifTags
from PIL import Image as PillowImage

from cras_core.data.masks import read_levels
from cras_core.image_file import Decoded, decode, read_header
from cras_core.images import measured_bits, read_image

RNG = np.random.default_rng(3)
GREY = RNG.integers(0, 255, (40, 56), np.uint8)
COLOUR = RNG.integers(0, 255, (40, 56, 3), np.uint8)
DEEP = RNG.integers(0, 4095, (40, 56), np.uint16)


def saved(image: PillowImage.Image, kind: str, **how: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def turned() -> bytes:
    exif = PillowImage.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return saved(PillowImage.fromarray(GREY), "JPEG", exif=exif)


def deep(ending: str) -> bytes:
    return bytes(cv2.imencode(ending, DEEP)[1].tobytes())


PICTURES = {
    "png": saved(PillowImage.fromarray(GREY), "PNG"),
    "png of 16 bits": deep(".png"),
    "png, transparent": saved(PillowImage.fromarray(COLOUR).convert("RGBA"), "PNG"),
    "png with a palette": saved(PillowImage.fromarray(COLOUR).convert("P"), "PNG"),
    "jpeg, turned": turned(),
    "tiff": saved(PillowImage.fromarray(GREY), "TIFF"),
    "tiff, packed": saved(PillowImage.fromarray(COLOUR), "TIFF", compression="tiff_lzw"),
    "tiff of 16 bits": deep(".tif"),
    "tiff of two pages": saved(
        PillowImage.fromarray(GREY), "TIFF", save_all=True, append_images=[PillowImage.fromarray(GREY)]
    ),
    "bmp": saved(PillowImage.fromarray(COLOUR), "BMP"),
    "webp": saved(PillowImage.fromarray(COLOUR), "WEBP"),
    "gif": saved(PillowImage.fromarray(GREY), "GIF"),
    "pgm": saved(PillowImage.fromarray(GREY), "PPM"),
    "pgm of 16 bits": deep(".pgm"),
}


def check_sound(decoded: Decoded) -> None:
    pixels = decoded.pixels
    assert pixels.dtype in (np.uint8, np.uint16)
    assert pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    assert pixels.size > 0
    assert pixels.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("kind", PICTURES)
def test_a_damaged_picture_is_read_or_refused(kind: str) -> None:
    def check(seed: int) -> None:
        with holds("pictures"):
            check_sound(decode(damaged(PICTURES[kind], seed), "a.png"))

    fuzzed(check, 3)()


def test_what_is_said_of_a_sound_picture_is_so() -> None:
    for data in PICTURES.values():
        with holds("pictures"):
            check_sound(decode(data, "a.png"))


@pytest.mark.parametrize("kind", ["png", "tiff of 16 bits", "png, transparent"])
def test_a_damaged_file_is_a_mask_a_picture_or_none(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "in" / "a.png"
    path.parent.mkdir()

    def check(seed: int) -> None:
        path.write_bytes(damaged(PICTURES[kind], seed))
        header = read_header(path)
        with holds("masks"):
            levels = read_levels(path)
            assert levels.dtype == np.uint8
            assert levels.ndim == 2
        with holds("headers, depth", path.parent):
            image = read_image(path, measured_bits([path]) or 12)
            assert image.dtype == np.uint8
            assert header is not None
            assert image.shape[:2] == (header.height, header.width)

    fuzzed(check)()
