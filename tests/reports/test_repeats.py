"""What repeats along a roll or runs in one lane: planted repeats are found with their figures, chance is not."""

from __future__ import annotations

import random

import pytest
from reports_tools import defect

from aoi_app.reports.cloth_defect import ClothDefect
from aoi_app.reports.repeats.chance import at_least, at_least_of_rate
from aoi_app.reports.repeats.periods import find_period
from aoi_app.reports.repeats.repeats import SURE, Repeat, find_repeats, repeat_text, sureness_text


def noise(count: int, seed: int, metres: float = 200.0, first: int = 1) -> list[ClothDefect]:
    rng = random.Random(seed)
    return [defect(n, at_m=rng.uniform(0, metres), across_mm=rng.uniform(0, 1490)) for n in range(first, first + count)]


def found(defects: list[ClothDefect], metres: float = 200.0) -> list[Repeat]:
    return find_repeats(defects, roll_m=metres, width_mm=1500)


def planted(period_m: float, across_mm: float, seed: int, *, seen: float = 0.8, of: int = 40) -> list[ClothDefect]:
    """A spot of a roller that is seen most of the times, a little beside its place."""
    rng = random.Random(seed)
    return [
        defect(1000 + n, at_m=3.0 + n * period_m + rng.gauss(0, 0.004), across_mm=across_mm + rng.gauss(0, 2))
        for n in range(of)
        if rng.random() < seen
    ]


@pytest.mark.parametrize("period_m", [0.64, 1.2566, 3.3])
def test_a_spot_of_a_roller_is_found_among_others_with_its_period_and_lane(period_m: float) -> None:
    spots = planted(period_m, 640.0, seed=1)
    best = found([*noise(150, seed=2), *spots])[0]
    assert best.is_lane
    assert best.period_m == pytest.approx(period_m, rel=0.002)
    assert best.left_mm - 10 <= 642 <= best.right_mm + 10
    assert len(set(best.numbers) & {d.number for d in spots}) >= 0.8 * len(spots)
    assert best.chance <= 1e-6
    assert f"every {best.period_m:.3f} m" in repeat_text(best)
    assert "million" in sureness_text(best)


def test_a_repeat_over_the_whole_width_is_found() -> None:
    """A bar that a print leaves anywhere across."""
    rng = random.Random(5)
    bars = [defect(n, at_m=1.0 + 0.8 * n, across_mm=rng.uniform(0, 1490)) for n in range(60)]
    best = found(bars)[0]
    assert not best.is_lane
    assert best.period_m == pytest.approx(0.8, rel=0.002)
    assert "anywhere across" in repeat_text(best)


def test_a_needle_that_fails_now_and_then_is_a_lane_without_a_period() -> None:
    rng = random.Random(7)
    needle = [defect(500 + n, at_m=rng.uniform(0, 200), across_mm=300 + rng.gauss(0, 1)) for n in range(25)]
    [lane] = found([*noise(100, seed=8), *needle])
    assert (lane.is_lane, lane.period_m) == (True, None)
    assert lane.left_mm - 1 <= 302.5 <= lane.right_mm + 1
    assert len(set(lane.numbers) & {d.number for d in needle}) >= 23
    assert "in a lane" in repeat_text(lane)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [10, 300])
def test_chance_is_not_called_a_repeat(count: int, seed: int) -> None:
    assert found(noise(count, seed)) == []


def test_one_bad_place_is_neither_a_lane_nor_a_period() -> None:
    rng = random.Random(3)
    burst = [defect(n, at_m=50 + rng.uniform(0, 0.6), across_mm=700 + rng.gauss(0, 4)) for n in range(40)]
    assert found([*burst, *noise(30, seed=4, first=100)]) == []


def test_rejected_defects_and_few_defects_say_nothing() -> None:
    spots = planted(1.0, 640.0, seed=1)
    assert found([ClothDefect(d.number, d.start_m, 5, 640, 5, None, "rejected") for d in spots]) == []
    assert found(spots[:5]) == []
    assert found([]) == []
    assert find_period([0.0] * 50) is None


def test_the_bounds_of_chance_are_bounds() -> None:
    """Beside the exact values."""
    assert 0.5**10 <= at_least(10, 10, 0.5) <= 1e-3
    assert 0.0547 <= at_least(8, 10, 0.5) <= 0.15
    assert (at_least(2, 10, 0.5), at_least_of_rate(1, 2.0), at_least_of_rate(3, 0.0)) == (1.0, 1.0, 0.0)
    assert 1.1e-7 <= at_least_of_rate(10, 1.0) <= 2e-6
    assert SURE < 0.01


def test_nothing_is_found_in_a_roll_full_of_defects() -> None:
    assert found(noise(5_000, seed=1, metres=500), 500) == []
