"""What a person should know of a model that was just trained."""

from __future__ import annotations

from collections.abc import Sequence

from cras_core.config.settings import CrasConfig
from cras_core.data.values import NormalImages
from cras_core.features.extraction import FabricFeatures
from cras_core.web.calibration import FabricCalibration

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


def extrapolated_thresholds(calibrations: Sequence[FabricCalibration], config: CrasConfig) -> list[str]:
    """Says which limits rest on less cloth than the wanted rate asks for, and how much is missing."""
    rate = config.calibration.false_alarms_per_m2
    wanted_m2 = 1.0 / rate
    return [
        f"{c.fabric}: its limit is extrapolated from {c.seen_m2:.2g} m2 of held-back cloth; to count {rate:g} false "
        f"alarms per m2 takes {wanted_m2:.2g} m2, {wanted_m2 / c.seen_m2:.1f} times as much"
        for c in calibrations
        if c.seen_m2 < wanted_m2
    ]
