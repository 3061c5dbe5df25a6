"""The condition of the line in the window, and its alarms, which stay until they are seen and over."""

from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import ENDLESS, PATIENCE_MS, Begin, condition, inspecting, over, press, start_next, stop, why

from aoi_app.app.application import Application
from aoi_app.records.reading import read_roll
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.source_choice import SourceChoice
from aoi_app.ui.main.alarms_dialog import AlarmsDialog

LOOM = SourceChoice("loom:plain", lines_per_s=1e5, seed=13, lines=1800)
WRONG_ORDER = Recipe(fabric="twill")


def alarm(application: Application) -> str:
    (label,) = [x for x in application.window.alarms.findChildren(QLabel) if x.accessibleName() == "Alarm"]
    return label.text() if label.isVisible() else ""


def is_at(qtbot: QtBot, application: Application, word: str) -> None:
    qtbot.waitUntil(lambda: condition(application) == word, timeout=PATIENCE_MS)


def alarms_of(engine: Engine, roll_id: int) -> list[dict[str, object]]:
    return list(read_roll(engine, roll_id)["alarms"])


def test_a_wrong_order_is_alarmed_until_it_is_seen_also_when_it_is_over(
    begin: Begin, qtbot: QtBot, engine: Engine
) -> None:
    application = begin(LOOM, recipe=WRONG_ORDER)
    over(qtbot, application)
    said = [r for r in read_roll(engine, 1)["remarks"] if r["kind"] == "mismatch"]
    assert [r["fabric"] for r in said] == ["twill"]
    qtbot.waitUntil(lambda: "(over now)" in alarm(application), timeout=PATIENCE_MS)
    assert "roll 1 at" in alarm(application)
    assert said[0]["text"] in alarm(application)
    start_next(qtbot, application)  # another roll does not take the alarm away
    qtbot.waitUntil(lambda: "roll 2 at" in alarm(application), timeout=PATIENCE_MS)
    assert alarm(application).count("\n") == 1
    over(qtbot, application)
    press(application, "acknowledge")
    assert alarm(application) == ""
    press(application, "acknowledge")
    assert [(a["cause"], bool(a["acknowledged_by"]), bool(a["gone_at"])) for a in alarms_of(engine, 2)] == [
        ("wrong cloth", True, True)
    ]


def test_an_alarm_that_was_acknowledged_leaves_the_line_as_it_is_while_its_cause_is_there(
    begin: Begin, qtbot: QtBot, engine: Engine
) -> None:
    application = begin(ENDLESS, recipe=WRONG_ORDER)
    is_at(qtbot, application, "INSPECTING WITH RESERVE")
    qtbot.waitUntil(lambda: alarm(application) != "", timeout=PATIENCE_MS)
    press(application, "acknowledge")
    assert alarm(application) == ""
    qtbot.wait(600)
    assert condition(application) == "INSPECTING WITH RESERVE", "the wrong cloth still runs"
    assert "the order names twill" in why(application)
    press(application, "alarm_list")
    dialog = application.window.findChild(AlarmsDialog)
    assert isinstance(dialog, AlarmsDialog)
    cells = [dialog.table.item(0, k) for k in range(dialog.table.columnCount())]
    assert "still there" in [cell.text() for cell in cells if cell is not None][-1]
    silence, reason = dialog.findChild(QPushButton), dialog.findChild(QLineEdit)
    assert isinstance(silence, QPushButton)
    assert isinstance(reason, QLineEdit)
    assert not silence.isEnabled(), "nobody has said why"
    dialog.table.selectRow(0)
    reason.setText("the order is being corrected")
    silence.click()
    qtbot.waitUntil(lambda: "silent until" in dialog.table.item(0, 4).text(), timeout=PATIENCE_MS)
    dialog.reject()
    stop(qtbot, application)
    over(qtbot, application)
    qtbot.waitUntil(
        lambda: [a["shelved_why"] for a in alarms_of(engine, 1)] == ["the order is being corrected"],
        timeout=PATIENCE_MS,
    )


def test_the_right_order_is_inspected_and_not_alarmed(begin: Begin, qtbot: QtBot) -> None:
    application = begin(ENDLESS, recipe=Recipe(fabric="plain"))
    is_at(qtbot, application, "INSPECTING")
    assert alarm(application) == ""
    press(application, "pause")
    is_at(qtbot, application, "PAUSED")
    press(application, "start")
    is_at(qtbot, application, "INSPECTING")
    stop(qtbot, application)
    over(qtbot, application)
    assert condition(application) == "ROLL ENDED"
    assert "nothing missed" in why(application)
    assert alarm(application) == "", "a pause is wanted"


def test_a_threshold_that_was_moved_is_no_green_line(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin(ENDLESS, recipe=Recipe(fabric="plain"))
    is_at(qtbot, application, "INSPECTING")
    application.line.page.set_threshold(2.5)
    is_at(qtbot, application, "INSPECTING WITH RESERVE")
    assert "to 2.50; the recipe says 1.00" in why(application)
    inspecting(qtbot, application)
    qtbot.wait(1500)
    stop(qtbot, application)
    over(qtbot, application)
    assert "with reserve" in why(application)
    roll = read_roll(engine, 1)["roll"]
    assert 0 < roll["reserve_m"] < roll["inspected_m"]


def test_cloth_that_went_by_is_the_headline_of_the_roll(begin: Begin, qtbot: QtBot) -> None:
    """Lines that are black are cloth that nobody has seen."""
    application = begin(start=False)
    from aoi_app.alarms.roll_worth import RollWorth

    bar = application.window.condition
    bar.show_worth(7, RollWorth(5.2, 0.0, 35.6, missed_gaps=3), 1)
    assert (condition(application), why(application)) == (
        "ROLL ENDED",
        "Roll 7: 5.20 m good, 35.60 m NOT INSPECTED; 1 defect.",
    )
    assert bar.property("kind") == "bad"
