"""The question about labels that could not be saved."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


class Answer(Enum):
    """What to do with labels that are not on disk."""

    RETRY = "save them again"
    DISCARD = "forget them"
    STAY = "go on editing"


def ask_about_unsaved(parent: QWidget, reason: str) -> Answer:
    """Asks; ``reason`` says why they are not on disk."""
    button = QMessageBox.StandardButton
    box = QMessageBox(
        QMessageBox.Icon.Question,
        "Labels",
        f"The labels of this tile are not saved. {reason}",
        button.Retry | button.Discard | button.Cancel,
        parent,
    )
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setDefaultButton(button.Retry)
    answers = {button.Retry: Answer.RETRY, button.Discard: Answer.DISCARD}
    return answers.get(button(box.exec()), Answer.STAY)
