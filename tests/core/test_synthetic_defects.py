"""Drawn defects: seen where they are said to be, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cras_core.data.synthetic_defects import paint_defects
from cras_core.images import list_images, read_image


def cloth_tile(seed: int, height: int, width: int, colour: bool) -> np.ndarray:
    """Something woven enough to have a contrast."""
    rng = np.random.default_rng(seed)
    weave = 120 + 30 * np.sin(np.arange(width) * 1.1)[None, :] * np.sin(np.arange(height) * 0.9)[:, None]
    tile = np.clip(weave + rng.normal(0, 6, (height, width)), 0, 255).astype(np.uint8)
    return np.dstack([tile, tile // 2, 255 - tile]) if colour else tile


@settings(max_examples=80)
@given(st.integers(0, 2**31), st.integers(64, 150), st.integers(64, 150), st.integers(1, 6), st.booleans())
def test_any_tile_can_be_spoilt(seed: int, height: int, width: int, count: int, colour: bool) -> None:
    tile = cloth_tile(seed, height, width, colour)
    before = tile.copy()
    spoilt, where = paint_defects(tile, count, np.random.default_rng(seed))
    assert np.array_equal(tile, before)
    assert spoilt.shape == tile.shape
    assert spoilt.dtype == np.uint8
    assert where.shape == (height, width)
    assert where.dtype == np.float32
    assert where.min() >= 0
    assert where.max() <= 1 + 1e-5
    assert where.max() > 0.1


@settings(max_examples=80)
@given(st.integers(0, 2**31), st.integers(1, 4), st.booleans())
def test_cloth_outside_the_defects_stays_as_it_was(seed: int, count: int, colour: bool) -> None:
    tile = cloth_tile(seed, 128, 128, colour)
    spoilt, where = paint_defects(tile, count, np.random.default_rng(seed))
    assert np.array_equal(spoilt[where < 1e-4], tile[where < 1e-4])


def test_defects_can_be_seen() -> None:
    seen = 0
    for seed in range(60):
        tile = cloth_tile(seed, 128, 128, colour=False)
        spoilt, where = paint_defects(tile, 3, np.random.default_rng(seed))
        change = np.abs(spoilt.astype(int) - tile)[where > 0.5]
        seen += len(change) > 0 and change.max() > 15
    assert seen >= 54


def test_the_seed_decides_everything() -> None:
    tile = cloth_tile(0, 100, 120, colour=False)
    one, again, other = (paint_defects(tile, 4, np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one[0], again[0])
    assert np.array_equal(one[1], again[1])
    assert not np.array_equal(one[0], other[0])


def test_no_defect_leaves_the_tile() -> None:
    tile = cloth_tile(3, 64, 64, colour=True)
    spoilt, where = paint_defects(tile, 0, np.random.default_rng(0))
    assert np.array_equal(spoilt, tile)
    assert not where.any()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_cloth_without_a_texture_can_be_drawn_on(value: int) -> None:
    spoilt, _ = paint_defects(np.full((64, 64), value, np.uint8), 20, np.random.default_rng(0))
    assert np.abs(spoilt.astype(int) - value).max() <= 1


def test_defects_are_as_strong_as_the_cloth_is_rough(loom_data: Path) -> None:
    tile = read_image(list_images(loom_data / "plain" / "normal")[0])[128:256, 400:528]
    rough = np.clip(128 + 2.0 * (tile.astype(float) - tile.mean()), 0, 255).astype(np.uint8)
    calm = np.clip(128 + 0.3 * (tile.astype(float) - tile.mean()), 0, 255).astype(np.uint8)

    def change(cloth: np.ndarray) -> float:
        spoilt = [paint_defects(cloth, 5, np.random.default_rng(seed))[0] for seed in range(10)]
        return float(np.mean([np.abs(s.astype(float) - cloth).mean() for s in spoilt]))

    assert change(rough) > 3 * change(calm)
