"""A tile, large, with its labels: zoomed and moved, drawn on by mouse and keyboard. What a hand does is decided in
``label_gestures``.
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

from aoi_app.samples.label_drawing import Labels, Placement, Point, fitted
from aoi_app.samples.label_gestures import Drawn, Gesture, Moved, Pen, Selected
from aoi_app.ui.labels.painter import LabelPainter
from aoi_app.ui.widgets.qimage import to_qimage
from aoi_app.ui.widgets.theme import Theme

_REACH = 6.0  # pixels of the screen within which a label is hit
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_FAR_PX = 10  # of the tile that an arrow key moves with Shift
_ZOOM = 1.25  # of one step of the wheel


class LabelCanvas(QWidget):
    """Shows a tile and announces what was drawn, moved and selected.

    Signals:
        drawn: Label, a new one.
        moved: tuple of Label, all of them after one was moved.
        selected: index of a label, -1 for none.
    """

    drawn = Signal(object)
    moved = Signal(object)
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
        self._gesture = Gesture()
        self._panned_from: QPointF | None = None
        self._space_is_down = False

    @property
    def placement(self) -> Placement:
        """Where the tile lies."""
        return self._placement

    @property
    def is_drawing(self) -> bool:
        """A label has been begun."""
        return self._gesture.draft is not None

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self._painter = LabelPainter(theme)
        self.update()

    def show_tile(self, image: npt.NDArray[np.uint8] | None, text: str = "") -> None:
        """Another tile, (H, W[, 3]); without one the text says why."""
        self._image = None if image is None else to_qimage(image)
        self._text = text
        size = (1, 1) if self._image is None else (self._image.width(), self._image.height())
        self._gesture = self._gesture.on_tile(size)
        self.fit()

    def show_labels(self, labels: Labels, selected: int = -1) -> None:
        """The labels as they are now."""
        self._use(self._gesture.with_labels(labels, selected))

    def set_pen(self, pen: Pen) -> None:
        """What the mouse draws with from now on."""
        is_arrow = pen.tool == "select"
        self.setCursor(Qt.CursorShape.ArrowCursor if is_arrow else Qt.CursorShape.CrossCursor)
        self._use(self._gesture.with_pen(pen))

    def zoom(self, factor: float, at: Point | None = None) -> None:
        """Larger or smaller around a point of the canvas, its middle without one."""
        self._place(self._placement.zoomed(factor, at or (self.width() / 2, self.height() / 2)), is_fitted=False)

    def fit(self) -> None:
        """Shows the whole tile."""
        self._place(fitted(self._gesture.size, (self.width(), self.height())), is_fitted=True)

    def cancel(self) -> bool:
        """Forgets what is being drawn; False when nothing is."""
        was_going_on = self._gesture.is_going_on
        self._use(self._gesture.cancelled())
        return was_going_on

    # --- mouse ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Begins to draw, to move a label, or to pan."""
        is_left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (is_left and self._space_is_down):
            self._panned_from = event.position()
        elif is_left and self._image is not None:
            self._use(*self._gesture.by_mouse().pressed(self._at(event.position()), self._reach_px))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Follows."""
        if self._panned_from is None:
            self._use(self._gesture.by_mouse().followed(self._at(event.position())))
            return
        way = event.position() - self._panned_from
        self._panned_from = event.position()
        self._place(self._placement.panned(way.x(), way.y()), is_fitted=False)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Ends a box, a stroke, a move or a pan."""
        if self._panned_from is not None:
            self._panned_from = None
        elif event.button() == Qt.MouseButton.LeftButton:
            self._use(*self._gesture.released())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 (Qt's name)
        """Closes a polygon."""
        if self._gesture.draft is not None and self._gesture.draft.tool == "polygon":
            self._use(*self._gesture.finished())
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
            far = _FAR_PX if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
            self._use(self._gesture.stepped(_ARROWS[key][0] * far, _ARROWS[key][1] * far))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.is_drawing:
            self._use(*self._gesture.finished())
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802 (Qt's name)
        """A label that the arrows moved is where it shall be; space clicks where the cross is."""
        if event.isAutoRepeat():
            return
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            self._space_is_down = False
            self._use(*self._gesture.clicked(self._reach_px))
        elif key in _ARROWS and self._gesture.held is not None:
            self._use(*self._gesture.released())

    # --- what both do ---------------------------------------------------------------------------------------------

    def _use(self, gesture: Gesture, said: Drawn | Moved | Selected | None = None) -> None:
        """Shows what the gesture is now, then announces what came of it: who hears that shows the labels anew."""
        self._gesture = gesture
        self.update()
        if isinstance(said, Drawn):
            self.drawn.emit(said.label)
        elif isinstance(said, Moved):
            self.moved.emit(said.labels)
        elif isinstance(said, Selected):
            self.selected.emit(said.index)

    def _at(self, where: QPointF) -> Point:
        return self._placement.to_tile((where.x(), where.y()))

    @property
    def _reach_px(self) -> float:
        return _REACH / self._placement.scale

    # --- drawing --------------------------------------------------------------------------------------------------

    def _place(self, placement: Placement, *, is_fitted: bool) -> None:
        self._placement, self._is_fitted = placement, is_fitted
        self.update()

    def resizeEvent(self, _event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """A tile that was shown whole stays so."""
        if self._is_fitted:
            self.fit()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """The tile, its labels, what is being drawn."""
        painter, gesture = QPainter(self), self._gesture
        self._painter.paint_tile(painter, self.rect(), self._image, self._placement, self._text)
        if self._image is None:
            return
        for i, label in enumerate(gesture.labels):
            self._painter.paint_label(painter, label, self._placement, is_selected=i == gesture.selected)
        if gesture.draft is not None:
            self._painter.paint_draft(painter, gesture.draft, self._placement)
        if gesture.cursor is not None:
            radius_px = gesture.pen.radius_px if gesture.pen.tool == "brush" else 0.0
            self._painter.paint_cursor(painter, gesture.cursor, self._placement, radius_px)
