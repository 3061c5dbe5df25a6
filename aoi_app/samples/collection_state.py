"""How collecting samples goes: one frozen value, and what it is in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from aoi_app.background.state_holder import ServiceState
from aoi_app.samples.wording import number


class CollectionPhase(Enum):
    """
    ::

        IDLE -> COLLECTING -> WRITING -> COMPARING -> DONE
                any of the three in the middle -> FAILED
    """

    IDLE = "nothing was collected yet"
    COLLECTING = "tiles of the running web become samples"
    WRITING = "it is enough; what waits is written"
    COMPARING = "the samples are compared with each other"
    DONE = "all is on disk"
    FAILED = "it ended before its time; the note says why"

    @property
    def is_over(self) -> bool:
        """No thread works on it any more."""
        return self in (CollectionPhase.IDLE, CollectionPhase.DONE, CollectionPhase.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CollectionState(ServiceState):
    """How collecting goes. The note says why it failed.

    Attributes:
        phase: where it is.
        fabric: what is being collected.
        collected: samples on disk.
        flagged: tiles left out because the running model flags something in them.
        duplicates: tiles left out because they look like others.
        without_cloth: tiles left out because nothing of them is inspected.
        missed: tiles left out because the collecting thread was late.
        fabric_is_unknown: the running model flags most of this cloth, so what it flags is collected as well and has to
            be checked.
        suspicious: samples of the fabric that a person should check; None where they were not compared.
    """

    phase: CollectionPhase = CollectionPhase.IDLE
    fabric: str = ""
    collected: int = 0
    flagged: int = 0
    duplicates: int = 0
    without_cloth: int = 0
    missed: int = 0
    fabric_is_unknown: bool = False
    suspicious: int | None = None


def collection_text(state: CollectionState) -> str:
    """How collecting goes, for a person; empty before the first time."""
    if state.phase is CollectionPhase.IDLE:
        return ""
    if state.phase is CollectionPhase.COLLECTING:
        return _running_text(state)
    rest = {
        CollectionPhase.WRITING: " Writing the last ones …",
        CollectionPhase.COMPARING: " Comparing them with each other …",
        CollectionPhase.FAILED: f" {state.note}",
        CollectionPhase.DONE: _compared_text(state.suspicious),
    }
    return f"{number(state.collected, 'sample')} of {state.fabric} collected.{rest[state.phase]}"


def _compared_text(suspicious: int | None) -> str:
    if suspicious is None:
        return ""
    found = f"{suspicious} of this fabric look suspicious" if suspicious else "None looks suspicious"
    return f" {found}. Check them on the page Samples (Ctrl+N)."


def _running_text(state: CollectionState) -> str:
    left_out = [
        f"{n} {why}"
        for n, why in (
            (state.flagged, "flagged by the model"),
            (state.duplicates, "too similar to others"),
            (state.missed, "missed because this computer was busy"),
        )
        if n
    ]
    text = f"Collecting {state.fabric}: {number(state.collected, 'sample')}" + (
        f"; left out: {', '.join(left_out)}." if left_out else "."
    )
    if state.fabric_is_unknown:
        text += " The model does not know this cloth, so tiles that it flags are collected too: check them afterwards."
    return text
