"""Stains: places that are darker or lighter than the cloth all around them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from cras_core.arrays import FloatArray
from cras_core.shade.config import CellScale, ShadeConfig, visible_percent

_SIZES_MM = (5.0, 10.0, 20.0, 40.0, 80.0)
_AROUND = 3  # times its size: what a place is compared with
_BOX = 0.72  # of its size; a soft border is matched by a box blurred by the same box
_LEAST_INSIDE = 0.95  # share of a place that must be cloth
_LEAST_AROUND = 0.6  # likewise, of what is around it
_ABOVE_NOISE = 6.0  # standard deviations of the cloth's own cloudiness, by its quartiles


@dataclass(frozen=True, slots=True)
class StainScores:
    """Of every cell of a piece of web, at the size of stain that scores most.

    Attributes:
        score: (rows, cols) float32, 1 is the limit; 0 without cloth.
        contrast: (rows, cols) float32 difference of logarithms from what is around; negative is darker.
    """

    score: FloatArray
    contrast: FloatArray


class Stains:
    """Scores pieces of one web."""

    def __init__(self, config: ShadeConfig, scale: CellScale) -> None:
        self._sizes = [
            _Size(scale.columns(_BOX * mm), scale.rows(_BOX * mm), visible_percent(config, mm) / 100.0)
            for mm in _SIZES_MM
        ]

    def score(self, residual: FloatArray, rows: slice) -> StainScores:
        """How much every place of some rows stands out.

        Args:
            residual: (n, cols) brightness less the profile across and less the level of the row; NaN without cloth.
            rows: those to score; the others surround them.
        """
        shape = (rows.stop - rows.start, residual.shape[1])
        best, contrast = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for size in self._sizes:
            reach = _AROUND * size.rows + 1
            first = max(0, rows.start - reach)
            seen = residual[first : rows.stop + reach]
            difference = _out_of_ring(seen, size)[rows.start - first :][: shape[0]]
            score = np.abs(difference) / max(size.limit, _ABOVE_NOISE * _spread(difference[difference != 0]))
            stronger = score > best
            best[stronger], contrast[stronger] = score[stronger], difference[stronger]
        return StainScores(best, contrast)


@dataclass(frozen=True, slots=True)
class _Size:
    """Of stains, cells, and the contrast that scores 1."""

    cols: int
    rows: int
    limit: float


def _out_of_ring(residual: FloatArray, size: _Size) -> FloatArray:
    """The mean of a place less that of the ring around it; 0 where too little of either is cloth."""
    known = np.isfinite(residual)
    value, counted = np.where(known, residual, np.float32(0.0)), known.astype(np.float32)
    inside, share = _blurred(value, counted, size.cols, size.rows)
    around, share_around = _blurred(value, counted, _AROUND * size.cols, _AROUND * size.rows)
    # The wide mean has the place itself in it.
    ring = (around - inside / _AROUND**2) / (1 - 1 / _AROUND**2)
    is_known = known & (share >= _LEAST_INSIDE) & (share_around >= _LEAST_AROUND)
    return np.where(is_known, inside - ring, np.float32(0.0))


def _blurred(value: FloatArray, known: FloatArray, cols: int, rows: int) -> tuple[FloatArray, FloatArray]:
    """Means over boxes of what is known, and its share."""
    box = (min(cols, value.shape[1]), min(rows, value.shape[0]))
    for _ in range(2):
        known = cv2.blur(known, box, borderType=cv2.BORDER_CONSTANT).astype(np.float32)
        value = cv2.blur(value, box, borderType=cv2.BORDER_CONSTANT).astype(np.float32)
    return (value / np.maximum(known, _LEAST_AROUND)).astype(np.float32), known


def _spread(values: FloatArray) -> float:
    """Standard deviation by the quartiles, so that stains do not count; 0 of nothing."""
    if len(values) == 0:
        return 0.0
    low, high = np.quantile(values[:: max(1, len(values) // 4096)], (0.25, 0.75))
    return float(high - low) / 1.349
