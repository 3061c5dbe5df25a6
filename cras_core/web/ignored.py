"""Lanes along the web that are not inspected though they are cloth: a printed edge, a marker track, a dark column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class IgnoredLane:
    """One lane; it follows the edge of the cloth, as a print does.

    Attributes:
        edge: of the cloth that it is measured from; where that edge is not in view, the border of the picture.
        from_px, to_px: where it begins and ends, counted inwards from that edge, pixels.
    """

    edge: Literal["left", "right"]
    from_px: float
    to_px: float

    def bounds(self, left: Floats, right: Floats) -> tuple[Floats, Floats]:
        """Where it begins and ends in each line, (lines,) each, by the (lines,) edges of the cloth; pixels."""
        if self.edge == "left":
            return left + self.from_px, left + self.to_px
        return right - self.to_px, right - self.from_px


@dataclass(frozen=True, slots=True)
class InspectedColumns:
    """What of a band is inspected.

    Attributes:
        left, right: (lines,) where inspection begins and ends in each line, pixels.
        holes: lanes in between that are not inspected, (lines,) begin and (lines,) end of each, from left to right.
    """

    left: Floats
    right: Floats
    holes: tuple[tuple[Floats, Floats], ...]

    def are_in_holes(self, column: Floats, line: npt.NDArray[np.int_], cell_px: int) -> npt.NDArray[np.bool_]:
        """Which cells a lane that is left out touches.

        Args:
            column: (cols,) middle of each cell, pixels of the image.
            line: (rows,) line of the band that a row of cells is judged by.
            cell_px: side of a cell.

        Returns:
            (rows, cols).
        """
        found = np.zeros((len(line), len(column)), np.bool_)
        for begin, end in self.holes:
            found |= (column[None, :] + cell_px / 2 > begin[line][:, None]) & (
                column[None, :] - cell_px / 2 < end[line][:, None]
            )
        return found


def inspected_columns(left: Floats, right: Floats, ignored: Sequence[tuple[Floats, Floats]]) -> InspectedColumns:
    """What is left of the cloth without the lanes. One that touches a border of the cloth moves that border.

    Args:
        left, right: (lines,) where inspection would begin and end in each line, pixels.
        ignored: (lines,) begin and end of each lane.
    """
    waiting = sorted(ignored, key=lambda lane: float(lane[0].mean()))
    holes: list[tuple[Floats, Floats]] = []
    for begin, end in waiting:
        if (begin < left + _NARROWEST_PX).any():
            left = np.maximum(left, end)
        elif holes and (begin < holes[-1][1] + _NARROWEST_PX).any():
            holes[-1] = (holes[-1][0], np.maximum(holes[-1][1], end))
        else:
            holes.append((begin, end))
    while holes and (holes[-1][1] > right - _NARROWEST_PX).any():
        right = np.minimum(right, holes.pop()[0])
    return InspectedColumns(left, right, tuple(holes))


_NARROWEST_PX = 24  # cloth between two lanes that is narrower shows no weave to carry on, and is left out with them
