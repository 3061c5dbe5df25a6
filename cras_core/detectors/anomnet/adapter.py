"""The feature adapter of AnomNet (section 2.1): a coordinate convolution of side 1."""

from __future__ import annotations

from torch import Tensor, nn

from cras_core.features.patches import cell_places


class CoordAdapter(nn.Module):
    """u = W t + V c + b: a vector t and where in its tile it lies, c, to a vector of the same length.

    It is linear, so at inference V c + b is a bias for each position, see ``folded``.
    """

    def __init__(self, dimension: int, *, coordinates: bool, start_as_identity: bool) -> None:
        """``coordinates`` off leaves V out; ``start_as_identity`` as for the adapter of CRAS."""
        super().__init__()
        self.linear = nn.Linear(dimension, dimension)
        self.place: nn.Linear | None = nn.Linear(2, dimension, bias=False) if coordinates else None
        if start_as_identity:
            nn.init.eye_(self.linear.weight)
        else:
            nn.init.xavier_normal_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        if self.place is not None:
            nn.init.zeros_(self.place.weight)

    def forward(self, t: Tensor, places: Tensor) -> Tensor:
        """(..., D) vectors and their (..., 2) places -> (..., D)."""
        u: Tensor = self.linear(t)
        return u if self.place is None else u + self.place(places)

    def bias_of(self, rows: int, cols: int) -> Tensor:
        """What it adds to the cells of a tile whatever they hold, (rows, cols, D)."""
        bias: Tensor = self.linear.bias.expand(rows, cols, -1)
        return bias if self.place is None else bias + self.place(cell_places(rows, cols).to(bias))

    def tile(self, t: Tensor) -> Tensor:
        """Whole tiles: (B, h, w, D) -> (B, h, w, D)."""
        places = cell_places(t.shape[1], t.shape[2]).to(t)
        u: Tensor = self(t, places.expand(len(t), -1, -1, -1))
        return u
