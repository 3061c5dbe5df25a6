"""Figures of merit against their definitions, counted out slowly."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cras_core.evaluation.metrics import PixelScores, auroc, average_precision, f1_max

seeds = st.integers(0, 2**31)
sizes = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=4)
levels = st.sampled_from([2, 4, 1024])  # scores that differ by more than a bin


def pixels_of(masks: list[np.ndarray], maps: list[np.ndarray], counts: list[np.ndarray] | None = None) -> PixelScores:
    pixels = PixelScores()
    for i, (mask, anomaly) in enumerate(zip(masks, maps, strict=True)):
        pixels.add(mask, anomaly, None if counts is None else counts[i])
    return pixels


def some_maps(seed: int, shapes: list[tuple[int, int]], count: int, density: float) -> tuple[list, list]:
    """Masks, and scores of both signs with ties."""
    rng = np.random.default_rng(seed)
    masks = [rng.random(shape) < density for shape in shapes]
    return masks, [(rng.integers(-count, count, shape) / count).astype(np.float32) for shape in shapes]


def slow_aupro(masks: list[np.ndarray], maps: list[np.ndarray], counts: list[np.ndarray], limit: float) -> float:
    """One threshold after the other, one region after the other."""
    regions = []
    for i, mask in enumerate(masks):
        labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
        regions += [(i, labels == n) for n in range(1, count + 1)]
    goods = [~m & c for m, c in zip(masks, counts, strict=True)]
    total = sum(int(g.sum()) for g in goods)
    if not regions or not total:
        return math.nan
    curve = [(0.0, 0.0)]
    for threshold in [*sorted({float(v) for m in maps for v in m.ravel()}, reverse=True), -math.inf]:
        # What was not looked at is never reported, however low the threshold; at the very end all is.
        above = [(m >= threshold) & (c | (threshold == -math.inf)) for m, c in zip(maps, counts, strict=True)]
        fpr = sum(int((a & g).sum()) for a, g in zip(above, goods, strict=True)) / total
        pro = float(np.mean([above[i][region].mean() for i, region in regions]))
        curve.append((fpr, pro))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x0 >= limit:
            break
        end = min(x1, limit)
        if end > x0:
            at_end = y0 + (y1 - y0) * (end - x0) / (x1 - x0)
            area += (end - x0) * (y0 + at_end) / 2
    return area / limit


# The per-region overlap


@given(seeds, sizes, levels, st.sampled_from([0.02, 0.3, 1.0]), st.floats(0, 1))
def test_aupro_is_what_counting_gives(
    seed: int, shapes: list[tuple[int, int]], count: int, limit: float, density: float
) -> None:
    masks, maps = some_maps(seed, shapes, count, density)
    wanted = slow_aupro(masks, maps, [np.ones_like(m) for m in masks], limit)
    assert pixels_of(masks, maps).aupro(limit) == pytest.approx(wanted, abs=1e-9, nan_ok=True)


@given(seeds, sizes, levels, st.sampled_from([0.02, 0.3]), st.floats(0.1, 0.9), st.floats(0, 1))
def test_cloth_that_was_not_looked_at_is_no_false_positive_and_its_defects_are_missed(
    seed: int, shapes: list[tuple[int, int]], count: int, limit: float, density: float, looked_at: float
) -> None:
    masks, maps = some_maps(seed, shapes, count, density)
    counts = [np.random.default_rng([seed, 1]).random(shape) < looked_at for shape in shapes]
    wanted = slow_aupro(masks, maps, counts, limit)
    assert pixels_of(masks, maps, counts).aupro(limit) == pytest.approx(wanted, abs=1e-9, nan_ok=True)


def test_a_small_region_counts_as_much_as_a_large_one() -> None:
    mask = np.zeros((40, 40), bool)
    mask[2:30, 2:30] = True
    mask[35:37, 35:37] = True
    large, small = mask.copy(), mask.copy()
    large[31:], small[:31] = False, False
    for found in (large, small):
        aupro = pixels_of([mask], [found.astype(np.float32)]).aupro()
        assert aupro == pytest.approx(0.5 + 0.5 * 0.3 / 2)  # the other one comes with the rest of the picture


def test_regions_that_touch_at_a_corner_are_one() -> None:
    mask = np.zeros((6, 6), bool)
    mask[0:2, 0:2] = mask[2, 2] = True
    score = np.zeros((6, 6), np.float32)
    score[2, 2] = 1.0
    assert pixels_of([mask], [score]).aupro() == pytest.approx(0.2 + 0.8 * 0.3 / 2)


def test_a_perfect_map_has_figures_of_1_and_a_reversed_one_of_0() -> None:
    mask = np.zeros((20, 20), bool)
    mask[3:9, 4:8] = True
    perfect = pixels_of([mask], [mask.astype(np.float32)])
    for figure in (perfect.aupro(), perfect.auroc(), perfect.average_precision(), perfect.f1_max()):
        assert figure == pytest.approx(1.0)
    noise = np.random.default_rng(0).random((20, 20), np.float32)
    reversed_map = pixels_of([mask], [noise - 2 * mask.astype(np.float32)])
    assert reversed_map.aupro() == pytest.approx(0.0)
    assert reversed_map.auroc() == pytest.approx(0.0)


def test_a_picture_without_a_defect_only_adds_false_positives() -> None:
    mask = np.zeros((10, 10), bool)
    mask[:5] = True
    score = mask.astype(np.float32)
    assert pixels_of([mask], [score]).aupro() == pytest.approx(1.0)
    # 2 of 3 good pixels come first, far beyond the limit of 0.3.
    false = np.full((10, 10), 2.0, np.float32)
    assert pixels_of([mask, np.zeros((10, 10), bool)], [score, false]).aupro() == pytest.approx(0.0)


def test_figures_of_pixels_that_need_both_kinds_are_not_a_number_without() -> None:
    score = np.random.default_rng(0).random((4, 4), np.float32)
    none, all_of_it = pixels_of([np.zeros((4, 4), bool)], [score]), pixels_of([np.ones((4, 4), bool)], [score])
    for pixels in (none, all_of_it, PixelScores()):
        assert math.isnan(pixels.aupro())
        assert math.isnan(pixels.auroc())
    assert math.isnan(none.average_precision())
    assert math.isnan(none.f1_max())
    assert all_of_it.average_precision() == pytest.approx(1.0)
    assert all_of_it.f1_max() == pytest.approx(1.0)


# Pixels and single values


@settings(max_examples=50)
@given(seeds, sizes, levels, st.floats(0.1, 0.9))
def test_figures_of_pixels_are_those_of_their_values(
    seed: int, shapes: list[tuple[int, int]], count: int, density: float
) -> None:
    masks, maps = some_maps(seed, shapes, count, density)
    truth = np.concatenate([m.ravel() for m in masks])
    score = np.concatenate([m.ravel() for m in maps])
    pixels = pixels_of(masks, maps)
    assert pixels.auroc() == pytest.approx(auroc(truth, score), nan_ok=True)
    assert pixels.average_precision() == pytest.approx(average_precision(truth, score), nan_ok=True)
    assert pixels.f1_max() == pytest.approx(f1_max(truth, score), nan_ok=True)


@settings(max_examples=50)
@given(st.floats(width=32, allow_nan=False), st.floats(width=32, allow_nan=False))
def test_bins_keep_the_order_of_the_scores(a: float, b: float) -> None:
    low, high = sorted((a, b))
    pixels = pixels_of([np.array([[False, True]])], [np.array([[low, high]], np.float32)])
    assert pixels.auroc() >= 0.5
    if high - low > 1e-3 * max(abs(low), abs(high), 1e-30):
        assert pixels.auroc() == 1.0


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_bins_are_as_fine_for_small_scores_as_for_large_ones(scale: float) -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((100, 100)) < 0.2
    score = (scale * (rng.normal(size=(100, 100)) + 1.5 * truth)).astype(np.float32)
    pixels = pixels_of([truth], [score])
    assert pixels.auroc() == pytest.approx(auroc(truth.ravel(), score.ravel()), abs=1e-3)
    assert pixels.average_precision() == pytest.approx(average_precision(truth.ravel(), score.ravel()), abs=1e-3)


@given(seeds, st.integers(1, 30), st.integers(1, 30), st.sampled_from([2, 5, 1000]))
def test_auroc_is_the_share_of_pairs_in_the_right_order(seed: int, good: int, bad: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat([False, True], [good, bad]))
    score = rng.integers(0, count, good + bad).astype(np.float32)
    pairs = [(a > b) + 0.5 * (a == b) for a in score[truth] for b in score[~truth]]
    assert auroc(truth, score) == pytest.approx(float(np.mean(pairs)))


@given(seeds, st.integers(0, 20), st.integers(1, 20), st.sampled_from([2, 5, 1000]))
def test_average_precision_and_f1_go_through_all_thresholds(seed: int, good: int, bad: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.repeat([False, True], [good, bad]))
    score = rng.integers(0, count, good + bad).astype(np.float32)
    area = recall_before = best = 0.0
    for threshold in sorted(set(score.tolist()), reverse=True):
        above = score >= threshold
        recall, precision = truth[above].sum() / bad, truth[above].mean()
        area += (recall - recall_before) * precision
        recall_before = recall
        best = max(best, 2 * truth[above].sum() / (above.sum() + bad))
    assert average_precision(truth, score) == pytest.approx(area)
    assert f1_max(truth, score) == pytest.approx(best)


def test_figures_that_need_both_kinds_are_not_a_number_without() -> None:
    score = np.array([0.1, 0.2, 0.3], np.float32)
    assert math.isnan(auroc(np.zeros(3, bool), score))
    assert math.isnan(auroc(np.ones(3, bool), score))
    assert math.isnan(average_precision(np.zeros(3, bool), score))
    assert math.isnan(f1_max(np.zeros(3, bool), score))
    assert average_precision(np.ones(3, bool), score) == f1_max(np.ones(3, bool), score) == 1.0
