"""What a person looks for among the defects of all rolls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

VerdictChoice = Literal["any", "none", "confirmed", "rejected", "disputed"]
"""``disputed``: the latest verdicts of two reviewers differ."""

NO_TYPE = "–"
"""As a type: defects that nobody has given one."""


@dataclass(frozen=True, slots=True)
class DefectFilter:
    """What a person looks for; an empty text is anything.

    Attributes:
        roll: number of the roll in the records, or what the mill calls it.
        fabric: as recorded.
        type_code: of the type, or ``NO_TYPE``.
        least_mm, most_mm: of the longer side.
        least_score: of the peak.
        verdict: that holds.
        reviewer: who said the last of it.
    """

    roll: str = ""
    fabric: str = ""
    type_code: str = ""
    least_mm: float = 0.0
    most_mm: float | None = None
    least_score: float = 0.0
    verdict: VerdictChoice = "any"
    reviewer: str = ""
