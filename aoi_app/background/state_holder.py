"""The newest state of a service: its threads change it, the window's thread reads it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServiceState:
    """What every service tells; each adds its own.

    Attributes:
        revision: another number, another state.
        busy: what is being done; empty when nothing is.
        progress: share of it that is done, 0..1; None where nobody knows.
        note: what the last command led to; empty without.
        is_alarm: the note tells of something that went wrong.
    """

    revision: int = 0
    busy: str = ""
    progress: float | None = None
    note: str = ""
    is_alarm: bool = False


S = TypeVar("S", bound=ServiceState)


class StateHolder(Generic[S]):
    """Holds one frozen state; every change makes another one with a higher revision.

    The lock may be taken again by the thread that holds it, so that a service can read and change in one step.
    """

    def __init__(self, state: S, derive: Callable[[S], S] = lambda state: state) -> None:
        """
        Args:
            state: the first one.
            derive: fills in, after every change, what follows from other things; called with the lock held.
        """
        self.lock = threading.RLock()
        self._derive = derive
        self._state = derive(state)
        self._asked_s = float("-inf")

    @property
    def state(self) -> S:
        """The newest one, without saying that somebody watches."""
        with self.lock:
            return self._state

    def ask(self) -> S:
        """The newest one, for somebody who shows it and will ask again."""
        self._asked_s = time.monotonic()
        return self.state

    def was_asked_within(self, seconds: float) -> bool:
        """Somebody has shown the state lately; nothing has to be read for a page that nobody looks at."""
        return time.monotonic() - self._asked_s < seconds

    def change(self, **changes: Any) -> None:
        """Replaces fields of the state."""
        with self.lock:
            self._state = self._derive(replace(self._state, revision=self._state.revision + 1, **changes))

    def say(self, text: str, *, is_alarm: bool = False) -> None:
        """Tells what came of a command; nothing is no alarm."""
        self.change(note=text, is_alarm=is_alarm and bool(text))

    def fail(self, text: str) -> None:
        """Tells that something went wrong."""
        self.say(text, is_alarm=True)

    @contextmanager
    def doing(self, busy: str) -> Iterator[None]:
        """Tells what is being done while the block runs."""
        self.change(busy=busy, progress=None)
        try:
            yield
        finally:
            self.change(busy="", progress=None)
