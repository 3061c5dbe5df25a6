"""One roll while it runs: two threads, one state, and what everybody else may read of it.

IDLE --start--> OPENING --> RUNNING <--pause/resume--> PAUSED
                   |           |                          |
                   |           +--stop, end of the web----+--> FINISHING --> ENDED
                   +--error--> FAILED <--error in either thread
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from aoi_app.inspection.defects import Remark
from aoi_app.inspection.outcome import Outcome
from aoi_app.inspection.roll import RollInspection
from aoi_app.inspection.scored_band import ScoredBand
from aoi_app.live.frame_queue import FrameQueue
from aoi_app.live.state import News, Sink, Snapshot, State
from aoi_app.records.errors import RecordsError
from aoi_app.records.roll_log import RollLog
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.source import EndOfWeb, FrameSource, SourceError, SourceStatus, TellsStatus
from cras_core.web.protocols import TileDetector
from cras_core.web.tiling import TilingConfig

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_SPEED_WINDOW_S = 10.0  # longer than one stretch of web takes on a slow machine
_BANDS_FOR_VIEWS = 64


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
        backlog_lines: int = 16384,
        sinks: Sequence[Sink] = (),
    ) -> None:
        """
        Args:
            source: where frames come from; opened and closed by this session.
            inspection: what is done with them.
            begin_log: begins the roll in the records; called in the inspecting thread once the source is open.
            mm_per_line, mm_per_px: scale of the web.
            backlog_lines: most lines of a live source that may wait; of a source that waits itself, one frame does.
            sinks: also given every outcome, in the inspecting thread, after it was logged; may raise RecordsError.
        """
        self._source = source
        self._inspection = inspection
        self._begin_log = begin_log
        self._mm_per_line = mm_per_line
        self._mm_per_px = mm_per_px
        self._sinks = tuple(sinks)
        self._queue = FrameQueue(backlog_lines if source.is_live else 1, drops=source.is_live)
        self._lock = threading.Lock()
        self._state = State.IDLE
        self._message = ""
        self._stop = threading.Event()
        self._abandon = threading.Event()
        self._opened = threading.Event()  # or opening has failed
        self._is_open = False
        self._bands: deque[ScoredBand] = deque(maxlen=_BANDS_FOR_VIEWS)
        self._news: list[Outcome] = []
        self._asked: deque[Callable[[], Outcome]] = deque()  # changes, made between two pieces of web
        self._speed: deque[tuple[float, int, int]] = deque()  # (time, lines, tiles)
        self._figures = Snapshot()
        self._threads: list[threading.Thread] = []
        self.problems: list[str] = []
        """Everything that went wrong and did not end the roll."""

    def start(self) -> None:
        """Opens the source and begins the roll; returns at once."""
        with self._lock:
            if self._state is not State.IDLE:
                raise RuntimeError(f"a session starts once; this one is {self._state.value}")
            self._state = State.OPENING
        self._threads = [
            threading.Thread(target=self._guarded(self._capture), name="capture", daemon=True),
            threading.Thread(target=self._guarded(self._inspect), name="inspect", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def pause(self) -> None:
        """Stops looking at the web; what a live source delivers meanwhile is a gap."""
        self._move({State.RUNNING: State.PAUSED})

    def resume(self) -> None:
        """Goes on."""
        self._move({State.PAUSED: State.RUNNING})

    def stop(self, *, abandon: bool = False) -> None:
        """Ends the roll.

        Args:
            abandon: what waits in the queue becomes a gap instead of being inspected first, so that the end comes soon.
        """
        if abandon:
            self._abandon.set()
        self._move(
            {
                State.IDLE: State.ENDED,
                State.OPENING: State.FINISHING,
                State.RUNNING: State.FINISHING,
                State.PAUSED: State.FINISHING,
            }
        )
        self._stop.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Waits until the roll is over; False when it is not within the time."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def add_sink(self, sink: Sink) -> None:
        """From now on also gives every outcome to a sink, as those of the beginning. From any thread."""
        with self._lock:
            self._sinks = (*self._sinks, sink)

    def remove_sink(self, sink: Sink) -> None:
        """The inverse of ``add_sink``; one that is not there is no mistake."""
        with self._lock:
            self._sinks = tuple(s for s in self._sinks if s != sink)

    def set_threshold(self, value: float) -> None:
        """Changes the threshold for cloth that is still to come."""
        self._inspection.threshold = value

    def use_model(self, detector: TileDetector, identity: str, tiling: TilingConfig) -> None:
        """Lets another model judge the cloth that is still to come; the roll goes on, and nothing of it is lost.

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
            return Outcome()

        self._asked.append(change)

    def use_recipes(self, standard: Recipe, own: Mapping[str, Recipe]) -> None:
        """Recipes were edited: threshold and smallest defect act on cloth that is still to come, the rest from the next
        roll on. May be called from any thread.

        Args:
            standard: for cloth that has no recipe of its own.
            own: the recipes of fabrics, by fabric.
        """
        kept = dict(own)
        self._asked.append(lambda: self._inspection.use_recipes(standard, kept))

    @property
    def state(self) -> State:
        """Where the session is."""
        return self._state

    def snapshot(self) -> Snapshot:
        """The figures of this moment; cheap, from any thread."""
        with self._lock:
            figures, speed = self._figures, list(self._speed)
            state, message = self._state, self._message
        lines_per_s, tiles_per_s = (0.0, 0.0) if state.is_over else _rates(speed, time.monotonic())
        return Snapshot(
            state=state,
            message=message,
            roll_id=figures.roll_id,
            position_m=figures.position_m,
            inspected_m=figures.inspected_m,
            gap_m=figures.gap_m,
            speed_m_min=lines_per_s * self._mm_per_line * 60 / 1000,
            tiles_per_s=tiles_per_s,
            width_mm=figures.width_mm,
            backlog=self._queue.fill,
            fabric=figures.fabric,
            similarity=figures.similarity,
            level=figures.level,
            defects=figures.defects,
            gaps=figures.gaps,
            threshold=self._inspection.threshold,
            camera=None if state.is_over else self._camera(),
        )

    def news(self) -> News:
        """What came since the last call."""
        with self._lock:
            bands, self._bands = tuple(self._bands), deque(maxlen=_BANDS_FOR_VIEWS)
            news, self._news = self._news, []
        return News(
            bands,
            tuple(d for o in news for d in o.defects),
            tuple(g for o in news for g in o.gaps),
            tuple(r for o in news for r in o.remarks),
            tuple(w for o in news for w in o.withdrawn),
        )

    def _camera(self) -> SourceStatus | None:
        return self._source.status if isinstance(self._source, TellsStatus) else None

    def _move(self, moves: dict[State, State]) -> bool:
        with self._lock:
            if self._state in moves:
                self._state = moves[self._state]
                return True
            return False

    def _fail(self, message: str) -> None:
        with self._lock:
            self._state, self._message = State.FAILED, message
        self._stop.set()

    def _guarded(self, run: Callable[[], None]) -> Callable[[], None]:
        """Whatever a thread dies of is said to the person and written to the log; the other thread ends as well."""

        def guarded() -> None:
            try:
                run()
            except (SourceError, RecordsError) as error:
                self._fail(str(error))
            except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
                logger.exception("a thread of the running roll ended")
                what = f"{type(error).__name__}: {error}"
                self._fail(f"Inspection stopped by an internal error ({what}). Please report it with the log file.")
            finally:
                self._opened.set()
                self._queue.close()

        return guarded

    def _capture(self) -> None:
        with self._source as source:
            self._is_open = True
            self._opened.set()
            self._move({State.OPENING: State.RUNNING})
            while not self._stop.is_set():
                if self._state is State.PAUSED and not source.is_live:
                    time.sleep(_POLL_S / 4)
                    continue
                try:
                    item = source.read(_POLL_S)
                except EndOfWeb:
                    self._move({State.RUNNING: State.FINISHING, State.PAUSED: State.FINISHING})
                    break
                if item is None:
                    continue
                if self._state is State.PAUSED:
                    item = Lost(item.lines, "paused by the operator", item.source, item.starts_web)
                if not self._hand_over(item):
                    return
            camera = self._camera()
            if camera is not None and camera.state != "running" and camera.text:
                reason = f"{camera.text} It was still away when the roll ended; nobody knows how much cloth went by."
                self._hand_over(Lost(0, reason, source.name))

    def _hand_over(self, item: Frame | Lost) -> bool:
        """What was read is inspected, also when the roll is being stopped; not once it has failed."""
        while not self._queue.put(item, _POLL_S):
            if self._state is State.FAILED:
                return False
        return True

    def _inspect(self) -> None:
        self._opened.wait()
        if not self._is_open:
            return
        log = self._begin_log()
        with self._lock:
            self._figures = Snapshot(roll_id=log.roll_id)
        try:
            camera = self._camera()
            if camera is not None and camera.remarks:
                remarks = tuple(Remark("camera", "", 0, 0.0, text) for text in camera.remarks)
                self._publish(log, Outcome(remarks=remarks), None)
            while not self._queue.is_drained:
                item = self._queue.get(_POLL_S)
                if item is not None and self._abandon.is_set():
                    item = Lost(
                        item.lines, "the roll was ended before this was inspected", item.source, item.starts_web
                    )
                while self._asked:
                    self._publish(log, self._asked.popleft()(), None)
                if item is not None:
                    self._publish(log, self._inspection.push(item), item)
            ended_by_itself = not self._stop.is_set()
            self._publish(log, self._inspection.finish(), None)
        except Exception:  # whatever it was, the roll is closed and what it has found is kept
            self._publish(log, self._inspection.give_up("inspection failed"), None)
            self._close(log, "failed")
            raise
        failed = self._state is State.FAILED  # the source has, meanwhile
        self._close(log, "failed" if failed else "finished" if ended_by_itself else "stopped")
        self._move({State.FINISHING: State.ENDED, State.RUNNING: State.ENDED, State.PAUSED: State.ENDED})

    def _publish(self, log: RollLog, outcome: Outcome, item: Frame | Lost | None) -> None:
        """Log first, then show."""
        figures = self._updated(outcome)
        columns: dict[str, object] = {
            "length_m": figures.position_m,
            "inspected_m": figures.inspected_m,
            "gap_m": figures.gap_m,
            "width_mm": figures.width_mm or None,
            "fabric": figures.fabric,
            "threshold": self._inspection.threshold,
        }
        log.write(outcome, columns)
        for sink in self._sinks:
            self._give(sink, outcome)
        with self._lock:
            self._figures = figures
            if log.problem is not None:
                self._message = f"{log.problem} {log.waiting} records wait in memory."
            elif self._message.startswith("not recorded"):
                self._message = ""
            self._bands.extend(outcome.bands)
            if outcome.is_worth_recording:
                self._news.append(outcome.records())
            if item is not None:
                now = time.monotonic()
                self._speed.append((now, item.lines, sum(s.rows.tiles for s in outcome.bands)))
                while self._speed and now - self._speed[0][0] > _SPEED_WINDOW_S:
                    self._speed.popleft()

    def _give(self, sink: Sink, outcome: Outcome) -> None:
        try:
            sink(outcome)
        except RecordsError as error:
            self._note(str(error))

    def _updated(self, outcome: Outcome) -> Snapshot:
        old = self._figures
        metres = self._mm_per_line / 1000.0
        known = [s for s in outcome.bands if s.fabric is not None]
        last = known[-1].rows if known else None
        return Snapshot(
            roll_id=old.roll_id,
            position_m=self._inspection.line * metres,
            inspected_m=self._inspection.inspected_lines * metres,
            gap_m=old.gap_m + sum(g.length_m for g in outcome.gaps),
            width_mm=last.edges.width_px * self._mm_per_px if last else old.width_mm,
            fabric=known[-1].fabric if known else old.fabric,
            similarity=last.similarity if last else old.similarity,
            level=last.level if last else old.level,
            defects=max([old.defects, *(d.number for d in outcome.defects)]),
            gaps=old.gaps + len(outcome.gaps),
        )

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            logger.error(problem)
        with self._lock:
            self._message = problem

    def _close(self, log: RollLog, state: str) -> None:
        try:
            log.close(state)
        except RecordsError as error:
            self._note(str(error))


def _rates(done: Sequence[tuple[float, int, int]], now_s: float) -> tuple[float, float]:
    """(lines, tiles) per second over the last seconds; the first entry only marks the beginning."""
    recent = [d for d in done if now_s - d[0] <= _SPEED_WINDOW_S]
    if len(recent) < 2:
        return 0.0, 0.0
    span_s = max(now_s - recent[0][0], 0.5)
    return sum(d[1] for d in recent[1:]) / span_s, sum(d[2] for d in recent[1:]) / span_s
