"""Work beside the line, in its process: it waits between its steps, so that the line is not late through it."""

from __future__ import annotations

import time

_LONGEST_WAIT_S = 1.0


class Throttle:
    """Called after each step, it waits a multiple of the time that the step took."""

    def __init__(self, share: float) -> None:
        """``share``: waiting, as a multiple of working."""
        self._share = share
        self._since_s = time.monotonic()

    def __call__(self, *_: object) -> None:
        """Takes whatever a step tells; waits."""
        time.sleep(min(_LONGEST_WAIT_S, self._share * (time.monotonic() - self._since_s)))
        self._since_s = time.monotonic()
