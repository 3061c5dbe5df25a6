"""The settings of this machine and user while the program runs: changed here, written when they matter."""

from __future__ import annotations

from typing import Any

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

    def save(self) -> None:
        """Writes them; a failure is logged."""
        save_settings(self.now)
