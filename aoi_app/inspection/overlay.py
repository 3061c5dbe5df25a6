"""What is drawn over the cloth: decided here, on plain arrays; the window only draws it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aoi_app.inspection.findings.defects import Defect
from cras_core.web.regions import RegionConfig, regions_in
from cras_core.web.threshold import reaches

Floats = npt.NDArray[np.float32]

SCALE_TOP = 2.0
"""Score at the top of the colour bar; 1 is the limit. The scale never follows the image, so clean cloth looks clean."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A box around a place above the threshold, in lines of the roll and pixels."""

    first_line: float
    end_line: float
    left_px: float
    right_px: float
    peak: float


def color_table() -> npt.NDArray[np.uint8]:
    """(256, 4) RGBA uint8 over 0..``SCALE_TOP``: clear far below the limit, then yellow, orange, red at it, magenta.

    Never opaque: the cloth is seen under its heat, and a defect in it.
    """
    stops = np.array([0.0, 0.25, 0.4, 0.5, 0.75, 1.0])  # share of the scale; 0.5 is the calibrated threshold
    colors = np.array(
        [
            [255, 235, 60, 0],
            [255, 235, 60, 0],
            [255, 190, 30, 95],
            [255, 90, 10, 120],
            [230, 0, 40, 135],
            [255, 0, 220, 150],
        ]
    )
    at = np.linspace(0, 1, 256)
    return np.asarray(np.stack([np.interp(at, stops, colors[:, c]) for c in range(4)], axis=1).round(), dtype=np.uint8)


_TABLE = color_table()


def heat_colors(score: Floats) -> npt.NDArray[np.uint8]:
    """(rows, cols) scores -> (rows, cols, 4) RGBA uint8; what was not inspected is clear."""
    index = np.clip(np.nan_to_num(score, nan=0.0) * (255.0 / SCALE_TOP), 0, 255).astype(np.uint8)
    return np.asarray(_TABLE[index])


def outlines(score: Floats, first_line: int, cell_px: int, threshold: float) -> tuple[Floats, Floats]:
    """Where cells at or above a threshold border on cells below it, or on the rim.

    Args:
        score: (rows, cols).
        first_line: line of the roll that they begin with.
        cell_px: side of a cell.
        threshold: operator threshold.

    Returns:
        x px, (2 n,), and line of the roll, (2 n,): the two ends of each of n pieces.
    """
    inside = np.pad(reaches(score, threshold), 1)  # what was not inspected reaches none
    rows, cols = np.nonzero(inside[:, 1:] != inside[:, :-1])  # upright: between a cell and its neighbour at the right
    x, y = cols * cell_px, (rows - 1) * cell_px + first_line
    upright = np.stack([x, x], axis=1), np.stack([y, y + cell_px], axis=1)
    rows, cols = np.nonzero(inside[1:] != inside[:-1])  # level: between a cell and the one below
    x, y = (cols - 1) * cell_px, rows * cell_px + first_line
    level = np.stack([x, x + cell_px], axis=1), np.stack([y, y], axis=1)
    both = [np.concatenate(ends).reshape(-1).astype(np.float32) for ends in zip(upright, level, strict=True)]
    return both[0], both[1]


class DefectMarks:
    """Boxes around the recorded defects of the cloth in memory; each was judged once, by the threshold of its metre."""

    def __init__(self) -> None:
        self._defects: dict[int, Defect] = {}

    def clear(self) -> None:
        """Forgets everything, for a new roll."""
        self._defects.clear()

    def take(self, defects: Iterable[Defect], withdrawn: Iterable[int]) -> None:
        """Defects that were found or have grown, and numbers of those that have become part of others."""
        self._defects |= {defect.number: defect for defect in defects}
        for number in withdrawn:
            self._defects.pop(number, None)

    def forget_before(self, line: int) -> None:
        """The cloth before a line of the roll is not in memory any more."""
        self._defects = {n: d for n, d in self._defects.items() if d.is_open or d.end_line > line}

    def marks(self) -> list[Mark]:
        """One for each defect."""
        return [_mark_of(defect) for defect in self._defects.values()]

    def marks_of_shade(self, threshold: float) -> list[Mark]:
        """Boxes around darker and lighter places, whose scores are not those of the cells, under another threshold."""
        return [_mark_of(d) for d in self._defects.values() if d.shade is not None and reaches(d.peak, threshold)]


def _mark_of(defect: Defect) -> Mark:
    return Mark(defect.first_line, defect.end_line, defect.left_px, defect.right_px, defect.peak)


def find_marks(
    score: Floats, first_line: int, cell_px: int, threshold: float, *, is_relative: bool = True
) -> list[Mark]:
    """Boxes around everything that would reach a threshold in (rows, cols) scores that begin at ``first_line``.

    ``is_relative``: as in ``RegionConfig``.
    """
    if not reaches(score, threshold).any():  # clean cloth, which is nearly all: the regions need not be looked for
        return []
    return [
        Mark(
            first_line + r.first_row * cell_px,
            first_line + r.end_row * cell_px,
            r.first_col * cell_px,
            r.end_col * cell_px,
            r.peak,
        )
        # The second argument is the raw score, which a mark does not show.
        for r in regions_in(score, score, RegionConfig(threshold, is_relative=is_relative))
    ]
