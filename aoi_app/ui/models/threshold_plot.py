"""How the scores of a fabric's tiles lie, with the limit as a line that can be dragged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from aoi_app.learning.state import CaseKind, Tile
from aoi_app.learning.threshold import histogram
from aoi_app.ui.widgets.plots import plot
from aoi_app.ui.widgets.theme import Theme
from cras_core.web.threshold import CALIBRATED_THRESHOLD

_NAMES: dict[CaseKind, str] = {"good": "good cloth", "drawn": "drawn defects", "defect": "confirmed defects"}
_LOWEST = 0.05


class ThresholdPlot(QWidget):
    """
    Signals:
        moved: the threshold that the line stands at, while it is dragged.
    """

    moved = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plot = plot("Scores of the new model", "score; 1 is the limit of the model", "tiles", theme)
        self._plot.addLegend(offset=(-10, 10), labelTextColor=theme.text)
        colors: dict[CaseKind, str] = {"good": theme.good, "drawn": theme.warning, "defect": theme.alarm}
        self._curves = {}
        for kind, color in colors.items():
            fill = QColor(color)
            fill.setAlpha(90)
            self._curves[kind] = self._plot.plot(
                [0.0, 1.0], [0.0], stepMode="center", fillLevel=0, pen=pg.mkPen(color, width=2), brush=fill,
                name=_NAMES[kind],
            )  # fmt: skip
        self._line = pg.InfiniteLine(
            CALIBRATED_THRESHOLD, angle=90, movable=True, pen=pg.mkPen(theme.text, width=2, style=Qt.PenStyle.DashLine),
            hoverPen=pg.mkPen(theme.accent, width=4), label="threshold {value:.2f}",
            labelOpts={"position": 0.92, "color": theme.text},
        )  # fmt: skip
        self._line.setBounds((_LOWEST, None))
        self._line.sigPositionChanged.connect(lambda _: self.moved.emit(self.threshold))
        self._plot.addItem(self._line)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)

    @property
    def threshold(self) -> float:
        """Where the line stands."""
        return float(self._line.value())

    def set_threshold(self, value: float) -> None:
        """Moves the line; nothing is announced."""
        before = self._line.blockSignals(True)
        self._line.setValue(value)
        self._line.blockSignals(before)

    def show_tiles(self, tiles: Sequence[Tile]) -> None:
        """Draws their scores."""
        edges, counts = histogram(tiles)
        for kind, curve in self._curves.items():
            curve.setData(edges, counts[kind].astype(np.float64))
        highest = max(1, *(int(c.max()) for c in counts.values()))
        self._plot.setXRange(0, float(edges[-1]), padding=0.01)
        self._plot.setYRange(0, 1.15 * highest, padding=0)
