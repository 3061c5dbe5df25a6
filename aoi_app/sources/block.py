"""What a camera delivers, before it has a place on the web: one block per buffer, and the times when nothing came."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one buffer, decoded, as the camera counted them.

    Attributes:
        image: (lines, W) grey or (lines, W, 3) RGB; uint8, or uint16 where a pixel has more than 8 bits. May lie in
            memory that is used again once nobody holds the array any more; nobody writes to it until then.
        bits: significant bits of a pixel, 8..16; values lie in 0..2**bits - 1.
        frame_id: the camera's own count of its buffers; None where it does not count.
        timestamp_ns: the camera's clock at the block's beginning; None where it has none.
        encoder: (lines,) int64 counts of the encoder, one per line, or (1,) for the first line; None without a chunk
            for them. May run backwards.
        source: camera and frame, for a person.
        captured_at_s: ``time.monotonic`` when it was complete.
        lost_lines: lines that were delivered before this block but could not be kept, because their reader was late.
    """

    image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    bits: int
    frame_id: int | None
    timestamp_ns: int | None
    encoder: npt.NDArray[np.int64] | None  # signed: a web may run backwards past zero
    source: str
    captured_at_s: float
    lost_lines: int = 0


@dataclass(frozen=True, slots=True)
class Outage:
    """The camera could not be read for a while and has come back; its counters may have begun anew.

    Attributes:
        seconds: how long, from the last block to the first that follows.
        reason: for a person, with what to do.
    """

    seconds: float
    reason: str


class BlockSource(Protocol):
    """A camera, or a recording of one. Entered and left like a file; read by one thread."""

    @property
    def name(self) -> str:
        """For the window and the records."""

    @property
    def is_live(self) -> bool:
        """Cloth goes by whether or not it is read."""

    def __enter__(self) -> BlockSource:
        """Opens the camera. Raises SourceError."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives everything back."""

    def read(self, timeout_s: float) -> Block | Outage | None:
        """The next block, or None when there is none within the time. Raises EndOfWeb or SourceError."""
