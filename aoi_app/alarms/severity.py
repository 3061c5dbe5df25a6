"""How bad a cause is for the cloth that runs."""

from __future__ import annotations

import enum


class Severity(enum.Enum):
    """The worst has the lowest value."""

    NOT_INSPECTING = 1
    RESERVE = 2

    @property
    def word(self) -> str:
        """As the records call it."""
        return self.name.lower().replace("_", " ")
