"""A bundle becomes the detector that it holds; the only place that knows them all."""

from __future__ import annotations

from pathlib import Path

from cras_core.anomnet.detector import AnomNetDetector
from cras_core.bundle import Bundle, read_bundle
from cras_core.inspector import Inspector
from cras_core.trained import Trained

_KINDS: dict[str, type[Inspector] | type[AnomNetDetector]] = {"cras": Inspector, "anomnet": AnomNetDetector}


def open_detector(path: Path, device: str = "auto", precision: str = "float32") -> Trained:
    """Opens a bundle and its backbone; ``precision``, one of ``trained.PRECISIONS``, is what the backbone computes in.

    Raises:
        BundleError, WeightsError, ConfigError: they cannot be used; the message says why.
    """
    return detector_of(read_bundle(path), device, precision)


def detector_of(bundle: Bundle, device: str = "auto", precision: str = "float32") -> Trained:
    """The inverse of ``train.to_bundle``. Raises as ``open_detector``."""
    return _KINDS[bundle.config.heads.detector].from_bundle(bundle, device, precision)
