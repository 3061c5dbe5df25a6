"""Lines of a web, as they arrive, into the bands that one row of tiles sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cras_core.arrays import Image
from cras_core.errors import DataError
from cras_core.web.tiling import TilingConfig, plan_windows


@dataclass(frozen=True, slots=True)
class Band:
    """What one row of tiles sees of a segment, the unbroken piece of web it belongs to.

    Attributes:
        image: (lines, W) or (lines, W, 3) uint8, the lines that exist.
        first_line: line of the segment that ``image`` begins with.
        above, below: lines that the window reaches beyond the beginning and the end of the segment.
        next_first_line: first line of the next band's window, or None for the last band of the segment.
    """

    image: Image
    first_line: int
    above: int
    below: int
    next_first_line: int | None

    @property
    def window_first_line(self) -> int:
        """First line of the window; negative for the first band, whose halo lies before the segment."""
        return self.first_line - self.above


class BandCutter:
    """Cuts one segment into bands while it grows.

    The windows are those that ``plan_windows`` gives for the finished segment with a halo on both ends; only the last
    one, which is pushed back to the end, has to wait for ``finish``. Holds at most one tile and one frame of lines.
    """

    def __init__(self, tiling: TilingConfig) -> None:
        self._tiling = tiling
        self._buffer: list[Image] = []
        self._buffer_first_line = 0
        self._end_line = 0
        self._next_start = 0  # of the next window, counted from the beginning of the halo

    @property
    def lines(self) -> int:
        """Lines taken in so far."""
        return self._end_line

    @property
    def line_shape(self) -> tuple[int, ...]:
        """(W,) of grey or (W, 3) of colour lines; empty before the first."""
        return self._buffer[0].shape[1:] if self._buffer else ()

    def push(self, image: Image) -> list[Band]:
        """Appends (lines, W[, 3]) and returns the bands that are complete now.

        Raises:
            DataError: width or channels differ from the lines before.
        """
        if self._buffer and image.shape[1:] != self._buffer[0].shape[1:]:
            raise DataError(
                "lines-misfit-web",
                "lines of {shape: x } px do not continue a web of {web: x } px",
                shape=image.shape[1:],
                web=self._buffer[0].shape[1:],
            )
        self._buffer.append(image)
        self._end_line += len(image)
        tile, halo, step = self._tiling.tile_px, self._tiling.halo_px, self._tiling.step_px
        ready = []
        while self._next_start + tile <= self._end_line + halo:
            ready.append(self._cut(self._next_start, tile, next_start=self._next_start + step))
            self._next_start += step
        return ready

    def finish(self) -> list[Band]:
        """The last band of the segment; nothing when the segment is empty."""
        if self._end_line == 0:
            return []
        plan = plan_windows(self._end_line + 2 * self._tiling.halo_px, self._tiling)
        left = [s for s in plan.starts if s >= self._next_start]
        if not left:  # the window that ended exactly with the halo has been given out as if another one followed
            left = [plan.starts[-1]]
        return [self._cut(s, plan.size, next_start=n) for s, n in zip(left, [*left[1:], None], strict=True)]

    def _cut(self, start: int, size: int, next_start: int | None) -> Band:
        halo = self._tiling.halo_px
        first, end = max(0, start - halo), min(self._end_line, start - halo + size)
        image = np.concatenate(self._buffer) if len(self._buffer) > 1 else self._buffer[0]
        part = image[first - self._buffer_first_line : end - self._buffer_first_line]
        # The last window may start up to one tile before the end, so a tile's worth of lines is kept.
        keep_from = max(self._buffer_first_line, end - self._tiling.tile_px)
        self._buffer = [image[keep_from - self._buffer_first_line :]]
        self._buffer_first_line = keep_from
        return Band(
            part,
            first,
            first - (start - halo),
            start - halo + size - end,
            None if next_start is None else next_start - halo,
        )
