"""Something went wrong that the program itself cannot mend: what, what to do, and all that helps to mend it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from aoi_app.ui.widgets.plain import PlainLabel

_WIDTH_PX, _HEIGHT_PX = 760, 480


class ProblemDialog(QDialog):
    """Says it in a sentence; the details can be copied, and the folder with the log can be opened."""

    def __init__(self, title: str, text: str, details: str, folder: Path, parent: QWidget | None = None) -> None:
        """
        Args:
            title: of the window.
            text: what happened and what to do, one paragraph or more.
            details: for whoever mends it.
            folder: where log and reports lie.
            parent: the window that it is about; None where there is none.
        """
        super().__init__(parent)
        self.setWindowTitle(title)
        said = PlainLabel(text)
        said.setWordWrap(True)
        said.setAccessibleName("What happened")
        said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._details = QPlainTextEdit(details)
        self._details.setReadOnly(True)
        self._details.setAccessibleName("Details")
        self._details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._folder = folder
        place = PlainLabel(f"Log and reports: {folder}")
        place.setObjectName("caption")
        place.setWordWrap(True)
        place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        copy = buttons.addButton("&Copy the details", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self.copy)
        open_folder = buttons.addButton("&Open the folder", QDialogButtonBox.ButtonRole.ActionRole)
        open_folder.clicked.connect(self._open_folder)
        column = QVBoxLayout(self)
        column.addWidget(said)
        column.addWidget(self._details, 1)
        column.addWidget(place)
        column.addWidget(buttons)
        buttons.button(QDialogButtonBox.StandardButton.Close).setFocus()
        room = QGuiApplication.primaryScreen().availableGeometry()
        self.resize(min(_WIDTH_PX, room.width()), min(_HEIGHT_PX, room.height()))

    def copy(self) -> None:
        """Puts the details on the clipboard."""
        QGuiApplication.clipboard().setText(self._details.toPlainText())

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
