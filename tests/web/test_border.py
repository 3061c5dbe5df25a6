"""Cloth is carried on beyond its borders as cloth."""

import cv2
import numpy as np
import pytest

from aoi_app.sources.loom import WEAVES, Loom, LoomConfig
from cras_core.web.border import continue_cloth

LINES, WIDTH = 256, 700


def cloth(weave: str) -> np.ndarray:
    loom = Loom(LoomConfig(weave=weave, width_px=1400, defects_per_1000_lines=0, seed=2))
    return np.ascontiguousarray(loom.weave(0, LINES)[:, 300 : 300 + WIDTH])


@pytest.mark.parametrize("weave", WEAVES)
def test_what_is_filled_in_looks_more_like_the_cloth_than_white_or_a_mirror_would(weave: str) -> None:
    truth = cloth(weave)
    left, right = np.full(LINES, 40.0), np.full(LINES, WIDTH - 40.0)
    seen = truth.copy()
    seen[:, :40] = seen[:, -40:] = 255
    canvas = continue_cloth(seen, left, right, 0, WIDTH)
    np.testing.assert_array_equal(canvas[:, 40:-40], truth[:, 40:-40])
    filled = np.concatenate([canvas[:, :40], canvas[:, -40:]], axis=1).astype(float)
    there = np.concatenate([truth[:, :40], truth[:, -40:]], axis=1).astype(float)
    mirrored = np.concatenate([truth[:, 79:39:-1], truth[:, -41:-81:-1]], axis=1).astype(float)
    assert np.abs(filled - there).mean() < np.abs(mirrored - there).mean()
    assert abs(filled.mean() - there.mean()) < 6


def test_lines_above_and_below_are_added() -> None:
    truth = cloth("plain")
    canvas = continue_cloth(truth[32:-32], np.zeros(LINES - 64), np.full(LINES - 64, float(WIDTH)), 0, WIDTH, 32, 32)
    assert canvas.shape == truth.shape
    np.testing.assert_array_equal(canvas[32:-32], truth[32:-32])
    assert np.abs(canvas[:32].astype(float) - truth[:32]).mean() < 25


def test_columns_outside_the_image_are_added() -> None:
    truth = cloth("twill")
    canvas = continue_cloth(truth, np.zeros(LINES), np.full(LINES, float(WIDTH)), -24, WIDTH + 40)
    assert canvas.shape == (LINES, WIDTH + 64)
    np.testing.assert_array_equal(canvas[:, 24:-40], truth)


def test_slanting_edges_keep_every_pixel_of_the_cloth() -> None:
    truth = cloth("plain")
    left = np.linspace(20, 70, LINES)
    canvas = continue_cloth(truth, left, np.full(LINES, float(WIDTH)), 0, WIDTH)
    inside = np.arange(WIDTH)[None, :] >= np.ceil(left)[:, None]
    np.testing.assert_array_equal(canvas[inside], truth[inside])


def test_colour() -> None:
    grey = cloth("plain")
    color = np.stack([grey, grey // 2, 255 - grey], axis=2)
    canvas = continue_cloth(color, np.full(LINES, 30.0), np.full(LINES, float(WIDTH)), 0, WIDTH, 8, 8)
    assert canvas.shape == (LINES + 16, WIDTH, 3)
    np.testing.assert_array_equal(canvas[8:-8, 30:], color[:, 30:])
    assert np.abs(canvas[8:-8, :30, 1].astype(float) * 2 - canvas[8:-8, :30, 0]).mean() < 4


def test_cloth_that_is_too_narrow_to_look_anything_up_is_mirrored() -> None:
    truth = cloth("plain")[:, :70]
    canvas = continue_cloth(np.ascontiguousarray(truth), np.zeros(LINES), np.full(LINES, 70.0), -64, 134)
    assert canvas.shape == (LINES, 198)
    np.testing.assert_array_equal(canvas[:, 64:134], truth)
    assert canvas.std() > 5


def test_brightness_is_carried_on() -> None:
    ramp = np.clip(cloth("plain") * np.linspace(0.5, 1.5, WIDTH), 0, 255).astype(np.uint8)
    canvas = continue_cloth(ramp, np.full(LINES, 60.0), np.full(LINES, float(WIDTH)), 0, WIDTH)
    smooth = cv2.blur(canvas.astype(np.float32), (31, 31))
    assert abs(smooth[:, 45].mean() - smooth[:, 75].mean()) < 8
