"""How much of a fabric its samples show, in numbers and as a small drawing."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from aoi_app.ui.widgets.plain import PlainLabel, plain_label
from aoi_app.ui.widgets.theme import Theme
from cras_core.data.samples.coverage import Coverage

_WIDTH_PX = 250


class CoveragePanel(QWidget):
    """Shows a ``Coverage``."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(_WIDTH_PX)
        self._answer = plain_label("Whether the samples are enough", wraps=True)
        self._values = {name: _value(name) for name in ("good tiles", "rolls or files", "length", "area", "brightness")}
        self._across = _Across(theme)
        self._light = _Light(theme)
        form = QFormLayout()
        for name, label in self._values.items():
            form.addRow(name, label)
        column = QVBoxLayout(self)
        for widget in (_title("Enough samples?"), self._answer):
            column.addWidget(widget)
        column.addLayout(form)
        for caption, drawing in (
            ("tiles across the web, left to right", self._across),
            ("brightness, from 0 to 255", self._light),
        ):
            column.addWidget(_caption(caption))
            column.addWidget(drawing)
        column.addStretch(1)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        for drawing in (self._across, self._light):
            drawing.theme = theme
            drawing.update()

    def show_coverage(self, c: Coverage | None) -> None:
        """Draws it; None while there is no fabric."""
        texts = dict.fromkeys(self._values, "–")
        if c is not None and c.tiles:
            texts = {
                "good tiles": str(c.tiles),
                "rolls or files": str(c.webs),
                "length": f"{c.web_m:.2f} m",
                "area": f"{c.area_m2:.2f} m²",
                "brightness": f"{c.darkest:.0f} to {c.brightest:.0f}",
            }
        for name, text in texts.items():
            self._values[name].setText(text)
        self._answer.setText(c.answer if c is not None else "Create a fabric and add pictures of defect-free cloth.")
        self._across.show_coverage(c)
        self._light.show_coverage(c)


class _Drawing(QWidget):
    """A small drawing of a coverage."""

    def __init__(self, theme: Theme, name: str, height_px: int) -> None:
        super().__init__()
        self.theme = theme
        self._coverage: Coverage | None = None
        self.setAccessibleName(name)
        self.setFixedHeight(height_px)

    def show_coverage(self, c: Coverage | None) -> None:
        self._coverage = c
        if c is not None:
            self.setAccessibleDescription(self._words(c))
        self.update()

    def _words(self, _c: Coverage) -> str:
        return ""


class _Across(_Drawing):
    """A bar for each part of the width; a part without samples is crossed out."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Tiles across the web", 90)

    def _words(self, c: Coverage) -> str:
        return f"from left to right: {', '.join(map(str, c.fifths))}"

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = QPainter(self)
        fifths = self._coverage.fifths if self._coverage is not None else (0,) * 5
        most, step = max(1, *fifths), self.width() / len(fifths)
        text_px = painter.fontMetrics().height()
        for i, n in enumerate(fifths):
            room = QRectF(i * step + 2, 2, step - 4, self.height() - text_px - 6)
            painter.setPen(QPen(QColor(self.theme.line), 1))
            painter.drawRect(room)
            if n:
                height = room.height() * n / most
                bar = QRectF(room.left(), room.bottom() - height, room.width(), height)
                painter.fillRect(bar, QColor(self.theme.accent))
            else:
                painter.drawLine(room.topLeft(), room.bottomRight())
                painter.drawLine(room.bottomLeft(), room.topRight())
            painter.setPen(QColor(self.theme.text))
            below = QRectF(i * step, self.height() - text_px - 2, step, text_px + 2)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, str(n))


class _Light(_Drawing):
    """From the darkest to the brightest tile on a scale from black to white."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "Brightness of the tiles", 26)

    def _words(self, c: Coverage) -> str:
        return f"from {c.darkest:.0f} to {c.brightest:.0f} of 255"

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = QPainter(self)
        room = QRectF(2, 8, self.width() - 4, 10)
        painter.setPen(QColor(self.theme.line))
        painter.drawRect(room)
        c = self._coverage
        if c is not None and c.tiles:
            left, right = (room.left() + room.width() * v / 255 for v in (c.darkest, c.brightest))
            painter.fillRect(QRectF(left, 4, max(3.0, right - left), 18), QColor(self.theme.accent))


def _value(name: str) -> QLabel:
    label = PlainLabel("–")
    label.setAccessibleName(name)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _title(text: str) -> QLabel:
    label = PlainLabel(text)
    label.setStyleSheet("font-weight: 600")
    return label


def _caption(text: str) -> QLabel:
    label = PlainLabel(text)
    label.setObjectName("caption")
    return label
