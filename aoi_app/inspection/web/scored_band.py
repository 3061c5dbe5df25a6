"""A band of inspected web in memory."""

from __future__ import annotations

from dataclasses import dataclass

from aoi_app.inspection.findings.cloth_doubt import ClothDoubt
from cras_core.web.scoring import ScoredRows


@dataclass(frozen=True, slots=True)
class ScoredBand:
    """Inspected lines of the roll, for views and map files.

    Attributes:
        first_line: line of the roll.
        rows: the lines with their scores.
        fabric: name of the fabric, None when it is not known.
        doubts: what speaks against comparing it with that fabric.
    """

    first_line: int
    rows: ScoredRows
    fabric: str | None
    doubts: tuple[ClothDoubt, ...] = ()

    @property
    def end_line(self) -> int:
        """Line after the last one."""
        return self.first_line + len(self.rows.image)
