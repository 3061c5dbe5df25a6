"""What a trained model scores on held-back normal cloth, and the limits that follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray
from cras_core.config.settings import CrasConfig
from cras_core.data.values import NormalImages
from cras_core.detectors.base import Detector
from cras_core.detectors.single_tile import score_tile
from cras_core.errors import DataError
from cras_core.features.cloth_tiles import tiles_of
from cras_core.images import read_image
from cras_core.training.distance_limits import among
from cras_core.web.baseline import RunningBaseline
from cras_core.web.calibration import FabricCalibration, block_peaks, tail_threshold
from cras_core.web.canvas import WebConfig
from cras_core.web.places import place_factors
from cras_core.web.scoring import WebInspection

PEAK_BLOCK_CELLS = 16
"""Side of the pieces of cloth whose largest scores make the limit; wider than a defect's glow."""


def measure_thresholds(
    detector: Detector, held: Sequence[NormalImages], on_image: Callable[[Path, int, int], None]
) -> list[FabricCalibration]:
    """Scores held-back normal cloth as the line would and draws the limits from it, those of the distances from all
    fabrics together.

    Args:
        detector: the trained model; its own calibrations are not read.
        held: normal pictures of every fabric that training has not seen, in the order of the model's fabrics.
        on_image: told after each picture how many are done, of how many; may raise to stop.

    Raises:
        DataError: a picture cannot be read, or there is too little cloth in them.
    """
    total, done = sum(len(h.paths) for h in held), 0

    def on_picture(path: Path) -> None:
        nonlocal done
        done += 1
        on_image(path, done, total)

    return list(among([measure_fabric(detector, k, normal, on_picture) for k, normal in enumerate(held)]))


def measure_fabric(
    detector: Detector, k: int, normal: NormalImages, on_picture: Callable[[Path], None]
) -> FabricCalibration:
    """What ``measure_thresholds`` finds for fabric k; the limit of the distance is not known yet (``among``)."""
    config = detector.config
    maps, distances = [], []
    for path in normal.paths:
        kinds, distance = _raw_maps(detector, read_image(path, normal.bits), normal, path, k)
        if np.isfinite(kinds).any():
            maps.append(kinds)
            distances.append(distance)
        on_picture(path)
    if not maps:
        raise DataError(
            "no-held-out-cloth",
            "fabric {fabric}: no cloth found in the held-out pictures for its thresholds",
            fabric=normal.fabric,
        )
    try:
        return calibration_of(config, normal.fabric, maps, distances, are_strips=normal.are_strips)
    except DataError as error:
        raise DataError(
            "threshold-not-measured",
            "fabric {fabric}: {reason} ({count} pictures were held out for it); give more or larger pictures",
            fabric=normal.fabric,
            reason=error,
            count=len(normal.paths),
        ) from error


def calibration_of(
    config: CrasConfig,
    fabric: str,
    maps: Sequence[FloatArray],
    distances: Sequence[float],
    *,
    are_strips: bool,
    doubtful: float = 0.0,
) -> FabricCalibration:
    """What follows from what normal cloth of a fabric scores; the limit of the distance is not known yet (``among``).

    Args:
        config: of the model.
        fabric: name of the fabric.
        maps: of every picture (S, rows, cols) float32 raw scores, NaN outside the cloth; at least one.
        distances: how far the median features of each picture lie from those of the fabric.
        are_strips: the pictures show ends and edges of a web.
        doubtful: share of the cloth that may be defective (``tail_threshold``).

    Raises:
        DataError: too little cloth for a limit.
    """
    raw_maps = [m.mean(axis=0) for m in maps]
    cells = np.concatenate([m[np.isfinite(m)] for m in raw_maps])
    low, centre, high = np.percentile(cells, [25, 50, 75])
    spread = float(max(high - low, 1e-6))
    peaks, raw_peaks = [], []
    for kinds, raw in zip(maps, raw_maps, strict=True):
        baseline = RunningBaseline(config.reference, config.tiling.cell_px)
        relative = baseline.relate(kinds, float(centre), spread, math.inf).score
        # A picture of a tile's size shows no edge of the cloth, and what lies beyond it is not filled in.
        places = place_factors(np.isfinite(raw), 0, 0) if are_strips else np.float32(1.0)
        peaks.append(block_peaks(relative / places, PEAK_BLOCK_CELLS))
        raw_peaks.append(block_peaks(centre + (raw - centre) / places, PEAK_BLOCK_CELLS))
    area = len(cells) * (config.tiling.cell_px * config.calibration.mm_per_px / 1000.0) ** 2
    rate = config.calibration.false_alarms_per_m2
    limit = tail_threshold(np.concatenate(peaks), area, rate, doubtful)
    raw_limit = tail_threshold(np.concatenate(raw_peaks), area, rate, doubtful)
    return FabricCalibration(
        fabric=fabric,
        centre=float(centre),
        spread=spread,
        limit=max(1e-3, limit),
        raw_limit=max(raw_limit, float(centre) + 1e-3 * spread),
        level_limit=math.inf,
        seen_m2=area,
        own_distances=tuple(distances),
    )


def _raw_maps(
    detector: Detector, picture: npt.NDArray[np.uint8], normal: NormalImages, path: Path, fabric: int
) -> tuple[FloatArray, float]:
    """(S, rows, cols) raw scores of the cells of a picture, NaN outside the cloth; and how far its median features lie
    from those of the fabric.
    """
    config = detector.config
    if normal.are_strips:
        web = WebInspection(detector, WebConfig(config.tiling, config.edges, config.reference, fabric))
        rows = [*web.push(picture), *web.finish()]
        seen = [r for r in rows if len(r.distances)]
        distance = float(np.mean([r.distance for r in seen])) if seen else math.nan
        return np.concatenate([r.kinds for r in rows], axis=1), distance
    views = list(tiles_of(picture, normal.are_strips, config, normal.piece(path)))
    if not views:
        return np.full((1, 1, 1), np.nan, np.float32), math.nan
    tile, counts = views[0]
    piece = score_tile(detector, tile[0], counts[0], fabric)
    return piece.kinds, piece.distance
