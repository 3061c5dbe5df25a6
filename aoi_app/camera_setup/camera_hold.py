"""Who holds the camera: the running line, whoever sets its features, or whoever sets its light and focus."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Generic, TypeVar

from aoi_app.sources.registry import find_kind

_STEP_S = 0.05  # of waiting for the turn; a camera that is not wanted any more is noticed so late at most

C = TypeVar("C", bound=AbstractContextManager[Any])


def may_hold_camera(spec: str) -> bool:
    """Whether a roll from the source of this specification may hold a camera."""
    kind = find_kind(spec)
    return kind is not None and kind.holds_camera


def why_not_now(*, is_running: bool, is_about_to_begin: bool) -> str:
    """Why the camera cannot be opened beside a roll that may hold it, a sentence; empty where it can."""
    if is_running:
        return "A roll runs on the camera. Stop the roll (F8), then open the camera here."
    return "A roll is about to start on the camera. It can be opened here after the roll." if is_about_to_begin else ""


class CameraHold(Generic[C]):
    """The camera of one service: wanted, waited for, entered, left.

    Most cameras can be opened once only. Services that share a turn take it one after the other; whoever waits for it
    stops waiting as soon as the camera is not wanted any more, so that no two can wait for each other.
    ``want`` and ``give_up`` may be called by any thread, ``take`` and ``let_go`` belong to that of the service.
    """

    def __init__(self, turn: threading.Lock) -> None:
        """``turn``: held by whoever has a camera open."""
        self._turn = turn
        self._is_wanted = threading.Event()
        self._stack = ExitStack()
        self._camera: C | None = None

    @property
    def camera(self) -> C | None:
        """The open camera; None while there is none."""
        return self._camera

    def want(self) -> None:
        """The camera that is taken next may be kept."""
        self._is_wanted.set()

    def give_up(self) -> bool:
        """Nobody wants it any more; whether somebody did until now."""
        was_wanted = self._is_wanted.is_set()
        self._is_wanted.clear()
        return was_wanted

    def take(self, make: Callable[[], C]) -> C | None:
        """Waits for the turn and opens a camera; None where it is not wanted any more. Raises what opening raises.

        Args:
            make: makes the camera, which is then entered. May be slow.
        """
        while not self._turn.acquire(timeout=_STEP_S):
            if not self._is_wanted.is_set():
                return None
        with ExitStack() as stack:  # gives back the turn, unless the camera is open at the end of the block
            stack.callback(self._turn.release)
            camera = make()
            if self._is_wanted.is_set():
                self._camera = stack.enter_context(camera)
                self._stack = stack.pop_all()
        return self._camera

    def let_go(self) -> None:
        """Closes the camera, if one is open."""
        try:
            self._stack.close()
        finally:
            self._camera = None
