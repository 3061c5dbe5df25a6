"""Figures of merit. AUROC and average precision are scikit-learn's; the per-region overlap is defined here."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


def auroc(truth: Bools, score: Floats) -> float:
    """Area under the ROC curve of (n,) scores; NaN where only one of the two classes is present."""
    return float(roc_auc_score(truth, score)) if 0 < truth.sum() < truth.size else float("nan")


def average_precision(truth: Bools, score: Floats) -> float:
    """Average precision of (n,) scores; NaN where nothing is anomalous."""
    return float(average_precision_score(truth, score)) if truth.any() else float("nan")


def f1_max(truth: Bools, score: Floats) -> float:
    """The largest F1 that any threshold gives on (n,) scores; NaN where nothing is anomalous."""
    return _largest_f1(truth, score, None) if truth.any() else float("nan")


def mean_of_known(values: Sequence[float]) -> float:
    """Mean of those that are not NaN; NaN where none is."""
    known = [v for v in values if not math.isnan(v)]
    return float(np.mean(known)) if known else float("nan")


def _largest_f1(truth: Bools, score: npt.NDArray[np.generic], weight: npt.NDArray[np.float64] | None) -> float:
    precision, recall, _ = precision_recall_curve(truth, score, sample_weight=weight)
    return float(np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12)))


_BITS = 20  # sign, exponent and 11 bits of the mantissa: scores closer than one part in 2000 count as equal


class PixelScores:
    """Scores of the pixels of any number of maps, sorted into fixed fine bins: memory does not grow with the test set.

    The bins are those of the leading bits of a float32, so they are as fine relative to the score everywhere, and
    nothing has to be known about its range.
    """

    def __init__(self) -> None:
        self._good = np.zeros(1 << _BITS, np.int64)
        self._bad = np.zeros(1 << _BITS, np.int64)
        self._overlap = np.zeros(1 << _BITS, np.float64)
        self._regions = 0

    def add(self, mask: Bools, anomaly: Floats, counts: Bools | None = None) -> None:
        """Takes the map of one picture.

        Args:
            mask: (H, W) bool, where it is defective.
            anomaly: (H, W) float32 scores.
            counts: (H, W) bool, pixels that count; None means all. Defective pixels that do not count were not looked
                at, so they count as missed.
        """
        n, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        share = np.zeros(n)
        share[1:] = 1.0 / stats[1:, cv2.CC_STAT_AREA]
        looked_at = np.ones(mask.shape, np.bool_) if counts is None else counts
        score = np.where(looked_at, anomaly, -np.inf).astype(np.float32) + 0.0  # -0 and 0 are the same score
        for chosen, histogram in ((~mask & looked_at, self._good), (mask, self._bad)):
            index, number = np.unique(_bins(score[chosen]), return_counts=True)
            histogram[index] += number
        np.add.at(self._overlap, _bins(score[mask]), share[labels[mask]])
        self._regions += n - 1

    def auroc(self) -> float:
        """Area under the ROC curve over all pixels; NaN where only one of the two kinds is present."""
        truth, score, weight = self._points()
        return (
            float(roc_auc_score(truth, score, sample_weight=weight)) if 0 < truth.sum() < truth.size else float("nan")
        )

    def average_precision(self) -> float:
        """Average precision over all pixels; NaN where nothing is anomalous."""
        truth, score, weight = self._points()
        return float(average_precision_score(truth, score, sample_weight=weight)) if truth.any() else float("nan")

    def f1_max(self) -> float:
        """The largest F1 that any threshold gives; NaN where nothing is anomalous."""
        truth, score, weight = self._points()
        return _largest_f1(truth, score, weight) if truth.any() else float("nan")

    def aupro(self, fpr_limit: float = 0.3) -> float:
        """Area under the per-region overlap curve up to a false positive rate, divided by that rate (Bergmann et al.,
        MVTec AD, IJCV 2021).

        The overlap at a threshold is the share of a region's pixels that are at or above it, averaged over regions; a
        region is what hangs together over edges and corners. NaN where there is no region or no good pixel.
        """
        good = int(self._good.sum())
        if self._regions == 0 or good == 0:
            return float("nan")
        used = np.flatnonzero(self._good + self._bad)[::-1]
        fpr = np.append(0.0, np.cumsum(self._good[used]) / good)
        overlap = np.append(0.0, np.cumsum(self._overlap[used]) / self._regions)
        end = int(np.searchsorted(fpr, fpr_limit, side="right"))
        at_limit = np.interp(fpr_limit, fpr, overlap)
        area = np.trapezoid(np.append(overlap[:end], at_limit), np.append(fpr[:end], fpr_limit))
        return float(area / fpr_limit)

    def _points(self) -> tuple[Bools, npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The occupied bins as samples with weights: truth, order of the score, number of pixels."""
        good, bad = np.flatnonzero(self._good), np.flatnonzero(self._bad)
        truth = np.repeat([False, True], [len(good), len(bad)])
        return truth, np.append(good, bad), np.append(self._good[good], self._bad[bad]).astype(np.float64)


def _bins(score: Floats) -> npt.NDArray[np.int64]:
    """(n,) float32 -> (n,) bins in the order of the scores."""
    bits = np.ascontiguousarray(score, np.float32).view(np.uint32)
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return np.asarray(ordered >> np.uint32(32 - _BITS), dtype=np.int64)
