"""The heads of CRAS as a graph for other runtimes."""

from __future__ import annotations

import torch
from torch import Tensor

from cras_core.config.settings import ScoreConfig
from cras_core.detectors.centers import nearest
from cras_core.detectors.cras.model import CrasModel, center_aware
from cras_core.detectors.cras.scale import ScoreScale, raw_scores
from cras_core.detectors.graph_heads import GraphHeads


class CrasGraphHeads(GraphHeads):
    """Adapter, centres and discriminator of a trained model."""

    table: Tensor

    def __init__(self, model: CrasModel, score: ScoreConfig, scale: ScoreScale) -> None:
        super().__init__()
        self.adapter, self.centers, self.discriminator = model.adapter, model.centers, model.discriminator
        self._features, self._score, self._scale = model.features, score, scale
        # A graph needs one length for all fabrics. Those with fewer centres repeat their first: it is never nearer
        # than itself.
        most = int(self.centers.counts.max())
        padded = [
            torch.cat([v, v[:1].expand(most - len(v), -1)]) for v in map(self.centers.of, range(len(self.centers)))
        ]
        self.register_buffer("table", torch.stack(padded))  # (K, M, D)

    def match(self, t: Tensor) -> Tensor:
        """See ``Detector.match``."""
        return self.centers.similarity(self.adapter(t))

    def forward(self, t: Tensor, fabric: Tensor) -> Tensor:
        """See ``Detector.score``."""
        u = self.adapter(t)  # (B, h, w, D)
        p = self._recomposed(u, fabric)  # (B, h, w, D)
        y = center_aware(u, p, self._features)  # (B, h, w, 2D), eq. 7
        logit = self.discriminator(y.reshape(-1, y.shape[-1])).reshape(-1, *t.shape[1:3])  # (B, h, w)
        return raw_scores(logit, (u - p).norm(dim=-1), fabric, self._score, self._scale)

    def _recomposed(self, u: Tensor, fabric: Tensor) -> Tensor:
        """See ``ClassCenters.recompose``."""
        _, h, w, d = u.shape
        if self.centers.local:
            mine = self.table[fabric]  # (B, M, D)
            index, _ = nearest(u.reshape(-1, h * w, d), mine)  # (B, h * w)
            return mine.gather(1, index[:, :, None].expand(-1, -1, d)).reshape(-1, h, w, d)
        if self.centers.grid == (h, w):
            return self.table[fabric].reshape(-1, h, w, d)
        return self.centers.means[fabric][:, None, None, :].expand_as(u)
