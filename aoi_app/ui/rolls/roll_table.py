"""The list of recorded rolls: searched, sorted, one of them chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from aoi_app.inspection.findings.roll_summary import RollSummary
from aoi_app.reports.roll_columns import COLUMNS, is_found

Index = QModelIndex | QPersistentModelIndex

_SORT = Qt.ItemDataRole.UserRole
_INVALID = QModelIndex()


class RollModel(QAbstractTableModel):
    """The rolls, one in a row."""

    def __init__(self) -> None:
        super().__init__()
        self._rolls: tuple[RollSummary, ...] = ()

    def show_rolls(self, rolls: Sequence[RollSummary]) -> None:
        """Other rolls; the same ones leave the table as it is."""
        if tuple(rolls) != self._rolls:
            self.beginResetModel()
            self._rolls = tuple(rolls)
            self.endResetModel()

    def roll(self, row: int) -> RollSummary:
        """The roll in a row."""
        return self._rolls[row]

    def row_of(self, roll_id: int) -> int | None:
        """The row of a roll; None where it is not there."""
        return next((i for i, roll in enumerate(self._rolls) if roll.roll_id == roll_id), None)

    def rowCount(self, parent: Index = _INVALID) -> int:  # noqa: N802 (Qt's name)
        """Number of rolls."""
        return 0 if parent.isValid() else len(self._rolls)

    def columnCount(self, parent: Index = _INVALID) -> int:  # noqa: N802 (Qt's name)
        """Number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        """Titles of the columns."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return COLUMNS[section].heading
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell shows."""
        roll, column = self._rolls[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(roll)
        if role == _SORT:
            return column.key(roll)
        if role == Qt.ItemDataRole.TextAlignmentRole and isinstance(column.key(roll), int | float):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None


class _FoundRolls(QSortFilterProxyModel):
    """Those that are searched for, in the order of a column."""

    def __init__(self, rolls: RollModel) -> None:
        super().__init__()
        self._rolls, self._searched = rolls, ""
        self.setSourceModel(rolls)
        self.setSortRole(_SORT)

    def search(self, text: str) -> None:
        """Only rolls in which a column holds this text."""
        self._searched = text
        self.setFilterFixedString(text)  # asks for every row again

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:  # noqa: ARG002, N802 (Qt's)
        """Whether a roll is shown."""
        return is_found(self._rolls.roll(source_row), self._searched)


class RollTable(QTableView):
    """
    Signals:
        chosen: number in the records of the roll that the person wants to see.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rolls = RollModel()
        self._sorted = _FoundRolls(self._rolls)
        self._is_filling = False
        self.setModel(self._sorted)
        self.setAccessibleName("Rolls")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setResizeContentsPrecision(20)
        self.selectionModel().currentRowChanged.connect(self._row_changed)

    def show_rolls(self, rolls: Sequence[RollSummary]) -> None:
        """Other rolls; the chosen one stays chosen."""
        index, self._is_filling = self.currentIndex(), True
        now = self._rolls.roll(self._sorted.mapToSource(index).row()).roll_id if index.isValid() else None
        self._rolls.show_rolls(rolls)
        row = self._rolls.row_of(now) if now is not None else None
        if row is not None:
            self.selectRow(self._sorted.mapFromSource(self._rolls.index(row, 0)).row())
        self._is_filling = False

    def search(self, text: str) -> None:
        """Only rolls in which a column holds this text."""
        self._sorted.search(text)

    def choose(self, roll_id: int) -> None:
        """Chooses a roll, as a person does."""
        row = self._rolls.row_of(roll_id)
        if row is not None:
            self.selectRow(self._sorted.mapFromSource(self._rolls.index(row, 0)).row())

    def _row_changed(self, index: QModelIndex, *_: object) -> None:
        if index.isValid() and not self._is_filling:
            self.chosen.emit(self._rolls.roll(self._sorted.mapToSource(index).row()).roll_id)
