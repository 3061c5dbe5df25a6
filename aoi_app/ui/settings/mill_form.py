"""Whose reports they are: name, address and logo."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QFormLayout, QLineEdit, QPlainTextEdit, QStyle, QWidget

from aoi_app.settings.settings import Mill

_LONGEST_NAME, _LONGEST_ADDRESS, _ADDRESS_LINES = 200, 1000, 4


class MillForm(QWidget):
    """
    Signals:
        changed: Mill, as it stands in the fields.
    """

    changed = Signal(object)

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
        names = ((self._name, "Name of the mill"), (self._address, "Address"), (self._logo, "Logo"))
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        for field, name in names:
            field.setAccessibleName(name)
            form.addRow(name, field)
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

    def _mill(self) -> Mill:
        address = self._address.toPlainText()[:_LONGEST_ADDRESS]
        return Mill(name=self._name.text(), address=address, logo=self._logo.text().strip())

    def _announce(self) -> None:
        self.changed.emit(self._mill())

    def _choose_logo(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Logo", self._logo.text(), "Pictures (*.png *.jpg *.jpeg *.bmp)")
        if path:
            self._logo.setText(path)
