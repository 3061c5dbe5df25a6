"""Beside the tile: the type of a label, the brush, and the labels as a list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from aoi_app.samples.label_drawing import Labels
from aoi_app.settings.defect_types import DefectType
from aoi_app.ui.widgets.plain import PlainLabel, plain_label

_NO_TYPE = "no type"
_WIDTH_PX = 230


class LabelSidebar(QWidget):
    """Shows the labels, and announces what the person chooses.

    Signals:
        label_chosen: index of a label.
        type_chosen: code of a type; empty for none.
        types_asked: the types are to be edited.
        brush_asked: 1 for a larger brush, -1 for a smaller one.
    """

    label_chosen = Signal(int)
    type_chosen = Signal(str)
    types_asked = Signal()
    brush_asked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(_WIDTH_PX)
        self._types: tuple[DefectType, ...] = ()
        self._code = ""
        self.kind = QComboBox()
        self.kind.setAccessibleName("Type of the defect")
        self.kind.setToolTip("What new labels are, and what the chosen label becomes; keys 1 to 9")
        self._brush = PlainLabel("8 px")
        self._brush.setAccessibleName("Radius of the brush")
        self.labels = QListWidget()
        self.labels.setAccessibleName("Labels of this tile")
        self._state = plain_label("What the tile is", wraps=True)
        edit = QPushButton("&Edit types…")
        edit.setToolTip("Edit the defect types on the page Settings")
        edit.clicked.connect(self.types_asked)
        form = QFormLayout()
        form.addRow("&Type", self.kind)
        form.addRow("", edit)
        form.addRow("Brush", self._brush_row())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 8, 0)
        column.addLayout(form)
        column.addWidget(self._state)
        column.addWidget(self.labels, 1)
        self.kind.activated.connect(lambda _: self.type_chosen.emit(self.kind.currentData() or ""))
        self.labels.currentRowChanged.connect(self._row_chosen)

    def _brush_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self._brush, 1)
        for text, name, step in (("−", "Smaller brush", -1), ("+", "Larger brush", 1)):
            button = QPushButton(text)
            button.setAccessibleName(name)
            button.setToolTip(f"{name} ({'[' if step < 0 else ']'})")
            button.setFixedWidth(36)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(partial(self._ask_brush, step))
            row.addWidget(button)
        return row

    def show_types(self, types: Sequence[DefectType]) -> None:
        """What can be chosen."""
        if tuple(types) != self._types:
            self._types = tuple(types)
            self._fill()

    def show_labels(self, labels: Labels, selected: int, code: str) -> None:
        """The labels, which one is selected, and the type that holds now."""
        with QSignalBlocker(self.labels):
            self.labels.clear()
            names = {"": _NO_TYPE} | {t.code: f"{t.code} {t.name}" for t in self._types}
            self.labels.addItems(
                [f"{i}  {label.outline}  {names.get(label.code, label.code)}" for i, label in enumerate(labels, 1)]
            )
            self.labels.setCurrentRow(selected)
        n = len(labels)
        self._state.setText(f"Defect: {n} label{'s' * (n != 1)}" if n else "Good cloth: no labels")
        self._code = code
        self._fill()

    def show_brush(self, radius_px: float) -> None:
        """How wide the brush is, pixels of the tile."""
        self._brush.setText(f"{radius_px:g} px")

    def _ask_brush(self, step: int, _checked: bool = False) -> None:
        self.brush_asked.emit(step)

    def _fill(self) -> None:
        with QSignalBlocker(self.kind):
            self.kind.clear()
            self.kind.addItem(_NO_TYPE, "")
            for i, kind in enumerate(self._types, 1):
                self.kind.addItem(f"{i}  {kind.name}" if i <= 9 else kind.name, kind.code)
            if self._code and self._code not in {t.code for t in self._types}:
                self.kind.addItem(f"{self._code} (not a defect type)", self._code)
            self.kind.setCurrentIndex(max(0, self.kind.findData(self._code)))

    def _row_chosen(self, row: int) -> None:
        if row >= 0:
            self.label_chosen.emit(row)
