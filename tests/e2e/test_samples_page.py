"""The samples are a page of the one window: it is reached by its key, kept while one is elsewhere, and fits."""

from __future__ import annotations

import pytest
from mill import FABRIC, Mill, full_disk, tile
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMessageBox
from window_tools import keys_shown, press

from aoi_app.app.pages.models_controller import ModelsController
from aoi_app.samples.state import FILTERS
from cras_core.data.samples.labels import Label
from cras_core.data.samples.values import Sample

KEY = Qt.Key
BOX = Label("box", ((2.0, 2.0), (9.0, 9.0)), "W1")


def test_its_key_shows_it_and_the_keyboard_is_in_the_grid(mill: Mill) -> None:
    mill.fill(2)
    mill.open()
    mill.application.show_page("line")
    QTest.keyClick(mill.application.window, KEY.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert mill.application.window.page == "samples"
    mill.until(mill.grid.hasFocus)


def test_it_is_found_again_as_it_was_left(mill: Mill) -> None:
    mill.fill(2, "alpha")
    mill.fill(3, "beta")
    mill.open()
    mill.fabrics.list.setCurrentRow(1)
    mill.until(lambda: len(mill.shown()) == 3)
    mill.browser.which.setCurrentIndex(FILTERS.index("all"))
    mill.grid.select_row(2)
    mill.application.show_page("line")
    mill.application.show_page("samples")
    assert mill.state.fabric == "beta"
    assert mill.shown() == ["s0", "s1", "s2"]
    assert [s.id for s in mill.grid.selected()] == ["s2"]


def test_a_tile_stays_open_while_one_is_on_another_page(mill: Mill) -> None:
    mill.fill(2)
    mill.open()
    mill.edit("s1")
    mill.drag((10, 8), (30, 20))
    mill.application.show_page("settings")
    mill.application.show_page("samples")
    assert mill.page.is_labelling
    assert mill.editor.sample_id == "s1"
    assert mill.editor.sidebar.labels.count() == 1
    mill.until(mill.editor.canvas.hasFocus)


def test_labels_that_are_not_saved_are_still_there_after_another_page(mill: Mill) -> None:
    mill.fill(2)
    mill.open()
    mill.edit("s0")
    with full_disk():
        mill.drag((10, 8), (30, 20))
        mill.until(lambda: mill.editor.is_unsaved)
    mill.application.show_page("line")
    mill.application.show_page("samples")
    assert "NOT saved" in mill.text("State of the tile")
    mill.editor.toolbar.actions_by_key["again"].trigger()
    mill.until(lambda: mill.on_disk("s0").labels)


def test_the_keys_of_one_view_do_nothing_in_the_other(mill: Mill) -> None:
    mill.fill(3)
    mill.open()
    mill.press(KEY.Key_X)
    assert mill.shown() == ["s1", "s2"]
    mill.edit("s1")
    mill.press(KEY.Key_X, on=mill.editor.canvas)
    assert mill.on_disk("s1").choice == "kept"
    control = Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(mill.editor.canvas, KEY.Key_Z, control)  # there is no label yet whose drawing could be undone
    assert len(mill.state.undo_steps) == 1
    mill.press(KEY.Key_Escape, on=mill.editor.canvas)
    QTest.keyClick(mill.grid, KEY.Key_Z, control)
    assert mill.shown() == ["s0", "s1", "s2"]


def test_the_keys_of_the_page_do_nothing_on_the_line(mill: Mill) -> None:
    mill.fill(2)
    mill.open()
    mill.press(KEY.Key_X)
    window = mill.application.window
    mill.application.show_page("line")
    for key in (KEY.Key_X, KEY.Key_K, KEY.Key_B):
        QTest.keyClick(window, key)
    QTest.keyClick(window, KEY.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert [s.choice for s in mill.state.samples] == ["thrown out", "kept"]


def test_the_list_of_keys_has_those_of_the_view_that_is_shown(mill: Mill) -> None:
    mill.fill(1)
    mill.open()
    listed = keys_shown(mill.application)
    assert listed[0] == "On this page"
    assert any(line.startswith("X, Del Throw out") for line in listed)
    assert any(line.startswith("F5 Start") for line in listed)
    assert not any("Heat map" in line for line in listed), "that is a key of the line"
    mill.edit("s0")
    assert any(line.startswith("P Polygon") for line in keys_shown(mill.application))


def test_both_views_fit_the_screen_in_both_themes(mill: Mill) -> None:
    mill.fill(1)
    mill.open()
    window = mill.application.window
    for view in ("grid", "editor"):
        if view == "editor":
            mill.edit("s0")
        for _ in range(2):
            press(mill.application, "theme")
            room = window.screen().availableGeometry()
            assert window.minimumSizeHint().width() <= room.width()
            assert window.minimumSizeHint().height() <= room.height()
            assert window.width() <= room.width()


def test_a_fabric_that_goes_while_its_tile_is_open_closes_it(mill: Mill) -> None:
    mill.fill(2, "alpha")
    mill.fill(2, FABRIC)
    mill.open()
    mill.fabrics.list.setCurrentRow(0)
    mill.until(lambda: mill.state.fabric == "alpha")
    mill.edit("s0")
    mill.store.remove_fabric("alpha")
    mill.until(lambda: not mill.page.is_labelling)
    assert mill.shown() == ["s0", "s1"]
    assert mill.state.fabric == FABRIC


def test_choosing_a_fabric_chooses_it_on_the_page_of_the_models_too(mill: Mill) -> None:
    mill.fill(2, "alpha")
    mill.fill(2, "beta")
    mill.open()
    mill.application.show_page("models")
    models = mill.application.controllers["models"]
    assert isinstance(models, ModelsController)
    fabric = models.page.learn.fabric
    mill.until(lambda: fabric.count() == 2)
    for row, name in ((1, "beta"), (0, "alpha")):
        mill.application.show_page("samples")
        mill.fabrics.list.setCurrentRow(row)
        mill.until(lambda name=name: fabric.currentText() == name)


@pytest.mark.parametrize("name", ["<b>bold</b>", '<img src="file:///etc/hostname">'])
def test_names_of_foreign_fabrics_are_shown_as_they_are(mill: Mill, name: str) -> None:
    mill.open()
    mill.controller.services.fabrics.begin(name)
    mill.until(lambda: mill.state.fabric == name)
    mill.controller.services.fabrics.begin(name)  # it is there already, which is said with the name
    mill.until(lambda: name in mill.text("Alarm"))
    mill.store.add(Sample("s0", name, "file", name), tile(1))
    mill.until(lambda: mill.shown() == ["s0"])
    shown = [x for x in mill.page.findChildren(QLabel) if name in x.text()]
    assert shown
    assert {x.textFormat() for x in shown} == {Qt.TextFormat.PlainText}
    tip = mill.grid.samples.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert name not in tip
    mill.answer = QMessageBox.StandardButton.No
    mill.fabrics.actions_by_key["delete"].trigger()
    assert name in mill.asked[0]


def test_what_was_drawn_is_kept_when_the_program_ends(mill: Mill) -> None:
    mill.fill(2)
    mill.open()
    mill.edit("s0")
    mill.drag((10, 8), (30, 20))
    press(mill.application, "theme")
    mill.application.close()
    mill.until(lambda: mill.application.is_at_rest)
    assert not mill.application.window.isVisible()
    assert [type(label) for label in mill.store.sample(FABRIC, "s0").labels] == [Label]


def test_the_program_asks_about_unsaved_labels_before_it_ends(mill: Mill) -> None:
    mill.fill(1)
    mill.open()
    mill.edit("s0")
    with full_disk():
        mill.drag((10, 8), (30, 20))
        mill.until(lambda: mill.editor.is_unsaved)
    mill.answer = QMessageBox.StandardButton.Retry
    mill.application.close()
    mill.until(lambda: mill.application.is_at_rest)
    assert len(mill.asked) == 1
    assert len(mill.on_disk("s0").labels) == 1
