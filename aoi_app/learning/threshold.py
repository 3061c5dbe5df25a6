"""Which threshold a fabric should have, from what a comparison says of its tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aoi_app.learning.state import CaseKind, ComparedFabric, Tile
from cras_core.errors import DataError
from cras_core.web.calibration import tail_threshold
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What the new model would flag at a threshold: tiles of each kind, and how many there are."""

    good: int
    of_good: int
    drawn: int
    of_drawn: int
    defects: int
    of_defects: int

    @property
    def text(self) -> str:
        """In words."""
        parts = [f"{self.good} of {self.of_good} good tiles flagged"]
        parts += [f"{self.defects} of {self.of_defects} tiles with confirmed defects found"] if self.of_defects else []
        parts += [f"{self.drawn} of {self.of_drawn} tiles with drawn defects found"] if self.of_drawn else []
        return ", ".join(parts)


def at_threshold(tiles: Sequence[Tile], threshold: float) -> AtThreshold:
    """Counts what the new model scores at a threshold or above it."""
    counts = []
    for kind in ("good", "drawn", "defect"):
        mine = [t for t in tiles if t.kind == kind]
        counts += [sum(reaches(t.after, threshold) for t in mine), len(mine)]
    return AtThreshold(*counts)


def around(tiles: Sequence[Tile], threshold: float, count: int = 4) -> tuple[list[Tile], list[Tile]]:
    """Tiles just under a threshold and just over it, the nearest first; drawn ones are left out."""
    shown = [t for t in tiles if t.kind != "drawn"]
    under = sorted((t for t in shown if not reaches(t.after, threshold)), key=lambda t: -t.after)
    over = sorted((t for t in shown if reaches(t.after, threshold)), key=lambda t: t.after)
    return under[:count], over[:count]


def disagreements(fabric: ComparedFabric, threshold: float = CALIBRATED_THRESHOLD) -> list[Tile]:
    """Tiles that one of the two models flags and the other does not, those first where they differ most; drawn defects
    are left out.
    """
    found = [
        t
        for t in fabric.tiles
        if t.kind != "drawn" and t.before is not None and reaches(t.before, threshold) != reaches(t.after, threshold)
    ]
    return sorted(found, key=lambda t: -abs((t.before or 0.0) - t.after))


def threshold_at(fabric: ComparedFabric, alarms_per_100_m2: float) -> tuple[float | None, str]:
    """The threshold at which good cloth gives so many false alarms; None where there is too little cloth, and a
    sentence about how far it can be trusted.
    """
    peaks = [t.after for t in fabric.tiles if t.kind == "good"]
    area = fabric.after.area_m2
    try:
        value = tail_threshold(np.asarray(peaks, np.float64), area, alarms_per_100_m2 / 100.0)
    except DataError:
        return None, f"{len(peaks)} good tiles are too few to tell; it takes 8 or more."
    if area * alarms_per_100_m2 / 100.0 < 1.0:
        return value, f"An estimate: {area:.2f} m² is less cloth than gives one such alarm."
    return value, f"From {len(peaks)} good tiles, {area:.2f} m²."


def histogram(
    tiles: Sequence[Tile], bins: int = 40
) -> tuple[npt.NDArray[np.float64], dict[CaseKind, npt.NDArray[np.int64]]]:
    """How the scores of the new model lie.

    Returns:
        (bins + 1,) edges from 0, and (bins,) counts of each kind.
    """
    highest = max([2.0, *(t.after for t in tiles)])
    edges = np.linspace(0.0, highest * 1.02, bins + 1)
    kinds: tuple[CaseKind, ...] = ("good", "drawn", "defect")
    return edges, {k: np.histogram([t.after for t in tiles if t.kind == k], edges)[0] for k in kinds}
