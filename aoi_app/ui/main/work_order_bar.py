"""The work order of a roll, above the page, so that the cloth stays in sight while it is typed or scanned."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from aoi_app.settings.work_order import HEAVIEST_GSM, LONGEST_TEXT, NO_ORDER, WIDEST_MM, WorkOrder
from aoi_app.ui.widgets.plain import PlainLabel

_TEXTS = (
    ("roll_number", "Roll number", "What is on the label of this roll"),
    ("order_number", "Order", "The order that the roll belongs to"),
    ("article", "Article", "The style that is woven"),
    ("lot", "Lot", "Of the yarn or the dyeing"),
    ("loom", "Loom", "The machine that wove the roll"),
    ("operator", "Operator", "Who watches the line"),
)
_NUMBERS = (
    ("nominal_width_mm", "Width", " mm", WIDEST_MM, "Width as ordered; 0 leaves it open"),
    ("gsm", "Weight", " g/m²", HEAVIEST_GSM, "Weight as ordered; 0 leaves it open"),
)
_COLUMNS = 4
_START = "Start the roll"


class WorkOrderBar(QFrame):
    """Hidden until it is asked for. Enter goes on to the next field, as scanners send it, and from the last one to the
    button; Esc closes it.

    Signals:
        number_typed: the roll number, at every change.
        kept: WorkOrder, and whether the roll is to begin with it.
        closed: nothing is to change.
    """

    number_typed = Signal(str)
    kept = Signal(object, bool)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("work_order")
        self._begins_roll = True
        self._texts = {name: _line_edit(caption, tip) for name, caption, tip in _TEXTS}
        self._numbers = {name: _number(caption, suffix, most, tip) for name, caption, suffix, most, tip in _NUMBERS}
        self._fields: tuple[QLineEdit | QDoubleSpinBox, ...] = (*self._texts.values(), *self._numbers.values())
        self._note = PlainLabel()
        self._note.setWordWrap(True)
        self._note.setAccessibleName("About the roll number")
        self._keep = QPushButton(_START)
        self._keep.setToolTip("Record the order as it stands here")
        self._close = QPushButton("Close")
        self._close.setToolTip("Leave the order as it was (Esc)")
        self._keep.clicked.connect(self._announce)
        self._close.clicked.connect(self.closed)
        self._texts["roll_number"].textChanged.connect(self.number_typed)
        for field in self._fields:
            field.installEventFilter(self)
        self._lay_out()
        self.hide()

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        captions = [row[1] for row in (*_TEXTS, *_NUMBERS)]
        for i, (caption, field) in enumerate(zip(captions, self._fields, strict=True)):
            label = PlainLabel(caption)
            label.setObjectName("caption")
            grid.addWidget(label, 2 * (i // _COLUMNS), i % _COLUMNS)
            grid.addWidget(field, 2 * (i // _COLUMNS) + 1, i % _COLUMNS)
        below = QHBoxLayout()
        below.addWidget(self._note, 1)
        below.addWidget(self._keep)
        below.addWidget(self._close)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(12, 8, 12, 8)
        whole.addLayout(grid)
        whole.addLayout(below)

    @property
    def order(self) -> WorkOrder:
        """What stands in the fields."""
        texts = {name: field.text() for name, field in self._texts.items()}
        numbers = {name: field.value() or None for name, field in self._numbers.items()}
        return WorkOrder(**texts, **numbers)  # type: ignore[arg-type]

    def show_order(self, order: WorkOrder, *, begins_roll: bool) -> None:
        """Opens the bar with an order in it, the keyboard in the first field that is empty.

        Args:
            order: that stands in the fields.
            begins_roll: the button begins a roll with it; else it corrects the order of the roll that runs.
        """
        self._begins_roll = begins_roll
        self._keep.setText(_START if begins_roll else "Save for this roll")
        for name, text_field in self._texts.items():
            text_field.setText(getattr(order, name))
        for name, number_field in self._numbers.items():
            number_field.setValue(getattr(order, name) or 0.0)
        self.show()
        empty = next((field for field in self._texts.values() if not field.text()), self._texts["roll_number"])
        empty.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_note(self, text: str) -> None:
        """Something about the roll number; empty without."""
        self._note.setText(text)

    def close_bar(self) -> None:
        """Hides it and forgets what was typed."""
        self.hide()
        self.show_note("")
        for name, text_field in self._texts.items():
            text_field.setText(getattr(NO_ORDER, name))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Enter and Tab of a scanner go on to the next field."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and watched in self._fields:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                following = (*self._fields, self._keep)[self._fields.index(watched) + 1]
                following.setFocus(Qt.FocusReason.TabFocusReason)
                if not isinstance(following, QPushButton):
                    following.selectAll()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.closed.emit()
                return True
        return super().eventFilter(watched, event)

    def _announce(self) -> None:
        self.kept.emit(self.order, self._begins_roll)


def _named(widget: QWidget, caption: str, tip: str) -> None:
    widget.setAccessibleName(caption)
    widget.setToolTip(tip)
    widget.setMinimumHeight(32)  # for a finger in a glove


def _line_edit(caption: str, tip: str) -> QLineEdit:
    field = QLineEdit()
    field.setMaxLength(LONGEST_TEXT)
    _named(field, caption, tip)
    return field


def _number(caption: str, suffix: str, most: float, tip: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setDecimals(0)
    field.setRange(0.0, most)
    field.setSuffix(suffix)
    field.setSpecialValueText("–")
    _named(field, caption, tip)
    return field
