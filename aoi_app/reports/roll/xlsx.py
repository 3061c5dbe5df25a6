"""A roll's report as a workbook: numbers are numbers, times are times, and no text is a formula, a link or a macro."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from aoi_app.reports.repeats.repeats import repeat_text
from aoi_app.reports.roll.roll_report import ReportDefect, RollReport, pareto_of_types
from aoi_app.reports.wording import (
    grade_text,
    left_out_text,
    reviewed_text,
    roll_text,
    rules_text,
    state_text,
    verdict_text,
    width_difference_mm,
)

_MOST_ROWS = 1_048_575  # of a sheet, below its head
_LONGEST_TEXT = 32_767  # of a cell
_TIME = "yyyy-mm-dd hh:mm:ss"

Cell = str | int | float | bool | datetime | None

_DEFECT_HEADINGS = (
    "number", "along, m", "across, mm", "length, mm", "width, mm", "area, mm²", "score", "shape", "shade",
    "type code", "type", "points", "verdict", "reviewer", "reviewed at (UTC)",
)  # fmt: skip


def make_xlsx(report: RollReport) -> bytes:
    """The workbook as a file."""
    file = io.BytesIO()
    # Rows go to the disk as they come: a roll may have a hundred thousand defects.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"title": f"Roll inspection report, {roll_text(report.roll)}"})
        sheets = _Sheets(book)
        sheets.add("Roll", ("", ""), _roll_rows(report), (24, 60))
        sheets.add("Defects", _DEFECT_HEADINGS, (_defect_row(report, d) for d in report.defects), (10,) * 15)
        sheets.add("Points", ("from, m", "points"), _point_rows(report), (12, 10))
        sheets.add(
            "Types",
            ("type", "defects", "points", "share with those above"),
            ((t.name, t.defects, t.points, t.share) for t in pareto_of_types(report)),
            (30, 10, 10, 22),
        )
        sheets.add(
            "Repeats",
            ("what", "period, m", "left, mm", "right, mm", "from, m", "to, m", "defects", "chance at most"),
            (
                (repeat_text(r), r.period_m, r.left_mm, r.right_mm, r.from_m, r.to_m, len(r.numbers), r.chance)
                for r in report.repeats
            ),
            (80, 10, 10, 10, 10, 10, 10, 14),
        )
        if report.cut_plan is not None:
            sheets.add(
                "Cut plan",
                ("piece", "from, m", "to, m", "length, m", "defects that stay"),
                ((p.number, p.start_m, p.end_m, p.length_m, len(p.staying)) for p in report.cut_plan.pieces),
                (10, 12, 12, 12, 18),
            )
        sheets.add(
            "Not inspected",
            ("from, m", "length, m", "why", "wanted"),
            ((g.position_m, g.length_m if g.lines or g.length_m else None, g.reason, g.is_wanted) for g in report.gaps),
            (12, 12, 60, 10),
        )
        sheets.add(
            "Alarms",
            ("at, m", "raised (UTC)", "gone (UTC)", "meant", "what was wrong", "seen by", "seen at (UTC)"),
            (
                (a.position_m, a.raised_at, a.gone_at, a.severity, a.text, a.acknowledged_by, a.acknowledged_at)
                for a in report.alarms
            ),
            (10, 19, 19, 16, 60, 16, 19),
        )
        sheets.add("Width", ("from, m", "width, mm"), ((w.position_m, w.width_mm) for w in report.widths), (10, 12))
        sheets.add(
            "Grades",
            ("given (UTC)", "points", "figure", "per", "passed", "why"),
            ((g.at, g.points, g.value, g.per, g.is_passed, g.reason) for g in report.earlier_grades),
            (19, 10, 10, 10, 10, 60),
        )
        sheets.add(
            "Remarks",
            ("at, m", "about", "remark"),
            ((r.position_m, r.kind, r.text) for r in report.remarks),
            (10, 14, 80),
        )
    return file.getvalue()


class _Sheets:
    """Writes tables into a workbook."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._head: Format = book.add_format({"bold": True, "bottom": 1})
        self._time: Format = book.add_format({"num_format": _TIME})

    def add(self, name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]], widths: Sequence[float]) -> None:
        """A sheet with a head that stays in view; rows that no sheet can hold are counted at its end."""
        sheet: Worksheet = self._book.add_worksheet(name)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, 0)
        for column, text in enumerate(headings):
            sheet.write_string(0, column, text, self._head)
        last, too_many = 0, 0
        for row in rows:
            if last + 1 >= _MOST_ROWS:
                too_many += 1
                continue
            last += 1
            for column, cell in enumerate(row):
                self._write(sheet, last, column, cell)
        if too_many:
            sheet.write_string(last + 1, 0, f"{too_many} more rows do not fit into a sheet")
        elif last:
            sheet.autofilter(0, 0, last, len(headings) - 1)

    def _write(self, sheet: Worksheet, row: int, column: int, cell: Cell) -> None:
        """By the type of the value, never by what a text looks like."""
        if cell is None or cell == "":
            return
        if isinstance(cell, bool):
            sheet.write_boolean(row, column, cell)
        elif isinstance(cell, datetime):
            # A workbook knows no zones; the head says that it is UTC.
            sheet.write_datetime(row, column, cell.astimezone(timezone.utc).replace(tzinfo=None), self._time)
        elif isinstance(cell, int | float):
            if math.isfinite(cell):
                sheet.write_number(row, column, cell)
        else:
            sheet.write_string(row, column, str(cell)[:_LONGEST_TEXT])


def _roll_rows(report: RollReport) -> Iterable[tuple[str, Cell]]:
    roll, worth, grade = report.roll, report.worth, report.grade
    order = roll.order
    yield from (
        ("mill", report.mill.name),
        ("report made at (UTC)", report.made_at),
        ("roll number", order.roll_number),
        ("order", order.order_number),
        ("article", order.article),
        ("lot", order.lot),
        ("loom", order.loom),
        ("operator", order.operator),
        ("weight, g/m²", order.gsm),
        ("roll", roll.name),
        ("number", roll.roll_id),
        ("state", state_text(roll.state)),
        ("fabric", roll.fabric),
        ("source", roll.source),
        ("begun (UTC)", roll.started_at),
        ("ended (UTC)", roll.ended_at),
        ("length, m", roll.length_m),
        ("inspected well, m", worth.good_m),
        ("inspected with reserve, m", worth.reserve_m),
        ("not inspected, m", worth.missed_m),
        ("left out as wanted, m", worth.left_out_m),
        ("width, mm", roll.width_mm),
        ("ordered width, mm", order.nominal_width_mm),
        ("wider than ordered, mm", width_difference_mm(roll)),
        ("usable width, mm", grade.usable_width_mm),
        ("model", roll.model),
        ("recipe", roll.recipe),
        ("threshold", roll.threshold),
        ("grade", verdict_text(report)),
        ("why", grade_text(report)),
        ("rules", rules_text(grade.rules)),
        ("points", grade.points),
        ("points per 100 m²", grade.per_100_m2),
        ("points per 100 yd²", grade.per_100_yd2),
        ("points per metre", grade.per_metre),
        ("limit, points", grade.limit.points),
        ("limit per", grade.limit.per),
        ("defects", len(report.defects)),
        ("reviewed", reviewed_text(report)),
        ("left out", left_out_text(grade)),
        ("cut plan", report.cut_problem),
    )
    if report.cut_plan is not None:
        yield "lost, m", report.cut_plan.lost_m
        yield "cost of the cut plan", report.cut_plan.cost


def _defect_row(report: RollReport, defect: ReportDefect) -> tuple[Cell, ...]:
    place = defect.place
    return (
        place.number, place.start_m, place.middle_mm, place.length_mm, place.width_mm, defect.area_mm2, defect.peak,
        defect.shape, defect.shade, place.type_code, defect.type_name, report.points_of(defect),
        place.verdict or "", defect.reviewer, defect.reviewed_at,
    )  # fmt: skip


def _point_rows(report: RollReport) -> Iterable[tuple[float, int]]:
    """Every metre (or yard) that has points."""
    return ((index * report.grade.interval_m, points) for index, points in report.grade.by_interval.items())
