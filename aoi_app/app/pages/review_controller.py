"""The verdicts of the person at the line, on their way into the records."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.findings.review import Review, Verdict
from aoi_app.records.errors import RecordsError
from aoi_app.records.reviews import ReviewRecorder
from aoi_app.settings.defect_types import DefectType


class ReviewController:
    """What happens when a person says something of a defect: it is recorded, then shown."""

    def __init__(
        self,
        desk: ReviewRecorder,
        roll_id: Callable[[], int],
        show: Callable[[int, Review], None],
        warn: Callable[[str], None],
        learn: Callable[[Defect, Review], None] = lambda _defect, _review: None,
    ) -> None:
        """
        Args:
            desk: records it.
            roll_id: number of the roll whose defects are shown.
            show: shows the number of a defect and what was said of it.
            warn: tells the person what did not go as wanted.
            learn: also given what was recorded.
        """
        self._desk = desk
        self._roll_id = roll_id
        self._show = show
        self._warn = warn
        self._learn = learn

    def decide(self, defect: Defect, verdict: str) -> None:
        """Confirmed, rejected, or, where it is empty, taken back."""
        if verdict:
            self._record(defect, partial(self._desk.decide, verdict=cast("Verdict", verdict)))
        else:
            self._record(defect, self._desk.clear)

    def name_type(self, defect: Defect, kind: DefectType) -> None:
        """What kind of fault it is."""
        self._record(defect, partial(self._desk.name, kind=kind))

    def _record(self, defect: Defect, write: Callable[[int, int], Review]) -> None:
        try:
            review = write(self._roll_id(), defect.number)
        except RecordsError as error:
            self._warn(str(error))
            return
        self._show(defect.number, review)
        self._learn(defect, review)
