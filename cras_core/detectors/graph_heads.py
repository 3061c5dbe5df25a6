"""What follows the features, as a graph without a branch that depends on data: what an exporter can trace.

A detector goes fabric by fabric through a batch, which a graph cannot. Here what belongs to a fabric is gathered for
each tile; the parts and the formulas are the detector's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class GraphHeads(nn.Module, ABC):
    """The heads of a detector for tiles of one size."""

    @abstractmethod
    def match(self, t: Tensor) -> Tensor:
        """See ``Detector.match``."""

    @abstractmethod
    def forward(self, t: Tensor, fabric: Tensor) -> Tensor:
        """See ``Detector.score``."""
