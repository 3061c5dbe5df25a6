"""Where blocks lie on the web: which lines are new cloth, which were seen already, and how many never came.

Encoder counts decide where a camera gives them; else the camera's own count of its blocks does. Nothing here knows
pixels or a clock of its own: the same blocks always give the same placements.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from aoi_app.sources.block import Block, Outage
from aoi_app.sources.position.counters import Counts, FrameCount, LineRate
from aoi_app.sources.position.encoder import Encoder, PositionConfig
from aoi_app.sources.position.placement import Kept, Missing, Placement, new_cloth, shift_piece


@dataclass(frozen=True, slots=True)
class _Loss:
    """What is known of the lines between the last block and this one.

    Attributes:
        lines: how many by what camera and clock say; the encoder knows better.
        cause: for a person; empty where nothing seems to be lost.
        how: where ``lines`` is from.
        is_anew: the counters may have begun anew.
    """

    lines: int = 0
    cause: str = ""
    how: str = ""
    is_anew: bool = False

    @property
    def reason(self) -> str:
        """All of it, for a person."""
        return f"{self.cause} ({self.how})" if self.how else self.cause


class WebPosition:
    """Places the blocks of one camera on the web, one after the other."""

    def __init__(self, config: PositionConfig) -> None:
        self._config = config
        self._encoder = Encoder(config, config.lines_per_count) if config.lines_per_count is not None else None
        self._frames = FrameCount()
        self._rate = LineRate(config.lines_per_s)
        self._outage: Outage | None = None
        self._last: tuple[int, float] | None = None  # (lines, captured at) of the last block
        self._last_timestamp_ns: int | None = None
        self._interval_ns: int | None = None  # by the camera's clock, between two blocks that follow each other
        self._lag_lines = 0  # of the last block that the encoder has placed
        self.end_line = 0
        """Lines of web so far, lost ones included; the next new line has this number."""
        self.repeated_lines = 0
        """Lines that showed cloth seen before and were left out."""
        self.blocks_without_counts = 0
        """Blocks in a row, up to the last one, that came without counts of the encoder that is to place them."""
        self.most_without_counts = 0
        """The longest such row so far."""

    @property
    def lines_per_s(self) -> float:
        """Speed of the web over the last seconds, negative while it runs back; 0 where nobody knows."""
        return self._rate.lines_per_s or 0.0

    def note(self, outage: Outage) -> None:
        """The camera could not be read for a while; what is missing is said with the next block, which may tell."""
        before = self._outage.seconds if self._outage is not None else 0.0
        self._outage = Outage(outage.seconds + before, outage.reason)

    def take(self, block: Block) -> Placement:
        """Places the next block: what is missing before or within it, and which of its lines are new cloth."""
        lines = len(block.image)
        counts, encoder = block.encoder, self._encoder
        # An encoder with an index pulse may be reset in mid-block; its parts are placed one after the other.
        resets = encoder.resets(counts) if encoder is not None and counts is not None and len(counts) == lines else []
        placed: list[Missing | Kept] = []
        for first, end in itertools.pairwise([0, *resets, lines]):
            placed += [shift_piece(piece, first) for piece in self._take(_part(block, first, end))]
        return tuple(placed)

    def finish(self) -> Placement:
        """The end of the web: an outage that no block has followed."""
        outage, self._outage = self._outage, None
        if outage is None:
            return ()
        loss = self._after(outage, 0)
        self.end_line += loss.lines
        return (Missing(loss.lines, loss.reason),)

    def _take(self, block: Block) -> Placement:
        lines = len(block.image)
        if lines == 0:
            return ()
        loss = self._loss(block)
        if loss.is_anew:
            self._rate.begin_anew()
        self._last = (lines, block.captured_at_s)
        if self._encoder is None or block.encoder is None or len(block.encoder) == 0:
            if self._encoder is not None:
                self.blocks_without_counts += 1
                self.most_without_counts = max(self.most_without_counts, self.blocks_without_counts)
                self._encoder.pass_by(lines)
            placed = self._straight(lines, loss)
            self._rate.add(block, self.end_line)
        else:
            self.blocks_without_counts = 0
            placed = self._by_encoder(block, block.encoder, self._encoder, loss)
        return placed

    def _loss(self, block: Block) -> _Loss:
        """What camera and clock say of the lines before a block."""
        outage, self._outage = self._outage, None
        last_lines, last_s = self._last or (0, block.captured_at_s)
        # Of the frames that are missing; the last before a stop may be shorter.
        lines = max(len(block.image), last_lines)
        missed = self._frames.missed(block.frame_id)
        has_no_hole = self._clock_shows_no_hole(block.timestamp_ns, missed or 0)
        if outage is not None:
            loss = self._after(outage, len(block.image))
            by_count = 0 if missed is None else missed * lines
            # The camera's count is exact where it went on through the outage; it is believed if the clock says about
            # the same.
            if loss.lines and 0 < by_count <= 2 * (loss.lines + lines):
                loss = replace(loss, lines=by_count, how=f"{by_count} lines by the camera's count")
            return _at_least(block.lost_lines, loss)
        if missed is None:
            unseen = max(0, round((block.captured_at_s - last_s) * self._forward_rate()) - len(block.image))
            how = f"{unseen} lines by the line rate" if unseen else "how much cloth went by is not known"
            cause = f"the camera has begun to count its frames anew, at {block.frame_id}"
            return _at_least(block.lost_lines, _Loss(unseen, cause, how, is_anew=True))
        by_camera = max(0, missed * lines - block.lost_lines)
        causes = []
        if block.lost_lines:
            causes.append(f"{block.lost_lines} lines came faster than they could be read; run the line slower")
        if by_camera:
            causes.append(
                f"the camera or its cable lost {by_camera} lines before frame {block.frame_id}; "
                "check cable, network and buffers"
            )
            if has_no_hole:
                causes.append("the camera's clock shows no hole there, so its count of frames may be wrong")
        return _Loss(block.lost_lines + by_camera, "; ".join(causes))

    def _clock_shows_no_hole(self, timestamp_ns: int | None, missed: int) -> bool:
        """Whether the camera's clock leaves no time for frames that its count says are missing. In units of the time
        between two blocks, because not every camera counts nanoseconds.
        """
        last_ns, self._last_timestamp_ns = self._last_timestamp_ns, timestamp_ns
        if last_ns is None or timestamp_ns is None or timestamp_ns <= last_ns:
            return False
        if missed == 0:
            self._interval_ns = timestamp_ns - last_ns
            return False
        return self._interval_ns is not None and timestamp_ns - last_ns < (1 + missed / 2) * self._interval_ns

    def _after(self, outage: Outage, shown_lines: int) -> _Loss:
        """The lines of an outage by the line rate, without those of the block that has come since."""
        rate = self._rate.lines_per_s
        lines = max(0, round(outage.seconds * self._forward_rate()) - shown_lines)
        if lines:
            how = f"{lines} lines in {outage.seconds:.1f} s by the line rate"
        elif rate is None:
            how = f"{outage.seconds:.1f} s; how much cloth went by is not known"
        else:
            how = f"{outage.seconds:.1f} s; by the line rate before, no cloth went by"
        return _Loss(lines, outage.reason, how, is_anew=True)

    def _forward_rate(self) -> float:
        return max(0.0, self._rate.lines_per_s or 0.0)

    def _straight(self, lines: int, loss: _Loss) -> Placement:
        """Without an encoder every line is new."""
        self.end_line += loss.lines + lines
        kept = Kept(slice(0, lines))
        return (Missing(loss.lines, loss.reason), kept) if loss.cause else (kept,)

    def _by_encoder(self, block: Block, counts: Counts, encoder: Encoder, loss: _Loss) -> Placement:
        """New cloth is what lies beyond everything seen so far, and the encoder knows best what is missing."""
        lost_lines = loss.lines if loss.cause else None
        travel = encoder.travel(counts, len(block.image), self.end_line, lost_lines, is_break=loss.is_anew)
        at = np.rint(travel.at).astype(np.int64)  # (n,) web line of every line of the block
        missing: Placement = ()
        if loss.is_anew or travel.is_anew:
            lines = max(0, int(at[0]) - self.end_line)
            missing = (Missing(lines, _with_encoder(loss, travel.is_anew, int(counts[0])).reason),)
            self.end_line += lines
            self._lag_lines = 0
        new = new_cloth(at, self.end_line, self._config.slack_lines, loss.cause, self._lag_lines)
        self.end_line, self._lag_lines = new.end_line, new.lag_lines
        self.repeated_lines += new.repeated_lines
        self._rate.add(block, float(at[-1]) + 1)
        return (*missing, *new.placement)


def _with_encoder(loss: _Loss, is_anew: bool, count: int) -> _Loss:
    """A loss at which the counters may have begun anew, and what the encoder says of it."""
    if loss.is_anew:
        return loss if is_anew else replace(loss, how="lines by the encoder")
    cause = f"the encoder has begun anew, at {count}; if its counter wraps, set its number of bits"
    return _Loss(loss.lines, "; ".join(c for c in (loss.cause, cause) if c), is_anew=True)


def _at_least(lines: int, loss: _Loss) -> _Loss:
    """A loss of which at least these lines are certain."""
    return loss if loss.lines >= lines else replace(loss, lines=lines, how=f"{lines} lines at least")


def _part(block: Block, first: int, end: int) -> Block:
    """Some lines of a block that has counts for every line."""
    counts = block.encoder[first:end] if block.encoder is not None else None
    lost = block.lost_lines if first == 0 else 0
    return replace(block, image=block.image[first:end], encoder=counts, lost_lines=lost)
