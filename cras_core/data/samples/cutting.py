"""From pictures on disk to samples of cloth: strips are cut into tiles, tiles are taken as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from cras_core.arrays import Image
from cras_core.data.samples.files import safe_id
from cras_core.data.samples.values import Sample
from cras_core.errors import DataError
from cras_core.images import list_images, read_image
from cras_core.web.edges import EdgeConfig, find_edges
from cras_core.web.tiling import TilingConfig

TILE_PX = 512
_RING_PX = TilingConfig().halo_px
_STILL_ONE_TILE = 1.5  # tiles; a picture that is no larger either way is not cut
_LEAST_PX = 64  # less cloth teaches nothing


@dataclass(frozen=True, slots=True)
class Scale:
    """Size of a pixel across the web and of a line along it, millimetres."""

    mm_per_px: float = 0.2
    mm_per_line: float = 0.2


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a tile lies in its picture.

    Attributes:
        first_line, left_px, lines, width_px: the tile.
        edge_px: where the cloth begins on the left.
        cloth_px: width of the cloth.
        inspected: columns of the tile between which the line inspects; None where the cloth runs on beyond the tile.
    """

    first_line: int
    left_px: int
    lines: int
    width_px: int
    edge_px: float
    cloth_px: float
    inspected: tuple[float | None, float | None] = (None, None)


def pictures_at(paths: list[Path]) -> list[Path]:
    """The pictures among files and in folders. Raises DataError when a folder cannot be read."""
    found: list[Path] = []
    for path in paths:
        try:
            found += list_images(path) if path.is_dir() else [path]
        except OSError as error:
            raise DataError(
                "sample-folder-unreadable", "The folder {path} cannot be read: {reason}.", path=path, reason=error
            ) from error
    return found


def cuts(picture: Image, tile_px: int = TILE_PX) -> list[Cut]:
    """Where tiles are cut from a picture, by line and column; none where too little cloth is to be seen.

    Args:
        picture: (H, W) or (H, W, 3) uint8.
        tile_px: side of a tile.

    A picture of up to one and a half tiles either way is one tile. A strip is cut from edge to edge of its cloth, into
    as many tiles as fit best, evenly: neighbours leave out or share less than half a tile. The outer tiles reach so far
    over the edge that the ring of a tile which does not count is beside the cloth. A strip that is narrower or shorter
    than a tile gives tiles that are as wide or as long as it is.
    """
    height, width = picture.shape[:2]
    if max(height, width) <= _STILL_ONE_TILE * tile_px:
        return [Cut(0, 0, height, width, 0.0, float(width))] if min(height, width) >= _LEAST_PX else []
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8) if picture.ndim == 3 else picture
    config = EdgeConfig()
    edges = find_edges(gray, config)
    inner_left, inner_right = edges.inspected(config)
    found = []
    for first, lines in evenly(0, height, tile_px):
        part = slice(first, first + lines)
        left, right = int(np.ceil(inner_left[part].max())), int(np.floor(inner_right[part].min()))
        if right - left < _LEAST_PX or lines < _LEAST_PX:
            continue
        edge, end = float(edges.left[part].mean()), float(edges.right[part].mean())
        begin = max(0, left - _RING_PX) if edges.found_left else left
        finish = min(width, right + _RING_PX) if edges.found_right else right
        for at, size in evenly(begin, finish, tile_px):
            inspected = float(left - at) if at < left else None, float(right - at) if at + size > right else None
            found.append(Cut(first, at, lines, size, edge, end - edge, inspected))
    return found


def evenly(begin: int, end: int, tile_px: int) -> list[tuple[int, int]]:
    """(start, size) of tiles that lie evenly in ``[begin, end)`` and reach both ends where there are two or more."""
    size = min(tile_px, end - begin)
    count = max(1, round((end - begin) / tile_px))
    room = end - begin - size
    if count == 1:
        return [(begin + room // 2, size)]
    return [(begin + round(i * room / (count - 1)), size) for i in range(count)]


def samples_of(
    path: Path,
    fabric: str,
    scale: Scale,
    author: str,
    now: str,
    web: str | None = None,
    bits: int | None = None,
) -> Iterator[tuple[Sample, Image]]:
    """The samples of one picture, ready for the store, and their tiles, (H, W) or (H, W, 3) uint8.

    Args:
        path: the picture.
        fabric: what the cloth is.
        scale: of the picture.
        author: whoever adds it.
        now: ISO 8601.
        web: the roll that it was cut from; None makes it a web of its own.
        bits: depth of a picture of more than 8 bits.

    Raises:
        DataError: the picture cannot be read or shows too little cloth.
    """
    picture = read_image(path, bits)
    places = cuts(picture)
    if not places:
        raise DataError(
            "too-little-cloth",
            "{path}: too little cloth is to be seen on it; {least_px} px either way are the least",
            path=path,
            least_px=_LEAST_PX,
        )
    name = f"{path.resolve().parent.name}/{path.stem}"
    is_strip = (places[0].lines, places[0].width_px) != picture.shape[:2]
    for c in places:
        tile = picture[c.first_line : c.first_line + c.lines, c.left_px : c.left_px + c.width_px]
        middle = c.left_px + c.width_px / 2
        yield (
            Sample(
                id=safe_id(name, c.first_line, c.left_px),
                fabric=fabric,
                origin="file",
                web=web or name,
                first_line=c.first_line,
                left_px=c.left_px,
                position_m=c.first_line * scale.mm_per_line / 1000,
                # where a single tile was cut from nobody knows
                position_mm=(middle - c.edge_px) * scale.mm_per_px if is_strip else 0.0,
                cloth_mm=c.cloth_px * scale.mm_per_px if is_strip else 0.0,
                cloth_left_px=c.inspected[0],
                cloth_right_px=c.inspected[1],
                mm_per_px=scale.mm_per_px,
                mm_per_line=scale.mm_per_line,
                brightness=float(tile.mean()),
                taken_at=now,
                author=author,
            ),
            np.ascontiguousarray(tile),
        )
