"""The threshold of a fabric: by how many false alarms are wanted, or by dragging a line, with the tiles around it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from aoi_app.learning.state import ComparedFabric, Tile
from aoi_app.learning.threshold import around, at_threshold, threshold_at
from aoi_app.ui.models.threshold_plot import ThresholdPlot
from aoi_app.ui.models.tile_row import Captioned, TileStrip
from aoi_app.ui.widgets.theme import Theme
from cras_core.web.threshold import CALIBRATED_THRESHOLD

_SHOWN = 4


class ThresholdPanel(QWidget):
    """The controls; ``plot`` and ``strips`` lie where the page puts them.

    Signals:
        chosen: fabric, and the threshold that a person wants for it.
        looked: other tiles are shown; their pictures are wanted.
    """

    chosen = Signal(str, float)
    looked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._fabric: ComparedFabric | None = None
        self._pictures: Mapping[Path, QPixmap | None] = {}
        self._in_recipe = CALIBRATED_THRESHOLD
        self.plot = ThresholdPlot(theme)
        self.plot.moved.connect(self._moved)
        self.rate = QDoubleSpinBox()
        self.rate.setAccessibleName("False alarms wanted per 100 m²")
        self.rate.setRange(0.1, 10_000)
        self.rate.setDecimals(1)
        self.rate.setValue(10.0)
        self.by_rate = QPushButton("Set &by rate")
        self.by_rate.clicked.connect(self._set_by_rate)
        self.use = QPushButton()
        self.use.clicked.connect(self._choose)
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setAccessibleName("What the threshold would flag")
        self.trust = QLabel()
        self.trust.setObjectName("hint")
        self.trust.setWordWrap(True)
        self.under = TileStrip("Just under the threshold, not flagged", _SHOWN, "no tile")
        self.over = TileStrip("Just over it, flagged", _SHOWN, "no tile")
        self._lay_out()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("False alarms per 100 m²"))
        row.addWidget(self.rate)
        row.addWidget(self.by_rate)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(QLabel("Threshold: drag the line in the histogram, or set it by a rate."))
        column.addLayout(row)
        column.addWidget(self.trust)
        column.addWidget(self.said)
        column.addWidget(self.use)
        self.strips = QWidget()
        beside = QHBoxLayout(self.strips)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.under)
        beside.addWidget(self.over)
        beside.addStretch(1)

    def show_fabric(self, fabric: ComparedFabric | None, in_recipe: float) -> None:
        """
        Args:
            fabric: whose threshold it is.
            in_recipe: the one that holds for it now.
        """
        is_new = fabric is None or self._fabric is None or fabric.name != self._fabric.name
        self._fabric, self._in_recipe = fabric, in_recipe
        self.plot.show_tiles(fabric.tiles if fabric is not None else ())
        if is_new:
            self.plot.set_threshold(in_recipe)
            self.trust.setText("")
        self._show()

    def set_pictures(self, pictures: Mapping[Path, QPixmap | None]) -> None:
        """Those that were read."""
        self._pictures = pictures
        self._show()

    @property
    def paths(self) -> list[Path]:
        """Pictures that are shown."""
        return [t.path for strip in (self.under, self.over) for t in strip.tiles]

    def _moved(self, _: float) -> None:
        self.trust.setText("")
        self._show()
        self.looked.emit()

    def _show(self) -> None:
        tiles = self._fabric.tiles if self._fabric is not None else ()
        value = round(self.plot.threshold, 2)
        self.said.setText(f"At {value:.2f}: {at_threshold(tiles, value).text}." if tiles else "")
        under, over = around(tiles, value, _SHOWN)
        self.under.show_tiles([_captioned(t) for t in under], self._pictures)
        self.over.show_tiles([_captioned(t) for t in over], self._pictures)
        name = self._fabric.name if self._fabric is not None else ""
        self.use.setText(f"Use {value:.2f} for {name}".replace("&", "&&"))
        self.use.setToolTip(f"Into the recipe of {name}, where it is {self._in_recipe:.2f} now")
        self.use.setEnabled(bool(tiles) and value != round(self._in_recipe, 2))
        for widget in (self.rate, self.by_rate):
            widget.setEnabled(bool(tiles))

    def _set_by_rate(self) -> None:
        if self._fabric is None:
            return
        value, said = threshold_at(self._fabric, self.rate.value())
        if value is not None:
            self.plot.set_threshold(max(0.05, value))
        self._show()
        self.trust.setText(said)
        self.looked.emit()

    def _choose(self) -> None:
        if self._fabric is not None:
            self.chosen.emit(self._fabric.name, round(self.plot.threshold, 2))


def _captioned(tile: Tile) -> Captioned:
    kind = "confirmed defect, " if tile.kind == "defect" else ""
    return Captioned(tile.path, f"{kind}{tile.after:.2f}", f"{tile.id}\n{kind}score {tile.after:.2f}")
