"""The sections of a roll's report, each a list of what is set one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Paragraph, Table, TableStyle

from aoi_app.reports.pdf.bars import Bar, BarChart
from aoi_app.reports.pdf.fonts import marked_up
from aoi_app.reports.pdf.roll_map import roll_map
from aoi_app.reports.pdf.style import (
    BAD,
    GOOD,
    RULE,
    SMALL,
    TEXT_WIDTH,
    UNSURE,
    VERDICT,
    heading,
    listing,
    pairs,
    paragraph,
    space,
)
from aoi_app.reports.repeats.repeats import repeat_text, sureness_text
from aoi_app.reports.roll.roll_report import RollReport, pareto_of_types
from aoi_app.reports.wording import (
    grade_text,
    left_out_text,
    number_text,
    reviewed_text,
    rules_text,
    state_text,
    time_text,
    verdict_text,
    width_text,
)
from aoi_app.settings.work_order import WorkOrder

_PASSED = {True: "passed", False: "failed", None: "no grade"}

MOST_ROWS = 200
"""Rows of a table of gaps, alarms, remarks or pieces; the others are counted, and stand in the other files."""

_MOST_TYPES, _WORST_METRES = 20, 10


def roll_section(report: RollReport) -> list[Flowable]:
    """What the roll is, and how much of it was inspected."""
    roll = report.roll
    return [
        pairs(
            [
                *_order_rows(roll.order),
                ("Recorded as", roll.name),
                ("No. in records", roll.roll_id),
                ("Fabric", roll.fabric or "not recognised"),
                ("State", state_text(roll.state)),
                ("Begun", time_text(roll.started_at)),
                ("Ended", time_text(roll.ended_at)),
                ("Length", f"{roll.length_m:.2f} m"),
                ("Width", width_text(roll)),
                ("Source", roll.source),
                ("Model", roll.model),
                ("Recipe", roll.recipe or "not known"),
                ("Threshold", f"{roll.threshold:g} times the calibrated one"),
            ]
        ),
        space(2),
        paragraph(f"Inspected: {report.worth.text}."),
    ]


def _order_rows(order: WorkOrder) -> list[tuple[str, object]]:
    """What was said of the roll; the ordered width stands beside the measured one."""
    rows = (
        ("Roll", order.roll_number),
        ("Order", order.order_number),
        ("Article", order.article),
        ("Lot", order.lot),
        ("Loom", order.loom),
        ("Operator", order.operator),
        ("Weight", "" if order.gsm is None else f"{order.gsm:g} g/m²"),
    )
    return [(label, text) for label, text in rows if text]


def grade_section(report: RollReport) -> list[Flowable]:
    """Passed or failed, by which rules, and the points."""
    grade = report.grade
    colour = {True: GOOD, False: BAD, None: UNSURE}[grade.is_passed]
    word = Paragraph(f'<font color="{colour.hexval().replace("0x", "#")}">{verdict_text(report)}</font>', VERDICT)
    box = Table([[word, paragraph(grade_text(report))]], colWidths=[TEXT_WIDTH * 0.24, TEXT_WIDTH * 0.76])
    box.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 1.2, colour), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]))
    rows: list[tuple[str, object]] = [
        ("Points", grade.points),
        ("Defects", f"{len(report.defects)}: {reviewed_text(report)}"),
        ("Inspected", f"{grade.inspected_m:.2f} m"),
        ("Usable width", "not known" if grade.usable_width_mm is None else f"{grade.usable_width_mm:.0f} mm"),
        ("Per 100 m²", number_text(grade.per_100_m2)),
        ("Per 100 yd²", number_text(grade.per_100_yd2)),
        ("Per metre", number_text(grade.per_metre, 3)),
    ]
    return [
        heading("Grade"),
        box,
        space(1.5),
        pairs(rows),
        space(1),
        paragraph(f"{rules_text(grade.rules)} {left_out_text(grade)}", SMALL),
    ]


def map_section(report: RollReport) -> list[Flowable]:
    """The map of the roll, and its worst metres."""
    legend = (
        "Length to the right, width down from the left edge. The darker a defect, the more points it has (grey: none); "
        "hatched cloth was not inspected. Below: points per "
        f"{'metre' if report.grade.rules.units == 'metric' else 'yard'}."
    )
    parts: list[Flowable] = [heading("Map of the roll"), *roll_map(report, TEXT_WIDTH), paragraph(legend, SMALL)]
    worst = sorted(report.grade.by_interval.items(), key=lambda item: (-item[1], item[0]))[:_WORST_METRES]
    if worst:
        length = report.grade.interval_m
        said = ", ".join(f"{index * length:.1f} m ({points})" for index, points in worst)
        parts.append(paragraph(f"Most points, from the metre on: {said}.", SMALL))
    return parts


def pareto_section(report: RollReport) -> list[Flowable]:
    """The types of defects, the most frequent first."""
    types = pareto_of_types(report)
    if not types:
        return []
    bars = [
        Bar(t.name, t.defects, f"{t.defects} ({t.share:.0%} with those above), {t.points} points")
        for t in types[:_MOST_TYPES]
    ]
    parts: list[Flowable] = [heading("Types of defects"), BarChart(bars, TEXT_WIDTH)]
    more = len(types) - _MOST_TYPES
    return [KeepTogether([*parts, *([paragraph(f"And {more} rarer types.", SMALL)] if more > 0 else [])])]


def repeat_section(report: RollReport) -> list[Flowable]:
    """What repeats, with its cause as far as it can be guessed, and how sure that is."""
    if not report.repeats:
        return []
    rows = [(repeat_text(repeat), sureness_text(repeat)) for repeat in report.repeats]
    return [heading("What repeats"), listing(("what", "how sure"), rows, (10, 4))]


def cut_section(report: RollReport) -> list[Flowable]:
    """Where to cut."""
    if report.cut_problem:
        return [heading("Cut plan"), paragraph(report.cut_problem)]
    plan = report.cut_plan
    if plan is None:
        return []
    rows = [
        (piece.number, f"{piece.start_m:.2f}", f"{piece.end_m:.2f}", f"{piece.length_m:.2f}", len(piece.staying))
        for piece in plan.pieces[:MOST_ROWS]
    ]
    said = (
        f"{len(plan.pieces)} pieces, {plan.lost_m:.2f} m lost, at a cost of {plan.cost:.2f}. "
        "No plan with cuts at whole centimetres costs less."
    )
    return [
        heading("Cut plan"),
        paragraph(said),
        space(1),
        listing(("piece", "from, m", "to, m", "length, m", "defects that stay"), rows, (1, 2, 2, 2, 2), range(5)),
        *_and_more(len(plan.pieces)),
    ]


def gap_section(report: RollReport) -> list[Flowable]:
    """What was not inspected."""
    if not report.gaps:
        is_empty = report.roll.length_m <= 0
        said = "No cloth went by." if is_empty else "Nothing: the roll was inspected from its begin to its end."
        return [heading("Not inspected"), paragraph(said)]
    rows = [
        (
            f"{gap.position_m:.2f}",
            f"{gap.length_m:.2f}" if gap.lines > 0 or gap.length_m > 0 else "unknown",
            gap.reason,
            "yes" if gap.is_wanted else "no",
        )
        for gap in report.gaps[:MOST_ROWS]
    ]
    return [
        heading("Not inspected"),
        listing(("from, m", "length, m", "why", "wanted"), rows, (2, 2, 10, 1.5), (0, 1)),
        *_and_more(len(report.gaps)),
    ]


def alarm_section(report: RollReport) -> list[Flowable]:
    """What was wrong with the inspection itself."""
    if not report.alarms:
        return [heading("Alarms"), paragraph("None.")]
    rows = [
        (
            f"{alarm.position_m:.2f}",
            time_text(alarm.raised_at),
            alarm.severity,
            alarm.text,
            f"{alarm.acknowledged_by}, {time_text(alarm.acknowledged_at)}" if alarm.acknowledged_at else "by nobody",
        )
        for alarm in report.alarms[:MOST_ROWS]
    ]
    return [
        heading("Alarms"),
        listing(("at, m", "raised", "meant", "what was wrong", "seen"), rows, (1.3, 3, 2, 6, 3.5), (0,)),
        *_and_more(len(report.alarms)),
    ]


def width_section(report: RollReport) -> list[Flowable]:
    """How wide the cloth is along the roll; the map draws it."""
    if not report.widths:
        return []
    widths = sorted((at.width_mm, at.position_m) for at in report.widths)
    (least, least_m), (most, most_m) = widths[0], widths[-1]
    middle = widths[len(widths) // 2][0]
    said = (
        f"{middle:.0f} mm on most metres; narrowest {least:.0f} mm at {least_m:.0f} m, widest {most:.0f} mm at "
        f"{most_m:.0f} m. The line on the map is the right edge."
    )
    return [heading("Width along the roll"), paragraph(said)]


def earlier_grade_section(report: RollReport) -> list[Flowable]:
    """Grades that the roll was given before, and why it has another one now; nothing where there is only one."""
    grades = report.earlier_grades
    if len(grades) < 2:
        return []
    rows = [
        (time_text(g.at), g.points, number_text(g.value), g.per.replace("2", "²"), _PASSED[g.is_passed], g.reason)
        for g in grades[-MOST_ROWS:]
    ]
    return [
        heading("Grades of this roll"),
        listing(("given", "points", "figure", "per", "word", "why"), rows, (4, 1.3, 1.5, 1.5, 1.8, 6), (1, 2)),
        *_and_more(len(grades)),
    ]


def remark_section(report: RollReport) -> list[Flowable]:
    """What else was recorded."""
    if not report.remarks:
        return []
    rows = [(f"{remark.position_m:.2f}", remark.kind, remark.text) for remark in report.remarks[:MOST_ROWS]]
    return [
        heading("Remarks"),
        listing(("at, m", "about", "remark"), rows, (1.3, 1.7, 12), (0,)),
        *_and_more(len(report.remarks)),
    ]


def signature_section() -> list[Flowable]:
    """Lines to sign on."""
    labels = ("Inspected by", "Reviewed by", "Released by")
    cells: list[list[Any]] = [
        ["", "", "", "", ""],
        [paragraph(label, SMALL) for n in range(5) for label in _label(labels, n)],
    ]
    gap = 0.05
    widths = [TEXT_WIDTH * (gap if n % 2 else (1 - 2 * gap) / 3) for n in range(5)]
    table = Table(cells, colWidths=widths, rowHeights=[14 * mm, 6 * mm])
    table.setStyle(TableStyle([("LINEBELOW", (n, 0), (n, 0), 0.6, RULE) for n in (0, 2, 4)]))
    return [CondPageBreak(35 * mm), heading("Signatures"), table]


def _label(labels: Sequence[str], column: int) -> list[str]:
    return ["" if column % 2 else f"{labels[column // 2]} (name, date)"]


def _and_more(count: int) -> list[Flowable]:
    more = count - MOST_ROWS
    if more <= 0:
        return []
    return [Paragraph(marked_up(f"And {more} more, which are in the XLSX and JSON files of this roll."), SMALL)]
