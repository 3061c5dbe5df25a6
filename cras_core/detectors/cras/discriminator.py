"""The discriminator D_psi (section III-E of the CRAS paper)."""

from __future__ import annotations

from torch import Tensor, nn


class Discriminator(nn.Module):
    """Tells normal from synthetic by a vector and its residual: 2D - D - D/2 - 1, batch normalisation and leaky ReLU
    in between.
    """

    def __init__(self, dimension: int, parts: int = 2) -> None:
        """``parts`` vectors of length ``dimension`` come in."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(parts * dimension, dimension),
            nn.BatchNorm1d(dimension),
            nn.LeakyReLU(0.2),
            nn.Linear(dimension, dimension // 2),
            nn.BatchNorm1d(dimension // 2),
            nn.LeakyReLU(0.2),
            nn.Linear(dimension // 2, 1, bias=False),
        )

    def forward(self, y: Tensor) -> Tensor:
        """(N, parts * D) centre-aware features -> (N,) logits; positive is anomalous."""
        logits: Tensor = self.layers(y)
        return logits.squeeze(1)
