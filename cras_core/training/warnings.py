"""What a person should know of a model that was just trained."""

from __future__ import annotations

from collections.abc import Sequence

from cras_core.config.settings import CrasConfig
from cras_core.data.values import NormalImages
from cras_core.detectors.anomnet.detector import AnomNetDetector
from cras_core.detectors.anomnet.health import health_of
from cras_core.detectors.trained import TrainedDetector
from cras_core.errors import TrainingError
from cras_core.features.cache import FabricFeatures
from cras_core.training.preparation import Prepared
from cras_core.web.calibration import FabricCalibration


def collapsed_centroids(detector: TrainedDetector, prepared: Prepared) -> list[str]:
    """Says what AnomNet's training left undone, and which centroids are of no use. Raises TrainingError where all of a
    set lie in one place.
    """
    if not isinstance(detector, AnomNetDetector):
        return []
    found = health_of(detector, prepared.seen)
    gone = [h.name for h in found if h.has_collapsed]
    if gone:
        raise TrainingError(
            f"All centroids of {', '.join(gone)} have collapsed into one place; no bundle was written. Raise "
            "anomnet.separation, anomnet.entropy or anomnet.centroid_rate, or set anomnet.centroids=1."
        )
    epochs, mine = detector.config.train.epochs, detector.config.anomnet
    only_first = mine.stages == "two" and epochs <= mine.first_stage
    undone = [f"all {epochs} epochs went to the first stage (anomnet.first_stage), the second had none"]
    return (undone if only_first else []) + [h.problem for h in found if h.problem]


_FEW_TILES = 20
"""Tiles of good cloth of a fabric below which more of them help most; see docs/measurements.md."""


def too_little_cloth(data: Sequence[NormalImages], features: Sequence[FabricFeatures], config: CrasConfig) -> list[str]:
    """Says which fabrics were learnt from too little cloth, and what to collect."""
    cells_in_a_tile = (config.tiling.tile_px / config.tiling.cell_px) ** 2
    tiles = [f.count / cells_in_a_tile for f in features]
    return [
        f"{d.fabric}: learnt from {n:.1f} tiles of good cloth only, so it finds less than it could and its limit is "
        f"uncertain. Collect {_FEW_TILES} tiles or more, from different places along and across the roll"
        for d, n in zip(data, tiles, strict=True)
        if d.are_strips and n < _FEW_TILES
    ]


def extrapolated_limits(calibrations: Sequence[FabricCalibration], config: CrasConfig) -> list[str]:
    """Says which limits rest on less cloth than the wanted rate asks for, and how much is missing."""
    rate = config.calibration.false_alarms_per_m2
    wanted_m2 = 1.0 / rate
    return [
        f"{c.fabric}: its limit is extrapolated from {c.seen_m2:.2g} m2 of held-back cloth; to count {rate:g} false "
        f"alarms per m2 takes {wanted_m2:.2g} m2, {wanted_m2 / c.seen_m2:.1f} times as much"
        for c in calibrations
        if c.seen_m2 < wanted_m2
    ]
