"""A defect where it lies on the roll: what grading, cutting and the search for repeats need to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import NO_REVIEW, Review


@dataclass(frozen=True, slots=True)
class ClothDefect:
    """
    Attributes:
        number: of the defect within its roll.
        start_m: where it begins, along the roll.
        length_mm: along the roll.
        left_mm: where it begins, across, from the left edge of the cloth.
        width_mm: across.
        type_code: its type, as the mill calls it; None while nobody has named it.
        verdict: a person's word; None while nobody has given one.
    """

    number: int
    start_m: float
    length_mm: float
    left_mm: float
    width_mm: float
    type_code: str | None = None
    verdict: Literal["confirmed", "rejected"] | None = None

    @property
    def end_m(self) -> float:
        """Where it ends, along the roll."""
        return self.start_m + self.length_mm / 1000.0

    @property
    def right_mm(self) -> float:
        """Where it ends, across."""
        return self.left_mm + self.width_mm

    @property
    def middle_mm(self) -> float:
        """Its middle, across."""
        return self.left_mm + self.width_mm / 2.0

    @property
    def size_mm(self) -> float:
        """Its greater extent, along or across: what the points systems measure."""
        return max(self.length_mm, self.width_mm)


def cloth_defect(defect: Defect, review: Review = NO_REVIEW) -> ClothDefect:
    """A defect of the running roll."""
    return ClothDefect(
        number=defect.number,
        start_m=defect.position_m,
        length_mm=defect.length_mm,
        left_mm=defect.position_mm - defect.width_mm / 2.0,
        width_mm=defect.width_mm,
        type_code=None if review.verdict == "rejected" else review.type_code,
        verdict=review.verdict,
    )
