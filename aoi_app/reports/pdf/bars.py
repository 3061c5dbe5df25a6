"""Bar charts as drawings of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph

from aoi_app.reports.pdf.fonts import PLAIN, marked_up
from aoi_app.reports.pdf.style import BAR, INK, RULE, SMALL

_ROW = 5 * mm


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it stands for, how long it is, and what is written behind it."""

    label: str
    value: float
    text: str


class BarChart(Flowable):
    """Bars that lie, one below the other; the longest fills the width."""

    def __init__(self, bars: Sequence[Bar], width: float, longest: float | None = None) -> None:
        """``longest`` fills the width; None is the longest of these bars."""
        super().__init__()
        self._bars = bars
        self._longest = longest or max((bar.value for bar in bars), default=0.0) or 1.0
        self.width, self.height = width, max(1, len(bars)) * _ROW

    def wrap(self, _width: float, _height: float) -> tuple[float, float]:
        """The size that it takes."""
        return self.width, self.height

    def split(self, _width: float, height: float) -> list[Flowable]:
        """What fits on a page, and the rest."""
        fit = int(height // _ROW)
        if fit < 1 or fit >= len(self._bars):
            return []
        return [BarChart(part, self.width, self._longest) for part in (self._bars[:fit], self._bars[fit:])]

    def draw(self) -> None:
        """Draws it from above."""
        canvas: Canvas = self.canv
        label_width, text_width = self.width * 0.28, self.width * 0.24
        room = self.width - label_width - text_width
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.3)
        canvas.line(label_width, 0, label_width, self.height)
        for n, bar in enumerate(self._bars):
            bottom = self.height - (n + 1) * _ROW
            label = Paragraph(marked_up(bar.label[:60]), SMALL)
            _, height = label.wrap(label_width - 2 * mm, _ROW)
            label.drawOn(canvas, 0, bottom + max(0.0, (_ROW - height) / 2))
            canvas.setFillColor(BAR)
            length = max(0.0, bar.value) / self._longest * room
            canvas.rect(label_width, bottom + 1 * mm, length, _ROW - 2 * mm, stroke=0, fill=1)
            canvas.setFillColor(INK)
            canvas.setFont(PLAIN, 7)
            canvas.drawString(label_width + length + 1.5 * mm, bottom + 1.6 * mm, bar.text)
