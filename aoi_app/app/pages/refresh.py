"""Keeps a page up to date while somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QTimer

from aoi_app.background.state_holder import ServiceState
from aoi_app.ui.widgets.page import Page

S = TypeVar("S", bound=ServiceState)


class Refresh(QObject, Generic[S]):
    """Asks for the state of a service, while its page is seen, and shows it when it is another one.

    A timer and not a signal of the service: a thread that is fast would queue up signals without bound.
    """

    def __init__(self, page: Page, ask: Callable[[], S], show: Callable[[S], object], interval_ms: int = 50) -> None:
        """
        Args:
            page: whose visibility counts; it also owns this.
            ask: for the newest state, with its revision.
            show: draws it.
            interval_ms: between two questions.
        """
        super().__init__(page)
        self._ask, self._show = ask, show
        self._revision = -1
        self._timer = QTimer(self)
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self.now)
        page.shown.connect(self._timer.start)
        page.shown.connect(self.now)
        page.hidden.connect(self._timer.stop)

    def now(self) -> None:
        """Shows what is new at once."""
        state = self._ask()
        if state.revision != self._revision:
            self._revision = state.revision
            self._show(state)

    def stop(self) -> None:
        """Asks no more; the program ends."""
        self._timer.stop()


def while_shown(page: Page, do: Callable[[], object], interval_ms: int) -> QTimer:
    """Does something again and again while a page is seen; the page owns the timer, and the program's end stops it."""
    timer = QTimer(page)
    timer.setInterval(interval_ms)
    timer.timeout.connect(do)
    page.shown.connect(timer.start)
    page.hidden.connect(timer.stop)
    return timer
