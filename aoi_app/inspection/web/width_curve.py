"""The width of the cloth along the roll: one value for every metre."""

from __future__ import annotations

import statistics
from math import floor

import numpy as np

from aoi_app.inspection.findings.defects import WidthAt
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.inspection.web.segment import inspected_lines_of
from aoi_app.inspection.web.web_scale import WebScale

_STEP_M = 1.0


class WidthCurve:
    """Takes the median of each metre: a fold or a loose thread at the edge does not move it."""

    def __init__(self) -> None:
        self._metre: int | None = None
        self._widths_mm: list[float] = []

    def add(self, band: ScoredBand, scale: WebScale) -> tuple[WidthAt, ...]:
        """Takes a finished band; returns the metres that are over with it."""
        inspected = inspected_lines_of(band.rows)
        if not inspected.any():
            return ()
        edges = band.rows.edges
        width_px = float(np.median((edges.right - edges.left)[inspected]))
        metre = floor(scale.position_m(band.first_line) / _STEP_M)
        told = self.finish() if self._metre is not None and metre != self._metre else ()
        self._metre = metre
        self._widths_mm.append(scale.width_mm(width_px))
        return told

    def finish(self) -> tuple[WidthAt, ...]:
        """What is left at the end of the roll."""
        if self._metre is None or not self._widths_mm:
            return ()
        point = WidthAt(self._metre * _STEP_M, statistics.median(self._widths_mm))
        self._widths_mm = []
        return (point,)
