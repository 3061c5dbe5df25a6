"""The page of the samples: they are sorted in one view, and a tile is labelled in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from aoi_app.samples.state import SamplesState
from aoi_app.samples.wording import problems_text
from aoi_app.settings.defect_types import DefectType
from aoi_app.ui.labels.editor import KEYS as EDITOR_KEYS
from aoi_app.ui.labels.editor import LabelEditor
from aoi_app.ui.samples.sample_browser import KEYS as BROWSER_KEYS
from aoi_app.ui.samples.sample_browser import SampleBrowser
from aoi_app.ui.samples.work_bar import WorkBar
from aoi_app.ui.widgets.actions import ActionRow
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.page import Page
from aoi_app.ui.widgets.theme import Theme
from cras_core.arrays import Image
from cras_core.data.samples.values import Sample


class SamplesPage(Page):
    """
    Attributes:
        browser, editor: the two views; each has the signals for what is asked there.
        work: what goes on, below them.

    Signals:
        tile_wanted: id of the sample whose tile the editor shows.
        fabric_shown: another fabric is shown than before: somebody chose it, or the one before is gone.
    """

    tile_wanted = Signal(str)
    fabric_shown = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._state = SamplesState()
        self.browser = SampleBrowser(theme)
        self.editor = LabelEditor(theme)
        self.work = WorkBar()
        self._views = QStackedWidget()
        self._views.addWidget(self.browser)
        self._views.addWidget(self.editor)
        self._problems = Banner("Problems of the store")
        self._alarm = Banner("Alarm")
        column = QVBoxLayout(self)
        column.addWidget(self._problems)
        column.addWidget(self._alarm)
        column.addWidget(self._views, 1)
        column.addWidget(self.work)
        self.browser.grid.opened.connect(self.open)
        self.editor.step_asked.connect(self._step)
        self.editor.left.connect(self._show_browser)
        self._show_view(self.browser, self.browser.grid)

    @property
    def is_labelling(self) -> bool:
        """The editor is shown."""
        return self._views.currentWidget() is self.editor

    def keys(self) -> Sequence[ActionRow]:
        """Of the view that is shown."""
        return EDITOR_KEYS if self.is_labelling else BROWSER_KEYS

    def show_state(self, state: SamplesState) -> None:
        """Draws how things stand; labels of another fabric are left."""
        before, self._state = self._state.fabric, state
        if state.fabric != before and self.is_labelling:
            self.editor.leave()
            state = self._state  # a newer one came if the person was asked about labels for a while
        self._problems.say(problems_text(state.problems), alarm=True)
        self._alarm.say(state.note if state.is_alarm else "", alarm=True)
        self.browser.show_state(state)
        self.editor.show_state(state)
        self.work.show_state(state)
        if before and state.fabric != before:
            self.fabric_shown.emit(state.fabric)

    def show_types(self, types: tuple[DefectType, ...]) -> None:
        """The defect types that labels can have."""
        self.editor.show_types(types)

    def show_thumbnails(self, ready: Mapping[Path, Image | None]) -> None:
        """Thumbnails that were read; None for a picture that cannot be read."""
        self.browser.grid.show_thumbnails(ready)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.browser.set_theme(theme)
        self.editor.set_theme(theme)

    def open(self, sample_id: str) -> None:
        """Shows a sample of the grid in the editor."""
        samples = self.browser.grid.samples
        self._open(samples.sample(samples.row_of(sample_id)))

    def _open(self, sample: Sample) -> None:
        self.editor.open(sample)
        self.editor.show_state(self._state)
        self._show_view(self.editor, self.editor.canvas)
        self.tile_wanted.emit(sample.id)

    def _step(self, step: int) -> None:
        sample = self.browser.neighbour(self.editor.sample_id, step)
        if sample is not None:
            self._open(sample)

    def _show_browser(self) -> None:
        self._show_view(self.browser, self.browser.grid)

    def _show_view(self, view: QWidget, at: QWidget) -> None:
        """``at``: the widget of the view that gets the keyboard, now and when somebody comes back to the page."""
        self._views.setCurrentWidget(view)
        self.setFocusProxy(at)
        at.setFocus(Qt.FocusReason.OtherFocusReason)
