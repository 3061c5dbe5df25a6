"""A bundle becomes the detector that it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cras_core.detectors.kinds import kind_of
from cras_core.detectors.trained import TrainedDetector
from cras_core.engines.extras import check_onnx
from cras_core.errors import ConfigError
from cras_core.registry.bundle import Bundle, read_bundle
from cras_core.registry.provenance import imaging_told

if TYPE_CHECKING:
    from cras_core.detectors.base import Detector


def load_detector(path: Path, device: str = "auto", precision: str = "float32") -> TrainedDetector:
    """Opens a bundle and its backbone; ``precision``, one of ``trained.PRECISIONS``, is what the backbone computes in.

    Raises:
        BundleError, WeightsError, ConfigError: they cannot be used; the message says why.
    """
    return detector_of(read_bundle(path), device, precision)


def load_scorer(path: Path, device: str = "auto", precision: str = "float32") -> Detector:
    """Opens a bundle, or an ONNX file that ``cras export`` wrote, to judge cloth with.

    Raises:
        BundleError, WeightsError, ConfigError, ExportError: they cannot be used; the message says why.
    """
    if path.suffix.lower() != ".onnx":
        return load_detector(path, device, precision)
    if device not in ("auto", "cpu") or precision != "float32":
        raise ConfigError(
            "onnx-on-cpu-only", "{path} is run on the CPU in float32; leave out --device and --precision.", path=path
        )
    check_onnx()
    from cras_core.engines.onnx_detector import OnnxDetector  # its packages are an extra

    return OnnxDetector.load(path)


def detector_of(bundle: Bundle, device: str = "auto", precision: str = "float32") -> TrainedDetector:
    """The inverse of ``train.to_bundle``. Raises as ``load_detector``."""
    detector = kind_of(bundle.config).detector.from_bundle(bundle, device, precision)
    detector.enrolled = imaging_told(bundle.provenance)
    return detector
