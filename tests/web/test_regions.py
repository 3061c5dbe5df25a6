"""Scores become regions, the same whether they arrive at once or row by row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cras_core.errors import ConfigError
from cras_core.web.regions import Region, RegionConfig, RegionTracker, regions_in, shape_of


def blank(rows: int = 60, cols: int = 80) -> np.ndarray:
    return np.zeros((rows, cols), np.float32)


def key(region: Region) -> tuple[object, ...]:
    return (
        region.first_row,
        region.end_row,
        region.first_col,
        region.end_col,
        round(region.peak, 4),
        region.area_cells,
    )


def streamed(score: np.ndarray, pieces: list[int], config: RegionConfig) -> list[Region]:
    tracker, found, row = RegionTracker(config), [], 0
    for piece in [*pieces, len(score)]:
        part = score[row : row + piece]
        row += len(part)
        if len(part):
            found += tracker.push(part, part)
    return found + tracker.finish()


@settings(max_examples=80)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 20), max_size=10), st.floats(0.7, 0.99))
def test_streaming_finds_the_same_regions(seed: int, pieces: list[int], density: float) -> None:
    rng = np.random.default_rng(seed)
    score = np.where(rng.random((50, 40)) > density, 1 + rng.random((50, 40)) * 3, 0).astype(np.float32)
    config = RegionConfig(1.0, core=0.0)
    assert sorted(map(key, streamed(score, pieces, config))) == sorted(map(key, regions_in(score, score, config)))


def test_one_place_is_one_region() -> None:
    score = blank()
    score[10:14, 20:26] = 2.0
    score[12, 22] = 3.0
    (region,) = regions_in(score, score * 10, RegionConfig(1.0))
    assert (region.first_row, region.end_row, region.first_col, region.end_col) == (10, 14, 20, 26)
    assert (region.peak, region.peak_row, region.peak_col, region.raw_peak) == (3.0, 12, 22, 30.0)
    assert region.area_cells == 24
    assert not region.is_open


def test_a_defect_of_metres_is_one_region() -> None:
    score = blank(2000)
    score[100:1900, 30:32] = 2.0
    (region,) = streamed(score, [56] * 40, RegionConfig(1.0))
    assert (region.first_row, region.end_row, region.area_cells) == (100, 1900, 3600)


def test_a_long_defect_is_reported_while_it_runs_and_keeps_its_number() -> None:
    score = blank(500)
    score[50:400, 30:32] = 2.0
    tracker, numbers, closed = RegionTracker(RegionConfig(1.0)), set(), []
    for row in range(0, 500, 50):
        closed += tracker.push(score[row : row + 50], score[row : row + 50])
        for region in tracker.open_regions(at_least_rows=60):
            assert region.is_open
            numbers.add(region.number)
    assert len(numbers) == 1
    assert [r.number for r in closed] == list(numbers)


def test_pieces_close_together_are_joined_and_others_are_not() -> None:
    score = blank()
    score[10, 10] = score[10, 13] = 2.0  # two cells in between
    score[30, 10] = score[30, 14] = 2.0  # three
    assert sorted(r.area_cells for r in regions_in(score, score, RegionConfig(1.0, reach_cells=1))) == [1, 1, 2]


def test_regions_that_meet_later_become_one_and_say_so() -> None:
    score = blank(200)
    score[20:100, 20:22] = score[20:100, 40:42] = 2.0
    score[100:102, 20:42] = 2.0
    tracker = RegionTracker(RegionConfig(1.0))
    for row in range(0, 90, 30):
        tracker.push(score[row : row + 30], score[row : row + 30])
    before = {r.number for r in tracker.open_regions(at_least_rows=10)}
    closed = tracker.push(score[90:], score[90:]) + tracker.finish()
    assert len(before) == 2
    assert len(closed) == 1
    assert {closed[0].number, *closed[0].absorbed} == before


def test_the_glow_around_a_strong_defect_is_not_measured() -> None:
    score = blank()
    score[18:27, 28:37] = 1.5
    score[22, 32] = 9.0
    (region,) = regions_in(score, score, RegionConfig(1.0, core=0.4))
    assert region.area_cells == 1
    assert regions_in(score, score, RegionConfig(1.0, core=0.0))[0].area_cells == 81


def test_a_low_threshold_does_not_melt_everything_into_one() -> None:
    rng = np.random.default_rng(0)
    score = (0.45 + 0.1 * rng.random((60, 80))).astype(np.float32)
    score[10:13, 10:13] = 1.6
    score[40:43, 60:63] = 1.2
    found = regions_in(score, score, RegionConfig(0.3))
    strong = [r for r in found if r.peak > 1.1]
    assert len(strong) == 2
    assert all(r.end_row - r.first_row < 8 for r in strong)


def test_above_the_limit_nothing_is_split() -> None:
    score = blank()
    score[10:12, 10:60] = 1.1
    score[10:12, 20] = score[10:12, 50] = 8.0
    assert len(regions_in(score, score, RegionConfig(1.0, core=0.0))) == 1
    assert len(regions_in(score, score, RegionConfig(0.2, core=0.0))) == 1


def test_a_defect_whose_score_dips_stays_one() -> None:
    score = blank()
    score[20, 5:45] = 0.6
    score[20, 5:45:6] = 1.3  # seven peaks over a bar
    (region,) = regions_in(score, score, RegionConfig(1.0))
    assert (region.first_col, region.end_col) == (5, 45)


@given(st.integers(0, 200), st.floats(1.0, 4.0), st.floats(1.0, 4.0))
def test_a_higher_threshold_only_leaves_regions_out(seed: int, a: float, b: float) -> None:
    low, high = sorted((a, b))
    rng = np.random.default_rng(seed)
    score = np.where(rng.random((40, 40)) < 0.1, rng.exponential(1.2, (40, 40)), 0.1).astype(np.float32)
    boxes = {
        t: {(r.first_row, r.first_col, r.end_row, r.end_col, r.peak) for r in regions_in(score, score, RegionConfig(t))}
        for t in (low, high)
    }
    assert boxes[high] == {box for box in boxes[low] if box[-1] >= high}


def test_what_never_reaches_the_threshold_is_no_region() -> None:
    score = blank()
    score[10:20, 10:20] = 0.9
    assert regions_in(score, score, RegionConfig(1.0)) == []
    tracker = RegionTracker(RegionConfig(1.0))
    assert tracker.push(score, score) == []
    assert tracker.open_regions(at_least_rows=0) == []
    assert tracker.finish() == []


def test_unknown_cells_belong_to_nothing() -> None:
    score = blank()
    score[10:20] = np.nan
    assert regions_in(score, score, RegionConfig(0.5)) == []


def test_the_threshold_may_change_while_the_web_runs() -> None:
    score = blank(20)
    score[5, 5] = 1.5
    tracker = RegionTracker(RegionConfig(1.0))
    tracker.push(score, score)
    tracker.threshold = 2.0
    tracker.push(score, score)
    assert len(tracker.finish()) == 0
    assert tracker.threshold == 2.0


def test_a_region_that_grows_too_large_is_closed() -> None:
    score = np.full((100, 50), 2.0, np.float32)
    tracker = RegionTracker(RegionConfig(1.0, most_cells=1000))
    closed = [r for row in range(0, 100, 10) for r in tracker.push(score[row : row + 10], score[row : row + 10])]
    assert len(closed) >= 3
    total = sum(r.area_cells for r in closed + tracker.finish())
    assert total == 5000


def test_extents_follow_the_shape() -> None:
    score = blank()
    for i in range(10):
        score[10 + i, 20 + 2 * i : 22 + 2 * i] = 2.0
    (region,) = regions_in(score, score, RegionConfig(1.0, core=0.0))
    np.testing.assert_array_equal(region.extents, [[20 + 2 * i, 22 + 2 * i] for i in range(10)])


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ConfigError):
        RegionConfig(threshold=0.0)


@pytest.mark.parametrize(
    ("length_mm", "width_mm", "shape"),
    [
        (6.0, 6.0, "point"),
        (6.0, 0.1, "point"),
        (6.1, 2.0, "block"),
        (8.0, 2.0, "line"),
        (7.9, 2.0, "block"),
        (2.0, 8.0, "line"),
        (300.0, 0.0, "line"),
        (200.0, 150.0, "block"),
    ],
)
def test_the_three_shapes_of_the_trade(length_mm: float, width_mm: float, shape: str) -> None:
    assert shape_of(length_mm, width_mm) == shape


@pytest.mark.parametrize("core", [0.0, 0.5])
def test_what_remains_when_the_glow_is_taken_off(core: float) -> None:
    score = blank()
    score[20, 20:30] = 1.2
    score[20, 20] = 4.0
    (region,) = regions_in(score, score, RegionConfig(1.0, core=core))
    assert region.end_col == 30
    assert region.area_cells == (10 if core == 0.0 else 6), "within four cells of the peak all is its glow"
