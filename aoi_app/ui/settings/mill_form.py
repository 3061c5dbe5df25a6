"""Whose reports they are: name, address and logo; and when its shifts begin."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QFormLayout, QLineEdit, QPlainTextEdit, QStyle, QWidget

from aoi_app.settings.settings import Mill
from aoi_app.ui.settings.form_fields import list_field, parts_of
from aoi_app.ui.widgets.plain import PlainLabel

_HOURS = 24
_LONGEST_NAME, _LONGEST_ADDRESS, _ADDRESS_LINES = 200, 1000, 4


class MillForm(QWidget):
    """
    Signals:
        changed: Mill, as it stands in the fields.
        shifts_changed: hours at which a shift begins, a tuple of int.
    """

    changed = Signal(object)
    shifts_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._name = QLineEdit()
        self._name.setMaxLength(_LONGEST_NAME)
        self._name.setToolTip("Stands at the head of every report")
        self._address = QPlainTextEdit()
        self._address.setTabChangesFocus(True)
        self._address.setFixedHeight(_ADDRESS_LINES * self._address.fontMetrics().lineSpacing() + 12)
        self._address.setToolTip("Stands below the name")
        self._logo = QLineEdit()
        self._logo.setPlaceholderText("none")
        self._logo.setToolTip("File of a picture for the head of a report")
        choose = self._logo.addAction(
            self.style().standardIcon(QStyle.StandardPixmap.SP_DirOpenIcon), QLineEdit.ActionPosition.TrailingPosition
        )
        choose.setToolTip("Choose a file")
        choose.triggered.connect(self._choose_logo)
        self._shifts = list_field(
            "none; for example 6, 14, 22", "Shifts begin at", "Full hours from 0 to 23, for the statistics by shift"
        )
        names = ((self._name, "Name of the mill"), (self._address, "Address"), (self._logo, "Logo"))
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        for field, name in names:
            field.setAccessibleName(name)
            form.addRow(name, field)
        self._problem = PlainLabel()
        self._problem.setAccessibleName("What is wrong with the shifts")
        form.addRow("Shifts begin at", self._shifts)
        form.addRow(self._problem)
        self._shifts.editingFinished.connect(self._announce_shifts)
        self._name.textEdited.connect(self._announce)
        self._logo.textChanged.connect(self._announce)
        self._address.textChanged.connect(self._announce)

    def show_mill(self, mill: Mill) -> None:
        """Shows it, unless it stands there already: somebody may be typing."""
        if mill == self._mill():
            return
        before = self.blockSignals(True)
        self._name.setText(mill.name)
        self._address.setPlainText(mill.address)
        self._logo.setText(mill.logo)
        self.blockSignals(before)

    def show_shifts(self, hours: Sequence[int]) -> None:
        """The hours that hold; what is being typed stays."""
        if not self._shifts.hasFocus():
            self._shifts.setText(", ".join(map(str, hours)))

    def _announce_shifts(self) -> None:
        parts = parts_of(self._shifts.text())
        hours = tuple(sorted({int(part) for part in parts if part.isdecimal() and int(part) < _HOURS}))
        is_right = len(hours) == len(set(parts))
        self._problem.setText("" if is_right else "A shift begins at a full hour from 0 to 23. The hours before hold.")
        if is_right:
            self.shifts_changed.emit(hours)

    def _mill(self) -> Mill:
        address = self._address.toPlainText()[:_LONGEST_ADDRESS]
        return Mill(name=self._name.text(), address=address, logo=self._logo.text().strip())

    def _announce(self) -> None:
        self.changed.emit(self._mill())

    def _choose_logo(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Logo", self._logo.text(), "Pictures (*.png *.jpg *.jpeg *.bmp)")
        if path:
            self._logo.setText(path)
