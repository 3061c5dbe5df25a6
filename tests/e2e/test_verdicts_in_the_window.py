"""The operator says what is a defect and what is not, in the table."""

import getpass
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import Begin, banner, over, press, rows

from aoi_app.app.application import Application
from aoi_app.records.reading import read_roll
from aoi_app.settings.defect_types import DefectType, save_defect_types
from aoi_app.settings.folders import defect_types_path


def shown(application: Application) -> str:
    """The verdict in the chosen row."""
    return str(application.line.page.table.currentIndex().siblingAtColumn(2).data() or "")


def stored(engine: Engine, application: Application) -> dict[str, object]:
    number = int(application.line.page.table.currentIndex().siblingAtColumn(1).data())
    (found,) = [d for d in read_roll(engine, 1)["defects"] if d["id"] == number]
    return {name: found[name] for name in ("verdict", "type_code", "type_name", "reviewer")}


def test_a_defect_is_confirmed_rejected_and_cleared_by_keys(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin()
    over(qtbot, application)
    count = rows(application)
    for key in "crvd":
        QTest.keyClick(application.window, key)
        assert banner(application) == "Choose a defect in the table first."
        application.program.notifier.note("")
    press(application, "next")
    for key, verdict in (("c", "confirmed"), ("r", "rejected"), ("c", "confirmed"), ("v", "")):
        QTest.keyClick(application.window, key)
        assert shown(application) == verdict
        assert (stored(engine, application)["verdict"], stored(engine, application)["reviewer"]) == (
            verdict or None,
            getpass.getuser() if verdict else None,
        )
    assert rows(application) == count


def menu() -> QMenu:
    found = [w for w in QApplication.topLevelWidgets() if isinstance(w, QMenu) and w.isVisible()]
    assert len(found) == 1
    return found[0]


def choose(top: QMenu, *path: str) -> None:
    """Chooses an entry of a menu by what its text begins with."""
    for text in path[:-1]:
        (top,) = [a.menu() for a in top.actions() if a.text().replace("&", "").startswith(text)]
    (action,) = [a for a in top.actions() if a.text().replace("&", "").startswith(path[-1])]
    action.trigger()
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, QMenu):
            widget.close()


def test_the_type_is_named_from_the_catalogue(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    save_defect_types([DefectType("M1", "Fadenzieher", "minor", "line")], defect_types_path())
    application = begin()
    over(qtbot, application)
    press(application, "next")
    press(application, "name_type")
    choose(menu(), "M1  Fadenzieher (minor)")
    assert shown(application) == "confirmed\nFadenzieher"
    assert stored(engine, application) == {
        "verdict": "confirmed",
        "type_code": "M1",
        "type_name": "Fadenzieher",
        "reviewer": getpass.getuser(),
    }


def test_the_menu_of_a_row_says_the_same(begin: Begin, qtbot: QtBot, engine: Engine) -> None:
    application = begin()
    over(qtbot, application)
    table = application.line.page.table
    for path, verdict in ((("Reject",), "rejected"), (("Type", "G1"), "confirmed"), (("Clear verdict",), None)):
        at = table.visualRect(table.model().index(0, 3)).center()
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, table.viewport().mapToGlobal(at))
        QApplication.sendEvent(table.viewport(), event)
        choose(menu(), *path)
        assert table.currentIndex().row() == 0
        assert stored(engine, application)["verdict"] == verdict
    below = QPoint(5, table.viewport().height() - 2)
    if not table.indexAt(below).isValid():
        QApplication.sendEvent(table.viewport(), QContextMenuEvent(QContextMenuEvent.Reason.Mouse, below, below))
        assert not [w for w in QApplication.topLevelWidgets() if isinstance(w, QMenu) and w.isVisible()]


def test_a_verdict_is_seen_and_spoken(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    over(qtbot, application)
    press(application, "next")
    index = application.line.page.table.currentIndex()
    assert index.data(Qt.ItemDataRole.FontRole) is None
    press(application, "reject")
    assert index.siblingAtColumn(3).data(Qt.ItemDataRole.FontRole).strikeOut()
    spoken = str(index.data(Qt.ItemDataRole.AccessibleTextRole))
    assert "rejected" in spoken
    assert f"by {getpass.getuser()}" in spoken
    press(application, "confirm")
    assert index.siblingAtColumn(3).data(Qt.ItemDataRole.FontRole).bold()


def test_a_verdict_that_cannot_be_recorded_is_not_shown(
    begin: Begin, qtbot: QtBot, engine: Engine, tmp_path: Path
) -> None:
    application = begin()
    over(qtbot, application)
    press(application, "next")
    connection = engine.raw_connection()
    connection.execute("DELETE FROM defects")  # type: ignore[attr-defined]
    connection.commit()
    connection.close()
    press(application, "confirm")
    assert "is not in the records" in banner(application)
    assert shown(application) == ""


def test_a_bad_catalogue_is_named_at_the_start(begin: Begin) -> None:
    defect_types_path().parent.mkdir(parents=True, exist_ok=True)
    defect_types_path().write_text("{")
    application = begin(start=False)
    assert "catalogue.json" in banner(application)
