"""How a collapse of centroids is noticed: several of them in one place, or far from all cloth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cras_core.detectors.anomnet.centroids import nearest_squared
from cras_core.detectors.trained import Health


@dataclass(frozen=True, slots=True)
class SetHealth:
    """What became of a set of centroids.

    Attributes:
        name: of its fabric, or of all that share it.
        count: centroids in it.
        distinct: how many are left when those are counted as one that lie together.
        used: how many are nearest to a fair part of the cloth.
    """

    name: str
    count: int
    distinct: int
    used: int

    @property
    def has_collapsed(self) -> bool:
        """All centroids lie in one place."""
        return self.count > 1 and self.distinct == 1

    @property
    def problem(self) -> str:
        """What a person should know; empty where most centroids are of use."""
        if 2 * min(self.distinct, self.used) >= self.count:
            return ""
        return (
            f"{self.name}: of its {self.count} centroids {self.distinct} lie apart and {self.used} are near good "
            "cloth. Raise anomnet.separation or anomnet.entropy, or lower anomnet.centroids"
        )


_TOGETHER = 0.1  # of the distance of cloth from its mean; nearer centroids count as one
_FAIR = 0.05  # of an equal share of the cloth, from which a centroid is of use


@torch.no_grad()
def health(name: str, centroids: Tensor, cloth: Sequence[Tensor]) -> SetHealth:
    """Looks at a set of (K, D) centroids and at (N, D) adapted vectors of good cloth of each of its fabrics."""
    u = torch.cat(list(cloth))
    apart = _TOGETHER * float((u - u.mean(dim=0)).square().sum(dim=1).mean().sqrt())
    kept = centroids[:1]
    for vector in centroids[1:]:
        if float((kept - vector).norm(dim=1).min()) > apart:
            kept = torch.cat([kept, vector[None]])
    share = torch.bincount(nearest_squared(u, centroids)[1], minlength=len(centroids)) / len(u)
    used = int((share >= _FAIR / len(centroids)).sum())
    return SetHealth(name, len(centroids), len(kept), used)


LOOKED_AT = 4096
"""Vectors of each fabric that are looked at."""


def overall(sets: Sequence[SetHealth]) -> Health:
    """All sets of a model together."""
    gone = [h.name for h in sets if h.has_collapsed]
    failure = (
        f"All centroids of {', '.join(gone)} have collapsed into one place; no bundle was written. Raise "
        "anomnet.separation, anomnet.entropy or anomnet.centroid_rate, or set anomnet.centroids=1."
    )
    return Health(tuple(h.problem for h in sets if h.problem), failure if gone else "")
