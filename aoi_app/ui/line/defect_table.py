"""The list of defects of the running roll."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QFont, QIcon, QImage, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView

from aoi_app.inspection.findings.defects import PICTURE_NOT_READ, Defect
from aoi_app.inspection.findings.review import NO_REVIEW, Review
from aoi_app.settings.defect_types import DefectType
from aoi_app.ui.line.defect_columns import DEFECT_COLUMNS
from cras_core.arrays import Image

_THUMBNAIL_PX = 56
_LEAST_PX = 43
_COLUMNS = ("", *(column.heading for column in DEFECT_COLUMNS))  # the picture comes first
_SORT = Qt.ItemDataRole.UserRole
_INVALID = QModelIndex()

Index = QModelIndex | QPersistentModelIndex


class DefectModel(QAbstractTableModel):
    """Defects in the order they were found; a running defect changes in place."""

    def __init__(self) -> None:
        super().__init__()
        self._defects: list[Defect] = []
        self._row_of: dict[int, int] = {}
        self._pictures: dict[int, QIcon] = {}
        self._reviews: dict[int, Review] = {}
        self.read_picture: Callable[[int], Image] = lambda _: PICTURE_NOT_READ
        """Gives the picture of a defect that comes without one, when somebody sees its row."""

    def clear(self) -> None:
        """Empties the list, for a new roll."""
        self.beginResetModel()
        self._defects, self._row_of, self._pictures, self._reviews = [], {}, {}, {}
        self.endResetModel()

    def add(self, defects: Sequence[Defect]) -> None:
        """Adds new defects and updates those that were known."""
        latest = {d.number: d for d in defects}
        for defect in latest.values():
            row = self._row_of.get(defect.number)
            if row is not None:
                self._defects[row] = defect
                self._pictures.pop(defect.number, None)
                self.dataChanged.emit(self.index(row, 0), self.index(row, len(_COLUMNS) - 1))
        new = [d for d in latest.values() if d.number not in self._row_of]
        if new:
            first = len(self._defects)
            self.beginInsertRows(_INVALID, first, first + len(new) - 1)
            for defect in new:
                self._row_of[defect.number] = len(self._defects)
                self._defects.append(defect)
            self.endInsertRows()

    def remove(self, numbers: Sequence[int]) -> None:
        """Takes out defects that have become part of others."""
        for number in numbers:
            row = self._row_of.pop(number, None)
            if row is not None:
                self.beginRemoveRows(_INVALID, row, row)
                del self._defects[row]
                self._row_of = {d.number: i for i, d in enumerate(self._defects)}
                self.endRemoveRows()

    def set_review(self, number: int, review: Review) -> None:
        """Shows what a person has said of a defect."""
        self._reviews[number] = review
        row = self._row_of.get(number)
        if row is not None:
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(_COLUMNS) - 1))

    def review(self, number: int) -> Review:
        """What a person has said of a defect."""
        return self._reviews.get(number, NO_REVIEW)

    def row_of(self, number: int) -> int | None:
        """The row of a defect; None where it is not listed."""
        return self._row_of.get(number)

    def defect(self, row: int) -> Defect:
        """The defect in a row."""
        return self._defects[row]

    def all_defects(self) -> tuple[Defect, ...]:
        """Every defect of the roll, in the order in which they were found."""
        return tuple(self._defects)

    def rowCount(self, parent: Index = _INVALID) -> int:  # noqa: N802 (Qt's name)
        """Number of defects."""
        return 0 if parent.isValid() else len(self._defects)

    def columnCount(self, parent: Index = _INVALID) -> int:  # noqa: N802 (Qt's name)
        """Number of columns."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        """Titles of the columns."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell shows."""
        defect, column = self._defects[index.row()], index.column()
        review = self.review(defect.number)
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return self._picture(defect)
        if role == Qt.ItemDataRole.DisplayRole and column > 0:
            return _texts(defect, review)[column]
        if role == _SORT:
            return _sort_keys(defect, review)[column]
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return _spoken(defect, review)
        return _look(column, role, review)

    def _thumbnail(self, defect: Defect) -> Image:
        return self.read_picture(defect.number) if defect.thumbnail is PICTURE_NOT_READ else defect.thumbnail

    def _picture(self, defect: Defect) -> QIcon:
        if defect.number not in self._pictures:
            if len(self._pictures) > 2000:  # scrolled past long ago; made again when needed
                self._pictures.clear()
            picture = QPixmap.fromImage(_to_qimage(self._thumbnail(defect))).scaled(
                _THUMBNAIL_PX,
                _THUMBNAIL_PX,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            icon = QIcon(picture)
            icon.addPixmap(picture, QIcon.Mode.Selected)  # Qt would colour the cloth of the chosen row
            self._pictures[defect.number] = icon
        return self._pictures[defect.number]


def _spoken(defect: Defect, review: Review) -> str:
    """A row in one sentence."""
    texts = filter(None, (text.replace("\n", ", ") for text in _texts(defect, review)[2:]))
    by = f", by {review.reviewer}" if review.reviewer is not None else ""
    return f"Defect {defect.number}: {', '.join(texts)}, {defect.fabric}{by}" + (
        ", still running" if defect.is_open else ""
    )


def _look(column: int, role: int, review: Review) -> Any:
    """How a cell is set: numbers to the right, what was confirmed bold, what was rejected struck out."""
    if role == Qt.ItemDataRole.TextAlignmentRole and not (column > 0 and DEFECT_COLUMNS[column - 1].is_text):
        return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    if role == Qt.ItemDataRole.FontRole and review.verdict is not None:
        font = QFont()
        font.setBold(review.verdict == "confirmed")
        font.setStrikeOut(review.verdict == "rejected")
        return font
    return None


def _texts(d: Defect, review: Review) -> tuple[str, ...]:
    return ("", *(column.text(d, review) for column in DEFECT_COLUMNS))


def _sort_keys(d: Defect, review: Review) -> tuple[float | str, ...]:
    return (d.number, *(column.sort_key(d, review) for column in DEFECT_COLUMNS))


def _to_qimage(thumbnail: Image) -> QImage:
    """A thumbnail with its contrast stretched by fixed limits of its own pixels, for the eye only."""
    image = thumbnail.astype(np.float32)
    low, high = np.percentile(image, [1, 99.5])
    stretched = np.ascontiguousarray(np.clip((image - low) * (255 / max(high - low, 24)), 0, 255).astype(np.uint8))
    height, width = stretched.shape[:2]
    kind = QImage.Format.Format_Grayscale8 if stretched.ndim == 2 else QImage.Format.Format_RGB888
    return QImage(stretched.tobytes(), width, height, stretched.strides[0], kind).copy()


class _Sorted(QSortFilterProxyModel):
    """Says in the heading itself by what the rows are sorted: Qt keeps room for its own sign in every column."""

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """By a column."""
        super().sort(column, order)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, self.columnCount() - 1)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802
        """The heading of a column, with an arrow where it is the one."""
        heading = super().headerData(section, orientation, role)
        is_heading = role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal
        if not is_heading or section != self.sortColumn():
            return heading
        return f"{heading} {'▴' if self.sortOrder() == Qt.SortOrder.AscendingOrder else '▾'}"


class DefectTable(QTableView):
    """Shows the defects; the newest at the top unless the person sorts.

    Signals:
        chosen: a Defect that the person wants to see.
        decided: a Defect, and the verdict of the person on it; empty takes back what was said.
        type_named: a Defect and its DefectType.
    """

    chosen = Signal(object)
    decided = Signal(object, str)
    type_named = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.defects = DefectModel()
        self._sorted = _Sorted()
        self._sorted.setSourceModel(self.defects)
        self._sorted.setSortRole(_SORT)
        self._types: tuple[DefectType, ...] = ()
        self.setModel(self._sorted)
        self.setAccessibleName("Defects")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setIconSize(QSize(_THUMBNAIL_PX, _THUMBNAIL_PX))
        self.setSortingEnabled(True)
        self.sortByColumn(1, Qt.SortOrder.DescendingOrder)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_THUMBNAIL_PX + 4)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setResizeContentsPrecision(20)
        header.setDefaultSectionSize(_LEAST_PX)  # of the last one, which takes what room is left
        header.setStretchLastSection(True)
        header.setSortIndicatorShown(False)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(24)
        self.selectionModel().currentRowChanged.connect(self._row_changed)
        self.doubleClicked.connect(self._row_changed)

    def set_types(self, types: Sequence[DefectType]) -> None:
        """What a person may call a defect."""
        self._types = tuple(types)

    @property
    def unreviewed(self) -> int:
        """Defects in the table that nobody has said anything of."""
        return sum(self.defects.review(defect.number) == NO_REVIEW for defect in self.defects.all_defects())

    def current(self) -> Defect | None:
        """The chosen defect."""
        index = self.currentIndex()
        return self.defects.defect(self._sorted.mapToSource(index).row()) if index.isValid() else None

    def decide(self, verdict: str) -> bool:
        """Announces the person's verdict on the chosen defect; False when none is chosen."""
        defect = self.current()
        if defect is not None:
            self.decided.emit(defect, verdict)
        return defect is not None

    def ask_type(self) -> bool:
        """Offers the types for the chosen defect; False when none is chosen."""
        if self.current() is None:
            return False
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._add_types(menu)
        menu.popup(self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).center()))
        return True

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 (Qt's name)
        """What can be said of the defect under the mouse."""
        index = self.indexAt(event.pos())
        if not index.isValid():
            return
        self.selectRow(index.row())
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, verdict in (("&Confirm", "confirmed"), ("&Reject", "rejected"), ("Clear &verdict", "")):
            menu.addAction(text).triggered.connect(lambda _=False, verdict=verdict: self.decide(verdict))
        self._add_types(menu.addMenu("&Type"))
        menu.popup(event.globalPos())

    def _add_types(self, menu: QMenu) -> None:
        defect = self.current()
        for kind in self._types:
            action = menu.addAction(f"{kind.code}  {kind.name} ({kind.severity})")
            action.triggered.connect(lambda _=False, kind=kind: self.type_named.emit(defect, kind))

    def move(self, step: int) -> None:  # type: ignore[override]
        """Selects the next (1) or previous (-1) row."""
        rows = self._sorted.rowCount()
        if rows:
            now = self.currentIndex().row() if self.currentIndex().isValid() else (-1 if step > 0 else rows)
            self.selectRow(min(rows - 1, max(0, now + step)))

    def choose(self, number: int) -> None:
        """Selects a defect by its number; one that is not listed leaves the selection as it is."""
        row = self.defects.row_of(number)
        if row is not None:
            self.selectRow(self._sorted.mapFromSource(self.defects.index(row, 0)).row())

    def select_at(self, line: float, x_px: float) -> bool:
        """Selects the strongest listed defect under a place; False when there is none."""
        best: tuple[float, int] | None = None
        for row in range(self._sorted.rowCount()):
            d = self.defects.defect(self._sorted.mapToSource(self._sorted.index(row, 0)).row())
            inside = d.first_line - 16 <= line < d.end_line + 16 and d.left_px - 16 <= x_px < d.right_px + 16
            if inside and (best is None or d.peak > best[0]):
                best = (d.peak, row)
        if best is None:
            return False
        self.selectRow(best[1])
        return True

    def _row_changed(self, index: QModelIndex, *_: object) -> None:
        if index.isValid():
            self.chosen.emit(self.defects.defect(self._sorted.mapToSource(index).row()))
