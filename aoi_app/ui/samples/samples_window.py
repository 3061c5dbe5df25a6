"""The window in which fabrics are enrolled: pages beside each other, and a line about what goes on."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from aoi_app.samples.state import SampleDesk, SamplesState
from aoi_app.samples.thumbnails import Thumbnails
from aoi_app.settings.defect_types import DefectType
from aoi_app.ui.samples import fabric_list
from aoi_app.ui.samples.samples_page import SamplesPage
from aoi_app.ui.widgets.actions import ActionRow, connect, make_actions, shortcuts_text
from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.theme import Theme

ROWS = (
    ActionRow("undo", "&Undo", "Ctrl+Z", "Take back what was thrown out or kept last"),
    ActionRow("look", "&Read again", "F5", "Read all samples from the disk"),
    ActionRow("close", "&Close", "Ctrl+W", "Close this window; the line goes on"),
    ActionRow("keys", "&Keyboard", "F1", "List all keys"),
)
_GRID_KEYS = (
    "X, Delete\tThrow the selected samples out; they stay on disk\n"
    "K\tKeep them\n"
    "Enter\tOpen a sample and label it\n"
    "Arrows\tMove; with Shift they select several\n"
    "Ctrl+A\tSelect all"
)
_TICK_MS = 50
_MOST_PROBLEMS = 3


class EnrolWindow(QWidget):
    """Not modal; the line goes on beside it. ``add_page`` adds what follows the samples.

    Signals:
        folder_used: a folder that pictures came from, to be remembered.
        types_changed: the types of defects are others now, on disk.
        fabric_shown: another fabric is looked at.
    """

    folder_used = Signal(str)
    types_changed = Signal()
    fabric_shown = Signal(str)

    def __init__(self, desk: SampleDesk, thumbnails: Thumbnails, theme: Theme) -> None:
        super().__init__()
        self.setWindowTitle("Enrol a fabric")
        self._desk = desk
        self._revision = -1
        self._types: tuple[DefectType, ...] = ()
        self._fabric = ""
        self.samples_page = SamplesPage(desk, thumbnails, theme)
        self.samples_page.folder_used.connect(self.folder_used)
        self.samples_page.decided.connect(self.tick)
        self._tabs = QTabWidget()
        self._alarm = Banner("Alarm")
        self._note = QLabel()
        self._note.setAccessibleName("Message")
        self._note.setWordWrap(True)
        self._note.setMinimumHeight(self._note.fontMetrics().height() + 4)
        self._problems = Banner("Problems of the store")
        self._busy = QLabel()
        self._busy.setAccessibleName("What is being done")
        self._progress = QProgressBar()
        self._progress.setAccessibleName("How far it is")
        self._stop = QPushButton("&Stop")
        self._stop.setToolTip("End it; what was done until then stays")
        self._stop.clicked.connect(desk.stop)
        self.actions_by_key = make_actions(self, ROWS)
        self.addActions(list(self.actions_by_key.values()))
        connect(
            self.actions_by_key,
            {"undo": desk.undo, "look": desk.look, "close": self.close, "keys": self._show_keys},
        )
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.tick)
        self.resize(1280, 700)

    def _lay_out(self) -> None:
        work = QHBoxLayout()
        work.addWidget(self._busy)
        work.addWidget(self._progress, 1)
        work.addWidget(self._stop)
        column = QVBoxLayout(self)
        column.addWidget(self._problems)
        column.addWidget(self._alarm)
        column.addWidget(self._tabs, 1)
        column.addWidget(self._note)
        column.addLayout(work)
        self.add_page("&Samples", self.samples_page)

    def add_page(self, title: str, page: QWidget) -> None:
        """A page after those that are there; & in its title marks the key that shows it."""
        self._tabs.addTab(page, title)

    def show_page(self, page: QWidget) -> None:
        """Brings a page to the front."""
        self._tabs.setCurrentWidget(page)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.samples_page.set_theme(theme)

    def tick(self) -> None:
        """Takes what is new."""
        view = self._desk.view()
        if view.revision != self._revision:
            self._revision = view.revision
            self._show(view)
        self.samples_page.tick()

    def _show(self, view: SamplesState) -> None:
        if view.fabric != self._fabric:
            before, self._fabric = self._fabric, view.fabric
            if before:  # somebody chose it
                self.fabric_shown.emit(view.fabric)
        self._alarm.say(view.note if view.is_alarm else "", alarm=True)
        self._note.setText("" if view.is_alarm else view.note)
        left = len(view.problems) - _MOST_PROBLEMS
        lines = [*view.problems[:_MOST_PROBLEMS], *([f"and {left} more"] if left > 0 else [])]
        self._problems.say("\n".join(lines), alarm=True)
        for widget in (self._busy, self._progress, self._stop):
            widget.setVisible(bool(view.busy))
        self._busy.setText(view.busy)
        self._progress.setRange(0, 0 if view.progress is None else 100)
        self._progress.setValue(round(100 * (view.progress or 0.0)))
        self._stop.setVisible(view.progress is not None)
        self.actions_by_key["undo"].setEnabled(view.can_undo)
        self.samples_page.show_view(view)
        was, self._types = self._types, view.catalogue
        if was not in ((), self._types):
            self.types_changed.emit()

    def _show_keys(self) -> None:
        rows = (*ROWS, *(r for r in fabric_list.ROWS if r.shortcut))
        more = "F1 in the window of a tile lists the keys for labels."
        QMessageBox.information(self, "Keys", f"{_GRID_KEYS}\n{shortcuts_text(rows)}\n\n{more}")

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 (Qt's name)
        """The editor goes too, unless it holds labels that are not on disk."""
        editor = self.samples_page.editor
        event.setAccepted(editor is None or not editor.isVisible() or editor.close())

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Looks at the desk while it is seen."""
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 (Qt's name)
        """Nobody looks."""
        self._timer.stop()
        super().hideEvent(event)
