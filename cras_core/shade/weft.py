"""Bars along the weft: rows that are darker or lighter than those before and after, over the whole width or a part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cras_core.arrays import FloatArray
from cras_core.shade.config import CellScale, ShadeConfig, visible_percent
from cras_core.shade.contrast import Span, SpanSize, contrasts_of_spans, strongest_spans
from cras_core.shade.robust import mean_of_known, median_of_known

_HEIGHTS_MM = (3.2, 5.0, 8.0, 12.0, 20.0, 40.0, 80.0)
_LEAST_SIDE_MM = 12.0
_MOST_SIDE_MM = 60.0
_WAVE_MM = 40.0
_ABOVE_USUAL = 2.8  # in a metre of picks the strongest stands out of the fourth by more than half
_PART_MM = 100.0  # width of the parts that are looked at on their own
_MEMORY_MM = 1000.0  # a pattern of the cloth is learnt from so much web


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, over the columns ``left`` to ``right``; its span counts rows from the first that was given to ``find``."""

    span: Span
    left: int
    right: int


class WeftBars:
    """Scores the rows of one web, over the whole width and in parts that overlap by half. A row counts by its mean as
    far as its median agrees: a stain or a hole is no bar.
    """

    def __init__(self, config: ShadeConfig, scale: CellScale) -> None:
        self._part_cells = max(4, scale.columns(_PART_MM))
        self._sizes = _sizes(config, scale)
        self._memory_rows = scale.rows(_MEMORY_MM)
        self._past: FloatArray | None = None  # (2, parts, rows) means and medians of the web before

    def find(self, flat: FloatArray, level: FloatArray, new_rows: int) -> list[Bar]:
        """The bars of a piece of web.

        Args:
            flat: (n, cols) brightness less the profile across, NaN without cloth: the new rows and those that
                follow them.
            level: (n,) median of each row.
            new_rows: how many of them are new; the others will come again.
        """
        parts = self._parts(flat.shape[1])
        lines = np.stack(  # (2, parts, n)
            [
                [level, *(of_known(flat[:, a:b], axis=1) for a, b in parts[1:])]
                for of_known in (mean_of_known, median_of_known)
            ]
        )
        past = self._past if self._past is not None else lines[..., :0]
        known = np.concatenate([past, lines], axis=-1)
        first, found = past.shape[-1], []
        self._past = known[..., : first + new_rows][..., -self._memory_rows :]
        by_mean, by_median = np.moveaxis(contrasts_of_spans(known, self._sizes), 1, 0)  # (sizes, parts, first + n) each
        contrasts = np.sign(by_mean) * np.minimum(np.abs(by_mean), np.maximum(2 * by_median * np.sign(by_mean), 0))
        for k, (left, right) in enumerate(parts):
            for span in strongest_spans(contrasts[:, k], self._sizes, _ABOVE_USUAL):
                a, b = span.first - first, span.end - first
                if b > 0 and a < new_rows:
                    found.append(Bar(Span(max(a, 0), min(b, new_rows), span.contrast, span.score), left, right))
        return found

    def _parts(self, cols: int) -> list[tuple[int, int]]:
        """First and end column of the whole width and of its parts."""
        starts = range(0, max(1, cols - self._part_cells + 1), self._part_cells // 2)
        return [(0, cols), *((a, min(a + self._part_cells, cols)) for a in starts)]


def _sizes(config: ShadeConfig, scale: CellScale) -> tuple[SpanSize, ...]:
    sizes: dict[int, SpanSize] = {}
    for height_mm in _HEIGHTS_MM:
        cells = scale.rows(height_mm)
        side = scale.rows(min(max(2 * height_mm, _LEAST_SIDE_MM), _MOST_SIDE_MM))
        wave = config.wave_percent * min(1.0, height_mm / _WAVE_MM) ** 0.5
        limit = max(visible_percent(config, height_mm), wave) / 100.0
        sizes.setdefault(cells, SpanSize(cells, max(side, cells // 2 + 1), limit))
    return tuple(sizes.values())
