"""A detector that was trained, whichever it is: what its bundle, the benchmark and the figures need of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from cras_core.config.settings import CrasConfig
from cras_core.detectors.base import Detector
from cras_core.errors import BundleError, ConfigError
from cras_core.features.backbone import load_backbone
from cras_core.features.extractor import FeatureExtractor
from cras_core.registry.bundle import Bundle
from cras_core.web.calibration import FabricCalibration

PRECISIONS = ("float32", "bfloat16", "float16")


class TrainedDetector(Detector):
    """A detector that a bundle can hold.

    Attributes:
        extractor: images to normalised vectors.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        config: CrasConfig,
        calibrations: Sequence[FabricCalibration],
        middles: Tensor,
        device: torch.device,
        precision: str = "float32",
    ) -> None:
        """``middles``: (K, D) middle of the features of good cloth of each fabric; ``precision``, one of
        ``PRECISIONS``, is what the backbone computes in. Raises ConfigError where there is no such precision.
        """
        if precision not in PRECISIONS:
            raise ConfigError(f"there is no precision {precision!r}; known are {', '.join(PRECISIONS)}")
        super().__init__(config, calibrations, middles, device, extractor.backbone.weights_hash)
        self.extractor = extractor.to(device).eval()
        extractor.backbone.precision = getattr(torch, precision)

    def features(self, images: Tensor) -> Tensor:
        """See ``Detector.features``."""
        t: Tensor = self.extractor(images)
        return t

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Everything learnt, by name, for a bundle."""

    @property
    def grid(self) -> tuple[int, int] | None:
        """(h, w) of a mean map; None where there is none."""
        return None

    @property
    @abstractmethod
    def means(self) -> Tensor:
        """(K, D) mean adapted vector of each fabric, for figures."""

    @abstractmethod
    def adapted(self, t: Tensor, fabric: int) -> tuple[Tensor, Tensor]:
        """(B, h, w, D) features -> the adapted vectors and their nearest centres of a fabric, (B, h, w, D) each; for
        figures.
        """


def extractor_of(bundle: Bundle) -> FeatureExtractor:
    """The backbone of a bundle with the statistics of its cloth.

    Raises:
        BundleError, WeightsError: other weights are installed, or none.
        KeyError, RuntimeError: the bundle lacks the statistics, or they do not fit.
    """
    backbone = load_backbone(bundle.config.backbone)
    if backbone.weights_hash != bundle.weights_hash:
        wanted, got = bundle.weights_hash[:12], backbone.weights_hash[:12]
        raise BundleError(
            f"The bundle was trained on weights {wanted} of {bundle.config.backbone.name}, but "
            f"{bundle.config.backbone.weights} gives {got}. Install the same weights or train again."
        )
    extractor = FeatureExtractor(backbone, bundle.config)
    extractor.mean.copy_(bundle.tensors["mean"])
    extractor.std.copy_(bundle.tensors["std"])
    return extractor


def misfit(error: Exception) -> BundleError:
    """What is said of a bundle whose tensors and settings contradict each other."""
    return BundleError(f"The bundle's tensors do not fit its settings ({error}). Train again.")
