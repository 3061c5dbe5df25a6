"""What cameras count: frames and encoder steps in counters that wrap, and time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aoi_app.sources.block import Block

Counts = npt.NDArray[np.int64]

_WRAPS = (1 << 16, 1 << 32, 1 << 64)  # GigE Vision 1, 2 and U3V count frames in 16, 32 and 64 bits
_LARGEST_JUMP = 1 << 15  # frames; more than that did not get lost, the counter begins anew
_WINDOW_S = 3.0  # of the speed: long enough to be steady, short enough to follow a machine that starts
_WINDOW_BLOCKS = 64  # at most, whatever their length
_TELLING_S = 0.5  # from so long on two clocks that differ do not differ by chance


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
            # A 16-bit counter goes from 65535 to 1: 0 is "no frame" in GigE Vision 1.
            missed += wrap - (1 if wrap == _WRAPS[0] and not self._uses_zero else 0)
        return missed if missed < _LARGEST_JUMP else None


def unwrap_counts(counts: Counts, last: tuple[int, int] | None, bits: int) -> Counts:
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
        # The shorter way around the circle of the counter: forwards or backwards by less than half of it.
        steps = ((steps + half) & whole) - half
    return np.asarray(begin + np.cumsum(steps), dtype=np.int64)


class LineRate:
    """How fast the web runs, from the clock of the camera. Where it has none, or one that does not count nanoseconds,
    from that of this machine.
    """

    def __init__(self, known: float | None) -> None:
        self._known = known
        self._seen: deque[_Moment] = deque(maxlen=_WINDOW_BLOCKS)
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
        camera_s = None if block.timestamp_ns is None else block.timestamp_ns / 1e9
        now = _Moment(camera_s, block.captured_at_s, end_line)
        # The camera was restarted; its clock begins anew.
        if self._seen and now.runs_back_from(self._seen[-1]):
            self._seen.clear()
        self._seen.append(now)
        while len(self._seen) > 2 and self._seen[0].seconds_to(now) > _WINDOW_S:
            self._seen.popleft()
        seconds = self._seen[0].seconds_to(now)
        if seconds > 0:
            self._measured = (end_line - self._seen[0].line) / seconds


@dataclass(frozen=True, slots=True)
class _Moment:
    """When the web was where, by the camera's clock and by ours."""

    camera_s: float | None
    here_s: float
    line: float

    def runs_back_from(self, before: _Moment) -> bool:
        if self.camera_s is None or before.camera_s is None:
            return (self.camera_s is None) != (before.camera_s is None) or self.here_s < before.here_s
        return self.camera_s < before.camera_s

    def seconds_to(self, later: _Moment) -> float:
        here_s = later.here_s - self.here_s
        if self.camera_s is None or later.camera_s is None:
            return here_s
        camera_s = later.camera_s - self.camera_s
        # A camera that counts in ticks of its own instead of nanoseconds is out by a factor, not by a little.
        is_odd = here_s > _TELLING_S and not 0.5 < camera_s / here_s < 2
        return here_s if is_odd else camera_s
