"""Whose reports they are, as a form."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from aoi_app.settings.settings import Mill
from aoi_app.ui.settings.mill_form import MillForm


def test_what_is_typed_is_announced_and_what_is_shown_is_not(qtbot: QtBot) -> None:
    form = MillForm()
    qtbot.addWidget(form)
    told: list[Mill] = []
    form.changed.connect(told.append)
    form.show_mill(Mill(name="Weberei Ähre", address="Am Bach 1\nHof", logo="/logo.png"))
    assert told == []
    address = form.findChild(QPlainTextEdit)
    assert isinstance(address, QPlainTextEdit)
    address.setPlainText("x" * 2000)
    assert told[-1] == Mill(name="Weberei Ähre", address="x" * 1000, logo="/logo.png")
    name = next(field for field in form.findChildren(QLineEdit) if field.accessibleName() == "Name of the mill")
    qtbot.keyClicks(name, "n")
    assert told[-1].name == "Weberei Ähren"
