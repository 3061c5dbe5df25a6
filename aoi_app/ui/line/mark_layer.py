"""Boxes around defects on the cloth, with their scores."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QTransform
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from aoi_app.inspection.overlay import Mark
from aoi_app.ui.line.label_places import Box, place_labels

MARK_COLOR = QColor(0, 230, 255)
_BEHIND_LABEL = QColor(0, 0, 0, 170)
_MOST_LABELS = 40
_LABEL_PX = 300  # of cloth: so far a label may reach beyond its box


class MarkLayer(QGraphicsItem):
    """All boxes in one item: a thousand of them cost no more than painting them."""

    def __init__(self, view: pg.ViewBox) -> None:
        """``view``: that the item lies in."""
        super().__init__()
        self._view = view
        self._marks: list[Mark] = []
        self._bounds = QRectF()
        self._pointer: tuple[float, float] | None = None

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Other boxes, in the place of those before."""
        self.prepareGeometryChange()
        self._marks = list(marks)
        self._update_bounds()
        self.update()

    def point_at(self, line: float, x_px: float) -> None:
        """Draws a ring around a place: line of the roll and column, px."""
        self.prepareGeometryChange()
        self._pointer = (line, x_px)
        self._update_bounds()
        self.update()

    def boundingRect(self) -> QRectF:  # noqa: N802 (Qt's name)
        """All that is drawn, in lines and pixels."""
        return self._bounds

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Boxes, ring and labels; the labels of the strongest, where there is room."""
        pen = QPen(MARK_COLOR, 2)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        transform = painter.worldTransform()
        for m in self._marks:
            painter.drawRect(_rect_of(m))
        if self._pointer is not None:
            pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            line, x = self._pointer
            painter.drawEllipse(QPointF(x, line), 60, 60)
        painter.resetTransform()
        font = QFont()
        font.setPixelSize(13)
        font.setBold(True)
        painter.setFont(font)
        strongest = sorted(self._marks, key=lambda m: -m.peak)[:_MOST_LABELS]
        texts = [f"{m.peak:.1f}" for m in strongest]
        boxes = [_on_screen(transform.mapRect(_rect_of(m))) for m in strongest]
        metrics = QFontMetricsF(font)
        widths = [metrics.horizontalAdvance(text) + 6 for text in texts]
        for k, place in place_labels(boxes, widths, metrics.height(), self._view_on_screen(transform)):
            label = QRectF(place.left, place.top, place.right - place.left, place.bottom - place.top)
            painter.fillRect(label, _BEHIND_LABEL)
            painter.setPen(QPen(MARK_COLOR))
            painter.drawText(label, Qt.AlignmentFlag.AlignCenter, texts[k])

    def _view_on_screen(self, transform: QTransform) -> Box:
        """Where the web is seen; beyond it lie the scales."""
        return _on_screen(transform.mapRect(self._view.viewRect()))

    def _update_bounds(self) -> None:
        bounds = QRectF()
        for m in self._marks:
            bounds = bounds.united(_rect_of(m).adjusted(-_LABEL_PX, -_LABEL_PX, _LABEL_PX, _LABEL_PX))
        if self._pointer is not None:
            bounds = bounds.united(QRectF(self._pointer[1] - 70, self._pointer[0] - 70, 140, 140))
        self._bounds = bounds


def _rect_of(mark: Mark) -> QRectF:
    """The box that is drawn, a little larger than what it marks."""
    return QRectF(
        mark.left_px - 8, mark.first_line - 8, mark.right_px - mark.left_px + 16, mark.end_line - mark.first_line + 16
    )


def _on_screen(rect: QRectF) -> Box:
    return Box(rect.left(), rect.top(), rect.right(), rect.bottom())
