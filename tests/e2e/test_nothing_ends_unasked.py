"""A running roll and the table of a stopped one go only when somebody has said so, or the computer goes down."""

import os
import shutil
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import (
    ENDLESS,
    PATIENCE_MS,
    Begin,
    answer,
    banner,
    inspecting,
    over,
    press,
    question,
    rows,
    state,
    stop,
)

from aoi_app.app import application as application_module
from aoi_app.app.application import Application
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_list import read_summaries
from aoi_app.sources.source_choice import SourceChoice

SHORT = SourceChoice("loom:plain", lines_per_s=1e5, seed=13, lines=2200)


def strips(folder: Path, count: int = 1) -> Path:
    """A single picture: of several it is asked first how they lie."""
    folder.mkdir()
    for k in range(count):
        cv2.imwrite(str(folder / f"{k}.png"), np.full((512, 600), 90, np.uint8))
    return folder


def open_folder(application: Application, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    press(application, "open_folder")


def asked(qtbot: QtBot, application: Application) -> str:
    qtbot.waitUntil(lambda: question(application) != "", timeout=PATIENCE_MS)
    return question(application)


def goes_on(qtbot: QtBot, application: Application, engine: Engine) -> None:
    """The roll runs, and comes further."""
    session = application.program.roll.session
    assert session is not None
    position_m = session.snapshot().position_m
    qtbot.waitUntil(lambda: session.snapshot().position_m > position_m, timeout=PATIENCE_MS)
    assert state(application) == "running"
    assert len(read_summaries(engine, 10)) == 1


@pytest.mark.parametrize("way", ["open_loom", "open_folder", "stop", "quit", "x"])
@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_a_running_roll_goes_on_unless_somebody_says_otherwise(
    begin: Begin,
    qtbot: QtBot,
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    key: Qt.Key,
) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    application.window.activateWindow()
    if way == "open_folder":
        open_folder(application, monkeypatch, strips(tmp_path / "strips"))
    elif way == "x":
        application.window.close()
    else:
        press(application, way)
    asked(qtbot, application)
    choice = application.program.roll.choice
    press(application, way) if way not in ("x", "open_folder") else None  # asked twice is not answered
    asked(qtbot, application)
    QTest.keyClick(application.window.question_bar, key)
    assert question(application) == ""
    assert "The roll goes on" in banner(application)
    goes_on(qtbot, application, engine)
    assert application.program.roll.choice == choice == ENDLESS


def test_a_folder_that_is_empty_or_broken_changes_nothing(
    begin: Begin, qtbot: QtBot, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_text("no picture")
    for name, why in (("empty", "no pictures"), ("broken", "no picture that can be read"), ("gone", "There is no")):
        open_folder(application, monkeypatch, tmp_path / name)
        qtbot.waitUntil(lambda why=why: why in banner(application), timeout=PATIENCE_MS)
        assert banner(application).endswith("The roll goes on.")
        assert question(application) == ""
    goes_on(qtbot, application, engine)


def test_a_stopped_roll_stays_with_its_table(
    begin: Begin, qtbot: QtBot, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = begin(SHORT)
    over(qtbot, application)
    count = rows(application)
    assert count > 0
    (tmp_path / "empty").mkdir()
    open_folder(application, monkeypatch, tmp_path / "empty")
    qtbot.waitUntil(lambda: "no pictures" in banner(application), timeout=PATIENCE_MS)
    assert rows(application) == count
    open_folder(application, monkeypatch, strips(tmp_path / "strips"))
    assert asked(qtbot, application).endswith(
        f"{count} defects have no verdict yet; they leave the screen and stay in the records."
    )
    answer(qtbot, application, "Stay")
    assert rows(application) == count
    assert application.program.roll.choice == SHORT
    for row in range(count):
        application.line.page.table.selectRow(row)
        press(application, "confirm")
    press(application, "open_loom")  # everything was looked at, so nothing has to be asked
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 2, timeout=PATIENCE_MS)


def test_a_source_that_dies_while_the_question_is_open_does_not_cost_the_roll(
    begin: Begin, qtbot: QtBot, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    folder = strips(tmp_path / "strips")
    open_folder(application, monkeypatch, folder)
    asked(qtbot, application)
    shutil.rmtree(folder)
    answer(qtbot, application, "Start the new roll")
    qtbot.waitUntil(lambda: "There is no folder" in banner(application), timeout=PATIENCE_MS)
    goes_on(qtbot, application, engine)
    assert application.program.roll.choice == ENDLESS


def test_a_second_question_takes_the_place_of_the_first(
    begin: Begin, qtbot: QtBot, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    application.window.close()
    assert "Quit the program?" in asked(qtbot, application)
    open_folder(application, monkeypatch, strips(tmp_path / "strips"))
    qtbot.waitUntil(lambda: "Start a roll from" in question(application), timeout=PATIENCE_MS)
    answer(qtbot, application, "Start the new roll")
    qtbot.waitUntil(lambda: len(read_summaries(engine, 10)) == 2, timeout=PATIENCE_MS)
    assert application.window.isVisible()
    assert read_roll(engine, 1)["roll"]["state"] == "stopped"


def test_a_roll_that_ends_by_itself_while_the_question_is_open_is_said_in_it(
    begin: Begin, qtbot: QtBot, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = begin(SourceChoice("loom:plain", lines_per_s=1200.0, seed=13, lines=2200))
    inspecting(qtbot, application)
    press(application, "stop")
    asked(qtbot, application)
    over(qtbot, application)
    assert question(application) == "", "there is nothing left to end"
    assert read_roll(engine, 1)["roll"]["state"] == "finished"


def test_quitting_waits_for_the_answer_when_the_roll_ends_first(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin(SourceChoice("loom:plain", lines_per_s=1200.0, seed=13, lines=2200))
    inspecting(qtbot, application)
    press(application, "quit")
    assert "The running roll is ended." in asked(qtbot, application)
    over(qtbot, application)
    assert application.window.isVisible()
    assert "The roll has ended by itself meanwhile." in question(application)
    answer(qtbot, application, "Stay")
    assert application.window.isVisible()
    assert rows(application) > 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_close_the_roll_without_asking(
    begin: Begin, qtbot: QtBot, qapp: QApplication, engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    number = getattr(signal, name)
    kept = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(number, signal.SIG_DFL)  # who started the tests may have it ignored, as nohup does
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    application.window.close()  # an open question waits for nobody
    asked(qtbot, application)
    monkeypatch.setattr(qapp, "exec", lambda: 0)
    try:
        application_module.take_signals(application)
        os.kill(os.getpid(), number)
        qtbot.waitUntil(lambda: not application.window.isVisible(), timeout=PATIENCE_MS)
    finally:
        for each, handler in kept.items():
            signal.signal(each, handler)
    roll = read_roll(engine, 1)["roll"]
    assert roll["state"] == "stopped"
    assert roll["ended_at"] is not None


def test_the_end_of_the_desktop_session_closes_the_roll_at_once(
    begin: Begin, qtbot: QtBot, qapp: QApplication, engine: Engine
) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    application.log_out()
    assert read_roll(engine, 1)["roll"]["state"] == "stopped", "before anything else of the window has its turn"
    qtbot.waitUntil(lambda: not application.window.isVisible(), timeout=PATIENCE_MS)


def test_the_roll_before_stays_until_the_next_one_is_wanted(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    stop(qtbot, application)
    over(qtbot, application)
    qtbot.wait(500)
    assert len(read_summaries(engine, 10)) == 1
    assert state(application) == "ended"
