"""From tiles to normalised patch vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cras_core.config.settings import CrasConfig
from cras_core.features.backbone import Backbone
from cras_core.features.patches import PatchAggregator


class FeatureExtractor(nn.Module):
    """E_phi of the paper: images -> one vector per cell. Frozen; holds the statistics of the training cloth."""

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: Backbone, config: CrasConfig) -> None:
        super().__init__()
        self.backbone = backbone
        self.patches = PatchAggregator(backbone.channels, backbone.strides, config.patches)
        self.register_buffer("mean", torch.zeros(self.patches.dimension))
        self.register_buffer("std", torch.ones(self.patches.dimension))

    @property
    def dimension(self) -> int:
        """Length D of a vector."""
        return self.patches.dimension

    @property
    def cell_px(self) -> int:
        """Side of a cell, pixels."""
        return self.patches.cell_px

    def raw(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) RGB, 0..255 -> (B, h, w, D) before normalisation."""
        t: Tensor = self.patches(self.backbone(images))
        return t.permute(0, 2, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) RGB, 0..255 -> t, (B, h, w, D)."""
        return (self.raw(images) - self.mean) / self.std
