"""Lines and pixels of a roll in metres and millimetres."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebScale:
    """The scale of a roll. Its metres begin with its first line, also where it is made of several webs.

    Attributes:
        mm_per_px: across the web.
        mm_per_line: along it.
    """

    mm_per_px: float
    mm_per_line: float

    def position_m(self, line: int) -> float:
        """How far along the web a line of the roll lies."""
        return line * self.mm_per_line / 1000.0

    def length_mm(self, lines: int) -> float:
        """Along the web."""
        return lines * self.mm_per_line

    def width_mm(self, columns_px: float) -> float:
        """Across the web."""
        return columns_px * self.mm_per_px

    def area_mm2(self, cells: int, cell_px: int) -> float:
        """Of square cells of so many pixels and lines."""
        return cells * cell_px * cell_px * self.mm_per_px * self.mm_per_line
