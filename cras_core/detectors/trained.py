"""A detector that was trained, whichever it is: what its bundle, the benchmark and the figures need of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from cras_core.config.settings import CrasConfig
from cras_core.detectors.base import Detector
from cras_core.detectors.graph_heads import GraphHeads
from cras_core.errors import BundleError, ConfigError
from cras_core.features.backbone import load_backbone
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.vectors import Vectors
from cras_core.imaging.enrolled import EnrolledFigures
from cras_core.registry.bundle import Bundle
from cras_core.web.calibration import FabricCalibration

PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class FabricLayout:
    """Which of a bundle's tensors belong to one fabric alone.

    Attributes:
        stacked: names of tensors with a row per fabric.
        numbered: name of what is a tensor per fabric, ``<numbered>.<k>``.
    """

    stacked: tuple[str, ...]
    numbered: str


@dataclass(frozen=True, slots=True)
class Health:
    """What became of the learnt parts of a model.

    Attributes:
        problems: what a person should know, a sentence each.
        failure: why the model is of no use at all; empty for one that is.
    """

    problems: tuple[str, ...] = ()
    failure: str = ""


class TrainedDetector(Detector):
    """A detector that a bundle can hold.

    Attributes:
        extractor: images to normalised vectors.
        fabric_layout: how its tensors come apart by fabric; None where fabrics cannot be added or taken out.
        made_at: when it was made (ISO 8601); empty where nobody knows.
        enrolled: how the samples of its fabrics were seen, by fabric; without those of which nothing is known.
    """

    fabric_layout: ClassVar[FabricLayout | None] = None
    made_at: str = ""
    enrolled: Mapping[str, EnrolledFigures] = MappingProxyType({})

    def __init__(
        self,
        extractor: FeatureExtractor,
        config: CrasConfig,
        calibrations: Sequence[FabricCalibration],
        medians: Tensor,
        device: torch.device,
        precision: str = "float32",
    ) -> None:
        """``medians``: (K, D) median of the features of good cloth of each fabric; ``precision``, one of
        ``PRECISIONS``, is what the backbone computes in. Raises ConfigError where there is no such precision.
        """
        if precision not in PRECISIONS:
            raise ConfigError(
                "precision-unknown",
                "there is no precision {precision!r}; known are {known}",
                precision=precision,
                known=list(PRECISIONS),
            )
        super().__init__(config, calibrations, medians, device, extractor.backbone.weights_hash)
        self.extractor = extractor.to(device).eval()
        extractor.backbone.precision = getattr(torch, precision)

    def features(self, images: Tensor) -> Tensor:
        """See ``Detector.features``."""
        t: Tensor = self.extractor(images)
        return t

    @classmethod
    @abstractmethod
    def from_bundle(cls, bundle: Bundle, device: str = "auto", precision: str = "float32") -> TrainedDetector:
        """The inverse of ``train.to_bundle``.

        Raises:
            BundleError, WeightsError, ConfigError: they cannot be used; the message says why.
        """

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Everything learnt, by name, for a bundle."""

    @property
    def grid(self) -> tuple[int, int] | None:
        """(h, w) of a mean map; None where there is none."""
        return None

    @abstractmethod
    def graph_heads(self, grid: tuple[int, int]) -> GraphHeads:
        """The heads as a graph that an exporter can trace, for tiles of (h, w) cells."""

    def health(self, seen: Sequence[Vectors]) -> Health:  # noqa: ARG002 (for those whose parts can fail)
        """What became of the learnt parts, by the vectors that each fabric was trained on."""
        return Health()

    @property
    def evolution(self) -> Mapping[int, Tensor]:
        """(S, K, D) vectors of S sets by epoch of training, for figures; empty where none were kept."""
        return {}

    @property
    @abstractmethod
    def means(self) -> Tensor:
        """(K, D) mean adapted vector of each fabric, for figures."""

    @abstractmethod
    def adapted(self, t: Tensor, fabric: int) -> tuple[Tensor, Tensor]:
        """(B, h, w, D) features -> the adapted vectors and their nearest centres of a fabric, (B, h, w, D) each; for
        figures.
        """


def made_at_of(bundle: Bundle) -> str:
    """When a model was made (ISO 8601), as its provenance tells; empty where it does not."""
    told = bundle.provenance.get("made_at")
    return told if isinstance(told, str) else ""


def extractor_of(bundle: Bundle) -> FeatureExtractor:
    """The backbone of a bundle with the statistics of its cloth.

    Raises:
        BundleError, WeightsError: other weights are installed, or none.
        MISFITS: the bundle lacks the statistics, or they do not fit.
    """
    backbone = load_backbone(bundle.config.backbone)
    if backbone.weights_hash != bundle.weights_hash:
        wanted, got = bundle.weights_hash[:12], backbone.weights_hash[:12]
        raise BundleError(
            "bundle-of-other-weights",
            "The bundle was trained on weights {wanted} of {backbone}, but {weights} gives {got}. Install the same "
            "weights or train again.",
            wanted=wanted,
            backbone=bundle.config.backbone.name,
            weights=bundle.config.backbone.weights,
            got=got,
        )
    extractor = FeatureExtractor(backbone, bundle.config)
    each, all_fabrics = (extractor.dimension,), (len(bundle.calibrations), extractor.dimension)
    check_shapes(bundle.tensors, {"mean": each, "std": each, "means": all_fabrics, "middles": all_fabrics})
    if not (bundle.tensors["std"] > 0).all():
        raise RuntimeError("a spread of features is 0 or less")
    extractor.mean.copy_(bundle.tensors["mean"])
    extractor.std.copy_(bundle.tensors["std"])
    return extractor


MISFITS = (KeyError, IndexError, RuntimeError, TypeError, ValueError)
"""What making a detector raises where tensors are missing, or of another shape or kind than its settings say."""


def check_shapes(tensors: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises one of ``MISFITS`` where a tensor is missing, has another shape, or holds no floating-point numbers.

    Copying one into another would stretch it in silence, and a detector would fail at its first tile.
    """
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tuple(tensor.shape) != shape or tensor.dtype not in (torch.float32, torch.float16):
            raise RuntimeError(f"{name} is {tuple(tensor.shape)} of {tensor.dtype}, not {shape} of torch.float32")


def misfit_error(error: Exception) -> BundleError:
    """What is said of a bundle whose tensors and settings contradict each other."""
    return BundleError(
        "bundle-tensors-misfit", "The bundle's tensors do not fit its settings ({reason}). Train again.", reason=error
    )
