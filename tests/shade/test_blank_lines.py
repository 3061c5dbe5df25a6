"""Lines in which the camera saw nothing are told from cloth."""

from __future__ import annotations

import numpy as np
import pytest

from cras_core.shade.blank_lines import is_same_picture, runs_of_lines


def cloth(lines: int, width_px: int = 512, level: int = 40, *, colour: bool = False) -> np.ndarray:
    rng = np.random.default_rng(lines)
    picture = np.clip(level + rng.normal(0, 8, (lines, width_px)), 9, 245).astype(np.uint8)
    return np.repeat(picture[:, :, None], 3, axis=2) if colour else picture


def blank(value: int, lines: int, width_px: int = 512, *, colour: bool = False) -> np.ndarray:
    return np.full((lines, width_px, 3) if colour else (lines, width_px), value, np.uint8)


@pytest.mark.parametrize("colour", [False, True])
def test_black_and_white_lines_are_runs_of_their_own(colour: bool) -> None:
    parts = [cloth(100, colour=colour), blank(0, 50, colour=colour), blank(255, 30, colour=colour)]
    image = np.concatenate([*parts, cloth(20, colour=colour)])
    found = [(r.first, r.end, r.blank) for r in runs_of_lines(image)]
    assert found == [(0, 100, None), (100, 150, "black"), (150, 180, "white"), (180, 200, None)]


def test_a_few_blank_lines_are_looked_at() -> None:
    image = np.concatenate([cloth(100), blank(0, 15), cloth(100)])
    assert [(r.first, r.end, r.blank) for r in runs_of_lines(image)] == [(0, 215, None)]


@pytest.mark.parametrize("level", [20, 235])
def test_dark_cloth_bright_cloth_and_a_white_table_beside_cloth_are_something(level: int) -> None:
    beside = np.concatenate([blank(255, 64, 400), cloth(64, 112, level)], axis=1)
    assert [r.blank for r in runs_of_lines(cloth(64, level=level))] == [None]
    assert [r.blank for r in runs_of_lines(beside)] == [None]


def test_dust_and_hot_pixels_do_not_make_cloth_of_black_lines() -> None:
    image = blank(3, 64)
    image[:, 100:106] = 200
    assert [r.blank for r in runs_of_lines(image)] == ["black"]


def test_a_line_that_comes_again_and_again_is_frozen_and_not_cloth() -> None:
    image = np.concatenate([cloth(100), np.repeat(cloth(1), 40, axis=0), cloth(60)])
    found = [(r.first, r.end, r.blank) for r in runs_of_lines(image)]
    assert found == [(0, 101, None), (101, 140, "frozen"), (140, 200, None)]


def test_lines_that_were_enlarged_and_a_plain_grey_are_not_frozen() -> None:
    assert [r.blank for r in runs_of_lines(np.repeat(cloth(50), 8, axis=0))] == [None]
    assert [r.blank for r in runs_of_lines(blank(128, 64))] == [None]


def test_the_same_picture_is_told_from_the_next_one() -> None:
    picture = cloth(64)
    other = picture.copy()
    other[3, 7] += 1
    assert is_same_picture(picture.copy(), picture)
    assert not is_same_picture(other, picture)
    assert not is_same_picture(picture, None)
    assert not is_same_picture(picture[:32], picture)
    assert not is_same_picture(picture[:8], picture[:8]), "a few lines may be alike"
    assert not is_same_picture(blank(128, 64), blank(128, 64)), "nothing is seen, which is told as that"
