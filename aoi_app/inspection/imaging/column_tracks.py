"""Columns that stand out while a roll runs: in the cloth, or in the camera?

What lies on the lens, the lamp or the sensor stays where it is while the cloth goes by. A stripe along the warp does
the same until the web moves sideways or another roll comes: what stays then is the camera's, and what moves along is
the cloth's. Until one of them happens nobody can tell, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cras_core.imaging.columns import ColumnKind, OddColumns

_NEAR_PX = 3.0  # so far the same columns may be found elsewhere, as the cloth beside them changes
_MOVED_PX = 8.0  # a web that moves less tells nothing
_LEAST_SEEN = 2  # windows, before a word is said
_MOST_MISSED = 2  # windows in a row, after which they are gone


@dataclass(slots=True)
class ColumnTrack:
    """Columns that stand out, over several windows of web.

    Attributes:
        first_px, end_px: of the picture.
        kind: see ``OddColumns``.
        roll, since_m: where they were seen first.
        edge_px: where the left edge of the cloth was when they were there; None where it is not in view.
        fabric: on which they were.
        seen, missed: windows of this roll, and those in a row in which they were not there.
        is_from_before: of an earlier roll.
        is_new: they were not there when the roll began.
        is_camera: they stayed while the cloth moved or changed.
        is_cloth: they moved with the cloth.
    """

    first_px: int
    end_px: int
    kind: ColumnKind
    roll: str
    since_m: float
    edge_px: float | None
    fabric: str
    seen: int = 0
    missed: int = 0
    is_from_before: bool = False
    is_new: bool = False
    is_camera: bool = False
    is_cloth: bool = False

    @property
    def is_settled(self) -> bool:
        """They were seen for long enough, and are there."""
        return self.seen >= _LEAST_SEEN and self.missed == 0

    @property
    def is_told(self) -> bool:
        """A person is told: of what the camera has, and of what may be the camera's because it came in this roll. A
        pattern that the cloth has from its beginning is not told until it proves not to be one.
        """
        return self.is_settled and not self.is_cloth and (self.is_camera or self.is_new)


@dataclass(frozen=True, slots=True)
class Window:
    """What stands out in a window of web.

    Attributes:
        columns: that do.
        since_m: where it begins.
        edge_px: left edge of the cloth; None where it is not in view.
        roll, fabric: which.
        is_first: of the roll.
    """

    columns: Sequence[OddColumns]
    since_m: float
    edge_px: float | None
    roll: str
    fabric: str
    is_first: bool


class ColumnTracks:
    """Follows the columns of one camera from window to window."""

    def __init__(self, from_before: Iterable[ColumnTrack] = ()) -> None:
        self.tracks: list[ColumnTrack] = list(from_before)

    @property
    def told(self) -> list[ColumnTrack]:
        """Those that a person is told of."""
        return [track for track in self.tracks if track.is_told]

    def read(self, window: Window) -> None:
        """Takes the next window."""
        taken: set[int] = set()
        for track in self.tracks:
            self._follow(track, window, taken)
        self.tracks = [track for track in self.tracks if track.missed < _MOST_MISSED]
        for k, odd in enumerate(window.columns):
            if k not in taken:
                self.tracks.append(_begun(odd, window))

    def _follow(self, track: ColumnTrack, window: Window, taken: set[int]) -> None:
        """Finds a track again in a window: where it was, and where the cloth has taken it."""
        moved = _moved(track, window)
        here = _find(track, window, 0.0)
        along = _find(track, window, moved) if moved is not None and abs(moved) >= _MOVED_PX else None
        if here is None and along is None:
            track.missed += 1
            return
        track.seen, track.missed = track.seen + 1, 0
        if along is not None and here is None:
            track.is_cloth, track.is_camera = True, False
            odd = window.columns[along]
            track.first_px, track.end_px, track.edge_px = odd.first_px, odd.end_px, window.edge_px
        elif here is not None and _says_camera(track, window, moved):
            track.is_camera, track.is_cloth = True, False
        taken |= {k for k in (here, along) if k is not None}
        if track.edge_px is None:
            track.edge_px = window.edge_px
        track.fabric = window.fabric


def _says_camera(track: ColumnTrack, window: Window, moved: float | None) -> bool:
    """Whether columns that are where they were are no stripe of the cloth: it has moved, or is another one."""
    if moved is not None and abs(moved) >= _MOVED_PX:
        return True
    is_another = track.is_from_before and (window.roll != track.roll)
    lies_elsewhere_or_unknown = moved is None or track.fabric != window.fabric
    return is_another and lies_elsewhere_or_unknown


def _moved(track: ColumnTrack, window: Window) -> float | None:
    """How far the cloth has moved since, pixels; None where its edge is not in view."""
    if track.edge_px is None or window.edge_px is None:
        return None
    return window.edge_px - track.edge_px


def _find(track: ColumnTrack, window: Window, moved_px: float) -> int | None:
    """Which columns of a window are those of a track, moved so far; None where none are."""
    for k, odd in enumerate(window.columns):
        is_near = (
            odd.first_px < track.end_px + moved_px + _NEAR_PX and odd.end_px > track.first_px + moved_px - _NEAR_PX
        )
        if is_near and odd.kind == track.kind:
            return k
    return None


def _begun(odd: OddColumns, window: Window) -> ColumnTrack:
    return ColumnTrack(
        odd.first_px,
        odd.end_px,
        odd.kind,
        window.roll,
        window.since_m,
        window.edge_px,
        window.fabric,
        seen=1,
        is_new=not window.is_first,
    )
