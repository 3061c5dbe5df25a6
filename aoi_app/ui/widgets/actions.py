"""Everything a person can ask for, as rows: menus, toolbar and shortcuts are made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenuBar, QWidget


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One action.

    Attributes:
        key: what the program calls it.
        text: in menus; the letter after & opens it.
        shortcut: key sequence.
        tip: one sentence.
        checkable: it stays pressed.
        page: key of the page that it belongs to; elsewhere it is off. Empty: of all pages.
    """

    key: str
    text: str
    shortcut: str
    tip: str
    checkable: bool = False
    page: str = ""


def make_actions(parent: QWidget, rows: Sequence[ActionRow]) -> dict[str, QAction]:
    """One QAction per row; nothing is connected yet."""
    actions = {}
    for row in rows:
        action = QAction(row.text, parent)
        action.setShortcut(QKeySequence(row.shortcut))
        action.setToolTip(f"{row.tip} ({row.shortcut})")
        action.setStatusTip(row.tip)
        action.setCheckable(row.checkable)
        action.setObjectName(row.key)
        actions[row.key] = action
    return actions


def fill_menus(bar: QMenuBar, actions: Mapping[str, QAction], menus: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Menus by title and the keys of their actions; an empty key is a separator."""
    for title, keys in menus:
        menu = bar.addMenu(title)
        for key in keys:
            if key:
                menu.addAction(actions[key])
            else:
                menu.addSeparator()


def connect(actions: Mapping[str, QAction], answers: Mapping[str, Callable[[], object]]) -> None:
    """Connects every action to its answer. Raises KeyError when one has none."""
    for key, action in actions.items():
        answer = answers[key]
        action.triggered.connect(lambda _checked=False, answer=answer: answer())
