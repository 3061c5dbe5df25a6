"""The losses of AnomNet (section 2.2), all per element of a vector.

The equations, as far as the text gives them; K centroids c, N vectors f of dimension D:

- eq. 3, separation: the mean over the pairs of centroids of max(0, threshold - distance);
- eq. 4, entropy: minus the entropy of a Gaussian with the variances of the centroids, element by element;
- eq. 5, attraction: the mean over the vectors of the squared distance to the nearest centroid;
- algorithm 1, contrast: 1 - cosine of positive pairs, max(0, cosine - margin) of negative ones, the mean of each.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_LEAST_VARIANCE = 1e-6
"""Of an element, added: all centroids in one place have no logarithm."""


def separation(centroids: Tensor, threshold: float) -> Tensor:
    """Eq. 3 of one set: (K, D) -> (); 0 for a single centroid. Distances are root mean squares over the elements."""
    if len(centroids) < 2:
        return centroids.new_zeros(())
    distance = nn.functional.pdist(centroids) / math.sqrt(centroids.shape[1])
    return (threshold - distance).clamp_min(0.0).mean()


def entropy(centroids: Tensor) -> Tensor:
    """Minus H of eq. 4 for one set, per element: (K, D) -> (); 0 for a single centroid.

    The covariance of fewer centroids than elements has no determinant, so only its diagonal counts.
    """
    if len(centroids) < 2:
        return centroids.new_zeros(())
    variance = centroids.var(dim=0, unbiased=False) + _LEAST_VARIANCE
    return -0.5 * (2 * math.pi * math.e * variance).log().mean()


def contrast(u: Tensor, label: Tensor, margin: float) -> Tensor:
    """Eq. 7 to 10: (N, D) vectors and their (N,) labels -> (). A kind of pair that there is none of costs nothing.

    Memory grows with N squared; the caller bounds N.
    """
    z = nn.functional.normalize(u, dim=1)
    similarity = z @ z.T
    same = label[:, None] == label[None, :]
    different = ~same
    positive = same & ~torch.eye(len(u), dtype=torch.bool, device=u.device)
    attracting = (1 - similarity)[positive].sum() / positive.sum().clamp_min(1)
    repelling = (similarity - margin).clamp_min(0.0)[different].sum() / different.sum().clamp_min(1)
    return attracting + repelling
