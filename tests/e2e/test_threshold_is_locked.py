"""The threshold is moved by somebody who means to, and by nothing else."""

import re

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QSlider, QToolButton
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import Begin, banner, inspecting, over, press, rows, stop

from aoi_app.app.application import Application
from aoi_app.records.reading import read_roll
from aoi_app.sources.source_choice import SourceChoice

SHORT = SourceChoice("loom:plain", lines_per_s=1e5, seed=13, lines=2200)


def slider(application: Application) -> QSlider:
    (found,) = [x for x in application.window.findChildren(QSlider) if x.accessibleName() == "Threshold"]
    return found


def button(application: Application, text: str) -> QToolButton | QPushButton:
    everything = [*application.line.page.findChildren(QToolButton), *application.line.page.findChildren(QPushButton)]
    (found,) = [x for x in everything if x.text() == text and x.isVisible()]
    return found


def effect(application: Application) -> str:
    name = "What the threshold would do"
    (label,) = [x for x in application.window.findChildren(QLabel) if x.accessibleName() == name]
    return label.text() if label.isVisible() else ""


def turn_wheel(widget: QSlider) -> None:
    middle = QPointF(widget.rect().center())
    for _ in range(5):
        event = QWheelEvent(
            middle,
            widget.mapToGlobal(middle),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)


def test_keys_wheel_and_drag_do_nothing_while_it_is_locked(begin: Begin) -> None:
    application = begin(start=False)
    place = slider(application)
    for key in ("raise", "lower"):
        press(application, key)
        assert "The threshold is locked" in banner(application)
    turn_wheel(place)
    QTest.mousePress(place, Qt.MouseButton.LeftButton, pos=QPoint(5, place.height() // 2))
    QTest.mouseMove(place, QPoint(100, place.height() // 2))
    QTest.mouseRelease(place, Qt.MouseButton.LeftButton, pos=QPoint(100, place.height() // 2))
    assert place.value() == 100
    assert application.line.page.threshold == 1.0


def test_the_wheel_does_nothing_when_it_is_unlocked(begin: Begin) -> None:
    application = begin(start=False)
    button(application, "Unlock").click()
    turn_wheel(slider(application))
    assert slider(application).value() == 100


def test_it_says_what_it_would_do_and_holds_when_confirmed_and_goes_back_in_one_step(
    begin: Begin, qtbot: QtBot
) -> None:
    application = begin(SHORT)
    over(qtbot, application)
    recorded = rows(application)
    button(application, "Unlock").click()
    slider(application).setValue(300)
    said = re.search(r"(\d+) defects with 1.00, (\d+) with 3.00", effect(application))
    assert said is not None
    assert int(said[1]) > int(said[2])
    assert application.line.page.threshold == 1.0
    button(application, "Use 3.00").click()
    assert application.line.page.threshold == 3.0
    assert rows(application) == recorded, "what was found was judged once"
    assert effect(application) == ""
    assert not slider(application).isEnabled()
    button(application, "Back to 1.00").click()
    assert application.line.page.threshold == 1.0


@pytest.mark.parametrize("way", ["Keep 1.00", "Lock", "Esc"])
def test_what_is_not_confirmed_is_forgotten(begin: Begin, way: str) -> None:
    application = begin(start=False)
    press(application, "unlock")
    press(application, "raise")
    press(application, "raise")
    assert slider(application).value() == 110
    if way == "Esc":
        QTest.keyClick(slider(application), Qt.Key.Key_Escape)
    else:
        button(application, way).click()
    assert slider(application).value() == 100
    assert application.line.page.threshold == 1.0
    press(application, "raise")
    assert slider(application).value() == 100


def test_enter_confirms(begin: Begin) -> None:
    application = begin(start=False)
    press(application, "unlock")
    press(application, "lower")
    QTest.keyClick(slider(application), Qt.Key.Key_Return)
    assert application.line.page.threshold == pytest.approx(0.95)


def test_it_locks_again_by_itself(begin: Begin, qtbot: QtBot) -> None:
    application = begin(start=False)
    control = application.line.page.threshold_control
    control.locks_after(50)
    press(application, "unlock")
    press(application, "raise")
    qtbot.waitUntil(lambda: not control.is_unlocked)
    assert slider(application).value() == 100


def test_only_what_is_confirmed_reaches_the_roll(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin(SourceChoice("loom:plain", lines_per_s=1200.0, seed=13))
    inspecting(qtbot, application)
    session = application.program.roll.session
    assert session is not None
    held = session.snapshot().threshold
    press(application, "unlock")
    press(application, "raise")
    assert session.snapshot().threshold == held
    application.line.page.threshold_control.confirm()
    assert session.snapshot().threshold == pytest.approx(held + 0.05)
    stop(qtbot, application)
    over(qtbot, application)
    assert read_roll(engine, 1)["roll"]["threshold"] == pytest.approx(held + 0.05)
