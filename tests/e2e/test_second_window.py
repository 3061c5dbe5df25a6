"""A second window on the same data says who has it, and begins nothing by itself."""

import os

from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import PATIENCE_MS, Begin, answer, question, state

from aoi_app.records.roll_list import read_summaries


def test_a_second_window_asks_before_it_begins_a_roll(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    begin(start=False)
    second = begin()
    assert f"process {os.getpid()}" in question(second)
    qtbot.wait(500)
    assert state(second) == "idle"
    answer(qtbot, second, "Use both windows")
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 1, timeout=PATIENCE_MS)


def test_a_second_window_closes_and_leaves_the_first_alone(begin: Begin, qtbot: QtBot) -> None:
    first = begin(start=False)
    second = begin()
    answer(qtbot, second, "Close this window")
    qtbot.waitUntil(lambda: not second.window.isVisible(), timeout=PATIENCE_MS)
    assert first.window.isVisible()
    third = begin()
    assert "Another window" in question(third)


def test_the_window_after_the_first_has_ended_begins_at_once(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    first = begin(start=False)
    first.window.close()
    qtbot.waitUntil(lambda: not first.window.isVisible(), timeout=PATIENCE_MS)
    second = begin()
    assert question(second) == ""
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 1, timeout=PATIENCE_MS)
