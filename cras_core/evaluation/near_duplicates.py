"""Tiles that show the same piece of cloth again, for a collector that sees one tile after the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

Digest = npt.NDArray[np.float16]

SAME_PLACE = 0.185
"""Root mean square difference of two digests, in standard deviations of the cloth that the detector was trained on,
below which they show the same place. Measured on AITEX (docs/measurements.md, "Bad samples"): the same tile shifted by
8 px lies at 0.10 to 0.18 (by 3 px on one fabric at 0.20), the most alike of 487 tiles of other places at 0.193. Models
that do not enlarge the picture (``backbone.input_scale=1``) feel a shift more: they know a place again only where it
lies the same."""

_BLOCK_CELLS = 4  # side of a block whose cells are averaged: a shift of a few pixels stays within
_EVERY_CHANNEL = 4  # a quarter of the channels tells as much


def digest(vectors: Tensor) -> Digest:
    """What is compared of a tile.

    Args:
        vectors: (h, w, D) as ``Detector.extract_features`` gives; at least 4 cells either way.

    Returns:
        (h // 4 * w // 4 * D / 4,) float16, about 20 KB for a tile of 512 px.
    """
    rows, cols = vectors.shape[0] // _BLOCK_CELLS, vectors.shape[1] // _BLOCK_CELLS
    thin = vectors[: rows * _BLOCK_CELLS, : cols * _BLOCK_CELLS, ::_EVERY_CHANNEL].float().cpu().numpy()
    blocks = thin.reshape(rows, _BLOCK_CELLS, cols, _BLOCK_CELLS, -1).mean(axis=(1, 3))
    return np.asarray(blocks.reshape(-1), np.float16)


def is_near_duplicate(a: Digest, b: Digest) -> bool:
    """Whether two tiles show the same place; tiles of different sizes never do."""
    if a.shape != b.shape:
        return False
    difference = a.astype(np.float32) - b.astype(np.float32)
    return bool(np.sqrt(np.mean(difference**2)) < SAME_PLACE)


class DuplicateFilter:
    """Remembers the tiles that were let through; the latest so many, so that memory is bounded."""

    def __init__(self, most: int = 2000) -> None:
        self._most = most
        self._seen: list[Digest] = []

    def is_new(self, vectors: Tensor) -> bool:
        """Whether no tile that was let through shows the place of this (h, w, D) one; then it is remembered."""
        mine = digest(vectors)
        if any(is_near_duplicate(mine, other) for other in reversed(self._seen)):
            return False
        self._seen = [*self._seen[-(self._most - 1) :], mine] if self._most > 1 else [mine]
        return True
