"""Defects as a grid of pictures, each with two lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QAbstractItemView, QListView

from aoi_app.review.gallery_state import GalleryItem, Key
from aoi_app.ui.widgets.plain import plain_tip
from aoi_app.ui.widgets.qimage import to_qimage

Index = QModelIndex | QPersistentModelIndex

_INVALID = QModelIndex()
_PICTURE_PX, _CELL = 112, QSize(150, 166)
_MOST_PIXMAPS = 2000  # scrolled past long ago; made again when needed


class GalleryModel(QAbstractListModel):
    """Rows change in place, so that the selection and the place in the list stay."""

    def __init__(self) -> None:
        super().__init__()
        self._items: tuple[GalleryItem, ...] = ()
        self._pixmaps: dict[Key, QPixmap] = {}

    def show_items(self, items: Sequence[GalleryItem]) -> None:
        """Other items; where those before are the beginning of them, only the rest is new."""
        old, new = self._items, tuple(items)
        same = len(old) <= len(new) and all(a.key == b.key for a, b in zip(old, new, strict=False))
        if not same or not old:
            self.beginResetModel()
            self._items = new
            self._pixmaps.clear()
            self.endResetModel()
            return
        if len(new) > len(old):
            self.beginInsertRows(_INVALID, len(old), len(new) - 1)
            self._items = (*old, *new[len(old) :])
            self.endInsertRows()
        self._items = new
        for row, item in enumerate(old):
            if item is not new[row]:
                self.dataChanged.emit(self.index(row), self.index(row))

    def item(self, row: int) -> GalleryItem:
        """The defect of a row."""
        return self._items[row]

    def rowCount(self, parent: Index = _INVALID) -> int:  # noqa: N802 (Qt's name)
        """Number of defects."""
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What is shown of a defect."""
        item = self._items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return item.caption
        if role == Qt.ItemDataRole.DecorationRole:
            return self._pixmap(item)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(item.text)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return item.text
        return None

    def _pixmap(self, item: GalleryItem) -> QPixmap:
        known = self._pixmaps.get(item.key)
        if known is None:
            if len(self._pixmaps) > _MOST_PIXMAPS:
                self._pixmaps.clear()
            known = QPixmap.fromImage(to_qimage(item.defect.thumbnail)).scaled(
                _PICTURE_PX, _PICTURE_PX, Qt.AspectRatioMode.KeepAspectRatio
            )
            self._pixmaps[item.key] = known
        return known


class GalleryView(QListView):
    """
    Signals:
        end_seen: the last defects are near; others may follow.
    """

    end_seen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.items = GalleryModel()
        self.setModel(self.items)
        self.setAccessibleName("Defects")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setIconSize(QSize(_PICTURE_PX, _PICTURE_PX))
        self.setGridSize(_CELL)
        self.setWordWrap(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(40)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)

    def show_items(self, items: Sequence[GalleryItem]) -> None:
        """Other items; what is chosen stays so where it is still there."""
        self.items.show_items(items)
        if not self.currentIndex().isValid() and items:
            self.setCurrentIndex(self.items.index(0))

    def chosen(self) -> list[GalleryItem]:
        """The selected defects, in their order."""
        return [self.items.item(row) for row in sorted(index.row() for index in self.selectedIndexes())]

    def go_on(self) -> None:
        """After a verdict: only the one behind the last that is selected is chosen, so that the next key is of one."""
        rows = [index.row() for index in self.selectedIndexes()]
        following = min(max(rows, default=-1) + 1, self.items.rowCount() - 1)
        if following >= 0:
            self.setCurrentIndex(self.items.index(following))

    def keyboardSearch(self, _text: str) -> None:  # noqa: N802 (Qt's name)
        """Letters are commands here, no search."""

    def _scrolled(self, value: int) -> None:
        bar = self.verticalScrollBar()
        if value > bar.maximum() - self.viewport().height():
            self.end_seen.emit()
