"""Texts that hold what files or people wrote: shown as they are, whatever is in them, never read as HTML."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as QtText
from PySide6.QtWidgets import QLabel, QMessageBox, QWidget

Button = QMessageBox.StandardButton


class PlainLabel(QLabel):
    """A label; the only kind in the window, because that of Qt shows pictures and links where a text asks for them."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


def plain_label(name: str = "", *, wraps: bool = False) -> QLabel:
    """An empty label; ``name`` is for screen readers."""
    label = PlainLabel()
    label.setWordWrap(wraps)
    label.setAccessibleName(name)
    return label


def show_text(label: QLabel, text: str) -> None:
    """Shows a text; an empty one takes no room."""
    if label.text() != text:  # a text that is selected to be copied stays so
        label.setText(text)
    label.setVisible(bool(text))


def set_plain_tip(widget: QWidget, text: str) -> None:
    """A tip of the mouse, which Qt would read as HTML where it looks like it."""
    widget.setToolTip(plain_tip(text))


def plain_tip(text: str) -> str:
    """The text of a tip, so that Qt shows it as it is."""
    return str(QtText.convertFromPlainText(text)) if text else ""


def is_sure(parent: QWidget, title: str, question: str) -> bool:
    """Asks a question; No where the person just closes it."""
    buttons = Button.Yes | Button.No
    return ask(parent, title, question, buttons, Button.No) is Button.Yes


def when_sure(parent: QWidget, title: str, question: str, action: Callable[[], object]) -> None:
    """Asks a question and returns at once; Yes has the action done. For what is asked while the web runs."""
    box = QMessageBox(QMessageBox.Icon.Question, title, question, Button.Yes | Button.No, parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.accepted.connect(action)
    box.finished.connect(box.deleteLater)
    box.open()


def ask(parent: QWidget, title: str, question: str, buttons: Button, default: Button) -> Button:
    """Asks a question with more answers than yes and no.

    Args:
        parent: what the question is about.
        title: of the dialog.
        question: one or two sentences; shown as they are.
        buttons: the answers. One of them should be No or Cancel, which is the answer of who just closes the dialog.
        default: the answer of the Enter key.
    """
    box = QMessageBox(QMessageBox.Icon.Question, title, question, buttons, parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setDefaultButton(default)
    return Button(box.exec())
