"""What both models do on one fabric, as a small table without scroll bars."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem


class MetricTable(QTableWidget):
    """As high as its rows."""

    def __init__(self) -> None:
        super().__init__(0, 3)
        self.setAccessibleName("Metrics of both models")
        self.verticalHeader().hide()
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)  # wrapped, a row would be as high as for a column that is not yet as wide as it becomes
        self.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def show_rows(self, rows: Sequence[tuple[str, str, str]], before: str) -> None:
        """
        Args:
            rows: caption, the model that was in use, the candidate.
            before: heading of the model that was in use.
        """
        self.setHorizontalHeaderLabels(["", before, "candidate"])
        self.setRowCount(len(rows))
        for i, texts in enumerate(rows):
            for j, text in enumerate(texts):
                self.setItem(i, j, QTableWidgetItem(text))
        self.resizeRowsToContents()
        height = self.horizontalHeader().height() + sum(self.rowHeight(i) for i in range(len(rows)))
        self.setFixedHeight(height + 2 * self.frameWidth() + 2)
