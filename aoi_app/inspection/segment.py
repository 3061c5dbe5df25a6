"""An unbroken piece of web while it runs: who judges it, and what is still open on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from aoi_app.inspection.recent_web import RecentWeb
from cras_core.web.canvas import NARROWEST_CLOTH_PX
from cras_core.web.regions import RegionTracker
from cras_core.web.scoring import ScoredRows, WebInspection
from cras_core.web.tiling import ceil_to, floor_to


@dataclass(slots=True)
class Segment:
    """An unbroken piece of web, judged by one model or by several, one after the other.

    Attributes:
        first_line: line of the roll that it begins with.
        width_px: of its lines.
        web: scores it.
        tracker: its regions; rows are counted from the beginning of the segment, whoever judges.
        recent: its last lines.
        cell_px: side of a cell.
        numbers: of regions that were reported while open, by the number of the region.
        web_line: line of the roll that ``web`` has seen first.
        judged_from: line of the roll from which the scores of ``web`` count; what it has seen before only tells it what
            the cloth is like.
    """

    first_line: int
    width_px: int
    web: WebInspection
    tracker: RegionTracker
    recent: RecentWeb
    cell_px: int
    numbers: dict[int, int] = field(default_factory=dict)
    web_line: int = field(init=False)
    judged_from: int = field(init=False)

    def __post_init__(self) -> None:
        self.web_line = self.judged_from = self.first_line

    def lines_before_change(self, line: int) -> int:
        """Lines from ``line`` of the roll on that the model still has to judge before another one can go on: cells stay
        whole, and no piece is left that is too short to be inspected.
        """
        lines = line - self.first_line
        return max(ceil_to(lines, self.cell_px), ceil_to(NARROWEST_CLOTH_PX, self.cell_px)) - lines

    def go_on_with(self, web: WebInspection, line: int, look_back_lines: int) -> None:
        """Lets another model judge from a line of the roll on, of which everything before was finished.

        It is first shown the last lines: it knows then what the cloth is like, which fabric it matches, and what
        surrounds the first lines that it judges.
        """
        known = self.recent.last_lines(look_back_lines)
        known = known[len(known) - floor_to(len(known), self.cell_px) :]
        self.web, self.web_line, self.judged_from = web, line - len(known), line
        web.push(known)

    def judged(self, rows: ScoredRows) -> ScoredRows | None:
        """Rows without the lines that were judged before; None where nothing is left."""
        seen = self.judged_from - self.web_line - rows.first_line
        if seen <= 0:
            return rows
        if seen >= len(rows.image):
            return None
        cells = seen // self.cell_px
        return replace(
            rows,
            first_line=rows.first_line + seen,
            image=rows.image[seen:],
            score=rows.score[cells:],
            kinds=rows.kinds[:, cells:],
            edges=rows.edges.lines(seen, len(rows.image)),
        )
