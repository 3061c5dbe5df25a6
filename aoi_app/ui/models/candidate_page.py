"""The page on which a new model is set beside the one in use, and a person decides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from aoi_app.learning.state import Compared, ComparedFabric, Models, ModelView, Tile
from aoi_app.learning.threshold import disagreements
from aoi_app.learning.wording import fabric_remarks, figure_rows, verdict_text
from aoi_app.samples.thumbnails import Thumbnails
from aoi_app.ui.models.job_status import DeskStatus
from aoi_app.ui.models.threshold_panel import ThresholdPanel
from aoi_app.ui.models.tile_row import TILE_PX, Captioned, TileStrip
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.qimage import to_qimage
from aoi_app.ui.widgets.theme import Theme
from cras_core.web.threshold import CALIBRATED_THRESHOLD

_NOTHING = (
    "There is no new model to decide about. Learn one on the page Learn, or choose one on the page Models and press "
    "Compare."
)
_MOST_DIFFERENT = 8
_GAP_PX = 10
_LEAST_PLOT_PX = 220
_MOST_PLOT_PX = 330


class ComparePage(QWidget):
    """Draws a comparison; asks the desk to put the new model into use, or to leave it.

    Signals:
        threshold_chosen: fabric, and the threshold that its recipe shall have.
    """

    threshold_chosen = Signal(str, float)

    def __init__(self, desk: Models, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._view = ModelView()
        self._shown: Compared | None = None
        self._thresholds: Mapping[str, float] = {}
        self._standard = CALIBRATED_THRESHOLD
        self._thumbnails = Thumbnails(TILE_PX)
        self._pictures: dict[Path, QPixmap | None] = {}
        self.status = DeskStatus(alarms_only=True)
        self.status.stop_asked.connect(desk.stop)
        self._heading = QLabel()
        self._heading.setObjectName("figure")
        self._heading.setAccessibleName("Which models are compared")
        self._verdict = Banner("What got worse")
        self.use = QPushButton("&Use the new model")
        self.use.setObjectName("main")
        self.use.clicked.connect(self._use)
        self.keep = QPushButton("&Keep the old one")
        self.keep.clicked.connect(desk.dismiss)
        self.again = QPushButton("Compare &again")
        self.again.setToolTip("Judge the samples as they are now by the model in use and by this one")
        self.again.clicked.connect(lambda: desk.compare(self._view.candidate, anew=True))
        self.fabric = QComboBox()
        self.fabric.setAccessibleName("Fabric")
        self.fabric.currentTextChanged.connect(lambda _: self._show_fabric())
        self.table = QTableWidget(0, 3)
        self.table.setAccessibleName("Figures of both models")
        self._remarks = QLabel()
        self._remarks.setWordWrap(True)
        self._remarks.setObjectName("hint")
        self._remarks.setAccessibleName("What to bear in mind")
        self.different = TileStrip("Where the two disagree", _MOST_DIFFERENT, "both flag the same tiles")
        self.threshold = ThresholdPanel(theme)
        self.threshold.chosen.connect(self.threshold_chosen)
        self.threshold.looked.connect(self._want)
        self._lay_out()
        self.show_view(self._view)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._heading, 1)
        for button in (self.use, self.keep, self.again):
            top.addWidget(button)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        left = QVBoxLayout()
        row = QHBoxLayout()
        row.addWidget(QLabel("Fabric"))
        row.addWidget(self.fabric, 1)
        left.addLayout(row)
        left.addWidget(self.table)
        left.addWidget(self._remarks)
        left.addSpacing(_GAP_PX)
        left.addWidget(self.threshold)
        left.addStretch(1)
        middle = QHBoxLayout()
        middle.addLayout(left, 2)
        middle.addWidget(self.threshold.plot, 3)
        self.threshold.plot.setMinimumHeight(_LEAST_PLOT_PX)
        self.threshold.plot.setMaximumHeight(_MOST_PLOT_PX)
        inner = QWidget()
        body = QVBoxLayout(inner)
        body.addLayout(middle, 1)
        body.addWidget(self.threshold.strips)
        body.addWidget(self.different)
        self._body = QScrollArea()
        self._body.setWidgetResizable(True)
        self._body.setFrameShape(QScrollArea.Shape.NoFrame)
        self._body.setWidget(inner)
        self._nothing = QLabel(_NOTHING)
        self._nothing.setWordWrap(True)
        column = QVBoxLayout(self)
        column.addWidget(self.status)
        column.addLayout(top)
        column.addWidget(self._verdict)
        column.addWidget(self._nothing)
        column.addWidget(self._body, 1)
        column.addStretch(0)

    def show_thresholds(self, of_fabrics: Mapping[str, float], standard: float) -> None:
        """The thresholds that hold now: of fabrics with a recipe of their own, and of the others."""
        self._thresholds, self._standard = of_fabrics, standard
        self._show_fabric()

    def show_view(self, view: ModelView) -> None:
        """Draws how things stand."""
        self._view = view
        self.status.show_view(view)
        result = view.compared
        is_free = not view.busy
        is_used = bool(view.candidate) and view.candidate == view.in_use
        self.use.setEnabled(is_free and bool(view.candidate) and not is_used)
        self.keep.setEnabled(is_free and bool(view.candidate) and not is_used)
        self.again.setEnabled(is_free and bool(view.candidate) and not is_used)
        self._heading.setText(_heading(view))
        self._nothing.setVisible(not view.candidate)
        self._body.setVisible(result is not None)
        self._verdict.say(
            "" if result is None else verdict_text(result), alarm=result is not None and bool(result.worse)
        )
        if result != self._shown:
            self._shown = result
            self._show_fabrics()

    def tick(self) -> None:
        """Takes pictures that were read."""
        ready = self._thumbnails.take()
        if ready:
            for path, image in ready.items():
                self._pictures[path] = None if image is None else QPixmap.fromImage(to_qimage(image))
            self._show_tiles()

    def close_thumbnails(self) -> None:
        """Reads no more pictures."""
        self._thumbnails.close()

    def _show_fabrics(self) -> None:
        names = [f.name for f in self._shown.fabrics] if self._shown is not None else []
        chosen = self.fabric.currentText()
        before = self.fabric.blockSignals(True)
        self.fabric.clear()
        self.fabric.addItems(names)
        self.fabric.setCurrentText(chosen if chosen in names else _most_telling(self._shown))
        self.fabric.blockSignals(before)
        self._show_fabric()

    def _current(self) -> ComparedFabric | None:
        name = self.fabric.currentText()
        return next((f for f in self._shown.fabrics if f.name == name), None) if self._shown is not None else None

    def _show_fabric(self) -> None:
        fabric = self._current()
        rows = figure_rows(fabric) if fabric is not None else []
        is_current = self._shown is not None and self._shown.is_current
        self.table.setHorizontalHeaderLabels(["", "in use" if is_current else "before", "new"])
        self.table.setRowCount(len(rows))
        for i, texts in enumerate(rows):
            for j, text in enumerate(texts):
                self.table.setItem(i, j, QTableWidgetItem(text))
        self.table.resizeRowsToContents()
        height = self.table.horizontalHeader().height() + sum(self.table.rowHeight(i) for i in range(len(rows)))
        self.table.setFixedHeight(height + 4)
        self._remarks.setText("\n".join(fabric_remarks(fabric)) if fabric is not None else "")
        in_recipe = self._thresholds.get(fabric.name, self._standard) if fabric is not None else CALIBRATED_THRESHOLD
        self.threshold.show_fabric(fabric, in_recipe)
        self._show_tiles()
        self._want()

    def _show_tiles(self) -> None:
        fabric = self._current()
        differing = disagreements(fabric) if fabric is not None else []
        self.different.show_tiles([_differing(t) for t in differing], self._pictures)
        self.threshold.set_pictures(self._pictures)

    def _want(self) -> None:
        paths = [*self.threshold.paths, *(t.path for t in self.different.tiles)]
        self._thumbnails.want([p for p in paths if p not in self._pictures])

    def _use(self) -> None:
        worse = self._shown is not None and bool(self._shown.worse)
        self._desk.promote(self._view.candidate, "chosen although something got worse" if worse else "chosen")


def _heading(view: ModelView) -> str:
    if not view.candidate:
        return "No new model"
    if view.candidate == view.in_use:
        return f"{view.candidate} is in use"
    beside = view.compared.before if view.compared is not None else ""
    if beside and view.compared is not None and not view.compared.is_current:
        return f"New: {view.candidate}, beside {beside}, which is not in use any more"
    return f"New: {view.candidate}" + (f", in use: {beside}" if beside else "")


def _most_telling(result: Compared | None) -> str:
    """The fabric that a person should see first: one that got worse, or is new, or on which the models disagree."""
    if result is None or not result.fabrics:
        return ""
    worse = [f.name for f in result.fabrics if any(w.startswith(f"{f.name}: ") for w in result.worse)]
    new = [f.name for f in result.fabrics if f.before is None or not f.before.known]
    others = sorted(result.fabrics, key=lambda f: -len(disagreements(f)))
    return [*worse, *new, others[0].name][0]


def _differing(tile: Tile) -> Captioned:
    kind = "confirmed defect" if tile.kind == "defect" else "good cloth"
    seen = "\nthe old model may have learnt from it" if tile.seen_before else ""
    old = tile.before or 0.0
    tip = f"{tile.id}\n{kind}: in use {old:.2f}, new {tile.after:.2f}{seen}"
    return Captioned(tile.path, f"{old:.2f} → {tile.after:.2f}", tip)
