"""Every control of the window says what it is and does, and the Tab key goes the way of the eye."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)
from window_tools import Begin

from aoi_app.alarms.causes import Cause
from aoi_app.alarms.condition import Condition, LineStatus
from aoi_app.alarms.severity import Severity
from aoi_app.app.application import Application
from aoi_app.app.pages.pages import PAGES
from aoi_app.ui.main.condition_bar import fitting

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
)


def controls(root: QWidget) -> Iterator[QWidget]:
    """What a person uses; not the parts that Qt makes of it: arrows, lists that fold out, scroll bars, headings."""
    for widget in root.findChildren(QWidget):
        parent = widget.parentWidget()
        is_list_of_box = parent is not None and isinstance(parent.parentWidget(), QComboBox)
        is_part = (
            is_list_of_box
            or isinstance(parent, (QAbstractSpinBox, QComboBox, QAbstractItemView, QLineEdit, QTabBar))
            or widget.objectName().startswith("qt_")
        )
        if isinstance(widget, CONTROLS) and not isinstance(widget, (QScrollBar, QHeaderView)) and not is_part:
            yield widget


def described(widget: QWidget) -> str:
    page = widget.window().page if hasattr(widget.window(), "page") else ""
    text = getattr(widget, "text", lambda: "")()
    return f"{page}: {type(widget).__name__} {widget.accessibleName() or text or widget.objectName()}"


def spoken(widget: QWidget) -> str:
    """What a screen reader says of it."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def place(widget: QWidget) -> QRect:
    """In the window; of a field in a table, whose rows scroll, the place of the table."""
    inside = widget.parentWidget()
    while inside is not None and not isinstance(inside, QAbstractItemView):
        inside = inside.parentWidget()
    widget = inside or widget
    return QRect(widget.mapTo(widget.window(), QPoint(0, 0)), widget.size())


def chain(root: QWidget) -> Iterator[QWidget]:
    """What the Tab key visits in a page, from its first control on."""
    widget = root.nextInFocusChain()
    while widget is not root:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and root.isAncestorOf(widget) and widget.isVisible():
            yield widget
        widget = widget.nextInFocusChain()


@pytest.fixture
def application(program: Begin) -> Application:
    """All pages of the program, without a roll."""
    application = program()
    application.window.show()
    for row in PAGES:
        application.show_page(row.key)
    return application


def test_controls_say_what_they_are_and_do_and_tab_follows_the_eye(application: Application) -> None:
    found = list(controls(application.window))
    assert len(found) > 80, "the walk has found the window"
    assert [described(w) for w in found if not spoken(w).strip()] == []
    # Rows explain themselves, each with its own tip; one of the whole list would lie over them.
    used = [w for w in found if not isinstance(w, QAbstractItemView)]
    assert [described(w) for w in used if not w.toolTip().strip()] == []
    backwards = []
    for row in PAGES:
        application.show_page(row.key)
        visited = list(chain(application.controllers[row.key].page))
        for one, other in itertools.pairwise(visited):
            before, after = place(one), place(other)
            if after.bottom() < before.top() and after.left() < before.left():
                backwards.append(f"{row.key}: {described(one)} -> {described(other)}")
    assert backwards == []


def test_the_roll_is_started_and_stopped_by_tab_and_nothing_that_appears_moves_a_button(
    application: Application,
) -> None:
    application.show_page("line")
    page = application.controllers["line"].page
    visited = list(chain(page))
    names = [spoken(widget) for widget in visited]
    assert names.index("Start") < names.index("Pause") < names.index("Stop") < names.index("Defects")
    before = [place(widget) for widget in visited[: names.index("Stop") + 1]]
    window = application.window
    wordy = Cause("x", Severity.RESERVE, "The camera sees the cloth differently than before. " * 20)
    window.condition.show_status(LineStatus(Condition.RESERVE, (wordy,)))
    window.say("Something that a person should know.", is_alarm=True)
    window.alarms.show()
    window.question_bar.show()
    window.layout().activate()
    QApplication.processEvents()
    assert [place(widget) for widget in visited[: names.index("Stop") + 1]] == before


@pytest.mark.parametrize(("room", "shown"), [(99, "one two three"), (11, "one two …"), (0, " …")])
def test_words_that_there_is_no_room_for_are_left_out_and_that_is_seen(room: int, shown: str) -> None:
    assert fitting("one two three", lambda text: len(text) <= room) == shown
