"""Stripes along the warp: columns that are darker or lighter than those on both sides of them.

The profile across, the median of 0.3 m of web in each column, is looked at in two ways. As it is, a stripe shows
from the first line on, but so does what the lamp and the lens leave in the columns. Less what the same columns were
before, far weaker stripes show, but only those that begin.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cras_core.arrays import FloatArray
from cras_core.shade.config import CellScale, ShadeConfig, visible_percent
from cras_core.shade.contrast import Span, SpanSize, contrasts_of_spans, strongest_spans
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches

_WIDTHS_MM = (1.6, 3.2, 5.0, 8.0, 12.0, 20.0, 40.0, 80.0, 160.0)
_LEAST_SIDE_MM = 8.0
_MOST_SIDE_MM = 100.0
_NARROW_MM = 5.0  # from here down single yarns stand out, which no flat field evens
_ABOVE_FALL_OFF = 1.2  # times what the fall-off of the light alone stands out by
_MEMORY_MM = 5000.0  # what the columns were before is the mean over so much web
_BESIDE_USUAL = 1.8  # times the fourth strongest place, where what is woven, the lamp and the lens are in the profile
_LEAST_BESIDE = 0.9  # less than that is the fall-off of the light, which must not join what stands beside it
_BEFORE_USUAL = 2.2  # likewise, where only what has changed is left of them
_KNOWN_MM = 200.0  # the memory speaks from so much web on


@dataclass(slots=True)
class ColumnMemory:
    """What the columns of a web were like before.

    Attributes:
        profile: (cols,) logarithm of brightness relative to the line; NaN where no cloth was seen.
        rows: of cells that it is the mean of.
    """

    profile: FloatArray
    rows: int = 0


class WarpStripes:
    """Scores the columns of one web."""

    def __init__(self, config: ShadeConfig, scale: CellScale, memory: ColumnMemory | None = None) -> None:
        """
        Args:
            config: what counts.
            scale: of the cells.
            memory: what the columns were before this web, where it is known.
        """
        self._scale = scale
        self._fall_off = config.fall_off_percent / 100.0
        self._beside = _sizes(config, scale, uneven_percent=config.uneven_percent)
        self._before = _sizes(config, scale, uneven_percent=0.0)
        self.memory = memory

    def find(self, profiles: FloatArray, rows: int) -> list[list[Span]]:
        """The stripes at places along the web; the memory then takes the columns in that are free of them.

        Args:
            profiles: (places, cols) of the web around each place, NaN where there is no cloth.
            rows: of cells that the web has moved on by since the last call.
        """
        cols = int(np.isfinite(profiles).any(axis=0).sum())
        beside = _with_fall_off(self._beside, self._fall_off, cols)
        contrasts = contrasts_of_spans(profiles, beside)  # (sizes, places, cols)
        found = [strongest_spans(contrasts[:, k], beside, _BESIDE_USUAL, _LEAST_BESIDE) for k in range(len(profiles))]
        known = self.memory
        if known is not None and known.rows >= self._scale.rows(_KNOWN_MM):
            before = contrasts_of_spans(profiles - known.profile, self._before)
            for k in range(len(found)):
                found[k] += strongest_spans(before[:, k], self._before, _BEFORE_USUAL)
        self._remember(profiles.mean(axis=0), [span for spans in found for span in spans], rows)
        return found

    def _remember(self, profile: FloatArray, spans: list[Span], rows: int) -> None:
        """What is a stripe does not become normal by lasting long."""
        if self.memory is None:
            self.memory = ColumnMemory(np.full(len(profile), np.nan, np.float32))
        memory = self.memory
        is_new = np.isnan(memory.profile)
        free = np.isfinite(profile)
        for span in spans:
            if reaches(span.score, CALIBRATED_THRESHOLD):
                free[span.first : span.end] = False
        weight = rows / (memory.rows + rows)
        followed = memory.profile + weight * (profile - memory.profile)
        memory.profile = np.where(is_new, profile, np.where(free, followed, memory.profile)).astype(np.float32)
        memory.rows = min(memory.rows + rows, self._scale.rows(_MEMORY_MM))


def _with_fall_off(sizes: tuple[SpanSize, ...], fall_off: float, cols: int) -> tuple[SpanSize, ...]:
    """Sizes whose limits lie above what a parabola stands out by, that falls off by ``fall_off`` from the middle of so
    many columns of cloth to their borders. A fit in its place would take wide stripes for the lamp.
    """
    half = max(cols / 2, 1.0)
    raised = []
    for size in sizes:
        # Mean square distance from the middle: of the sides less that of the span.
        squares = ((size.cells + size.side) ** 2 + (size.side**2 - size.cells**2) / 3) / 4
        raised.append(replace(size, limit=max(size.limit, _ABOVE_FALL_OFF * fall_off * squares / half**2)))
    return tuple(raised)


def _sizes(config: ShadeConfig, scale: CellScale, uneven_percent: float) -> tuple[SpanSize, ...]:
    sizes: dict[int, SpanSize] = {}
    for width_mm in _WIDTHS_MM:
        cells = scale.columns(width_mm)
        side_mm = min(max(2 * width_mm, _LEAST_SIDE_MM), _MOST_SIDE_MM)
        uneven = uneven_percent * max(1.0, _NARROW_MM / width_mm) ** 0.5
        limit = max(visible_percent(config, width_mm), uneven) / 100.0
        sizes.setdefault(cells, SpanSize(cells, max(scale.columns(side_mm), cells // 2 + 1), limit))
    return tuple(sizes.values())
