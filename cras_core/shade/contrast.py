"""How much a span of values differs from what lies on both sides of it, at several sizes.

A span counts as far as it differs from *both* sides in the same direction: a step or a slope differs from one side
only, and a lamp that falls off towards the border is no stripe. What is found again and again along the same line is a
pattern of the cloth: a span scores by how far it stands out of the fourth strongest of its kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray

LEAST_SCORE = 0.5
"""Spans that score less are not told; half the limit is what regions are joined at."""


@dataclass(frozen=True, slots=True)
class SpanSize:
    """One size of spans, in cells.

    Attributes:
        cells: length of the span.
        side: length of what it is compared with, on each side.
        limit: contrast, a difference of logarithms, that scores 1.
    """

    cells: int
    side: int
    limit: float


@dataclass(frozen=True, slots=True)
class Span:
    """A place that stands out of a line of values.

    Attributes:
        first, end: its cells.
        contrast: difference of logarithms from the nearer of its two sides; negative is darker.
        score: 1 is the limit.
    """

    first: int
    end: int
    contrast: float
    score: float


def contrasts_of_spans(values: FloatArray, sizes: Sequence[SpanSize]) -> FloatArray:
    """The contrast of the span around every cell, for every size.

    Args:
        values: (..., n), NaN where nothing is known.
        sizes: of the spans.

    Returns:
        (sizes, ..., n) float32, NaN where the span or too much of a side is not known, 0 where the sides disagree.
    """
    sums = _Sums.of(values, max(s.cells + s.side for s in sizes))
    return np.stack([_contrast(sums, size) for size in sizes])


def strongest_spans(
    contrasts: FloatArray, sizes: Sequence[SpanSize], above_usual: float, least_score: float = LEAST_SCORE
) -> list[Span]:
    """The spans of one line that score enough, the strongest first; none overlaps another.

    Args:
        contrasts: (sizes, n) as of ``contrasts_of_spans``.
        sizes: of the spans.
        above_usual: times the fourth strongest of its kind that a span must reach to score 1.
        least_score: spans that score less are left out.
    """
    limits = np.array([[s.limit] for s in sizes])
    known = np.where(np.isfinite(contrasts), contrasts, 0.0)
    score = np.abs(known) / limits
    for k, size in enumerate(sizes):
        if score[k].max(initial=0.0) >= least_score:  # few lines have any
            score[k] = _beside_the_usual(known[k], size.limit, above_usual)
    cells = np.array([[s.cells] for s in sizes])
    first = np.arange(known.shape[1])[None, :] - cells // 2
    found = []
    while score.size:
        best = int(score.argmax())
        if score.flat[best] < least_score:
            break
        k, at = divmod(best, known.shape[1])
        a, b = int(first[k, at]), int(first[k, at]) + sizes[k].cells
        found.append(Span(a, b, float(known[k, at]), float(score[k, at])))
        score[(first < b) & (first + cells > a)] = 0.0
        # What is compared with a strong span seems to stand out itself.
        side = sizes[k].side
        score[(first < b + side) & (first + cells > a - side) & (score < _GHOST * found[-1].score)] = 0.0
    return found


_GHOST = 0.5  # share of a span's score below which a neighbour is not told
_PATTERN_REPEATS = 4  # so many alike are a pattern
_LEAST_SIDE_CELLS = 5


def _beside_the_usual(contrast: FloatArray, limit: float, above_usual: float) -> FloatArray:
    """(n,) contrasts of one size -> scores; the darker and the lighter have a limit each."""
    darker, lighter = (max(limit, above_usual * _fourth_peak(sign * contrast)) for sign in (-1, 1))
    return np.where(contrast < 0, -contrast / darker, contrast / lighter).astype(np.float32)


def _fourth_peak(height: FloatArray) -> float:
    """(n,) -> the fourth highest of the runs of positive values, by their peaks; 0 where there are fewer."""
    positive = height > 0
    starts = np.flatnonzero(positive[1:] & ~positive[:-1]) + 1
    if len(starts) < _PATTERN_REPEATS:
        return 0.0
    peaks = np.maximum.reduceat(np.where(positive, height, 0.0), starts)
    return float(np.partition(peaks, -_PATTERN_REPEATS)[-_PATTERN_REPEATS])


def _contrast(sums: _Sums, size: SpanSize) -> FloatArray:
    first, end = -(size.cells // 2), size.cells - size.cells // 2
    least = min(size.side, max(_LEAST_SIDE_CELLS, size.cells // 2))
    mean = sums.mean(first, end, size.cells)
    to_left = mean - sums.mean(first - size.side, first, least)
    to_right = mean - sums.mean(end, end + size.side, least)
    nearer = np.where(np.abs(to_left) < np.abs(to_right), to_left, to_right)
    return np.where(to_left * to_right < 0, np.float32(0.0), nearer + 0 * to_left * to_right)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums of the values before each cell, and how many of them are known, carried on by ``reach`` at both ends.

    Attributes:
        total, count: (..., n + 1 + 2 * reach).
        reach: cells that a mean may reach beyond an end.
    """

    total: npt.NDArray[np.float64]
    count: npt.NDArray[np.float32]
    reach: int

    @classmethod
    def of(cls, values: FloatArray, reach: int) -> _Sums:
        known = np.isfinite(values)
        total = np.cumsum(np.where(known, values, 0.0), axis=-1, dtype=np.float64)
        count = np.cumsum(known, axis=-1, dtype=np.float32)
        return cls(_carried_on(total, reach), _carried_on(count, reach), reach)

    def mean(self, first: int, end: int, least: int) -> FloatArray:
        """(..., n) mean over the cells ``first`` to ``end`` from each; NaN where fewer than ``least`` are known."""
        n = self.total.shape[-1] - 1 - 2 * self.reach
        a, b = slice(self.reach + first, self.reach + first + n), slice(self.reach + end, self.reach + end + n)
        count = self.count[..., b] - self.count[..., a]
        total = (self.total[..., b] - self.total[..., a]).astype(np.float32)
        mean = np.where(count >= least, total / np.maximum(count, 1), np.nan)
        return np.asarray(mean, dtype=np.float32)


def _carried_on(sums: npt.NDArray[Any], reach: int) -> npt.NDArray[Any]:
    """0 before the first cell, the last sum after the last one."""
    before = np.zeros((*sums.shape[:-1], reach + 1), sums.dtype)
    after = np.repeat(sums[..., -1:], reach, axis=-1)
    return np.concatenate([before, sums, after], axis=-1)
