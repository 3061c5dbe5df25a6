"""The settings of this machine and user while the program runs: changed here, written when they matter."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Literal

from aoi_app.settings.settings import Settings, save_settings


class SettingsHolder:
    """
    Attributes:
        now: the settings that hold.
    """

    def __init__(self, settings: Settings) -> None:
        self.now = settings

    def change(self, **changes: Any) -> None:
        """Other values of some fields; they are written when the program ends, or by ``save``."""
        self.now = self.now.model_copy(update=changes)

    def note_calibration(self, calibration: Literal["scale", "encoder"]) -> None:
        """It was measured just now."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self.change(calibrated={**self.now.calibrated, calibration: now})

    def save(self) -> None:
        """Writes them; a failure is logged."""
        save_settings(self.now)
