"""What a detector says of one tile of a web on its own: a sample, a picture. A running web is scored by
``web.scoring``; here the tile is all that there is of its web.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray
from cras_core.detectors.base import Detector
from cras_core.web.baseline import RunningBaseline
from cras_core.web.calibration import calibrated_score


@dataclass(frozen=True, slots=True)
class TileScores:
    """Raw scores of a tile.

    Attributes:
        kinds: (S, h, w) float32 raw scores of S kinds, NaN in cells that do not count.
        fabric: index of the fabric that it was compared with.
        similarity: to that fabric (eq. 2).
        level: how far its median features lie from those of the fabric, standard deviations of the cloth trained on.
    """

    kinds: FloatArray
    fabric: int
    similarity: float
    distance: float


def score_tile(
    detector: Detector, tile: npt.NDArray[np.uint8], counts: npt.NDArray[np.bool_], fabric: int | None = None
) -> TileScores:
    """Scores a tile.

    Args:
        detector: with or without its calibrations.
        tile: (H, W) or (H, W, 3) uint8, as ``cloth_tiles.tiles_of`` gives it.
        counts: (h, w) cells that count; at least one.
        fabric: what it is compared with; None takes the most similar.
    """
    features = detector.extract_features(tile[None])
    chosen = int(features.similarity[0].argmax()) if fabric is None else fabric
    median = features.median_features(counts[None])
    baseline = RunningBaseline(detector.config.reference, detector.config.tiling.cell_px)
    scores = features.score(chosen, baseline.median_features(median, len(tile)))
    return TileScores(
        kinds=np.where(counts, scores.kinds[:, 0], np.float32(np.nan)),
        fabric=chosen,
        similarity=float(features.similarity[0, chosen]),
        distance=float(np.sqrt(np.square(median - detector.medians[chosen]).mean())),
    )


def relative_score(detector: Detector, tile_scores: TileScores) -> FloatArray:
    """(h, w) score of the cells relative to the tile itself; 1 is the calibrated threshold of its fabric, NaN does not
    count. The score of a web, but for what good cloth scores more near its edges: a tile does not tell its edge from
    that of the cloth.
    """
    calibration = detector.calibrations[tile_scores.fabric]
    baseline = RunningBaseline(detector.config.reference, detector.config.tiling.cell_px)
    limit = calibration.limit_of(is_relative=detector.config.reference.enabled)
    related = baseline.relate(tile_scores.kinds, calibration.centre, calibration.spread, math.inf)
    return calibrated_score(related.score, tile_scores.kinds, calibration, limit)
