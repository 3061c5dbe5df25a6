"""A page of the main window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from aoi_app.ui.widgets.actions import ActionRow
from aoi_app.ui.widgets.theme import Theme


class Page(QWidget):
    """Draws what its controller shows, and announces what the person asks for; it never does it.

    Signals:
        shown: somebody looks at it from now on.
        hidden: nobody looks at it any more.
    """

    shown = Signal()
    hidden = Signal()

    def set_theme(self, theme: Theme) -> None:
        """Colours what the style sheet does not reach."""

    def keys(self) -> Sequence[ActionRow]:
        """Its own keys, for the list of all keys; those of the menus are not among them."""
        return ()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 (Qt's name)
        """Announces it."""
        super().showEvent(event)
        self.shown.emit()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 (Qt's name)
        """Announces it."""
        super().hideEvent(event)
        self.hidden.emit()
