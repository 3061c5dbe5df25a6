"""Where the tiles of a roll lie on its web, a line of JSON for each tile: reading what ``TileWriter`` has written.

The folder may have been copied about and changed by anybody: what a line names lies in the folder, or the line is
passed over.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import Field

from aoi_app.inspection.web.tiles import TilePlace
from cras_core.errors import DataError, JsonFileError
from cras_core.files import is_inside
from cras_core.json_files import parse_json, read_bytes
from cras_core.validated import Number, Whole, validated

logger = logging.getLogger(__name__)

PLACES = "places.jsonl"
"""In the folder of a roll's tiles."""

_LARGEST_BYTES = 256 << 20  # of the list; a roll of a day has a hundredth of it

_Count = Annotated[int, Field(ge=0, le=2**53)]
_Side = Annotated[int, Field(ge=1, le=1 << 16)]


@validated("", DataError)
class _Line:
    """A line of the list."""

    tile: Annotated[str, Field(min_length=1, max_length=4096)]
    defect: _Count | None
    first_line: _Count
    left_px: Whole
    lines: _Side
    columns: _Side
    cloth_left_px: Number
    cloth_right_px: Number
    box: tuple[Whole, Whole, Whole, Whole]

    @property
    def place(self) -> TilePlace:
        """Where the tile lies."""
        return TilePlace(
            self.first_line,
            self.left_px,
            self.lines,
            self.columns,
            self.cloth_left_px,
            self.cloth_right_px,
            self.box,
        )


@dataclass(frozen=True, slots=True)
class PlacedTile:
    """A tile of a defect: its picture, its mask, and its place."""

    picture: Path
    mask: Path
    place: TilePlace


def tiles_of(folder: Path, number: int) -> list[PlacedTile]:
    """The tiles of a defect, the latest where one was written again. Lines that are cut off, damaged or name what is no
    tile of the folder are logged and passed over.

    Args:
        folder: of the tiles.
        number: of the defect.

    Raises:
        DataError: the list cannot be read.
    """
    path = folder / PLACES
    try:
        data = read_bytes(path, _LARGEST_BYTES)
    except JsonFileError as error:
        if error.fault == "missing":
            return []
        raise DataError("tile-places-unreadable", "{reason}", reason=error) from error
    found: dict[Path, PlacedTile] = {}
    for line in data.splitlines():
        try:
            told = parse_json(line, _Line, str(path))
            if told.defect == number:
                tile = _tile(folder, told)
                found[tile.picture] = tile
        except DataError as error:
            logger.warning("a line is passed over: %s", error)
    return [tile for tile in found.values() if tile.picture.is_file()]


def _tile(folder: Path, told: _Line) -> PlacedTile:
    """Raises DataError where it is not ``<fabric>/test/defect/<name>.png``, as ``TileWriter`` writes it."""
    parts = PurePosixPath(told.tile).parts
    if len(parts) != 4 or parts[1:3] != ("test", "defect") or not is_inside(told.tile):
        raise DataError("tile-elsewhere", "{tile!r} is no tile of {folder}", tile=told.tile, folder=folder)
    picture = folder.joinpath(*parts)
    mask = folder / parts[0] / "ground_truth" / "defect" / f"{picture.stem}_mask.png"
    return PlacedTile(picture, mask, told.place)
