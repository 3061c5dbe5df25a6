"""All alarms that are open: when, where, why, who has seen them; and silence for one, for a time and a reason."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from aoi_app.alarms.alarm import Alarm, AlarmLife
from aoi_app.ui.widgets.plain import PlainLabel

_WIDTH_PX, _HEIGHT_PX = 980, 420
_STATE_PX = 240
_HEADINGS = ("time", "roll", "at", "alarm", "state")
_MINUTES = {"10 minutes": 10.0, "1 hour": 60.0, "8 hours": 480.0}
_REASON_LENGTH = 200


class AlarmsDialog(QDialog):
    """
    Signals:
        acknowledged: the person has seen all of them.
        shelved: cause, minutes and reason; nothing is to be heard of it for so long.
    """

    acknowledged = Signal()
    shelved = Signal(str, float, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Alarms")
        self._causes: list[str] = []
        self.table = QTableWidget(0, len(_HEADINGS))
        self.table.setHorizontalHeaderLabels(list(_HEADINGS))
        self.table.setAccessibleName("Alarms that are open")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setWordWrap(True)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(4, _STATE_PX)  # a reason may be long; it wraps
        self.table.itemSelectionChanged.connect(self._update_shelf)
        self._why = QLineEdit()
        self._why.setMaxLength(_REASON_LENGTH)
        self._why.setPlaceholderText("Why it may be silent")
        self._why.setAccessibleName("Reason for the silence")
        self._why.textChanged.connect(self._update_shelf)
        self._minutes = QComboBox()
        self._minutes.addItems(list(_MINUTES))
        self._minutes.setAccessibleName("For how long")
        self._shelve = QPushButton("Silence this cause")
        self._shelve.setToolTip("The alarm stays in the list and comes back by itself; reason and name are recorded")
        self._shelve.clicked.connect(self._ask_to_shelve)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        see = buttons.addButton("Acknowledge all", QDialogButtonBox.ButtonRole.ActionRole)
        see.clicked.connect(self.acknowledged)
        buttons.rejected.connect(self.reject)
        shelf = QHBoxLayout()
        shelf.addWidget(PlainLabel("Silence the chosen one for"))
        shelf.addWidget(self._minutes)
        shelf.addWidget(self._why, 1)
        shelf.addWidget(self._shelve)
        column = QVBoxLayout(self)
        column.addWidget(self.table, 1)
        column.addLayout(shelf)
        column.addWidget(buttons)
        room = QGuiApplication.primaryScreen().availableGeometry()
        self.resize(min(_WIDTH_PX, room.width()), min(_HEIGHT_PX, room.height()))
        self._update_shelf()

    def show_alarms(self, alarms: Sequence[Alarm]) -> None:
        """Shows alarms, oldest first; the chosen cause stays chosen."""
        rows = [_cells(alarm) for alarm in alarms]
        if rows == [[self._text(row, k) for k in range(len(_HEADINGS))] for row in range(self.table.rowCount())]:
            return
        chosen = self._chosen
        self._causes = [alarm.cause for alarm in alarms]
        self.table.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for k, text in enumerate(cells):
                self.table.setItem(row, k, QTableWidgetItem(text))
        for column in (0, 1, 2):
            self.table.resizeColumnToContents(column)
        if chosen in self._causes:
            self.table.selectRow(self._causes.index(chosen))

    @property
    def _chosen(self) -> str:
        """The cause of the chosen row; empty where none is."""
        row = self.table.currentRow() if self.table.selectedItems() else -1
        return self._causes[row] if 0 <= row < len(self._causes) else ""

    def _text(self, row: int, column: int) -> str:
        item = self.table.item(row, column)
        return item.text() if item is not None else ""

    def _update_shelf(self) -> None:
        self._shelve.setEnabled(bool(self._chosen and self._why.text().strip()))

    def _ask_to_shelve(self) -> None:
        self.shelved.emit(self._chosen, _MINUTES[self._minutes.currentText()], self._why.text().strip())
        self._why.clear()
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)


def _cells(alarm: Alarm) -> list[str]:
    return [
        f"{alarm.raised_at.astimezone():%H:%M:%S}",
        str(alarm.roll_id),
        f"{alarm.position_m:.2f} m",
        alarm.text if alarm.times == 1 else f"{alarm.text} ({alarm.times} times)",
        life_text(alarm),
    ]


def life_text(alarm: Alarm) -> str:
    """Where an alarm is in its life, with who and when."""
    match alarm.life:
        case AlarmLife.SHELVED if alarm.shelved_until is not None:
            until = f"{alarm.shelved_until.astimezone():%H:%M}"
            return f"silent until {until}: {alarm.shelved_why} ({alarm.shelved_by})"
        case AlarmLife.ACKNOWLEDGED if alarm.acknowledged_at is not None:
            return f"seen by {alarm.acknowledged_by}, {alarm.acknowledged_at.astimezone():%H:%M}; still there"
        case AlarmLife.GONE_UNSEEN:
            return "over, not seen"
        case _:
            return "not seen"
