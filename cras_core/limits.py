"""What a trained model scores on held-back normal cloth, and the limits that follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cras_core.calibration import FabricCalibration, block_peaks, tail_limit
from cras_core.data import NormalImages
from cras_core.detector import Detector
from cras_core.errors import DataError
from cras_core.features import preprocess
from cras_core.images import read_bits, read_image
from cras_core.web.inspection import WebConfig, WebInspection
from cras_core.web.reference import RunningReference

_PEAK_BLOCK_CELLS = 16  # side of the pieces of cloth whose largest scores make the limit; wider than a defect's glow


def provisional(fabric: str) -> FabricCalibration:
    """Stands in until the limits are known; nothing that calibration reads depends on it."""
    return FabricCalibration(fabric, 0.0, 1.0, 1.0, 1.0, -1.0, math.inf, 0.0)


def measure_limits(
    detector: Detector, held: Sequence[NormalImages], on_image: Callable[[Path, int, int], None]
) -> list[FabricCalibration]:
    """Scores held-back normal cloth as the line would and draws the limits from it.

    Args:
        detector: the trained model; its own calibrations are not read.
        held: normal pictures of every fabric that training has not seen, in the order of the model's fabrics.
        on_image: told after each picture how many are done, of how many; may raise to stop.

    Raises:
        DataError: a picture cannot be read, or there is too little cloth in them.
    """
    config = detector.config
    total, done, found = sum(len(h.paths) for h in held), 0, []
    for k, normal in enumerate(held):
        maps, peaks, similarities, levels = [], [], [], []
        bits = read_bits(normal.paths[0])
        for path in normal.paths:
            picture = read_image(path, bits)
            raw, similarity = _raw_map(detector, picture, normal.are_strips, k)
            if np.isfinite(raw).any():
                maps.append(raw)
                similarities.append(similarity)
                levels.append(float(np.nanmedian(raw)))
            done += 1
            on_image(path, done, total)
        if not maps:
            raise DataError(f"fabric {normal.fabric}: no cloth found in the pictures held back for its limits")
        cells = np.concatenate([m[np.isfinite(m)] for m in maps])
        low, centre, high = np.percentile(cells, [25, 50, 75])
        spread = float(max(high - low, 1e-6))
        raw_peaks = []
        for raw in maps:
            reference = RunningReference(config.reference, config.tiling.cell_px)
            relative = reference.relate(raw, float(centre), spread, math.inf)
            peaks.append(block_peaks(relative.score, _PEAK_BLOCK_CELLS))
            raw_peaks.append(block_peaks(raw, _PEAK_BLOCK_CELLS))
        area = len(cells) * (config.tiling.cell_px * config.calibration.mm_per_px / 1000.0) ** 2
        rate = config.calibration.false_alarms_per_m2
        try:
            limit = tail_limit(np.concatenate(peaks), area, rate)
            raw_limit = tail_limit(np.concatenate(raw_peaks), area, rate)
        except DataError as error:
            raise DataError(
                f"fabric {normal.fabric}: {error} ({len(normal.paths)} pictures were held back for it); give more or "
                "larger pictures"
            ) from error
        deviation = float(np.std(levels)) if len(levels) > 2 else 0.5 * spread
        found.append(
            FabricCalibration(
                fabric=normal.fabric,
                centre=float(centre),
                spread=spread,
                limit=max(1e-3, limit),
                raw_limit=max(raw_limit, float(centre) + 1e-3 * spread),
                similarity_limit=float(np.mean(similarities) - 4 * max(float(np.std(similarities)), 0.02)),
                level_limit=max(1.0, 4 * deviation / spread),
                seen_m2=area,
            )
        )
    return found


def _raw_map(
    detector: Detector, picture: npt.NDArray[np.uint8], is_strip: bool, fabric: int
) -> tuple[npt.NDArray[np.float32], float]:
    """Raw scores of the cells of a picture, NaN outside the cloth, and the similarity to its fabric."""
    config = detector.config
    if is_strip:
        web = WebInspection(detector, WebConfig(config.tiling, config.edges, config.reference, fabric))
        rows = [*web.push(picture), *web.finish()]
        similarity = [r.similarity for r in rows if np.isfinite(r.similarity)]
        return np.concatenate([r.raw for r in rows]), float(np.mean(similarity)) if similarity else float("nan")
    tile = preprocess(picture, config.preprocess)[None]
    scores = detector.cells(tile, fabric)
    cell = config.tiling.cell_px
    return scores.raw[0, : -(-tile.shape[1] // cell), : -(-tile.shape[2] // cell)], float(scores.similarity[0, fabric])
