"""Whether every line of a roll, and every cell of its cloth, was inspected or recorded as a gap.

The promise that no cloth is lost in silence is checked in the program itself, on every roll: the counts are kept beside
the inspection, by nothing that the inspection uses.
"""

from __future__ import annotations

import numpy as np

from aoi_app.inspection.findings.defects import Gap
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.inspection.web.segment import inspected_lines_of
from cras_core.web.canvas import WebConfig
from cras_core.web.ignored import inspected_columns


class Account:
    """Counts of one roll.

    Attributes:
        inspected_lines: lines of which cloth was scored.
        gap_lines: lines of gaps.
        unscored_cells: cells in the middle of inspected cloth that have no score, though the recipe does not leave
            them out.
    """

    def __init__(self) -> None:
        self.inspected_lines = 0
        self.gap_lines = 0
        self.unscored_cells = 0

    def add_band(self, band: ScoredBand, config: WebConfig) -> None:
        """A band was given out as inspected; ``config`` is how its web was looked at."""
        lines = inspected_lines_of(band.rows)
        self.inspected_lines += int(lines.sum())
        self.unscored_cells += _unscored(band, config)

    def add_gap(self, gap: Gap) -> None:
        """A gap was recorded."""
        self.gap_lines += gap.lines

    def problem(self, lines: int) -> str | None:
        """What is wrong with a roll of so many lines, for a person; None where everything is accounted for."""
        missing = lines - self.inspected_lines - self.gap_lines
        problems = []
        if missing > 0:
            problems.append(f"{missing} lines of this roll were neither inspected nor recorded as a gap")
        elif missing < 0:
            problems.append(f"{-missing} lines of this roll are counted twice")
        if self.unscored_cells:
            problems.append(f"{self.unscored_cells} places of its cloth have no score")
        return (
            f"{'; '.join(problems)}. This is an error of the program: please report it with the log"
            if problems
            else None
        )


def _unscored(band: ScoredBand, config: WebConfig) -> int:
    """Cells of a band between the first and the last scored one of their row that have no score, and that the recipe
    does not leave out.
    """
    rows = band.rows
    scored = np.isfinite(rows.score)  # (rows, cols)
    before = np.maximum.accumulate(scored, axis=1)
    after = np.maximum.accumulate(scored[:, ::-1], axis=1)[:, ::-1]
    holes = before & after & ~scored
    if not holes.any():
        return 0
    cell, edges = rows.cell_px, rows.edges
    middle = np.minimum(np.arange(len(scored)) * cell + cell // 2, len(rows.image) - 1)  # (rows,)
    lanes = [lane.bounds(edges.left, edges.right) for lane in config.ignored]
    columns = inspected_columns(*edges.inspected(config.edges), lanes)
    # The edges move a little from one band to the next, and the lanes with them.
    near = columns.are_in_holes(
        np.asarray((np.arange(scored.shape[1]) + 0.5) * cell, np.float64), middle, _NEAR_CELLS * cell
    )
    return int((holes & ~near).sum())


_NEAR_CELLS = 5
