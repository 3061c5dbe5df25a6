"""Cutting and stitching are inverse, at every size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cras_core.errors import ConfigError
from cras_core.web.tiling import TilingConfig, Windows, cut, plan_windows, stitch

SMALL = TilingConfig(tile_px=64, overlap_px=16, halo_px=0, cell_px=8)
WITH_HALO = TilingConfig(tile_px=64, overlap_px=24, halo_px=8, cell_px=8)


@settings(max_examples=150)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_stitch_is_the_inverse_of_cut(height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).random((height, width), dtype=np.float32)
    rows, cols = plan_windows(height, SMALL), plan_windows(width, SMALL)
    np.testing.assert_allclose(stitch(cut(image, rows, cols), rows, cols), image, rtol=1e-5, atol=1e-6)


@settings(max_examples=150)
@given(st.integers(1, 2000))
def test_windows_cover_everything_and_overlap_enough(length: int) -> None:
    plan = plan_windows(length, WITH_HALO)
    covered = np.zeros(plan.end, np.int64)
    for start in plan.starts:
        covered[start : start + plan.size] += 1
    assert (covered[:length] > 0).all()
    assert plan.end - length < 32
    assert all(b - a <= WITH_HALO.step_px for a, b in zip(plan.starts, plan.starts[1:], strict=False))
    assert all(start % WITH_HALO.cell_px == 0 for start in plan.starts)


def test_halos_are_not_scored() -> None:
    rows = cols = plan_windows(200, WITH_HALO)
    whole = stitch(np.ones((len(rows.starts) ** 2, 64, 64), np.float32), rows, cols)
    halo = WITH_HALO.halo_px
    assert np.isnan(whole[:halo]).all()
    assert np.isfinite(whole[halo:-halo, halo:-halo]).all()


def test_what_a_halo_holds_does_not_matter() -> None:
    rows, cols = plan_windows(200, WITH_HALO), plan_windows(56, WITH_HALO)
    rng = np.random.default_rng(0)
    tiles = cut(rng.random((200, 56), dtype=np.float32), rows, cols)
    spoilt = tiles.copy()
    spoilt[:, : WITH_HALO.halo_px] = 1e6
    spoilt[:, -WITH_HALO.halo_px :] = 1e6
    np.testing.assert_array_equal(stitch(tiles, rows, cols), stitch(spoilt, rows, cols))


def test_neighbours_blend_without_a_step() -> None:
    rows, cols = plan_windows(64, SMALL), plan_windows(112, SMALL)
    tiles = np.stack([np.zeros((64, 64), np.float32), np.ones((64, 64), np.float32)])
    line = stitch(tiles, rows, cols)[32]
    assert np.abs(np.diff(line)).max() <= 1.01 / SMALL.overlap_px


def test_windows_in_cells_are_the_windows_in_pixels() -> None:
    plan = plan_windows(1000, WITH_HALO)
    cells = plan.divided(8)
    assert cells.size * 8 == plan.size
    assert [s * 8 for s in cells.starts] == list(plan.starts)


def test_colour_is_cut_like_grey() -> None:
    image = np.random.default_rng(1).integers(0, 255, (100, 130, 3), dtype=np.uint8)
    rows, cols = plan_windows(100, SMALL), plan_windows(130, SMALL)
    np.testing.assert_array_equal(cut(image, rows, cols)[..., 1], cut(image[..., 1], rows, cols))


@pytest.mark.parametrize(
    "values", [{"tile_px": 60}, {"overlap_px": 8, "halo_px": 8}, {"tile_px": 64, "overlap_px": 48, "halo_px": 8}]
)
def test_impossible_settings_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        TilingConfig(**{"tile_px": 64, "overlap_px": 16, "halo_px": 8, "cell_px": 8} | values)


def test_an_empty_axis_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to cut"):
        plan_windows(0, SMALL)


def test_an_image_of_another_size_is_refused() -> None:
    plan = Windows(10, 10, (0,))
    with pytest.raises(ConfigError, match="do not fit"):
        cut(np.zeros((9, 10), np.uint8), plan, plan)
