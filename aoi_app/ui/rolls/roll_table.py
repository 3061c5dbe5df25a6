"""The list of recorded rolls: searched, sorted, one of them chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from aoi_app.inspection.findings.roll_summary import RollSummary

Index = QModelIndex | QPersistentModelIndex

_SORT = Qt.ItemDataRole.UserRole
_INVALID = QModelIndex()


@dataclass(frozen=True, slots=True)
class RollColumn:
    """One column.

    Attributes:
        heading: with its unit.
        key: what it is sorted by; a number stands to the right.
        text: what is shown.
    """

    heading: str
    key: Callable[[RollSummary], float | str]
    text: Callable[[RollSummary], str]


def _of_text(heading: str, value: Callable[[RollSummary], str]) -> RollColumn:
    return RollColumn(heading, lambda roll: value(roll).casefold(), value)


def _of_number(heading: str, value: Callable[[RollSummary], float], digits: int = 0) -> RollColumn:
    return RollColumn(heading, value, lambda roll: f"{value(roll):.{digits}f}")


COLUMNS = (
    _of_number("No.", lambda roll: roll.roll_id),
    _of_text("begun", lambda roll: f"{roll.started_at.astimezone():%Y-%m-%d %H:%M}" if roll.started_at else ""),
    _of_text("roll number", lambda roll: roll.order.roll_number),
    _of_text("article", lambda roll: roll.order.article),
    _of_number("defects", lambda roll: roll.defects - roll.rejected),
    _of_number("good, m", lambda roll: roll.inspected_m - (roll.reserve_m or 0.0), 1),
    _of_number("reserve, m", lambda roll: roll.reserve_m or 0.0, 1),
    _of_number("not inspected, m", lambda roll: roll.gap_m, 1),
    _of_text("fabric", lambda roll: roll.fabric),
    _of_text("order", lambda roll: roll.order.order_number),
    _of_text("lot", lambda roll: roll.order.lot),
    _of_text("loom", lambda roll: roll.order.loom),
    _of_text("state", lambda roll: roll.state),
    _of_text("source", lambda roll: roll.source),
)


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


class RollTable(QTableView):
    """
    Signals:
        chosen: number in the records of the roll that the person wants to see.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rolls = RollModel()
        self._sorted = QSortFilterProxyModel()
        self._sorted.setSourceModel(self._rolls)
        self._sorted.setSortRole(_SORT)
        self._sorted.setFilterKeyColumn(-1)
        self._sorted.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
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
        self._sorted.setFilterFixedString(text)

    def choose(self, roll_id: int) -> None:
        """Chooses a roll, as a person does."""
        row = self._rolls.row_of(roll_id)
        if row is not None:
            self.selectRow(self._sorted.mapFromSource(self._rolls.index(row, 0)).row())

    def _row_changed(self, index: QModelIndex, *_: object) -> None:
        if index.isValid() and not self._is_filling:
            self.chosen.emit(self._rolls.roll(self._sorted.mapToSource(index).row()).roll_id)
