"""The verdicts of the person at the line, on their way into the records."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from aoi_app.inspection.defects import Defect
from aoi_app.inspection.review import NO_REVIEW, Review, Verdict
from aoi_app.records.database import RecordsError, now
from aoi_app.records.reviews import read_reviews, write_review
from aoi_app.settings.defect_types import DefectType

if TYPE_CHECKING:
    from sqlalchemy import Engine


class VerdictDesk:
    """Every answer is what stands in the records when it is given."""

    def __init__(self, engine: Engine, who: str | None = None) -> None:
        """``who`` judges; None is the user of this machine."""
        self._engine = engine
        self._who = who or user()

    def decide(self, roll_id: int, number: int, verdict: Verdict) -> Review:
        """Confirms or rejects a defect. Raises RecordsError."""
        return self._write(roll_id, number, self._now(roll_id, number).decided(verdict, self._who, now()))

    def name(self, roll_id: int, number: int, kind: DefectType) -> Review:
        """Names the type of a defect, which confirms it. Raises RecordsError."""
        return self._write(roll_id, number, self._now(roll_id, number).named(kind, self._who, now()))

    def clear(self, roll_id: int, number: int) -> Review:
        """Takes back everything that was said. Raises RecordsError."""
        return self._write(roll_id, number, NO_REVIEW)

    def _now(self, roll_id: int, number: int) -> Review:
        return read_reviews(self._engine, roll_id).get(number, NO_REVIEW)

    def _write(self, roll_id: int, number: int, review: Review) -> Review:
        write_review(self._engine, roll_id, number, review)
        return review


class VerdictAnswers:
    """What happens when a person says something of a defect: it is recorded, then shown."""

    def __init__(
        self,
        desk: VerdictDesk,
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


def user() -> str:
    """The name of the user of this machine."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a number without a name, as in some containers
        return "nameless user"
