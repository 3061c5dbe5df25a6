"""What every source of frames can do, and how long it waits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, runtime_checkable

from aoi_app.sources.frame import Frame, Lost
from cras_core.errors import CrasError


class SourceError(CrasError):
    """The source cannot go on; the text says what is wrong and what to do."""


class EndOfWeb(Exception):  # noqa: N818 (an end, not an error)
    """The source has delivered everything it has."""


class FrameSource(Protocol):
    """Entered and left like a file; read by one thread.

    Attributes:
        name: for the window and the records.
        is_live: cloth goes by whether or not it is read; what is not taken in time is lost and becomes a gap.
            Otherwise the source waits.
        total_lines: lines in all where that is known, else None.
    """

    @property
    def name(self) -> str:
        """For the window and the records."""

    @property
    def is_live(self) -> bool:
        """Cloth goes by whether or not it is read; what is not taken in time is lost. Otherwise the source waits."""

    @property
    def total_lines(self) -> int | None:
        """Lines in all where that is known."""

    def __enter__(self) -> FrameSource:
        """Opens the source. Raises SourceError."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives everything back."""

    def read(self, timeout_s: float) -> Frame | Lost | None:
        """The next piece of web, or None when there is none within the time. Raises EndOfWeb or SourceError."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How the camera of a source is doing.

    Attributes:
        state: running, starting, waiting to try again, or closed.
        text: what is wrong with it now, for a person; empty when all is well.
        speed_m_min: of the web by the camera's counts, negative while it runs back; None where nothing tells it.
        fill: of the memory between camera and reader, 0..1.
        lost_lines: that were delivered and could not be kept.
        restarts: of the acquisition process.
        problem: what goes wrong beside the line, such as a recording; empty when all is well.
        remarks: what could not be set as wanted, and what else a person should know of it.
        flat_field_at: when its flat field was recorded, ISO 8601; empty where none is used.
    """

    state: str
    text: str = ""
    speed_m_min: float | None = None
    fill: float = 0.0
    lost_lines: int = 0
    restarts: int = 0
    problem: str = ""
    remarks: tuple[str, ...] = ()
    flat_field_at: str = ""


@runtime_checkable
class TellsStatus(Protocol):
    """A source with a camera behind it; may be asked by any thread."""

    @property
    def status(self) -> SourceStatus | None:
        """How it is doing; None before it was opened."""


class Pace:
    """Lets lines through at a rate, or as fast as they are asked for."""

    def __init__(self, lines_per_s: float | None) -> None:
        self._rate = lines_per_s
        self._due_s: float | None = None

    def wait(self, timeout_s: float) -> bool:
        """Waits until the next lines are due; False when they are not within the time."""
        if self._rate is None or self._due_s is None:  # the first lines come at once
            return True
        missing_s = self._due_s - time.monotonic()
        if missing_s > timeout_s:
            time.sleep(timeout_s)
            return False
        if missing_s > 0:
            time.sleep(missing_s)
        return True

    def took(self, lines: int, *, waits: bool) -> None:
        """Notes that lines were delivered; ``waits`` says that the source slows down with a reader that is late
        instead of catching up.
        """
        if self._rate is None:
            return
        now = time.monotonic()
        # A live source catches up, as a web that runs on; one that waits does not hurry after a break.
        due = now if self._due_s is None or waits else self._due_s
        self._due_s = due + lines / self._rate
