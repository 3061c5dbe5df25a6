"""A new fabric for a trained model in seconds, with the heads as they are.

Adapter and discriminator are not trained: they judge the new fabric by what they have learnt of the others. What is new
is what belongs to the fabric alone: its prototypes, its mean and median features, its score scale, and limits from
pictures that were held back, as in training. The other fabrics keep all that is theirs; only the limits that tell
fabrics from each other move. How much this finds beside a full training is in docs/measurements.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cras_core.data.validation import validate_normal_images
from cras_core.data.values import NormalImages
from cras_core.detectors.base import Detector, GoodCloth
from cras_core.errors import DataError, EnrolError
from cras_core.features.extraction import FabricFeatures, extract_features
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.vectors import Vectors
from cras_core.loading import detector_of
from cras_core.registry.bundle import Bundle
from cras_core.registry.provenance import descended, samples_of, with_fabric
from cras_core.training.distance_limits import among
from cras_core.training.enrolled_imaging import imaging_of
from cras_core.training.fabric_tensors import with_new_fabric
from cras_core.training.progress import OnProgress, Progress, ShouldStop
from cras_core.training.thresholds import measure_fabric
from cras_core.web.calibration import FabricCalibration

_HELD_SHARE = 0.5  # prototypes need little cloth and limits much; see docs/measurements.md
_SEEN_VECTORS = 16384  # as many as training takes for prototypes and medians
_HELD_VECTORS = 4096  # as many as training takes for the score scale


def enrol(
    bundle: Bundle,
    normal: NormalImages,
    device: str = "auto",
    *,
    replacing: bool = False,
    author: str | None = None,
    on_progress: OnProgress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Bundle:
    """The model with one more fabric.

    Args:
        bundle: a trained model; it is not changed.
        normal: good cloth of the new fabric, two pictures or more; a part of them is held back for the limits. It is
            read with the depth that the model knows, else with its own.
        device: ``auto``, ``cpu``, ``cuda``, ...
        replacing: the fabric may be in the model already and is then enrolled anew, with nothing of its old self.
        author: who enrols it; None takes who is logged in.
        on_progress: called after every picture, from this thread; stages ``features`` and ``calibration``.
        should_stop: asked as often; when it says yes, EnrolError is raised.

    Raises:
        EnrolError: the name is taken, the model learns fabrics in a full training alone, or it was stopped.
        DataError: the pictures cannot be used; the text says which and why.
        BundleError, WeightsError: the model cannot be opened.
    """
    started = time.monotonic()
    _check_name(bundle, normal.fabric, replacing=replacing)
    detector = detector_of(bundle, device)
    extractor = detector.enrolment_extractor()
    (normal,) = validate_normal_images([normal], bits=bundle.bits or normal.bits)
    seen, held = _split(normal, bundle)
    report = _Report(len(normal.paths), len(held), on_progress, should_stop)
    features = _features(normal, (seen, held), extractor, detector, report)
    grown = with_new_fabric(bundle, normal.fabric, detector.describe_fabric(_good_cloth(features, extractor, detector)))
    k = len(grown.calibrations) - 1
    measured = measure_fabric(
        detector_of(grown, device), k, normal.only(held), lambda path: report("calibration", path)
    )
    calibrations = (*grown.calibrations[:k], replace(measured, enrolled_quickly=True))
    grown = replace(grown, calibrations=among(calibrations))
    seconds = round(time.monotonic() - started, 1)
    bits = bundle.bits or normal.bits
    return replace(grown, bits=bits, provenance=_provenance(bundle, normal, held, features[0], grown, author, seconds))


def _check_name(bundle: Bundle, fabric: str, *, replacing: bool) -> None:
    if not fabric.strip():
        raise EnrolError("fabric-name-empty", "a fabric needs a name")
    if fabric in bundle.fabrics and not replacing:
        raise EnrolError(
            "fabric-in-model-already",
            "fabric {fabric} is in the model already ({fabrics}); give another name, or enrol it anew",
            hint="With: --replace",
            fabric=fabric,
            fabrics=bundle.fabrics,
        )


def _split(normal: NormalImages, bundle: Bundle) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Pictures to learn from and held back. Raises DataError."""
    if len(normal.paths) < 2:
        raise DataError(
            "one-picture-only",
            "fabric {fabric}: one picture only, {picture}. A fabric is enrolled from two or more: its limits must "
            "come from cloth that its centres were not made of. Record more, or cut it in two",
            fabric=normal.fabric,
            picture=normal.paths[0].name,
        )
    return normal.held_back(_HELD_SHARE, bundle.config.train.seed)


class _Report:
    """Tells the caller where the enrolment is, and hears whether it is to go on."""

    def __init__(self, pictures: int, held: int, on_progress: OnProgress, should_stop: ShouldStop) -> None:
        self._totals = {"features": pictures, "calibration": held}
        self._done = {"features": 0, "calibration": 0}
        self._on_progress, self._should_stop = on_progress, should_stop

    def __call__(self, stage: str, path: Path) -> None:
        """After every picture of a stage. Raises EnrolError."""
        self._done[stage] += 1
        self._on_progress(Progress(stage, self._done[stage], self._totals[stage], str(path)))
        if self._should_stop():
            raise EnrolError("enrolment-stopped", "The enrolment was stopped; the model is as it was.")


def _features(
    normal: NormalImages,
    splits: tuple[tuple[Path, ...], tuple[Path, ...]],
    extractor: FeatureExtractor,
    detector: Detector,
    report: Callable[[str, Path], None],
) -> tuple[FabricFeatures, FabricFeatures]:
    """Features of the pictures to learn from, and of those held back."""
    config = detector.config
    found = []
    for part, (paths, size) in enumerate(zip(splits, (_SEEN_VECTORS, _HELD_VECTORS), strict=True)):
        rng = np.random.default_rng([config.train.seed, part, len(detector.fabrics)])
        found.append(
            extract_features(
                normal, paths, extractor, config, size, detector.device, rng, lambda path: report("features", path)
            )
        )
    return found[0], found[1]


def _good_cloth(
    features: tuple[FabricFeatures, FabricFeatures], extractor: FeatureExtractor, detector: Detector
) -> GoodCloth:
    seen, held = (Vectors(f, extractor, detector.device) for f in features)
    mean = (features[0].total / features[0].count).to(extractor.mean)
    return GoodCloth(
        seen.take(np.arange(len(seen))).vectors,
        held.take(np.arange(len(held))).vectors,
        (mean - extractor.mean) / extractor.std,
    )


def _provenance(
    parent: Bundle,
    normal: NormalImages,
    held: tuple[Path, ...],
    features: FabricFeatures,
    grown: Bundle,
    author: str | None,
    seconds: float,
) -> dict[str, Any]:
    """That of the model it was, where that still holds, and what came about here."""
    fabric, config = normal.fabric, grown.config
    tiles = features.count * (config.tiling.cell_px / config.tiling.tile_px) ** 2
    told = with_fabric(
        descended(parent, "quick", author, without=fabric),
        fabric,
        pictures=len(normal.paths),
        held_back=[p.name for p in held],
        samples=samples_of(normal),
        imaging=imaging_of(normal),
    )
    return told | {
        "seconds": seconds,
        "unreadable": [str(p) for p in normal.skipped],
        "warnings": [*told["warnings"], _how_provisional(grown.calibrations[-1], normal, held, tiles)],
    }


def _how_provisional(calibration: FabricCalibration, normal: NormalImages, held: tuple[Path, ...], tiles: float) -> str:
    """What the person should know who trusts this fabric's limit."""
    return (
        f"{normal.fabric}: enrolled quickly from {len(normal.paths) - len(held)} pictures ({tiles:.1f} tiles of good "
        f"cloth), its limit from {len(held)} more ({calibration.seen_m2:.2g} m2). The heads have not seen this fabric, "
        "so the limit is provisional and it finds less than it could: train all fabrics together when there is time"
    )
