"""One roll while it runs: what everybody else may ask of it and read of it.

Two threads do the work: ``capture`` reads the source into a bounded queue, ``inspecting`` does everything else and has
``publisher`` log it before it is shown. ``run_control`` holds their state.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aoi_app.alarms.alarm_list import AlarmList
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.roll import RollInspection
from aoi_app.live.capture import Capture
from aoi_app.live.first_cloth import FirstCloth
from aoi_app.live.frame_queue import FrameQueue
from aoi_app.live.inspecting import Inspecting
from aoi_app.live.line_care import LineCare
from aoi_app.live.publisher import Publisher
from aoi_app.live.run_control import PAUSE, RESUME, STOP, RunControl
from aoi_app.live.state import News, Sink, Snapshot, State
from aoi_app.live.watch import Watch
from aoi_app.records.alarm_log import AlarmLog
from aoi_app.records.roll_log import RollLog
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.source import FrameSource, SourceStatus, TellsStatus
from cras_core.errors import CrasError
from cras_core.web.protocols import TileDetector
from cras_core.web.tiling import TilingConfig

logger = logging.getLogger(__name__)


class Session:
    """Captures, inspects and logs one roll."""

    def __init__(
        self,
        source: FrameSource,
        inspection: RollInspection,
        begin_log: Callable[[], RollLog],
        *,
        mm_per_line: float,
        mm_per_px: float,
        alarms: AlarmList,
        alarm_log: AlarmLog,
        folders: Sequence[Path] = (),
        model_problem: str = "",
        care: LineCare | None = None,
        backlog_lines: int = 16384,
        sinks: Sequence[Sink] = (),
        first_cloth: FirstCloth | None = None,
    ) -> None:
        """
        Args:
            source: where frames come from; opened and closed by this session.
            inspection: what is done with them.
            begin_log: begins the roll in the records; called in the inspecting thread once the source is open.
            mm_per_line, mm_per_px: scale of the web.
            alarms, alarm_log: where what is wrong with the line is raised and recorded.
            folders: that the roll is written to.
            model_problem: why another model inspects than the one in use; it holds until another one takes over.
            care: what the line knows of its camera and computer; None knows nothing.
            backlog_lines: most lines of a live source that may wait; of a source that waits itself, one frame does.
            sinks: also given every outcome, in the inspecting thread, after it was logged; may raise RecordsError.
            first_cloth: teaches the model before the first piece is inspected; None where it knows the cloth.
        """
        self._source = source
        self._inspection = inspection
        self._control = RunControl()
        self._queue = FrameQueue(backlog_lines if source.is_live else 1, drops=source.is_live)
        self._watch = Watch(inspection, self._figures, alarms, alarm_log, is_live=source.is_live, folders=folders)
        self._watch.model_problem = model_problem
        self._watch.care = care = care or LineCare()
        self._publisher = Publisher(
            inspection, self._control, self._watch, mm_per_line=mm_per_line, mm_per_px=mm_per_px, sinks=sinks
        )
        self._capture = Capture(source, self._queue, self._control)
        self._inspecting = Inspecting(
            self._queue,
            inspection,
            self._publisher,
            self._watch,
            self._control,
            begin_log,
            self._camera_remarks,
            first_cloth,
        )
        self._care = care
        self._threads: list[threading.Thread] = []

    @property
    def problems(self) -> list[str]:
        """Everything that went wrong and did not end the roll."""
        return self._publisher.problems

    def start(self) -> None:
        """Opens the source and begins the roll; returns at once."""
        self._control.begin()
        self._threads = [
            threading.Thread(target=self._guarded(self._capture.run), name="capture", daemon=True),
            threading.Thread(target=self._guarded(self._inspecting.run, self._watch.end), name="inspect", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def pause(self) -> None:
        """Stops looking at the web; what a live source delivers meanwhile is a gap."""
        self._control.move(PAUSE)

    def resume(self) -> None:
        """Goes on."""
        self._control.move(RESUME)

    def stop(self, *, abandon: bool = False) -> None:
        """Ends the roll.

        Args:
            abandon: what waits in the queue becomes a gap instead of being inspected first, so that the end comes soon.
        """
        if abandon:
            self._control.abandoning.set()
        self._control.move(STOP)
        self._control.stopping.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until the roll is over; False when it is not within the time."""
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(None if deadline_s is None else max(0.0, deadline_s - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def add_sink(self, sink: Sink) -> None:
        """From now on also gives every outcome to a sink, as those of the beginning. From any thread."""
        self._publisher.add_sink(sink)

    def remove_sink(self, sink: Sink) -> None:
        """The inverse of ``add_sink``; one that is not there is no mistake."""
        self._publisher.remove_sink(sink)

    def set_threshold(self, value: float) -> None:
        """Changes the threshold for cloth that is still to come."""
        self._inspection.threshold = value

    def check_model(self, detector: TileDetector, tiling: TilingConfig) -> None:
        """Whether another model can go on with this roll; from any thread. Raises RecipeError when it cannot."""
        self._inspection.check_detector(detector, tiling)

    def use_model(self, detector: TileDetector, identity: str, tiling: TilingConfig) -> None:
        """Lets another model score the cloth that is still to come; the roll goes on, and nothing of it is lost.

        The thread that inspects takes it over between two pieces of web. May be called from any thread; asked again
        before that, the last one holds.

        Args:
            detector: the model.
            identity: what the records call it.
            tiling: tile and cell size that it was trained with.

        Raises:
            RecipeError: it does not fit the roll; the running model goes on.
        """
        self._inspection.check_detector(detector, tiling)

        def change() -> Outcome:
            self._inspection.use_detector(detector, identity, tiling)
            self._watch.model_problem = ""
            return Outcome()

        self._inspecting.ask(change)

    def splice(self) -> None:
        """The cloth that comes now is spliced to that before. May be called from any thread."""
        self._inspecting.ask(self._inspection.splice)

    @property
    def taught_file(self) -> Path | None:
        """The bundle that the cloth of this roll has taught; None where it has not."""
        return self._inspecting.taught_file

    def teach(self, first_cloth: FirstCloth) -> None:
        """Lets the cloth that comes from now on teach the model; it is inspected once that is done, and the roll goes
        on with what was taught. Cloth that is held for that already goes first. From any thread; returns at once.
        """

        def change() -> Outcome:
            self._inspecting.let_teach(first_cloth)
            return Outcome()

        self._inspecting.ask(change)

    def use_recipes(self, standard: Recipe, own: Mapping[str, Recipe]) -> None:
        """Recipes were edited: threshold and smallest defect act on cloth that is still to come, the rest from the next
        roll on. May be called from any thread.

        Args:
            standard: for cloth that has no recipe of its own.
            own: the recipes of fabrics, by fabric.
        """
        kept = dict(own)
        self._inspecting.ask(lambda: self._inspection.use_recipes(standard, kept))

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._control.state

    def snapshot(self) -> Snapshot:
        """The figures of this moment, with the status of the line and its alarms; cheap, from any thread."""
        return self._watch.look()

    def _figures(self) -> Snapshot:
        state, message = self._control.state_and_message  # before the figures: those of a roll that is over are final
        figures, m_per_s, tiles_per_s = self._publisher.figures()
        # The web of a source that waits stands while the roll is paused; that of a camera runs on.
        stands = state.is_over or (state is State.PAUSED and not self._source.is_live)
        return replace(
            figures,
            state=state,
            message=message,
            speed_m_min=0.0 if stands else m_per_s * 60,
            tiles_per_s=0.0 if stands else tiles_per_s,
            backlog=self._queue.fill,
            threshold=self._inspection.threshold,
            camera=None if state.is_over else self._camera_status(),
        )

    def news(self) -> News:
        """What came since the last call."""
        return self._publisher.news()

    def _camera_status(self) -> SourceStatus | None:
        return self._source.status if isinstance(self._source, TellsStatus) else None

    def _camera_remarks(self) -> tuple[str, ...]:
        """What is to be known of the camera, for the records."""
        camera = self._camera_status()
        if camera is None:
            return ()
        return (*camera.remarks, *self._care.undated_calibrations(camera))

    def _guarded(self, run: Callable[[], None], at_end: Callable[[], None] = lambda: None) -> Callable[[], None]:
        """An exception that ends a thread is reported to the operator and written to the log; the other thread ends
        as well.
        """

        def guarded() -> None:
            try:
                run()
            except CrasError as error:
                self._control.fail(str(error))
            except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
                logger.exception("a thread of the running roll ended")
                what = f"{type(error).__name__}: {error}"
                message = f"Inspection stopped by an internal error ({what}). Please report it with the log file."
                self._control.fail(message)
            finally:
                self._control.source_is_done()
                self._queue.close()
                at_end()

        return guarded
