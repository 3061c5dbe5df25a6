"""What a running roll tells of itself: its state, a snapshot, what is new."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from aoi_app.alarms.alarm import Alarm
from aoi_app.alarms.condition import NO_ROLL, LineStatus
from aoi_app.alarms.roll_worth import RollWorth
from aoi_app.inspection.findings.defects import Defect, Gap, Remark
from aoi_app.inspection.line_proof import LineProof
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.sources.source import SourceStatus
from cras_core.web.threshold import CALIBRATED_THRESHOLD


class State(enum.Enum):
    """Where a session is."""

    IDLE = "idle"
    OPENING = "opening"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHING = "finishing"
    ENDED = "ended"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Nothing will happen any more."""
        return self in (State.ENDED, State.FAILED)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The running roll at one moment.

    Attributes:
        state: where the session is.
        message: what a person should know now, empty when all is well.
        roll_id: number of the roll in the records, 0 before it has begun.
        position_m, inspected_m, gap_m: length taken in, inspected, and not inspected.
        reserve_m: of what was inspected, the length with reserve.
        missed_m, missed_gaps: of what was not inspected, what nobody wanted left out.
        speed_m_min: of the web, over the last seconds.
        tiles_per_s: scored, over the last seconds.
        width_mm: of the cloth.
        backlog: how full the queue of frames is, 0..1.
        fabric: name of the matched fabric, None while it is not known.
        similarity: to that fabric.
        distance: how far the web's features lie from those of the enrolled cloth, standard deviations.
        defects, gaps: how many so far.
        threshold: score from which a place is a defect.
        camera: how the camera is doing; None where none runs.
        status: whether the cloth that runs is inspected, and why not.
        alarms: that are open.
        proof: what the line was last shown to see; None before the first proof.
    """

    state: State = State.IDLE
    message: str = ""
    roll_id: int = 0
    position_m: float = 0.0
    inspected_m: float = 0.0
    gap_m: float = 0.0
    reserve_m: float = 0.0
    missed_m: float = 0.0
    missed_gaps: int = 0
    speed_m_min: float = 0.0
    tiles_per_s: float = 0.0
    width_mm: float = 0.0
    backlog: float = 0.0
    fabric: str | None = None
    similarity: float = 0.0
    distance: float = 0.0
    defects: int = 0
    gaps: int = 0
    threshold: float = CALIBRATED_THRESHOLD
    camera: SourceStatus | None = None
    status: LineStatus = NO_ROLL
    alarms: tuple[Alarm, ...] = ()
    proof: LineProof | None = None

    @property
    def worth(self) -> RollWorth:
        """What the roll has come to so far."""
        return RollWorth(
            good_m=self.inspected_m - self.reserve_m,
            reserve_m=self.reserve_m,
            missed_m=self.missed_m,
            left_out_m=self.gap_m - self.missed_m,
            missed_gaps=self.missed_gaps,
        )


@dataclass(frozen=True, slots=True)
class News:
    """What came since somebody last asked. Of the bands, only the newest; of everything else, all."""

    bands: tuple[ScoredBand, ...]
    defects: tuple[Defect, ...]
    gaps: tuple[Gap, ...]
    remarks: tuple[Remark, ...]
    withdrawn: tuple[int, ...]
    """Numbers of defects that have become part of another one."""


Sink = Callable[[Outcome], None]
