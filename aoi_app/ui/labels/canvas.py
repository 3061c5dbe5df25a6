"""A tile, large, with its labels: zoomed and moved, drawn on by mouse and keyboard. What a click means is decided in
``label_drawing``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from aoi_app.samples.label_drawing import (
    Draft,
    Labels,
    Placement,
    Point,
    Tool,
    begun,
    fitted,
    label_at,
    moved,
    with_label,
)
from aoi_app.ui.labels.painter import LabelPainter
from aoi_app.ui.widgets.qimage import to_qimage
from aoi_app.ui.widgets.theme import Theme
from cras_core.data.samples.labels import Label

_REACH = 6.0  # pixels of the screen within which a label is hit
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_SHIFTED = 10  # pixels of the tile that an arrow key moves with Shift
_ZOOM = 1.25


class LabelCanvas(QWidget):
    """Shows a tile and announces what was drawn, moved and selected.

    Signals:
        drawn: Label, a new one.
        changed: tuple of Label, all of them after one was moved.
        selected: index of a label, -1 for none.
    """

    drawn = Signal(object)
    changed = Signal(object)
    selected = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Tile")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(320, 240)
        self._painter = LabelPainter(theme)
        self._image: QImage | None = None
        self._text = ""
        self._placement = Placement()
        self._is_fitted = True
        self._labels: Labels = ()
        self._selected = -1
        self._tool: Tool = "box"
        self._radius_px = 8.0
        self._code = ""
        self._draft: Draft | None = None
        self._held: tuple[Point, Label] | None = None  # where a label was taken hold of, and what it was then
        self._panned_from: QPointF | None = None
        self._space_is_down = False
        self._cursor: Point | None = None  # of the keyboard, on the tile; the mouse takes it away

    @property
    def placement(self) -> Placement:
        """Where the tile lies."""
        return self._placement

    @property
    def is_drawing(self) -> bool:
        """A label has been begun."""
        return self._draft is not None

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self._painter = LabelPainter(theme)
        self.update()

    def show_tile(self, image: npt.NDArray[np.uint8] | None, text: str = "") -> None:
        """Another tile, (H, W[, 3]); without one the text says why."""
        self._image = None if image is None else to_qimage(image)
        self._text = text
        self._draft = self._held = self._cursor = None
        self.fit()

    def show_labels(self, labels: Labels, selected: int = -1) -> None:
        """The labels as they are now."""
        self._labels, self._held = labels, None
        self._selected = selected if selected < len(labels) else -1
        self.update()

    def set_tool(self, tool: Tool) -> None:
        """What the mouse draws with from now on."""
        self._tool, self._draft, self._held = tool, None, None
        shape = Qt.CursorShape.ArrowCursor if tool == "select" else Qt.CursorShape.CrossCursor
        self.setCursor(shape)
        self.update()

    def set_brush(self, radius_px: float) -> None:
        """How wide the brush is, pixels of the tile."""
        self._radius_px = radius_px
        if self._draft is not None and self._draft.tool == "brush":
            self._draft = Draft("brush", self._draft.points, radius_px)
        self.update()

    def set_code(self, code: str) -> None:
        """The type that new labels have."""
        self._code = code

    def zoom(self, factor: float, at: Point | None = None) -> None:
        """Larger or smaller around a point of the canvas, its middle without one."""
        self._is_fitted = False
        self._placement = self._placement.zoomed(factor, at or (self.width() / 2, self.height() / 2))
        self.update()

    def fit(self) -> None:
        """Shows the whole tile."""
        self._is_fitted = True
        self._placement = fitted(self._size, (self.width(), self.height()))
        self.update()

    def finish(self) -> None:
        """Closes the polygon that is being drawn."""
        if self._draft is not None:
            label, self._draft = self._draft.finished(self._size, self._code), None
            if label is not None:
                self.drawn.emit(label)
            self.update()

    def cancel(self) -> bool:
        """Forgets what is being drawn; False when nothing is."""
        was_drawing = self._draft is not None or self._held is not None
        if self._held is not None:
            self._labels = with_label(self._labels, self._selected, self._held[1])
        self._draft = self._held = None
        self.update()
        return was_drawing

    # --- mouse ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Begins to draw, to move a label, or to pan."""
        self._cursor = None
        is_left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (is_left and self._space_is_down):
            self._panned_from = event.position()
        elif is_left and self._image is not None:
            self._press(self._at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Follows."""
        if self._panned_from is not None:
            way = event.position() - self._panned_from
            self._panned_from = event.position()
            self._is_fitted = False
            self._placement = self._placement.panned(way.x(), way.y())
            self.update()
            return
        self._cursor = None
        self._follow(self._at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Ends a box, a stroke, a move or a pan."""
        if self._panned_from is not None:
            self._panned_from = None
        elif event.button() == Qt.MouseButton.LeftButton:
            self._release()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Closes a polygon."""
        if self._draft is not None and self._draft.tool == "polygon":
            self.finish()
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 (Qt's name)
        """Zooms where the mouse is."""
        where = event.position()
        self.zoom(_ZOOM ** (event.angleDelta().y() / 120), (where.x(), where.y()))

    # --- keyboard -------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """Arrows move the selected label or the cross; Enter closes a polygon; space pans with the mouse."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            self._space_is_down = True
        elif key in _ARROWS and self._image is not None:
            far = _SHIFTED if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._step(_ARROWS[key][0] * far, _ARROWS[key][1] * far)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.is_drawing:
            self.finish()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """A label that the arrows moved is where it shall be; space clicks where the cross is."""
        if event.isAutoRepeat():
            return
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            self._space_is_down = False
            if self._cursor is not None:
                self._click(self._cursor)
        elif key in _ARROWS and self._held is not None:
            self._release()

    def _click(self, at: Point) -> None:
        """What a click of the mouse would do; box and brush end with a second one."""
        if self._draft is not None and self._draft.tool != "polygon":
            self._follow(at)
            self._release()
        else:
            self._press(at)
            if self._held is not None:
                self._release()

    def _step(self, dx: int, dy: int) -> None:
        if self._tool == "select" and self._selected >= 0:
            label = self._labels[self._selected]
            if self._held is None:
                self._held = (0.0, 0.0), label
            self._labels = with_label(self._labels, self._selected, moved(label, dx, dy, self._size))
            self.update()
            return
        width, height = self._size
        x, y = self._cursor or (width // 2, height // 2)
        self._cursor = min(width - 1.0, max(0.0, x + dx)), min(height - 1.0, max(0.0, y + dy))
        self._follow(self._cursor)

    # --- what both do ---------------------------------------------------------------------------------------------

    def _press(self, at: Point) -> None:
        if self._tool == "select":
            hit = label_at(self._labels, at, _REACH / self._placement.scale)
            self._selected = -1 if hit is None else hit
            self.selected.emit(self._selected)  # first: who hears it shows the labels anew
            self._held = None if hit is None else (at, self._labels[hit])
        elif self._draft is not None and self._tool == "polygon":
            self._draft = self._draft.with_corner(at)
        else:
            self._draft = begun(self._tool, at, self._radius_px)
        self.update()

    def _follow(self, at: Point) -> None:
        if self._draft is not None:
            self._draft = self._draft.followed(at)
        elif self._held is not None:
            (x, y), label = self._held
            there = moved(label, at[0] - x, at[1] - y, self._size)
            self._labels = with_label(self._labels, self._selected, there)
        self.update()

    def _release(self) -> None:
        if self._held is not None:
            was, self._held = self._held[1], None
            if self._labels[self._selected] != was:
                self.changed.emit(self._labels)
        elif self._draft is not None and self._draft.tool != "polygon":
            self.finish()

    @property
    def _size(self) -> tuple[int, int]:
        return (1, 1) if self._image is None else (self._image.width(), self._image.height())

    def _at(self, where: QPointF) -> Point:
        return self._placement.to_tile((where.x(), where.y()))

    # --- drawing --------------------------------------------------------------------------------------------------

    def resizeEvent(self, _event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """A tile that was shown whole stays so."""
        if self._is_fitted:
            self.fit()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """The tile, its labels, what is being drawn."""
        painter = QPainter(self)
        self._painter.paint_tile(painter, self.rect(), self._image, self._placement, self._text)
        if self._image is None:
            return
        for i, label in enumerate(self._labels):
            self._painter.paint_label(painter, label, self._placement, is_selected=i == self._selected)
        if self._draft is not None:
            self._painter.paint_draft(painter, self._draft, self._placement)
        if self._cursor is not None:
            radius_px = self._radius_px if self._tool == "brush" else 0.0
            self._painter.paint_cursor(painter, self._cursor, self._placement, radius_px)
