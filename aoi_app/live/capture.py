"""The capturing thread: reads the source and hands what it delivers over to the inspecting thread."""

from __future__ import annotations

import time

from aoi_app.live.frame_queue import FrameQueue
from aoi_app.live.run_control import END_OF_WEB, RunControl
from aoi_app.live.state import State
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.source import EndOfWeb, FrameSource, TellsStatus

_POLL_S = 0.1  # so long at most a stop waits for a source that delivers nothing
_PAUSED_S = 0.025


class Capture:
    """Runs in a thread of its own, so that a camera is read at its own pace however long a band takes to score."""

    def __init__(self, source: FrameSource, queue: FrameQueue, control: RunControl) -> None:
        """
        Args:
            source: opened and closed here.
            queue: where frames wait for the inspecting thread.
            control: of the roll.
        """
        self._source = source
        self._queue = queue
        self._control = control

    def run(self) -> None:
        """Reads until the web ends or the roll is stopped. Raises SourceError."""
        control = self._control
        with self._source as source:
            control.source_opened()
            while not control.stopping.is_set():
                if control.state is State.PAUSED and not source.is_live:
                    time.sleep(_PAUSED_S)  # its web waits; that of a live source runs on and becomes a gap
                    continue
                try:
                    item = source.read(_POLL_S)
                except EndOfWeb:
                    control.move(END_OF_WEB)
                    break
                if item is None:
                    continue
                if control.state is State.PAUSED:
                    item = Lost(item.lines, "paused by the operator", item.source, item.starts_web, is_wanted=True)
                if not self._hand_over(item):
                    return
            self._tell_outage(source)

    def _hand_over(self, item: Frame | Lost) -> bool:
        """What was read is inspected, also when the roll is being stopped; not once it has failed."""
        while not self._queue.put(item, _POLL_S):
            if self._control.state is State.FAILED:
                return False
        return True

    def _tell_outage(self, source: FrameSource) -> None:
        """A camera that is away when the roll ends: no block follows that would tell how long it was."""
        camera = source.status if isinstance(source, TellsStatus) else None
        if camera is not None and camera.state != "running" and camera.text:
            reason = f"{camera.text} It was still away when the roll ended; nobody knows how much cloth went by."
            self._hand_over(Lost(0, reason, source.name))
