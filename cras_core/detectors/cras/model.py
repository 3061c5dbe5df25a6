"""The CRAS model: its parts, composed as in Fig. 2 of the paper."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cras_core.config.settings import Combination
from cras_core.detectors.centers import ClassCenters
from cras_core.detectors.cras.adapter import Adapter
from cras_core.detectors.cras.discriminator import Discriminator
from cras_core.features.extractor import FeatureExtractor


@dataclass(frozen=True, slots=True)
class HeadOutput:
    """What the heads say of a batch of images.

    Attributes:
        logit: (B, h, w) the discriminator's logit.
        residual: (B, h, w) distance to the recomposed centre (eq. 4).
        similarity: (B, K) similarity to each class (eq. 2).
        fabric: (B,) int64 the class that each image was compared with.
    """

    logit: Tensor
    residual: Tensor
    similarity: Tensor
    fabric: Tensor


class CrasModel(nn.Module):
    """One model for all fabrics."""

    def __init__(
        self,
        extractor: FeatureExtractor,
        adapter: Adapter,
        centers: ClassCenters,
        discriminator: Discriminator,
        features: Combination = "raw+residual",
    ) -> None:
        super().__init__()
        self.extractor = extractor
        self.adapter = adapter
        self.centers = centers
        self.discriminator = discriminator
        self.features: Combination = features

    def forward(self, images: Tensor, fabric: Tensor | None = None, size: tuple[int, int] | None = None) -> HeadOutput:
        """Inference, the solid arrows of Fig. 2.

        Args:
            images: (B, 3, H, W) RGB, 0..255.
            fabric: (B,) int64 classes where they are known; None matches every image on its own (eq. 2).
            size: (h, w) cells from the top left that count, where the images are padded; None means all.
        """
        t = self.extractor(images)  # E_phi: (B, h, w, D)
        t = t if size is None else t[:, : size[0], : size[1]]
        similarity = self.match(t)
        fabric = similarity.argmax(dim=1) if fabric is None else fabric
        logit, residual = self.judge(t, fabric)
        return HeadOutput(logit, residual, similarity, fabric)

    def match(self, t: Tensor) -> Tensor:
        """(B, h, w, D) features -> (B, K) similarity of each image to each class (eq. 2)."""
        similarity: Tensor = self.centers.similarity(self.adapter(t))
        return similarity

    def judge(self, t: Tensor, fabric: Tensor) -> tuple[Tensor, Tensor]:
        """(B, h, w, D) features and their (B,) classes -> (B, h, w) logits and (B, h, w) distances to the recomposed
        centres.
        """
        u = self.adapter(t)  # A_theta
        p = self.centers.recompose(u, fabric)  # eq. 3
        y = center_aware(u, p, self.features)  # eq. 7: (B, h, w, 2D)
        logit = self.discriminator(y.reshape(-1, y.shape[-1])).reshape(y.shape[:-1])  # eq. 9, before the sigmoid
        return logit, (u - p).norm(dim=-1)


def center_aware(u: Tensor, p: Tensor, features: Combination = "raw+residual") -> Tensor:
    """A vector beside its residual to the recomposed centre (eq. 7), or another combination of the two (table VI):
    (..., D), (..., D) -> (..., 2D) or (..., D).
    """
    parts = [u if part == "raw" else u - p for part in features.split("+")]
    return torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
