"""Watches the running roll: gathers the facts, concludes the status of the line, and keeps the alarms."""

from __future__ import annotations

import shutil
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from aoi_app.alarms.alarm_list import AlarmList
from aoi_app.alarms.condition import status_of
from aoi_app.alarms.facts import Facts, LatestGap
from aoi_app.alarms.inspected_lines import InspectedLines
from aoi_app.inspection.findings.cloth_doubt import ClothDoubt
from aoi_app.inspection.findings.defects import Gap
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.roll import RollInspection
from aoi_app.inspection.web.segment import inspected_lines_of
from aoi_app.live.line_care import LineCare
from aoi_app.live.state import Snapshot, State
from aoi_app.records.alarm_log import AlarmLog

_DISK_EVERY_S = 10.0
_DOUBT_SHOWN_S = 10.0  # short webs are over before anybody could read what was wrong with them
_WIDTHS = 64  # bands over which the usual width is taken; a width that stays becomes the usual one


class Watch:
    """``begins``, ``ends``, ``read`` and ``end`` are called by the inspecting thread, ``look`` by any."""

    def __init__(
        self,
        inspection: RollInspection,
        figures: Callable[[], Snapshot],
        alarms: AlarmList,
        log: AlarmLog,
        *,
        is_live: bool,
        folders: Sequence[Path] = (),
    ) -> None:
        """
        Args:
            inspection: that is watched.
            figures: those of the roll at this moment.
            alarms: where what is wrong is raised.
            log: where alarms are recorded.
            is_live: whether cloth goes by when it is not read.
            folders: that the roll is written to.
        """
        self._inspection, self._figures, self._alarms, self._log = inspection, figures, alarms, log
        self._is_live = is_live
        self.model_problem = ""
        """Why another model inspects than the one in use; empty where it does."""
        self.care = LineCare()
        """What the line knows of its camera and computer."""
        self.teaching = ""
        """How far the cloth is that is held back to teach the model; empty where none is."""
        self._folders = tuple(folders)
        self._lock = threading.Lock()  # of everything below
        self._last_item_s = time.monotonic()
        self._working_since_s: float | None = None
        self._gap: tuple[Gap, float] | None = None  # the latest that nobody wanted, and when it was told
        self._gap_is_last = False
        self._unaccounted = ""
        self._doubts: tuple[tuple[ClothDoubt, ...], float] = ((), 0.0)  # the latest, and when they were told
        self._widths_px: deque[float] = deque(maxlen=_WIDTHS)
        self._free: tuple[float, float | None, str] | None = None  # (asked at, MB, folder)
        self.lines = InspectedLines()
        """How much of the roll was inspected well."""

    def go_on(self, inspected_lines: int, reserve_lines: int) -> None:
        """The roll goes on: so much of it was inspected by an earlier program, so much of that with reserve."""
        with self._lock:
            self.lines.reserve = reserve_lines
            self.lines.good = inspected_lines - reserve_lines

    def begins(self) -> None:
        """A piece of web is about to be inspected."""
        with self._lock:
            self._working_since_s = time.monotonic()

    def ends(self) -> None:
        """It was inspected."""
        with self._lock:
            self._working_since_s, self._last_item_s = None, time.monotonic()

    def read(self, outcome: Outcome) -> None:
        """What became of a piece of web, which is not published yet."""
        # What speaks against the cloth itself is told band by band.
        spoiled = status_of(replace(self._facts(self._figures()), doubts=())).spoils_cloth
        with self._lock:
            for band in outcome.bands:
                if band.rows.first_line == 0:  # another piece of web, which may be another cloth
                    self._widths_px.clear()
                inspected = int(inspected_lines_of(band.rows).sum())
                self.lines.add(band.first_line, inspected, spoiled=spoiled or bool(band.doubts))
                if band.doubts:
                    self.lines.spoil_from(min(doubt.first_line for doubt in band.doubts))
                    self._doubts = band.doubts, time.monotonic()
                if inspected:
                    self._gap_is_last = False
                    self._widths_px.append(band.rows.edges.width_px)
            self._unaccounted = next((r.text for r in outcome.remarks if r.kind == "unaccounted"), self._unaccounted)
            unwanted = [gap for gap in outcome.gaps if not gap.is_wanted]
            if unwanted:
                self._gap, self._gap_is_last = (unwanted[-1], time.monotonic()), True

    def look(self) -> Snapshot:
        """The figures of this moment with the status of the line and the alarms; raises alarms where something is
        wrong, and ends those that are over.
        """
        figures = self._figures()
        status = status_of(self._facts(figures))
        if figures.roll_id and not figures.state.is_over:
            self._alarms.look(figures.roll_id, status.causes, figures.position_m)
        return replace(figures, status=status, alarms=self._alarms.open, proof=self._inspection.bands.line_proof)

    def keep(self) -> None:
        """Records the alarms that have moved on."""
        self._log.write(self._alarms.take_changed())

    def end(self) -> None:
        """The roll is over, for whatever reason; what nobody has seen stays open."""
        figures = self._figures()
        if figures.roll_id:
            self._alarms.look(figures.roll_id, status_of(self._facts(figures)).causes, figures.position_m)
        self._alarms.end_roll()
        self.keep()

    def _facts(self, figures: Snapshot) -> Facts:
        now_s = time.monotonic()
        camera = figures.camera
        free_mb, folder = self._least_room(now_s)
        has_failed = figures.state is State.FAILED
        with self._lock:
            gap = self._gap
            doubts, told_s = self._doubts
            working_s = 0.0 if self._working_since_s is None else now_s - self._working_since_s
            px = list(self._widths_px)
            usual = statistics.median(px) if px else 0.0
            now = statistics.median(px[-3:]) if px else 0.0  # a single band may end in the middle of a fold
            return Facts(
                is_running=not figures.state.is_over and figures.state is not State.IDLE,
                is_paused=figures.state is State.PAUSED,
                is_ending=figures.state is State.FINISHING,
                is_live=self._is_live,
                failure=figures.message if has_failed else "",
                has_inspected=self.lines.good + self.lines.reserve > 0,
                quiet_s=0.0 if working_s or figures.backlog > 0 else now_s - self._last_item_s,
                stuck_s=working_s,
                backlog=figures.backlog,
                gap=LatestGap(gap[0].reason, gap[0].position_m, now_s - gap[1], self._gap_is_last) if gap else None,
                gap_m=figures.missed_m,
                model_problem=self.model_problem,
                teaching=self.teaching,
                doubts=self._inspection.bands.doubts or (doubts if now_s - told_s < _DOUBT_SHOWN_S else ()),
                proof=self._inspection.bands.line_proof,
                threshold=figures.threshold,
                promised_threshold=self._inspection.promised_threshold,
                unaccounted=self._unaccounted,
                unrecorded="" if has_failed else figures.message,
                camera=_camera_trouble(figures),
                camera_problem=camera.problem if camera is not None else "",
                free_mb=free_mb,
                full_folder=folder,
                old_calibrations=self.care.old_calibrations(camera),
                device_problem=self.care.device_problem,
                picture_changes=self._inspection.bands.imaging.changes,
                odd_columns=self._inspection.bands.imaging.columns,
                width_mm=figures.width_mm * now / px[-1] if px and px[-1] else 0.0,
                usual_width_mm=figures.width_mm * usual / px[-1] if px and px[-1] else 0.0,
            )

    def _least_room(self, now_s: float) -> tuple[float | None, str]:
        """MB on the fullest disk that the roll is written to, and its folder; asked now and then."""
        if self._free is None or now_s - self._free[0] >= _DISK_EVERY_S:
            rooms = [(room, str(folder)) for folder in self._folders if (room := _free_mb(folder)) is not None]
            least = min(rooms, default=None)
            self._free = (now_s, *(least if least is not None else (None, "")))
        return self._free[1], self._free[2]


def _camera_trouble(figures: Snapshot) -> str:
    """What is wrong with the camera now; empty where it runs, or there is none."""
    camera = figures.camera
    if camera is None or camera.state == "running" or figures.state in (State.OPENING, State.FINISHING):
        return ""
    return camera.text or f"The camera is {camera.state}."


def _free_mb(folder: Path) -> float | None:
    """Room on the disk of a folder, which may not be there yet; None where it cannot be told."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free / 1e6
        except FileNotFoundError:
            continue
        except OSError:  # a share that went away; that records wait is told by their log
            return None
    return None
