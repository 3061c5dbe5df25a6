"""Figures of merit. AUROC and average precision are scikit-learn's; the per-region overlap is defined here."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]


def auroc(truth: Bools, score: Floats) -> float:
    """Area under the ROC curve of (n,) scores; NaN where only one of the two classes is present."""
    return float(roc_auc_score(truth, score)) if 0 < truth.sum() < truth.size else float("nan")


def average_precision(truth: Bools, score: Floats) -> float:
    """Average precision of (n,) scores; NaN where nothing is anomalous."""
    return float(average_precision_score(truth, score)) if truth.any() else float("nan")


def aupro(masks: Sequence[Bools], maps: Sequence[Floats], fpr_limit: float = 0.3) -> float:
    """Area under the per-region overlap curve up to a false positive rate, divided by that rate (Bergmann et al.,
    MVTec AD, IJCV 2021).

    Args:
        masks: (H, W) bool per picture; a region is what hangs together over edges and corners.
        maps: (H, W) float per picture.
        fpr_limit: share of good pixels up to which the curve counts.

    The overlap at a threshold is the share of a region's pixels that are at or above it, averaged over regions; equal
    scores are taken together. NaN where there is no region or no good pixel.
    """
    scores, is_good, overlap = [], [], []
    n_regions = 0
    for mask, anomaly in zip(masks, maps, strict=True):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        share = np.zeros(count)
        share[1:] = 1.0 / stats[1:, cv2.CC_STAT_AREA]
        scores.append(np.asarray(anomaly, np.float32).ravel())
        is_good.append(labels.ravel() == 0)
        overlap.append(share[labels.ravel()])
        n_regions += count - 1
    score, good = np.concatenate(scores), np.concatenate(is_good)
    if n_regions == 0 or not good.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    last_of_equal = np.append(np.diff(score[order]) != 0, True)
    fpr = np.append(0.0, (np.cumsum(good[order]) / good.sum())[last_of_equal])
    pro = np.append(0.0, (np.cumsum(np.concatenate(overlap)[order]) / n_regions)[last_of_equal])
    end = int(np.searchsorted(fpr, fpr_limit, side="right"))
    at_limit = np.interp(fpr_limit, fpr, pro)
    return float(np.trapezoid(np.append(pro[:end], at_limit), np.append(fpr[:end], fpr_limit)) / fpr_limit)
