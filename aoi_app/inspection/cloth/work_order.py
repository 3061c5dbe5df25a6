"""Work order against cloth: is what runs the fabric that the work order names?

The cloth is compared with the ordered fabric whatever it matches, so a wrong work order would show as defects, or hide
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cras_core.arrays import FloatArray
from cras_core.web.calibration import FabricCalibration

_CLEARLY = 1.5  # times as far from the ordered fabric as from another one
LASTS_LINES = 1024
"""For so long lasts what is told of the cloth as a whole; a stain or a seam does not."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Cloth that is not what the work order names.

    Attributes:
        first_line: line of the roll from which it was seen.
        fabric: the ordered one.
        text: for a person.
    """

    first_line: int
    fabric: str
    text: str


def identify_fabric(distances: FloatArray, calibrations: Sequence[FabricCalibration], ordered: int) -> int | None:
    """What a piece of cloth is, when the work order names a fabric.

    Args:
        distances: (K,) how far the piece lies from each fabric (``ScoredRows.distances``).
        calibrations: of the K fabrics.
        ordered: index of the fabric that the work order names.

    Returns:
        ``ordered``, or the index of a fabric that it is clearly nearer to and within the limit of, or None where it is
        beyond the limit of the ordered fabric and of the nearest.
    """
    nearest = int(distances.argmin())  # of (K,)
    if distances[nearest] <= calibrations[nearest].level_limit:
        return nearest if distances[ordered] > _CLEARLY * distances[nearest] else ordered
    return None if distances[ordered] > calibrations[ordered].level_limit else ordered


class WorkOrderCheck:
    """Watches one web; a mismatch is told once, when it has lasted, and again only after right cloth or as another."""

    def __init__(self, calibrations: Sequence[FabricCalibration], ordered: int | None) -> None:
        """``ordered`` is the index of the fabric that the work order names; None where it names none."""
        self._calibrations = calibrations
        self._ordered = ordered
        self.forget()

    def forget(self) -> None:
        """Another web begins."""
        self._found = self._told = self._ordered
        self._since_line = 0
        self._mismatch: Mismatch | None = None

    @property
    def now(self) -> Mismatch | None:
        """The mismatch that was told and still lasts."""
        return self._mismatch

    def check(self, distances: FloatArray, first_line: int, end_line: int) -> Mismatch | None:
        """Takes the (K,) distances of the next lines from the fabrics and returns a mismatch that has lasted by now."""
        if self._ordered is None:
            return None
        found = identify_fabric(distances, self._calibrations, self._ordered)
        # The time of a mismatch counts from where it began, not from where it is told.
        if found != self._found:
            self._found, self._since_line = found, first_line
        if found == self._ordered:
            self._told, self._mismatch = found, None
        if found == self._told or end_line - self._since_line < LASTS_LINES:
            return None
        self._told = found
        order = self._calibrations[self._ordered]
        self._mismatch = Mismatch(self._since_line, order.fabric, self._text(distances, found, order, self._ordered))
        return self._mismatch

    def _text(self, distances: FloatArray, found: int | None, order: FabricCalibration, ordered: int) -> str:
        away = f"{distances[ordered]:.2f}"
        if found is None:
            return (
                f"the order names {order.fabric}, but the cloth is unlike it (distance {away}, usual up to "
                f"{order.level_limit:.2f}) and unlike every other fabric that the model knows"
            )
        return (
            f"the order names {order.fabric}, but the cloth matches {self._calibrations[found].fabric} "
            f"(distance {distances[found]:.2f}, from {order.fabric} {away})"
        )
