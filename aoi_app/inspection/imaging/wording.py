"""What is said of a camera that sees the cloth differently than before."""

from __future__ import annotations

from datetime import datetime

from aoi_app.inspection.imaging.column_tracks import ColumnTrack
from aoi_app.settings.imaging_history import KeptProfile
from cras_core.imaging.drift import Drift

_CHECK = {
    "brightness": "Check the lamp, its dirt and the exposure",
    "contrast": "Check focus, lamp and lens",
    "focus": "Check the lens and its distance from the cloth",
    "noise": "Check lamp and gain: less light needs more gain, which is noise",
}
_LOOKS = {"dark": "Something dark", "bright": "Something bright", "still": "A column that does not change"}


def drift_text(drift: Drift, before: KeptProfile, where: str, since_m: float) -> str:
    """A figure that is no longer what it was; ``where`` across the web, empty for all of it."""
    return (
        f"{_changed(drift)}{where} since {day_of(before.since)} ({before.roll}), seen from {since_m:.1f} m on. "
        f"{_CHECK[drift.figure]}."
    )


def enrolled_text(drift: Drift, fabric: str, samples: int) -> str:
    """A figure that is not that of the samples."""
    more = "more" if drift.percent > 0 else "less"
    return (
        f"{drift.figure.capitalize()} is {abs(drift.percent):.0f} % {more} than in the {samples} samples that "
        f"{fabric} was learnt from. {_CHECK[drift.figure]}; if that is right, learn it from cloth of this line."
    )


def columns_text(track: ColumnTrack, across_mm: float, running: str) -> str:
    """Columns that stand out. ``across_mm`` from the left edge of the cloth, ``running`` the roll that runs."""
    column = (track.first_px + track.end_px) // 2
    place = f"at {across_mm:.0f} mm (camera column {column})"
    since = f"since {track.since_m:.1f} m" + (f" of roll {track.roll}" if track.roll != running else "")
    if track.is_camera:
        return (
            f"Dirty {place} {since}: {_LOOKS[track.kind].lower()} stays there while the cloth moves or changes. Clean "
            "lens, window and lamp; if it stays, record the flat field again."
        )
    return (
        f"{_LOOKS[track.kind]} stays {place} {since}: dust, a dead pixel or the lamp, or a stripe in the cloth. "
        "Look at the lens; the next sideways move of the web or the next roll tells which."
    )


def day_of(stamp: str) -> str:
    """``12 Nov 2026`` of an ISO 8601 time; the text itself where it is none."""
    try:
        return f"{datetime.fromisoformat(stamp):%d %b %Y}".lstrip("0")
    except ValueError:
        return stamp


def _changed(drift: Drift) -> str:
    how = "grown" if drift.percent > 0 else "fallen"
    return f"{drift.figure.capitalize()} has {how} by {abs(drift.percent):.0f} %"
