"""What a trained model scores on held-back normal cloth, and the limits that follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cras_core.arrays import FloatArray
from cras_core.data.values import NormalImages
from cras_core.detectors.base import Detector
from cras_core.detectors.single_tile import score_tile
from cras_core.errors import DataError
from cras_core.features.cloth_tiles import tiles_of
from cras_core.images import read_image
from cras_core.web.baseline import RunningBaseline
from cras_core.web.calibration import FabricCalibration, block_peaks, tail_threshold
from cras_core.web.canvas import WebConfig
from cras_core.web.places import place_factors
from cras_core.web.scoring import WebInspection

_PEAK_BLOCK_CELLS = 16  # side of the pieces of cloth whose largest scores make the limit; wider than a defect's glow


def measure_thresholds(
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
    total, done = sum(len(h.paths) for h in held), 0

    def on_picture(path: Path) -> None:
        nonlocal done
        done += 1
        on_image(path, done, total)

    return [measure_fabric(detector, k, normal, on_picture) for k, normal in enumerate(held)]


def measure_fabric(
    detector: Detector, k: int, normal: NormalImages, on_picture: Callable[[Path], None]
) -> FabricCalibration:
    """The limits of fabric k alone, as ``measure_thresholds`` draws them."""
    config = detector.config
    maps, similarities, levels = [], [], []
    for path in normal.paths:
        kinds, similarity, level = _raw_maps(detector, read_image(path, normal.bits), normal, path, k)
        if np.isfinite(kinds).any():
            maps.append(kinds)
            similarities.append(similarity)
            levels.append(level)
        on_picture(path)
    if not maps:
        raise DataError(
            "no-held-out-cloth",
            "fabric {fabric}: no cloth found in the held-out pictures for its thresholds",
            fabric=normal.fabric,
        )
    raw_maps = [m.mean(axis=0) for m in maps]
    cells = np.concatenate([m[np.isfinite(m)] for m in raw_maps])
    low, centre, high = np.percentile(cells, [25, 50, 75])
    spread = float(max(high - low, 1e-6))
    peaks, raw_peaks = [], []
    for kinds, raw in zip(maps, raw_maps, strict=True):
        baseline = RunningBaseline(config.reference, config.tiling.cell_px)
        relative = baseline.relate(kinds, float(centre), spread, math.inf).score
        # A picture of a tile's size shows no edge of the cloth, and what lies beyond it is not filled in.
        places = place_factors(np.isfinite(raw), 0, 0) if normal.are_strips else np.float32(1.0)
        peaks.append(block_peaks(relative / places, _PEAK_BLOCK_CELLS))
        raw_peaks.append(block_peaks(centre + (raw - centre) / places, _PEAK_BLOCK_CELLS))
    area = len(cells) * (config.tiling.cell_px * config.calibration.mm_per_px / 1000.0) ** 2
    rate = config.calibration.false_alarms_per_m2
    try:
        limit = tail_threshold(np.concatenate(peaks), area, rate)
        raw_limit = tail_threshold(np.concatenate(raw_peaks), area, rate)
    except DataError as error:
        raise DataError(
            "threshold-not-measured",
            "fabric {fabric}: {reason} ({count} pictures were held out for it); give more or larger pictures",
            fabric=normal.fabric,
            reason=error,
            count=len(normal.paths),
        ) from error
    own = float(np.mean(similarities))
    return FabricCalibration(
        fabric=normal.fabric,
        centre=float(centre),
        spread=spread,
        limit=max(1e-3, limit),
        raw_limit=max(raw_limit, float(centre) + 1e-3 * spread),
        similarity_limit=similarity_limit(detector.medians, k, own),
        level_limit=max(_LEVELS * max(levels), anomalous_from(detector.medians, k)),
        seen_m2=area,
        own_similarity=own,
        own_level=max(levels),
    )


_LEVELS = 3.0  # times the distance of held-back cloth, a roll is strange


def among(calibrations: Sequence[FabricCalibration], medians: FloatArray) -> tuple[FabricCalibration, ...]:
    """The calibrations with the limits brought up to date that tell a fabric from the others. A limit stays as it is
    where the own similarity or level is not known.

    Args:
        calibrations: one per fabric.
        medians: (K, D) medians of the fabrics that there are now.
    """
    trained = np.array([not c.enrolled_quickly for c in calibrations])
    return tuple(
        replace(
            c,
            similarity_limit=similarity_limit(medians, k, c.own_similarity, trained)
            if c.own_similarity is not None
            else c.similarity_limit,
            level_limit=max(_LEVELS * c.own_level, anomalous_from(medians, k))
            if c.own_level is not None
            else c.level_limit,
        )
        for k, c in enumerate(calibrations)
    )


def with_own(calibrations: Sequence[FabricCalibration], medians: FloatArray) -> tuple[FabricCalibration, ...]:
    """The calibrations with the own similarity also where nobody kept it: worked back from the limit.

    A model of one fabric has no limit of similarity to work back from; there it stays unknown. So does the own level,
    which the limit need not show.

    Args:
        calibrations: one per fabric.
        medians: (K, D) medians of the same fabrics.
    """
    return tuple(
        c
        if c.own_similarity is not None or len(medians) == 1
        else replace(c, own_similarity=_own_similarity(c.similarity_limit, _most_similar(medians, k, None)))
        for k, c in enumerate(calibrations)
    )


def _own_similarity(limit: float, foreign: float) -> float:
    """The inverse of what ``similarity_limit`` makes of the own similarity and the largest foreign one."""
    return 2 * limit - foreign if limit - foreign >= _LEAST_GAP else limit + _LEAST_GAP


_LEAST_GAP = 0.02  # between the similarity of a fabric's own cloth and its limit


def similarity_limit(medians: FloatArray, k: int, own: float, trained: npt.NDArray[np.bool_] | None = None) -> float:
    """The similarity (eq. 2) to fabric k below which cloth is of no enrolled fabric.

    It lies halfway between what held-back cloth of the fabric has and what the most similar of the other fabrics would
    have if it were not enrolled: similarities are taken from the middle of the cloth trained on, so that one moves when
    a fabric is left out.

    Args:
        medians: (K, D) medians of the fabrics.
        k: index of the fabric.
        own: mean similarity of held-back cloth of the fabric.
        trained: (K,) which fabrics were trained on; None means all of them, and so does a single one, from whose middle
            nothing could be told (``fabric_tensors``).

    Returns:
        The limit; -1, below which nothing lies, where no other fabric is known to tell it by.
    """
    if len(medians) == 1:
        return -1.0
    return min(own - _LEAST_GAP, 0.5 * (own + _most_similar(medians, k, trained)))


def _most_similar(medians: FloatArray, k: int, trained: npt.NDArray[np.bool_] | None) -> float:
    """The largest similarity to fabric k that another fabric would have if it were not enrolled."""
    everybody = np.ones(len(medians), np.bool_)
    known = trained if trained is not None and trained.sum() > 1 else everybody
    found = []
    for j in range(len(medians)):
        if j != k:
            others = known & (np.arange(len(medians)) != j)
            origin = medians[others if others.sum() > 1 else known].mean(axis=0)
            found.append(_cosine(medians[j] - origin, medians[k] - origin))
    return max(found)


def anomalous_from(medians: FloatArray, k: int) -> float:
    """Distance (root mean square over the features) from which cloth of fabric k is strange as a whole: half of that to
    the nearest other fabric; one standard deviation where there is no other.
    """
    distances = np.sqrt(np.square(np.delete(medians, k, axis=0) - medians[k]).mean(axis=1))
    return 0.5 * float(distances.min()) if len(distances) else 1.0


def _cosine(a: FloatArray, b: FloatArray) -> float:
    return float(a @ b / max(1e-12, float(np.linalg.norm(a) * np.linalg.norm(b))))


def _raw_maps(
    detector: Detector, picture: npt.NDArray[np.uint8], normal: NormalImages, path: Path, fabric: int
) -> tuple[FloatArray, float, float]:
    """(S, rows, cols) raw scores of the cells of a picture, NaN outside the cloth; the similarity to its fabric; and
    how far its median features lie from those of the fabric.
    """
    config = detector.config
    if normal.are_strips:
        web = WebInspection(detector, WebConfig(config.tiling, config.edges, config.reference, fabric))
        rows = [*web.push(picture), *web.finish()]
        seen = [r for r in rows if np.isfinite(r.similarity)]
        similarity = float(np.mean([r.similarity for r in seen])) if seen else float("nan")
        level = float(np.mean([r.level for r in seen])) if seen else float("nan")
        return np.concatenate([r.kinds for r in rows], axis=1), similarity, level
    views = list(tiles_of(picture, normal.are_strips, config, normal.piece(path)))
    if not views:
        return np.full((1, 1, 1), np.nan, np.float32), math.nan, math.nan
    tile, counts = views[0]
    piece = score_tile(detector, tile[0], counts[0], fabric)
    return piece.kinds, piece.similarity, piece.level
