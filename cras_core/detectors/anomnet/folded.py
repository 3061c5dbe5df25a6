"""Adapter and centroids folded into one matrix product for inference.

u = W t + v(c) is linear in t, with a bias v for each place c (``CoordAdapter.bias_of``). With m the mean of the K
centroids, e_k = c_k - m and u' = u - m,

    |u - c_k|^2 = |u'|^2 - 2 (e_k u' - |e_k|^2 / 2),

and both u' and e_k u' are rows of one product with t. The mean is taken out because the difference above cancels the
less, the shorter u' is.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cras_core.detectors.anomnet.adapter import CoordAdapter


class FoldedDistance:
    """The distance to the nearest of a set of centroids, from the features before the adapter.

    Attributes:
        weight: (D, D + K), what a vector is multiplied with.
    """

    def __init__(self, adapter: CoordAdapter, centroids: Tensor) -> None:
        """``centroids``: (K, D). Both are taken as they are now."""
        with torch.no_grad():
            self._adapter = adapter
            self._mean = centroids.mean(dim=0)
            self._around = centroids - self._mean  # (K, D)
            weight = adapter.linear.weight
            self.weight = torch.cat([weight, self._around @ weight]).T.contiguous()
        self._bias: dict[tuple[int, int], Tensor] = {}

    @torch.no_grad()
    def __call__(self, t: Tensor) -> Tensor:
        """(B, h, w, D) features of whole tiles -> (B, h, w) distances."""
        b, h, w, d = t.shape
        if (h, w) not in self._bias:
            self._bias = {(h, w): self.bias_of(h, w)}  # tiles of a web have one size
        y = t.reshape(-1, d) @ self.weight
        return distance(y.reshape(b, h * w, -1) + self._bias[h, w], d).reshape(b, h, w)

    @torch.no_grad()
    def bias_of(self, rows: int, cols: int) -> Tensor:
        """What is added after the product in a tile of so many cells, (rows * cols, D + K)."""
        bias = (self._adapter.bias_of(rows, cols) - self._mean).reshape(rows * cols, -1)
        towards = bias @ self._around.T - 0.5 * self._around.square().sum(dim=1)
        return torch.cat([bias, towards], dim=1)


def distance(y: Tensor, dimension: int) -> Tensor:
    """(..., D + K) products with their bias, D being ``dimension`` -> (...,) distances."""
    squared = y[..., :dimension].square().sum(dim=-1) - 2 * y[..., dimension:].amax(dim=-1)
    return squared.clamp_min(0.0).sqrt()
