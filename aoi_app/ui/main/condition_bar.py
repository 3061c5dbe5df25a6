"""The one word of the line above every page, in word, shape and colour, to be read from five metres."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPolygonF, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from aoi_app.alarms.condition import Condition, LineStatus
from aoi_app.alarms.roll_worth import RollWorth
from aoi_app.ui.widgets.plain import PlainLabel, set_plain_tip
from aoi_app.ui.widgets.theme import Theme

_SIGN_PX = 30
_MARGIN_PX = 4
_MOST_LINES = 3
_KINDS = {
    Condition.INSPECTING: "good",
    Condition.RESERVE: "reserve",
    Condition.NOT_INSPECTING: "bad",
    Condition.PAUSED: "paused",
    Condition.ENDING: "none",
    Condition.NO_ROLL: "none",
}
"""How the style sheet calls a condition; green, yellow and red as in IEC 60073, the others neutral."""


class ConditionBar(QFrame):
    """Green is never said by colour alone: each condition has its word and its shape."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("condition")
        self.told = ""
        """The cause that is shown; empty where none is."""
        self._whole = ""  # the words, also those that there is no room for
        self._sign = _Sign()
        self._word = PlainLabel()
        self._word.setObjectName("condition_word")
        self._word.setAccessibleName("Condition of the line")
        self._text = PlainLabel()
        self._text.setObjectName("condition_text")
        self._text.setAccessibleName("Why")
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, _MARGIN_PX, 12, _MARGIN_PX)
        row.setSpacing(12)
        row.addWidget(self._sign)
        row.addWidget(self._word)
        row.addWidget(self._text, 1)
        self.show_status(LineStatus())

    def show_status(self, status: LineStatus) -> None:
        """Shows what holds at this moment."""
        self.told = status.text
        more = len(status.causes) - 1
        self._show(
            status.condition.value,
            _KINDS[status.condition],
            f"{status.text} (and {more} more)" if more > 0 else status.text,
            "\n".join(cause.text for cause in status.causes),
        )

    def set_theme(self, theme: Theme) -> None:
        """Colours the sign, which is drawn."""
        on = {"good": theme.on_condition, "reserve": theme.on_condition, "bad": theme.on_alarm}
        self._sign.set_colours(on, theme.text)

    def show_loading(self) -> None:
        """No roll can begin before the model is there; the next status or worth takes it away."""
        self.told = ""
        self._show(Condition.NO_ROLL.value, _KINDS[Condition.NO_ROLL], "loading the model …", "")

    def show_worth(self, roll_id: int, worth: RollWorth, defects: int) -> None:
        """A roll is over: what it was worth, in the colour of the worst of it."""
        self.told = ""
        kind = "bad" if worth.is_missed else "reserve" if worth.has_reserve else "none"
        found = "1 defect" if defects == 1 else f"{defects} defects"
        self._show("roll ended", kind, f"Roll {roll_id}: {worth.text}; {found}.", "")

    def _show(self, word: str, kind: str, text: str, tip: str) -> None:
        if self.property("kind") != kind:
            self.setProperty("kind", kind)
            for widget in (self, self._word, self._text):
                widget.style().unpolish(widget)
                widget.style().polish(widget)
            self._sign.show_kind(kind)
        if self._word.text() != word.upper():
            self._word.setText(word.upper())
        self._whole = text
        self._fit_text()
        set_plain_tip(self, tip)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 (Qt's name)
        """Another width has room for more or less of the words."""
        super().resizeEvent(event)
        self._fit_text()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """As high as it will ever be: a bar that grew with its words would move the buttons below it."""
        super().showEvent(event)
        self.setFixedHeight(_MOST_LINES * self._text.fontMetrics().lineSpacing() + 2 * _MARGIN_PX)
        self._fit_text()

    def _fit_text(self) -> None:
        """As many words as there is room for; the tip and the list of alarms have all of them."""
        text = fitting(self._whole, self._has_room_for) if self.isVisible() else self._whole
        if self._text.text() != text:  # a text that is selected to be copied stays so
            self._text.setText(text)

    def _has_room_for(self, text: str) -> bool:
        metrics = self._text.fontMetrics()
        flags = Qt.TextFlag.TextWordWrap.value
        needed = metrics.boundingRect(QRect(0, 0, max(1, self._text.width()), 10_000), flags, text)
        return needed.height() <= _MOST_LINES * metrics.lineSpacing()


def fitting(text: str, has_room: Callable[[str], bool]) -> str:
    """The text, or as many of its first words as there is room for, with dots behind them."""
    if has_room(text):
        return text
    words = text.split(" ")
    first, end = 0, len(words)  # so many fit, so many do not
    while end - first > 1:
        middle = (first + end) // 2
        first, end = (middle, end) if has_room(" ".join(words[:middle]) + " …") else (first, middle)
    return " ".join(words[:first]) + " …"


class _Sign(QWidget):
    """A disc, a triangle, a square, two bars, or a ring."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(_SIGN_PX, _SIGN_PX)
        self._kind = ""
        self._colours: dict[str, str] = {}
        self._other = "#808080"

    def set_colours(self, colours: dict[str, str], other: str) -> None:
        """As #rrggbb, by kind; ``other`` for kinds that are not named."""
        self._colours, self._other = colours, other
        self.update()

    def show_kind(self, kind: str) -> None:
        self._kind = kind
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(self._colours.get(self._kind, self._other))
        painter.setBrush(color)
        painter.setPen(Qt.PenStyle.NoPen)
        side = float(_SIGN_PX)
        inside = QRectF(3, 3, side - 6, side - 6)
        match self._kind:
            case "good":
                painter.drawEllipse(inside)
            case "reserve":
                painter.drawPolygon(
                    QPolygonF([QPointF(side / 2, 2), QPointF(side - 2, side - 3), QPointF(2, side - 3)])
                )
            case "bad":
                painter.drawRect(inside)
            case "paused":
                painter.drawRect(QRectF(5, 3, 7, side - 6))
                painter.drawRect(QRectF(side - 12, 3, 7, side - 6))
            case _:
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(color)
                painter.drawEllipse(inside)
        painter.end()
