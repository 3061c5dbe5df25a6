"""The map of a roll out of its report."""

from __future__ import annotations

from aoi_app.reports.roll.roll_report import ReportDefect, RollReport
from aoi_app.ui.rolls.defect_layer import MapMark
from aoi_app.ui.rolls.roll_map import MapGap, RollMapContent

_LEAST_MM = 1.0


def map_content(report: RollReport) -> RollMapContent:
    """What the map shows of a roll."""
    ends = [d.place.end_m for d in report.defects]
    rights = [d.place.right_mm for d in report.real_defects]
    return RollMapContent(
        length_m=max(report.roll.length_m, max(ends, default=0.0)),
        width_mm=report.roll.width_mm or max(max(rights, default=_LEAST_MM), _LEAST_MM),
        marks=[_mark(report, defect) for defect in report.defects],
        gaps=[
            MapGap(g.position_m, g.position_m + g.length_m, f"Not inspected, {g.length_m:.2f} m: {g.reason}")
            for g in report.gaps
        ],
        widths=[(at.position_m, at.width_mm) for at in report.widths],
        splices_m=report.splices_m,
        interval_m=report.grade.interval_m,
        points=report.grade.by_interval,
        per="m" if report.grade.rules.units == "metric" else "yd",
    )


def _mark(report: RollReport, defect: ReportDefect) -> MapMark:
    place, points = defect.place, report.points_of(defect)
    name = defect.type_name or defect.shade or defect.shape
    said = f", {place.verdict}" if place.verdict is not None else ""
    return MapMark(
        number=place.number,
        start_m=place.start_m,
        end_m=place.end_m,
        left_mm=place.left_mm,
        right_mm=place.right_mm,
        points=points,
        is_rejected=defect.is_rejected,
        text=f"{place.number}: {name}{said}, {place.length_mm:.0f} × {place.width_mm:.0f} mm at {place.start_m:.2f} m, "
        f"{place.middle_mm:.0f} mm across, {points} points, score {defect.peak:.2f}",
    )
