"""A whole roll on one screen: length by width, defects by their points, gaps hatched, points per metre below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QPen
from PySide6.QtWidgets import QGraphicsRectItem, QToolTip, QVBoxLayout, QWidget

from aoi_app.ui.rolls.defect_layer import LEAST_PX, DefectLayer, MapMark
from aoi_app.ui.widgets.plain import plain_tip
from aoi_app.ui.widgets.plots import color_plot, plot
from aoi_app.ui.widgets.theme import THEMES, Theme

_REACH_PX = 2.0 * LEAST_PX  # of the mouse
_POINTS_PX, _OVERVIEW_PX = 72, 72
_LEFT_PX = 56  # of the axis, so that all three plots begin at the same place
_MOST_BINS = 600
_GAP = QColor(217, 58, 58)
_SPLICE = QColor(70, 120, 200)
_CLOTH = QColor(128, 140, 152, 60)
_LEAST_M = 0.05


@dataclass(frozen=True, slots=True)
class MapGap:
    """Cloth that was not inspected: where it begins and ends, metres, and why."""

    start_m: float
    end_m: float
    reason: str


@dataclass(frozen=True, slots=True)
class RollMapContent:
    """
    Attributes:
        length_m: of the roll.
        width_mm: of the cloth.
        marks: its defects.
        gaps: what was not inspected.
        widths: of the cloth, (metre, mm), along the roll.
        splices_m: where cloth was spliced.
        interval_m: length of one metre, or yard, of the points.
        points: of every metre, or yard, that has any, by its number from 0.
        per: "m" or "yd".
    """

    length_m: float
    width_mm: float
    marks: Sequence[MapMark]
    gaps: Sequence[MapGap]
    widths: Sequence[tuple[float, float]]
    splices_m: Sequence[float]
    interval_m: float
    points: Mapping[int, int]
    per: str


class RollMap(QWidget):
    """The wheel zooms along the roll, the mouse moves it, the lowest plot shows where one is and leads there too.

    Signals:
        chosen: number of the defect that was clicked.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        theme = next(iter(THEMES.values()))
        self._map = plot("", "", "across, mm", theme)
        self._map.setAccessibleName("Map of the roll")
        self._map.setMouseEnabled(x=True, y=False)
        self._map.getViewBox().invertY(True)
        self._points = plot("", "", "points", theme)
        self._points.setAccessibleName("Points along the roll")
        self._points.setFixedHeight(_POINTS_PX)
        self._points.setXLink(self._map)
        self._overview = plot("", "along the roll, m", "", theme)
        self._overview.setAccessibleName("The whole roll")
        self._overview.setFixedHeight(_OVERVIEW_PX)
        for widget in (self._map, self._points, self._overview):
            widget.getAxis("left").setWidth(_LEFT_PX)
            widget.getViewBox().setDefaultPadding(0.0)
            widget.getPlotItem().setTitle(None)  # takes no room
        self._points.hideAxis("bottom")  # that of the map stands above it
        self._overview.getAxis("left").setStyle(showValues=False)
        self._cloth = QGraphicsRectItem()
        self._cloth.setPen(QPen(Qt.PenStyle.NoPen))
        self._cloth.setBrush(QBrush(_CLOTH))
        self._layer = DefectLayer()
        self._gaps: list[QGraphicsRectItem] = []
        self._splices: list[pg.InfiniteLine] = []
        self._map.addItem(self._cloth, ignoreBounds=True)
        self._map.addItem(self._layer, ignoreBounds=True)
        self._edge = pg.PlotCurveItem(pen=pg.mkPen(_SPLICE, width=1))
        self._map.addItem(self._edge, ignoreBounds=True)
        self._bars = pg.BarGraphItem(x0=[], x1=[], y0=[], y1=[], pen=None)
        self._points.addItem(self._bars)
        self._density = pg.PlotCurveItem([0.0, 1.0], [0.0], stepMode="center", fillLevel=0)
        self._overview.addItem(self._density)
        self._window = pg.LinearRegionItem(swapMode="block")
        self._overview.addItem(self._window, ignoreBounds=True)
        self._content = RollMapContent(_LEAST_M, 1.0, (), (), (), (), 1.0, {}, "m")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._map, 1)
        layout.addWidget(self._points)
        layout.addWidget(self._overview)
        self._map.getViewBox().sigXRangeChanged.connect(self._range_changed)
        self._window.sigRegionChanged.connect(self._window_moved)
        self._map.scene().sigMouseMoved.connect(self._hovered)
        self._map.scene().sigMouseClicked.connect(self._clicked)
        self.set_theme(theme)

    @property
    def view_m(self) -> tuple[float, float]:
        """From which metre to which the map shows the roll."""
        low, high = self._map.getViewBox().viewRange()[0]
        return float(low), float(high)

    def set_theme(self, theme: Theme) -> None:
        """Colours what pyqtgraph draws."""
        for widget in (self._map, self._points, self._overview):
            color_plot(widget, theme)
        self._bars.setOpts(brush=theme.accent)
        self._density.setPen(theme.accent)
        self._density.setBrush(theme.accent_behind_text)

    def show_roll(self, content: RollMapContent, *, keeps_view: bool = False) -> None:
        """Shows a roll, all of it, or the same part as before where ``keeps_view``; of a roll that was seen whole, what
        has come since is seen as well.
        """
        low, high = self.view_m
        was_whole = high - low >= 0.999 * self._content.length_m
        self._content = content
        length = max(content.length_m, _LEAST_M)
        self._cloth.setRect(QRectF(0, 0, length, content.width_mm))
        self._layer.set_marks(content.marks)
        self._show_gaps(content)
        self._edge.setData([at for at, _ in content.widths], [width for _, width in content.widths])
        self._show_points(content)
        self._show_density(content, length)
        box = self._map.getViewBox()
        box.setLimits(xMin=0.0, xMax=length, minXRange=_LEAST_M)
        self._map.setYRange(0.0, content.width_mm, padding=0.02)
        self._window.setBounds((0.0, length))
        if was_whole or not keeps_view:
            self._map.setXRange(0.0, length, padding=0)

    def choose(self, number: int) -> None:
        """Puts a ring around a defect, and moves it into view."""
        mark = self._layer.choose(number)
        low, high = self.view_m
        if mark is not None and not low <= mark.start_m <= high:
            half = (high - low) / 2
            self._map.setXRange(mark.start_m - half, mark.start_m + half, padding=0)

    def _show_gaps(self, content: RollMapContent) -> None:
        for item in self._gaps:
            self._map.removeItem(item)
        pen = pg.mkPen(_GAP, width=1)
        self._gaps = []
        for gap in content.gaps:
            item = QGraphicsRectItem(gap.start_m, 0.0, gap.end_m - gap.start_m, content.width_mm)
            item.setPen(pen)
            brush = QBrush(_GAP, Qt.BrushStyle.BDiagPattern)
            item.setBrush(brush)
            self._map.addItem(item, ignoreBounds=True)
            self._gaps.append(item)
        for line in self._splices:
            self._map.removeItem(line)
        splice_pen = pg.mkPen(_SPLICE, width=2, style=Qt.PenStyle.DashLine)
        self._splices = [pg.InfiniteLine(place, pen=splice_pen) for place in content.splices_m]
        for line in self._splices:
            self._map.addItem(line, ignoreBounds=True)

    def _show_points(self, content: RollMapContent) -> None:
        starts = np.array(sorted(content.points), np.float64) * content.interval_m
        heights = [content.points[index] for index in sorted(content.points)]
        self._bars.setOpts(x0=starts, x1=starts + content.interval_m, y0=0, y1=heights)
        highest = max(heights, default=1)
        self._points.setYRange(0, highest, padding=0.05)
        self._points.getAxis("left").setTicks([[(0, "0"), (highest, str(highest))]])
        self._points.setLabel("left", f"per {content.per}")

    def _show_density(self, content: RollMapContent, length: float) -> None:
        bins = int(np.clip(length / content.interval_m, 10, _MOST_BINS))
        found = [mark.start_m for mark in content.marks if not mark.is_rejected]
        counts, edges = np.histogram(found, bins, (0.0, length))
        self._density.setData(edges, counts)
        self._overview.setXRange(0.0, length, padding=0)
        self._overview.setYRange(0.0, max(1, counts.max()), padding=0.05)

    def _range_changed(self, _box: object, shown: tuple[float, float]) -> None:
        self._window.blockSignals(True)
        self._window.setRegion(shown)
        self._window.blockSignals(False)

    def _window_moved(self) -> None:
        low, high = self._window.getRegion()
        if high - low >= _LEAST_M:
            self._map.setXRange(low, high, padding=0)

    def _under(self, place: QPointF) -> MapMark | None:
        box = self._map.getViewBox()
        if not box.sceneBoundingRect().contains(place):
            return None
        point = box.mapSceneToView(place)
        per_px = box.viewPixelSize()
        return self._layer.nearest(point.x(), point.y(), _REACH_PX * per_px[0], _REACH_PX * per_px[1])

    def _text_at(self, place: QPointF) -> str:
        mark = self._under(place)
        if mark is not None:
            return mark.text
        along = self._map.getViewBox().mapSceneToView(place).x()
        gap = next((gap.reason for gap in self._content.gaps if gap.start_m <= along <= gap.end_m), "")
        near = _REACH_PX * self._map.getViewBox().viewPixelSize()[0]
        splice = next((f"Splice at {m:.2f} m" for m in self._content.splices_m if abs(m - along) <= near), "")
        return splice or gap

    def _hovered(self, place: QPointF) -> None:
        text = self._text_at(place)
        at = self._map.mapToGlobal(self._map.mapFromScene(place))
        QToolTip.showText(at, plain_tip(text), self._map)

    def _clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        mark = self._under(event.scenePos()) if event.button() == Qt.MouseButton.LeftButton else None
        if mark is not None:
            self.chosen.emit(mark.number)
