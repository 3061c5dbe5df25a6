"""Which threshold a fabric should have, from what an evaluation says of its tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aoi_app.learning.state import EvaluatedFabric, EvaluatedTile
from cras_core.errors import DataError
from cras_core.web.calibration import tail_threshold
from cras_core.web.threshold import reaches

if TYPE_CHECKING:
    from cras_core.evaluation.candidate_verdicts import Kind

KINDS: tuple[Kind, ...] = ("good", "drawn", "defect")
_FEWEST_TILES = 8  # what ``tail_threshold`` needs


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What the candidate would flag at a threshold: tiles of each kind, and how many there are."""

    good: int
    of_good: int
    synthetic: int
    of_synthetic: int
    confirmed: int
    of_confirmed: int

    @property
    def text(self) -> str:
        """In words."""
        parts = [f"{self.good} of {self.of_good} defect-free tiles flagged"]
        if self.of_confirmed:
            parts.append(f"{self.confirmed} of {self.of_confirmed} tiles with confirmed defects found")
        if self.of_synthetic:
            parts.append(f"{self.synthetic} of {self.of_synthetic} tiles with synthetic defects found")
        return ", ".join(parts)


def at_threshold(tiles: Sequence[EvaluatedTile], threshold: float) -> AtThreshold:
    """Counts what the candidate scores at a threshold or above it."""
    counts = []
    for kind in KINDS:
        mine = [t for t in tiles if t.kind == kind]
        counts += [sum(reaches(t.after.peak, threshold) for t in mine), len(mine)]
    return AtThreshold(*counts)


def around(
    tiles: Sequence[EvaluatedTile], threshold: float, count: int = 4
) -> tuple[list[EvaluatedTile], list[EvaluatedTile]]:
    """Tiles just under a threshold and just over it, the nearest first; synthetic defects are left out."""
    shown = [t for t in tiles if t.kind != "drawn"]
    under = sorted((t for t in shown if not reaches(t.after.peak, threshold)), key=lambda t: -t.after.peak)
    over = sorted((t for t in shown if reaches(t.after.peak, threshold)), key=lambda t: t.after.peak)
    return under[:count], over[:count]


def threshold_at(fabric: EvaluatedFabric, alarms_per_100_m2: float) -> tuple[float | None, str]:
    """The threshold at which defect-free fabric gives so many false alarms; None where there is too little of it, and a
    sentence about how far it can be trusted.
    """
    peaks, area_m2 = fabric.after.peaks, fabric.after.area_m2
    try:
        value = tail_threshold(np.asarray(peaks, np.float64), area_m2, alarms_per_100_m2 / 100.0)
    except DataError:
        return None, f"{len(peaks)} defect-free tiles are too few to tell; at least {_FEWEST_TILES} are needed."
    if area_m2 * alarms_per_100_m2 / 100.0 < 1.0:
        return value, f"An estimate: at this rate, {area_m2:.2f} m² hold less than one false alarm."
    return value, f"From {len(peaks)} defect-free tiles, {area_m2:.2f} m²."


def histogram(
    tiles: Sequence[EvaluatedTile], bins: int = 40
) -> tuple[npt.NDArray[np.float64], dict[Kind, npt.NDArray[np.int64]]]:
    """How the scores of the candidate are distributed.

    Returns:
        (bins + 1,) edges from 0, and (bins,) counts of each kind.
    """
    highest = max([2.0, *(t.after.peak for t in tiles)])
    edges = np.linspace(0.0, highest * 1.02, bins + 1)
    return edges, {k: np.histogram([t.after.peak for t in tiles if t.kind == k], edges)[0] for k in KINDS}
