"""Several cameras across one web.

Lines are joined by their number, so the cameras must count the same lines: triggered by one encoder, or each with the
encoder's counts. Two cameras that run freely drift apart by thousands of lines within hours.

A frame has no notion of a width that is partly lost. Lines that one camera has lost are therefore lost across the whole
web, with the camera named: that its neighbour saw half of them would otherwise pass for an inspection of all.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType

import numpy as np

from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.source import EndOfWeb, FrameSource, SourceError, SourceStatus, TellsStatus
from cras_core.arrays import Image

_POLL_S = 0.005  # one camera is waited for at a time; the others must not be late by more than this
_LOSS_S = 2.0  # so long at most a growing loss waits until it is said


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One of several cameras, from left to right.

    Attributes:
        source: the camera.
        overlap_px: columns that it shares with the camera to its left; 0 for the first.
        offset_lines: line of the web that its first line shows; negative for a camera that sees a place later.
    """

    source: FrameSource
    overlap_px: int = 0
    offset_lines: int = 0


class SideBySide:
    """Joins the frames of neighbouring cameras into frames of the whole width, each column from one camera: a seam
    lies in the middle of an overlap.
    """

    def __init__(self, cameras: Sequence[Neighbour], *, ahead_lines: int = 4096, patience_s: float = 2.0) -> None:
        """
        Args:
            cameras: from left to right; entered and left by this source.
            ahead_lines: how far one may be ahead of another before it is not read any further.
            patience_s: what a live camera may be silent while others are so far ahead; then its lines are lost.

        Raises:
            SourceError: the cameras do not make a web.
        """
        if not cameras:
            raise SourceError("no-camera-in-web", "A web needs at least one camera.")
        if cameras[0].overlap_px != 0 or any(c.overlap_px < 0 for c in cameras):
            raise SourceError(
                "overlap-impossible",
                "The first camera has nothing to its left to overlap with, and no overlap is negative.",
            )
        self._cameras = tuple(cameras)
        self._ahead = ahead_lines
        self._patience_s = patience_s
        self._open = ExitStack()
        self._begin()

    def _begin(self) -> None:
        offsets = [c.offset_lines for c in self._cameras]
        self._line = max(offsets)  # the first that all of them see
        self._spread = self._line - min(offsets)  # so far apart they are when nothing is wrong
        # Each column comes from one camera: where two see the same, the seam lies in the middle of what they share.
        cuts = [c.overlap_px // 2 for c in self._cameras[1:]] + [0]
        self._lanes = [
            _Lane(c.source, c.offset_lines, self._line, c.overlap_px - c.overlap_px // 2, right)
            for c, right in zip(self._cameras, cuts, strict=True)
        ]
        self._ready: deque[Frame | Lost] = deque()
        self._losing: Lost | None = None
        self._losing_since_s = 0.0

    @property
    def name(self) -> str:
        """All of them."""
        return " | ".join(c.source.name for c in self._cameras)

    @property
    def is_live(self) -> bool:
        """Whether any of them is."""
        return any(c.source.is_live for c in self._cameras)

    @property
    def total_lines(self) -> int | None:
        """What all of them see, where that is known."""
        known = [(c.source.total_lines, c.offset_lines) for c in self._cameras]
        ends = [total + offset for total, offset in known if total is not None]
        return min(ends) - max(offset for _, offset in known) if len(ends) == len(known) else None

    @property
    def status(self) -> SourceStatus | None:
        """How all cameras are doing, each with its name where it has something to say; None where nobody tells."""
        told = [(c.source.name, c.source.status) for c in self._cameras if isinstance(c.source, TellsStatus)]
        known = [(name, status) for name, status in told if status is not None]
        if not known:
            return None
        worst = next((status for _, status in known if status.state != "running"), known[0][1])
        return SourceStatus(
            state=worst.state,
            text=" ".join(f"{name}: {status.text}" for name, status in known if status.text),
            speed_m_min=worst.speed_m_min,
            fill=max(status.fill for _, status in known),
            lost_lines=sum(status.lost_lines for _, status in known),
            restarts=sum(status.restarts for _, status in known),
            problem="; ".join(f"{name}: {status.problem}" for name, status in known if status.problem),
            remarks=tuple(f"{name}: {remark}" for name, status in known for remark in status.remarks),
        )

    def __enter__(self) -> SideBySide:
        self._begin()
        with ExitStack() as opening:
            for camera in self._cameras:
                # If the third cannot be opened, the first two are closed again.
                opening.enter_context(camera.source)
            self._open = opening.pop_all()
        for lane in self._lanes:
            lane.heard_s = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._begin()  # frames may lie in a camera's memory
        self._open.close()

    def read(self, timeout_s: float) -> Frame | Lost | None:
        """The next piece of the joined web."""
        deadline = time.monotonic() + timeout_s
        while True:
            heard = False if self._ready else self._listen(deadline)
            self._join()
            self._give_up_on_the_silent()
            if self._ready:
                return self._ready.popleft()
            if all(lane.is_over for lane in self._lanes):
                self._end()
                if self._ready:
                    return self._ready.popleft()
                raise EndOfWeb
            if not heard and time.monotonic() >= deadline:
                return None

    def _listen(self, deadline_s: float) -> bool:
        """Reads every camera that is not too far ahead once, the one that is behind first; it alone is waited for."""
        behind = min(lane.end_line for lane in self._lanes)
        heard = False
        # The one that is furthest behind decides how fast the web comes; waiting for any other would waste its time.
        for k, lane in enumerate(sorted(self._lanes, key=lambda lane: (lane.is_over, lane.end_line))):
            if not lane.is_over and lane.end_line - behind <= self._ahead + self._spread:
                wait_s = min(_POLL_S, max(0.0, deadline_s - time.monotonic())) if k == 0 else 0.0
                heard = lane.listen(wait_s) or heard
        return heard

    def _join(self) -> None:
        """Gives out what all cameras have."""
        while all(lane.pieces for lane in self._lanes):
            heads = [lane.pieces[0] for lane in self._lanes]
            lines = min(h.lines for h in heads)
            # a loss of unknown length has no lines; it comes alone, what lies beside it follows
            now = [(lane, h) for lane, h in zip(self._lanes, heads, strict=True) if lines > 0 or h.lines == 0]
            lost = [(lane.source.name, h) for lane, h in now if isinstance(h, Lost)]
            starts_web = any(h.starts_web for _, h in now)
            if lost:
                said = [h.reason if h.reason.startswith(name) else f"{name}: {h.reason}" for name, h in lost]
                reason = "; ".join(dict.fromkeys(said))
                self._lose(Lost(lines, reason, lost[0][1].source, starts_web))
            else:
                self._put(self._joined([h for h in heads if isinstance(h, Frame)], lines, starts_web))
            self._line += lines
            for lane, _ in now:
                lane.take(lines)

    def _joined(self, frames: list[Frame], lines: int, starts_web: bool) -> Frame:
        parts: list[Image] = []
        for lane, frame in zip(self._lanes, frames, strict=True):
            end = frame.width_px - lane.cut_right_px
            if end <= lane.cut_left_px:
                raise SourceError(
                    "camera-narrower-than-overlap",
                    "{camera} delivers {width_px} px; that is less than it shares with its neighbours.",
                    camera=lane.source.name,
                    width_px=frame.width_px,
                )
            parts.append(frame.image[:lines, lane.cut_left_px : end])
        if len({part.ndim for part in parts}) > 1:
            raise SourceError(
                "cameras-differ-in-colour",
                "Cameras side by side must all be grey or all in colour; set their pixel formats alike.",
            )
        source = " | ".join(f.source for f in frames)
        return Frame(np.concatenate(parts, axis=1), source, max(f.captured_at_s for f in frames), starts_web)

    def _give_up_on_the_silent(self) -> None:
        """Lines of a camera that is silent or has ended, while the others are far ahead, are lost."""
        furthest = max(lane.end_line for lane in self._lanes)
        for lane in self._lanes:
            # Of a source that waits, silence is no loss: a disk may be slow, its lines still come.
            is_silent = lane.is_over or (lane.source.is_live and time.monotonic() - lane.heard_s > self._patience_s)
            if is_silent and not lane.pieces and furthest - lane.end_line > self._ahead + self._spread:
                lane.lose(min(other.end_line for other in self._lanes if other.pieces) - lane.end_line)
        self._join()
        if self._losing is not None and time.monotonic() - self._losing_since_s > _LOSS_S:
            self._put(None)

    def _end(self) -> None:
        """All have ended: what some have seen beyond the others is lost, but for what their offsets explain."""
        furthest = max(lane.end_line for lane in self._lanes)
        for lane in self._lanes:
            # At the end they may differ by what their offsets explain; that cloth was seen by one camera only, and is
            # past.
            if furthest - lane.end_line > self._spread:
                lane.lose(furthest - lane.end_line)
        self._join()
        for lane in self._lanes:
            lane.pieces.clear()
        self._put(None)

    def _lose(self, lost: Lost) -> None:
        """Losses that follow each other are one."""
        before = self._losing
        if before is None or lost.starts_web or before.reason != lost.reason:
            self._put(None)
            self._losing, self._losing_since_s = lost, time.monotonic()
        else:
            self._losing = replace(before, lines=before.lines + lost.lines)

    def _put(self, frame: Frame | None) -> None:
        """Gives out the loss that has ended, and what comes after it."""
        if self._losing is not None:
            self._ready.append(self._losing)
            self._losing = None
        if frame is not None:
            self._ready.append(frame)


class _Lane:
    """What one camera has delivered and the web has not taken yet, by line of the web."""

    def __init__(
        self, source: FrameSource, first_line: int, web_line: int, cut_left_px: int, cut_right_px: int
    ) -> None:
        self.source = source
        self.cut_left_px = cut_left_px
        self.cut_right_px = cut_right_px
        self.pieces: deque[Frame | Lost] = deque()
        self.end_line = web_line  # of the pieces; what lies before it is too late
        self.heard_s = time.monotonic()
        self.is_over = False
        self._next_line = first_line  # of what the camera delivers next

    def listen(self, timeout_s: float) -> bool:
        """Reads the camera once; says whether anything came, be it its end."""
        try:
            item = self.source.read(timeout_s)
        except EndOfWeb:
            self.is_over = True
            return True
        if item is None:
            return False
        self.heard_s = time.monotonic()
        # Lines that were given up already and come after all: the web has gone on without them.
        late = max(0, self.end_line - self._next_line)
        self._next_line += item.lines
        if late == 0 or item.lines > late:
            self.pieces.append(_without(item, min(late, item.lines)))
            self.end_line = max(self.end_line, self._next_line)
        return True

    def lose(self, lines: int) -> None:
        """Gives up on lines that do not come."""
        reason = "it has ended before the others" if self.is_over else "nothing comes from it; check camera and cable"
        self.pieces.append(Lost(lines, reason, self.source.name))
        self.end_line += lines

    def take(self, lines: int) -> None:
        """Lets the web have lines of the first piece."""
        piece = self.pieces.popleft()
        if lines < piece.lines:
            self.pieces.appendleft(_without(piece, lines))


def _without(piece: Frame | Lost, lines: int) -> Frame | Lost:
    """A piece without its first lines."""
    if lines == 0:
        return piece
    if isinstance(piece, Lost):
        return replace(piece, lines=piece.lines - lines, starts_web=False)
    return replace(piece, image=piece.image[lines:], starts_web=False)
