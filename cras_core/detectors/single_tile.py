"""What a detector says of one piece of a web on its own: a sample, a picture. A running web is scored by
``web.inspection``; here the piece is all that there is of its web.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray
from cras_core.detectors.base import Detector
from cras_core.web.baseline import RunningBaseline


@dataclass(frozen=True, slots=True)
class PieceScores:
    """Raw scores of a piece.

    Attributes:
        kinds: (S, h, w) float32 raw scores of S kinds, NaN in cells that do not count.
        fabric: index of the fabric that it was compared with.
        similarity: to that fabric (eq. 2).
        level: how far its middle lies from that of the fabric, standard deviations of the cloth trained on.
    """

    kinds: FloatArray
    fabric: int
    similarity: float
    level: float


def score_tile(
    detector: Detector, tile: npt.NDArray[np.uint8], counts: npt.NDArray[np.bool_], fabric: int | None = None
) -> PieceScores:
    """Scores a piece.

    Args:
        detector: with or without its calibrations.
        tile: (H, W) or (H, W, 3) uint8, as ``features.tiles_of`` gives it.
        counts: (h, w) cells that count; at least one.
        fabric: what it is compared with; None takes the most similar.
    """
    features = detector.look(tile[None])
    chosen = int(features.similarity[0].argmax()) if fabric is None else fabric
    middle = features.middle(counts[None])
    reference = RunningBaseline(detector.config.reference, detector.config.tiling.cell_px)
    scores = features.judge(chosen, reference.middle(middle, len(tile)))
    return PieceScores(
        kinds=np.where(counts, scores.kinds[:, 0], np.float32(np.nan)),
        fabric=chosen,
        similarity=float(features.similarity[0, chosen]),
        level=float(np.sqrt(np.square(middle - detector.middles[chosen]).mean())),
    )


def relative_score(detector: Detector, piece: PieceScores) -> FloatArray:
    """(h, w) score of the cells relative to the piece; 1 is the calibrated limit of its fabric, NaN does not count."""
    calibration = detector.calibrations[piece.fabric]
    reference = RunningBaseline(detector.config.reference, detector.config.tiling.cell_px)
    limit = calibration.limit if detector.config.reference.enabled else calibration.absolute_limit
    related = reference.relate(piece.kinds, calibration.centre, calibration.spread, math.inf)
    return np.asarray(related.score / np.float32(limit), dtype=np.float32)
