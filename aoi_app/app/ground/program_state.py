"""Where the program is: one value, and what may follow."""

from __future__ import annotations

from enum import Enum

from aoi_app.live.state import State


class ProgramState(Enum):
    """
    ::

        IDLE -> LOADING, WAITING -> ROLL -> IDLE
                                    ROLL -> CHANGING -> ROLL
        each of them -> CLOSING
    """

    IDLE = "no roll runs"
    LOADING = "a roll begins when the model is loaded"
    WAITING = "a roll begins when the camera is free"
    ROLL = "a roll runs, or is paused"
    CHANGING = "the roll is being ended, and another one begins after it"
    CLOSING = "the program ends"

    @property
    def begins(self) -> bool:
        """A roll begins as soon as what it needs is there."""
        return self in (ProgramState.LOADING, ProgramState.WAITING, ProgramState.CHANGING)


def state_to_begin(now: ProgramState, roll: State, *, camera_is_free: bool, has_model: bool) -> ProgramState:
    """What follows when a roll is to begin.

    Args:
        now: where the program is.
        roll: where the latest roll is.
        camera_is_free: no page holds the camera that the roll needs.
        has_model: a model is loaded.
    """
    if now is ProgramState.CLOSING:
        return now
    if roll is not State.IDLE and not roll.is_over:
        return now if now is ProgramState.CHANGING else ProgramState.ROLL
    if not has_model:
        return ProgramState.LOADING
    return ProgramState.ROLL if camera_is_free else ProgramState.WAITING


def state_after_end(now: ProgramState) -> ProgramState:
    """What follows when the roll is over."""
    return ProgramState.IDLE if now is ProgramState.ROLL else now
