"""Where the keyboard goes when what has it disappears."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QWidget


def hide_with_keyboard(widget: QWidget) -> None:
    """Hides a widget. Where it had the keyboard nobody has it then: Qt would give it to whatever stands next to it, and
    a key of the line would be typed into a field, or press a button that nobody chose.
    """
    drop_keyboard(widget)
    widget.hide()


def drop_keyboard(widget: QWidget) -> None:
    """Takes the keyboard from a widget and all that is in it."""
    now = QApplication.focusWidget()
    if now is not None and (now is widget or widget.isAncestorOf(now)):
        now.clearFocus()
