"""A roll that was not ended is offered at the next start, and goes on as the same roll."""

from pytestqt.qtbot import QtBot
from sqlalchemy import Engine, text
from window_tools import ENDLESS, PATIENCE_MS, Begin, answer, gone, inspecting, over, press, question, rows, stop

from aoi_app.app.application import Application
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_list import read_summaries


def leave(qtbot: QtBot, application: Application, engine: Engine) -> None:
    """The roll runs for a while; then its records are what a killed program leaves."""
    inspecting(qtbot, application)
    qtbot.waitUntil(lambda: rows(application) > 0, timeout=PATIENCE_MS)
    end(qtbot, application)
    leave_roll(engine)


def end(qtbot: QtBot, application: Application) -> None:
    """Ends the roll and the program, whose data the next window takes."""
    stop(qtbot, application)
    over(qtbot, application)
    application.shut_down()
    qtbot.waitUntil(lambda: gone(application), timeout=PATIENCE_MS)


def leave_roll(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE rolls SET state = 'interrupted', ended_at = NULL"))


def test_a_left_roll_is_offered_and_goes_on_or_is_ended(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    leave(qtbot, begin(ENDLESS), engine)
    before = read_roll(engine, 1)
    application = begin(ENDLESS)
    qtbot.waitUntil(lambda: question(application) != "", timeout=PATIENCE_MS)
    length_m = before["roll"]["length_m"]
    assert f"Roll No. 1 was not ended. It stands at {length_m:.1f} m." in question(application)
    assert application.program.roll.session is None, "no roll runs before somebody has answered"
    application.program.roll.ending.forget()  # as Esc: the question goes, and nothing has begun
    press(application, "start")
    answer(qtbot, application, "Go on with this roll")
    qtbot.waitUntil(lambda: rows(application) >= len(before["defects"]), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: read_roll(engine, 1)["roll"]["inspected_m"] > length_m, timeout=PATIENCE_MS)
    end(qtbot, application)
    after = read_roll(engine, 1)
    assert [roll.state for roll in read_summaries(engine)] == ["stopped"]
    assert [gap["reason"].split(";")[0] for gap in after["gaps"]] == ["the program was not running"]
    assert after["defects"][: len(before["defects"])] == before["defects"]
    leave_roll(engine)
    application = begin(ENDLESS)
    answer(qtbot, application, "End it, start a new roll")
    qtbot.waitUntil(lambda: len(read_summaries(engine)) == 2, timeout=PATIENCE_MS)
    assert [roll.state for roll in read_summaries(engine)] == ["running", "interrupted"]
    assert read_roll(engine, 1)["roll"]["ended_at"] is not None
