"""What the page of rolls shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aoi_app.background.state_holder import ServiceState
from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import Review
from aoi_app.inspection.findings.roll_summary import RollSummary
from aoi_app.reports.roll.roll_report import RollReport


@dataclass(frozen=True, slots=True, eq=False)
class OpenedRoll:
    """A roll that somebody looks at.

    Attributes:
        report: what it comes to.
        defects: all of them, with their pictures.
        reviews: what was said of them, by number.
    """

    report: RollReport
    defects: tuple[Defect, ...]
    reviews: Mapping[int, Review]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RollsState(ServiceState):
    """
    Attributes:
        rolls: of the records, the latest first.
        opened: that is looked at; None before one was chosen.
    """

    rolls: tuple[RollSummary, ...] = field(default=())
    opened: OpenedRoll | None = None
