"""Light and focus of the running lines: profile, histogram, sharpness."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from aoi_app.camera_setup.focus_curves import FocusCurves
from aoi_app.ui.widgets.plain import PlainLabel, plain_label
from aoi_app.ui.widgets.plots import color_plot, plot, show_values
from aoi_app.ui.widgets.theme import Theme
from cras_core.arrays import FloatArray

_FIGURE_PX = 90
_PICTURE_PX = 170  # high
_GOOD = "Light and focus are good."


class LightTab(QWidget):
    """Shows what whoever turns the lens and the lamp looks at.

    Signals:
        forget_asked: the best sharpness is to be looked for again.
    """

    forget_asked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._picture = plot("What the camera sees", "", "", theme)
        self._lines = pg.ImageItem(axisOrder="row-major", levels=(0, 255))
        self._picture.addItem(self._lines)
        for side in ("bottom", "left"):
            self._picture.hideAxis(side)
        self._picture.getViewBox().invertY(True)
        self._picture.setMaximumHeight(_PICTURE_PX)
        self._profile = plot("Line profile", "column, px", "brightness", theme)
        self._profile.setYRange(0, 255, padding=0.02)
        self._minimum, self._maximum, self._mean = (self._profile.plot() for _ in range(3))
        self._brightness = plot("Histogram", "brightness", "share, %", theme)
        self._brightness.setXRange(0, 255, padding=0.02)
        self._histogram = self._brightness.plot(fillLevel=0)
        self._sides = plot("Sharpness from left to right", "zone", "sharpness", theme)
        self._sides.setYRange(0, 1, padding=0.02)
        self._zones = pg.BarGraphItem(x=[], height=[], width=0.8)
        self._sides.addItem(self._zones)
        self._sharpness = _figure("Sharpness")
        self._best = _figure("Best sharpness")
        self._reached = QProgressBar()
        self._reached.setAccessibleName("Sharpness, share of the best")
        self._reached.setFormat("%p % of the best")
        self._remarks = plain_label("Remarks on light and focus", wraps=True)
        self._lay_out()
        self.set_theme(theme)

    def _lay_out(self) -> None:
        again = QPushButton("Reset the &best")
        again.setToolTip("Look for the best sharpness again, for example after you changed the lens or the fabric")
        again.clicked.connect(self.forget_asked)
        plots = QHBoxLayout()
        plots.addWidget(self._brightness, 1)
        plots.addWidget(self._sides, 1)
        figures = QGridLayout()
        for column, (caption, widget) in enumerate((("sharpness", self._sharpness), ("best", self._best))):
            figures.addWidget(PlainLabel(caption), 0, column)
            figures.addWidget(widget, 1, column)
            figures.setColumnMinimumWidth(column, _FIGURE_PX)  # else all moves when a digit comes or goes
        figures.addWidget(self._reached, 1, 2)
        figures.addWidget(again, 1, 3)
        figures.setColumnStretch(2, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._picture, 2)
        whole.addWidget(self._profile, 3)
        whole.addLayout(plots, 2)
        whole.addLayout(figures)
        whole.addWidget(self._remarks)

    def set_theme(self, theme: Theme) -> None:
        """Colours the plots."""
        for widget in (self._picture, self._profile, self._brightness, self._sides):
            color_plot(widget, theme)
        self._minimum.setPen(pg.mkPen(theme.faint))
        self._maximum.setPen(pg.mkPen(theme.faint))
        self._mean.setPen(pg.mkPen(theme.accent, width=2))
        self._histogram.setPen(pg.mkPen(theme.accent))
        self._histogram.setBrush(theme.line)
        self._zones.setOpts(brush=theme.accent)

    def show_light(self, curves: FocusCurves | None) -> None:
        """Shows the newest lines; None where there are none."""
        if curves is None:
            self._clear()
            return
        self._show_picture(curves.picture)
        self._minimum.setData(curves.columns, curves.minimum)
        self._mean.setData(curves.columns, curves.mean)
        self._maximum.setData(curves.columns, curves.maximum)
        self._histogram.setData(np.arange(256), 100.0 * curves.histogram / max(1, curves.histogram.sum()))
        self._show_zones(np.nan_to_num(curves.zones))  # NaN where there is nothing to be sharp
        show_values(self._profile, across=True)
        self._sharpness.setText(_number(curves.sharpness))
        self._best.setText(_number(curves.best))
        share = curves.sharpness / curves.best if curves.best > 0 else 0.0
        self._reached.setValue(round(100 * share) if math.isfinite(share) else 0)
        self._remarks.setText("\n".join(curves.remarks) or _GOOD)

    def _show_picture(self, picture: npt.NDArray[np.uint8]) -> None:
        """``picture``: (h, w) or (h, w, 3), from the left to the right of the camera's line."""
        height, width = picture.shape[:2]
        self._lines.setImage(picture, autoLevels=False)
        self._picture.setRange(xRange=(0, width), yRange=(0, height), padding=0)

    def _show_zones(self, heights: FloatArray) -> None:
        """``heights``: (n,) sharpness from left to right."""
        places = np.arange(len(heights)) + 1
        self._zones.setOpts(x=places, height=heights, width=0.8)
        self._sides.getAxis("bottom").setTicks([[(place, str(place)) for place in places]])  # no halves of a zone

    def _clear(self) -> None:
        """What was seen before would pass for what is seen now."""
        for curve in (self._minimum, self._mean, self._maximum, self._histogram):
            curve.setData([], [])
        self._lines.clear()
        self._show_zones(np.zeros(0, np.float32))
        show_values(self._profile, across=False)
        self._sharpness.setText(_number(math.nan))
        self._best.setText(_number(math.nan))
        self._reached.setValue(0)
        self._remarks.setText("")


def _figure(name: str) -> QLabel:
    label = PlainLabel("–")
    label.setObjectName("figure")
    label.setAccessibleName(name)
    return label


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
