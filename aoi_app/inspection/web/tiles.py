"""Tiles of the web as samples, good ones and those that a defect touches."""

from __future__ import annotations

from dataclasses import dataclass

from cras_core.arrays import Image


@dataclass(frozen=True, slots=True)
class TilePlace:
    """Where a tile lies on its web.

    Attributes:
        first_line, left_px: its top left corner, lines of the roll and columns of the image.
        lines, columns: what of the tile is web; the rest is mirrored.
        cloth_left_px, cloth_right_px: columns of the tile between which the web was inspected.
        box: left, top, right, bottom of the defect that it shows, pixels of the tile; may reach beyond it.
    """

    first_line: int
    left_px: int
    lines: int
    columns: int
    cloth_left_px: float
    cloth_right_px: float
    box: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class TileSample:
    """A tile for a data set.

    Attributes:
        name: unique within the roll.
        fabric: its fabric.
        image: (512, 512[, 3]) uint8.
        mask: (512, 512) uint8, 255 where defective; None for a good tile.
        place: where it lies.
        defect: number of the defect that it shows; None for a good tile.
    """

    name: str
    fabric: str
    image: Image
    mask: Image | None
    place: TilePlace
    defect: int | None = None
