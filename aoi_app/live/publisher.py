"""What the inspecting thread makes known: log first, then show."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict

from aoi_app.inspection.findings.defects import Remark
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.roll import RollInspection
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.live.run_control import RunControl
from aoi_app.live.state import News, Sink, Snapshot
from aoi_app.live.watch import Watch
from aoi_app.records.errors import RecordsError
from aoi_app.records.roll_log import NOT_RECORDED, RollLog
from aoi_app.records.upkeep.left_roll import LeftRoll
from aoi_app.sources.frame import Frame, Lost

logger = logging.getLogger(__name__)

_SPEED_WINDOW_S = 10.0  # longer than one band of web takes on a slow machine
_BANDS_FOR_VIEWS = 64


class Publisher:
    """Commits every outcome, gives it to the sinks, and keeps it for whoever asks.

    ``publish``, ``begin`` and ``close`` are called by the inspecting thread, everything else by any. What a view gets
    to see is in the records already: a program that is killed has shown nothing that is not kept.
    """

    def __init__(
        self,
        inspection: RollInspection,
        control: RunControl,
        watch: Watch,
        *,
        mm_per_line: float,
        mm_per_px: float,
        sinks: Sequence[Sink] = (),
    ) -> None:
        """
        Args:
            inspection: whose counts are told.
            control: of the roll; told what a person should know.
            watch: counts what was inspected well.
            mm_per_line, mm_per_px: scale of the web.
            sinks: given every outcome after it was logged; may raise RecordsError.
        """
        self._inspection = inspection
        self._control, self._watch = control, watch
        self._m_per_line = mm_per_line / 1000.0
        self._mm_per_px = mm_per_px
        self._sinks = tuple(sinks)
        self._log: RollLog | None = None
        self._numbers: set[int] = set()  # of defects that are in the records
        self._lock = threading.Lock()  # of everything below
        self._figures = Snapshot()
        self._bands: deque[ScoredBand] = deque(maxlen=_BANDS_FOR_VIEWS)
        self._news: list[Outcome] = []
        self._speed: deque[tuple[float, int, int]] = deque()  # (time, lines, tiles)
        self.problems: list[str] = []
        """Everything that went wrong and did not end the roll."""

    def begin(self, log: RollLog) -> None:
        """The roll is in the records."""
        self._log = log
        figures = Snapshot(roll_id=log.roll_id)
        if log.left is not None:
            figures = self._figures_of(log.left)
            self._numbers = set(log.left.defects)
            inspected, reserve = (round(m / self._m_per_line) for m in (figures.inspected_m, figures.reserve_m))
            self._watch.go_on(inspected, reserve)
        with self._lock:
            self._figures = figures

    def publish(self, outcome: Outcome, item: Frame | Lost | None = None) -> None:
        """Makes an outcome known.

        Args:
            outcome: what became of the last piece of web.
            item: that piece, which counts for the speed; None where the outcome is of none.
        """
        assert self._log is not None
        self._watch.read(outcome)
        figures = self._updated(outcome)
        self._log.write(outcome, self._columns(figures))
        for sink in self._sinks:
            self._give(sink, outcome)
        if self._log.problem is not None:
            self._control.say(f"{self._log.problem} {self._log.waiting} records wait in memory.")
        else:
            self._control.take_back(NOT_RECORDED)
        with self._lock:
            self._figures = figures
            self._bands.extend(outcome.bands)
            if outcome.is_worth_recording:
                self._news.append(outcome.records())
            if item is not None:
                self._count_speed(item.lines, sum(band.rows.tiles for band in outcome.bands))

    def publish_camera_remarks(self, texts: Sequence[str]) -> None:
        """Makes known what there is to say of the camera, at the place that the roll has come to."""
        position_m = self._figures.position_m
        line = round(position_m / self._m_per_line)
        self.publish(Outcome(remarks=tuple(Remark("camera", "", line, position_m, text) for text in texts)))

    def close(self, state: str) -> None:
        """Ends the roll in the records: ``finished``, ``stopped`` or ``failed``."""
        assert self._log is not None
        try:
            self._log.close(state)
        except RecordsError as error:
            self._note(str(error))

    def add_sink(self, sink: Sink) -> None:
        """From now on also gives every outcome to a sink."""
        with self._lock:
            self._sinks = (*self._sinks, sink)

    def remove_sink(self, sink: Sink) -> None:
        """The inverse of ``add_sink``; one that is not there is no mistake."""
        with self._lock:
            self._sinks = tuple(s for s in self._sinks if s != sink)

    def figures(self) -> tuple[Snapshot, float, float]:
        """Counts and lengths so far, and metres and tiles per second over the last seconds."""
        with self._lock:
            figures, speed = self._figures, list(self._speed)
        lines_per_s, tiles_per_s = _rates(speed, time.monotonic())
        return figures, lines_per_s * self._m_per_line, tiles_per_s

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

    def _updated(self, outcome: Outcome) -> Snapshot:
        """The figures with an outcome; what it does not tell stays."""
        old = self._figures
        known = [band for band in outcome.bands if band.fabric is not None]
        self._numbers |= {defect.number for defect in outcome.defects}
        self._numbers -= set(outcome.withdrawn)  # it may have been found in this very outcome
        last = known[-1].rows if known else None
        return Snapshot(
            roll_id=old.roll_id,
            position_m=self._inspection.line * self._m_per_line,
            inspected_m=self._inspection.inspected_lines * self._m_per_line,
            gap_m=old.gap_m + sum(g.length_m for g in outcome.gaps),
            reserve_m=self._watch.lines.reserve * self._m_per_line,
            missed_m=old.missed_m + sum(g.length_m for g in outcome.gaps if not g.is_wanted),
            missed_gaps=old.missed_gaps + sum(not g.is_wanted for g in outcome.gaps),
            width_mm=last.edges.width_px * self._mm_per_px if last else old.width_mm,
            fabric=known[-1].fabric if known else old.fabric,
            similarity=last.similarity if last else old.similarity,
            distance=last.distance if last else old.distance,
            defects=len(self._numbers),
            gaps=old.gaps + len(outcome.gaps),
        )

    @staticmethod
    def _figures_of(left: LeftRoll) -> Snapshot:
        """Those of a roll that goes on."""
        gaps = left.all_gaps
        missed = [gap for gap in gaps if not gap.is_wanted]
        return Snapshot(
            roll_id=left.roll_id,
            position_m=left.position_m,
            inspected_m=left.inspected_m,
            gap_m=sum(gap.length_m for gap in gaps),
            reserve_m=left.reserve_m,
            missed_m=sum(gap.length_m for gap in missed),
            missed_gaps=len(missed),
            width_mm=left.width_mm,
            fabric=left.fabric,
            defects=len(left.defects),
            gaps=len(gaps),
        )

    def _columns(self, figures: Snapshot) -> dict[str, object]:
        """The columns of the roll in the records that change while it runs."""
        return {
            "length_m": figures.position_m,
            "inspected_m": figures.inspected_m,
            "gap_m": figures.gap_m,
            "reserve_m": figures.reserve_m,
            "width_mm": figures.width_mm or None,
            "fabric": figures.fabric,
            "threshold": self._inspection.threshold,
            "account": asdict(self._inspection.balance),
            "told_line": self._inspection.told_line,
            "last_number": self._inspection.bands.last_number,
        }

    def _count_speed(self, lines: int, tiles: int) -> None:
        now_s = time.monotonic()
        self._speed.append((now_s, lines, tiles))
        while self._speed and now_s - self._speed[0][0] > _SPEED_WINDOW_S:
            self._speed.popleft()

    def _give(self, sink: Sink, outcome: Outcome) -> None:
        try:
            sink(outcome)
        except RecordsError as error:
            self._note(str(error))

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            logger.error(problem)
        self._control.say(problem)


def _rates(done: Sequence[tuple[float, int, int]], now_s: float) -> tuple[float, float]:
    """(lines, tiles) per second over the last seconds; the first entry only marks the beginning."""
    recent = [d for d in done if now_s - d[0] <= _SPEED_WINDOW_S]
    if len(recent) < 2:
        return 0.0, 0.0
    span_s = max(now_s - recent[0][0], 0.5)
    return sum(d[1] for d in recent[1:]) / span_s, sum(d[2] for d in recent[1:]) / span_s
