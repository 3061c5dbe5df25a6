"""The verdicts of the person at the line, on their way into the records."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from aoi_app.catalogue import DefectType
from aoi_app.records.database import now
from aoi_app.records.reviews import read_reviews, write_review
from aoi_app.verdict import NO_REVIEW, Review, Verdict

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


def user() -> str:
    """The name of the user of this machine."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a number without a name, as in some containers
        return "nameless user"
