"""The scrolling web: cloth, heat map, marks, cloth edges, scales."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from aoi_app.inspection.overlay import SCALE_TOP, Mark, color_table, heat_colors, outlines
from aoi_app.inspection.web.web_history import WebPicture
from aoi_app.ui.line.mark_layer import MARK_COLOR, MarkLayer
from aoi_app.ui.line.web_axes import AcrossAxis, AlongAxis
from aoi_app.ui.widgets.plain import PlainLabel
from aoi_app.ui.widgets.theme import Theme
from cras_core.web.ignored import IgnoredLane
from cras_core.web.threshold import CALIBRATED_THRESHOLD

_EMPTY_PX = 1000  # of what is shown before the first cloth
_GLIDE = 0.25  # share of the way to the newest line that the view moves at each tick
_EDGE = QColor(90, 220, 120)
_IGNORED = QColor(255, 140, 0)
_OUTLINE = QColor(255, 235, 60)


class LiveView(QWidget):
    """Shows a piece of web. Follows the newest cloth until the person looks elsewhere.

    Signals:
        followed: whether the view follows the web, after it changed by itself.
        place_chosen: line of the roll and column in pixels that the person clicked on.
        measured: two places that were clicked on after ``measure``, (x px, line) each.
    """

    followed = Signal(bool)
    place_chosen = Signal(float, float)
    measured = Signal(tuple, tuple)

    def __init__(self) -> None:
        super().__init__()
        pg.setConfigOptions(imageAxisOrder="row-major", antialias=False)
        self._across, self._along = AcrossAxis("bottom"), AlongAxis("left")
        self._plot = pg.PlotWidget(axisItems={"bottom": self._across, "left": self._along})
        self._plot.setAccessibleName("Web")
        self._box = self._plot.getViewBox()
        self._box.invertY(True)
        self._box.setMouseEnabled(x=True, y=True)
        self._box.setDefaultPadding(0.0)
        self._box.disableAutoRange()
        self._plot.hideButtons()
        self._plot.setMenuEnabled(False)
        for side in ("left", "bottom"):
            self._plot.getAxis(side).enableAutoSIPrefix(False)  # metres stay metres
        self._plot.setLabel("left", "along the roll, m")
        self._plot.setLabel("bottom", "across, mm from the left edge of the cloth")
        self._cloth = pg.ImageItem(levels=(0, 255))
        self._heat = pg.ImageItem()
        self._outlines = pg.PlotCurveItem(pen=pg.mkPen(_OUTLINE, width=1), connect="pairs")
        self._edges = [pg.PlotCurveItem(pen=pg.mkPen(_EDGE, width=2)) for _ in range(2)]
        self._ignored: tuple[IgnoredLane, ...] = ()
        self._ignored_bounds: list[pg.PlotCurveItem] = []
        self._marks = MarkLayer(self._box)
        self._ruler = pg.PlotCurveItem(pen=pg.mkPen(MARK_COLOR, width=2))
        self._ends = pg.ScatterPlotItem(symbol="+", size=22, pen=pg.mkPen(MARK_COLOR, width=2))
        for item in (self._cloth, self._heat, self._outlines, *self._edges, self._marks, self._ruler, self._ends):
            self._plot.addItem(item, ignoreBounds=True)
        self._threshold_line = pg.InfiniteLine(CALIBRATED_THRESHOLD, angle=0, pen=pg.mkPen(MARK_COLOR, width=2))
        self._bar = _color_bar()
        self._bar.addItem(self._threshold_line)
        self._bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # there is nothing to do in it
        self._left_behind = _note_over(self._plot, "This cloth has run through. Press F to follow the web.")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._plot, 1)
        layout.addWidget(self._bar)
        self._picture: WebPicture | None = None
        self._following = True
        self._is_measuring = False
        self._clicks: list[tuple[float, float]] = []
        self._bottom = 0.0
        self._box.sigRangeChangedManually.connect(self._stop_following)
        self._plot.scene().sigMouseClicked.connect(self._clicked)

    @property
    def picture(self) -> WebPicture | None:
        """The piece of web that is shown."""
        return self._picture

    def set_scale(self, mm_per_px: float, mm_per_line: float) -> None:
        """Sets the scales of the axes."""
        self._plot.getAxis("bottom").setScale(mm_per_px)
        self._plot.getAxis("left").setScale(mm_per_line / 1000.0)
        self._box.setAspectLocked(True, ratio=mm_per_px / mm_per_line)
        if self._picture is None:  # a place to begin with: axes of a picture of one line count in 1e-05 m
            self._box.setRange(xRange=(0, _EMPTY_PX), yRange=(0, _EMPTY_PX), padding=0)

    def set_theme(self, theme: Theme) -> None:
        """Colours what pyqtgraph draws."""
        self._plot.setBackground(theme.window)
        self._bar.setBackground(theme.window)
        for plot in (self._plot.getPlotItem(), self._bar.getPlotItem()):
            for name in ("left", "bottom", "right"):
                axis = plot.getAxis(name)
                axis.setPen(theme.faint)
                axis.setTextPen(theme.text)

    def set_threshold(self, threshold: float) -> None:
        """Where the threshold in force is on the scale of the heat map."""
        self._threshold_line.setValue(threshold)
        self._draw_outlines()

    def set_heat(self, visible: bool, opacity: float) -> None:
        """Shows or hides the heat map; opacity 0..1."""
        self._heat.setVisible(visible)
        self._outlines.setVisible(visible and opacity > 0)
        self._heat.setOpacity(opacity)

    def show_picture(self, picture: WebPicture | None) -> None:
        """Shows a piece of web; None clears the view."""
        self._picture = picture
        if picture is None:
            for item in (self._cloth, self._heat):
                item.clear()
            for curve in (*self._edges, *self._ignored_bounds, self._outlines):
                curve.clear()
            self._marks.set_marks([])
            self._clicks = []  # lines are counted anew
            self._draw_ruler()
            self._bottom = 0.0
            return
        self._cloth.setImage(picture.image, autoLevels=False)
        self._cloth.setRect(QRectF(0, picture.first_line, picture.width_px, picture.lines))
        rows, cols = picture.score.shape
        self._heat.setImage(heat_colors(picture.score), autoLevels=False)
        self._heat.setRect(QRectF(0, picture.first_line, cols * picture.cell_px, rows * picture.cell_px))
        self._draw_outlines()
        line, left, right = picture.edges.T
        self._across.set_zero(float(left[-1]))
        self._edges[0].setData(left, line)
        self._edges[1].setData(right, line)
        bounds = [bound for lane in self._ignored for bound in lane.bounds(left, right)]
        for curve, bound in zip(self._ignored_bounds, bounds, strict=True):
            curve.setData(bound, line)
        if self._bottom < picture.first_line:
            self._bottom = float(picture.first_line)

    def _draw_outlines(self) -> None:
        """Around what reaches the threshold, so that the shape is seen where the heat is faint."""
        picture = self._picture
        if picture is not None:
            ends = outlines(picture.score, picture.first_line, picture.cell_px, float(self._threshold_line.value()))
            self._outlines.setData(*ends)

    def show_marks(self, marks: Sequence[Mark]) -> None:
        """Draws boxes."""
        self._marks.set_marks(marks)

    def tick(self) -> None:
        """Moves the view towards the newest line; called at display rate."""
        self._left_behind.setVisible(self._is_left_behind)
        if not self._following or self._picture is None:
            return
        end = self._picture.first_line + self._picture.lines
        gap = end - self._bottom
        if gap > 0.5:
            self._bottom += max(1.0, _GLIDE * gap)
            self._show(self._bottom)

    @property
    def _is_left_behind(self) -> bool:
        """Nothing of the cloth in memory is where the person looks."""
        return self._picture is not None and self._box.viewRect().bottom() < self._picture.first_line

    def follow(self, on: bool) -> None:
        """Follows the web, or stays."""
        self._following = on
        if on and self._picture is not None:
            self._bottom = float(self._picture.first_line + self._picture.lines)
            self._show(self._bottom)

    def jump(self, line: float, x_px: float) -> bool:
        """Shows a place; False when it is no longer in memory."""
        picture = self._picture
        if picture is None or not picture.first_line <= line <= picture.first_line + picture.lines:
            return False
        self._stop_following()
        self._box.setRange(xRange=(0, picture.width_px), padding=0)
        height = self._box.viewRange()[1][1] - self._box.viewRange()[1][0]
        self._box.setRange(yRange=(line - height / 2, line + height / 2), padding=0)
        self._marks.point_at(line, x_px)
        return True

    def set_ignored(self, lanes: Sequence[IgnoredLane]) -> None:
        """Lanes along the web that are not inspected; drawn with the next picture."""
        for curve in self._ignored_bounds:
            self._plot.removeItem(curve)
        self._ignored = tuple(lanes)
        pen = pg.mkPen(_IGNORED, width=2, style=Qt.PenStyle.DashLine)
        self._ignored_bounds = [pg.PlotCurveItem(pen=pen) for _ in range(2 * len(lanes))]
        for curve in self._ignored_bounds:
            self._plot.addItem(curve, ignoreBounds=True)

    def measure(self, on: bool) -> None:
        """Takes the next two clicks as the ends of a ruler; off also removes it from the view."""
        self._is_measuring = on
        self._clicks = []
        self._draw_ruler()
        self._plot.setCursor(Qt.CursorShape.CrossCursor if on else Qt.CursorShape.ArrowCursor)
        if on:
            self._stop_following()  # the web would run away under the hand

    def _take_end(self, x_px: float, line: float) -> None:
        if len(self._clicks) == 2:
            return
        self._clicks.append((x_px, line))
        self._draw_ruler()
        if len(self._clicks) == 2:
            self.measured.emit(*self._clicks)

    def _draw_ruler(self) -> None:
        x, line = [c[0] for c in self._clicks], [c[1] for c in self._clicks]
        self._ruler.setData(x, line)
        self._ends.setData(x, line)

    def _show(self, bottom: float) -> None:
        """Shows the whole width with ``bottom`` at the lower border."""
        if self._picture is None:
            return
        width = self._picture.width_px
        size = self._box.size()
        height = width * size.height() / max(1.0, size.width()) / self._aspect()
        self._box.setRange(xRange=(0, width), yRange=(bottom - height, bottom), padding=0)

    def _aspect(self) -> float:
        ratio = self._box.state["aspectLocked"]
        return float(1.0 / ratio) if ratio else 1.0

    def _stop_following(self, *_: object) -> None:
        if self._following:
            self._following = False
            self.followed.emit(False)

    def _clicked(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._box.sceneBoundingRect().contains(event.scenePos()):
            point: QPointF = self._box.mapSceneToView(event.scenePos())
            if self._is_measuring:
                self._take_end(point.x(), point.y())
            else:
                self.place_chosen.emit(point.y(), point.x())


def _note_over(plot: pg.PlotWidget, text: str) -> QLabel:
    """A sentence in the middle of a view; hidden at first."""
    label = PlainLabel(text)
    label.setObjectName("figure")
    label.setAccessibleName("About the view")
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    label.hide()
    over = QHBoxLayout(plot)
    over.addWidget(label)
    return label


def _color_bar() -> pg.PlotWidget:
    """The one fixed scale of the heat map."""
    bar = pg.PlotWidget()
    bar.setFixedWidth(64)
    bar.setMouseEnabled(x=False, y=False)
    bar.setMenuEnabled(False)
    bar.hideButtons()
    bar.hideAxis("left")
    bar.hideAxis("bottom")
    bar.showAxis("right")
    bar.setLabel("right", "score; the line is the threshold")
    bar.getAxis("right").setTickSpacing(0.5, 0.5)
    table = color_table().copy()
    table[:, 3] = np.maximum(table[:, 3], 40)
    item = pg.ImageItem(table[:, None, :])
    item.setRect(QRectF(0, 0, 1, SCALE_TOP))
    bar.addItem(item)
    rim = SCALE_TOP / 40  # the highest and the lowest label are not cut off
    bar.setRange(xRange=(0, 1), yRange=(-rim, SCALE_TOP + rim), padding=0)
    return bar
