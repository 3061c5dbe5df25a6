"""The trade's words for the shape of a defect."""

from __future__ import annotations

from typing import Literal

Shape = Literal["block", "point", "line"]

POINT_MM = 6.0
"""A defect no longer than this either way is a point."""
LINE_ASPECT = 4.0
"""A defect this many times longer than wide is a line."""


def shape_of(length_mm: float, width_mm: float) -> Shape:
    """The trade's three shapes, by extent along and across the web."""
    longer, shorter = max(length_mm, width_mm), max(min(length_mm, width_mm), 1e-9)
    if longer <= POINT_MM:
        return "point"
    return "line" if longer / shorter >= LINE_ASPECT else "block"
