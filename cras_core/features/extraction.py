"""The features of the training cloth, taken once by the frozen backbone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cras_core.arrays import Image
from cras_core.config.settings import CrasConfig
from cras_core.data.values import NormalImages
from cras_core.errors import DataError
from cras_core.features.cache import FeatureCache
from cras_core.features.cloth_tiles import tiles_of
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.patches import cell_places
from cras_core.features.tensors import to_images
from cras_core.images import read_image

_TILES_AT_ONCE = 1  # one tile stays in a processor's cache, two do not


@dataclass(frozen=True, slots=True)
class FabricFeatures:
    """What is kept of the normal pictures of one fabric.

    Attributes:
        cache: raw vectors, before normalisation.
        mean_map: (h, w, D) float64 mean of the raw vectors position by position; None where the pictures differ in
            size or are strips.
        first_map: (h, w, D) raw vectors of the first picture, likewise.
        total, total_squared: (D,) float64 sums over all vectors, also those that are not in the cache.
        count: number of all vectors.
        is_whole: the cache holds every vector of every picture, picture after picture in row order.
    """

    cache: FeatureCache
    mean_map: Tensor | None
    first_map: Tensor | None
    total: Tensor
    total_squared: Tensor
    count: int
    is_whole: bool


def extract_features(
    normal: NormalImages,
    paths: Sequence[Path],
    extractor: FeatureExtractor,
    config: CrasConfig,
    capacity: int,
    device: torch.device,
    rng: np.random.Generator,
    on_image: Callable[[Path], None],
) -> FabricFeatures:
    """Takes the features of some pictures of a fabric; each gives an equal share of the cache, chosen at random.

    Args:
        normal: the fabric.
        paths: its pictures to take.
        extractor: on ``device``; its statistics are not used.
        config: of the tiles, and where the cache is kept.
        capacity: most vectors to keep.
        device: where to compute.
        rng: decides which vectors are kept.
        on_image: told after each picture.

    Raises:
        DataError: a picture cannot be read, or none shows enough cloth.
    """
    quota = max(1, capacity // len(paths))
    cache = FeatureCache(extractor.dimension, min(capacity, quota * len(paths)), config.train.cache)
    sums = _Sums(extractor.dimension)
    mean_map, is_whole = _MeanMap(config.centers.mean_batch), True
    for path in paths:
        found = _vectors_of(read_image(path, normal.bits), normal, path, extractor, config, device, mean_map)
        on_image(path)
        if found is None:
            continue
        vectors, places = found
        sums.add(vectors)
        enough = len(vectors) <= quota
        kept = torch.arange(len(vectors)) if enough else torch.from_numpy(rng.permutation(len(vectors))[:quota])
        cache.add(vectors[kept], kept, places[kept])
        is_whole &= enough
    if sums.count == 0:
        raise DataError(
            "fabric-without-cloth",
            "fabric {fabric}: no cloth found in {count} pictures, the first of them {first}",
            fabric=normal.fabric,
            count=len(paths),
            first=paths[0],
        )
    is_whole = is_whole and len(cache) == sums.count
    return FabricFeatures(cache, *mean_map.result(), sums.total, sums.total_squared, sums.count, is_whole)


def _vectors_of(
    picture: Image,
    normal: NormalImages,
    path: Path,
    extractor: FeatureExtractor,
    config: CrasConfig,
    device: torch.device,
    mean_map: _MeanMap,
) -> tuple[Tensor, Tensor] | None:
    """(n, D) raw vectors of the cloth of a picture and their (n, 2) places in their tiles; None without cloth. Pictures
    that are one tile each also go into the mean map.
    """
    vectors, places = [], []
    for tiles, scored in tiles_of(picture, normal.are_strips, config, normal.piece(path)):
        for i in range(0, len(tiles), _TILES_AT_ONCE):
            images = to_images(tiles[i : i + _TILES_AT_ONCE], device, config.backbone.multiple_px)  # (B, 3, H', W')
            with torch.inference_mode():
                t = extractor.raw(images).cpu()  # (B, h', w', D)
            mask = torch.from_numpy(scored[i : i + _TILES_AT_ONCE])  # (B, h, w)
            t = t[:, : mask.shape[1], : mask.shape[2]]  # without what the tile was padded with
            vectors.append(t[mask])  # (n, D)
            places.append(cell_places(mask.shape[1], mask.shape[2]).expand(len(mask), -1, -1, -1)[mask])  # (n, 2)
            if not normal.are_strips:
                mean_map.add(t[0].double())
    return (torch.cat(vectors), torch.cat(places)) if vectors else None


class _Sums:
    """Of all vectors, also those that the cache has no room for: mean and deviation follow from them."""

    def __init__(self, dimension: int) -> None:
        self.total = torch.zeros(dimension, dtype=torch.float64)
        self.total_squared = torch.zeros_like(self.total)
        self.count = 0

    def add(self, vectors: Tensor) -> None:
        """Takes (n, D) vectors."""
        exact = vectors.double()  # millions of squares are added up
        self.total += exact.sum(dim=0)
        self.total_squared += exact.square().sum(dim=0)
        self.count += len(vectors)


class _MeanMap:
    """Eq. 1 before the adapter, while the pictures come: their mean position by position."""

    def __init__(self, batch: int | None) -> None:
        self._batch = batch
        self._first: Tensor | None = None
        self._same_size = True
        self._sum: Tensor | None = None  # of the pictures of this batch
        self._pictures = 0
        self._means: Tensor | None = None  # sum of the means of the batches before
        self._batches = 0

    def add(self, t: Tensor) -> None:
        """Takes the (h, w, D) float64 vectors of one picture."""
        self._first = t if self._first is None else self._first
        self._same_size &= t.shape == self._first.shape
        if not self._same_size:
            return
        self._sum = t if self._sum is None else self._sum + t
        self._pictures += 1
        if self._pictures == self._batch:
            self._end_batch()

    def result(self) -> tuple[Tensor | None, Tensor | None]:
        """The mean map and the map of the first picture; None without pictures, or where they differ in size."""
        self._end_batch()
        if self._means is None or not self._same_size:
            return None, None
        return self._means / self._batches, self._first

    def _end_batch(self) -> None:
        if self._sum is None:
            return
        mean = self._sum / self._pictures
        self._means = mean if self._means is None else self._means + mean
        self._batches += 1
        self._sum, self._pictures = None, 0
