"""Compares how the camera sees the running cloth with how it did before, and says what has changed.

The web is measured in windows of a metre. The first good one of a fabric under a camera is what all later ones are
compared with, on this roll and on those to come. A change counts when two windows in a row show it. Cloth that is
doubtful is only compared with the samples of its fabric: another lamp makes known cloth unknown, and nothing else would
say that it is the lamp.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from aoi_app.inspection.imaging.column_tracks import ColumnTrack, ColumnTracks, Window
from aoi_app.inspection.imaging.wording import columns_text, drift_text, enrolled_text
from aoi_app.inspection.web.scored_band import ScoredBand
from aoi_app.inspection.web.web_scale import WebScale
from aoi_app.settings.imaging_history import ImagingHistory, KeptColumns, KeptProfile, KeptRoll
from cras_core.imaging.columns import odd_columns
from cras_core.imaging.drift import Drift, DriftLimits, drifts_between, drifts_of_figures
from cras_core.imaging.enrolled import EnrolledFigures
from cras_core.imaging.profile import FIGURES, Figures, Profile, ProfileSums
from cras_core.web.canvas import as_gray

_WINDOW_M = 1.0
_BLOCK_MM = 8.0
_LEAST_BLOCK_PX = 16
_FROM_EDGE_PX = 32  # texture is what differs from its surroundings, which beside an edge are not cloth
_LEAST_LINES = 2
_WINDOWS_IN_A_ROW = 2
_MOST_WINDOWS = 1000  # of a roll whose figures are kept; the median of so many says enough of an endless one
_MOST_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class ImagingSetup:
    """What a roll is told of its camera.

    Attributes:
        history: what is kept of all cameras.
        camera: name of the one that sees this roll; of several side by side, of all of them.
        roll: name of the roll.
        enrolled: how the samples of the fabrics were seen, by fabric.
        limits: from which change on it is told.
    """

    history: ImagingHistory = field(default_factory=lambda: ImagingHistory(None))
    camera: str = ""
    roll: str = ""
    enrolled: Mapping[str, EnrolledFigures] = field(default_factory=dict)
    limits: DriftLimits = field(default_factory=DriftLimits)


class ImagingWatch:
    """Of one roll. ``changes`` and ``columns`` may be read by any thread.

    Attributes:
        changes: of brightness, contrast, focus and noise, a sentence each.
        columns: that stand out, likewise.
    """

    def __init__(self, setup: ImagingSetup, scale: WebScale) -> None:
        self._setup, self._scale = setup, scale
        self._kept = setup.history.of(setup.camera)
        self._block_px = max(_LEAST_BLOCK_PX, round(_BLOCK_MM / scale.mm_per_px))
        self._sums: ProfileSums | None = None
        self._edges: list[float] = []  # left edges of the cloth in the window
        self._fabric = ""
        self._is_doubtful = False  # there is cloth in the window that is not that of its fabric
        self._since_m = 0.0  # where the window begins
        self._in_a_row: dict[str, tuple[int, float]] = {}  # what windows have shown, how many, since which metre
        self._figures: dict[str, list[Figures]] = {}  # of windows, by fabric
        self._tracks = ColumnTracks(_track_of(kept) for kept in self._kept.columns)
        self._has_seen_columns = False
        self.changes: tuple[str, ...] = ()
        self.columns: tuple[str, ...] = ()

    def begin_web(self) -> None:
        """Another piece of web begins; what was measured of the one before is too little to compare."""
        self._sums = None

    def read(self, band: ScoredBand) -> None:
        """Takes the next band."""
        rows = band.rows
        if band.fabric is None or len(rows.image) < _LEAST_LINES:
            return
        width = rows.image.shape[1]
        if self._sums is None or self._sums.width_px != width or self._fabric != band.fabric:
            self._begin_window(width, band)
        assert self._sums is not None
        self._is_doubtful |= bool(band.doubts)
        edges = rows.edges
        first = int(np.ceil(edges.inner_left.max())) + _FROM_EDGE_PX * edges.found_left
        end = int(edges.inner_right.min()) - _FROM_EDGE_PX * edges.found_right
        if end - first < self._block_px:
            return
        self._sums.add(as_gray(rows.image), first, end)
        if edges.found_left:
            self._edges.append(float(np.median(edges.left)))
        if self._scale.length_mm(self._sums.lines) >= 1000.0 * _WINDOW_M:
            self._end_window(self._sums, self._scale.position_m(band.end_line))

    def keep(self) -> None:
        """The roll is over: the camera's history has it from now on."""
        if not self._figures:  # nothing was measured, and nothing is to be told
            return
        now, kept = _now(), self._setup.history.of(self._setup.camera)
        for fabric, profile in self._kept.profiles.items():
            if fabric not in kept.profiles or kept.profiles[fabric].roll == self._setup.roll:
                kept = kept.with_profile(fabric, profile)
        for fabric, figures in self._figures.items():
            kept = kept.with_roll(_roll_of(figures, now, self._setup.roll, fabric))
        tracks = [t for t in self._tracks.tracks if t.is_settled and not t.is_cloth]
        self._setup.history.keep(kept.model_copy(update={"columns": tuple(map(_kept, tracks[:_MOST_COLUMNS]))}))

    def _begin_window(self, width_px: int, band: ScoredBand) -> None:
        if band.fabric != self._fabric:
            self._in_a_row.clear()
        self._sums, self._edges = ProfileSums(width_px, self._block_px), []
        self._is_doubtful = False
        self._fabric, self._since_m = band.fabric or "", self._scale.position_m(band.first_line)

    def _end_window(self, sums: ProfileSums, end_m: float) -> None:
        profile = sums.profile
        figures = profile.figures
        edge_px = float(np.median(self._edges)) if self._edges else None
        if figures is not None and self._is_doubtful:
            # Another lamp makes cloth unknown; what is said of it says so. Nothing of it is kept.
            self.changes = tuple(self._against_samples(figures).values())
            self._in_a_row.clear()
        elif figures is not None:
            seen = self._figures.setdefault(self._fabric, [])
            seen += [figures] if len(seen) < _MOST_WINDOWS else []
            self.changes = tuple(self._changes(profile, figures, sums, edge_px))
        if not self._is_doubtful:
            self._follow_columns(sums, edge_px)
        self._sums, self._edges, self._is_doubtful = ProfileSums(sums.width_px, self._block_px), [], False
        self._since_m = end_m

    def _changes(self, now: Profile, figures: Figures, sums: ProfileSums, edge_px: float | None) -> Iterator[str]:
        shown: dict[str, str] = {}  # figure to sentence, by what the window is compared with
        before = self._kept.profiles.get(self._fabric)
        if before is None or not before.fits(sums.width_px, self._block_px):
            profile = KeptProfile.of(now, _now(), self._setup.roll, sums.width_px, self._block_px)
            self._kept = self._kept.with_profile(self._fabric, profile)
        else:
            for drift in drifts_between(now, before.profile, self._setup.limits):
                since_m = self._in_a_row.get(drift.figure, (0, self._since_m))[1]
                shown[drift.figure] = drift_text(drift, before, self._where(drift, edge_px), since_m)
        shown = {**self._against_samples(figures), **shown}
        self._in_a_row = {
            figure: (count + 1, since_m)
            for figure in shown
            for count, since_m in [self._in_a_row.get(figure, (0, self._since_m))]
        }
        return (text for figure, text in shown.items() if self._in_a_row[figure][0] >= _WINDOWS_IN_A_ROW)

    def _against_samples(self, figures: Figures) -> dict[str, str]:
        """What differs from the samples that the fabric was learnt from, a sentence by figure."""
        enrolled = self._setup.enrolled.get(self._fabric)
        if enrolled is None:
            return {}
        drifts = drifts_of_figures(figures, enrolled.middle, enrolled.spread, self._setup.limits)
        return {drift.figure: enrolled_text(drift, self._fabric, enrolled.samples) for drift in drifts}

    def _where(self, drift: Drift, edge_px: float | None) -> str:
        """Across the web, from the left edge of the cloth; empty for all of it."""
        if drift.first_block is None or drift.end_block is None:
            return ""
        first, end = drift.first_block * self._block_px, drift.end_block * self._block_px
        left, right = (self._across_mm(px, edge_px) for px in (first, end))
        return f" at {left:.0f} to {right:.0f} mm (camera columns {first} to {end})"

    def _across_mm(self, px: float, edge_px: float | None) -> float:
        return max(0.0, self._scale.width_mm(px - (edge_px or 0.0)))

    def _follow_columns(self, sums: ProfileSums, edge_px: float | None) -> None:
        found = odd_columns(*sums.columns)
        is_first = not self._has_seen_columns
        self._has_seen_columns = True
        self._tracks.read(Window(found, self._since_m, edge_px, self._setup.roll, self._fabric, is_first))
        self.columns = tuple(
            columns_text(track, self._across_mm((track.first_px + track.end_px) / 2.0, edge_px), self._setup.roll)
            for track in self._tracks.told
        )


def _roll_of(windows: list[Figures], ended: str, roll: str, fabric: str) -> KeptRoll:
    middles = {figure: round(float(np.median([w.of(figure) for w in windows])), 4) for figure in FIGURES}
    return KeptRoll(ended=ended, roll=roll, fabric=fabric, metres=len(windows) * _WINDOW_M, **middles)


def _track_of(kept: KeptColumns) -> ColumnTrack:
    values = kept.model_dump()
    return ColumnTrack(**values, is_from_before=True)


def _kept(track: ColumnTrack) -> KeptColumns:
    return KeptColumns(
        first_px=track.first_px,
        end_px=track.end_px,
        kind=track.kind,
        roll=track.roll,
        since_m=track.since_m,
        fabric=track.fabric,
        edge_px=track.edge_px,
        is_new=track.is_new,
        is_camera=track.is_camera,
    )


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
