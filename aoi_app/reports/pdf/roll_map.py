"""The roll from above, as a drawing: length to the right, width down; defects by their points, gaps hatched, points per
metre below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log10

from reportlab.lib.colors import Color, white
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from aoi_app.reports.grading.points import MOST_POINTS
from aoi_app.reports.pdf.fonts import PLAIN
from aoi_app.reports.pdf.style import BAD, BAR, CLOTH, FAINT, INK, RULE, severity_colour
from aoi_app.reports.roll.roll_report import RollReport

_ROW_M = 100.0  # a longer roll is drawn in several rows
_MOST_ROWS = 4
_CLOTH, _BARS, _BETWEEN = 24 * mm, 8 * mm, 8 * mm
_LEFT = 12 * mm
_DOT = 0.7 * mm
_LEAST_WIDTH_MM = 1.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A defect as a rectangle on the roll, and how it is coloured."""

    start_m: float
    end_m: float
    left_mm: float
    right_mm: float
    points: int


def roll_map(report: RollReport, width: float) -> list[Flowable]:
    """The map of a whole roll in rows that may lie on several pages."""
    length_m = max((d.place.end_m for d in report.defects), default=0.0)
    length_m = max(report.roll.length_m, length_m, 0.001)
    widest_mm = max((d.place.right_mm for d in report.real_defects), default=_LEAST_WIDTH_MM)
    marks = [
        Mark(d.place.start_m, d.place.end_m, d.place.left_mm, d.place.right_mm, report.points_of(d))
        for d in report.real_defects
    ]
    marks.sort(key=lambda mark: mark.points)  # grave ones lie above others
    rows = min(_MOST_ROWS, max(1, ceil(length_m / _ROW_M)))
    row_m = length_m / rows
    width_mm = report.roll.width_mm or max(widest_mm, _LEAST_WIDTH_MM)
    return [RollMapRow(report, marks, row * row_m, row_m, width_mm, width) for row in range(rows)]


class RollMapRow(Flowable):
    """A part of the roll; however many defects there are, at most one is drawn at each place of the paper."""

    def __init__(
        self, report: RollReport, marks: Sequence[Mark], from_m: float, length_m: float, width_mm: float, width: float
    ) -> None:
        super().__init__()
        self._report, self._marks = report, marks
        self._from_m, self._row_m, self._width_mm = from_m, length_m, width_mm
        self._scale = (width - _LEFT) / length_m  # points of paper per metre
        self.width, self.height = width, _CLOTH + _BARS + _BETWEEN

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """The size that it takes."""
        return self.width, self.height

    def draw(self) -> None:
        """Draws it from above."""
        canvas: Canvas = self.canv
        top, right = self.height - 2.5 * mm, self.width
        from_m, to_m = self._from_m, self._from_m + self._row_m
        canvas.saveState()
        canvas.setFillColor(CLOTH)
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.6)
        canvas.rect(_LEFT, top - _CLOTH, right - _LEFT, _CLOTH, fill=1)
        self._draw_margins(top)
        self._draw_width(from_m, to_m, top)
        for gap in self._report.gaps:
            if gap.position_m < to_m and gap.position_m + gap.length_m >= from_m:
                self._draw_gap(self._x(max(gap.position_m, from_m) - from_m), gap.length_m, top)
        self._draw_splices(from_m, to_m, top)
        self._draw_marks(from_m, to_m, top)
        self._draw_cuts(from_m, to_m, top)
        self._draw_bars(from_m, to_m, top - _CLOTH)
        self._draw_axes(from_m, to_m, top)
        canvas.restoreState()

    def _x(self, from_begin_m: float) -> float:
        return _LEFT + from_begin_m * self._scale

    def _y(self, top: float, across_mm: float) -> float:
        inside = min(max(across_mm, 0.0), self._width_mm)
        return top - inside / self._width_mm * _CLOTH

    def _draw_margins(self, top: float) -> None:
        """The margins that grading leaves out."""
        margin = self._report.grade.rules.margin_mm
        if margin > 0:
            self.canv.setStrokeColor(FAINT)
            self.canv.setDash(1, 2)
            for across in (margin, self._width_mm - margin):
                self.canv.line(_LEFT, self._y(top, across), self.width, self._y(top, across))
            self.canv.setDash()

    def _draw_width(self, from_m: float, to_m: float, top: float) -> None:
        """The right edge of the cloth, metre by metre."""
        shown = [at for at in self._report.widths if from_m <= at.position_m <= to_m]
        self.canv.setStrokeColor(RULE)
        self.canv.setLineWidth(0.5)
        for one, following in pairwise(shown):
            self.canv.line(
                self._x(one.position_m - from_m),
                self._y(top, one.width_mm),
                self._x(following.position_m - from_m),
                self._y(top, following.width_mm),
            )

    def _draw_gap(self, x: float, length_m: float, top: float) -> None:
        """Hatched; one of unknown length is a line."""
        canvas: Canvas = self.canv
        width = min(max(length_m * self._scale, 0.8), self.width - x)
        canvas.saveState()
        path = canvas.beginPath()
        path.rect(x, top - _CLOTH, width, _CLOTH)
        canvas.setFillColor(white)
        canvas.setStrokeColor(BAD)
        canvas.setLineWidth(0.4)
        canvas.drawPath(path, fill=1, stroke=1)
        canvas.clipPath(path, stroke=0)
        step = 1.6 * mm
        for n in range(ceil((width + _CLOTH) / step)):
            canvas.line(x - _CLOTH + n * step, top - _CLOTH, x + n * step, top)
        canvas.restoreState()

    def _draw_splices(self, from_m: float, to_m: float, top: float) -> None:
        self.canv.setStrokeColor(INK)
        self.canv.setLineWidth(1.0)
        self.canv.setDash(3, 1.5)
        for place in self._report.splices_m:
            if from_m <= place <= to_m:
                self.canv.line(self._x(place - from_m), top - _CLOTH, self._x(place - from_m), top)
        self.canv.setDash()

    def _draw_marks(self, from_m: float, to_m: float, top: float) -> None:
        canvas: Canvas = self.canv
        # A place of the paper is painted once, by the gravest that lies there: that bounds the file, not what is seen.
        painted: dict[tuple[int, int, int, int], tuple[float, float, float, float, Color]] = {}
        for mark in self._marks:
            if mark.start_m > to_m or mark.end_m < from_m:
                continue
            x = self._x(max(mark.start_m, from_m) - from_m)
            width = max(_DOT, self._x(min(mark.end_m, to_m) - from_m) - x)
            y = self._y(top, mark.right_mm)
            height = max(_DOT, self._y(top, mark.left_mm) - y)
            box = (min(x, self.width - width), min(max(y, top - _CLOTH), top - height), width, height)
            key = tuple(round(value / (_DOT / 2)) for value in box)
            painted[key[0], key[1], key[2], key[3]] = (*box, severity_colour(mark.points))
        for x, y, width, height, colour in painted.values():
            canvas.setFillColor(colour)
            canvas.rect(x, y, width, height, stroke=0, fill=1)

    def _draw_cuts(self, from_m: float, to_m: float, top: float) -> None:
        plan = self._report.cut_plan
        if plan is None:
            return
        canvas: Canvas = self.canv
        canvas.setStrokeColor(BAR)
        canvas.setLineWidth(0.9)
        for place in {p for piece in plan.pieces for p in (piece.start_m, piece.end_m)}:
            if from_m <= place <= to_m:
                canvas.line(self._x(place - from_m), top - _CLOTH - _BARS, self._x(place - from_m), top + 1.5 * mm)
        canvas.setFont(PLAIN, 6)
        canvas.setFillColor(BAR)
        for piece in plan.pieces:
            begin, end = max(piece.start_m, from_m), min(piece.end_m, to_m)
            if (end - begin) * self._scale > 6 * mm:
                canvas.drawCentredString(self._x((begin + end) / 2 - from_m), top + 0.6 * mm, f"piece {piece.number}")

    def _draw_bars(self, from_m: float, to_m: float, top: float) -> None:
        """Points per metre (or yard), each bar at least as wide as can be printed; of several, the most."""
        canvas, grade = self.canv, self._report.grade
        most = MOST_POINTS[grade.rules.scheme]
        highest: dict[int, int] = {}
        step = max(grade.interval_m * self._scale, 0.35)
        for index, points in grade.by_interval.items():
            begin_m = index * grade.interval_m
            if from_m - 1e-9 <= begin_m < to_m:
                column = int((begin_m - from_m) * self._scale / step)
                highest[column] = max(points, highest.get(column, 0))
        for column, points in highest.items():
            canvas.setFillColor(severity_colour(round(4 * points / most)))
            height = points / most * (_BARS - 1 * mm)
            x = min(_LEFT + column * step, self.width - 0.3)
            canvas.rect(x, top - _BARS, min(step * 0.9, self.width - x), height, stroke=0, fill=1)
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.3)
        canvas.line(_LEFT, top - _BARS, self.width, top - _BARS)

    def _draw_axes(self, from_m: float, to_m: float, top: float) -> None:
        canvas: Canvas = self.canv
        canvas.setFont(PLAIN, 6)
        canvas.setFillColor(FAINT)
        canvas.setStrokeColor(FAINT)
        canvas.setLineWidth(0.3)
        canvas.drawRightString(_LEFT - 1.5, top - 5, "0 mm")
        canvas.drawRightString(_LEFT - 1.5, top - _CLOTH + 1, f"{self._width_mm:.0f}")
        canvas.drawRightString(_LEFT - 1.5, top - _CLOTH - _BARS + 1, "points")
        step = _round_step(self._row_m / 8)
        bottom, digits = top - _CLOTH - _BARS, max(0, -int(log10(step) // 1))
        place = ceil(from_m / step - 1e-9) * step
        while place <= to_m + 1e-9:
            x = self._x(place - from_m)
            canvas.line(x, bottom, x, bottom - 1.2 * mm)
            label = f"{place:.{digits}f}"
            canvas.drawCentredString(min(x, self.width - 4 * mm), bottom - 3.6 * mm, f"{label} m")
            place += step


def _round_step(about: float) -> float:
    """The next of 1, 2, 5, 10, 20, ... that is not less."""
    power: float = 10.0 ** (log10(about) // 1)
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= about - 1e-12)
