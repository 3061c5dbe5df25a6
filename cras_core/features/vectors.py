"""Vectors of cloth for the heads to train on: drawn from the cached features, normalised, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cras_core.config.settings import TrainConfig
from cras_core.errors import DataError
from cras_core.features.cache import FeatureCache
from cras_core.features.extraction import FabricFeatures
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.synthetic import SyntheticFeatures


@dataclass(frozen=True, slots=True)
class Patches:
    """Some normalised vectors of one fabric: (n, D); where they lay in their pictures, (n,) int64; and in their tiles,
    (n, 2) float32, row and column in -1..1.
    """

    vectors: Tensor
    positions: Tensor
    places: Tensor


class Vectors:
    """Normalised vectors of one fabric."""

    def __init__(self, features: FabricFeatures, extractor: FeatureExtractor, device: torch.device) -> None:
        self._cache = features.cache
        self._mean, self._std = extractor.mean.cpu(), extractor.std.cpu()
        self._device = device

    def __len__(self) -> int:
        return len(self._cache)

    def sample(self, n: int, rng: np.random.Generator) -> Patches:
        """n vectors chosen at random, without repetition as far as there are enough."""
        return self.take(np.sort(rng.permutation(len(self))[:n] if n <= len(self) else rng.integers(0, len(self), n)))

    def take(self, index: npt.NDArray[np.int64]) -> Patches:
        """The vectors at (n,) indices into the cache."""
        vectors = (self._cache.take(index) - self._mean) / self._std
        return _patches(vectors, self._cache, index, self._device)


class SyntheticVectors:
    """Cells of one fabric under drawn defects."""

    def __init__(self, features: SyntheticFeatures, extractor: FeatureExtractor, device: torch.device) -> None:
        self._clean, self._change = features.clean, features.change
        self._mean, self._std = extractor.mean.cpu(), extractor.std.cpu()
        self._device = device

    def sample(self, n: int, rng: np.random.Generator) -> Patches:
        """n vectors under defects of half to one and a half times the strength they were drawn with."""
        index = rng.integers(0, len(self._clean), n)
        strength = torch.from_numpy(rng.uniform(0.5, 1.5, (n, 1)).astype(np.float32))
        vectors = (self._clean.take(index) + strength * self._change.take(index) - self._mean) / self._std
        return _patches(vectors, self._clean, index, self._device)


def _patches(vectors: Tensor, cache: FeatureCache, index: npt.NDArray[np.int64], device: torch.device) -> Patches:
    """Vectors made of those at (n,) indices into a cache, with where these lay."""
    positions = torch.from_numpy(cache.positions[index].astype(np.int64))
    places = torch.from_numpy(cache.places[index].astype(np.float32))
    return Patches(vectors.to(device), positions.to(device), places.to(device))


class Steps:
    """The steps of an epoch, each the patches of every fabric in it."""

    def __init__(
        self,
        seen: Sequence[Vectors],
        features: Sequence[FabricFeatures],
        config: TrainConfig,
        rng: np.random.Generator,
    ) -> None:
        self._seen, self._rng = seen, rng
        self._per_fabric = max(2, config.patches_per_step // len(seen))
        self._pictures: list[tuple[int, int, int]] = []  # fabric, first and last row of the cache
        self._pictures_per_step = config.images_per_step
        if config.images_per_step is None:
            available = sum(len(v) for v in seen)
            wanted = min(available, config.patches_per_epoch or available)
            self._count = max(1, round(wanted / (self._per_fabric * len(seen))))
            return
        for k, f in enumerate(features):
            if f.mean_map is None or not f.is_whole:
                raise DataError(
                    "whole-pictures-need-one-size",
                    "steps of whole pictures need pictures of one size, not strips, and a cache that holds them all; "
                    "raise train.cache_mb or set train.images_per_step=null",
                )
            cells = f.mean_map.shape[0] * f.mean_map.shape[1]
            self._pictures += [(k, i, i + cells) for i in range(0, len(f.cache), cells)]
        self._count = -(-len(self._pictures) // config.images_per_step)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[list[tuple[int, Patches]]]:
        if self._pictures_per_step is None:
            for _ in range(self._count):
                yield [(k, v.sample(self._per_fabric, self._rng)) for k, v in enumerate(self._seen)]
            return
        order = self._rng.permutation(len(self._pictures))
        for i in range(0, len(order), self._pictures_per_step):
            chosen = [self._pictures[j] for j in order[i : i + self._pictures_per_step]]
            by_fabric = {
                k: [np.arange(a, b) for c, a, b in chosen if c == k] for k in sorted({c for c, _, _ in chosen})
            }
            yield [(k, self._seen[k].take(np.concatenate(rows))) for k, rows in by_fabric.items()]
