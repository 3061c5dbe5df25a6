"""What a roll has found, beside its records: where these do not take everything, a person still gets the list."""

from __future__ import annotations

from typing import Any

from aoi_app.inspection.findings.defects import Defect
from aoi_app.live.state import News


class FoundDefects:
    """Follows the news of a roll; the latest of each defect counts."""

    def __init__(self) -> None:
        self._by_number: dict[int, Defect] = {}

    def take(self, news: News) -> None:
        """Adds what came since the last call."""
        self._by_number.update((defect.number, defect) for defect in news.defects)
        for number in news.withdrawn:
            self._by_number.pop(number, None)

    def missing_from(self, roll: dict[str, Any] | None) -> list[Defect]:
        """Defects that the records of the roll lack, in the order of their numbers; all where there are no records."""
        recorded = {row["id"] for row in roll["defects"]} if roll is not None else set()
        return [defect for number, defect in sorted(self._by_number.items()) if number not in recorded]


def line_of(defect: Defect) -> str:
    """A defect as one line for a person."""
    return (
        f"defect {defect.number}: {defect.fabric}, {defect.shape}, at {defect.position_m:.3f} m, "
        f"{defect.position_mm:.0f} mm from the edge, score {defect.peak:.2f}"
    )
