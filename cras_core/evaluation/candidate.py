"""A new model beside the one in use, on cloth that the new one has not learnt from: what would change on the line.

Three kinds of pieces are judged by both: good cloth that was held back (what is flagged there is a false alarm), the
same with defects drawn on it, and defects that people have confirmed or labelled. Nothing is chosen by these figures
but whether the new model goes live.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from cras_core.arrays import Image
from cras_core.data.values import Piece
from cras_core.detectors.base import Detector
from cras_core.detectors.single_tile import relative_score, score_tile
from cras_core.errors import DataError
from cras_core.evaluation.candidate_verdicts import CandidateReport, Kind, Verdict
from cras_core.evaluation.web_recall import FOUND_PX, grown
from cras_core.features.cloth_tiles import tile_of_web
from cras_core.web.calibration import tail_threshold
from cras_core.web.regions import RegionConfig, regions_in
from cras_core.web.threshold import CALIBRATED_THRESHOLD


@dataclass(frozen=True, slots=True)
class Case:
    """A piece of cloth to judge models by.

    Attributes:
        id: of its sample; a drawn one has the id of the sample that it was drawn on.
        fabric: what the cloth is.
        kind: good cloth, with drawn defects, or with defects that a person has confirmed.
        image: (H, W) or (H, W, 3) uint8.
        piece: how it was cut from its web.
        mask: (H, W) uint8, 255 where it is defective; None for good cloth.
        mm2_per_px: area of a pixel, square millimetres.
    """

    id: str
    fabric: str
    kind: Kind
    image: Image
    piece: Piece
    mask: Image | None = None
    mm2_per_px: float = 0.04


def judge(detector: Detector, case: Case, threshold: float = CALIBRATED_THRESHOLD) -> Verdict:
    """Has a detector judge a case.

    Args:
        detector: with its limits.
        case: the piece.
        threshold: score from which a place is a defect.
    """
    known = case.fabric in detector.fabrics
    seen = tile_of_web(case.image, case.piece, detector.config)
    if seen is None or not seen[1].any():
        return Verdict(case.id, case.fabric, case.kind, 0.0, 0, 0, 0, 0.0, known)
    tile, counts = seen
    piece = score_tile(detector, tile, counts, detector.fabrics.index(case.fabric) if known else None)
    score = np.nan_to_num(relative_score(detector, piece), nan=0.0)
    raw = np.nan_to_num(piece.kinds.mean(axis=0), nan=0.0)
    cell = detector.config.tiling.cell_px
    area = float(counts.sum()) * cell * cell * case.mm2_per_px * 1e-6
    truth, defects = _defects(case.mask, score.shape, counts, cell)
    regions = regions_in(score, raw, RegionConfig(threshold, is_relative=detector.config.reference.enabled))
    found, alarms = set(), 0
    for region in regions:
        box = truth[region.first_row : region.first_row + len(region.extents), region.first_col : region.end_col]
        touched = set(np.unique(box).tolist()) - {0}
        found |= touched
        alarms += not touched
    peak = float(score[truth > 0].max()) if defects else float(score.max())
    return Verdict(case.id, case.fabric, case.kind, peak, alarms, defects, len(found), area, known)


def _defects(
    mask: Image | None, shape: tuple[int, ...], counts: npt.NDArray[np.bool_], cell: int
) -> tuple[npt.NDArray[np.int32], int]:
    """(h, w) number of the defect near each cell, and how many there are; a defect that nothing of is inspected is
    none.
    """
    if mask is None:
        return np.zeros(shape, np.int32), 0
    near = grown((mask > 0).astype(np.uint8), FOUND_PX)
    high = np.zeros((shape[0] * cell, shape[1] * cell), np.uint8)
    high[: near.shape[0], : near.shape[1]] = near
    cells = high.reshape(shape[0], cell, shape[1], cell).max(axis=(1, 3))
    count, labels = cv2.connectedComponents(cells)
    seen = [k for k in range(1, count) if (counts & (labels == k)).any()]
    numbers = np.zeros(count, np.int32)
    numbers[seen] = np.arange(1, len(seen) + 1)
    return np.asarray(numbers[labels], dtype=np.int32), len(seen)


def compare(
    running: Detector | None,
    candidate: Detector,
    cases: Iterable[Case],
    learnt_by_running: Iterable[str] = (),
    on_case: Callable[[Case], None] = lambda _: None,
) -> CandidateReport:
    """Has two models judge the same cases, one after the other so that no more than one is in memory.

    Args:
        running: the model in use; None where there is none.
        candidate: the new one.
        cases: what to judge.
        learnt_by_running: ids of good pieces that the model in use may have learnt from.
        on_case: told after each case; may raise to stop.
    """
    before, after = [], []
    for case in cases:
        if running is not None:
            before.append(judge(running, case))
        after.append(judge(candidate, case))
        on_case(case)
    lost = tuple(f for f in running.fabrics if f not in candidate.fabrics) if running is not None else ()
    ids = {v.id for v in after if v.kind == "good"}
    return CandidateReport(tuple(before), tuple(after), frozenset(ids & set(learnt_by_running)), lost)


def threshold_for(peaks: Sequence[float], area_m2: float, alarms_per_100_m2: float) -> float | None:
    """The threshold at which good cloth gives so many false alarms, from the peaks of its pieces; None where there are
    too few pieces to tell.

    Args:
        peaks: largest score of each piece.
        area_m2: of all pieces.
        alarms_per_100_m2: what is wanted.
    """
    try:
        return tail_threshold(np.asarray(peaks, dtype=np.float64), area_m2, alarms_per_100_m2 / 100.0)
    except DataError:
        return None
