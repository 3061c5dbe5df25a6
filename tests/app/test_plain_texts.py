"""No text of somebody else is read as HTML: one would make the window open files, or hide what is said."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

import aoi_app
from aoi_app.alarms.alarm import Alarm
from aoi_app.live.state import Snapshot
from aoi_app.ui.line.figures_panel import FiguresPanel
from aoi_app.ui.main.alarm_bar import AlarmBar
from aoi_app.ui.widgets.plain import PlainLabel, plain_tip

HOSTILE = '<img src="file:///etc/hostname"><b>denim</b>'
WINDOW = Path(aoi_app.__file__).parent
FILES = [p for room in ("ui", "app") for p in sorted((WINDOW / room).rglob("*.py")) if p.name != "plain.py"]
READS_HTML = {"QLabel", "QTextEdit", "QTextBrowser", "QMessageBox", "QErrorMessage", "QProgressDialog", "setHtml"}
"""What shows a text as HTML where it looks like it, or always; ``widgets/plain.py`` has what does not."""


def calls(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            yield name.rpartition(".")[2]
            if name.startswith("QMessageBox."):  # its questions that need no object
                yield "QMessageBox"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(WINDOW).as_posix())
def test_nothing_in_the_window_reads_html(path: Path) -> None:
    assert READS_HTML.isdisjoint(calls(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "line", ["QLabel(name)", "QtWidgets.QLabel()", "QMessageBox.question(a, b, c)", "x.setHtml(t)"]
)
def test_what_reads_html_is_found(line: str) -> None:
    assert not READS_HTML.isdisjoint(calls(line))


def test_an_alarm_is_shown_as_it_is(qtbot: QtBot) -> None:
    bar = AlarmBar()
    qtbot.addWidget(bar)
    bar.show_alarms([Alarm(1, 1, "camera away", "not inspecting", HOSTILE, 0.0, datetime.now(timezone.utc))])
    shown = [label for label in bar.findChildren(QLabel) if HOSTILE in label.text()]
    assert [label.textFormat() for label in shown] == [Qt.TextFormat.PlainText]


def test_the_name_of_a_fabric_is_shown_as_it_is(qtbot: QtBot) -> None:
    panel = FiguresPanel()
    qtbot.addWidget(panel)
    panel.show_snapshot(Snapshot(fabric=HOSTILE, similarity=0.9))
    shown = [label for label in panel.findChildren(QLabel) if HOSTILE in label.text()]
    assert [label.textFormat() for label in shown] == [Qt.TextFormat.PlainText]


def test_a_tip_of_the_mouse_shows_what_it_was_given(qtbot: QtBot) -> None:
    assert "<img" not in plain_tip(HOSTILE)
    label = PlainLabel(HOSTILE)
    qtbot.addWidget(label)
    assert label.text() == HOSTILE
