"""What a person looks for among the defects of all rolls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLineEdit, QWidget

from aoi_app.inspection.findings.wanted import NO_TYPE, DefectFilter, VerdictChoice
from aoi_app.settings.defect_types import DefectType
from aoi_app.ui.widgets.plain import PlainLabel

_TYPING_MS = 300
_ANY = "any"
_VERDICTS: dict[VerdictChoice, str] = {
    "any": "any verdict",
    "none": "no verdict",
    "confirmed": "confirmed",
    "rejected": "rejected",
    "disputed": "reviewers disagree",
}


class FilterBar(QWidget):
    """
    Signals:
        changed: DefectFilter as it stands in the fields, a moment after the last change.
    """

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._roll = _text("roll", "Number of the roll, yours or that of the records")
        self._fabric = _text("fabric", "Name of the fabric, as the records have it")
        self._reviewer = _text("reviewer", "Who said the last of it")
        self._type = QComboBox()
        self._type.setAccessibleName("Type")
        self._type.setToolTip("Only defects of this type")
        self._verdict = QComboBox()
        self._verdict.addItems([_VERDICTS[choice] for choice in get_args(VerdictChoice)])
        self._verdict.setAccessibleName("Verdict")
        self._verdict.setToolTip("Only defects of which this was said")
        self._least = _number("from mm", " mm", "Only defects at least so long or so wide")
        self._most = _number("to mm", " mm", "Only defects no longer and no wider; 0 is any size")
        self._score = _number("score from", "", "Only defects with this score or more")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_TYPING_MS)
        self._later.timeout.connect(lambda: self.changed.emit(self.wanted()))
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 8, 6)
        for widget in (self._roll, self._fabric, self._type, self._verdict, self._reviewer):
            row.addWidget(widget)
        for caption, number in (("size", self._least), ("to", self._most), ("score", self._score)):
            row.addWidget(PlainLabel(caption))
            row.addWidget(number)
        row.addStretch(1)
        for text in (self._roll, self._fabric, self._reviewer):
            text.textChanged.connect(self._later.start)
        for number in (self._least, self._most, self._score):
            number.valueChanged.connect(self._later.start)
        for box in (self._type, self._verdict):
            box.currentIndexChanged.connect(self._later.start)
        self._codes: list[str] = []
        self.show_types(())
        self.setFocusProxy(self._roll)

    def show_types(self, types: Sequence[DefectType]) -> None:
        """The types that can be looked for."""
        before = self._type.blockSignals(True)
        chosen = self._type.currentIndex()
        code = self._codes[chosen] if 0 <= chosen < len(self._codes) else ""
        self._codes = ["", NO_TYPE, *(kind.code for kind in types)]
        self._type.clear()
        self._type.addItems(["any type", "no type", *(f"{kind.code} {kind.name}" for kind in types)])
        self._type.setCurrentIndex(self._codes.index(code) if code in self._codes else 0)
        self._type.blockSignals(before)

    def wanted(self) -> DefectFilter:
        """What stands in the fields."""
        return DefectFilter(
            roll=self._roll.text().strip(),
            fabric=self._fabric.text().strip(),
            type_code=self._codes[self._type.currentIndex()],
            least_mm=self._least.value(),
            most_mm=self._most.value() or None,
            least_score=self._score.value(),
            verdict=get_args(VerdictChoice)[self._verdict.currentIndex()],
            reviewer=self._reviewer.text().strip(),
        )


def _text(name: str, tip: str) -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText(f"any {name}")
    field.setClearButtonEnabled(True)
    field.setAccessibleName(name.capitalize())
    field.setToolTip(tip)
    field.setMaximumWidth(140)
    return field


def _number(name: str, suffix: str, tip: str) -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setRange(0, 100_000)
    field.setDecimals(1)
    field.setSuffix(suffix)
    field.setSpecialValueText(_ANY)
    field.setAccessibleName(name)
    field.setToolTip(tip)
    return field
