"""Whose reports they are, as a form."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit
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


def test_the_hours_of_shifts_are_announced_where_they_are_hours(qtbot: QtBot) -> None:
    form = MillForm()
    qtbot.addWidget(form)
    told: list[tuple[int, ...]] = []
    form.shifts_changed.connect(told.append)
    form.show_shifts((6, 14, 22))
    field = next(field for field in form.findChildren(QLineEdit) if field.accessibleName() == "Shifts begin at")
    assert field.text() == "6, 14, 22"
    field.setText("18, 6")
    field.editingFinished.emit()
    field.setText("6, 24")
    field.editingFinished.emit()
    assert told == [(6, 18)]
    problem = next(x for x in form.findChildren(QLabel) if x.accessibleName() == "What is wrong with the shifts")
    assert "from 0 to 23" in problem.text()
