"""What reports say of rolls, in words: one place for all kinds of files."""

from __future__ import annotations

from datetime import datetime

from aoi_app.records.files import safe_name
from aoi_app.reports.grading.grade import Grade
from aoi_app.reports.roll.roll_report import RollData, RollReport
from aoi_app.settings.grading import GradingRules

_STATES = {
    "running": "still running: this report is provisional",
    "finished": "finished",
    "stopped": "stopped by a person",
    "failed": "ended by an error",
    "interrupted": "interrupted: the program ended before the roll did",
}


def state_text(state: str) -> str:
    """How the roll ended."""
    return _STATES.get(state, state)


def time_text(time: datetime | None) -> str:
    """A time as it is at this place, with its distance from UTC."""
    if time is None:
        return "not known"
    local = time.astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S} (UTC{local:%z})"


def roll_text(roll: RollData) -> str:
    """What a person calls the roll; our number says which inspection of it is meant."""
    number = roll.order.roll_number
    return f"No. {roll.roll_id} in the records: roll {number}" if number else f"Roll {roll.roll_id}, {roll.name}"


def width_text(roll: RollData) -> str:
    """The measured width, beside it the ordered one and by how much it differs."""
    ordered = roll.order.nominal_width_mm
    if roll.width_mm is None:
        return "not measured" if ordered is None else f"not measured; {ordered:.0f} mm ordered"
    if ordered is None:
        return f"{roll.width_mm:.0f} mm"
    difference = width_difference_mm(roll) or 0.0
    return f"{roll.width_mm:.0f} mm; {ordered:.0f} mm ordered ({difference:+.0f} mm, {difference / ordered:+.1%})"


def width_difference_mm(roll: RollData) -> float | None:
    """How much wider the cloth is than ordered, negative for narrower; None where one of both is not known."""
    ordered = roll.order.nominal_width_mm
    return None if roll.width_mm is None or ordered is None else roll.width_mm - ordered


def number_text(value: float | None, digits: int = 1) -> str:
    """A number, or that it is not known."""
    return "not known" if value is None else f"{value:.{digits}f}"


def verdict_text(report: RollReport) -> str:
    """The word of the grade. Points are counted on what was inspected, so of a roll that was not inspected whole it
    does not say more than that.
    """
    if report.grade.is_passed and report.worth.is_missed:
        return "PASSED WHERE INSPECTED"
    return {True: "PASSED", False: "FAILED", None: "NO GRADE"}[report.grade.is_passed]


def grade_text(report: RollReport) -> str:
    """Why it passed or failed."""
    grade = report.grade
    if grade.value is None:
        return "Nothing was inspected, or the width of the cloth is not known: points per area cannot be told."
    per = grade.limit.per.replace("2", "²")
    missed = " Part of the roll was not inspected." if report.worth.is_missed else ""
    return f"{grade.value:.1f} points per {per}; the limit is {grade.limit.text}.{missed}"


def rules_text(rules: GradingRules) -> str:
    """The option that the roll was graded by."""
    per, inch = ("metre", "25 mm") if rules.units == "metric" else ("yard", "1 inch")
    if rules.scheme == "ten-point":
        parts = [f"10-point system, at most 10 points per {per}"]
        parts += ["every hole 10 points"] if rules.holes == "always most" else []
    else:
        holes = {
            "by size": f"holes up to {inch} 2 points, larger 4",
            "always most": "every hole 4 points",
            "as others": "holes by their length",
        }[rules.holes]
        parts = [f"4-point system (ASTM D5430), at most 4 points per {per}", holes]
    if rules.margin_mm > 0:
        parts.append(f"{rules.margin_mm:g} mm beside each edge left out")
    if rules.ignored_types:
        parts.append(f"without types {', '.join(rules.ignored_types)}")
    parts.append("defects count unless rejected" if rules.count_unreviewed else "only confirmed defects count")
    return "; ".join(parts) + "."


def left_out_text(grade: Grade) -> str:
    """Which defects got no points; empty where all did."""
    said = [f"{count} {reason}" for reason, count in sorted(grade.left_out.items())]
    return f"Without points: {', '.join(said)}." if said else ""


def reviewed_text(report: RollReport) -> str:
    """What people have said of the defects."""
    verdicts = [defect.place.verdict for defect in report.defects]
    confirmed, rejected = verdicts.count("confirmed"), verdicts.count("rejected")
    return f"{confirmed} confirmed, {rejected} rejected, {len(verdicts) - confirmed - rejected} not reviewed"


def file_stem(report: RollReport) -> str:
    """The name that the files of a report have, without its ending: the mill's number of the roll, and ours behind it,
    so that two inspections of one roll do not overwrite each other.
    """
    number = report.roll.order.roll_number
    named = f"{safe_name(number)}-" if number else ""
    return f"roll-{named}{report.roll.roll_id}"
