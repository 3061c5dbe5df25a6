"""Calibrations that are too old, and those whose age nobody knows."""

from __future__ import annotations

from datetime import datetime, timezone

from aoi_app.live.line_care import LineCare
from aoi_app.settings.calibration import CalibrationLimits, old_calibrations, undated_calibrations
from aoi_app.settings.settings import Settings
from aoi_app.sources.source import SourceStatus

NOW = datetime(2026, 11, 29, tzinfo=timezone.utc)
LIMITS = CalibrationLimits(flat_field=100, scale=None)


def test_what_is_older_than_its_limit_is_told_with_its_age_and_the_way_out() -> None:
    (said,) = old_calibrations({"flat field": "2026-08-01T00:00:00"}, LIMITS, NOW)
    assert said == "The flat field is 120 days old (limit 100). Record it again on the page of the cameras."
    assert old_calibrations({"flat field": "2026-09-01T00:00:00+02:00"}, LIMITS, NOW) == ()


def test_what_is_not_watched_or_lies_in_the_future_is_not_told() -> None:
    assert old_calibrations({"scale": "2001-01-01"}, LIMITS, NOW) == ()
    assert old_calibrations({"encoder": "2030-01-01"}, LIMITS, NOW) == ()


def test_of_what_nobody_knows_the_age_that_is_said() -> None:
    assert old_calibrations({"encoder": ""}, LIMITS, NOW) == ()
    (said,) = undated_calibrations({"encoder": "", "scale": "", "flat field": "2026-08-01"}, LIMITS)
    assert said.startswith("Nobody knows when the encoder was measured, so its age is not watched.")


def test_only_a_line_with_a_camera_is_told() -> None:
    care = LineCare(calibrated={"scale": "2001-01-01"})
    assert care.old_calibrations(None) == ()
    assert len(care.old_calibrations(SourceStatus("running", flat_field_at="2001-01-01"))) == 2
    undated = LineCare(calibrated={"scale": ""})
    assert len(undated.undated_calibrations(SourceStatus("running"))) == 1


def test_the_limits_of_the_settings_are_those_of_the_inspection() -> None:
    settings = Settings.model_validate_json('{"drift": {"focus_percent": 7.5}, "calibration_days": {"scale": null}}')
    assert settings.drift.limits.focus_percent == 7.5
    assert settings.calibration_days.days("scale") is None
    assert settings.calibration_days.days("flat field") == 180
