"""Alarms above the web, which stay until somebody has acknowledged them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from aoi_app.ui.widgets.plain import PlainLabel

_MOST_SHOWN = 4


class AlarmBar(QFrame):
    """Lists what was alarmed, the latest last; hidden while there is nothing.

    Signals:
        acknowledged: the person has taken note of all that was shown.
    """

    acknowledged = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("alarm")
        self._alarms: list[str] = []
        self._text = PlainLabel()
        self._text.setObjectName("alarm_text")
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setAccessibleName("Alarm")
        button = QPushButton("Acknowledge")
        button.setToolTip("I have taken note (A)")
        button.clicked.connect(self.acknowledge)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.addWidget(self._text, 1)
        row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def show_alarm(self, text: str) -> None:
        """Adds an alarm; one that is shown already is not added again."""
        if text in self._alarms:
            return
        self._alarms.append(text)
        more = len(self._alarms) - _MOST_SHOWN
        earlier = [f"{more} earlier alarms are in the records."] if more > 0 else []
        self._text.setText("\n".join([*earlier, *self._alarms[-_MOST_SHOWN:]]))
        self.show()

    def acknowledge(self) -> None:
        """Takes the alarms away; does nothing where there is none."""
        if self._alarms:
            self._alarms.clear()
            self.hide()
            self.acknowledged.emit()
