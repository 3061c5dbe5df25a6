"""How one sample is drawn in the grid."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from aoi_app.samples.state import is_suspicious
from aoi_app.samples.wording import caption
from aoi_app.ui.samples.sample_model import IS_BROKEN, IS_UNSAVED, SAMPLE
from aoi_app.ui.widgets.theme import Theme
from cras_core.data.samples.values import Sample

Index = QModelIndex | QPersistentModelIndex

THUMBNAIL_PX = 120
CELL = QSize(THUMBNAIL_PX + 14, THUMBNAIL_PX + 32)
_TEXT_PX = 18


class SampleCell(QStyledItemDelegate):
    """Draws one sample. Marks differ by shape and word, not by colour alone."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:  # noqa: N802 (Qt's name)
        """The same for all."""
        return CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """The picture, its marks, and a line of text below."""
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
        self._write(painter, rect, sample, state, is_unsaved=bool(index.data(IS_UNSAVED)))
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
        self, painter: QPainter, rect: QRect, sample: Sample, state: QStyle.StateFlag, *, is_unsaved: bool
    ) -> None:
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.setPen(QColor("#ffffff" if is_selected else self.theme.text))
        line = QRect(rect.left() + 4, rect.bottom() - _TEXT_PX, rect.width() - 8, _TEXT_PX)
        text = painter.fontMetrics().elidedText(
            caption(sample, is_unsaved=is_unsaved), Qt.TextElideMode.ElideRight, line.width()
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)
