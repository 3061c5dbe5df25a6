"""An unbroken piece of web while it runs: the model that scores it, and what is still open on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from aoi_app.inspection.web.recent_web import RecentWeb
from aoi_app.inspection.web.sample_tiles import SampleTiles
from aoi_app.inspection.web.segment_shade import SegmentShade
from cras_core.web.canvas import NARROWEST_CLOTH_PX
from cras_core.web.regions import RegionTracker
from cras_core.web.scoring import ScoredRows, WebInspection
from cras_core.web.tiling import ceil_to, floor_to

RUNNING_LINES = 512
"""From this length on an open defect is told before it ends."""

_REACH_CELLS = 8  # more than any region bridges: what ended as many cells ago is closed


@dataclass(slots=True)
class Segment:
    """An unbroken piece of web, scored by one model or by several, one after the other.

    Attributes:
        first_line: line of the roll that it begins with.
        width_px: of its lines.
        web: scores it.
        tracker: its regions; rows are counted from the beginning of the segment, whichever model scores.
        recent: its last lines.
        cell_px: side of a cell.
        sample_tiles: cuts tiles for a data set; None where none are wanted.
        shade: finds what is darker or lighter; None where it is not wanted.
        web_line: line of the roll that ``web`` has seen first.
        scored_from: line of the roll from which the scores of ``web`` count; what it has seen before only tells it what
            the cloth is like.
    """

    first_line: int
    width_px: int
    web: WebInspection
    tracker: RegionTracker
    recent: RecentWeb
    cell_px: int
    sample_tiles: SampleTiles | None
    shade: SegmentShade | None
    web_line: int = field(init=False)
    scored_from: int = field(init=False)

    def __post_init__(self) -> None:
        self.web_line = self.scored_from = self.first_line

    def set_threshold(self, value: float) -> None:
        """Another threshold holds for rows that are still to come."""
        self.tracker.threshold = value
        if self.shade is not None:
            self.shade.set_threshold(value)

    def lines_before_change(self, line: int) -> int:
        """Lines from ``line`` of the roll on that the model still has to score before another one can go on: cells stay
        whole, and no piece is left that is too short to be inspected.
        """
        lines = line - self.first_line
        return max(ceil_to(lines, self.cell_px), ceil_to(NARROWEST_CLOTH_PX, self.cell_px)) - lines

    def go_on_with(self, web: WebInspection, line: int, look_back_lines: int) -> None:
        """Lets another model score from a line of the roll on, of which everything before was finished.

        It is first shown the last lines: it knows then what the cloth is like, which fabric it matches, and what
        surrounds the first lines that it scores.
        """
        known = self.recent.last_lines(look_back_lines)
        known = known[len(known) - floor_to(len(known), self.cell_px) :]
        self.web, self.web_line, self.scored_from = web, line - len(known), line
        web.push(known)

    def newly_scored(self, rows: ScoredRows) -> ScoredRows | None:
        """Rows without the lines that were scored before; None where nothing is left."""
        seen = self.scored_from - self.web_line - rows.first_line
        if seen <= 0:
            return rows
        if seen >= len(rows.image):
            return None
        cells = seen // self.cell_px  # whole, because a change of model waits for a whole row
        return replace(
            rows,
            first_line=rows.first_line + seen,
            image=rows.image[seen:],
            score=rows.score[cells:],
            kinds=rows.kinds[:, cells:],
            edges=rows.edges.lines(seen, len(rows.image)),
        )

    @property
    def oldest_open_line(self) -> int | None:
        """Line of the roll where the oldest region begins that may still grow; None where all are closed."""
        rows = [self.tracker.oldest_open_row, None if self.shade is None else self.shade.oldest_open_row]
        row = min((row for row in rows if row is not None), default=None)
        return None if row is None else self.first_line + row * self.cell_px

    def told_line(self, complete_line: int) -> int:
        """Line of the roll before which every defect of this segment was told.

        Args:
            complete_line: of the roll, up to which bands were given out.
        """
        done = max(self.first_line, complete_line)
        if self.shade is not None:
            done = min(done, self.first_line + self.shade.next_row * self.cell_px)
        # What is open and longer than that was told while it runs.
        least = max(self.first_line, done - RUNNING_LINES - _REACH_CELLS * self.cell_px)
        oldest = self.oldest_open_line
        return done if oldest is None else max(min(oldest, done), least)


def inspected_lines_of(rows: ScoredRows) -> npt.NDArray[np.bool_]:
    """(lines,) bool, whether any cell of a line has a score."""
    cells = np.isfinite(rows.score).any(axis=1)  # (rows,)
    return np.repeat(cells, rows.cell_px)[: len(rows.image)]  # the last cells may reach beyond the last line
