"""Which tiles of a picture the detector sees, and which of their cells are cloth."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image
from cras_core.config.settings import CrasConfig, PreprocessConfig
from cras_core.data.values import Piece
from cras_core.web.bands import BandCutter
from cras_core.web.border import continue_cloth
from cras_core.web.canvas import NARROWEST_CLOTH_PX, WebConfig, prepare
from cras_core.web.tiling import ceil_to


def tiles_of(
    picture: Image, is_strip: bool, config: CrasConfig, piece: Piece | None = None
) -> Iterator[tuple[Image, npt.NDArray[np.bool_]]]:
    """Tiles of a picture and which of their cells are cloth: (B, H, W[, 3]) uint8 and (B, h, w) bool.

    A strip is cut by the same code that cuts the running web; a piece of a web is seen as the web's tile there is; any
    other picture is one tile.
    """
    cell = config.tiling.cell_px
    if is_strip:
        cutter = BandCutter(config.tiling)
        web = WebConfig(config.tiling, config.edges, config.reference)
        for band in [*cutter.push(picture), *cutter.finish()]:
            canvas = prepare(band, web)
            if canvas is not None:
                yield canvas.tiles, canvas.scored_cells(cell)
        return
    if piece is not None:
        seen = tile_of_web(picture, piece, config)
        if seen is not None:
            yield seen[0][None], seen[1][None]
        return
    tile = preprocess(picture, config.preprocess)[None]
    yield tile, np.ones((1, -(-tile.shape[1] // cell), -(-tile.shape[2] // cell)), np.bool_)


def tile_of_web(picture: Image, piece: Piece, config: CrasConfig) -> tuple[Image, npt.NDArray[np.bool_]] | None:
    """A piece of a web as the line sees it: carried on beyond the edge of the cloth, and without the outer ring, where
    the network pads with zeros.

    Returns:
        (H, W[, 3]) uint8 and (h, w) bool, the cells that count; None where it shows too little cloth.
    """
    cell, ring = config.tiling.cell_px, config.tiling.halo_px // config.tiling.cell_px
    lines, width = picture.shape[:2]
    left, right = piece.bounds(width)
    if right - left < NARROWEST_CLOTH_PX or lines < NARROWEST_CLOTH_PX:
        return None
    tile = continue_cloth(picture, np.full(lines, left), np.full(lines, right), 0, width)
    counts = np.zeros((ceil_to(lines, cell) // cell, ceil_to(width, cell) // cell), np.bool_)
    counts[ring : lines // cell - ring, ring : width // cell - ring] = True
    column = (np.arange(counts.shape[1]) + 0.5) * cell
    return tile, counts & ((column > left) & (column - cell / 2 < right))[None, :]


def preprocess(picture: npt.NDArray[np.uint8], config: PreprocessConfig) -> npt.NDArray[np.uint8]:
    """Resizes the shorter side and crops the centre, where the settings say so; (H, W) or (H, W, 3), masks too."""
    if config.resize_px is not None:
        scale = config.resize_px / min(picture.shape[:2])
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR).astype(
            np.uint8
        )
    if config.crop_px is not None:
        top, left = (picture.shape[0] - config.crop_px) // 2, (picture.shape[1] - config.crop_px) // 2
        picture = picture[top : top + config.crop_px, left : left + config.crop_px]
    return picture
