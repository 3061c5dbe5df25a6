"""A new model beside the one in use, on cloth that the new one has not learnt from: what would change on the line.

Three kinds of pieces are judged by both: good cloth that was held back (what is flagged there is a false alarm), the
same with defects drawn on it, and defects that people have confirmed or labelled. Nothing is chosen by these figures
but whether the new model goes live.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from cras_core.arrays import Image
from cras_core.data.values import Piece
from cras_core.detectors.base import Detector
from cras_core.detectors.single_tile import relative_score, score_tile
from cras_core.errors import DataError
from cras_core.evaluation.web_recall import FOUND_PX, grown
from cras_core.features.cloth_tiles import tile_of_web
from cras_core.validated import Number, Whole, validated
from cras_core.web.calibration import tail_threshold
from cras_core.web.regions import RegionConfig, regions_in
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches

Kind = Literal["good", "drawn", "defect"]


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


@validated("verdict", DataError)
class Verdict:
    """What one model says of one case.

    Attributes:
        id, fabric, kind: of the case.
        peak: largest score, 1 is the limit; on a defect the largest score near it. 0 where nothing could be scored.
        alarms: regions over the limit that are no defect.
        defects, found: how many defects there are on it, and how many are over the limit.
        area_m2: cloth that was scored.
        known: the model knows the fabric; otherwise the piece was compared with the most similar one.
    """

    id: str
    fabric: str
    kind: Kind
    peak: Number
    alarms: Annotated[Whole, Field(ge=0)]
    defects: Annotated[Whole, Field(ge=0)]
    found: Annotated[Whole, Field(ge=0)]
    area_m2: Annotated[Number, Field(ge=0)]
    known: bool


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


@dataclass(frozen=True, slots=True)
class FabricMetrics:
    """What one model does on one fabric.

    Attributes:
        fabric: its name.
        known: the model knows it.
        pieces: good pieces judged.
        area_m2: of these.
        alarms: false alarms on these.
        drawn, drawn_found: drawn defects, and how many were found.
        defects, defects_found: confirmed defects, and how many were found.
        peaks: largest score of each good piece, in their order.
    """

    fabric: str
    known: bool
    pieces: int
    area_m2: float
    alarms: int
    drawn: int
    drawn_found: int
    defects: int
    defects_found: int
    peaks: tuple[float, ...]

    @property
    def alarms_per_100_m2(self) -> float:
        """False alarms on 100 m2 of good cloth, as far as so little cloth can tell; NaN without any."""
        return 100.0 * self.alarms / self.area_m2 if self.area_m2 > 0 else math.nan


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """Two models on the same cloth.

    Attributes:
        running, candidate: their verdicts, case by case in one order; ``running`` is empty where no model is in use.
        learnt_by_running: ids of good pieces that the model in use may have learnt from, so that it looks better on
            them than it is.
        lost: fabrics that the model in use knows and the new one does not.
    """

    running: tuple[Verdict, ...]
    candidate: tuple[Verdict, ...]
    learnt_by_running: frozenset[str] = frozenset()
    lost: tuple[str, ...] = ()

    @property
    def fabrics(self) -> tuple[str, ...]:
        """Names of the fabrics that were judged."""
        return tuple(dict.fromkeys(v.fabric for v in self.candidate))

    def figures(self, fabric: str) -> tuple[FabricMetrics | None, FabricMetrics]:
        """Of the model in use, None where there is none, and of the new one."""
        running = metrics_of(fabric, self.running) if self.running else None
        return running, metrics_of(fabric, self.candidate)

    @property
    def disagreements(self) -> tuple[tuple[Verdict, Verdict], ...]:
        """Cases, drawn ones left out, where one of the two models flags something and the other does not; those first
        where they differ most.
        """
        pairs = (
            [
                (a, b)
                for a, b in zip(self.running, self.candidate, strict=True)
                if a.kind != "drawn" and reaches(a.peak, CALIBRATED_THRESHOLD) != reaches(b.peak, CALIBRATED_THRESHOLD)
            ]
            if self.running
            else []
        )
        return tuple(sorted(pairs, key=lambda pair: -abs(pair[0].peak - pair[1].peak)))

    @property
    def got_worse(self) -> tuple[str, ...]:
        """What the new model does worse than the one in use, each a sentence; nothing means that it may go live.

        Of a few alarms on little cloth one more is chance; a rate counts as worse where the difference is over two
        standard deviations of the counts.
        """
        said = [f"{fabric}: the new model does not know it any more" for fabric in self.lost]
        for fabric in self.fabrics:
            before, after = self.figures(fabric)
            if before is not None and before.known and fabric not in self.lost:
                said += _worse(before, after)
        return tuple(said)


def _worse(before: FabricMetrics, after: FabricMetrics) -> list[str]:
    said = []
    if after.alarms > before.alarms + 2.0 * math.sqrt(before.alarms + after.alarms):
        said.append(
            f"{after.fabric}: {after.alarms} false alarms on {after.area_m2:.2f} m2 of held-back cloth, "
            f"{before.alarms} before"
        )
    missed = before.drawn_found - after.drawn_found
    if missed > max(2.0 * math.sqrt(before.drawn), 0.05 * before.drawn):
        said.append(f"{after.fabric}: {after.drawn_found} of {after.drawn} drawn defects, {before.drawn_found} before")
    if after.defects_found < before.defects_found:
        said.append(
            f"{after.fabric}: {after.defects_found} of {after.defects} confirmed defects, {before.defects_found} before"
        )
    return said


def metrics_of(fabric: str, verdicts: Iterable[Verdict]) -> FabricMetrics:
    """Counts a fabric's verdicts of one model."""
    mine = [v for v in verdicts if v.fabric == fabric]
    good = [v for v in mine if v.kind == "good"]
    drawn, confirmed = ([v for v in mine if v.kind == kind] for kind in ("drawn", "defect"))
    return FabricMetrics(
        fabric=fabric,
        known=all(v.known for v in mine),
        pieces=len(good),
        area_m2=sum(v.area_m2 for v in good),
        alarms=sum(v.alarms for v in good),
        drawn=sum(v.defects for v in drawn),
        drawn_found=sum(v.found for v in drawn),
        defects=sum(v.defects for v in confirmed),
        defects_found=sum(v.found for v in confirmed),
        peaks=tuple(v.peak for v in good),
    )


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
