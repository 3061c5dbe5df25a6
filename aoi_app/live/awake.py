"""While a roll runs, the computer neither sleeps nor locks its display."""

from __future__ import annotations

import logging
from contextlib import ExitStack

from aoi_app.background.worker import SerialWorker

logger = logging.getLogger(__name__)


class KeepAwake:
    """Asks the desktop in a thread of its own, for a bus that hangs must not hold up a roll. ``close`` it at the end.

    GNOME, KDE, Xfce and other desktops are asked over D-Bus, Windows by SetThreadExecutionState. A machine that offers
    nothing of the kind is told in the log: whoever operates the line can do nothing about it.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()  # used by the thread alone
        self._is_told = False
        self._worker = SerialWorker("awake", lambda problem: logger.warning("the computer may sleep: %s", problem))

    def begin(self) -> None:
        """A roll runs from now on."""
        self._worker.put(self._hold)

    def end(self) -> None:
        """No roll runs any more."""
        self._worker.put(self._let_go)

    def close(self) -> None:
        """Lets the computer sleep again, and ends the thread; returns at once."""
        self.end()
        self._worker.close()

    def wait(self, timeout_s: float) -> bool:
        """Whether the thread has ended, within the time."""
        return self._worker.wait(timeout_s)

    @property
    def is_idle(self) -> bool:
        """What was asked for has been done."""
        return self._worker.is_idle

    def _hold(self) -> None:
        from wakepy import keep

        self._let_go()  # a roll that began before the end of the one before was told
        mode = keep.presenting(on_fail="pass")
        self._stack.enter_context(mode)
        if mode.active:
            logger.info("the computer stays awake (%s)", mode.method.name if mode.method is not None else "")
        elif not self._is_told:
            self._is_told = True
            # Not a warning: a command without a log would show it on the screen.
            logger.info("the computer may sleep or lock its display while a roll runs: nothing offers to stop it")

    def _let_go(self) -> None:
        self._stack.close()
