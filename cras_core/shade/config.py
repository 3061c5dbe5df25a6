"""How shade is looked for, and how many cells a length is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from cras_core.validated import Number, validated


@validated("shade")
class ShadeConfig:
    """How much darker or lighter cloth must be to count, in per cent of its brightness.

    Attributes:
        contrast_percent: of a stripe 8 mm wide that scores 1. Wider ones count from less on, narrower from more, as the
            eye sees them.
        uneven_percent: what a lamp or a lens without a flat field leaves in the columns. What differs from its
            neighbours by less is a defect only when it differs from what the same columns were before.
        fall_off_percent: how much weaker the light is at the borders of the cloth than in its middle.
        wave_percent: how much the light and the cloth swell along the web over 40 mm and more, and less over shorter
            lengths. A bar differs by more.
        jump_percent: a step of the whole brightness that is told.
        drift_percent: a slow change of it that is told.
    """

    contrast_percent: Annotated[Number, Field(gt=0, le=100)] = 2.0
    uneven_percent: Annotated[Number, Field(ge=0, le=100)] = 4.2
    fall_off_percent: Annotated[Number, Field(ge=0, le=100)] = 18.0
    wave_percent: Annotated[Number, Field(ge=0, le=100)] = 3.3
    jump_percent: Annotated[Number, Field(gt=0, le=100)] = 3.0
    drift_percent: Annotated[Number, Field(gt=0, le=100)] = 10.0


@dataclass(frozen=True, slots=True)
class CellScale:
    """Size of a cell on the cloth, millimetres.

    Attributes:
        across, along: the web.
    """

    across: float
    along: float

    def columns(self, mm: float) -> int:
        """Whole cells that a length across is, at least 1."""
        return max(1, round(mm / self.across))

    def rows(self, mm: float) -> int:
        """Whole cells that a length along is, at least 1."""
        return max(1, round(mm / self.along))


def visible_percent(config: ShadeConfig, size_mm: float) -> float:
    """Contrast of a place of this size that scores 1.

    The exponent joins 2 % over 8 mm and 1 % over 80 mm.
    """
    return float(config.contrast_percent * (_REFERENCE_MM / size_mm) ** _EXPONENT)


_REFERENCE_MM = 8.0
_EXPONENT = 0.3
