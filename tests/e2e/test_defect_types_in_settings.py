"""The defect types are edited on the page Settings; the label editor and the line use them at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mill import Mill
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton

from aoi_app.settings.defect_types import load_defect_types
from aoi_app.settings.folders import defect_types_path
from aoi_app.ui.settings.defect_types_form import DefectTypesForm
from cras_core.data.samples.labels import Label

FIRST, LAST = "W1", "G3"


@pytest.fixture
def editing(mill: Mill) -> Mill:
    """A label has the first type; the person went from its tile to the types."""
    mill.fill(2)
    mill.store.update(replace(mill.on_disk("s1"), labels=(Label("box", ((1.0, 1.0), (9.0, 9.0)), FIRST),)))
    mill.open()
    mill.edit("s0")
    (edit,) = [b for b in mill.editor.findChildren(QPushButton) if b.text() == "&Edit types…"]
    edit.click()
    mill.until(lambda: mill.application.is_at_rest)
    mill.until(lambda: FIRST in form(mill)._codes_in_use)  # read by a thread, shown at the next tick
    return mill


def form(mill: Mill) -> DefectTypesForm:
    found = mill.application.window.findChild(DefectTypesForm)
    assert isinstance(found, DefectTypesForm)
    return found


def click(mill: Mill, text: str) -> None:
    (button,) = [b for b in form(mill).findChildren(QPushButton) if b.text().replace("&", "") == text]
    button.click()


def problem(mill: Mill) -> str:
    (label,) = [
        x for x in form(mill).findChildren(QLabel) if x.accessibleName() == "What is wrong with the defect types"
    ]
    return label.text()


def cell(mill: Mill, row: int, column: int) -> QLineEdit:
    found = form(mill).table.cellWidget(row, column)
    assert isinstance(found, QLineEdit)
    return found


def codes(mill: Mill) -> list[str]:
    return [cell(mill, row, 0).text() for row in range(form(mill).table.rowCount())]


def test_the_label_editor_leads_there_and_is_still_open_when_one_returns(editing: Mill) -> None:
    assert editing.application.window.page == "settings"
    assert form(editing).table.isVisible()
    assert codes(editing)[0] == FIRST
    editing.application.show_page("samples")
    assert editing.page.is_labelling


def test_a_type_is_added_and_can_be_chosen_at_once(editing: Mill) -> None:
    click(editing, "Add type")
    click(editing, "Save types")
    assert "Row 16" in problem(editing), "a type without a code is none"
    assert not defect_types_path().exists()
    row = form(editing).table.rowCount() - 1
    cell(editing, row, 0).setText("moiré")
    cell(editing, row, 1).setText("Moiré")
    click(editing, "Save types")
    assert problem(editing) == ""
    assert load_defect_types(defect_types_path())[0][-1].name == "Moiré"
    assert editing.editor.sidebar.kind.findData("moiré") > 0
    assert [t.code for t in editing.application.program.defect_types.now][-1] == "moiré"


def test_the_row_that_is_being_edited_is_the_one_that_is_removed(editing: Mill) -> None:
    QTest.mouseClick(cell(editing, 14, 1), Qt.MouseButton.LeftButton)
    click(editing, "Remove type")
    assert LAST not in codes(editing)
    click(editing, "Undo changes")
    assert codes(editing)[-1] == LAST


def test_a_type_that_labels_have_is_not_removed_by_accident(editing: Mill) -> None:
    QTest.mouseClick(cell(editing, 0, 1), Qt.MouseButton.LeftButton)
    click(editing, "Remove type")
    click(editing, "Save types")
    assert f"labels of the type {FIRST}" in problem(editing)
    assert not defect_types_path().exists()
    click(editing, "Save types")
    assert FIRST not in [t.code for t in load_defect_types(defect_types_path())[0]]
    editing.application.show_page("samples")
    editing.press(Qt.Key.Key_Escape, on=editing.editor.canvas)
    editing.edit("s1")
    editing.press(Qt.Key.Key_L, on=editing.editor.canvas)
    editing.until(lambda: "not a defect type" in editing.editor.sidebar.kind.currentText())


def test_types_that_cannot_be_written_are_said_and_stay_as_they_were_typed(editing: Mill) -> None:
    defect_types_path().parent.mkdir(parents=True, exist_ok=True)
    defect_types_path().mkdir()
    cell(editing, 0, 1).setText("warp break")
    click(editing, "Save types")
    assert "cannot be written" in problem(editing)
    assert cell(editing, 0, 1).text() == "warp break"
    assert editing.application.program.defect_types.now[0].name == "broken end"
