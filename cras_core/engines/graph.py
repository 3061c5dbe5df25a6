"""A trained detector as one graph without a branch that depends on data: what an exporter can trace."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cras_core.detectors.trained import TrainedDetector
from cras_core.features.tensors import mirrored_out
from cras_core.web.tiling import ceil_to


class Graph(nn.Module):
    """Tiles of one size in, what ``TileFeatures`` and its ``score`` tell out.

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
        self.heads = detector.graph_heads(self.grid)

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
