"""Set up light and focus: what the camera sees, and its flat field."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QMessageBox, QTabWidget, QVBoxLayout, QWidget

from aoi_app.camera_setup.focus_state import AidSnapshot, Phase
from aoi_app.ui.camera.flat_field_page import FlatFieldPage
from aoi_app.ui.camera.light_page import LightPage
from aoi_app.ui.widgets.theme import Theme

TICK_MS = 100


class SetupDialog(QDialog):
    """Draws snapshots; asks for one ten times a second.

    Signals:
        ticked: show the newest snapshot now.
    """

    ticked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Set up light and focus")
        self.resize(980, 720)
        self._now = AidSnapshot()
        self._message_at_save: str | None = None  # while it closes as soon as the flat field is saved
        self.light_page, self.flat_field_page = LightPage(theme), FlatFieldPage(theme)
        self._message = QLabel()
        self._message.setObjectName("banner")
        self._message.setWordWrap(True)
        self._message.setAccessibleName("State of the camera")
        tabs = QTabWidget()
        tabs.addTab(self.light_page, "&Light and focus")
        tabs.addTab(self.flat_field_page, "&Flat field")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self._message)
        column.addWidget(tabs, 1)
        column.addWidget(buttons)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.ticked)
        self._timer.start()
        self.finished.connect(self._timer.stop)
        self.show_snapshot(self._now)

    def show_snapshot(self, now: AidSnapshot) -> None:
        """Draws how things stand."""
        self._now = now
        self._say(now.message or _state(now), alarm=now.is_alarm)
        self.light_page.show_light(now.light)
        self.flat_field_page.show_snapshot(now)
        if self._message_at_save is not None:
            if not now.is_unsaved or now.phase.is_over:
                super().reject()
            elif now.is_alarm and now.message != self._message_at_save:  # it could not be saved
                self._message_at_save = None

    def reject(self) -> None:
        """Closes, after a question where something would be lost."""
        if self._now.is_unsaved and not self._now.phase.is_over:
            box = QMessageBox.StandardButton
            answer = QMessageBox.question(
                self,
                "Flat field",
                "The flat field that was recorded is not saved.",
                box.Save | box.Discard | box.Cancel,
                box.Save,
            )
            if answer == box.Save:
                self._message_at_save = self._now.message
                self.flat_field_page.save_asked.emit()
            if answer != box.Discard:
                return
        super().reject()

    def _say(self, text: str, *, alarm: bool) -> None:
        kind = "alarm" if alarm else "note"
        if self._message.property("kind") != kind:
            self._message.setProperty("kind", kind)
            self._message.style().polish(self._message)
        if self._message.text() != text:
            self._message.setText(text)


def _state(now: AidSnapshot) -> str:
    if now.phase is Phase.OPENING:
        return "Opening the camera …"
    if now.phase is Phase.CLOSED:
        return "The camera is closed."
    return f"{now.camera} is running." if now.light is not None else f"{now.camera} is open; waiting for lines …"
