"""Rows of cells with the scores of each kind of shade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from cras_core.arrays import FloatArray
from cras_core.shade.contrast import Span
from cras_core.shade.light import LightEvent
from cras_core.shade.stains import StainScores
from cras_core.web.threshold import CALIBRATED_THRESHOLD

ShadeKind = Literal["warp stripe", "weft bar", "stain"]
SHADE_KINDS: tuple[ShadeKind, ...] = ("warp stripe", "weft bar", "stain")

_GLOW_CELLS = 5  # side of the square in which a stripe or a bar takes the place of a stain


@dataclass(frozen=True, slots=True)
class ShadeRows:
    """Rows of cells with their shade scores.

    Attributes:
        first_row: counted from the beginning of the segment.
        scores: for each kind (rows, cols) float32, 1 is the limit; 0 where nothing is.
        contrasts: for each kind (rows, cols) float32 per cent of the brightness beside; negative is darker.
        events: what the light did.
    """

    first_row: int
    scores: dict[ShadeKind, FloatArray]
    contrasts: dict[ShadeKind, FloatArray]
    events: tuple[LightEvent, ...] = ()

    @property
    def end_row(self) -> int:
        """Row after the last one."""
        return self.first_row + len(self.scores["stain"])

    @classmethod
    def empty(cls, first_row: int, rows: int, cols: int) -> ShadeRows:
        """Rows in which nothing was found yet."""
        zeros = [{kind: np.zeros((rows, cols), np.float32) for kind in SHADE_KINDS} for _ in range(2)]
        return cls(first_row, zeros[0], zeros[1])

    def paint(self, kind: ShadeKind, rows: slice, cols: slice, span: Span) -> None:
        """Enters a stripe or a bar where nothing stronger of its kind is."""
        score, contrast = self.scores[kind][rows, cols], self.contrasts[kind][rows, cols]
        weaker = score < span.score
        score[weaker], contrast[weaker] = span.score, 100.0 * np.expm1(span.contrast)

    def add_stains(self, stains: StainScores) -> None:
        """Enters the stains of these rows, but not where a stripe or a bar is: it has stained edges."""
        longer = (self.scores["warp stripe"] >= CALIBRATED_THRESHOLD) | (self.scores["weft bar"] > 0)
        taken = cv2.dilate(longer.astype(np.uint8), np.ones((_GLOW_CELLS, _GLOW_CELLS), np.uint8)) > 0
        self.scores["stain"][:] = np.where(taken, 0.0, stains.score)
        self.contrasts["stain"][:] = percent(stains.contrast)


def percent(contrast: FloatArray) -> FloatArray:
    """Differences of logarithms as per cent."""
    return (100.0 * np.expm1(contrast)).astype(np.float32)
