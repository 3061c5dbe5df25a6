"""The types of defects of this mill: code, name, severity, shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args, get_type_hints

from pydantic import ValidationError
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from aoi_app.settings.defect_types import DefectType, DefectTypesError, check_codes
from aoi_app.settings.strict_json import describe_errors

_SEVERITIES: tuple[str, ...] = get_args(get_type_hints(DefectType)["severity"])
_SHAPES: tuple[str, ...] = get_args(get_type_hints(DefectType)["shape"])
_COLUMNS = ("code", "name", "severity", "shape")


class CatalogueDialog(QDialog):
    """Edits types; ``types`` is what was accepted."""

    def __init__(self, types: Sequence[DefectType], used: Sequence[str] = (), parent: QWidget | None = None) -> None:
        """
        Args:
            types: the types now.
            used: codes that labels of the shown fabric have; taking one of them away is said.
            parent: of the dialog.
        """
        super().__init__(parent)
        self.setWindowTitle("Types of defects")
        self.types = tuple(types)
        self._used = set(used)
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.setAccessibleName("Types of defects")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self._problem = QLabel()
        self._problem.setWordWrap(True)
        self._problem.setAccessibleName("Problem of the catalogue")
        add, take = QPushButton("&Add a type"), QPushButton("&Remove the type")
        add.clicked.connect(self._add)
        take.clicked.connect(self._remove)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(add)
        row.addWidget(take)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(QLabel("The code is what labels and records hold; the first nine have the digits as keys."))
        column.addWidget(self.table, 1)
        column.addLayout(row)
        column.addWidget(self._problem)
        column.addWidget(buttons)
        for kind in types:
            self._append(kind.code, kind.name, kind.severity, kind.shape)
        self.resize(640, 420)

    def accept(self) -> None:
        """Takes the types if they can be used, and says why where not."""
        try:
            types = tuple(self._type(row) for row in range(self.table.rowCount()))
            check_codes(types)
        except DefectTypesError as error:
            self._problem.setText(str(error))
            return
        lost = sorted(self._used - {t.code for t in types} - {""})
        if lost and self._problem.property("asked") != lost:
            self._problem.setProperty("asked", lost)
            self._problem.setText(
                f"Labels have the type {', '.join(lost)}, which is not here. Save again to save it so."
            )
            return
        self.types = types
        super().accept()

    def _type(self, row: int) -> DefectType:
        code, name, severity, shape = (self.table.cellWidget(row, c) for c in range(len(_COLUMNS)))
        assert isinstance(code, QLineEdit)
        assert isinstance(name, QLineEdit)
        assert isinstance(severity, QComboBox)
        assert isinstance(shape, QComboBox)
        try:
            return DefectType(code.text().strip(), name.text().strip(), severity.currentData(), shape.currentData())
        except ValidationError as error:
            raise DefectTypesError(f"Row {row + 1}: {describe_errors(error)}") from error

    def _add(self) -> None:
        self._append("", "", "minor", "block")
        editor = self.table.cellWidget(self.table.rowCount() - 1, 0)
        if editor is not None:
            editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _remove(self) -> None:
        focused = self.focusWidget()
        rows = {i.row() for i in self.table.selectedIndexes()} or {
            row
            for row in range(self.table.rowCount())
            if focused is not None and any(self.table.cellWidget(row, c) is focused for c in range(len(_COLUMNS)))
        }
        for row in sorted(rows, reverse=True):
            self.table.removeRow(row)

    def _append(self, code: str, name: str, severity: str, shape: str) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        widgets = QLineEdit(code), QLineEdit(name), _choice(_SEVERITIES, severity), _choice(_SHAPES, shape)
        for column, widget in enumerate(widgets):
            widget.setAccessibleName(f"{_COLUMNS[column]} of type {row + 1}")
            self.table.setCellWidget(row, column, widget)


def _choice(texts: Sequence[str], chosen: str) -> QComboBox:
    box = QComboBox()
    for text in texts:
        box.addItem(text, text)
    box.setCurrentText(chosen)
    return box
