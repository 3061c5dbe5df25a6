"""What is shown to whoever sets light and focus and records a flat field, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from aoi_app.background.state_holder import ServiceState
from aoi_app.camera_setup.focus_curves import EvennessCurves, FocusCurves


class Phase(Enum):
    """Whether the camera is open.

    ::

        CLOSED, FAILED -> OPENING -> OPEN
        each of them -> CLOSED, or FAILED where something went wrong
    """

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StoredFlatField:
    """The flat field that is stored for the camera.

    Attributes:
        text: when and how it was recorded; empty where it cannot be read.
        problems: why it does not fit the camera, a sentence each.
    """

    text: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlatFieldState:
    """
    Attributes:
        recording: the reference that is being recorded; empty while none is.
        progress: of the recording, 0..1.
        has_dark: a dark reference was recorded.
        unsaved: the flat field that was recorded and is neither saved nor discarded; empty without one.
        stored: None where none is stored for the camera.
    """

    recording: Literal["", "dark", "white"] = ""
    progress: float = 0.0
    has_dark: bool = False
    unsaved: str = ""
    stored: StoredFlatField | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FocusState(ServiceState):
    """
    Attributes:
        phase: whether the camera is open.
        camera: its name; empty while it is closed.
        light: None before the first lines.
        evenness: None without a flat field that fits the lines.
        flat_field: recorded and stored.
    """

    phase: Phase = Phase.CLOSED
    camera: str = ""
    light: FocusCurves | None = None
    evenness: EvennessCurves | None = None
    flat_field: FlatFieldState = field(default_factory=FlatFieldState)

    @property
    def is_ready(self) -> bool:
        """The camera is open and nothing is being recorded: a recording may begin."""
        return self.phase is Phase.OPEN and not self.busy and not self.flat_field.recording
