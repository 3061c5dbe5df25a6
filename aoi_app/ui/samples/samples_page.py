"""Samples of a fabric: collected, looked through, labelled."""

from __future__ import annotations

from typing import get_args

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from aoi_app.samples.state import KINDS, ORDERS, Counts, Kind, Order, SampleDesk, SamplesState, shown
from aoi_app.samples.thumbnails import Thumbnails
from aoi_app.ui.labels.editor import LabelEditor
from aoi_app.ui.samples.coverage_panel import CoveragePanel
from aoi_app.ui.samples.fabric_list import FabricList
from aoi_app.ui.samples.sample_grid import SampleGrid
from aoi_app.ui.widgets.theme import Theme
from cras_core.data.samples.coverage import coverage
from cras_core.data.samples.values import Choice, Sample

_KEYS = "X throw out   K keep   Enter label   Ctrl+Z undo   Ctrl+A all   arrows move   F1 all keys"
_ORDER_TEXTS: dict[Order, str] = {
    "suspicion": "most suspicious first",
    "place": "by place on the web",
    "time": "by time",
}


class SamplesPage(QWidget):
    """Draws what the desk has, and hands it what the person asks for.

    Signals:
        folder_used: a folder that pictures came from.
        decided: samples were thrown out or kept; there is something to show.
    """

    folder_used = Signal(str)
    decided = Signal()

    def __init__(self, desk: SampleDesk, thumbnails: Thumbnails, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._theme = desk, theme
        self._view = SamplesState()
        self._covered: tuple[str, tuple[Sample, ...]] | None = None  # of which the coverage is shown
        self.fabrics = FabricList(desk)
        self.grid = SampleGrid(thumbnails, theme)
        self.coverage = CoveragePanel(theme)
        self.editor: LabelEditor | None = None
        self.order = _choice("Order of the samples", [_ORDER_TEXTS[o] for o in ORDERS])
        self.kind = _choice("Which samples are shown", list(KINDS))
        self._state = QLabel()
        self._state.setAccessibleName("What is shown")
        self._lay_out()
        self.order.currentIndexChanged.connect(self._draw)
        self.kind.currentIndexChanged.connect(self._draw)
        self.grid.thrown_out.connect(lambda: self._decide("thrown out"))
        self.grid.kept.connect(lambda: self._decide("kept"))
        self.grid.opened.connect(self.open)
        self.fabrics.folder_used.connect(self.folder_used)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        for text, widget in (("Show", self.kind), ("Order", self.order)):
            bar.addWidget(QLabel(text))
            bar.addWidget(widget)
        bar.addWidget(self._state, 1)
        keys = QLabel(_KEYS)
        keys.setObjectName("caption")
        middle = QVBoxLayout()
        middle.addLayout(bar)
        middle.addWidget(self.grid, 1)
        middle.addWidget(keys)
        row = QHBoxLayout(self)
        row.addWidget(self.fabrics)
        row.addLayout(middle, 1)
        row.addWidget(self.coverage)

    def show_view(self, view: SamplesState) -> None:
        """Draws how things stand."""
        if view.fabric != self._view.fabric and self.editor is not None:
            self.editor.close()
        self._view = view
        self.fabrics.show_fabrics(view.fabrics, view.fabric)
        self._draw()
        if self._covered != (view.fabric, view.samples):
            self._covered = view.fabric, view.samples
            self.coverage.show_coverage(coverage(view.samples) if view.fabric else None)
        if self.editor is not None:
            self.editor.show_view(view)

    def tick(self) -> None:
        """Thumbnails that are seen."""
        self.grid.tick()

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self._theme = theme
        self.grid.set_theme(theme)
        self.coverage.set_theme(theme)
        if self.editor is not None:
            self.editor.set_theme(theme)

    def open(self, name: str) -> None:
        """Opens a tile in the editor."""
        if self.editor is None:
            editor = self.editor = LabelEditor(self._theme, self)
            editor.labelled.connect(self._desk.label)
            editor.types_changed.connect(self._desk.keep_catalogue)
            editor.step_asked.connect(self._step)
        self.editor.open(self.grid.samples.sample(self.grid.samples.row_of(name)))
        self._desk.open_tile(name)
        self.editor.show()
        self.editor.raise_()
        self.editor.activateWindow()
        self.editor.canvas.setFocus()

    def _step(self, step: int) -> None:
        assert self.editor is not None
        row = self.grid.samples.row_of(self.editor.name) + step
        if 0 <= row < self.grid.samples.rowCount():
            self.grid.select_row(row)
            self.open(self.grid.samples.sample(row).id)

    def _decide(self, choice: Choice) -> None:
        chosen = self.grid.selected()
        row = self.grid.currentIndex().row()
        self._desk.decide([s.id for s in chosen], choice)
        self.decided.emit()
        if len(chosen) == 1 and self.grid.samples.row_of(chosen[0].id) == row:  # still there: on to the next
            self.grid.select_row(min(row + 1, self.grid.samples.rowCount() - 1))

    def _draw(self) -> None:
        kind: Kind = get_args(Kind)[self.kind.currentIndex()]
        order: Order = get_args(Order)[self.order.currentIndex()]
        view = self._view
        samples = shown(view.samples, kind, order)
        self.grid.show_samples(samples, view.folder, view.not_kept)
        counts = next((r.counts for r in view.fabrics if r.name == view.fabric and r.counts), Counts())
        text = f"{len(samples)} of {len(view.samples)}"
        if counts.suspicious:
            text += f", look at {counts.suspicious} suspicious ones"
        self._state.setText(text if view.fabric else "")
        self.grid.say(_hint(view))


def _hint(view: SamplesState) -> str:
    if not view.fabric:
        return "Begin with a new fabric, on the left." if not view.busy else ""
    if not view.samples:
        return "No samples yet. Add pictures of its good cloth, strips of the web or tiles: the buttons on the left."
    return "None of this kind. Choose another kind above."


def _choice(name: str, texts: list[str]) -> QComboBox:
    box = QComboBox()
    box.addItems(texts)
    box.setAccessibleName(name)
    return box
