"""What tests of the whole window look at and press."""

from collections.abc import Callable
from functools import partial

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from aoi_app.app.application import Application
from aoi_app.sources.source_choice import SourceChoice
from aoi_app.ui.main.keys_dialog import KeysDialog
from aoi_app.ui.settings.recipe_form import RecipeForm

PATIENCE_MS = 120_000
Begin = Callable[..., Application]
LOOM = SourceChoice("loom:plain", lines_per_s=1e5, seed=13, lines=1100)
ENDLESS = SourceChoice("loom:plain", lines_per_s=1200.0, seed=12)


def figure(application: Application, name: str) -> str:
    (label,) = [x for x in application.window.findChildren(QLabel) if x.accessibleName() == name]
    return label.text()


def state(application: Application) -> str:
    return application.program.roll.session_state.value


def condition(application: Application) -> str:
    """The one word of the line."""
    return figure(application, "Condition of the line")


def why(application: Application) -> str:
    """What the condition says beside its word."""
    return figure(application, "Why")


def banner(application: Application) -> str:
    (label,) = [x for x in application.window.findChildren(QLabel, "banner") if x.accessibleName() == "Message"]
    return label.text() if label.isVisible() else ""


def rows(application: Application) -> int:
    return application.line.page.table.model().rowCount()


def press(application: Application, key: str) -> None:
    application.window.actions_by_key[key].trigger()


def question(application: Application) -> str:
    """What the person is asked; empty while nothing is."""
    bar = application.window.question_bar
    return bar.question.text if bar.question is not None and bar.isVisible() else ""


def answer(qtbot: QtBot, application: Application, text: str) -> None:
    """Waits for a question and presses the button with this text."""
    bar = application.window.question_bar

    def found() -> list[QPushButton]:
        return [b for b in bar.findChildren(QPushButton) if b.isVisible() and b.text() == text]

    qtbot.waitUntil(lambda: bool(found()), timeout=PATIENCE_MS)
    (button,) = found()
    button.click()


def stop(qtbot: QtBot, application: Application) -> None:
    """Ends the roll, as a person does who means it."""
    press(application, "stop")
    answer(qtbot, application, "End the roll")


def start_next(qtbot: QtBot, application: Application) -> None:
    """Begins the next roll, whether or not that needs a word."""
    before = application.program.roll.session
    press(application, "start")
    qtbot.waitUntil(
        lambda: question(application) != "" or application.program.roll.session is not before, timeout=PATIENCE_MS
    )
    if question(application):
        answer(qtbot, application, "Start the next roll")
    qtbot.waitUntil(lambda: application.program.roll.session is not before, timeout=PATIENCE_MS)


def keys_shown(application: Application) -> list[str]:
    """The list of all keys, one line each; titles included."""
    press(application, "keys")
    dialog = application.window.findChild(KeysDialog)
    assert isinstance(dialog, KeysDialog)
    cells = [(dialog.table.item(row, 0), dialog.table.item(row, 1)) for row in range(dialog.table.rowCount())]
    dialog.reject()
    return [f"{key.text()} {text.text() if text is not None else ''}".strip() for key, text in cells if key is not None]


def recipe_form(application: Application) -> RecipeForm:
    """On the page of settings, which has to be shown before."""
    assert application.window.page == "settings"
    form = application.window.findChild(RecipeForm)
    assert isinstance(form, RecipeForm)
    return form


def over(qtbot: QtBot, application: Application, kind: str = "ended") -> None:
    qtbot.waitUntil(lambda: state(application) == kind, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: application.is_at_rest, timeout=PATIENCE_MS)
    qtbot.wait(150)  # the views take the last news at the next ticks


def inspecting(qtbot: QtBot, application: Application) -> None:
    qtbot.waitUntil(lambda: figure(application, "Position along the web") not in ("0.00 m", "–"), timeout=PATIENCE_MS)


def choose_file(monkeypatch: pytest.MonkeyPatch, path: object) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))


def gone(application: Application) -> bool:
    return application.is_at_rest and not application.window.isVisible()


def close(qtbot: QtBot, application: Application) -> None:
    """Closes the program and deletes its window: a change of colours would be made in every window there ever was."""
    application.shut_down()
    qtbot.waitUntil(partial(gone, application), timeout=PATIENCE_MS)
    application.window.deleteLater()
    application.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
