"""Whether every line of a roll, and every cell of its cloth, was inspected or recorded as what was not.

The promise that no cloth is lost in silence is checked in the program itself, on every roll, and kept with it: the
counts are made beside the inspection, by nothing that the inspection uses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aoi_app.inspection.findings.defects import Gap
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.inspection.web.segment import inspected_lines_of
from cras_core.web.canvas import WebConfig
from cras_core.web.ignored import inspected_columns

Cells = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Balance:
    """The account of a roll. Lines have to be inspected lines and gaps; cells of cloth those with a score, those of the
    margins and those that the recipe leaves out.

    Attributes:
        lines: of the roll.
        inspected_lines: of which cloth was scored.
        gap_lines: of gaps.
        cloth_cells: cells between the edges of the cloth, of inspected lines.
        scored_cells: of these, with a score.
        margin_cells: of these, without, in the selvedge or the margin beside it.
        left_out_cells: of these, without, in lanes that the recipe leaves out.
    """

    lines: int
    inspected_lines: int
    gap_lines: int
    cloth_cells: int
    scored_cells: int
    margin_cells: int
    left_out_cells: int

    @property
    def missing_lines(self) -> int:
        """Lines of which nothing is known; negative where some are counted twice."""
        return self.lines - self.inspected_lines - self.gap_lines

    @property
    def missing_cells(self) -> int:
        """Cells of cloth that nobody has looked at and nobody has left out."""
        return self.cloth_cells - self.scored_cells - self.margin_cells - self.left_out_cells

    @property
    def problem(self) -> str | None:
        """What is wrong, for a person; None where everything is accounted for."""
        missing, problems = self.missing_lines, []
        if missing > 0:
            problems.append(f"{missing} lines of this roll were neither inspected nor recorded as a gap")
        elif missing < 0:
            problems.append(f"{-missing} lines of this roll are counted twice")
        if self.missing_cells:
            problems.append(f"{self.missing_cells} places of its cloth have no score")
        if not problems:
            return None
        return f"{'; '.join(problems)}. This is an error of the program: please report it with the log"


class Account:
    """Counts of one roll while it runs."""

    def __init__(self, before: Balance | None = None) -> None:
        """``before``: of the part of the roll that an earlier program has inspected."""
        self._inspected_lines = before.inspected_lines if before is not None else 0
        self._gap_lines = before.gap_lines if before is not None else 0
        self._cloth = before.cloth_cells if before is not None else 0
        self._scored = before.scored_cells if before is not None else 0
        self._margin = before.margin_cells if before is not None else 0
        self._left_out = before.left_out_cells if before is not None else 0

    @property
    def inspected_lines(self) -> int:
        """Lines of which cloth was scored."""
        return self._inspected_lines

    def add_band(self, band: ScoredBand, config: WebConfig) -> None:
        """A band was given out as inspected; ``config`` is how its web was looked at."""
        self._inspected_lines += int(inspected_lines_of(band.rows).sum())
        cloth, scored, margin, left_out = _cells_of(band, config)
        self._cloth += int(cloth.sum())
        self._scored += int(scored.sum())
        self._margin += int(margin.sum())
        self._left_out += int(left_out.sum())

    def add_gap(self, gap: Gap) -> None:
        """A gap was recorded."""
        self._gap_lines += gap.lines

    def balance(self, lines: int) -> Balance:
        """The account of a roll that has come to so many lines. Before its end, lines are missing that still wait for
        those behind them.
        """
        return Balance(
            lines, self._inspected_lines, self._gap_lines, self._cloth, self._scored, self._margin, self._left_out
        )


def _cells_of(band: ScoredBand, config: WebConfig) -> tuple[Cells, Cells, Cells, Cells]:
    """Which cells of a band are cloth, and which of these have a score, lie in the margins, or are left out by the
    recipe -> (rows, cols) each; no cell is two of the last three. Rows without any score are gaps, and no cells.
    """
    rows = band.rows
    has_score: Cells = np.asarray(np.isfinite(rows.score), np.bool_)  # (rows, cols)
    cell, edges = rows.cell_px, rows.edges
    line = np.minimum(np.arange(len(has_score)) * cell + cell // 2, len(rows.image) - 1)  # (rows,)
    column = np.asarray((np.arange(has_score.shape[1]) + 0.5) * cell, np.float64)  # (cols,)
    lanes = [lane.bounds(edges.left, edges.right) for lane in config.ignored]
    inner = edges.inspected(config.edges)  # (lines,) each
    columns = inspected_columns(*inner, lanes)

    def between(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64], inwards_px: float) -> Cells:
        inside = (column[None, :] > left[line][:, None] + inwards_px) & (
            column[None, :] < right[line][:, None] - inwards_px
        )
        return np.asarray(inside)

    is_inspected: Cells = np.asarray(has_score.any(axis=1))  # (rows,)
    cloth = between(edges.left, edges.right, 0.0) & is_inspected[:, None]
    scored = cloth & has_score
    margin = cloth & ~scored & ~between(*inner, _NEAR_EDGE_CELLS * cell)
    # A lane that touches the border of the cloth moves that border.
    moved = [(a, b) for a, b in ((inner[0], columns.left), (columns.right, inner[1])) if (a < b).any()]
    lanes_out = replace(columns, holes=(*columns.holes, *moved))
    # The edges move a little from one band to the next, and the lanes with them.
    left_out = cloth & ~scored & ~margin & lanes_out.are_in_holes(column, line, _NEAR_LANE_CELLS * cell)
    return cloth, scored, margin, left_out


_NEAR_EDGE_CELLS = 1
_NEAR_LANE_CELLS = 5
