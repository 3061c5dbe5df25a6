"""Work order against cloth: is what runs the fabric that the work order names?

The cloth is compared with the ordered fabric whatever it matches, so a wrong work order would show as defects, or hide
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cras_core.arrays import FloatArray
from cras_core.web.calibration import FabricCalibration

_BETTER = 0.2  # by how much more another fabric must match
_UNLIKE = 0.15  # how far below its limit the ordered fabric must match where no other does; an odd roll comes to 0.1
_LASTS_LINES = 1024  # a mismatch lasts for so long; a stain or a seam does not


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


def identify_fabric(similarities: FloatArray, calibrations: Sequence[FabricCalibration], ordered: int) -> int | None:
    """What a piece of cloth is, when the work order names a fabric.

    Args:
        similarities: (K,) mean similarity of the piece to each fabric.
        calibrations: of the K fabrics.
        ordered: index of the fabric that the work order names.

    Returns:
        ``ordered``, or the index of a fabric that it matches clearly better and is known by, or None where it is unlike
        the ordered fabric and no other.
    """
    best = int(similarities.argmax())  # of (K,)
    # A fabric that matches best, but badly, is no fabric that the model knows.
    known = bool(similarities[best] >= calibrations[best].similarity_limit)
    if known and similarities[best] - similarities[ordered] > _BETTER:
        return best
    return None if similarities[ordered] < calibrations[ordered].similarity_limit - _UNLIKE else ordered


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

    def check(self, similarities: FloatArray, first_line: int, end_line: int) -> Mismatch | None:
        """Takes the (K,) similarities of the next lines and returns a mismatch that has lasted by now."""
        if self._ordered is None:
            return None
        found = identify_fabric(similarities, self._calibrations, self._ordered)
        # The time of a mismatch counts from where it began, not from where it is told.
        if found != self._found:
            self._found, self._since_line = found, first_line
        if found == self._ordered:
            self._told = found
        if found == self._told or end_line - self._since_line < _LASTS_LINES:
            return None
        self._told = found
        order = self._calibrations[self._ordered]
        return Mismatch(self._since_line, order.fabric, self._text(similarities, found, order, self._ordered))

    def _text(self, similarities: FloatArray, found: int | None, order: FabricCalibration, ordered: int) -> str:
        likeness = f"{similarities[ordered]:.2f}"
        if found is None:
            return (
                f"the order names {order.fabric}, but the cloth is unlike it (similarity {likeness}, usual from "
                f"{order.similarity_limit:.2f} on) and unlike every other fabric that the model knows"
            )
        return (
            f"the order names {order.fabric}, but the cloth matches {self._calibrations[found].fabric} "
            f"(similarity {similarities[found]:.2f}, to {order.fabric} {likeness})"
        )
