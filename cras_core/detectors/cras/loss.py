"""The training loss (eq. 8 of the CRAS paper)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus


def discrimination_loss(normal: Tensor, synthetic: Tensor) -> Tensor:
    """Binary cross-entropy of (N,) logits with labels 0 for normal and 1 for synthetic vectors, each averaged: mean +
    mean.
    """
    return softplus(normal).mean() + softplus(-synthetic).mean()
