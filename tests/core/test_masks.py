"""What a mask is: every place that somebody has marked counts, or the mask is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cras_core.data.masks import read_levels
from cras_core.errors import DataError

MARK = (slice(5, 20), slice(8, 30))


def saved(path: Path, level: int, other: int = 0) -> Path:
    levels = np.zeros((48, 64), np.uint8)
    levels[MARK] = level
    levels[40:44, 50:60] = other
    Image.fromarray(levels).save(path)
    return path


@pytest.mark.parametrize("level", [1, 2, 3, 15, 16, 17, 100, 127])
def test_a_mask_that_counts_kinds_of_defects_is_refused_where_grey_levels_are_expected(
    tmp_path: Path, level: int
) -> None:
    with pytest.raises(DataError, match=f"grey level of {level} "):
        read_levels(saved(tmp_path / "a.png", level))


@pytest.mark.parametrize("level", [1, 2, 16, 127])
def test_one_faint_place_beside_a_bright_one_is_not_dropped(tmp_path: Path, level: int) -> None:
    with pytest.raises(DataError, match=f"grey level of {level} "):
        read_levels(saved(tmp_path / "a.png", 255, level))


@pytest.mark.parametrize("level", [1, 2, 255])
def test_where_labels_are_expected_all_of_them_count(tmp_path: Path, level: int) -> None:
    assert (read_levels(saved(tmp_path / "a.png", level), above=0) > 0).sum() == 15 * 22


def test_what_a_lossy_format_leaves_around_edges_is_no_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    levels = np.zeros((48, 64), np.uint8)
    levels[8:24, 8:32] = 255  # whole blocks, so that little is left around them
    levels[40, 50] = 6
    Image.fromarray(levels).save(path, quality=95)
    assert (read_levels(path) > 127).sum() == 16 * 24


def test_a_black_mask_marks_nothing(tmp_path: Path) -> None:
    assert not read_levels(saved(tmp_path / "a.png", 0)).any()
