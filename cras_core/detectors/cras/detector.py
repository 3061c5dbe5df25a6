"""The trained CRAS model as the rest of the program uses it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from cras_core.config.settings import CrasConfig
from cras_core.detectors.base import GoodCloth
from cras_core.detectors.centers import ClassCenters, prototypes
from cras_core.detectors.cras.adapter import Adapter
from cras_core.detectors.cras.discriminator import Discriminator
from cras_core.detectors.cras.graph import CrasGraphHeads
from cras_core.detectors.cras.model import CrasModel, center_aware
from cras_core.detectors.cras.scale import ScoreScale, raw_scores, scale_of
from cras_core.detectors.trained import (
    MISFITS,
    FabricLayout,
    TrainedDetector,
    check_shapes,
    extractor_of,
    made_at_of,
    misfit_error,
)
from cras_core.errors import EnrolError
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.tensors import median_features, pick_device
from cras_core.registry.bundle import Bundle, read_bundle
from cras_core.registry.tensor_file import part
from cras_core.web.calibration import FabricCalibration


class CrasDetector(TrainedDetector):
    """Runs a trained CRAS model on tiles."""

    fabric_layout = FabricLayout(("means", "middles", *(f"scale.{name}" for name in ScoreScale.__slots__)), "centers")

    def __init__(
        self,
        model: CrasModel,
        config: CrasConfig,
        scale: ScoreScale,
        calibrations: Sequence[FabricCalibration],
        medians: Tensor,
        device: torch.device,
        precision: str = "float32",
    ) -> None:
        """``scale``: of the two scores; the rest as for ``TrainedDetector``."""
        super().__init__(model.extractor, config, calibrations, medians, device, precision)
        self._model = model.to(device).eval()
        self.scale = scale.to(device)

    @classmethod
    def load(cls, path: Path, device: str = "auto", precision: str = "float32") -> CrasDetector:
        """Opens a bundle of CRAS; ``loading.load_detector`` opens any. Raises as that."""
        return cls.from_bundle(read_bundle(path), device, precision)

    @classmethod
    def from_bundle(cls, bundle: Bundle, device: str = "auto", precision: str = "float32") -> CrasDetector:
        """The inverse of ``training.to_bundle``. Raises as ``load``."""
        try:
            extractor = extractor_of(bundle)
            fabrics = range(len(bundle.calibrations))
            check_shapes(bundle.tensors, {f"scale.{name}": (len(fabrics),) for name in ScoreScale.__slots__})
            vectors = [bundle.tensors[f"centers.{k}"] for k in fabrics]
            if any(v.ndim != 2 or len(v) == 0 or v.shape[1] != extractor.dimension for v in vectors):
                raise RuntimeError("the centres of a fabric have another shape than its features")
            centers = ClassCenters(
                vectors,
                bundle.tensors["means"],
                bundle.grid,
                local=bundle.config.centers.local,
                origin=bundle.tensors.get("origin"),
            )
            adapter = Adapter(extractor.dimension, start_as_identity=True)
            features = bundle.config.heads.features
            discriminator = Discriminator(extractor.dimension, len(features.split("+")))
            model = CrasModel(extractor, adapter, centers, discriminator, features)
            adapter.load_state_dict(part(bundle.tensors, "adapter."))
            model.discriminator.load_state_dict(part(bundle.tensors, "discriminator."))
            medians = bundle.tensors["middles"]
            scale = ScoreScale(**{name: bundle.tensors[f"scale.{name}"] for name in ScoreScale.__slots__})
        except MISFITS as error:
            raise misfit_error(error) from error
        detector = cls(model, bundle.config, scale, bundle.calibrations, medians, pick_device(device), precision)
        detector.identity, detector.bits = bundle.identity, bundle.bits
        detector.made_at = made_at_of(bundle)
        return detector

    @property
    def model(self) -> CrasModel:
        """The network itself, for training and figures."""
        return self._model

    def enrolment_extractor(self) -> FeatureExtractor:
        """See ``Detector.enrolment_extractor``; centres that are mean maps belong to pictures of one layout."""
        if self.config.centers.kind != "prototypes":
            raise EnrolError(
                "no-quick-enrolment-of-mean-maps",
                "a model whose centres are mean maps (centers.kind={kind}) learns a fabric only together with all "
                "others: put its good cloth beside theirs and train all of them",
                hint="With: cras train DATA",
                kind=self.config.centers.kind,
            )
        return self._model.extractor

    @torch.inference_mode()
    def describe_fabric(self, cloth: GoodCloth) -> dict[str, Tensor]:
        """See ``Detector.describe_fabric``: prototypes of the adapted vectors in the place of eq. 1, as in training."""
        self.enrolment_extractor()
        model, config = self._model, self.config
        vectors = prototypes(model.adapter(cloth.seen), config.centers.prototypes, config.train.seed)
        mean = model.adapter(cloth.mean[None])[0]
        u = model.adapter(cloth.held)
        p = ClassCenters([vectors], mean[None], None, local=config.centers.local).choose(u, 0)
        scale = scale_of(model.discriminator(center_aware(u, p, model.features)), (u - p).norm(dim=1))
        described = {"centers": vectors, "means": mean, "middles": median_features(cloth.seen)}
        return described | {f"scale.{name}": row for name, row in zip(ScoreScale.__slots__, scale, strict=True)}

    def tensors(self) -> dict[str, Tensor]:
        """See ``TrainedDetector.tensors``."""
        model = self._model
        found = {"mean": model.extractor.mean, "std": model.extractor.std}
        found |= {f"adapter.{k}": v for k, v in model.adapter.state_dict().items()}
        found |= {f"discriminator.{k}": v for k, v in model.discriminator.state_dict().items()}
        found |= {"means": model.centers.means, "middles": self._medians}
        found |= {f"centers.{k}": model.centers.of(k) for k in range(len(model.centers))}
        return found | {f"scale.{name}": getattr(self.scale, name) for name in ScoreScale.__slots__}

    @property
    def grid(self) -> tuple[int, int] | None:
        """See ``TrainedDetector.grid``."""
        return self._model.centers.grid

    @property
    def means(self) -> Tensor:
        """See ``TrainedDetector.means``."""
        return self._model.centers.means

    def graph_heads(self, grid: tuple[int, int]) -> CrasGraphHeads:  # noqa: ARG002 (its heads fit any grid)
        """See ``TrainedDetector.graph_heads``."""
        return CrasGraphHeads(self._model, self.config.score, self.scale)

    def adapted(self, t: Tensor, fabric: int) -> tuple[Tensor, Tensor]:
        """See ``TrainedDetector.adapted``."""
        u = self._model.adapter(t)
        return u, self._model.centers.recompose(u, torch.full((len(t),), fabric, device=u.device))

    def match(self, t: Tensor) -> Tensor:
        """See ``Detector.match``."""
        return self._model.match(t)

    def score(self, t: Tensor, fabric: Tensor) -> Tensor:
        """See ``Detector.score``."""
        logit, residual = self._model.judge(t, fabric)
        return raw_scores(logit, residual, fabric, self.config.score, self.scale)
