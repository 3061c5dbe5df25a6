"""The work order, typed and scanned in the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_tools import ENDLESS, Begin, figure, inspecting, over, press, stop

from aoi_app.app.application import Application
from aoi_app.records.reading import read_roll
from aoi_app.settings.work_order import load_work_order


def scan(qtbot: QtBot, application: Application, *labels: str) -> None:
    """Types as a scanner does, which ends each label with Enter."""
    for label in labels:
        field = application.window.focusWidget()
        qtbot.keyClicks(field, label)
        qtbot.keyClick(field, Qt.Key.Key_Return)


def test_an_order_is_scanned_recorded_corrected_and_remembered(begin: Begin, qtbot: QtBot) -> None:
    application = begin(ENDLESS, start=False)
    bar, roll = application.window.work_order_bar, application.program.roll
    application.program.settings.change(asks_work_order=True)
    press(application, "start")
    assert bar.isVisible()
    assert not roll.is_running
    scan(qtbot, application, "4711", "A-12", "Denim", "L7", "loom 23", "Ana", "1600", "245")
    qtbot.keyClick(application.window.focusWidget(), Qt.Key.Key_Space)  # the button, after the last field
    inspecting(qtbot, application)
    assert figure(application, "Work order") == "roll 4711 · order A-12 · article Denim · lot L7 · loom loom 23"
    assert application.window.windowTitle().startswith("roll 4711")
    assert not bar.isVisible()

    press(application, "work_order")  # the label was that of another roll

    number = application.window.focusWidget()
    assert number.accessibleName() == "Roll number"
    number.selectAll()
    scan(qtbot, application, "4712")
    bar._keep.click()
    kept = read_roll(application.program.engine, roll.roll_id)["roll"]
    assert (kept["roll_number"], kept["article"], kept["nominal_width_mm"], kept["gsm"]) == ("4712", "Denim", 1600, 245)
    stop(qtbot, application)
    over(qtbot, application)

    press(application, "work_order")
    assert (bar.order.roll_number, bar.order.article) == ("", "Denim")
    scan(qtbot, application, "4712")
    assert "4712 was inspected before" in figure(application, "About the roll number")
    qtbot.keyClick(application.window.focusWidget(), Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert load_work_order()[0].article == "Denim"
