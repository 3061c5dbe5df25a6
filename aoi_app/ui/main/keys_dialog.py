"""The list of all keys: those of the page that is shown, then those that act everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from aoi_app.ui.widgets.actions import ActionRow

_WIDTH_PX, _HEIGHT_PX = 760, 620


class KeysDialog(QDialog):
    """Shows keys and what they do."""

    def __init__(self, page: Sequence[ActionRow], everywhere: Sequence[ActionRow], parent: QWidget) -> None:
        """
        Args:
            page: keys of the page that is shown.
            everywhere: keys of the menus.
            parent: of the dialog.
        """
        super().__init__(parent)
        self.setWindowTitle("Keyboard")
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels(["key", "what it does"])
        self.table.setAccessibleName("Keys")
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        for title, rows in (("On this page", page), ("Everywhere", everywhere)):
            if rows:
                self._add_title(title)
                self._add_rows(rows)
        self.table.resizeColumnToContents(0)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.table)
        column.addWidget(buttons)
        room = QGuiApplication.primaryScreen().availableGeometry()
        self.resize(min(_WIDTH_PX, room.width()), min(_HEIGHT_PX, room.height()))
        # A row is as high as its text at the width that the column really has, also after the window was made narrower.
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    def _add_title(self, title: str) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        item = QTableWidgetItem(title)
        font = item.font()
        font.setBold(True)
        item.setFont(font)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        self.table.setItem(row, 0, item)
        self.table.setSpan(row, 0, 1, 2)

    def _add_rows(self, rows: Sequence[ActionRow]) -> None:
        for action in rows:
            row = self.table.rowCount()
            self.table.insertRow(row)
            text = action.text.replace("&", "").rstrip("…")
            self.table.setItem(row, 0, QTableWidgetItem(action.shortcut))
            self.table.setItem(row, 1, QTableWidgetItem(f"{text}: {action.tip}"))
