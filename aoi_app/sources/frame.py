"""What a source delivers: pieces of web, and pieces that are missing."""

from __future__ import annotations

from dataclasses import dataclass

from cras_core.arrays import Image


@dataclass(frozen=True, slots=True)
class Frame:
    """Consecutive lines of the web, as a camera delivers them.

    Attributes:
        image: (lines, W) grey or (lines, W, 3) RGB uint8; belongs to the frame, nobody writes to it any more.
        source: where it comes from, a file name or a camera and frame number.
        captured_at_s: ``time.monotonic`` when it was complete.
        starts_web: it does not continue the frame before; strips that are not neighbours.
    """

    image: Image
    source: str
    captured_at_s: float  # not the time of day, which somebody may set
    starts_web: bool = False

    @property
    def lines(self) -> int:
        """Number of lines."""
        return int(self.image.shape[0])

    @property
    def width_px(self) -> int:
        """Pixels in a line."""
        return int(self.image.shape[1])


@dataclass(frozen=True, slots=True)
class Lost:
    """Lines that went by and were not delivered, or cannot be used.

    Attributes:
        lines: how many; 0 where nobody knows.
        reason: for a person, with what to do.
        source: the file or the camera.
        starts_web: as in ``Frame``.
        is_wanted: a person wanted it so; nobody has to be alarmed.
    """

    lines: int
    reason: str
    source: str
    starts_web: bool = False
    is_wanted: bool = False
