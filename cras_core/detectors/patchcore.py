"""A bank of normal vectors and the distance to the nearest of them: PatchCore (Roth et al., CVPR 2022), which every
other detector has to beat.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cras_core.config.settings import CrasConfig
from cras_core.detectors.base import Detector
from cras_core.detectors.centers import ClassCenters
from cras_core.features.extractor import FeatureExtractor
from cras_core.web.calibration import provisional

_PROJECTED = 64  # the coreset is chosen in a random projection of this many dimensions, as in PatchCore
_AT_ONCE = 2048  # patches compared with the bank at once; bounds the memory


class PatchCore(Detector):
    """Scores a patch by its Euclidean distance to the nearest vector of a bank; one for all fabrics, or one each.

    PatchCore's reweighting of the picture's score by the neighbourhood of the nearest vector is left out: it changes
    no map.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        banks: list[Tensor],
        means: Tensor,
        medians: Tensor,
        fabrics: tuple[str, ...],
        config: CrasConfig,
        device: torch.device,
    ) -> None:
        """
        Args:
            extractor: the same that the other detector has.
            banks: (M, D) vectors, one bank for all fabrics or one per fabric.
            means: (K, D) mean vector of each fabric, by which cloth is matched (eq. 2).
            medians: (K, D) median features of each fabric.
            fabrics: their names.
            config: settings; of the heads nothing is used.
            device: where to compute.
        """
        super().__init__(config, [provisional(f) for f in fabrics], medians, device, extractor.backbone.weights_hash)
        self._extractor = extractor.to(device).eval()
        self._banks = [b.to(device) for b in banks]
        self._matcher = ClassCenters([m.unsqueeze(0) for m in means], means, None).to(device)

    def features(self, images: Tensor) -> Tensor:
        """See ``Detector.features``."""
        t: Tensor = self._extractor(images)
        return t

    def match(self, t: Tensor) -> Tensor:
        """See ``Detector.match``."""
        return self._matcher.similarity(t)

    def score(self, t: Tensor, fabric: Tensor) -> Tensor:
        """See ``Detector.score``."""
        raw = torch.empty(t.shape[:3], device=t.device)
        for i, k in enumerate(fabric.tolist()):
            bank = self._banks[k if len(self._banks) > 1 else 0]
            patches = t[i].reshape(-1, t.shape[-1])
            nearest = [torch.cdist(part, bank).amin(dim=1) for part in torch.split(patches, _AT_ONCE)]
            raw[i] = torch.cat(nearest).reshape(t.shape[1:3])
        return raw[None]


def coreset(vectors: Tensor, count: int, seed: int) -> Tensor:
    """Chooses vectors that cover the others: greedily, always the one furthest from those chosen; (N, D) -> (count,)
    int64 indices.

    The first is chosen at random; distances are those in a random projection.
    """
    generator = torch.Generator().manual_seed(seed)
    projection = torch.randn(vectors.shape[1], _PROJECTED, generator=generator) / _PROJECTED**0.5
    points = vectors.cpu() @ projection
    squared = points.square().sum(dim=1)
    chosen = [int(torch.randint(len(points), (1,), generator=generator))]
    nearest = torch.full((len(points),), torch.inf)
    for _ in range(min(count, len(points)) - 1):
        last = points[chosen[-1]]
        nearest = torch.minimum(nearest, squared - 2 * (points @ last) + last.square().sum())
        chosen.append(int(nearest.argmax()))
    return torch.tensor(chosen)
