"""The heads of AnomNet as a graph for other runtimes, adapter and centroids folded into one product (``folded``)."""

from __future__ import annotations

import torch
from torch import Tensor

from cras_core.detectors.anomnet.folded import FoldedDistance, distance
from cras_core.detectors.centers import ClassCenters
from cras_core.detectors.graph_heads import GraphHeads
from cras_core.features.patches import cell_places


class AnomNetGraphHeads(GraphHeads):
    """The folded distances of all sets. The bias of a cell is linear in where it lies, so that no bias of every cell
    and set has to be in the file.
    """

    weight: Tensor
    bias: Tensor
    slope: Tensor
    places: Tensor

    def __init__(self, folded: list[FoldedDistance], means: Tensor, grid: tuple[int, int]) -> None:
        """
        Args:
            folded: of every set of centroids.
            means: (F, D) mean of the normalised features of each fabric.
            grid: (h, w) cells of a tile.
        """
        super().__init__()
        self._matcher = ClassCenters([m.unsqueeze(0) for m in means], means, None)
        self.register_buffer("weight", torch.stack([f.weight for f in folded]))  # (S, D, D + K)
        self.register_buffer("bias", torch.stack([f.bias_of(1, 1) for f in folded]))  # (S, 1, D + K), in the middle
        along = [torch.cat([f.bias_of(2, 1).diff(dim=0), f.bias_of(1, 2).diff(dim=0)]) for f in folded]
        self.register_buffer("slope", torch.stack(along))  # (S, 2, D + K); two cells lie 1 apart
        self.register_buffer("places", cell_places(*grid).reshape(-1, 2))  # (h * w, 2)

    def match(self, t: Tensor) -> Tensor:
        """See ``Detector.match``."""
        return self._matcher.similarity(t)

    def forward(self, t: Tensor, fabric: Tensor) -> Tensor:
        """See ``Detector.score``."""
        _, h, w, d = t.shape
        k = fabric if len(self.weight) > 1 else torch.zeros_like(fabric)
        bias = self.bias[k] + self.places @ self.slope[k]  # (B, h * w, D + K)
        return distance(t.reshape(-1, h * w, d) @ self.weight[k] + bias, d).reshape(1, -1, h, w)
