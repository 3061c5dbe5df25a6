"""How the scores of a fabric's tiles are distributed, with the threshold as a line that can be dragged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from aoi_app.learning.state import EvaluatedTile
from aoi_app.learning.threshold import KINDS, histogram
from aoi_app.ui.widgets.plots import color_plot, plot
from aoi_app.ui.widgets.theme import Theme
from cras_core.web.threshold import CALIBRATED_THRESHOLD

_NAMES = {"good": "defect-free", "drawn": "synthetic defects", "defect": "confirmed defects"}
_LOWEST = 0.05
_FILL_ALPHA = 90


class ThresholdPlot(QWidget):
    """
    Signals:
        moved: the threshold that the line stands at, while it is dragged.
    """

    moved = Signal(float)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._plot = plot("Scores of the candidate", "score; 1 is the calibrated threshold", "tiles", theme)
        self._legend = self._plot.addLegend(offset=(-10, 10))
        self._curves = {
            kind: self._plot.plot([0.0, 1.0], [0.0], stepMode="center", fillLevel=0, name=_NAMES[kind])
            for kind in KINDS
        }
        self._line = pg.InfiniteLine(
            CALIBRATED_THRESHOLD, angle=90, movable=True, label="threshold {value:.2f}", labelOpts={"position": 0.92}
        )
        self._line.setBounds((_LOWEST, None))
        self._line.sigPositionChanged.connect(lambda _: self.moved.emit(self.threshold))
        self._plot.addItem(self._line)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        color_plot(self._plot, theme)
        for (kind, curve), color in zip(self._curves.items(), (theme.good, theme.warning, theme.alarm), strict=True):
            fill = QColor(color)
            fill.setAlpha(_FILL_ALPHA)
            curve.setPen(pg.mkPen(color, width=2))
            curve.setBrush(fill)
            self._legend.getLabel(curve).setText(_NAMES[kind], color=theme.text)
        self._line.setPen(pg.mkPen(theme.text, width=2, style=Qt.PenStyle.DashLine))
        self._line.setHoverPen(pg.mkPen(theme.accent, width=4))
        self._line.label.setColor(theme.text)

    @property
    def threshold(self) -> float:
        """Where the line stands."""
        return float(self._line.value())

    def set_threshold(self, value: float) -> None:
        """Moves the line; nothing is announced."""
        before = self._line.blockSignals(True)
        self._line.setValue(value)
        self._line.blockSignals(before)

    def drag_to(self, value: float) -> None:
        """Moves the line as the mouse does."""
        self._line.setValue(value)

    def show_tiles(self, tiles: Sequence[EvaluatedTile]) -> None:
        """Draws their scores."""
        edges, counts = histogram(tiles)
        for kind in KINDS:
            self._curves[kind].setData(edges, counts[kind].astype(np.float64))
        highest = max(1, *(int(c.max()) for c in counts.values()))
        self._plot.setXRange(0, float(edges[-1]), padding=0.01)
        self._plot.setYRange(0, 1.15 * highest, padding=0)
