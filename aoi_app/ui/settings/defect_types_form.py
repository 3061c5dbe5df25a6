"""The defect types of this mill as a form: code, name, severity, shape."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import get_args, get_type_hints

from pydantic import ValidationError
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from aoi_app.settings.defect_types import DefectType, DefectTypesError, check_codes
from aoi_app.settings.strict_json import describe_errors
from aoi_app.ui.widgets.plain import PlainLabel, plain_label

_SEVERITIES: tuple[str, ...] = get_args(get_type_hints(DefectType)["severity"])
_SHAPES: tuple[str, ...] = get_args(get_type_hints(DefectType)["shape"])
_COLUMNS = ("code", "name", "severity", "shape")
_TIPS = (
    "What records and labels call it; short, without spaces",
    "What people call it",
    "How bad such a defect is",
    "Whether it is a place, or a line along or across the cloth",
)
_HEIGHT_PX = 300


class DefectTypesForm(QWidget):
    """Edits the types. What cannot be used is said in the form and not announced.

    Signals:
        kept: tuple of DefectType, as they were edited.
    """

    kept = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._types: tuple[DefectType, ...] = ()
        self._codes_in_use: frozenset[str] = frozenset()
        self._confirming: list[str] = []  # codes that labels use, which the next Save removes
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.setAccessibleName("Defect types")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.setFixedHeight(_HEIGHT_PX)
        self._last_field: QWidget = self.table
        self._problem = plain_label("What is wrong with the defect types", wraps=True)
        self._lay_out()

    def _lay_out(self) -> None:
        save = _button("&Save types", "The line and the labels use these types from now on", self._save)
        save.setObjectName("main")
        buttons = QHBoxLayout()
        buttons.addWidget(save)
        buttons.addWidget(_button("Undo changes", "Show the types again as they are saved", self._undo))
        buttons.addStretch(1)
        buttons.addWidget(_button("&Add type", "Add a row for another type", self._add))
        buttons.addWidget(_button("Re&move type", "Remove the row that is being edited", self._remove))
        help_text = PlainLabel(
            "Records and labels hold the code. In the label editor, the keys 1 to 9 stand for the first nine."
        )
        help_text.setWordWrap(True)
        help_text.setObjectName("hint")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(help_text)
        column.addWidget(self.table)
        column.addLayout(buttons)
        column.addWidget(self._problem)

    def show_types(self, types: tuple[DefectType, ...]) -> None:
        """The types that hold; what was typed and not saved is gone if they are others."""
        if types != self._types:
            self._types = types
            self._fill(types)

    def show_codes_in_use(self, codes: Collection[str]) -> None:
        """Codes that labels of samples have: to remove one of them takes a second Save."""
        self._codes_in_use = frozenset(codes)

    def show_problem(self, text: str) -> None:
        """Why they are not saved; empty where they are."""
        self._problem.setText(text)

    def _save(self) -> None:
        try:
            types = tuple(self._type(row) for row in range(self.table.rowCount()))
            check_codes(types)
        except DefectTypesError as error:
            self.show_problem(str(error))
            return
        before = {t.code for t in self._types}
        lost = sorted((self._codes_in_use & before) - {t.code for t in types})
        if lost and self._confirming != lost:
            self._confirming = lost
            self.show_problem(f"Samples have labels of the type {', '.join(lost)}. Save again to remove it anyway.")
            return
        self._confirming = []
        self.show_problem("")
        self.kept.emit(types)

    def _type(self, row: int) -> DefectType:
        code, name, severity, shape = (self.table.cellWidget(row, c) for c in range(len(_COLUMNS)))
        assert isinstance(code, QLineEdit)
        assert isinstance(name, QLineEdit)
        assert isinstance(severity, QComboBox)
        assert isinstance(shape, QComboBox)
        try:
            return DefectType(code.text().strip(), name.text().strip(), severity.currentData(), shape.currentData())
        except ValidationError as error:
            raise DefectTypesError(
                "defect-type-row-wrong", "Row {row}: {problems}", row=row + 1, problems=describe_errors(error)
            ) from error

    def _fill(self, types: Sequence[DefectType]) -> None:
        self._confirming = []
        self.show_problem("")
        self.table.setRowCount(0)
        self._last_field = self.table
        for kind in types:
            self._append(kind.code, kind.name, kind.severity, kind.shape)

    def _undo(self) -> None:
        self._fill(self._types)

    def _add(self) -> None:
        self._append("", "", "minor", "block")
        editor = self.table.cellWidget(self.table.rowCount() - 1, 0)
        if editor is not None:
            editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _remove(self) -> None:
        for row in sorted({i.row() for i in self.table.selectedIndexes()}, reverse=True):
            self.table.removeRow(row)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """The row of the field that is being edited is the selected one: fields cover the table, so that nobody could
        click on a row.
        """
        if event.type() == QEvent.Type.FocusIn:
            for row in range(self.table.rowCount()):
                if any(self.table.cellWidget(row, c) is watched for c in range(len(_COLUMNS))):
                    self.table.selectRow(row)
        return super().eventFilter(watched, event)

    def _append(self, code: str, name: str, severity: str, shape: str) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        widgets = QLineEdit(code), QLineEdit(name), _choice(_SEVERITIES, severity), _choice(_SHAPES, shape)
        for column, widget in enumerate(widgets):
            widget.setAccessibleName(f"{_COLUMNS[column]} of type {row + 1}")
            widget.setToolTip(_TIPS[column])
            widget.installEventFilter(self)
            self.table.setCellWidget(row, column, widget)
            self.setTabOrder(self._last_field, widget)  # row by row, and then to the buttons
            self._last_field = widget


def _button(text: str, tip: str, answer: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _checked=False: answer())
    return button


def _choice(texts: Sequence[str], chosen: str) -> QComboBox:
    box = QComboBox()
    for text in texts:
        box.addItem(text, text)
    box.setCurrentText(chosen)
    return box
