"""Limits keep what they promise: they are exceeded on normal cloth about as often as was asked for."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cras_core.errors import ConfigError, DataError
from cras_core.web.calibration import (
    CalibrationConfig,
    FabricCalibration,
    absolute_score,
    block_peaks,
    calibrated_score,
    tail_threshold,
)

GOOD = FabricCalibration("denim", 0.1, 0.8, 4.0, 3.5, 2.0, 1.5)


@given(
    st.lists(st.floats(-50, 50), min_size=8, max_size=60),
    st.floats(0.01, 100),
    st.lists(st.floats(1e-6, 1e4), min_size=2, max_size=6),
)
def test_a_rarer_alarm_never_has_a_lower_limit(peaks: list[float], area: float, rates: list[float]) -> None:
    limits = [tail_threshold(np.array(peaks), area, rate) for rate in sorted(rates)]
    assert all(math.isfinite(limit) for limit in limits)
    assert all(a >= b - 1e-9 for a, b in pairwise(limits))


@given(st.permutations(range(12)), st.floats(0.01, 30))
def test_the_order_of_the_pieces_does_not_matter(order: list[int], rate: float) -> None:
    peaks = np.random.default_rng(0).exponential(size=12)
    assert tail_threshold(peaks[order], 1.0, rate) == tail_threshold(peaks, 1.0, rate)


@given(st.floats(0.1, 10), st.floats(-5, 5), st.floats(0.01, 30))
def test_the_limit_moves_with_the_scores(scale: float, shift: float, rate: float) -> None:
    peaks = np.random.default_rng(1).exponential(size=40)
    limit = tail_threshold(peaks, 1.0, rate)
    assert tail_threshold(scale * peaks + shift, 1.0, rate) == pytest.approx(scale * limit + shift, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("per_thousand", [300.0, 100.0, 10.0, 1.0, 0.1])
def test_normal_cloth_exceeds_the_limit_about_as_often_as_wanted(per_thousand: float) -> None:
    rng = np.random.default_rng(4)
    piece_m2 = 0.02
    rate = per_thousand / 1000 / piece_m2
    peaks = 1.0 + 0.5 * rng.exponential(size=1000)
    limit = tail_threshold(peaks, len(peaks) * piece_m2, rate)
    fresh = 1.0 + 0.5 * rng.exponential(size=2_000_000)
    observed = float((fresh > limit).mean())
    assert per_thousand / 1000 / 3 < observed < per_thousand / 1000 * 1.2


def test_little_cloth_makes_for_a_higher_threshold_and_not_for_broken_promises() -> None:
    rng = np.random.default_rng(5)
    piece_m2, rate = 0.02, 0.01 / 0.02  # one alarm in a hundred pieces is promised
    broken = 0
    for _ in range(300):
        limit = tail_threshold(rng.exponential(size=40), 40 * piece_m2, rate)
        broken += math.exp(-limit) > 0.01  # how often an exponential score exceeds it
    assert broken / 300 < 0.25


@pytest.mark.parametrize("per_thousand", [10.0, 1.0, 0.1])
def test_only_the_upper_fifth_of_the_peaks_says_how_the_tail_goes_on(per_thousand: float) -> None:
    rng = np.random.default_rng(4)
    body, tail = rng.uniform(-50, 0, 4000), rng.exponential(size=1000)
    limit = tail_threshold(np.concatenate([body, tail]), 5000.0, per_thousand / 1000)
    # One piece in five lies in the tail, so the level is ln(1000 / per_thousand / 5) mean excesses above its beginning.
    assert limit == pytest.approx(np.log(200 / per_thousand), rel=0.1)


def test_within_the_data_the_limit_is_a_peak() -> None:
    peaks = np.arange(100.0)
    limit = tail_threshold(peaks, 100.0, 0.5)
    assert (peaks > limit).sum() == 50


def test_the_tail_begins_where_the_data_end() -> None:
    peaks = np.random.default_rng(2).exponential(size=100)
    inside, beyond = tail_threshold(peaks, 100.0, 0.2), tail_threshold(peaks, 100.0, 0.2 - 1e-9)
    assert inside == pytest.approx(beyond, abs=1e-6)


@pytest.mark.parametrize("count", range(8))
def test_too_few_pieces_are_refused(count: int) -> None:
    with pytest.raises(DataError, match=f"{count} pieces of normal cloth are too few"):
        tail_threshold(np.ones(count), 1.0, 1.0)


def test_eight_equal_pieces_are_enough() -> None:
    assert tail_threshold(np.full(8, 3.0), 1.0, 0.1) == 3.0


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.floats(0, 1), st.integers(0, 2**31))
def test_peaks_are_the_largest_of_blocks_that_are_mostly_cloth(
    rows: int, cols: int, block: int, hidden: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    score = rng.random((rows, cols), np.float32)
    score[rng.random(score.shape) < hidden] = np.nan
    wanted = []
    for band in np.array_split(np.arange(rows), max(1, rows // block)):
        for part in np.array_split(np.arange(cols), max(1, cols // block)):
            values = score[np.ix_(band, part)].ravel().tolist()
            known = [v for v in values if not math.isnan(v)]
            if len(known) > len(values) / 2:
                wanted.append(max(known))
    assert block_peaks(score, block).tolist() == wanted


def test_cloth_that_nobody_scored_has_no_peaks() -> None:
    assert len(block_peaks(np.full((32, 32), np.nan, np.float32), 16)) == 0


def test_every_score_belongs_to_a_block() -> None:
    for place in ((0, 0), (36, 49), (0, 49), (36, 0)):
        score = np.zeros((37, 50), np.float32)
        score[place] = 1.0
        assert block_peaks(score, 16).max() == 1.0


@pytest.mark.parametrize("field", ["centre", "spread", "limit", "raw_limit"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_calibration_that_is_not_a_number_is_refused(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"{field} must be a finite number, not (nan|inf)"):
        dataclasses.replace(GOOD, **{field: value})


@pytest.mark.parametrize("field", ["spread", "limit"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_spread_and_limit_are_positive(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"{field} must be more than 0, not {value}"):
        dataclasses.replace(GOOD, **{field: value})


def test_what_is_flagged_lies_above_what_is_usual() -> None:
    with pytest.raises(ConfigError, match="denim: the calibration is not usable"):
        dataclasses.replace(GOOD, raw_limit=GOOD.centre)


@pytest.mark.parametrize(
    "values",
    [
        {"false_alarms_per_m2": 0.0},
        {"false_alarms_per_m2": -1.0},
        {"mm_per_px": 0.0},
        {"held_back": 0.0},
        {"held_back": 0.51},
        {"false_alarms_per_m2": math.nan},
        {"mm_per_px": math.nan},
    ],
)
def test_what_limits_are_made_for_is_checked(values: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="calibration"):
        CalibrationConfig(**values)


# What a score is


def kinds_of(*raw: float) -> np.ndarray:
    """Two kinds of score of one row of cells; their mean is ``raw``."""
    mean = np.array([raw], np.float32)
    return np.stack([mean - 0.5, mean + 0.5])


def test_the_absolute_limit_is_counted_in_spreads_above_the_centre() -> None:
    assert GOOD.absolute_limit == pytest.approx((3.5 - 0.1) / 0.8)
    assert GOOD.limit_of(is_relative=True) == 4.0
    assert GOOD.limit_of(is_relative=False) == GOOD.absolute_limit
    np.testing.assert_allclose(GOOD.absolute_map(np.array([0.1, 3.5, 6.9])), [0.0, 1.0, 2.0], rtol=1e-6)


def test_what_stands_twenty_spreads_out_alarms_whatever_the_web_is_like() -> None:
    score = absolute_score(kinds_of(0.1, 0.1 + 20 * 0.8, 0.1 + 40 * 0.8), GOOD)
    np.testing.assert_allclose(score, [[0.0, 1.0, 2.0]], atol=1e-6)


def test_cloth_whose_good_pieces_reach_far_needs_two_and_a_half_times_that() -> None:
    coarse = dataclasses.replace(GOOD, raw_limit=0.1 + 10 * 0.8)  # good cloth reaches ten spreads
    score = absolute_score(kinds_of(0.1 + 20 * 0.8, 0.1 + 25 * 0.8), coarse)
    np.testing.assert_allclose(score, [[0.8, 1.0]], atol=1e-6)


def test_the_score_is_the_relative_one_by_its_place_or_the_absolute_one_if_that_is_more() -> None:
    relative = np.array([[4.0, 4.0, 1.0, np.nan]], np.float32)
    kinds = kinds_of(0.1, 0.1, 0.1 + 20 * 0.8, np.nan)
    places = np.array([[1.0, 2.0, 1.0, 1.0]], np.float32)
    np.testing.assert_allclose(
        calibrated_score(relative, kinds, GOOD, 4.0, places), [[1.0, 0.5, 1.0, np.nan]], rtol=1e-6
    )
    np.testing.assert_allclose(calibrated_score(relative, kinds, GOOD, 4.0)[0, :2], [1.0, 1.0])


def test_a_calibration_is_written_without_what_says_nothing_and_read_again() -> None:
    plain = GOOD.to_dict()
    assert {"own_distances", "similarity_limit", "own_similarity", "own_level", "enrolled_quickly"}.isdisjoint(plain)
    full = dataclasses.replace(
        GOOD, own_distances=(0.1, 0.2), similarity_limit=0.4, own_similarity=0.9, own_level=0.2, enrolled_quickly=True
    )
    assert FabricCalibration(**full.to_dict()) == full
    assert FabricCalibration(**plain) == GOOD
