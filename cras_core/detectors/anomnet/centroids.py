"""The centroids of AnomNet: a set for each fabric, or one for all."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def nearest_squared(u: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest centroid of each vector: (N, D), (K, D) -> (N,) squared distance and (N,) int64 index (eq. 6).

    The distance is taken anew from the centroid that a matrix product found, which keeps it exact near 0 and gives it
    the gradient of eq. 5.
    """
    with torch.no_grad():
        index = (centroids.square().sum(dim=1) - 2 * (u @ centroids.T)).argmin(dim=1)
    return (u - centroids[index]).square().sum(dim=1), index


class CentroidSets(nn.Module):
    """Centroids of all fabrics.

    Attributes:
        vectors: (S, K, D), S being the number of fabrics or 1.
    """

    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        self.vectors = nn.Parameter(vectors)

    @classmethod
    def around(cls, means: Tensor, cloth: Tensor, spread: float) -> CentroidSets:
        """Where training starts: near the global mean.

        Args:
            means: (S, D) mean of the cloth of each set.
            cloth: (S, K, D) vectors of it; each centroid starts a little towards one of them.
            spread: how far, as a share of the way.
        """
        start = means[:, None, :]
        return cls(start + spread * (cloth - start))

    def set_of(self, fabric: int) -> int:
        """Index of the set of a fabric."""
        return fabric if len(self.vectors) > 1 else 0

    def of(self, fabric: int) -> Tensor:
        """(K, D) centroids that cloth of a fabric is compared with."""
        return self.vectors[self.set_of(fabric)]
