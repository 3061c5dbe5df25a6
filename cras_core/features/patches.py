"""From a pyramid of feature maps to one vector per cell (section III-B of the CRAS paper; the aggregation is
PatchCore's).

The paper unfolds a p x p neighbourhood of every position, pools its C * p^2 values to a fixed length and then pools
the levels together. All of that is linear and fixed, so it is done here as one small convolution per level, at the
level's own resolution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from cras_core.config.settings import PatchConfig
from cras_core.errors import ConfigError


class PatchAggregator(nn.Module):
    """Pyramid -> (B, D, h, w), the feature t of the paper before normalisation.

    Attributes:
        dimension: D.
        cell_px: side of a cell in the image, pixels.
    """

    def __init__(self, channels: Sequence[int], strides: Sequence[float], config: PatchConfig) -> None:
        super().__init__()
        self.config = config
        cell = float(config.cell_px) if config.cell_px is not None else min(strides)
        if cell != int(cell) or any(math.log2(cell / s) % 1 for s in strides):
            levels = ", ".join(f"{s:g}" for s in strides)
            raise ConfigError(
                "cells-misfit-levels",
                "cells of {cell:g} px do not match levels of stride {levels} px by a power of two",
                cell=cell,
                levels=levels,
            )
        self.cell_px = int(cell)
        self._zoom = [s / cell for s in strides]
        if config.dimension is None:
            self.dimension = sum(channels)
            self.pools = nn.ModuleList(_NeighbourhoodMean(config.neighbourhood) for _ in channels)
        else:
            if config.dimension % len(channels):
                raise ConfigError(
                    "dimension-not-shared",
                    "{count} levels cannot share {dimension} values equally",
                    count=len(channels),
                    dimension=config.dimension,
                )
            self.dimension = config.dimension
            share = config.dimension // len(channels)
            self.pools = nn.ModuleList(
                _pooling_convolution(c, config.neighbourhood, config.dimension, share, len(channels)) for c in channels
            )

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """One (B, C, h, w) per level -> (B, D, H / cell_px, W / cell_px)."""
        maps = []
        for level, pool, zoom in zip(levels, self.pools, self._zoom, strict=True):
            t = pool(level)  # (B, D_level, h, w)
            if zoom < 1:
                t = nn.functional.avg_pool2d(t, round(1 / zoom))
            elif zoom > 1:
                t = nn.functional.interpolate(t, scale_factor=zoom, mode="bilinear", align_corners=False)
            maps.append(t)
        return torch.cat(maps, dim=1)


def cell_places(rows: int, cols: int) -> Tensor:
    """Where the centre of each cell of a tile lies, as CoordConv has it (Liu et al., NeurIPS 2018): (rows, cols, 2),
    row and column, -1 at the upper and the left border of the tile and 1 at the lower and the right one.
    """
    row, col = ((2 * torch.arange(n) + 1) / n - 1 for n in (rows, cols))
    return torch.stack(torch.meshgrid(row, col, indexing="ij"), dim=-1)


class _NeighbourhoodMean(nn.Module):
    """The mean over the neighbourhood, channel by channel; outside the map are zeros, as in the paper's unfolding."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, level: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(level, self.side, stride=1, padding=self.side // 2) if self.side > 1 else level


def _pooling_convolution(channels: int, side: int, first: int, share: int, levels: int) -> nn.Conv2d:
    """The paper's pooling of one level as a grouped convolution: C * p^2 values to ``first``, then ``levels``
    neighbours of those to one.
    """
    pool = _adaptive_pooling(channels * side * side, first)  # (first, C * p^2)
    pool = pool.reshape(share, levels, -1).mean(axis=1)  # (share, C * p^2)
    groups = math.gcd(channels, share)
    while groups > 1 and not _is_block_diagonal(pool, groups):
        groups = next(g for g in range(groups - 1, 0, -1) if channels % g == 0 and share % g == 0)
    convolution = nn.Conv2d(channels, share, side, padding=side // 2, groups=groups, bias=False).requires_grad_(False)
    per_group = channels // groups * side * side
    weight = np.stack([row[(i // (share // groups)) * per_group :][:per_group] for i, row in enumerate(pool)])
    with torch.no_grad():
        convolution.weight.copy_(torch.from_numpy(weight).reshape(share, channels // groups, side, side))
    return convolution


def _adaptive_pooling(n: int, m: int) -> npt.NDArray[np.float64]:
    """torch's adaptive_avg_pool1d from n to m values as a matrix, (m, n)."""
    pool = np.zeros((m, n))
    for i in range(m):
        start, end = i * n // m, -(-(i + 1) * n // m)
        pool[i, start:end] = 1.0 / (end - start)
    return pool


def _is_block_diagonal(pool: npt.NDArray[np.float64], groups: int) -> bool:
    rows, cols = pool.shape[0] // groups, pool.shape[1] // groups
    inside = np.zeros_like(pool, dtype=bool)
    for g in range(groups):
        inside[g * rows : (g + 1) * rows, g * cols : (g + 1) * cols] = True
    return not pool[~inside].any()
