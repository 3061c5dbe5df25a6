"""Defects on the map of a roll, drawn so that a hundred thousand of them can be moved about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

_Indices = npt.NDArray[np.intp]
_Doubles = npt.NDArray[np.float64]  # float32 has too few digits for millimetres on a long roll

LEAST_PX = 5
"""On the screen a defect is at least so large, however small it is on the roll."""

SEVERITIES = ("#8b98a5", "#f2d04b", "#f5a13d", "#ef6a3a", "#d9308a")
"""Colours of 0 to 4 points, from harmless to grave; more points look like 4."""

_REJECTED = "#56616d"
_COLOURS = (_REJECTED, *SEVERITIES)
_PALETTE = np.array([0xFF000000 | int(colour[1:], 16) for colour in _COLOURS], np.uint32)
_CHOSEN = QColor(0, 230, 255)
_MOST_EXACT = 3000
"""So many marks are drawn exactly; more lie so close that cells tell the same."""


@dataclass(frozen=True, slots=True)
class MapMark:
    """A defect on the map.

    Attributes:
        number: of the defect.
        start_m, end_m: along the roll.
        left_mm, right_mm: across, from the left edge of the cloth.
        points: of the grade, which colour it.
        is_rejected: a person said that it is none.
        text: what is said of it under the mouse.
    """

    number: int
    start_m: float
    end_m: float
    left_mm: float
    right_mm: float
    points: int
    is_rejected: bool
    text: str


class DefectLayer(QGraphicsItem):
    """All marks in one item. Where there are more than can be told apart, small ones become the cells of a coarse
    picture, each as grave as the gravest that lies there: the time depends on the screen and hardly on the roll.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)  # for the rectangle that is exposed
        self.marks: tuple[MapMark, ...] = ()
        self._boxes: _Doubles = np.zeros((0, 4))  # (N, 4): start m, left mm, end m, right mm; the gravest last
        self._ranks: _Indices = np.zeros(0, np.intp)  # (N,): of their colours
        self._bounds = QRectF()
        self._chosen: MapMark | None = None

    def set_marks(self, marks: Sequence[MapMark]) -> None:
        """Other defects."""
        self.prepareGeometryChange()
        ranks = np.array([_rank(mark) for mark in marks], np.intp)
        order = np.argsort(ranks, kind="stable")
        boxes = np.array([(m.start_m, m.left_mm, m.end_m, m.right_mm) for m in marks], np.float64).reshape(-1, 4)
        self.marks = tuple(marks[int(i)] for i in order)
        self._boxes, self._ranks = boxes[order], ranks[order]
        self._bounds = _bounds_of(self._boxes)
        if self._chosen is not None:
            self.choose(self._chosen.number)
        self.update()

    def choose(self, number: int) -> MapMark | None:
        """Puts a ring around a defect; None where it is not on the map."""
        self._chosen = next((mark for mark in self.marks if mark.number == number), None)
        self.update()
        return self._chosen

    def nearest(self, along_m: float, across_mm: float, reach_m: float, reach_mm: float) -> MapMark | None:
        """The defect under a place, or the nearest within reach of it."""
        if not len(self._boxes):
            return None
        start, left, end, right = self._boxes.T
        along = np.maximum(0.0, np.maximum(start - along_m, along_m - end)) / reach_m
        across = np.maximum(0.0, np.maximum(left - across_mm, across_mm - right)) / reach_mm
        distances = np.hypot(along, across)
        index = int(distances.argmin())
        return self.marks[index] if distances[index] <= 1.0 else None

    def boundingRect(self) -> QRectF:  # noqa: N802 (Qt's name)
        """All defects, with room for those that are smaller than a mark."""
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        """Draws what can be seen."""
        transform = painter.worldTransform()
        shown: QRectF = option.exposedRect
        start, left, end, right = self._boxes.T
        seen = (end >= shown.left()) & (start <= shown.right()) & (right >= shown.top()) & (left <= shown.bottom())
        boxes, ranks = self._boxes[seen], self._ranks[seen]
        scale, shift = (transform.m11(), transform.m22()), (transform.dx(), transform.dy())
        begin = boxes[:, :2] * scale + shift
        size = np.maximum((boxes[:, 2:] - boxes[:, :2]) * scale, LEAST_PX)
        painter.save()
        painter.resetTransform()
        painter.setPen(Qt.PenStyle.NoPen)
        if len(boxes) > _MOST_EXACT:
            is_small = (size <= 2 * LEAST_PX).all(axis=1)
            _draw_cells(painter, begin[is_small] + size[is_small] / 2, ranks[is_small])
            begin, size, ranks = begin[~is_small], size[~is_small], ranks[~is_small]
        for rank in np.unique(ranks):  # grave ones are drawn last and lie above
            painter.setBrush(QColor(_COLOURS[int(rank)]))
            of_rank = np.hstack([begin, size])[ranks == rank]
            painter.drawRects([QRectF(*rect) for rect in of_rank.tolist()])
        if self._chosen is not None:
            chosen = self._chosen
            place = transform.map(QPointF((chosen.start_m + chosen.end_m) / 2, (chosen.left_mm + chosen.right_mm) / 2))
            painter.setPen(QPen(_CHOSEN, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(place, 2.0 * LEAST_PX, 2.0 * LEAST_PX)
        painter.restore()


def _bounds_of(boxes: _Doubles) -> QRectF:
    if not len(boxes):
        return QRectF()
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    # Marks have a least size on the screen: whatever the scale, a border of half of all is enough for that.
    rim = np.maximum(high - low, 1.0)
    return QRectF(*(low - rim / 2), *(high - low + rim))


def _draw_cells(painter: QPainter, places: _Doubles, ranks: _Indices) -> None:
    """Marks as cells of a picture.

    Args:
        painter: in pixels.
        places: (N, 2) float64 middles, x and y in pixels; the gravest last.
        ranks: (N,) of their colours.
    """
    if not len(places):
        return
    cells = np.floor_divide(places, LEAST_PX).astype(np.int64)
    first = cells.min(axis=0)
    columns, rows = cells.max(axis=0) - first + 1
    picture = np.zeros((rows, columns), np.uint32)
    x, y = (cells - first).T
    picture[y, x] = _PALETTE[ranks]  # of several in one cell the last one stays, the gravest
    image = QImage(picture.tobytes(), int(columns), int(rows), 4 * int(columns), QImage.Format.Format_ARGB32)
    left, top, width, height = (float(cell * LEAST_PX) for cell in (*first, columns, rows))
    target = QRectF(left, top, width, height)
    painter.drawImage(target, image)


def _rank(mark: MapMark) -> int:
    """Index of its colour."""
    return 0 if mark.is_rejected else 1 + min(mark.points, len(SEVERITIES) - 1)
