"""The inspecting thread: takes frames out of the queue, inspects them, and has the outcome published."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.roll import RollInspection
from aoi_app.live.first_cloth import FirstCloth, TaughtModel
from aoi_app.live.frame_queue import FrameQueue
from aoi_app.live.publisher import Publisher
from aoi_app.live.run_control import ALL_IS_INSPECTED, RunControl
from aoi_app.live.state import State
from aoi_app.live.watch import Watch
from aoi_app.records.roll_log import RollLog
from aoi_app.sources.frame import Frame, Lost

_POLL_S = 0.1

Change = Callable[[], Outcome]
"""A change of the inspection, such as another model or recipe, and what it yields by itself."""


class Inspecting:
    """Runs in a thread of its own. Nobody else touches the inspection or writes the records of the roll."""

    def __init__(
        self,
        queue: FrameQueue,
        inspection: RollInspection,
        publisher: Publisher,
        watch: Watch,
        control: RunControl,
        begin_log: Callable[[], RollLog],
        camera_remarks: Callable[[], Sequence[str]],
        first_cloth: FirstCloth | None = None,
    ) -> None:
        """
        Args:
            queue: where frames wait.
            inspection: what is done with them.
            publisher: told what comes of it.
            watch: told when a piece is inspected and when it is done.
            control: of the roll.
            begin_log: begins the roll in the records; called once the source is open.
            camera_remarks: what is to be known of the camera by now; each is recorded once.
            first_cloth: teaches the model before the first piece is inspected; None where it knows the cloth.
        """
        self._queue = queue
        self._inspection = inspection
        self._publisher, self._watch = publisher, watch
        self._control = control
        self._begin_log = begin_log
        self._camera_remarks = camera_remarks
        self.first_cloth = first_cloth
        """Teaches the model with the cloth that comes next; None where the model knows it. Set by this thread alone."""
        self.taught_file: Path | None = None
        """The bundle that the cloth of this roll has taught; None where it has not."""
        self._changes: deque[Change] = deque()
        self._told: set[str] = set()  # remarks of the camera that are in the records

    def ask(self, change: Change) -> None:
        """Has the thread make a change between two pieces of web. From any thread; returns at once."""
        self._changes.append(change)

    def let_teach(self, first_cloth: FirstCloth) -> None:
        """Has the cloth that comes next teach the model; by this thread alone, in a change. While other cloth is held
        for that already, nothing changes: it would be lost with whoever holds it.
        """
        if self.first_cloth is None or self.first_cloth.is_over:
            self.first_cloth = first_cloth

    def run(self) -> None:
        """Inspects until everything that was captured is done.

        Raises:
            RecordsError: the roll cannot be begun in the records.
        """
        if not self._control.wait_for_source():
            return
        self._publisher.begin(self._begin_log())
        try:
            self._remark_camera()
            while not (self._queue.is_drained and (self.first_cloth is None or self.first_cloth.is_over)):
                self._take_next()
                self._remark_camera()
                self._watch.look()
                self._watch.keep()
            ended_by_itself = not self._control.stopping.is_set()
            self._publisher.publish(self._inspection.finish())
            self._watch.look()  # what came with the end is an alarm as well; afterwards nothing runs any more
        except Exception:  # whatever it was, the roll is closed and what it has found is kept
            waiting = self.first_cloth.waiting if self.first_cloth is not None else ()
            self._publisher.publish(self._inspection.give_up("inspection failed", waiting))
            self._publisher.close("failed")
            raise
        has_failed = self._control.state is State.FAILED  # the source has, meanwhile
        self._publisher.close("failed" if has_failed else "finished" if ended_by_itself else "stopped")
        self._control.move(ALL_IS_INSPECTED)

    def _remark_camera(self) -> None:
        """What is to be known of the camera stands in the records from where it was seen first."""
        new = [text for text in self._camera_remarks() if text not in self._told]
        if new:
            self._told.update(new)
            self._publisher.publish_camera_remarks(new)

    def _take_next(self) -> None:
        first = self.first_cloth
        item = self._queue.get(_POLL_S) if first is None or first.is_over else self._through(first)
        # Changes were asked for before this piece is looked at, so they hold for it.
        while self._changes:
            self._publisher.publish(self._changes.popleft()())
        if item is not None:
            item = self._abandoned(item)
            self._watch.begins()
            self._publisher.publish(self._inspection.push(item), item)
            self._watch.ends()

    def _through(self, first: FirstCloth) -> Frame | Lost | None:
        """The next piece of web that has its model; what the queue holds waits behind it."""
        held = first.next()
        came = None if first.is_full else self._queue.get(0.0 if held is not None else _POLL_S)
        if came is not None:
            first.hold(came)
        elif self._queue.is_drained:
            first.end()
        if self._control.abandoning.is_set():
            first.give_up()
        taught = first.take_model(0.0 if came is not None else _POLL_S)
        self._watch.teaching = first.text
        if taught is not None:
            self._changes.append(lambda: self._be_taught(taught))
        return held

    def _be_taught(self, taught: TaughtModel) -> Outcome:
        """The first cloth has taught the model, or it could not."""
        self.taught_file = taught.file
        model = taught.detector
        if model is None:
            return self._inspection.remark_model(taught.text)
        self._inspection.be_taught(model, taught.identity, model.config.tiling, taught.fabric, taught.text)
        return Outcome()

    def _abandoned(self, item: Frame | Lost) -> Frame | Lost:
        """A piece of web; as lost where the roll is to end without inspecting what waits."""
        if not self._control.abandoning.is_set():
            return item
        reason = "the roll was ended before this was inspected"
        return Lost(item.lines, reason, item.source, item.starts_web, is_wanted=True)
