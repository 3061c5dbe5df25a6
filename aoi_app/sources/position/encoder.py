"""From the counts of an encoder to lines of the web."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aoi_app.sources.position.counters import Counts, unwrap_counts
from aoi_app.sources.source import SourceError

Lines = npt.NDArray[np.float64]

_NEAR_ZERO_BLOCKS = 4  # an encoder that jumps back to within so many blocks of zero was reset, not turned back
_LONGEST_JUMP_LINES = 1 << 24  # kilometres of cloth do not run by between two blocks


@dataclass(frozen=True, slots=True)
class PositionConfig:
    """What is known of the web's travel.

    Attributes:
        lines_per_count: lines of web per count of the encoder, mm per count divided by mm per line; negative where the
            encoder counts down. None leaves the encoder out.
        encoder_bits: after so many bits the encoder's counter begins again, 8..64.
        slack_lines: holes of so many lines between neighbouring lines are filled with the next line, and a block that
            is nowhere further away from running straight on is taken as it is: an encoder is not that exact.
        longest_return_lines: how far the web may run back; beyond that the encoder is taken to have begun anew.
        lines_per_s: line rate where no clock tells it; None is unknown.
    """

    lines_per_count: float | None = None
    encoder_bits: int = 32
    slack_lines: int = 2
    longest_return_lines: int = 250_000
    lines_per_s: float | None = None

    def __post_init__(self) -> None:
        scale, rate = self.lines_per_count, self.lines_per_s
        if scale is not None and (scale == 0 or not np.isfinite(scale)):
            raise SourceError(
                "encoder-scale-zero",
                "The encoder cannot have {scale} lines per count; give mm per count, not 0.",
                scale=scale,
            )
        if not 8 <= self.encoder_bits <= 64:
            raise SourceError(
                "encoder-bits-out-of-range",
                "An encoder's counter has 8 to 64 bits, not {bits}.",
                bits=self.encoder_bits,
            )
        if self.slack_lines < 0 or self.longest_return_lines < 1:
            raise SourceError(
                "encoder-slack-negative",
                "The slack of the encoder cannot be negative, and a return is at least one line long.",
            )
        if rate is not None and not 0 < rate < np.inf:
            raise SourceError("line-rate-impossible", "A line rate of {rate} lines/s is no line rate.", rate=rate)


@dataclass(frozen=True, slots=True)
class Travel:
    """Where the lines of a block are by the encoder.

    Attributes:
        at: (lines,) float64 web line of every line.
        is_anew: the counter has begun anew; the block was laid behind what is known to be lost.
    """

    at: Lines
    is_anew: bool


class Encoder:
    """Follows the counts of one encoder."""

    def __init__(self, config: PositionConfig, lines_per_count: float) -> None:
        self._config = config
        self._scale = lines_per_count
        self._count: tuple[int, int] | None = None  # as it came and unwrapped, at the end of the last block
        self._origin = 0.0  # web line of count zero
        self._pitch = 1.0  # lines of web per line of a camera that reads its encoder once a block
        self._last: tuple[float, int] | None = None  # web line of the last block with counts, and lines since its first

    def resets(self, counts: Counts) -> list[int]:
        """Lines at which the encoder was set back to zero within a block that has a count for every line."""
        near_zero = _near_zero(len(counts))
        steps = np.diff(unwrap_counts(counts, None, self._config.encoder_bits)) * self._scale
        # A web that runs back goes through its old counts; a counter that was reset jumps to zero.
        back = (steps < -near_zero) & (np.abs(counts[1:] * self._scale) <= near_zero)
        return [int(row) + 1 for row in np.flatnonzero(back)]

    def travel(self, raw: Counts, lines: int, end_line: int, lost_lines: int | None, *, is_break: bool) -> Travel:
        """Places a block.

        Args:
            raw: (lines,) or (1,) int64 counts as the camera gave them.
            lines: of the block.
            end_line: line of the web that comes next.
            lost_lines: what camera and clock say was lost before the block; None where nothing was.
            is_break: the counter may have begun anew.
        """
        counts = unwrap_counts(raw, self._count, self._config.encoder_bits)
        is_anew = self._count is not None and self._is_anew(counts, raw, lines, end_line, lost_lines or 0, is_break)
        if self._count is None or is_anew:
            counts = unwrap_counts(raw, None, self._config.encoder_bits)
            self._origin = end_line + (lost_lines or 0)  # counts begin with 0
            self._pitch, self._last = 1.0, None
        self._count = int(raw[-1]), int(counts[-1])
        # Float: an encoder may have 3.7 counts a line.
        at: Lines = np.asarray(self._origin + counts * self._scale, dtype=np.float64)
        first_at = float(at[0])
        if len(at) != lines:
            at = self._once_a_block(first_at, lines, end_line, is_whole=lost_lines is None)
        self._last = (first_at, lines)
        return Travel(at, is_anew)

    def pass_by(self, lines: int) -> None:
        """Lines of the camera that came without counts; what the encoder goes on by next is theirs, too."""
        if self._last is not None:
            self._last = self._last[0], self._last[1] + lines

    def _once_a_block(self, first_at: float, lines: int, end_line: int, *, is_whole: bool) -> Lines:
        """Web line of every line of a camera that reads its encoder once a block: it goes on as it did from the last
        block to this one. Where that was too little, nothing is lost, and the block is laid closer to the last one.
        """
        slack = self._config.slack_lines
        if self._last is not None and is_whole:
            last_at, last_lines = self._last
            pitch = (first_at - last_at) / last_lines
            # within the slack it is a camera that the encoder triggers
            self._pitch = 1.0 if abs(pitch - 1) * last_lines <= slack else pitch
        at: Lines = np.arange(lines, dtype=np.float64) * self._pitch + first_at
        if not is_whole or not slack < first_at - end_line <= lines:
            return at
        return np.linspace(end_line, max(end_line, float(at[-1])), lines, dtype=np.float64)

    def _is_anew(self, counts: Counts, raw: Counts, lines: int, end_line: int, lost_lines: int, is_break: bool) -> bool:
        """Whether the counter has begun anew before a block."""
        # Lines of web between what was placed and where the counts say that this block lies.
        jump = float(counts[0]) * self._scale + self._origin - end_line
        if is_break:  # believed where it says what the clock says
            return not 0 <= jump <= 2 * max(lost_lines, lines)
        if -jump > self._config.longest_return_lines or jump > _LONGEST_JUMP_LINES:
            return True
        turned = (int(counts[0]) - (self._count[1] if self._count else 0)) * self._scale
        near_zero = _near_zero(lines)
        return turned < -near_zero and abs(float(raw[0]) * self._scale) <= near_zero


def _near_zero(lines: int) -> int:
    """Lines of web from the encoder's zero that a block may have come when it is the first after a reset."""
    return _NEAR_ZERO_BLOCKS * max(lines, 16)
