"""A mismatch of order and cloth is an alarm that stays until somebody has acknowledged it."""

from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import PATIENCE_MS, Begin, over, press

from aoi_app.app.application import Application
from aoi_app.records.reading import read_roll
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.source_choice import SourceChoice

LOOM = SourceChoice("loom:plain", lines_per_s=1e5, seed=13, lines=1800)


def alarm(application: Application) -> str:
    (label,) = [x for x in application.window.alarms.findChildren(QLabel) if x.accessibleName() == "Alarm"]
    return label.text() if label.isVisible() else ""


def test_a_wrong_order_is_alarmed_until_it_is_acknowledged(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin(LOOM, recipe=Recipe(fabric="twill"))
    over(qtbot, application)
    said = [r for r in read_roll(engine, 1)["remarks"] if r["kind"] == "mismatch"]
    assert [r["fabric"] for r in said] == ["twill"]
    assert alarm(application) == f"Roll 1, from 0.00 m on: {said[0]['text']}."
    press(application, "start")  # another roll does not take the alarm away
    qtbot.waitUntil(lambda: "Roll 2" in alarm(application), timeout=PATIENCE_MS)
    assert alarm(application).count("\n") == 1
    over(qtbot, application)
    press(application, "acknowledge")
    assert alarm(application) == ""
    press(application, "acknowledge")


def test_the_right_order_is_not_alarmed(begin: Begin, qtbot: QtBot) -> None:
    application = begin(LOOM, recipe=Recipe(fabric="plain"))
    over(qtbot, application)
    assert alarm(application) == ""


def test_alarms_are_acknowledged_by_a_button_and_many_are_counted(begin: Begin, qtbot: QtBot) -> None:
    application = begin(start=False)
    bar = application.window.alarms
    for k in (1, 2, 3, 3, 4, 5, 6):
        bar.show_alarm(f"alarm {k}")
    assert alarm(application).splitlines() == [
        "2 earlier alarms are in the records.",
        *(f"alarm {k}" for k in (3, 4, 5, 6)),
    ]
    with qtbot.waitSignal(bar.acknowledged):
        bar.findChild(QPushButton).click()
    assert alarm(application) == ""
