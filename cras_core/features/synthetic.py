"""What drawn defects do to the features of good cloth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from cras_core.arrays import FloatArray, Image
from cras_core.config.settings import CrasConfig
from cras_core.data.synthetic_defects import paint_defects
from cras_core.data.values import NormalImages
from cras_core.errors import DataError
from cras_core.features.cache import FeatureCache
from cras_core.features.cloth_tiles import tiles_of
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.patches import cell_places
from cras_core.features.tensors import to_images
from cras_core.images import read_image

_DRAWN_CELLS = 1024  # most cells kept of one tile
_PX_PER_DEFECT = 16_000  # one drawn defect on this many pixels
_SMALLEST_DRAWN_PX = 64
_COVERED = 0.08  # share of a cell under a defect from which its features count as moved


@dataclass(frozen=True, slots=True)
class SyntheticFeatures:
    """Cells of normal tiles under drawn defects: their raw vectors without the defect, and by how much it moves them;
    row by row.
    """

    clean: FeatureCache
    change: FeatureCache


def extract_synthetic(
    normal: NormalImages,
    paths: Sequence[Path],
    extractor: FeatureExtractor,
    config: CrasConfig,
    device: torch.device,
    rng: np.random.Generator,
    on_tile: Callable[[Path], None],
) -> SyntheticFeatures:
    """Draws defects on some normal tiles of a fabric and keeps what they do to the features.

    Raises:
        DataError: a picture cannot be read, or none shows enough cloth.
    """
    capacity = config.synthesis.drawn_tiles * _DRAWN_CELLS
    clean, change = (FeatureCache(extractor.dimension, capacity, "memory") for _ in range(2))
    for _ in range(config.synthesis.drawn_tiles):
        path = paths[int(rng.integers(len(paths)))]
        chosen_tile = _choose_tile(read_image(path, normal.bits), path, normal, config, rng)
        on_tile(path)
        if chosen_tile is None:
            continue
        tile, scored = chosen_tile
        spoilt, where = paint_defects(tile, max(2, round(tile.shape[0] * tile.shape[1] / _PX_PER_DEFECT)), rng)
        images = to_images(np.stack([tile, spoilt]), device, config.backbone.multiple_px)  # (2, 3, H', W')
        with torch.inference_mode():
            pair = extractor.raw(images).cpu()[:, : scored.shape[0], : scored.shape[1]]  # (2, h, w, D)
        chosen = torch.from_numpy(_covered_cells(where, config.tiling.cell_px) & scored)  # (h, w)
        keep = torch.from_numpy(rng.permutation(int(chosen.sum()))[:_DRAWN_CELLS])
        places = cell_places(*chosen.shape)[chosen][keep]  # (n, 2)
        clean.add(pair[0][chosen][keep], chosen.flatten().nonzero()[keep, 0], places)
        change.add((pair[1] - pair[0])[chosen][keep])
    if len(clean) == 0:
        raise DataError(
            "no-tile-to-draw-on",
            "fabric {fabric}: no tile of {least_px} px or more; set synthesis.drawn=0",
            fabric=normal.fabric,
            least_px=_SMALLEST_DRAWN_PX,
        )
    return SyntheticFeatures(clean, change)


def _choose_tile(
    picture: Image, path: Path, normal: NormalImages, config: CrasConfig, rng: np.random.Generator
) -> tuple[Image, npt.NDArray[np.bool_]] | None:
    """One tile of a picture and its (h, w) cells of cloth; None where there is none that is large enough."""
    candidates = [
        pair
        for tiles, scored in tiles_of(picture, normal.are_strips, config, normal.piece(path))
        for pair in zip(tiles, scored, strict=True)
    ]
    if not candidates:
        return None
    tile, cells = candidates[int(rng.integers(len(candidates)))]
    return (tile, cells) if min(tile.shape[:2]) >= _SMALLEST_DRAWN_PX else None


def _covered_cells(where: FloatArray, cell: int) -> npt.NDArray[np.bool_]:
    """(H, W) how much each pixel belongs to a defect -> (h, w) cells whose features a defect moves."""
    near = cv2.dilate(where, np.ones((5, 5), np.uint8))  # a convolution carries a defect a little further
    size = (-(-where.shape[1] // cell), -(-where.shape[0] // cell))
    return np.asarray(cv2.resize(near, size, interpolation=cv2.INTER_AREA) > _COVERED)
