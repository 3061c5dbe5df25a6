"""A message: an alarm as a banner, anything else as a plain line, so that it does not take the room of an alarm."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from aoi_app.ui.widgets.banner import Banner
from aoi_app.ui.widgets.plain import plain_label


class MessageLine(QWidget):
    """Hidden while there is nothing to say."""

    def __init__(self, name: str) -> None:
        """``name``: for screen readers."""
        super().__init__()
        self._alarm = Banner(name)
        self._note = plain_label(name, wraps=True)
        self._note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._alarm)
        column.addWidget(self._note)
        self.say("")

    def say(self, text: str, *, alarm: bool = False) -> None:
        """Shows a text; an empty one hides the line."""
        self._alarm.say(text if alarm else "", alarm=True)
        self._note.setText("" if alarm else text)
        self._note.setVisible(bool(text) and not alarm)
        self.setVisible(bool(text))
