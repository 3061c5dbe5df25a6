"""The scales beside the web: millimetres of the cloth and metres of the roll."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg


class AcrossAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Counts from the left edge of the cloth, as the table does, and not from that of the picture."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self._zero_px = 0.0

    def set_zero(self, x_px: float) -> None:
        """Where the cloth begins, column of the picture."""
        if abs(x_px - self._zero_px) >= 1.0:
            self._zero_px = x_px
            self.picture = None  # drawn anew
            self.update()

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802 (pyqtgraph's name)
        """Round numbers of the cloth."""
        zero = self._zero_px
        levels = super().tickValues(low - zero, high - zero, size)
        return [(spacing, [value + zero for value in values]) for spacing, values in levels]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """Beside the cloth there is nothing to count."""
        texts = super().tickStrings([value - self._zero_px for value in values], scale, spacing)
        return ["" if value < self._zero_px - 0.5 else text for value, text in zip(values, texts, strict=True)]


class AlongAxis(pg.AxisItem):  # type: ignore[misc]
    """Metres of the roll; before its first line there are none."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        """No negative metres."""
        texts = super().tickStrings(values, scale, spacing)
        return ["" if value < 0 else text for value, text in zip(values, texts, strict=True)]
