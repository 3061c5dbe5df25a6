"""A recorded roll in a line: what a list of rolls shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aoi_app.settings.work_order import NO_ORDER, WorkOrder


@dataclass(frozen=True, slots=True)
class RollSummary:
    """
    Attributes:
        roll_id: number in the records.
        name: that the program gave it.
        state: running, finished, stopped, failed or interrupted; ``damaged`` where its row cannot be read.
        started_at: with its zone; None where it is damaged.
        source, fabric: as recorded; empty where they are not known.
        order: its work order.
        inspected_m, reserve_m, gap_m: metres; ``reserve_m`` is None for rolls of before it was told.
        defects: how many, with those that were rejected.
        rejected: how many of them a person has called false alarms.
    """

    roll_id: int
    name: str = ""
    state: str = "damaged"
    started_at: datetime | None = None
    source: str = ""
    fabric: str = ""
    order: WorkOrder = NO_ORDER
    inspected_m: float = 0.0
    reserve_m: float | None = None
    gap_m: float = 0.0
    defects: int = 0
    rejected: int = 0
