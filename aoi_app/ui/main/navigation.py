"""The bar at the left with which one goes from page to page."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QIcon, QKeySequence
from PySide6.QtWidgets import QToolBar, QToolButton, QWidget

_ICON_PX = 28


class Navigation(QToolBar):
    """One button for each page.

    Signals:
        asked: key of the page that the person wants to see.
    """

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Pages", parent)
        self.setObjectName("navigation")
        self.setMovable(False)
        self.setFloatable(False)
        self.setOrientation(Qt.Orientation.Vertical)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(_ICON_PX, _ICON_PX))
        self.toggleViewAction().setVisible(False)  # without it there is no way between the pages
        self._group = QActionGroup(self)

    def add(self, key: str, title: str, shortcut: str, tip: str, icon: QIcon, *, has_key: bool) -> None:
        """A button after those that are there.

        Args:
            key: of its page.
            title, shortcut, tip, icon: of the button.
            has_key: the button answers to the shortcut itself; otherwise an entry of the menu does.
        """
        action = self._group.addAction(icon, title)
        action.setObjectName(key)
        action.setCheckable(True)
        if has_key:
            action.setShortcut(QKeySequence(shortcut))
        action.setToolTip(f"{tip} ({shortcut})")
        action.triggered.connect(lambda _checked=False: self.asked.emit(key))
        self.addAction(action)
        button = self.widgetForAction(action)
        assert isinstance(button, QToolButton)
        button.setAccessibleName(title)
        button.setAccessibleDescription(tip)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setMinimumWidth(92)

    def show_current(self, key: str) -> None:
        """Marks the page that is seen."""
        for action in self._group.actions():
            action.setChecked(action.objectName() == key)
