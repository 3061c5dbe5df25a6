"""What is known of the running line at one moment: plain values, from which functions conclude the rest."""

from __future__ import annotations

from dataclasses import dataclass

from aoi_app.inspection.findings.cloth_doubt import ClothDoubt
from aoi_app.inspection.line_proof import LineProof

QUIET_S = 10.0
"""So long nothing may come from the source before somebody is told; a web that stands still is worth a word as well."""
_STUCK_LIVE_S = 30.0
_STUCK_S = 180.0  # a picture of a folder may be metres of cloth, which a machine without a GPU takes minutes for


@dataclass(frozen=True, slots=True)
class LatestGap:
    """The latest cloth that nobody looked at, though nobody wanted that.

    Attributes:
        reason: for a person.
        position_m: of its beginning, along the web.
        age_s: since it was told.
        is_last: no cloth has been inspected since.
    """

    reason: str
    position_m: float
    age_s: float
    is_last: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """
    Attributes:
        is_running: a roll is open, be it paused.
        is_paused: nobody looks, because the operator wants it so.
        is_ending: nothing more is read; what has come is still inspected.
        is_live: cloth goes by whether or not it is read.
        failure: why the roll ended before its end; empty where it did not.
        has_inspected: cloth of this roll has been inspected.
        quiet_s: since the last piece of web came, while none waits.
        stuck_s: for how long the piece at hand has been inspected; 0 where none is.
        backlog: how full the queue of frames is, 0..1.
        gap: the latest cloth that was not inspected; None where all was.
        gap_m: length of all such gaps of the roll so far.
        model_problem: why another model inspects than the one in use; empty where it does.
        teaching: how far the cloth is that is held back to teach the model; empty where none is.
        doubts: what speaks against comparing this cloth with its fabric.
        proof: what the line was last shown to see; None before the first proof.
        threshold, promised_threshold: in force, and the one that the recipe or the wanted rate gives.
        unaccounted: what the program cannot account for at the end of the roll; empty where all is.
        unrecorded: why records wait in memory; empty where none do.
        camera: what is wrong with the camera; empty where nothing is, or there is none.
        camera_problem: what is wrong beside the pictures: its recording, its encoder.
        free_mb: least room on the disks that the roll is written to; None where that cannot be told.
        full_folder: the folder with the least room.
        device_problem: why the model does not run where it was to; empty where it does.
        old_calibrations: of the camera, older than their limits, a sentence each.
        picture_changes: in what the camera sees the cloth differently than before, a sentence each.
        odd_columns: of the camera that stand out while the cloth runs, likewise.
        width_mm, usual_width_mm: of the cloth now, and over the last metres; 0 where not known.
    """

    is_running: bool = False
    is_paused: bool = False
    is_ending: bool = False
    is_live: bool = True
    failure: str = ""
    has_inspected: bool = False
    quiet_s: float = 0.0
    stuck_s: float = 0.0
    backlog: float = 0.0
    gap: LatestGap | None = None
    gap_m: float = 0.0
    model_problem: str = ""
    teaching: str = ""
    doubts: tuple[ClothDoubt, ...] = ()
    proof: LineProof | None = None
    threshold: float = 1.0
    promised_threshold: float = 1.0
    unaccounted: str = ""
    unrecorded: str = ""
    camera: str = ""
    camera_problem: str = ""
    free_mb: float | None = None
    full_folder: str = ""
    device_problem: str = ""
    old_calibrations: tuple[str, ...] = ()
    picture_changes: tuple[str, ...] = ()
    odd_columns: tuple[str, ...] = ()
    width_mm: float = 0.0
    usual_width_mm: float = 0.0

    @property
    def is_stuck(self) -> bool:
        """The piece at hand takes longer than any that goes well."""
        return self.stuck_s > (_STUCK_LIVE_S if self.is_live else _STUCK_S)

    @property
    def is_quiet(self) -> bool:
        """Nothing comes from the source, and nobody wants it so."""
        return self.quiet_s > QUIET_S and not self.teaching and not self.is_paused and not self.is_ending

    @property
    def is_proven(self) -> bool:
        """The latest cloth that came was inspected, and it came just now."""
        is_last = self.gap is not None and self.gap.is_last
        return self.has_inspected and not is_last and not self.is_quiet and not self.is_stuck
