"""Distance-guided anomaly feature synthesis, DAFS (section III-D of the CRAS paper)."""

from __future__ import annotations

import torch
from torch import Tensor

from cras_core.config.settings import SynthesisConfig


def synthesise(u: Tensor, p: Tensor, config: SynthesisConfig, generator: torch.Generator | None = None) -> Tensor:
    """Synthetic anomalies v for normal vectors u and their recomposed centres p, all (N, D).

    Equations 4 to 6. g'/r' of eq. 5, "norm matrices" in the text, is the mean of g/r over the batch, as in the
    authors' code. The ratio is a constant of
    the step: no gradient flows through the norms.
    """
    g = config.sigma * torch.randn(u.shape, generator=generator, device=u.device, dtype=u.dtype)
    if config.share < 1.0:
        chosen = torch.rand(u.shape, generator=generator, device=u.device) < config.share
        g = g * chosen / config.share**0.5
    residual_norm = (u - p).norm(dim=1).detach()  # eq. 4
    noise_norm = g.norm(dim=1)
    if config.ratio == "1/gr":
        noise_norm = 1.0 / noise_norm.clamp_min(1e-6)
    elif config.ratio == "1/r":
        noise_norm = torch.ones_like(noise_norm)
    ratio = noise_norm / residual_norm.clamp_min(1e-6)
    alpha = config.beta * (ratio / ratio.mean() - 1.0) + 1.0  # eq. 5
    v: Tensor = u + alpha.unsqueeze(1) * g  # eq. 6
    return v
