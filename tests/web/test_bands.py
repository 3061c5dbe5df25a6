"""Lines become the same stretches however they arrive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_tools import bytes_kept_by

from cras_core.errors import DataError
from cras_core.web.bands import Band, BandCutter
from cras_core.web.tiling import TilingConfig, plan_windows

TILING = TilingConfig(tile_px=64, overlap_px=24, halo_px=8, cell_px=8)


def stretches(lines: int, pieces: list[int]) -> list[Band]:
    image = np.arange(lines, dtype=np.int64)[:, None].repeat(3, axis=1).astype(np.uint8)
    cutter, found, line = BandCutter(TILING), [], 0
    for piece in [*pieces, lines]:
        part = image[line : line + piece]
        line += len(part)
        if len(part):
            found += cutter.push(part)
    return found + cutter.finish()


@settings(max_examples=200)
@given(st.integers(1, 400), st.lists(st.integers(1, 90), max_size=12))
def test_stretches_do_not_depend_on_the_frames(lines: int, pieces: list[int]) -> None:
    whole, piecewise = stretches(lines, []), stretches(lines, pieces)
    assert [(s.first_line, s.above, s.below, s.next_first_line) for s in whole] == [
        (s.first_line, s.above, s.below, s.next_first_line) for s in piecewise
    ]
    for a, b in zip(whole, piecewise, strict=True):
        np.testing.assert_array_equal(a.image, b.image)


@settings(max_examples=200)
@given(st.integers(1, 400))
def test_windows_are_those_of_the_finished_segment(lines: int) -> None:
    found = stretches(lines, [])
    plan = plan_windows(lines + 2 * TILING.halo_px, TILING)
    starts = [s.window_first_line + TILING.halo_px for s in found]
    assert starts == list(plan.starts)
    assert all(s.above + len(s.image) + s.below == plan.size for s in found)
    assert found[-1].next_first_line is None
    for stretch in found:
        np.testing.assert_array_equal(
            stretch.image[:, 0], np.arange(stretch.first_line, stretch.first_line + len(stretch.image)) % 256
        )


def test_nothing_in_nothing_out() -> None:
    assert BandCutter(TILING).finish() == []


def test_another_width_is_refused() -> None:
    cutter = BandCutter(TILING)
    cutter.push(np.zeros((4, 10), np.uint8))
    with pytest.raises(DataError, match="do not continue"):
        cutter.push(np.zeros((4, 11), np.uint8))


def test_memory_is_bounded() -> None:
    cutter = BandCutter(TILING)
    lines, width_px, pushes = 32, 1000, 200
    kept = bytes_kept_by(lambda: cutter.push(np.zeros((lines, width_px), np.uint8)), pushes)
    most_lines = TILING.tile_px + 2 * lines
    assert kept < width_px * most_lines + 20_000
    assert pushes * lines > 3 * most_lines
