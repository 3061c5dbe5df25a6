"""The feature adapter A_theta (section III-B of the CRAS paper)."""

from __future__ import annotations

from torch import Tensor, nn


class Adapter(nn.Module):
    """One linear layer without activation, from the features of the frozen backbone to those of the cloth."""

    def __init__(self, dimension: int, *, start_as_identity: bool) -> None:
        """``start_as_identity`` for normalised features, whose geometry is good already; otherwise Xavier-normal as
        in the authors' code.
        """
        super().__init__()
        self.linear = nn.Linear(dimension, dimension)
        if start_as_identity:
            nn.init.eye_(self.linear.weight)
        else:
            nn.init.xavier_normal_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, t: Tensor) -> Tensor:
        """(N, D) -> (N, D), u = A(t)."""
        u: Tensor = self.linear(t)
        return u
