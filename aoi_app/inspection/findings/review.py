"""What a person says of a defect that was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal

from aoi_app.inspection.findings.record_schema import Exported, Shown
from aoi_app.settings.defect_types import DefectType

Verdict = Literal["confirmed", "rejected"]


def _verdict_text(review: Review) -> str:
    return review.text


@dataclass(frozen=True, slots=True)
class Review:
    """What a person says of one defect. Its fields are columns of the records, as those of ``Defect``.

    Attributes:
        verdict: it is a defect, or a false alarm; None while nobody has said.
        type_code, type_name: its type, as the mill called it then.
        reviewer: who said the last of it.
        reviewed_at: when, with its zone.
    """

    verdict: Annotated[
        Verdict | None, Exported(), Shown("verdict", order=2, text=_verdict_text, sort_key=_verdict_text)
    ] = None
    type_code: Annotated[str | None, Exported()] = None
    type_name: Annotated[str | None, Exported()] = None
    reviewer: Annotated[str | None, Exported()] = None
    reviewed_at: Annotated[datetime | None, Exported()] = None

    def decided(self, verdict: Verdict, who: str, at: datetime) -> Review:
        """Confirmed or rejected; a type that was named stays, for the case that the verdict changes again."""
        return replace(self, verdict=verdict, reviewer=who, reviewed_at=at)

    def named(self, kind: DefectType, who: str, at: datetime) -> Review:
        """With its type, which confirms it."""
        return Review("confirmed", kind.code, kind.name, who, at)

    @property
    def text(self) -> str:
        """For a table: the verdict, and the type of what is confirmed on a line of its own."""
        if self.verdict == "confirmed" and self.type_name is not None:
            return f"{self.verdict}\n{self.type_name}"
        return self.verdict or ""


NO_REVIEW = Review()
