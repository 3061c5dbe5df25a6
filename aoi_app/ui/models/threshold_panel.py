"""The threshold of a fabric: by how many false alarms are wanted, or by dragging a line, with the tiles around it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from aoi_app.learning.state import EvaluatedFabric, EvaluatedTile
from aoi_app.learning.threshold import around, at_threshold, threshold_at
from aoi_app.ui.models.threshold_plot import ThresholdPlot
from aoi_app.ui.models.tile_row import Captioned, TileRow
from aoi_app.ui.widgets.plain import PlainLabel, plain_label, set_plain_tip
from aoi_app.ui.widgets.theme import Theme
from cras_core.web.threshold import CALIBRATED_THRESHOLD

_SHOWN = 4
_LEAST_PLOT_PX = 220
_MOST_PLOT_PX = 330


class ThresholdPanel(QWidget):
    """The controls; ``plot`` and ``around`` lie where the section puts them.

    Signals:
        chosen: fabric, and the threshold that a person wants for it.
        tiles_changed: other tiles are shown; their pictures are wanted.
    """

    chosen = Signal(str, float)
    tiles_changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._fabric: EvaluatedFabric | None = None
        self._pictures: Mapping[Path, QPixmap | None] = {}
        self._in_recipe = CALIBRATED_THRESHOLD
        self.plot = ThresholdPlot(theme)
        self.plot.setMinimumHeight(_LEAST_PLOT_PX)
        self.plot.setMaximumHeight(_MOST_PLOT_PX)
        self.plot.moved.connect(self._moved)
        self._rate = QDoubleSpinBox()
        self._rate.setAccessibleName("Wanted false alarms per 100 m²")
        self._rate.setToolTip("How many false alarms you can live with on 100 m² of good cloth")
        self._rate.setRange(0.1, 10_000)
        self._rate.setDecimals(1)
        self._rate.setValue(10.0)
        self._by_rate = QPushButton("&By this rate")
        self._by_rate.setToolTip("Set the threshold at which defect-free fabric gives so many false alarms")
        self._by_rate.clicked.connect(self._set_by_rate)
        self.use = QPushButton()
        self.use.clicked.connect(self._choose)
        self._effect = plain_label("What the threshold would flag", wraps=True)
        self._trust = plain_label("How reliable the threshold is", wraps=True)
        self._trust.setObjectName("hint")
        self.under = TileRow("Just under the threshold, not flagged", _SHOWN, "no tile")
        self.over = TileRow("Just over it, flagged", _SHOWN, "no tile")
        self.around = QWidget()
        self._lay_out()
        self._say("")

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(PlainLabel("False alarms per 100 m²"))
        row.addWidget(self._rate)
        row.addWidget(self._by_rate)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(PlainLabel("Threshold: drag the line in the histogram, or set it by a rate."))
        column.addLayout(row)
        column.addWidget(self._trust)
        column.addWidget(self._effect)
        column.addWidget(self.use)
        beside = QHBoxLayout(self.around)
        beside.setContentsMargins(0, 0, 0, 0)
        for tiles in (self.under, self.over):
            beside.addWidget(tiles, 0, Qt.AlignmentFlag.AlignTop)
        beside.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        """Colours of the plot."""
        self.plot.set_theme(theme)

    def show_fabric(self, fabric: EvaluatedFabric | None, in_recipe: float) -> None:
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
            self._say("")
        self._show()

    def set_pictures(self, pictures: Mapping[Path, QPixmap | None]) -> None:
        """Those that were read."""
        self._pictures = pictures
        self._show()

    @property
    def paths(self) -> list[Path]:
        """Pictures that are shown."""
        return [t.path for row in (self.under, self.over) for t in row.tiles]

    def _moved(self, _: float) -> None:
        self._say("")
        self._show()
        self.tiles_changed.emit()

    def _show(self) -> None:
        tiles = self._fabric.tiles if self._fabric is not None else ()
        value = round(self.plot.threshold, 2)
        self._effect.setText(f"At {value:.2f}: {at_threshold(tiles, value).text}." if tiles else "")
        under, over = around(tiles, value, _SHOWN)
        self.under.show_tiles([_captioned(t) for t in under], self._pictures)
        self.over.show_tiles([_captioned(t) for t in over], self._pictures)
        name = self._fabric.name if self._fabric is not None else ""
        self.use.setText(f"Use {value:.2f} for {name}".replace("&", "&&"))
        set_plain_tip(self.use, f"Put it into the recipe of {name}, where it is {self._in_recipe:.2f} now")
        self.use.setEnabled(bool(tiles) and value != round(self._in_recipe, 2))
        for widget in (self._rate, self._by_rate):
            widget.setEnabled(bool(tiles))

    def _set_by_rate(self) -> None:
        if self._fabric is None:
            return
        value, said = threshold_at(self._fabric, self._rate.value())
        if value is not None:
            self.plot.set_threshold(max(0.05, value))
        self._show()
        self._say(said)
        self.tiles_changed.emit()

    def _say(self, how_reliable: str) -> None:
        self._trust.setText(how_reliable)
        self._trust.setVisible(bool(how_reliable))

    def _choose(self) -> None:
        if self._fabric is not None:
            self.chosen.emit(self._fabric.name, round(self.plot.threshold, 2))


def _captioned(tile: EvaluatedTile) -> Captioned:
    kind = "confirmed defect, " if tile.kind == "defect" else ""
    score = f"{kind}{tile.after.peak:.2f}"
    return Captioned(tile.path, score, f"{tile.id}\nscore of the candidate: {score}")
