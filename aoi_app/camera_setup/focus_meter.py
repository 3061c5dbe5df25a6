"""Measures light and focus of running lines, as often as an eye can follow."""

from __future__ import annotations

import math

import numpy as np

from aoi_app.camera_setup.focus_curves import FocusCurves, focus_curves
from aoi_app.sources.block import Block
from aoi_app.sources.diagnostics.focus import measure_focus, shows_cloth

_PERIOD_S = 0.1  # an eye follows no faster, and measuring takes time that reading needs


class FocusMeter:
    """Of the lines that come only the newest are measured, ten times a second: for the eye the newest wins."""

    def __init__(self) -> None:
        self._best = math.nan
        self._newest: Block | None = None
        self._due_s = 0.0

    def add(self, block: Block) -> None:
        """Lines that came; those before them are not needed any more."""
        self._newest = block

    def take_due(self, now_s: float) -> Block | None:
        """The newest lines, once, where it is time to measure again; else None."""
        if self._newest is None or now_s < self._due_s:
            return None
        block, self._newest, self._due_s = self._newest, None, now_s + _PERIOD_S
        return block

    def measure(self, block: Block) -> FocusCurves:
        """Light and focus of the lines. Only the sharpness of cloth counts for the best."""
        metrics = measure_focus(block)
        if shows_cloth(metrics):
            self._best = float(np.fmax(self._best, metrics.sharpness))
        return focus_curves(metrics, self._best, block)

    def forget_best(self) -> None:
        """The best sharpness is looked for again."""
        self._best = math.nan
