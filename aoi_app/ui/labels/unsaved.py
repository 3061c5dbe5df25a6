"""The question about labels that could not be saved."""

from __future__ import annotations

from enum import Enum

from PySide6.QtWidgets import QWidget

from aoi_app.ui.widgets.plain import Button, ask


class Answer(Enum):
    """What to do with labels that are not on disk."""

    RETRY = "save them again"
    DISCARD = "forget them"
    STAY = "go on editing"


def ask_about_unsaved(parent: QWidget, reason: str) -> Answer:
    """Asks; ``reason`` says why they are not on disk."""
    question = f"The labels of this tile are not saved. {reason}"
    answers = {Button.Retry: Answer.RETRY, Button.Discard: Answer.DISCARD}
    buttons = Button.Retry | Button.Discard | Button.Cancel
    return answers.get(ask(parent, "Labels", question, buttons, Button.Retry), Answer.STAY)
