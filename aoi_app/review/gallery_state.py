"""What the gallery of defects shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aoi_app.background.state_holder import ServiceState
from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import Review
from aoi_app.review.suggestion import Suggestion

Key = tuple[int, int]
"""Number of a roll, and of a defect on it."""


@dataclass(frozen=True, slots=True, eq=False)
class GalleryItem:
    """One defect of the gallery.

    Attributes:
        key: of the defect.
        roll_number: what the mill calls its roll; empty without.
        defect: as it was found.
        review: what holds.
        opinions: the latest verdict of each reviewer, by name.
        suggestion: of a type; None where it has one, or nothing looks like it.
    """

    key: Key
    roll_number: str
    defect: Defect
    review: Review
    opinions: Mapping[str, Review]
    suggestion: Suggestion | None

    @property
    def is_disputed(self) -> bool:
        """Two reviewers do not agree."""
        return len({review.verdict for review in self.opinions.values()}) > 1

    @property
    def caption(self) -> str:
        """Two short lines below the picture."""
        roll, number = self.key
        said = self.review.type_code or self.review.verdict or ""
        mark = "≠ " if self.is_disputed else ""
        size = f"{self.defect.length_mm:.0f}×{self.defect.width_mm:.0f} mm"
        return f"{self.roll_number or roll} · {number} · {size}\n{mark}{said or self.guess}"

    @property
    def guess(self) -> str:
        """The suggested type, marked as a question."""
        return f"{self.suggestion.code}?" if self.suggestion is not None else "–"

    @property
    def text(self) -> str:
        """All of it, for a tip and a screen reader."""
        d, (roll, number) = self.defect, self.key
        size = f"{d.length_mm:.0f} × {d.width_mm:.0f} mm at {d.position_m:.2f} m, {d.position_mm:.0f} mm across"
        parts = [
            f"Roll {self.roll_number or roll}, defect {number}: {d.shade or d.shape}, fabric {d.fabric}",
            f"{size}, score {d.peak:.2f}",
        ]
        parts += [
            f"{who or 'somebody'}: {review.verdict}{f', {review.type_name}' if review.type_name else ''}"
            for who, review in sorted(self.opinions.items())
        ]
        if self.suggestion is not None:
            parts.append(self.suggestion.text)
        return "\n".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GalleryState(ServiceState):
    """
    Attributes:
        items: found so far, the latest first.
        has_more: there are others behind them.
        undoable: what the last verdicts were, as a button says it; empty where nothing can be taken back.
        about_suggestions: how many reviewed defects they come from and how often they are right; empty without.
    """

    items: tuple[GalleryItem, ...] = field(default=())
    has_more: bool = False
    undoable: str = ""
    about_suggestions: str = ""
