"""Alarms below the page that nobody has seen yet; they blink until somebody acknowledges them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from aoi_app.alarms.alarm import Alarm, AlarmLife
from aoi_app.alarms.severity import Severity
from aoi_app.ui.widgets.keyboard import drop_keyboard
from aoi_app.ui.widgets.plain import PlainLabel

_MOST_SHOWN = 2  # more of them leave no room for the cloth
_BLINK_MS = 600


class AlarmBar(QFrame):
    """Lists what nobody has seen, the latest last; hidden while there is nothing.

    Signals:
        acknowledged: the person has seen all that is shown.
        list_asked: the person wants to see all alarms that are open.
    """

    acknowledged = Signal()
    list_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("alarm")
        self._text = PlainLabel()
        self._text.setObjectName("alarm_text")
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setAccessibleName("Alarm")
        see = QPushButton("Acknowledge")
        see.setToolTip("I have taken note (A). The alarm stays while its cause does.")
        see.clicked.connect(self.acknowledged)
        all_of_them = QPushButton("All alarms…")
        all_of_them.setToolTip("Every alarm that is open, and who has seen it (Shift+A)")
        all_of_them.clicked.connect(self.list_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 12, 6)
        row.addWidget(self._text, 1)
        row.addWidget(all_of_them, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(see, 0, Qt.AlignmentFlag.AlignTop)
        self._blink = QTimer(self)
        self._blink.setInterval(_BLINK_MS)
        self._blink.timeout.connect(lambda: self._set_lit(not self.property("lit")))
        self._set_lit(True)
        self.hide()

    def show_alarms(self, alarms: Sequence[Alarm], told_above: str = "") -> None:
        """Shows those of the open alarms that nobody has seen.

        Args:
            alarms: that are open.
            told_above: what the condition of the line says already; it is not said twice.
        """
        unseen = [alarm for alarm in alarms if alarm.must_be_seen]
        more = len(unseen) - _MOST_SHOWN
        lines = [alarm_line(alarm, told_above) for alarm in unseen[-_MOST_SHOWN:]]
        if more > 0:
            lines[0] = f"({more} more before) {lines[0]}"
        text = "\n".join(lines)
        if self._text.text() != text:
            self._text.setText(text)
        self.setProperty(
            "kind", "bad" if any(a.severity == Severity.NOT_INSPECTING.word for a in unseen) else "reserve"
        )
        if not unseen:
            drop_keyboard(self)
        self.setVisible(bool(unseen))
        if unseen and not self._blink.isActive():
            self._blink.start()
        elif not unseen:
            self._blink.stop()
            self._set_lit(True)

    def _set_lit(self, lit: bool) -> None:
        self.setProperty("lit", lit)
        for widget in (self, self._text, *self.findChildren(QPushButton)):
            widget.style().unpolish(widget)
            widget.style().polish(widget)


def alarm_line(alarm: Alarm, told_above: str = "") -> str:
    """An alarm in one line: when, where, what, and whether it is over."""
    at = f"{alarm.raised_at.astimezone():%H:%M}, roll {alarm.roll_id} at {alarm.position_m:.2f} m"
    over = " (over now)" if alarm.life is AlarmLife.GONE_UNSEEN else ""
    again = f" ({alarm.times} times)" if alarm.times > 1 else ""
    text = "as it says above. Nobody has acknowledged it yet." if alarm.text == told_above else alarm.text
    return f"{at}: {text}{again}{over}"
