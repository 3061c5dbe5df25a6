"""A field with which the value of a feature is edited."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from aoi_app.camera_setup.feature_rows import FeatureRow


def value_editor(row: FeatureRow, parent: QWidget | None = None) -> QLineEdit | QComboBox:
    """A field for a value: a list where the camera has one, else text."""
    if row.entries:
        combo = QComboBox(parent)
        combo.addItems(row.entries if row.value in row.entries else (row.value, *row.entries))
        combo.setCurrentText(row.value)
        return combo
    return QLineEdit(row.value, parent)


def editor_text(editor: QWidget) -> str:
    """What a field holds."""
    if isinstance(editor, QComboBox):
        return editor.currentText()
    assert isinstance(editor, QLineEdit)
    return editor.text()


def on_edit(editor: QLineEdit | QComboBox, answer: Callable[[], object]) -> None:
    """Calls the answer when the person is done with a field."""
    if isinstance(editor, QComboBox):
        editor.activated.connect(lambda _index: answer())
    else:
        editor.returnPressed.connect(answer)
