"""The samples of a fabric as a grid of small pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from aoi_app.ui.samples.sample_cell import CELL, SampleCell
from aoi_app.ui.samples.sample_model import SAMPLE, SampleModel
from aoi_app.ui.widgets.theme import Theme
from cras_core.arrays import Image
from cras_core.data.samples.values import Sample

_AHEAD = 2  # screens that are read before they are seen


class SampleGrid(QListView):
    """Shows samples and announces what the person does with the selected ones.

    Signals:
        throw_out_asked, keep_asked: about the selected samples.
        opened: id of a sample.
        thumbnails_wanted: list of Path; the pictures that are seen and have no thumbnail yet, instead of those before.
    """

    throw_out_asked = Signal()
    keep_asked = Signal()
    opened = Signal(str)
    thumbnails_wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.samples = SampleModel()
        self._cell = SampleCell(theme)
        self._hint = ""
        self.setModel(self.samples)
        self.setItemDelegate(self._cell)
        self.setAccessibleName("Samples")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setGridSize(CELL)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(40)
        self.verticalScrollBar().valueChanged.connect(self._want_thumbnails)
        self.activated.connect(lambda index: self.opened.emit(index.data(SAMPLE).id))

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self._cell.theme = theme
        self.viewport().update()

    def show_hint(self, hint: str) -> None:
        """What to do while there is nothing to show."""
        if hint != self._hint:
            self._hint = hint
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """The samples, or the hint where there are none."""
        super().paintEvent(event)
        if not self.samples.rowCount():
            painter = QPainter(self.viewport())
            painter.setPen(QColor(self._cell.theme.faint))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(40, 40, -40, -40), flags, self._hint)

    def show_thumbnails(self, ready: Mapping[Path, Image | None]) -> None:
        """Thumbnails that were read, (h, w[, 3]); None for a picture that cannot be read."""
        self.samples.take_thumbnails(ready)
        self._want_thumbnails()  # the model forgets those that were scrolled past long ago

    def show_samples(self, samples: Sequence[Sample], folder: Path | None, unsaved: Mapping[str, str]) -> None:
        """Other samples, in this order; what was selected stays so, and something always is.

        Args:
            samples: of one fabric.
            folder: of their pictures.
            unsaved: why the last change of a sample is not on disk, by its id.
        """
        ids, current = [s.id for s in self.selected()], self.currentIndex()
        row, sample_id = (current.row(), current.data(SAMPLE).id) if current.isValid() else (0, "")
        self.samples.show_samples(samples, folder, unsaved)
        self._want_thumbnails()
        rows = [r for r in map(self.samples.row_of, ids) if r >= 0]
        if [s.id for s in self.selected()] == [self.samples.sample(r).id for r in sorted(rows)] != []:
            return
        there = self.samples.row_of(sample_id)
        self.select_row(there if there >= 0 else min(row, self.samples.rowCount() - 1))
        for r in rows:
            self.selectionModel().select(self.samples.index(r), QItemSelectionModel.SelectionFlag.Select)

    def selected(self) -> list[Sample]:
        """The selected samples, in their order."""
        rows = sorted(i.row() for i in self.selectedIndexes())
        return [self.samples.sample(r) for r in rows]

    def select_row(self, row: int) -> None:
        """Makes a row the only selected one."""
        if 0 <= row < self.samples.rowCount():
            # setCurrentIndex would add to the selection while somebody holds Ctrl, as for Ctrl+Z
            only = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().setCurrentIndex(self.samples.index(row), only)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """X and Delete throw out, K keeps, Enter opens."""
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain and event.key() in (Qt.Key.Key_X, Qt.Key.Key_Delete):
            self.throw_out_asked.emit()
        elif plain and event.key() == Qt.Key.Key_K:
            self.keep_asked.emit()
        elif plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().data(SAMPLE).id)
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, _text: str) -> None:  # noqa: N802 (Qt's name)
        """Letters are commands here, no search."""

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """More, or less, is seen."""
        super().resizeEvent(event)
        self._want_thumbnails()

    def _want_thumbnails(self) -> None:
        self.thumbnails_wanted.emit(self.samples.wanted(self._seen_rows()))

    def _seen_rows(self) -> list[int]:
        across = max(1, self.viewport().width() // CELL.width())
        first = self.verticalScrollBar().value() // CELL.height() * across
        on_screen = (self.viewport().height() // CELL.height() + 2) * across
        return list(range(first, min(self.samples.rowCount(), first + _AHEAD * on_screen)))
