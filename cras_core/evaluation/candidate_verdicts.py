"""What two models did on the same cloth, as values: verdicts of pieces, counts of fabrics, and what got worse.

Needs no torch: the window reads kept comparisons, ``candidate`` makes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from cras_core.errors import DataError
from cras_core.validated import Number, Whole, validated
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches

Kind = Literal["good", "drawn", "defect"]


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

    def _gains(self, fabric: str) -> list[int]:
        pairs = zip(self.running, self.candidate, strict=True)
        return [b.found - a.found for a, b in pairs if b.fabric == fabric and b.kind == "drawn"]

    @property
    def got_worse(self) -> tuple[str, ...]:
        """What the new model does worse than the one in use, each a sentence; nothing means that it may go live.

        Of a few alarms on little cloth one more is chance; a rate counts as worse where the difference is over two
        standard deviations of the counts. Both models saw the same drawn defects, so of those only the cases count on
        which they differ (as in McNemar's test): 19 found instead of 30 is no chance where none is found anew.
        """
        said = [f"{fabric}: the new model does not know it any more" for fabric in self.lost]
        for fabric in self.fabrics:
            before, after = self.figures(fabric)
            if before is not None and before.known and fabric not in self.lost:
                said += _worse(before, after, self._gains(fabric))
        return tuple(said)


def _worse(before: FabricMetrics, after: FabricMetrics, gains: Sequence[int]) -> list[str]:
    """``gains``: of every case with drawn defects, how many more the new model finds."""
    said = []
    if after.alarms > before.alarms + 2.0 * math.sqrt(before.alarms + after.alarms):
        said.append(
            f"{after.fabric}: {after.alarms} false alarms on {after.area_m2:.2f} m2 of held-back cloth, "
            f"{before.alarms} before"
        )
    missed = before.drawn_found - after.drawn_found
    if missed > max(2.0 * math.sqrt(sum(gain * gain for gain in gains)), 0.05 * before.drawn):
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
