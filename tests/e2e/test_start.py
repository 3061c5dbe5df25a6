"""The start: something is seen at once, the window before what is slow, and what goes wrong is told in a window."""

from __future__ import annotations

import ast
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import PATIENCE_MS, Begin, banner, condition, over, why

from aoi_app.__main__ import VERBS, opens_window
from aoi_app.app.fault_teller import FaultTeller
from aoi_app.app.start_problem import is_told_in_a_window, problem_dialog
from aoi_app.command_line import app
from aoi_app.faults.fault_handler import FaultHandler
from aoi_app.faults.fault_watch import FaultWatch
from aoi_app.faults.report import new_reports, write_report
from aoi_app.records.errors import RecordsError
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_list import read_summaries
from aoi_app.ui.main.problem_dialog import ProblemDialog
from aoi_app.ui.main.splash import show_splash

TOP = Path(__file__).parents[2]
SLOW = {"torch", "torchvision", "timm", "scipy", "sklearn", "matplotlib", "onnx", "harvesters", "genicam"}

WINDOW = f"""
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from aoi_app.app.application import Application
from aoi_app.records.database import open_database
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import Settings
from aoi_app.sources.source_choice import SourceChoice
qt = QApplication([])
engine = open_database("sqlite://")
application = Application(qt, Settings(), engine, SourceChoice(), Path("none.cras"), Recipe(), "cpu", "float32")
application.window.show()
qt.processEvents()
assert application.window.isVisible() and application.window.page == "line"
for page in ("samples", "models", "settings", "cameras", "line"):
    application.show_page(page)
    qt.processEvents()
    print(page, sorted(set(sys.modules) & {SLOW!r}))
application.close()
"""


def test_the_window_is_there_with_all_its_pages_before_anything_slow_is_loaded(tmp_path: Path) -> None:
    """So that it is there within seconds: torch alone takes longer than everything before it."""
    homes = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    done = subprocess.run(
        [sys.executable, "-c", WINDOW],
        capture_output=True,
        text=True,
        check=False,
        cwd=TOP,
        env=os.environ | homes | {"QT_QPA_PLATFORM": "offscreen"},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    loaded = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert {page: ast.literal_eval(found) for page, found in loaded.items()} == {
        page: [] for page in ("samples", "models", "settings", "cameras", "line")
    }


def test_the_verbs_that_open_no_window_are_those_of_the_command_line() -> None:
    named = [command.callback.__name__ for command in app.registered_commands if command.callback is not None]
    commands = {name.replace("_", "-") for name in named}  # as typer names them
    groups = {group.name for group in app.registered_groups}
    assert commands | groups == VERBS


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], True),
        (["--source", "folder:x"], True),
        (["inspect", "folder"], False),
        (["--help"], False),
        (["camera", "find"], False),
    ],
)
def test_only_what_opens_a_window_shows_something_first(arguments: list[str], expected: bool) -> None:
    assert opens_window(arguments) is expected


def test_something_is_seen_before_the_program_is_loaded(qapp: QApplication, qtbot: QtBot) -> None:
    splash = show_splash()
    assert splash is not None
    qtbot.addWidget(splash)
    assert splash.isVisible()
    assert splash.message().strip() == "Loading the program …"
    assert QApplication.instance() is qapp


def test_the_line_says_that_the_model_is_being_loaded(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    assert (condition(application), why(application)) == ("NO ROLL", "loading the model …")
    over(qtbot, application)
    assert "loading" not in why(application)


def test_a_model_that_is_refused_is_not_loading_any_more(begin: Begin, qtbot: QtBot, tmp_path: Path) -> None:
    application = begin(bundle=tmp_path / "missing.cras")
    assert why(application) == "loading the model …"
    qtbot.waitUntil(lambda: why(application) == "", timeout=PATIENCE_MS)
    assert condition(application) == "NO ROLL"


def test_the_first_model_is_chosen_while_it_is_loaded_and_said_where_it_is_another_one(
    program: Begin, qtbot: QtBot, bundle_path: Path, engine: Engine
) -> None:
    """Which model is in use is only known once it was read, and that needs torch."""
    said = "The model in use is damaged. Until then demo.cras inspects."
    application = program(bundle=bundle_path, choose_model=lambda: (bundle_path, said))
    application.begin()
    over(qtbot, application)
    loaded = application.program.line_model.loaded
    assert loaded is not None
    assert loaded.bundle == bundle_path
    assert loaded.remark == said
    (roll,) = read_summaries(engine, 10)
    causes = [alarm["text"] for alarm in read_roll(engine, roll.roll_id)["alarms"]]
    assert said in causes


# --- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "has_terminal", "expected"),
    [("xcb", False, True), ("wayland", False, True), ("xcb", True, False), ("offscreen", False, False)],
)
def test_a_window_tells_it_where_nobody_reads_a_terminal(platform: str, has_terminal: bool, expected: bool) -> None:
    assert is_told_in_a_window(platform, has_terminal=has_terminal) is expected


def text_of(dialog: ProblemDialog) -> str:
    (label,) = [x for x in dialog.findChildren(QLabel) if x.accessibleName() == "What happened"]
    return label.text()


def test_a_database_that_cannot_be_opened_is_told_with_its_details(qtbot: QtBot, tmp_path: Path) -> None:
    error = RecordsError(
        "database-unusable", "The database {address} cannot be used: {reason}", address="<b>x</b>", reason="no"
    )
    dialog = problem_dialog(error, tmp_path / "aoi.log")
    qtbot.addWidget(dialog)
    assert "The database <b>x</b> cannot be used: no" in text_of(dialog)
    dialog.copy()
    copied = QGuiApplication.clipboard().text()
    assert "RecordsError" in copied
    assert "Python 3." in copied
    assert any(str(tmp_path) in label.text() for label in dialog.findChildren(QLabel))


def test_an_error_that_nobody_foresaw_says_what_to_do(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = problem_dialog(KeyError("left"), tmp_path / "aoi.log")
    qtbot.addWidget(dialog)
    assert "KeyError" in text_of(dialog)
    assert "Start it again" in text_of(dialog)


def test_what_went_wrong_before_is_told_once(program: Begin, qtbot: QtBot, tmp_path: Path) -> None:
    application = program()
    watch = FaultWatch(tmp_path / "aoi.log", tmp_path / "reports")
    write_report(watch.reports, "The program crashed.")
    teller = FaultTeller(application.window, application.program.notifier, watch)
    teller.tell_earlier_ones()
    dialog = application.window.findChild(ProblemDialog)
    assert isinstance(dialog, ProblemDialog)
    assert not dialog.isModal()  # the line begins behind it
    (report,) = watch.reports.iterdir()
    assert str(report) in text_of(dialog)
    assert new_reports(watch.reports) == []
    dialog.reject()
    qtbot.waitUntil(lambda: application.window.findChild(ProblemDialog) is None)
    teller.tell_earlier_ones()
    assert application.window.findChild(ProblemDialog) is None


def test_an_error_of_this_run_is_told_at_once(program: Begin, qtbot: QtBot, tmp_path: Path) -> None:
    application = program()
    handler = FaultHandler(tmp_path / "reports", tmp_path / "aoi.log")
    watch = FaultWatch(tmp_path / "aoi.log", tmp_path / "reports", handler)
    teller = FaultTeller(application.window, application.program.notifier, watch)
    try:
        raise ValueError("nobody foresaw it")
    except ValueError as error:
        handler.handle(logging.LogRecord("x", logging.ERROR, "", 1, "it", (), (ValueError, error, error.__traceback__)))
    qtbot.waitUntil(lambda: str(tmp_path / "reports") in banner(application), timeout=PATIENCE_MS)
    assert teller is not None
