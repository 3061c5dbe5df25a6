"""A tile is labelled, and every label is on disk the moment it is drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mill import LEFT, Mill, full_disk
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from cras_core.data.samples.labels import Label

KEY = Qt.Key


@pytest.fixture
def opened(mill: Mill) -> Mill:
    mill.fill(3)
    mill.open()
    mill.edit("s0")
    return mill


def labels(mill: Mill, count: int, name: str = "s0") -> tuple[Label, ...]:
    mill.until(lambda: len(mill.on_disk(name).labels) == count)
    return mill.on_disk(name).labels


def type_keys(mill: Mill, *keys: Qt.Key) -> None:
    mill.press(*keys, on=mill.editor.canvas)


def do(mill: Mill, key: str) -> None:
    mill.editor.toolbar.actions_by_key[key].trigger()


def test_a_box_makes_a_defect_and_undo_good_cloth_again(opened: Mill) -> None:
    opened.drag((10, 8), (20, 14), (30, 20))
    (box,) = labels(opened, 1)
    assert box.outline == "box"
    for point, wanted in zip(box.points, ((10, 8), (30, 20)), strict=True):
        assert point == pytest.approx(wanted, abs=0.2)
    assert opened.on_disk("s0").is_defect
    opened.until(lambda: opened.grid.samples.sample(0).is_defect)
    do(opened, "undo")
    labels(opened, 0)
    assert opened.on_disk("s0").is_good
    do(opened, "redo")
    assert labels(opened, 1) == (box,)


def test_a_polygon_is_closed_by_enter_and_by_a_double_click(opened: Mill) -> None:
    do(opened, "polygon")
    opened.click((10, 10), (40, 10), (40, 30))
    type_keys(opened, KEY.Key_Return)
    (first,) = labels(opened, 1)
    assert len(first.points) == 3
    opened.click((50, 10), (80, 10), (80, 30))
    QTest.mouseDClick(opened.editor.canvas, LEFT, Qt.KeyboardModifier.NoModifier, opened.at(80, 30))
    assert [len(label.points) for label in labels(opened, 2)] == [3, 3]


def test_escape_forgets_what_is_being_drawn_and_then_goes_back_to_the_samples(opened: Mill) -> None:
    do(opened, "polygon")
    opened.click((10, 10), (40, 10), (40, 30))
    type_keys(opened, KEY.Key_Escape)
    assert not opened.editor.canvas.is_drawing
    assert opened.page.is_labelling
    type_keys(opened, KEY.Key_Escape)
    assert not opened.page.is_labelling
    assert opened.grid.hasFocus()
    assert opened.on_disk("s0").labels == ()


def test_a_brush_has_a_size(opened: Mill) -> None:
    do(opened, "brush")
    do(opened, "larger")
    opened.drag((20, 20), (30, 20), (40, 25))
    (stroke,) = labels(opened, 1)
    assert (stroke.outline, stroke.radius_px) == ("brush", 12.0)
    assert len(stroke.points) == 3


def test_a_digit_names_the_label_and_the_next_ones(opened: Mill) -> None:
    opened.drag((10, 8), (30, 20))
    type_keys(opened, KEY.Key_1)
    opened.until(lambda: [label.code for label in labels(opened, 1)] == ["W1"])
    opened.drag((50, 8), (70, 20))
    assert [label.code for label in labels(opened, 2)] == ["W1", "W1"]


def test_a_label_is_selected_moved_and_deleted_by_mouse(opened: Mill) -> None:
    opened.drag((10, 8), (30, 20))
    opened.drag((50, 40), (70, 50))
    labels(opened, 2)
    do(opened, "select")
    opened.drag((20, 14), (25, 20), (30, 24))
    opened.until(lambda: opened.on_disk("s0").labels[0].points[0] == pytest.approx((20, 18), abs=0.5))
    type_keys(opened, KEY.Key_Delete)
    do(opened, "delete")
    (left,) = labels(opened, 1)
    assert left.points[0] == pytest.approx((50, 40), abs=0.2)


def test_all_of_it_goes_without_a_mouse(opened: Mill) -> None:
    canvas = opened.editor.canvas
    for _ in range(5):
        QTest.keyClick(canvas, KEY.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(canvas, KEY.Key_Space)
    for _ in range(3):
        QTest.keyClick(canvas, KEY.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(canvas, KEY.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(canvas, KEY.Key_Space)
    (box,) = labels(opened, 1)
    assert box.points == ((0, 32), (30, 42))
    do(opened, "label")
    QTest.keyClick(canvas, KEY.Key_Right)
    QTest.keyClick(canvas, KEY.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    opened.until(lambda: opened.on_disk("s0").labels[0].points == ((1, 22), (31, 32)))


def test_the_wheel_zooms_where_the_mouse_is_and_fit_shows_all(opened: Mill) -> None:
    canvas = opened.editor.canvas
    whole = canvas.placement
    where = QPointF(opened.at(20, 20))
    at = whole.to_tile((where.x(), where.y()))
    none = Qt.KeyboardModifier.NoModifier
    wheel = QWheelEvent(
        where, canvas.mapToGlobal(where), QPoint(), QPoint(0, 240), Qt.MouseButton.NoButton, none,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, wheel)
    assert canvas.placement.scale > 1.4 * whole.scale
    assert canvas.placement.to_tile((where.x(), where.y())) == pytest.approx(at)
    QTest.mousePress(canvas, Qt.MouseButton.MiddleButton, none, QPoint(50, 50))
    QTest.mouseMove(canvas, QPoint(80, 40))
    QTest.mouseRelease(canvas, Qt.MouseButton.MiddleButton, none, QPoint(80, 40))
    assert canvas.placement.to_screen(at) == pytest.approx((where.x() + 30, where.y() - 10))
    do(opened, "fit")
    assert canvas.placement == whole


def test_next_and_previous_walk_through_the_grid(opened: Mill) -> None:
    opened.drag((10, 8), (30, 20))
    do(opened, "after")
    opened.until(lambda: opened.editor.sample_id == "s1" and opened.editor.is_ready)
    opened.drag((40, 8), (60, 20))
    labels(opened, 1, "s1")
    assert len(labels(opened, 1)) == 1
    do(opened, "before")
    assert opened.editor.sample_id == "s0"
    do(opened, "before")
    assert opened.editor.sample_id == "s0", "there is none before"
    assert [s.id for s in opened.grid.selected()] == ["s0"]


def test_a_full_disk_is_said_and_nothing_drawn_is_lost(opened: Mill) -> None:
    with full_disk():
        opened.drag((10, 8), (30, 20))
        opened.until(lambda: opened.editor.is_unsaved)
    assert opened.grid.samples.sample(0).labels == (), "the grid shows what is on disk"
    opened.answer = QMessageBox.StandardButton.Cancel
    type_keys(opened, KEY.Key_Escape, KEY.Key_Escape)
    assert opened.page.is_labelling
    do(opened, "after")
    assert opened.editor.sample_id == "s0"
    assert len(opened.asked) == 2
    assert "s0.json" in opened.asked[0]
    opened.answer = QMessageBox.StandardButton.Retry
    type_keys(opened, KEY.Key_Escape)
    labels(opened, 1)
    opened.until(lambda: not opened.editor.is_unsaved)
    type_keys(opened, KEY.Key_Escape)
    assert not opened.page.is_labelling


def test_what_somebody_else_labelled_appears(opened: Mill) -> None:
    other = Label("box", ((1.0, 1.0), (5.0, 5.0)), "knot")
    opened.store.update(replace(opened.on_disk("s0"), labels=(other,)))
    opened.until(lambda: opened.editor.sidebar.labels.count() == 1)
    opened.drag((30, 8), (60, 20))
    assert labels(opened, 2)[0] == other


def test_a_sample_that_was_removed_is_said(opened: Mill) -> None:
    opened.store.remove(opened.on_disk("s0"))
    opened.drag((10, 8), (30, 20))
    opened.until(lambda: "no sample s0" in opened.text("Alarm"))
    assert opened.shown() == ["s1", "s2"]
