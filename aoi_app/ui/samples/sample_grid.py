"""The samples of a fabric as a grid of small pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from aoi_app.samples.state import is_suspicious
from aoi_app.samples.thumbnails import Thumbnails
from aoi_app.ui.samples.sample_model import IS_BROKEN, NOT_KEPT, SAMPLE, SampleModel
from aoi_app.ui.widgets.theme import Theme
from cras_core.data.samples.values import Sample

Index = QModelIndex | QPersistentModelIndex

THUMBNAIL_PX = 120
_CELL = QSize(THUMBNAIL_PX + 14, THUMBNAIL_PX + 32)
_TEXT_PX = 18
_AHEAD = 2  # screens that are read before they are seen


class SampleGrid(QListView):
    """Shows samples and announces what the person does with the selected ones.

    Signals:
        thrown_out, kept: the selected samples shall be so.
        opened: id of a sample.
    """

    thrown_out = Signal()
    kept = Signal()
    opened = Signal(str)

    def __init__(self, thumbnails: Thumbnails, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.samples = SampleModel()
        self._thumbnails = thumbnails
        self._drawn = _Cell(theme)
        self._hint = ""
        self.setModel(self.samples)
        self.setItemDelegate(self._drawn)
        self.setAccessibleName("Samples")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setGridSize(_CELL)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(40)
        self.activated.connect(lambda index: self.opened.emit(index.data(SAMPLE).id))

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self._drawn.theme = theme
        self.viewport().update()

    def say(self, hint: str) -> None:
        """What to do while there is nothing to show."""
        if hint != self._hint:
            self._hint = hint
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """The samples, or the hint where there are none."""
        super().paintEvent(event)
        if not self.samples.rowCount():
            painter = QPainter(self.viewport())
            painter.setPen(QColor(self._drawn.theme.faint))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.viewport().rect().adjusted(40, 40, -40, -40), flags, self._hint)

    def tick(self) -> None:
        """Takes thumbnails that are ready and asks for those that are seen."""
        ready = self._thumbnails.take()
        if ready:
            self.samples.take_thumbnails(ready)
        self._thumbnails.want(self.samples.wanted(self._seen_rows()))

    def show_samples(self, samples: Sequence[Sample], folder: Path | None, not_kept: Mapping[str, str]) -> None:
        """Other samples, in this order; what was selected stays so, and something always is."""
        names, current = [s.id for s in self.selected()], self.currentIndex()
        row, name = (current.row(), current.data(SAMPLE).id) if current.isValid() else (0, "")
        self.samples.show_samples(samples, folder, not_kept)
        rows = [r for r in map(self.samples.row_of, names) if r >= 0]
        if [s.id for s in self.selected()] == [self.samples.sample(r).id for r in sorted(rows)] != []:
            return
        there = self.samples.row_of(name)
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
            self.setCurrentIndex(self.samples.index(row))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """X and Delete throw out, K keeps, Enter opens."""
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain and event.key() in (Qt.Key.Key_X, Qt.Key.Key_Delete):
            self.thrown_out.emit()
        elif plain and event.key() == Qt.Key.Key_K:
            self.kept.emit()
        elif plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.opened.emit(self.currentIndex().data(SAMPLE).id)
        else:
            super().keyPressEvent(event)

    def keyboardSearch(self, _text: str) -> None:  # noqa: N802 (Qt's name)
        """Letters are commands here, no search."""

    def _seen_rows(self) -> list[int]:
        across = max(1, self.viewport().width() // _CELL.width())
        first = self.verticalScrollBar().value() // _CELL.height() * across
        on_screen = (self.viewport().height() // _CELL.height() + 2) * across
        return list(range(first, min(self.samples.rowCount(), first + _AHEAD * on_screen)))


class _Cell(QStyledItemDelegate):
    """Draws one sample. Marks differ by shape and word, not by colour alone."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:  # noqa: N802 (Qt's name)
        return _CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        sample: Sample = index.data(SAMPLE)
        rect: QRect = option.rect.adjusted(3, 3, -3, -3)
        state = option.state
        room = QRect(rect.left(), rect.top(), rect.width(), rect.height() - _TEXT_PX)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(self.theme.accent))
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        is_out = sample.choice == "thrown out"
        if isinstance(pixmap, QPixmap):
            self._picture(painter, room, pixmap, is_out=is_out)
        else:
            painter.setPen(QColor(self.theme.faint))
            text = "cannot be read" if index.data(IS_BROKEN) else "…"
            painter.drawRect(room.adjusted(8, 8, -8, -8))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, text)
        if is_suspicious(sample):
            self._warn(painter, room)
        self._write(painter, rect, sample, state, is_not_kept=bool(index.data(NOT_KEPT)))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(self.theme.text), 2, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect)
        painter.restore()

    def _picture(self, painter: QPainter, room: QRect, pixmap: QPixmap, *, is_out: bool) -> None:
        size = pixmap.size().scaled(THUMBNAIL_PX, THUMBNAIL_PX, Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, size.width(), size.height())
        place.moveCenter(room.center())
        painter.setOpacity(0.3 if is_out else 1.0)
        painter.drawPixmap(place, pixmap)
        painter.setOpacity(1.0)
        if is_out:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self.theme.text), 2))
            painter.drawLine(place.topLeft(), place.bottomRight())
            painter.drawLine(place.bottomLeft(), place.topRight())

    def _warn(self, painter: QPainter, room: QRect) -> None:
        """A triangle with an exclamation mark, and a double frame."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(self.theme.warning), 3))
        painter.drawRect(room.adjusted(4, 4, -4, -4))
        x, y = room.left() + 8, room.top() + 8
        painter.setPen(QPen(QColor("#000000"), 1.5))
        painter.setBrush(QColor(self.theme.warning))
        painter.drawPolygon(QPolygonF([QPointF(x, y + 22), QPointF(x + 13, y), QPointF(x + 26, y + 22)]))
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        is_light = QColor(self.theme.warning).lightnessF() > 0.45
        painter.setPen(QColor("#000000" if is_light else "#ffffff"))
        painter.drawText(QRectF(x, y + 5, 26, 18), Qt.AlignmentFlag.AlignCenter, "!")
        font.setBold(False)
        painter.setFont(font)

    def _write(
        self, painter: QPainter, rect: QRect, sample: Sample, state: QStyle.StateFlag, *, is_not_kept: bool
    ) -> None:
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.setPen(QColor("#ffffff" if is_selected else self.theme.text))
        line = QRect(rect.left() + 4, rect.bottom() - _TEXT_PX, rect.width() - 8, _TEXT_PX)
        text = painter.fontMetrics().elidedText(caption(sample, is_not_kept), Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)


def caption(sample: Sample, is_not_kept: bool = False) -> str:
    """The line under a sample: what matters most of it."""
    if is_not_kept:
        return "NOT ON DISK"
    if sample.choice == "thrown out":
        return "thrown out"
    if sample.labels:
        codes = sorted({label.code for label in sample.labels if label.code})
        return "■ " + (", ".join(codes) or f"defect ({len(sample.labels)})")
    if is_suspicious(sample):
        return f"suspicion {sample.suspicion:.1f}"
    return f"{sample.position_m:.2f} m · {sample.position_mm:.0f} mm"
