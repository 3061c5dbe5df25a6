"""A trained detector as one graph without a branch that depends on data: what an exporter can trace.

The detectors go fabric by fabric through a batch, which a graph cannot. Here what belongs to a fabric is gathered for
each tile; the parts and the formulas are the detectors' own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from cras_core.detectors.anomnet.detector import AnomNetDetector
from cras_core.detectors.anomnet.folded import FoldedDistance, distance
from cras_core.detectors.centers import ClassCenters, nearest
from cras_core.detectors.cras.detector import CrasDetector, raw_scores
from cras_core.detectors.cras.model import center_aware
from cras_core.detectors.trained import TrainedDetector
from cras_core.errors import ExportError
from cras_core.features.patches import cell_places
from cras_core.features.tensors import mirrored_out
from cras_core.web.tiling import ceil_to


class Heads(nn.Module, ABC):
    """What follows the features, for tiles of one size."""

    @abstractmethod
    def match(self, t: Tensor) -> Tensor:
        """See ``Detector.match``."""

    @abstractmethod
    def forward(self, t: Tensor, fabric: Tensor) -> Tensor:
        """See ``Detector.score``."""


class Graph(nn.Module):
    """Tiles of one size in, what ``TileFeatures`` and its ``judge`` tell out.

    Attributes:
        size_px: (H, W) of a tile.
        grid: (h, w) cells of it.
    """

    def __init__(self, detector: TrainedDetector, size_px: tuple[int, int]) -> None:
        super().__init__()
        cell = detector.config.tiling.cell_px
        self.size_px = size_px
        self.grid = (ceil_to(size_px[0], cell) // cell, ceil_to(size_px[1], cell) // cell)
        self._multiple_px = detector.config.backbone.multiple_px
        self.extractor = detector.extractor
        self.heads = _heads_of(detector, self.grid)

    def forward(self, tiles: Tensor, fabric: Tensor, shift: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """
        Args:
            tiles: (B, 3, H, W) float32 RGB, 0..255.
            fabric: (B,) int64 what each tile is compared with; -1 takes the most similar (eq. 2).
            shift: (B, D) float32, added to the vectors before they are scored; zeros score them as they are.

        Returns:
            (B, K) similarity to each fabric, (S, B, h, w) raw scores, (B, h, w, D) vectors without the shift.
        """
        rows, cols = self.grid
        vectors = self.extractor(mirrored_out(tiles, self._multiple_px))[:, :rows, :cols]
        similarity = self.heads.match(vectors)
        chosen = torch.where(fabric < 0, similarity.argmax(dim=1), fabric)
        return similarity, self.heads(vectors + shift[:, None, None, :], chosen), vectors


class _CrasHeads(Heads):
    """Those of CRAS."""

    table: Tensor

    def __init__(self, inspector: CrasDetector) -> None:
        super().__init__()
        model = inspector.model
        self.adapter, self.centers, self.discriminator = model.adapter, model.centers, model.discriminator
        self._features, self._config, self._scale = model.features, inspector.config.score, inspector.scale
        # Fabrics with fewer centres repeat their first: it is never nearer than itself.
        most = int(self.centers.counts.max())
        padded = [
            torch.cat([v, v[:1].expand(most - len(v), -1)]) for v in map(self.centers.of, range(len(self.centers)))
        ]
        self.register_buffer("table", torch.stack(padded))  # (K, M, D)

    def match(self, t: Tensor) -> Tensor:
        return self.centers.similarity(self.adapter(t))

    def forward(self, t: Tensor, fabric: Tensor) -> Tensor:
        u = self.adapter(t)
        p = self._recomposed(u, fabric)
        y = center_aware(u, p, self._features)
        logit = self.discriminator(y.reshape(-1, y.shape[-1])).reshape(-1, *t.shape[1:3])
        return raw_scores(logit, (u - p).norm(dim=-1), fabric, self._config, self._scale)

    def _recomposed(self, u: Tensor, fabric: Tensor) -> Tensor:
        """See ``ClassCenters.recompose``."""
        _, h, w, d = u.shape
        if self.centers.local:
            mine = self.table[fabric]  # (B, M, D)
            index, _ = nearest(u.reshape(-1, h * w, d), mine)
            return mine.gather(1, index[:, :, None].expand(-1, -1, d)).reshape(-1, h, w, d)
        if self.centers.grid == (h, w):
            return self.table[fabric].reshape(-1, h, w, d)
        return self.centers.means[fabric][:, None, None, :].expand_as(u)


class _AnomNetHeads(Heads):
    """Those of AnomNet, folded. The bias of a cell is linear in where it lies, so that no bias of every cell and set
    has to be in the file.
    """

    weight: Tensor
    bias: Tensor
    slope: Tensor
    places: Tensor

    def __init__(self, detector: AnomNetDetector, grid: tuple[int, int]) -> None:
        super().__init__()
        means = detector.tensors()["means"]
        self._matcher = ClassCenters([m.unsqueeze(0) for m in means], means, None)
        folded = [FoldedDistance(detector.adapter, vectors.detach()) for vectors in detector.centroids.vectors]
        self.register_buffer("weight", torch.stack([f.weight for f in folded]))  # (S, D, D + K)
        self.register_buffer("bias", torch.stack([f.bias_of(1, 1) for f in folded]))  # (S, 1, D + K), in the middle
        along = [torch.cat([f.bias_of(2, 1).diff(dim=0), f.bias_of(1, 2).diff(dim=0)]) for f in folded]
        self.register_buffer("slope", torch.stack(along))  # (S, 2, D + K); two cells lie 1 apart
        self.register_buffer("places", cell_places(*grid).reshape(-1, 2))  # (h * w, 2)

    def match(self, t: Tensor) -> Tensor:
        return self._matcher.similarity(t)

    def forward(self, t: Tensor, fabric: Tensor) -> Tensor:
        _, h, w, d = t.shape
        k = fabric if len(self.weight) > 1 else torch.zeros_like(fabric)
        bias = self.bias[k] + self.places @ self.slope[k]  # (B, h * w, D + K)
        return distance(t.reshape(-1, h * w, d) @ self.weight[k] + bias, d).reshape(1, -1, h, w)


def _heads_of(detector: TrainedDetector, grid: tuple[int, int]) -> Heads:
    if isinstance(detector, CrasDetector):
        return _CrasHeads(detector)
    if isinstance(detector, AnomNetDetector):
        return _AnomNetHeads(detector, grid)
    raise ExportError(f"a detector of this kind ({type(detector).__name__}) cannot be exported")
