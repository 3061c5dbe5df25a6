"""The view in which samples are sorted: fabrics at the left, the samples as a grid, what is missing at the right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from aoi_app.samples.state import FILTERS, SORT_ORDERS, SampleFilter, SamplesState, SortOrder, arranged, passes
from aoi_app.samples.wording import FILTER_TEXTS, SORT_TEXTS, hint, shown_text
from aoi_app.ui.samples.coverage_panel import CoveragePanel
from aoi_app.ui.samples.fabric_list import ROWS as FABRIC_ROWS
from aoi_app.ui.samples.fabric_list import FabricList
from aoi_app.ui.samples.sample_grid import SampleGrid
from aoi_app.ui.widgets.actions import ActionRow, connect, make_actions
from aoi_app.ui.widgets.plain import PlainLabel, plain_label
from aoi_app.ui.widgets.theme import Theme
from cras_core.data.samples.coverage import coverage
from cras_core.data.samples.values import Choice, Sample

ROWS = (ActionRow("undo", "Undo", "Ctrl+Z", "Undo the last decision to throw samples out or to keep them"),)
KEYS = (
    ActionRow("out", "Throw out", "X, Del", "The selected samples; they stay on disk"),
    ActionRow("keep", "Keep", "K", "The selected samples"),
    ActionRow("open", "Label", "Enter", "Open the selected sample, to draw around its defects"),
    ActionRow("move", "Move", "Arrows", "To another sample; with Shift, several are selected"),
    ActionRow("all", "Select all", "Ctrl+A", "All samples that are shown"),
    *ROWS,
    *(row for row in FABRIC_ROWS if row.shortcut),
)
"""All keys of the view, for the list of keys."""

_REMINDER = "X throw out   K keep   Enter label   Ctrl+Z undo   Ctrl+A select all   arrows move   F1 all keys"


class SampleBrowser(QWidget):
    """
    Attributes:
        fabrics: has signals for what is asked there.
        grid: announces which thumbnails it wants, and which sample is to be opened.

    Signals:
        decided: list of ids of samples, and their choice.
        undo_asked: the last decision is to be undone.
    """

    decided = Signal(object, str)
    undo_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = SamplesState()
        self._covered: tuple[str, tuple[Sample, ...]] | None = None  # of which the coverage is shown
        self.fabrics = FabricList()
        self.grid = SampleGrid(theme)
        self.coverage = CoveragePanel(theme)
        self.which = _choice("Which samples are shown", "Kept, thrown out, or with defects", FILTER_TEXTS)
        self.order = _choice("Order of the samples", "Likely bad cloth first, or by time", SORT_TEXTS)
        self._shown = plain_label("What is shown")
        self.actions_by_key = make_actions(self, ROWS)
        self.addActions(list(self.actions_by_key.values()))
        connect(self.actions_by_key, {"undo": self.undo_asked.emit})
        self._lay_out()
        self.order.currentIndexChanged.connect(self._draw)
        self.which.currentIndexChanged.connect(self._draw)
        self.grid.throw_out_asked.connect(lambda: self._decide("thrown out"))
        self.grid.keep_asked.connect(lambda: self._decide("kept"))

    def _lay_out(self) -> None:
        undo = QToolButton()
        undo.setDefaultAction(self.actions_by_key["undo"])
        bar = QHBoxLayout()
        for text, widget in (("Show", self.which), ("Order", self.order)):
            bar.addWidget(PlainLabel(text))
            bar.addWidget(widget)
        bar.addWidget(self._shown, 1)
        bar.addWidget(undo)
        reminder = PlainLabel(_REMINDER)
        reminder.setObjectName("caption")
        middle = QVBoxLayout()
        middle.addLayout(bar)
        middle.addWidget(self.grid, 1)
        middle.addWidget(reminder)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.fabrics)
        row.addLayout(middle, 1)
        row.addWidget(self.coverage)

    def show_state(self, state: SamplesState) -> None:
        """Draws how things stand."""
        self._state = state
        self.fabrics.show_fabrics(state.fabrics, state.fabric)
        self.actions_by_key["undo"].setEnabled(bool(state.undo_steps))
        self._draw()
        if self._covered != (state.fabric, state.samples):
            self._covered = state.fabric, state.samples
            self.coverage.show_coverage(coverage(state.samples) if state.fabric else None)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.grid.set_theme(theme)
        self.coverage.set_theme(theme)

    def neighbour(self, sample_id: str, step: int) -> Sample | None:
        """The sample so many places after another one in the grid, which is selected now; None where there is none."""
        samples = self.grid.samples
        row = samples.row_of(sample_id) + step
        if not 0 <= row < samples.rowCount():
            return None
        self.grid.select_row(row)
        return samples.sample(row)

    def _decide(self, choice: Choice) -> None:
        chosen = self.grid.selected()
        # Where the filter takes the sample away, the next one moves to its place and is selected by itself.
        if len(chosen) == 1 and passes(replace(chosen[0], choice=choice), self._which):
            row = self.grid.samples.row_of(chosen[0].id)
            self.grid.select_row(min(row + 1, self.grid.samples.rowCount() - 1))
        self.decided.emit([s.id for s in chosen], choice)

    @property
    def _which(self) -> SampleFilter:
        return FILTERS[self.which.currentIndex()]

    def _draw(self) -> None:
        state = self._state
        order: SortOrder = SORT_ORDERS[self.order.currentIndex()]
        samples = arranged(state.samples, self._which, order)
        self.grid.show_samples(samples, state.folder, state.unsaved)
        self.grid.show_hint(hint(state))
        self._shown.setText(shown_text(state, len(samples)))


def _choice(name: str, tip: str, texts: Mapping[SampleFilter, str] | Mapping[SortOrder, str]) -> QComboBox:
    box = QComboBox()
    box.addItems(list(texts.values()))
    box.setAccessibleName(name)
    box.setToolTip(tip)
    return box
