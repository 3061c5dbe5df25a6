"""What the acquisition process and its owner tell each other."""

from __future__ import annotations

from dataclasses import dataclass

from aoi_app.sources.acquisition.ring import Written
from aoi_app.sources.camera.device import DeviceInfo
from aoi_app.sources.camera.presets import SettingResult

# An array of doubles that both map, without a lock: each place has one writer, and a reader that is one frame late does
# no harm.
PROMISED_S, FRAMES, LINES, INCOMPLETE, LOST_LINES = range(5)
"""Places in the numbers that both processes see: until when a sign of life is promised (``time.monotonic``), and what
was delivered and lost since the process began.
"""
NUMBERS = 5


@dataclass(frozen=True, slots=True)
class Counts:
    """What a camera has delivered.

    Attributes:
        frames, lines: lost ones included.
        lost_lines: of these, those that could not be kept because the reader was late or they could not be read.
        incomplete: buffers that came with pixels missing.
    """

    frames: int = 0
    lines: int = 0
    lost_lines: int = 0
    incomplete: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.frames + other.frames,
            self.lines + other.lines,
            self.lost_lines + other.lost_lines,
            self.incomplete + other.incomplete,
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """The camera is open and its settings are made."""

    info: DeviceInfo
    results: tuple[SettingResult, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The camera cannot be opened, or not read any more; the process ends."""

    text: str
    in_use: bool = False


@dataclass(frozen=True, slots=True)
class NeedsRing:
    """The next block needs a ring with slots of at least so many bytes."""

    slot_bytes: int


@dataclass(frozen=True, slots=True)
class Attached:
    """The process writes into the ring of this name from now on."""

    ring: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """The camera was stopped and started again; its counters may have begun anew."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Frames come that cannot be read; the text says why."""

    text: str


Event = Opened | Failed | NeedsRing | Attached | Restarted | Unusable | Written


@dataclass(frozen=True, slots=True)
class Quit:
    """Stop, close the camera and end."""
