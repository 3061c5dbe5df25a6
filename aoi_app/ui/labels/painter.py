"""How a tile and its labels look; every line has a dark edge, so that it shows on any cloth."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPainterPathStroker, QPen, QPolygonF

from aoi_app.samples.label_drawing import Draft, Placement, Point, corners
from aoi_app.ui.widgets.theme import THEMES, Theme
from cras_core.data.samples.labels import Label, Points

_EDGE = QColor(0, 0, 0, 200)
_COLOR = QColor(THEMES["dark"].accent)  # cloth is as it is in every theme
_SELECTED = QColor(THEMES["dark"].warning)
_HANDLE = 3.5  # half the side of the marks on the corners of the selected label, pixels of the screen


class LabelPainter:
    """Draws with the colours of a theme."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme

    def paint_tile(self, painter: QPainter, room: QRect, image: QImage | None, placement: Placement, text: str) -> None:
        """The picture, or a text where there is none; pixels stay square when they are large."""
        painter.fillRect(room, QColor(self._theme.window))
        if image is None:
            painter.setPen(QColor(self._theme.text))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(room.adjusted(24, 24, -24, -24)), flags, text)
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, placement.scale < 2)
        size = (image.width() * placement.scale, image.height() * placement.scale)
        painter.drawImage(QRectF(placement.left, placement.top, *size), image)

    def paint_label(self, painter: QPainter, label: Label, placement: Placement, *, is_selected: bool) -> None:
        """A label; the selected one is dashed and has marks on its corners."""
        color = _SELECTED if is_selected else _COLOR
        path = _path_of(label, placement)
        self._paint(painter, path, color, is_dashed=is_selected)
        if is_selected:
            painter.setPen(_EDGE)
            painter.setBrush(color)
            for x, y in map(placement.to_screen, _marked(label)):
                painter.drawRect(QRectF(x - _HANDLE, y - _HANDLE, 2 * _HANDLE, 2 * _HANDLE))
        if label.code:
            _write(painter, path.boundingRect(), label.code)

    def paint_draft(self, painter: QPainter, draft: Draft, placement: Placement) -> None:
        """What is being drawn."""
        if draft.tool == "polygon":
            path = QPainterPath()
            path.addPolygon(_polygon(draft.points, placement))
        else:
            label = Label("brush", draft.points, "", draft.radius_px)
            path = _path_of(Label("box", corners(draft.points)) if draft.tool == "box" else label, placement)
        self._paint(painter, path, _SELECTED, is_dashed=False)

    def paint_cursor(self, painter: QPainter, at: Point, placement: Placement, radius_px: float) -> None:
        """The cross of the keyboard, with the brush around it."""
        x, y = placement.to_screen(at)
        for color, width in ((_EDGE, 3), (_SELECTED, 1)):
            painter.setPen(QPen(color, width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawLine(QPointF(x - 14, y), QPointF(x + 14, y))
            painter.drawLine(QPointF(x, y - 14), QPointF(x, y + 14))
            if radius_px:
                painter.drawEllipse(QPointF(x, y), radius_px * placement.scale, radius_px * placement.scale)

    def _paint(self, painter: QPainter, path: QPainterPath, color: QColor, *, is_dashed: bool) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inside = QColor(color)
        inside.setAlpha(45)
        painter.fillPath(path, inside)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(_EDGE, 4))
        painter.drawPath(path)
        style = Qt.PenStyle.DashLine if is_dashed else Qt.PenStyle.SolidLine
        painter.setPen(QPen(color, 2, style))
        painter.drawPath(path)


def _path_of(label: Label, placement: Placement) -> QPainterPath:
    """The outline of the pixels that belong to a label, on the screen."""
    path = QPainterPath()
    if label.outline == "box":
        (left, top), (right, bottom) = corners(label.points)
        begin, end = placement.to_screen((left - 0.5, top - 0.5)), placement.to_screen((right + 0.5, bottom + 0.5))
        path.addRect(QRectF(QPointF(*begin), QPointF(*end)))
    elif label.outline == "polygon":
        path.addPolygon(_polygon(label.points, placement))
        path.closeSubpath()
    else:
        path = _stroke(label.points, max(0.5, label.radius_px) * placement.scale, placement)
    return path


def _stroke(points: Points, radius: float, placement: Placement) -> QPainterPath:
    centre_line = QPainterPath()
    if len(points) == 1:
        centre_line.addEllipse(QPointF(*placement.to_screen(points[0])), radius, radius)
        return centre_line
    centre_line.addPolygon(_polygon(points, placement))
    stroker = QPainterPathStroker()
    stroker.setWidth(2 * radius)
    stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
    stroker.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return stroker.createStroke(centre_line).simplified()


def _polygon(points: Points, placement: Placement) -> QPolygonF:
    return QPolygonF([QPointF(*placement.to_screen(p)) for p in points])


def _marked(label: Label) -> Points:
    """Where the selected label has marks."""
    if label.outline == "box":
        (left, top), (right, bottom) = corners(label.points)
        return (left, top), (right, top), (right, bottom), (left, bottom)
    return label.points if label.outline == "polygon" else (label.points[0], label.points[-1])


def _write(painter: QPainter, beside: QRectF, text: str) -> None:
    box = QRectF(painter.fontMetrics().boundingRect(text)).adjusted(-4, -2, 4, 2)
    box.moveBottomLeft(beside.topLeft() + QPointF(0, -3))
    if box.top() < 0:
        box.moveTopLeft(beside.bottomLeft() + QPointF(0, 3))
    painter.fillRect(box, _EDGE)
    painter.setPen(Qt.GlobalColor.white)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
