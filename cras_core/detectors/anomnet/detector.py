"""The trained AnomNet as the rest of the program uses it (section 2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from cras_core.config.settings import CrasConfig
from cras_core.detectors.anomnet.adapter import CoordAdapter
from cras_core.detectors.anomnet.centroids import CentroidSets, nearest_squared
from cras_core.detectors.anomnet.folded import FoldedDistance
from cras_core.detectors.anomnet.graph import AnomNetGraphHeads
from cras_core.detectors.anomnet.health import LOOKED_AT, SetHealth, health, overall
from cras_core.detectors.centers import ClassCenters
from cras_core.detectors.trained import (
    MISFITS,
    Health,
    TrainedDetector,
    extractor_of,
    made_at_of,
    misfit_error,
)
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.tensors import pick_device
from cras_core.features.vectors import Vectors
from cras_core.registry.bundle import Bundle
from cras_core.registry.tensor_file import part
from cras_core.web.calibration import FabricCalibration

if TYPE_CHECKING:
    from collections.abc import Mapping


class AnomNetDetector(TrainedDetector):
    """Scores a patch by its Euclidean distance to the nearest centroid of its fabric, or of all.

    The paper knows no fabrics; cloth is matched by its mean vector before the adapter, as for the other detectors.

    Attributes:
        adapter, centroids: as they were learnt.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        adapter: CoordAdapter,
        centroids: CentroidSets,
        means: Tensor,
        config: CrasConfig,
        calibrations: Sequence[FabricCalibration],
        medians: Tensor,
        device: torch.device,
        precision: str = "float32",
        evolution: Mapping[int, Tensor] | None = None,
    ) -> None:
        """``means``: (F, D) mean of the normalised features of each fabric; the rest as for ``TrainedDetector``."""
        super().__init__(extractor, config, calibrations, medians, device, precision)
        self.adapter = adapter.to(device).eval()
        self.centroids = centroids.to(device)
        self._evolution = dict(evolution or {})
        self._matcher = ClassCenters([m.unsqueeze(0) for m in means], means, None).to(device)
        self._distances = [FoldedDistance(self.adapter, vectors.detach()) for vectors in self.centroids.vectors]

    @classmethod
    def from_bundle(cls, bundle: Bundle, device: str = "auto", precision: str = "float32") -> AnomNetDetector:
        """The inverse of ``train.to_bundle``.

        Raises:
            BundleError, WeightsError: they cannot be used; the message says why.
        """
        tensors, config = bundle.tensors, bundle.config
        try:
            extractor = extractor_of(bundle)
            adapter = CoordAdapter(extractor.dimension, coordinates=config.anomnet.coordinates, start_as_identity=True)
            adapter.load_state_dict(part(tensors, "adapter."))
            centroids, means, medians = CentroidSets(tensors["centroids"]), tensors["means"], tensors["middles"]
            sets = len(bundle.calibrations) if config.anomnet.sharing == "per_fabric" else 1
            wanted = (sets, config.anomnet.centroids, extractor.dimension)
            if tuple(centroids.vectors.shape) != wanted or means.shape != medians.shape:
                raise RuntimeError(f"centroids of shape {tuple(centroids.vectors.shape)}, not {wanted}")
            evolution = {int(epoch): v for epoch, v in part(tensors, "evolution.").items()}
        except MISFITS as error:
            raise misfit_error(error) from error
        detector = cls(
            extractor, adapter, centroids, means, config, bundle.calibrations, medians, pick_device(device), precision,
            evolution,
        )  # fmt: skip
        detector.identity, detector.bits = bundle.identity, bundle.bits
        detector.made_at = made_at_of(bundle)
        return detector

    def match(self, t: Tensor) -> Tensor:
        """See ``Detector.match``."""
        return self._matcher.similarity(t)

    def score(self, t: Tensor, fabric: Tensor) -> Tensor:
        """See ``Detector.score``; the distance of section 2.3 is the only kind."""
        raw = torch.empty(t.shape[:3], device=t.device)
        for k in sorted(set(fabric.tolist())):
            raw[fabric == k] = self._distances[self.centroids.set_of(k)](t[fabric == k])
        return raw[None]

    def tensors(self) -> dict[str, Tensor]:
        """See ``TrainedDetector.tensors``."""
        found = {"mean": self.extractor.mean, "std": self.extractor.std}
        found |= {f"adapter.{k}": v for k, v in self.adapter.state_dict().items()}
        found |= {"centroids": self.centroids.vectors, "means": self._matcher.means, "middles": self._medians}
        return found | {f"evolution.{epoch}": v for epoch, v in self._evolution.items()}

    @property
    def means(self) -> Tensor:
        """See ``TrainedDetector.means``; in the middle of a tile, where coordinates are 0."""
        means: Tensor = self.adapter.linear(self._matcher.means)
        return means

    def graph_heads(self, grid: tuple[int, int]) -> AnomNetGraphHeads:
        """See ``TrainedDetector.graph_heads``."""
        return AnomNetGraphHeads(self._distances, self._matcher.means, grid)

    @property
    def evolution(self) -> Mapping[int, Tensor]:
        """See ``TrainedDetector.evolution``: of the first stage (figure 4 of the paper)."""
        return self._evolution

    def health(self, seen: Sequence[Vectors]) -> Health:
        """See ``TrainedDetector.health``: centroids may collapse into one place, or lie far from all cloth."""
        return overall(self.health_of_sets(seen))

    @torch.no_grad()
    def health_of_sets(self, seen: Sequence[Vectors]) -> list[SetHealth]:
        """Every set of centroids, by the cloth that it was trained on."""
        cloth = []
        for k, vectors in enumerate(seen):
            some = vectors.sample(min(len(vectors), LOOKED_AT), np.random.default_rng(k))
            cloth.append(self.adapter(some.vectors, some.places))
        sets = self.centroids.vectors
        if len(sets) == 1:
            return [health(", ".join(self.fabrics), sets[0], cloth)]
        return [health(f, c, [u]) for f, c, u in zip(self.fabrics, sets, cloth, strict=True)]

    def adapted(self, t: Tensor, fabric: int) -> tuple[Tensor, Tensor]:
        """See ``TrainedDetector.adapted``."""
        u = self.adapter.tile(t)
        vectors = self.centroids.of(fabric)
        return u, vectors[nearest_squared(u.reshape(-1, u.shape[-1]), vectors)[1]].reshape(u.shape)
