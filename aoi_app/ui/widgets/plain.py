"""Texts that hold what files or people wrote: shown as they are, whatever is in them, never read as HTML."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as QtText
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget


def plain_label(name: str = "", *, wraps: bool = False) -> QLabel:
    """An empty label; ``name`` is for screen readers."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wraps)
    label.setAccessibleName(name)
    return label


def set_plain_tip(widget: QWidget, text: str) -> None:
    """A tip of the mouse, which Qt would read as HTML where it looks like it."""
    widget.setToolTip(plain_tip(text))


def plain_tip(text: str) -> str:
    """The text of a tip, so that Qt shows it as it is."""
    return str(QtText.convertFromPlainText(text)) if text else ""


def is_sure(parent: QWidget, title: str, question: str) -> bool:
    """Asks a question; No where the person just closes it."""
    box = QMessageBox(
        QMessageBox.Icon.Question,
        title,
        question,
        QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No,
        parent,
    )
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setDefaultButton(QMessageBox.StandardButton.No)
    return box.exec() == QMessageBox.StandardButton.Yes
