"""The state of a running roll, and what its two threads tell each other.

IDLE --start--> OPENING --> RUNNING <--pause/resume--> PAUSED
                   |           |                          |
                   |           +--stop, end of the web----+--> FINISHING --> ENDED
                   +--error--> FAILED <--error in either thread
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from aoi_app.live.state import State

OPENED = {State.OPENING: State.RUNNING}
PAUSE = {State.RUNNING: State.PAUSED}
RESUME = {State.PAUSED: State.RUNNING}
STOP = {
    State.IDLE: State.ENDED,
    State.OPENING: State.FINISHING,
    State.RUNNING: State.FINISHING,
    State.PAUSED: State.FINISHING,
}
END_OF_WEB = {State.RUNNING: State.FINISHING, State.PAUSED: State.FINISHING}
ALL_IS_INSPECTED = {State.FINISHING: State.ENDED, State.RUNNING: State.ENDED, State.PAUSED: State.ENDED}


class RunControl:
    """May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = State.IDLE
        self._message = ""
        self._source_is_open = False
        self._source_is_decided = threading.Event()  # it is open, or never will be
        self.stopping = threading.Event()
        """Nothing more is to be captured; what waits is still inspected."""
        self.abandoning = threading.Event()
        """What waits is not to be inspected either."""

    @property
    def state(self) -> State:
        """Where the roll is."""
        return self._state

    @property
    def state_and_message(self) -> tuple[State, str]:
        """Where the roll is, and what a person should know now."""
        with self._lock:
            return self._state, self._message

    def begin(self) -> None:
        """The threads are about to start. Raises RuntimeError when they were started before."""
        with self._lock:
            if self._state is not State.IDLE:
                raise RuntimeError(f"a session starts once; this one is {self._state.value}")
            self._state = State.OPENING

    def move(self, moves: Mapping[State, State]) -> None:
        """Goes on from the present state; a state that is not among ``moves`` stays, for somebody was faster."""
        with self._lock:
            self._state = moves.get(self._state, self._state)

    def fail(self, message: str) -> None:
        """A thread cannot go on; the other one is to end as well."""
        with self._lock:
            self._state, self._message = State.FAILED, message
        self.stopping.set()

    def say(self, message: str) -> None:
        """Tells a person something; it replaces what was told before."""
        with self._lock:
            self._message = message

    def take_back(self, beginning: str) -> None:
        """Tells a person nothing any more, where what was told last begins so."""
        with self._lock:
            if self._message.startswith(beginning):
                self._message = ""

    def source_opened(self) -> None:
        """The source delivers from now on."""
        self._source_is_open = True
        self._source_is_decided.set()
        self.move(OPENED)

    def source_is_done(self) -> None:
        """The source has ended, or could not be opened; nobody waits for it any more."""
        self._source_is_decided.set()

    def wait_for_source(self) -> bool:
        """Waits until the source is open; False when it cannot be opened."""
        self._source_is_decided.wait()
        return self._source_is_open
