"""All that a report tells of a roll, as one value that every kind of file is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aoi_app.alarms.roll_worth import RollWorth
from aoi_app.inspection.findings.defects import Gap, Remark, WidthAt
from aoi_app.records.upkeep.grades import GivenGrade
from aoi_app.reports.cloth_defect import ClothDefect
from aoi_app.reports.cutting.cut_plan import CutPlan
from aoi_app.reports.grading.grade import Grade
from aoi_app.reports.repeats.repeats import Repeat
from aoi_app.settings.settings import Mill
from aoi_app.settings.work_order import WorkOrder

NO_TYPE = "no type named"
"""What defects are called that nobody has given a type."""


@dataclass(frozen=True, slots=True)
class RollData:
    """What is known of a roll as a whole.

    Attributes:
        roll_id: number in the records.
        name, state, source, fabric: as the records have them; ``fabric`` is empty where it was not recognised.
        model: identity of the model.
        threshold: score from which a place was a defect.
        started_at, ended_at: with their zone; None where it is not known, or the roll still runs.
        length_m: of the roll.
        width_mm: measured width; None where it is not known.
        mm_per_px: size of a pixel; None where the recipe does not say.
        recipe: its name.
        order: what the mill calls the roll, and what it was to be.
    """

    roll_id: int
    name: str
    state: str
    source: str
    fabric: str
    model: str
    threshold: float
    started_at: datetime | None
    ended_at: datetime | None
    length_m: float
    width_mm: float | None
    mm_per_px: float | None
    recipe: str
    order: WorkOrder


@dataclass(frozen=True, slots=True)
class ReportDefect:
    """A defect as it is listed.

    Attributes:
        place: where it lies, and what a person has said of it.
        shape: block, point or line.
        shade: stripe, bar or stain that is only darker or lighter; empty for others.
        type_name: its type in words; empty while nobody has named it.
        area_mm2: of its cells.
        peak: score, multiples of the calibrated threshold.
        reviewer: who gave the verdict; empty while nobody has.
        reviewed_at: when.
    """

    place: ClothDefect
    shape: str
    shade: str
    type_name: str
    area_mm2: float
    peak: float
    reviewer: str
    reviewed_at: datetime | None

    @property
    def is_rejected(self) -> bool:
        """Somebody said that it is none."""
        return self.place.verdict == "rejected"


@dataclass(frozen=True, slots=True)
class ReportAlarm:
    """An alarm as it is listed; the fields are those of ``Alarm``."""

    number: int
    severity: str
    text: str
    position_m: float
    raised_at: datetime | None
    gone_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str


@dataclass(frozen=True, slots=True)
class RollReport:
    """
    Attributes:
        mill: whose report it is.
        made_at: when it was made.
        roll: the roll as a whole.
        worth: how much of it was inspected, and how well.
        grade: its points.
        defects: all, in the order of their numbers; rejected ones too.
        gaps, remarks, alarms: as they were recorded.
        widths: of the cloth along the roll; none of rolls of before they were kept.
        earlier_grades: that the roll was given, the oldest first; the last is the present one, unless the roll runs.
        repeats: what repeats along the roll or runs in one lane, the surest first.
        cut_plan: where to cut it; None where none was asked for, or there is none.
        cut_problem: why there is no cut plan though one was asked for; empty otherwise.
        records: the roll as ``records.reading.read_roll`` gives it, for files that hold everything.
    """

    mill: Mill
    made_at: datetime
    roll: RollData
    worth: RollWorth
    grade: Grade
    defects: tuple[ReportDefect, ...]
    gaps: tuple[Gap, ...]
    remarks: tuple[Remark, ...]
    alarms: tuple[ReportAlarm, ...]
    widths: tuple[WidthAt, ...]
    earlier_grades: tuple[GivenGrade, ...]
    repeats: tuple[Repeat, ...]
    cut_plan: CutPlan | None
    cut_problem: str
    records: Mapping[str, Any]

    @property
    def splices_m(self) -> tuple[float, ...]:
        """Where cloth was spliced, along the roll."""
        return splices_of(self.remarks)

    @property
    def real_defects(self) -> list[ReportDefect]:
        """Without those that somebody has rejected."""
        return [defect for defect in self.defects if not defect.is_rejected]

    def points_of(self, defect: ReportDefect) -> int:
        """Points of a defect before the cap; 0 for one that is left out."""
        return self.grade.by_defect.get(defect.place.number, 0)

    def worst(self, most: int) -> list[ReportDefect]:
        """At most so many defects, those with the most points first and among these the highest scores, put back into
        the order of the roll. Rejected ones come last.
        """
        ranked = sorted(self.defects, key=lambda d: (d.is_rejected, -self.points_of(d), -d.peak))[:most]
        return sorted(ranked, key=lambda d: (d.place.start_m, d.place.number))


def splices_of(remarks: Iterable[Remark]) -> tuple[float, ...]:
    """Where cloth was spliced, metres along the roll."""
    return tuple(remark.position_m for remark in remarks if remark.kind == "splice")


@dataclass(frozen=True, slots=True)
class TypeCount:
    """One bar of a Pareto chart.

    Attributes:
        name: of the type.
        defects: how many.
        points: what they have before the cap.
        share: of all defects up to and with this type, 0..1.
    """

    name: str
    defects: int
    points: int
    share: float


def pareto_of_types(report: RollReport) -> list[TypeCount]:
    """The types of the roll's defects, the most frequent first; without rejected ones."""
    count: Counter[str] = Counter()
    points: Counter[str] = Counter()
    for defect in report.real_defects:
        name = defect.type_name or NO_TYPE
        count[name] += 1
        points[name] += report.points_of(defect)
    rows, seen = [], 0
    for name, defects in sorted(count.items(), key=lambda item: (-item[1], item[0])):
        seen += defects
        rows.append(TypeCount(name, defects, points[name], seen / count.total()))
    return rows
