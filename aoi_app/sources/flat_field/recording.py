"""A flat field that comes about step by step: dark, then white, each from blocks as they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aoi_app.sources.block import Block
from aoi_app.sources.flat_field.correction import CameraSetup, FlatField, FlatFieldError
from aoi_app.sources.flat_field.levels import ColumnLevel, make_flat_field

Reference = Literal["dark", "white"]


@dataclass(frozen=True, slots=True)
class _Recorded:
    level: ColumnLevel
    setup: CameraSetup


class FlatFieldRecording:
    """Takes blocks while one of the two is recorded. What is refused leaves what was recorded before as it was."""

    def __init__(self) -> None:
        self._done: dict[Reference, _Recorded] = {}
        self._now: _Recorded | None = None
        self._wanted = 1
        self.reference: Reference | None = None
        """What is being recorded."""
        self.flat: FlatField | None = None
        """What came of it; None until there is a white."""

    @property
    def progress(self) -> float:
        """Of what is being recorded, 0..1."""
        return min(1.0, self._now.level.lines / self._wanted) if self._now is not None else 0.0

    @property
    def has_dark(self) -> bool:
        """Whether the dark was recorded."""
        return "dark" in self._done

    def begin(self, reference: Reference, lines: int, setup: CameraSetup) -> None:
        """Begins to record; what was being recorded is dropped.

        Args:
            reference: the dark, with the lens covered, or the white.
            lines: how many to take.
            setup: of the camera.
        """
        self._now, self._wanted, self.reference = _Recorded(ColumnLevel(lines), setup), max(1, lines), reference

    def cancel(self) -> None:
        """Records no further."""
        self._now, self.reference = None, None

    def add(self, block: Block) -> bool:
        """Takes the lines of a block; says whether it was the last one.

        Raises:
            FlatFieldError: what came makes no flat field; it is dropped.
        """
        now, reference = self._now, self.reference
        if now is None or reference is None:
            return False
        try:
            now.level.add(block)
            if not now.level.is_complete:
                return False
            # Tried on a copy: what is refused must not spoil the reference that was recorded before.
            done = self._done | {reference: now}
            self.flat = _made(done)
        except FlatFieldError:
            self.cancel()
            raise
        self._done = done
        self.cancel()
        return True


def _made(done: dict[Reference, _Recorded]) -> FlatField | None:
    white, dark = done.get("white"), done.get("dark")
    if white is None:
        return None
    if dark is not None and _differ(dark.setup, white.setup):
        raise FlatFieldError(
            "exposure-changed-between-references", "Exposure or gain changed between dark and white; record both again."
        )
    return make_flat_field(white.level, dark.level if dark is not None else None, white.setup)


def _differ(one: CameraSetup, other: CameraSetup) -> bool:
    return (one.exposure_us, one.gain) != (other.exposure_us, other.gain)
