"""The threshold that keeps a wanted rate, from cloth that runs."""

import numpy as np
import pytest

from cras_core.web.calibration import block_peaks
from cras_core.web.running_tail import BLOCK_CELLS, LEAST_M2, RunningTail

CELL_M2 = (8 * 0.2e-3) ** 2


def cloth(rng: np.random.Generator, bands: int, scale: float = 0.12) -> list[np.ndarray]:
    """Bands of good cloth, 0.13 m2 each, whose largest scores fall off exponentially."""
    return [(0.3 + rng.exponential(scale, (64, 800))).astype(np.float32) for _ in range(bands)]


def taught(bands: list[np.ndarray], threshold: float = 100.0) -> RunningTail:
    tail = RunningTail("a")
    for band in bands:
        tail.add(band, CELL_M2, threshold)
    return tail


def exceeding(bands: list[np.ndarray], threshold: float) -> float:
    """Blocks per m2 that reach a threshold."""
    peaks = np.concatenate([block_peaks(b, BLOCK_CELLS) for b in bands])
    return float((peaks >= threshold).sum()) / (len(bands) * bands[0].size * CELL_M2)


@pytest.mark.parametrize("wanted", [100.0, 10.0, 1.0])
def test_a_wanted_rate_is_kept_on_cloth_that_comes_later(wanted: float) -> None:
    rng = np.random.default_rng(0)
    threshold = taught(cloth(rng, 60)).threshold(wanted)
    assert threshold is not None
    assert 0.3 * wanted < exceeding(cloth(rng, 120), threshold) < 1.5 * wanted


def test_before_enough_cloth_was_seen_there_is_no_threshold() -> None:
    rng = np.random.default_rng(1)
    tail = RunningTail("a")
    assert tail.threshold(1.0) is None
    while tail.area_m2 < LEAST_M2:
        assert tail.threshold(1.0) is None
        tail.add(cloth(rng, 1)[0], CELL_M2, 100.0)
    assert tail.threshold(1.0) is not None


def test_defects_do_not_raise_the_threshold() -> None:
    rng = np.random.default_rng(2)
    good = cloth(rng, 40)
    spoilt = [b.copy() for b in good]
    for band in spoilt[::2]:
        band[10:14, 100:110] = 9.0  # one defect in 0.26 m2
    plain, with_defects = taught(good, 2.0).threshold(1.0), taught(spoilt, 2.0).threshold(1.0)
    assert plain is not None
    assert with_defects == pytest.approx(plain, rel=0.03)


def test_a_burst_of_defects_does_not_count() -> None:
    rng = np.random.default_rng(3)
    tail = taught(cloth(rng, 40), 2.0)
    before, counts = tail.area_m2, tail.counts.copy()
    band = cloth(rng, 1)[0]
    band[:, ::20] = 9.0
    assert not tail.add(band, CELL_M2, 2.0)
    assert tail.area_m2 == before
    np.testing.assert_array_equal(tail.counts, counts)


def test_another_lot_is_followed_and_the_one_before_forgotten_slowly() -> None:
    rng = np.random.default_rng(4)
    tail = taught(cloth(rng, 20))
    calm = tail.threshold(1.0)
    for band in cloth(rng, 200, scale=0.2):
        tail.add(band, CELL_M2, 100.0)
    rough = tail.threshold(1.0)
    only_rough = taught(cloth(rng, 100, scale=0.2)).threshold(1.0)
    assert calm is not None
    assert rough is not None
    assert calm < 0.8 * rough
    assert rough == pytest.approx(only_rough, rel=0.1)


def test_what_another_model_has_scored_counts_for_little() -> None:
    rng = np.random.default_rng(5)
    tail = taught(cloth(rng, 120))
    before = tail.threshold(1.0)
    tail.scored_by("b")
    assert tail.area_m2 == pytest.approx(10.0)
    assert tail.threshold(1.0) == pytest.approx(before, rel=0.05)
    tail.scored_by("b")
    assert tail.area_m2 == pytest.approx(10.0)


def test_cloth_that_was_not_inspected_does_not_count() -> None:
    tail = RunningTail("a")
    assert not tail.add(np.full((64, 800), np.nan, np.float32), CELL_M2, 1.0)
    assert tail.area_m2 == 0.0
