"""When the camera of the line was calibrated, and from which age on that is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from aoi_app.settings.strict_json import TOLERANT

Calibration = Literal["flat field", "scale", "encoder"]
"""What is calibrated of a line: the brightness of each column, millimetres per pixel, millimetres per count."""

_WAY_OUT: dict[Calibration, str] = {
    "flat field": "Record it again on the page of the cameras",
    "scale": "Measure it again with a ruler on the cloth (M)",
    "encoder": "Measure its millimetres per count again, and type the day into settings.json (calibrated)",
}

_Days = Annotated[int, Field(ge=1, le=36_500)] | None


class CalibrationLimits(BaseModel):
    """Days after which a calibration is old; None never tells."""

    model_config = TOLERANT

    flat_field: _Days = 180
    scale: _Days = 365
    encoder: _Days = 365

    def days(self, calibration: Calibration) -> int | None:
        """Of one."""
        days: int | None = getattr(self, calibration.replace(" ", "_"))
        return days


def old_calibrations(
    made: Mapping[Calibration, str], limits: CalibrationLimits, now: datetime | None = None
) -> tuple[str, ...]:
    """A sentence about each calibration that is older than its limit.

    Args:
        made: when each was made, ISO 8601, in UTC where it names no offset; what is no time tells nothing.
        limits: ages.
        now: None is this moment.
    """
    now = now or datetime.now(timezone.utc)
    found = []
    for calibration, stamp in made.items():
        at, days = _time_of(stamp), limits.days(calibration)
        if at is None or days is None:
            continue
        age_days = (now - at).days
        if age_days > days:
            found.append(f"The {calibration} is {age_days} days old (limit {days}). {_WAY_OUT[calibration]}.")
    return tuple(found)


def undated_calibrations(made: Mapping[Calibration, str], limits: CalibrationLimits) -> tuple[str, ...]:
    """A sentence about each calibration of which nobody knows the age, so that it can never be told to be old."""
    return tuple(
        f"Nobody knows when the {calibration} was measured, so its age is not watched. {_WAY_OUT[calibration]}."
        for calibration, stamp in made.items()
        if _time_of(stamp) is None and limits.days(calibration) is not None
    )


def _time_of(stamp: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=timezone.utc)
