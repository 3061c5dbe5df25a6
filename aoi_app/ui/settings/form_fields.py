"""Fields that several forms have."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QLineEdit


def choice_field(texts: Sequence[str], name: str, tip: str) -> QComboBox:
    """One of several texts."""
    box = QComboBox()
    box.addItems(list(texts))
    box.setAccessibleName(name)
    box.setToolTip(tip)
    return box


def list_field(placeholder: str, name: str, tip: str) -> QLineEdit:
    """Several values with commas between them."""
    field = QLineEdit()
    field.setPlaceholderText(placeholder)
    field.setAccessibleName(name)
    field.setToolTip(tip)
    return field


def parts_of(text: str) -> tuple[str, ...]:
    """What stands between the commas, without blanks and empty parts."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))
