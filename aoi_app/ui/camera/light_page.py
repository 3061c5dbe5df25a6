"""Light and focus of the running lines: profile, histogram, sharpness."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QProgressBar, QPushButton, QWidget

from aoi_app.camera_setup.focus_state import LightView
from aoi_app.ui.widgets.plots import plot
from aoi_app.ui.widgets.theme import Theme

_WELL = "Light and focus raise no remark."


class LightPage(QWidget):
    """Shows what whoever turns the lens and the lamp looks at.

    Signals:
        forget_asked: look for the best sharpness anew.
    """

    forget_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        profile = plot("Line profile", "column, px", "brightness", theme)
        profile.setYRange(0, 255, padding=0.02)
        self._minimum = profile.plot(pen=pg.mkPen(theme.faint))
        self._maximum = profile.plot(pen=pg.mkPen(theme.faint))
        self._mean = profile.plot(pen=pg.mkPen(theme.accent, width=2))
        histogram = plot("Histogram", "brightness", "share, %", theme)
        histogram.setXRange(0, 255, padding=0.02)
        self._histogram = histogram.plot(pen=pg.mkPen(theme.accent), fillLevel=0, brush=theme.line)
        zones = plot("Sharpness from left to right", "zone", "sharpness", theme)
        self._zones = pg.BarGraphItem(x=[0], height=[0], width=0.8, brush=theme.accent)
        zones.addItem(self._zones)
        zones.setYRange(0, 1, padding=0.02)
        self._sharpness = _figure("Sharpness")
        self._best = _figure("Best sharpness")
        self._reached = QProgressBar()
        self._reached.setAccessibleName("Sharpness, share of the best")
        self._reached.setFormat("%p % of the best")
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setAccessibleName("Remarks on light and focus")
        again = QPushButton("Look for the &best anew")
        again.clicked.connect(self.forget_asked)
        grid = QGridLayout(self)
        grid.addWidget(profile, 0, 0, 1, 4)
        grid.addWidget(histogram, 1, 0, 1, 2)
        grid.addWidget(zones, 1, 2, 1, 2)
        for column, (caption, widget) in enumerate((("sharpness", self._sharpness), ("best", self._best))):
            grid.addWidget(QLabel(caption), 2, column)
            grid.addWidget(widget, 3, column)
        grid.addWidget(self._reached, 3, 2)
        grid.addWidget(again, 3, 3)
        grid.addWidget(self._words, 4, 0, 1, 4)
        grid.setRowStretch(0, 3)
        grid.setRowStretch(1, 2)

    def show_light(self, view: LightView | None) -> None:
        """Draws the newest lines; None where there are none yet."""
        if view is None:
            return
        self._minimum.setData(view.columns, view.minimum)
        self._mean.setData(view.columns, view.mean)
        self._maximum.setData(view.columns, view.maximum)
        self._histogram.setData(np.arange(256), 100.0 * view.histogram / max(1, view.histogram.sum()))
        self._zones.setOpts(x=np.arange(len(view.zones)) + 1, height=np.nan_to_num(view.zones), width=0.8)
        self._sharpness.setText(_number(view.sharpness))
        self._best.setText(_number(view.best))
        share = view.sharpness / view.best if view.best > 0 else 0.0
        self._reached.setValue(round(100 * share) if math.isfinite(share) else 0)
        self._words.setText("\n".join(view.words) or _WELL)


def _figure(name: str) -> QLabel:
    label = QLabel("–")
    label.setObjectName("figure")
    label.setAccessibleName(name)
    return label


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
