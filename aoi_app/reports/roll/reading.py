"""The report of a roll out of the records."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, TypeVar

from sqlalchemy import Engine

from aoi_app.alarms.roll_worth import RollWorth
from aoi_app.inspection.findings.defects import Gap, Remark
from aoi_app.records.errors import RecordsError
from aoi_app.records.reading import read_roll, read_widths
from aoi_app.records.tables import with_zone
from aoi_app.records.upkeep.grades import keep_grade, read_grades
from aoi_app.records.work_orders import order_of
from aoi_app.reports.cloth_defect import ClothDefect
from aoi_app.reports.cutting.cut_plan import CutPlan, Span, plan_cuts
from aoi_app.reports.errors import ReportError
from aoi_app.reports.grading.grade import Grade, grade, why_left_out
from aoi_app.reports.repeats.repeats import find_repeats
from aoi_app.reports.roll.roll_report import ReportAlarm, ReportDefect, RollData, RollReport, splices_of
from aoi_app.settings.cutting import CutRules
from aoi_app.settings.grading import GradingRules
from aoi_app.settings.settings import Mill
from aoi_app.settings.strict_json import ContentError, parse_json
from aoi_app.settings.work_order import WorkOrder

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FARTHEST_M = 100_000.0  # no roll is as long


def read_report(
    engine: Engine,
    roll_id: int,
    mill: Mill,
    *,
    grading: GradingRules | None = None,
    cutting: CutRules | None = None,
) -> RollReport:
    """The report of a recorded roll, graded anew: verdicts that were given since are in it.

    Args:
        engine: the records.
        roll_id: number of the roll.
        mill: whose report it is.
        grading, cutting: rules; None takes those of the recipe that the roll was inspected with.

    Raises:
        RecordsError: there is no such roll, or it cannot be read.
        ReportError: the rules of its recipe are damaged.
    """
    records = read_roll(engine, roll_id)
    recipe = _recipe(records)
    rules = grading or _part(recipe, "grading", GradingRules, roll_id) or GradingRules()
    cut_rules = cutting or _part(recipe, "cutting", CutRules, roll_id)
    roll = _roll(records["roll"], recipe)
    gaps = tuple(Gap(**gap) for gap in records["gaps"])
    defects = tuple(map(_defect, records["defects"]))
    _check_places(defects, roll_id)
    places = [defect.place for defect in defects]
    graded = grade(places, rules, inspected_m=records["roll"]["inspected_m"], width_mm=roll.width_mm)
    remarks = tuple(Remark(**remark) for remark in records["remarks"])
    if roll.state != "running" and grading is None:
        _keep_grade(engine, roll_id, graded)
    plan, problem = _cut_plan(places, graded, cut_rules, roll, gaps, splices_of(remarks))
    return RollReport(
        mill=mill,
        made_at=datetime.now(timezone.utc),
        roll=roll,
        worth=_worth(records["roll"], gaps),
        grade=graded,
        defects=defects,
        gaps=gaps,
        remarks=remarks,
        alarms=tuple(map(_alarm, records["alarms"])),
        widths=tuple(read_widths(engine, roll_id)),
        earlier_grades=tuple(read_grades(engine, roll_id)),
        repeats=tuple(find_repeats(places, roll_m=roll.length_m, width_mm=roll.width_mm)),
        cut_plan=plan,
        cut_problem=problem,
        records=records,
    )


def _keep_grade(engine: Engine, roll_id: int, graded: Grade) -> None:
    """A grade by the roll's own rules is kept. A database that is only read, such as a copy, does not keep it: the
    report says the same.
    """
    try:
        keep_grade(
            engine,
            roll_id,
            points=graded.points,
            value=graded.value,
            per=graded.limit.per,
            is_passed=graded.is_passed,
            rules=graded.rules.model_dump(mode="json"),
        )
    except RecordsError as error:
        logger.warning("%s", error)


def _check_places(defects: Sequence[ReportDefect], roll_id: int) -> None:
    """Raises ReportError where a defect lies on no cloth: grading would count its metres for ever."""
    for defect in defects:
        place = defect.place
        # A value that is no number is not less than anything.
        if not (abs(place.start_m) < _FARTHEST_M and 0 <= place.length_mm / 1000.0 < _FARTHEST_M):
            raise ReportError(
                "report-defect-damaged",
                "The records of roll {roll_id} are damaged: defect {number} begins at {start_m:g} m and is "
                "{length_mm:g} mm long. Restore a copy of them.",
                roll_id=roll_id,
                number=place.number,
                start_m=place.start_m,
                length_mm=place.length_mm,
            )


def read_cut_rules(engine: Engine, roll_id: int) -> CutRules | None:
    """The rules of cutting in the recipe that a roll was inspected with; None where it has none. Raises as
    ``read_report``.
    """
    return _part(_recipe(read_roll(engine, roll_id)), "cutting", CutRules, roll_id)


def _recipe(records: Mapping[str, Any]) -> Mapping[str, Any]:
    recipe = records["roll"]["recipe"]
    return recipe if isinstance(recipe, dict) else {}


def _part(recipe: Mapping[str, Any], name: str, shape: type[T], roll_id: int) -> T | None:
    """Rules out of a recorded recipe; None where it is older than they are. Raises ReportError."""
    if recipe.get(name) is None:
        return None
    try:
        return parse_json(json.dumps(recipe[name]).encode(), shape)
    except ContentError as error:
        raise ReportError(
            "report-rules-damaged",
            "The {name} rules in the recipe of roll {roll_id} are not valid: {reason}",
            hint="--recipe names a file with others.",
            name=name,
            roll_id=roll_id,
            reason=error,
        ) from error


def _cut_plan(
    places: Sequence[ClothDefect],
    graded: Grade,
    rules: CutRules | None,
    roll: RollData,
    gaps: Sequence[Gap],
    splices_m: Sequence[float],
) -> tuple[CutPlan | None, str]:
    """The cut plan, and why there is none."""
    if rules is None:
        return None, ""
    # What gets no points is no reason to cut: the customer does not see it either.
    counting = [place for place in places if why_left_out(place, graded.rules, roll.width_mm) is None]
    spans = [Span(gap.position_m, gap.position_m + gap.length_m) for gap in gaps]
    try:
        return plan_cuts(counting, rules, roll_m=roll.length_m, gaps=spans, splices_m=splices_m), ""
    except ReportError as error:
        return None, str(error)


def _roll(roll: Mapping[str, Any], recipe: Mapping[str, Any]) -> RollData:
    width, mm_per_px = roll["width_mm"], recipe.get("mm_per_px")
    return RollData(
        roll_id=roll["id"],
        name=roll["name"],
        state=roll["state"],
        source=roll["source"],
        fabric=roll["fabric"] or "",
        model=roll["model"],
        threshold=roll["threshold"],
        started_at=_time(roll["started_at"]),
        ended_at=_time(roll["ended_at"]),
        length_m=roll["length_m"],
        width_mm=width if isinstance(width, int | float) and width > 0 else None,
        mm_per_px=mm_per_px if isinstance(mm_per_px, int | float) else None,
        recipe=str(recipe.get("name", "")),
        order=_order(roll),
    )


def _order(roll: Mapping[str, Any]) -> WorkOrder:
    """Raises ReportError where a column of it holds what no order does."""
    try:
        return order_of(roll)
    except ValueError as error:
        raise ReportError(
            "report-order-damaged",
            "The work order in the records of roll {roll_id} is damaged. Restore a copy of them.",
            roll_id=roll["id"],
        ) from error


def _worth(roll: Mapping[str, Any], gaps: Sequence[Gap]) -> RollWorth:
    missed = [gap for gap in gaps if not gap.is_wanted]
    missed_m = sum(gap.length_m for gap in missed)
    reserve_m = roll["reserve_m"] or 0.0
    return RollWorth(
        good_m=max(0.0, roll["inspected_m"] - reserve_m),
        reserve_m=reserve_m,
        missed_m=missed_m,
        left_out_m=max(0.0, roll["gap_m"] - missed_m),
        missed_gaps=len(missed),
    )


def _defect(row: Mapping[str, Any]) -> ReportDefect:
    """Of a row of ``read_roll``."""
    return ReportDefect(
        place=ClothDefect(
            number=row["id"],
            start_m=row["position_m"],
            length_mm=row["length_mm"],
            left_mm=row["position_mm"] - row["width_mm"] / 2.0,
            width_mm=row["width_mm"],
            type_code=row["type_code"],
            verdict=row["verdict"],
        ),
        shape=row["shape"],
        shade=row["shade"] or "",
        type_name=row["type_name"] or "",
        area_mm2=row["area_mm2"],
        peak=row["peak"],
        reviewer=row["reviewer"] or "",
        reviewed_at=_time(row["reviewed_at"]),
    )


def _alarm(row: Mapping[str, Any]) -> ReportAlarm:
    return ReportAlarm(
        number=row["number"],
        severity=row["severity"],
        text=row["text"],
        position_m=row["position_m"],
        raised_at=_time(row["raised_at"]),
        gone_at=_time(row["gone_at"]),
        acknowledged_at=_time(row["acknowledged_at"]),
        acknowledged_by=row["acknowledged_by"],
    )


def _time(text: str | None) -> datetime | None:
    """A time of the records, with its zone."""
    return None if text is None else with_zone(datetime.fromisoformat(text))
