"""The two scores of CRAS, logit and residual, brought to one scale (``ScoreConfig.kind``)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cras_core.config.settings import ScoreConfig


@dataclass(frozen=True, slots=True)
class ScoreScale:
    """Median and interquartile range of the two scores on normal cloth, by which ``both`` adds them up; (K,) float32
    each.
    """

    logit_centre: Tensor
    logit_spread: Tensor
    residual_centre: Tensor
    residual_spread: Tensor

    def to(self, device: torch.device) -> ScoreScale:
        """The same on another device."""
        return ScoreScale(*(getattr(self, name).to(device) for name in ScoreScale.__slots__))


def scale_of(logit: Tensor, residual: Tensor) -> Tensor:
    """The row of a fabric in a ``ScoreScale``, by (N,) logits and residuals of good cloth -> (4,) float32."""
    row = []
    for values in (logit, residual):
        low, centre, high = np.percentile(values.cpu().numpy(), [25, 50, 75])
        row += [centre, max(high - low, 1e-6)]
    return torch.tensor(row, dtype=torch.float32)


def raw_scores(logit: Tensor, residual: Tensor, fabric: Tensor, config: ScoreConfig, scale: ScoreScale) -> Tensor:
    """The raw scores of every cell, of (B, h, w) logits and residuals and (B,) fabrics -> (S, B, h, w)."""
    if config.kind == "probability":
        return logit.sigmoid()[None]  # eq. 9
    if config.kind == "logit":
        return logit[None]
    if config.kind == "residual":
        return residual[None]  # eq. 4
    # Each in interquartile ranges of the fabric's own good cloth: only then may they be added up.
    k = fabric
    logit = (logit - scale.logit_centre[k, None, None]) / scale.logit_spread[k, None, None]
    residual = (residual - scale.residual_centre[k, None, None]) / scale.residual_spread[k, None, None]
    return torch.stack([logit, residual])
