"""What decides is how far a place stands out of the web around it."""

import numpy as np
import pytest
from memory_tools import bytes_kept_by

from cras_core.errors import ConfigError
from cras_core.web.baseline import BaselineConfig, RunningBaseline

CELL = 8


def web(rng: np.random.Generator, rows: int = 56, cols: int = 300, level: float = 0.0) -> np.ndarray:
    return (level + rng.standard_normal((rows, cols))).astype(np.float32)


def test_a_brighter_roll_scores_the_same() -> None:
    rng = np.random.default_rng(0)
    raw = web(rng)
    a = RunningBaseline(BaselineConfig(), CELL).relate(raw, 0.0, 1.35, 10.0)
    b = RunningBaseline(BaselineConfig(prior_cells=0), CELL).relate(raw + 7, 0.0, 1.35, 10.0)
    np.testing.assert_allclose(a.score, b.score, atol=0.02)


def test_light_that_falls_off_across_the_web_does_not_score() -> None:
    raw = web(np.random.default_rng(1)) + np.linspace(0, 6, 300, dtype=np.float32)
    score = RunningBaseline(BaselineConfig(), CELL).relate(raw, 0.0, 1.35, 10.0).score
    assert abs(float(score[:, 20:60].mean()) - float(score[:, 240:280].mean())) < 0.4


def test_a_running_defect_of_metres_does_not_become_the_norm() -> None:
    rng, reference = np.random.default_rng(2), RunningBaseline(BaselineConfig(), CELL)
    peaks = []
    for _ in range(40):
        raw = web(rng)
        raw[:, 100:106] += 12
        peaks.append(float(np.median(reference.relate(raw, 0.0, 1.35, 5.0).score[:, 100:106])))
    assert min(peaks) > 6
    assert abs(peaks[-1] - peaks[0]) < 0.5


def test_a_defect_across_the_whole_web_does_not_become_the_norm() -> None:
    rng, reference = np.random.default_rng(3), RunningBaseline(BaselineConfig(), CELL)
    for _ in range(3):
        reference.relate(web(rng), 0.0, 1.35, 5.0)
    stretches = BaselineConfig().memory_lines // (56 * CELL) - 1
    peaks = [float(np.median(reference.relate(web(rng, level=12.0), 0.0, 1.35, 5.0).score)) for _ in range(stretches)]
    assert min(peaks) > 6


def test_another_lot_after_a_seam_becomes_the_norm_after_the_memory() -> None:
    rng, reference = np.random.default_rng(3), RunningBaseline(BaselineConfig(memory_lines=1000), CELL)
    for _ in range(3):
        reference.relate(web(rng), 0.0, 1.35, 5.0)
    peaks = [float(np.median(reference.relate(web(rng, level=12.0), 0.0, 1.35, 5.0).score)) for _ in range(6)]
    assert peaks[0] > 6
    assert abs(peaks[-1]) < 1


def test_slow_drift_is_followed() -> None:
    rng, reference = np.random.default_rng(4), RunningBaseline(BaselineConfig(), CELL)
    last = [float(np.median(reference.relate(web(rng, level=0.05 * i), 0.0, 1.35, 5.0).score)) for i in range(200)][-1]
    assert last < 0.6


def test_very_little_cloth_leans_on_the_calibration() -> None:
    raw = np.full((2, 4), 3.0, np.float32)
    score = RunningBaseline(BaselineConfig(prior_cells=200), CELL).relate(raw, 0.0, 1.0, 5.0).score
    assert float(score.min()) > 2.5


def test_what_is_not_cloth_stays_unknown() -> None:
    raw = web(np.random.default_rng(5))
    raw[:, :50] = np.nan
    score = RunningBaseline(BaselineConfig(), CELL).relate(raw, 0.0, 1.35, 5.0).score
    assert np.isnan(score[:, :50]).all()
    assert np.isfinite(score[:, 50:]).all()


def test_no_cloth_at_all() -> None:
    result = RunningBaseline(BaselineConfig(), CELL).relate(np.full((4, 5), np.nan, np.float32), 1.0, 2.0, 5.0)
    assert np.isnan(result.score).all()


def test_switched_off_means_as_calibrated() -> None:
    raw = web(np.random.default_rng(6), level=4.0)
    result = RunningBaseline(BaselineConfig(enabled=False), CELL).relate(raw, 1.0, 2.0, 5.0)
    np.testing.assert_allclose(result.score, (raw - 1) / 2, rtol=1e-5)


MEMORY_LINES = 1000
BANDS_IN_MEMORY = 3  # of 56 cells of 8 px: the fewest that hold so many lines
NOTHING_FLAGGED = 1e9


def test_only_the_cloth_seen_lately_counts() -> None:
    """What has come long ago changes nothing, to the last digit, however much it was."""
    rng = np.random.default_rng(7)
    lately = [web(rng) for _ in range(BANDS_IN_MEMORY + 1)]
    long_ago, fresh = (RunningBaseline(BaselineConfig(memory_lines=MEMORY_LINES), CELL) for _ in range(2))
    for _ in range(20):
        long_ago.relate(web(rng, level=3.0), 0.0, 1.35, NOTHING_FLAGGED)
    for band in lately:
        from_long_ago = long_ago.relate(band, 0.0, 1.35, NOTHING_FLAGGED)
    for band in lately:
        from_fresh = fresh.relate(band, 0.0, 1.35, NOTHING_FLAGGED)
    np.testing.assert_array_equal(from_long_ago.score, from_fresh.score)
    assert from_long_ago.spread == from_fresh.spread


def test_the_cloth_of_the_whole_memory_counts() -> None:
    """One band of the memory that is brighter moves the centre of the last one."""
    rng = np.random.default_rng(7)
    bands = [web(rng) for _ in range(BANDS_IN_MEMORY + 1)]
    peaks = []
    for level in (0.0, 3.0):
        reference = RunningBaseline(BaselineConfig(memory_lines=MEMORY_LINES), CELL)
        for band in [bands[0] + np.float32(level), *bands[1:]]:
            score = reference.relate(band, 0.0, 1.35, NOTHING_FLAGGED).score
        peaks.append(float(np.median(score)))
    assert peaks[1] < peaks[0] - 0.1


def test_memory_is_bounded() -> None:
    rng, reference = np.random.default_rng(7), RunningBaseline(BaselineConfig(memory_lines=MEMORY_LINES), CELL)
    band = web(rng)
    bands = 3 * BANDS_IN_MEMORY
    kept = bytes_kept_by(lambda: reference.relate(band, 0.0, 1.35, NOTHING_FLAGGED), bands)
    assert kept < (BANDS_IN_MEMORY + 1) * band.nbytes + 20_000


def test_a_web_of_another_width_starts_anew() -> None:
    rng, reference = np.random.default_rng(8), RunningBaseline(BaselineConfig(), CELL)
    reference.relate(web(rng), 0.0, 1.35, 5.0)
    assert reference.relate(web(rng, cols=200), 0.0, 1.35, 5.0).score.shape == (56, 200)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ConfigError):
        BaselineConfig(block_px=8)


@pytest.mark.parametrize("offset", [-12.0, 8.0, 40.0])
def test_a_roll_far_from_the_calibrated_cloth_scores_the_same_everywhere(offset: float) -> None:
    rng = np.random.default_rng(5)
    raw = rng.normal(size=(32, 400)).astype(np.float32)
    raw[:, :42] = raw[:, -30:] = np.nan  # the outermost stripes hold little cloth
    near = RunningBaseline(BaselineConfig(), 8).relate(raw, 0.0, 1.35, 6.0).score
    far = RunningBaseline(BaselineConfig(), 8).relate(raw + np.float32(offset), 0.0, 1.35, 6.0).score
    cloth = np.isfinite(raw)
    by_column = np.nanmedian((far - near)[:, cloth.any(axis=0)], axis=0)
    # What is left is the pull of the calibrated centre on the web as a whole, the same in every column.
    assert np.ptp(by_column) < 0.005 * abs(offset)
    assert abs(by_column).max() < 0.02 * abs(offset)


def test_the_median_features_are_those_of_most_of_the_bands_seen_lately() -> None:
    reference = RunningBaseline(BaselineConfig(memory_lines=MEMORY_LINES), CELL)
    usual, other = np.array([1.0, 2.0], np.float32), np.array([9.0, -9.0], np.float32)
    for _ in range(20):
        assert np.array_equal(features_after(reference, usual), usual)
    assert np.array_equal(features_after(reference, other), usual)  # one of three
    assert np.array_equal(features_after(reference, other), other)  # two of three: the twenty before are forgotten
    reference.forget()
    assert np.array_equal(features_after(reference, usual), usual)


def features_after(reference: RunningBaseline, here: np.ndarray) -> np.ndarray:
    found = reference.median_features(here, 448)
    assert found is not None
    return found


@pytest.mark.parametrize("config", [BaselineConfig(enabled=False), BaselineConfig(align=False)])
def test_features_stay_where_they_are_when_they_are_not_to_be_shifted(config: BaselineConfig) -> None:
    assert RunningBaseline(config, CELL).median_features(np.ones(3, np.float32), 448) is None


def test_each_kind_of_score_is_related_on_its_own_and_the_mean_counts() -> None:
    rng = np.random.default_rng(6)
    one, other = web(rng), 30.0 + 5.0 * web(rng)
    one[20, 100] += 12
    other[20, 100] += 60
    apart = [RunningBaseline(BaselineConfig(), CELL).relate(m, 0.0, 1.35, 9.0).score for m in (one, other)]
    together = RunningBaseline(BaselineConfig(), CELL).relate(np.stack([one, other]), 0.0, 1.35, 9.0).score
    np.testing.assert_allclose(together, np.mean(apart, axis=0), rtol=0, atol=1e-4)
    assert together[20, 100] == together.max()


def test_calm_cloth_is_counted_in_half_the_usual_spread_at_least() -> None:
    """Or the ripples of a web without any noise would be defects."""
    calm = 0.01 * web(np.random.default_rng(8))
    calm[20, 150] = 3.0
    found = RunningBaseline(BaselineConfig(prior_cells=0), CELL).relate(calm, 0.0, 4.0, 10.0)
    assert found.spread == 2.0
    assert found.score[20, 150] == pytest.approx(1.5, abs=0.02)


def test_where_little_cloth_is_seen_the_usual_centre_holds() -> None:
    config = BaselineConfig()
    little, much = np.full((1, 40), 5.0, np.float32), np.full((400, 40), 5.0, np.float32)
    by_little = RunningBaseline(config, CELL).relate(little, 0.0, 1.0, 1e9).score
    by_much = RunningBaseline(config, CELL).relate(much, 0.0, 1.0, 1e9).score
    weight = 40 / (40 + config.prior_cells)
    prior = weight * 5.0
    centre = weight * 5.0 + (1 - weight) * prior  # the web's own, drawn towards the calibrated one twice
    assert float(by_little.mean()) == pytest.approx((5.0 - centre) / 0.5, rel=1e-3)
    assert abs(float(by_much.mean())) < 0.1


def test_what_is_forgotten_does_not_count_for_the_memory_that_follows() -> None:
    rng, config = np.random.default_rng(9), BaselineConfig(memory_lines=2000)
    used, fresh = RunningBaseline(config, CELL), RunningBaseline(config, CELL)
    for _ in range(6):
        used.relate(web(rng), 0.0, 1.35, 5.0)
    used.forget()
    for k in range(12):
        band = web(rng, level=0.3 * k)
        np.testing.assert_array_equal(used.relate(band, 0.0, 1.35, 5.0).score, fresh.relate(band, 0.0, 1.35, 5.0).score)


def test_the_memory_of_another_width_is_not_mixed_with_the_new_one() -> None:
    rng = np.random.default_rng(10)
    used, fresh = (RunningBaseline(BaselineConfig(), CELL) for _ in range(2))
    used.relate(web(rng, cols=300, level=9.0), 0.0, 1.35, 5.0)
    band = web(rng, cols=200)
    np.testing.assert_array_equal(used.relate(band, 0.0, 1.35, 5.0).score, fresh.relate(band, 0.0, 1.35, 5.0).score)
