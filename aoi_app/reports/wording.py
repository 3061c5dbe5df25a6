"""What reports say of rolls, in words: one place for all kinds of files."""

from __future__ import annotations

from datetime import datetime

from aoi_app.reports.grading.grade import Grade
from aoi_app.reports.roll.roll_report import RollReport
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


def number_text(value: float | None, digits: int = 1) -> str:
    """A number, or that it is not known."""
    return "not known" if value is None else f"{value:.{digits}f}"


def verdict_text(grade: Grade) -> str:
    """The one word of the grade."""
    return {True: "PASSED", False: "FAILED", None: "NO GRADE"}[grade.is_passed]


def grade_text(grade: Grade) -> str:
    """Why it passed or failed."""
    if grade.value is None:
        return "Nothing was inspected, or the width of the cloth is not known: points per area cannot be told."
    per = grade.limit.per.replace("2", "²")
    return f"{grade.value:.1f} points per {per}; the limit is {grade.limit.text}."


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
    """The name that the files of a report have, without its ending."""
    return f"roll-{report.roll.roll_id}"
