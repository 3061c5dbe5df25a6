"""How the picture of a fabric has changed over the rolls of one camera: what a table or a plot shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aoi_app.settings.imaging_history import CameraImaging, KeptRoll
from cras_core.imaging.drift import DriftLimits, is_beyond
from cras_core.imaging.profile import FIGURES


@dataclass(frozen=True, slots=True)
class TrendRow:
    """
    Attributes:
        roll: with its figures.
        percent: change of each figure since the fabric's profile was taken; empty where there is none.
        beyond: figures whose change is beyond its limit.
    """

    roll: KeptRoll
    percent: Mapping[str, float]
    beyond: frozenset[str]


@dataclass(frozen=True, slots=True)
class Trend:
    """
    Attributes:
        camera, fabric: of which.
        since: ISO 8601 time of the profile that rolls are compared with; empty where there is none.
        rows: the oldest first.
    """

    camera: str
    fabric: str
    since: str
    rows: tuple[TrendRow, ...]


def trends_of(imaging: CameraImaging, limits: DriftLimits, most_rolls: int) -> list[Trend]:
    """The trend of each fabric under a camera, the latest ``most_rolls`` of each."""
    fabrics = sorted({roll.fabric for roll in imaging.rolls} | set(imaging.profiles))
    return [_trend(imaging, fabric, limits, most_rolls) for fabric in fabrics]


def _trend(imaging: CameraImaging, fabric: str, limits: DriftLimits, most_rolls: int) -> Trend:
    kept = imaging.profiles.get(fabric)
    before = kept.profile.figures if kept is not None else None
    rows = []
    for roll in [roll for roll in imaging.rolls if roll.fabric == fabric][-most_rolls:]:
        values = {figure: float(getattr(roll, figure)) for figure in FIGURES}
        percent = {
            figure: 100.0 * (value / before.of(figure) - 1.0)
            for figure, value in values.items()
            if before is not None and before.of(figure) > 0
        }
        beyond = frozenset(figure for figure, change in percent.items() if is_beyond(figure, change, limits))
        rows.append(TrendRow(roll, percent, beyond))
    return Trend(imaging.camera, fabric, kept.since if kept is not None else "", tuple(rows))
