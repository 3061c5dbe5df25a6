"""Values that the wheel of the mouse does not change: it turns over them when a person scrolls past."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QScrollBar, QWidget


class _Deaf(QObject):
    """Gives the wheel on to what stands around the widget, which scrolls."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        if event.type() is QEvent.Type.Wheel:
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def keep_from_wheel(form: QWidget) -> None:
    """Every number, choice and slider in a form is changed by keys and clicks only."""
    deaf = _Deaf(form)
    for child in form.findChildren(QWidget):
        is_slider = isinstance(child, QAbstractSlider) and not isinstance(child, QScrollBar)
        if is_slider or isinstance(child, (QAbstractSpinBox, QComboBox)):
            child.installEventFilter(deaf)
            child.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # nor does the wheel bring the keyboard to it
