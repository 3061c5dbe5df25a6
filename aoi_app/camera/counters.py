"""What cameras count: frames and encoder steps in counters that wrap, and time."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from aoi_app.camera.block import Block

Counts = npt.NDArray[np.int64]

_WRAPS = (1 << 16, 1 << 32, 1 << 64)
_LARGEST_JUMP = 1 << 15  # frames; more than that did not get lost, the counter begins anew
_WINDOW_S = 3.0
_WINDOW_BLOCKS = 64


class FrameCount:
    """Follows the frame ids of a camera.

    GigE Vision's 16-bit ids leave 0 out when they wrap; a camera that has shown a 0 uses it.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._uses_zero = False

    def missed(self, frame_id: int | None) -> int | None:
        """Frames between the last one and this; 0 where the camera does not count; None where it counts anew."""
        last, self._last = self._last, frame_id
        self._uses_zero = self._uses_zero or frame_id == 0
        if last is None or frame_id is None or frame_id == last:
            return 0
        missed = frame_id - last - 1
        if missed < 0:
            wrap = next((w for w in _WRAPS if w > last), None)
            if wrap is None:
                return None
            missed += wrap - (1 if wrap == _WRAPS[0] and not self._uses_zero else 0)
        return missed if missed < _LARGEST_JUMP else None


def unwrapped(counts: Counts, last: tuple[int, int] | None, bits: int) -> Counts:
    """Counts of an encoder whose counter begins again after ``bits``, as counts from 0 that do not.

    Args:
        counts: (n,) int64 as the camera gave them.
        last: the count before them, as the camera gave it and unwrapped; None begins with 0.
        bits: of the counter, 8..64.
    """
    raw, begin = last or (int(counts[0]), 0)
    steps = np.diff(counts, prepend=np.int64(raw))  # wraps at 64 bits by itself
    if bits < 64:
        half, whole = np.int64(1 << (bits - 1)), np.int64((1 << bits) - 1)
        steps = ((steps + half) & whole) - half
    return np.asarray(begin + np.cumsum(steps), dtype=np.int64)


class LineRate:
    """How fast the web runs, from the clock of the camera or, where it has none, of this machine."""

    def __init__(self, known: float | None) -> None:
        self._known = known
        self._seen: deque[tuple[float, float]] = deque(maxlen=_WINDOW_BLOCKS)  # (seconds, web line)
        self._has_clock = False
        self._measured: float | None = None

    @property
    def lines_per_s(self) -> float | None:
        """Over the last seconds; before there is anything to measure, as told; None where nobody knows."""
        return self._measured if self._measured is not None else self._known

    def begin_anew(self) -> None:
        """After a break: what came before it is not measured together with what comes after."""
        self._seen.clear()

    def add(self, block: Block, end_line: float) -> None:
        """Notes how far the web has come with a block. A clock that begins anew begins a new measurement."""
        has_clock = block.timestamp_ns is not None
        now_s = block.captured_at_s if block.timestamp_ns is None else block.timestamp_ns / 1e9
        if self._seen and (has_clock != self._has_clock or now_s < self._seen[-1][0]):
            self._seen.clear()
        self._has_clock = has_clock
        self._seen.append((now_s, end_line))
        while len(self._seen) > 2 and now_s - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        if last_s > first_s:
            self._measured = (last - first) / (last_s - first_s)
