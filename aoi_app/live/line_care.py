"""What the line knows of its own camera and computer, beside the cloth: how it saw earlier rolls, when it was
calibrated, where the model runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aoi_app.settings.calibration import Calibration, CalibrationLimits, old_calibrations, undated_calibrations
from aoi_app.settings.imaging_history import ImagingHistory
from aoi_app.sources.source import SourceStatus
from cras_core.imaging.drift import DriftLimits


@dataclass(frozen=True, slots=True)
class LineCare:
    """
    Attributes:
        imaging: how the cameras saw earlier rolls; one without a folder begins anew and keeps nothing.
        drift_limits: from which change on that is told.
        calibrated: when scale and encoder were measured, ISO 8601, empty where nobody knows; only what the line uses.
        calibration_limits: from which age on that is told.
        device_problem: why the model does not run where it was to; empty where it does.
    """

    imaging: ImagingHistory = field(default_factory=lambda: ImagingHistory(None))
    drift_limits: DriftLimits = field(default_factory=DriftLimits)
    calibrated: Mapping[Calibration, str] = field(default_factory=dict)
    calibration_limits: CalibrationLimits = field(default_factory=CalibrationLimits)
    device_problem: str = ""

    def old_calibrations(self, camera: SourceStatus | None) -> tuple[str, ...]:
        """Sentences about what is to be calibrated again; nothing where no camera runs."""
        if camera is None:
            return ()
        made: dict[Calibration, str] = {**self.calibrated}
        if camera.flat_field_at:
            made["flat field"] = camera.flat_field_at
        return old_calibrations(made, self.calibration_limits)

    def undated_calibrations(self, camera: SourceStatus | None) -> tuple[str, ...]:
        """Sentences about calibrations whose age nobody knows; likewise."""
        return undated_calibrations(self.calibrated, self.calibration_limits) if camera is not None else ()
