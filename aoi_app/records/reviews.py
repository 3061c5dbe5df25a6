"""Verdicts in the records. They have columns of their own, which the log of a running roll never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.inspection.findings.record_schema import record_fields
from aoi_app.inspection.findings.review import NO_REVIEW, Review, Verdict
from aoi_app.records.database import explain_database_error, read_session
from aoi_app.records.errors import RecordsError
from aoi_app.records.tables import DEFECTS, VERDICTS, row_values, utc_now
from aoi_app.settings.defect_types import DefectType
from aoi_app.settings.people import user_name


def write_review(engine: Engine, roll_id: int, number: int, review: Review, who: str) -> None:
    """Commits what a person says of a defect. It holds instead of what was said before, which stays in the history.

    Args:
        engine: the records.
        roll_id, number: of the defect.
        review: what holds from now on.
        who: says so; also of a verdict that is taken back.

    Raises:
        RecordsError: the defect is not in the records, or they cannot be written.
    """
    write_reviews(engine, [Said(roll_id, number, review)], who)


@dataclass(frozen=True, slots=True)
class Said:
    """What holds of a defect from now on.

    Attributes:
        roll_id, number: of the defect.
        review: what holds.
    """

    roll_id: int
    number: int
    review: Review


def write_reviews(engine: Engine, said: Sequence[Said], who: str) -> None:
    """Commits what a person says of several defects at once: of all of them or of none.

    Args:
        engine: the records.
        said: of each defect.
        who: says so; also of a verdict that is taken back.

    Raises:
        RecordsError: one of the defects is not in the records, or they cannot be written.
    """
    missing: Said | None = None
    try:
        with Session(engine) as session:
            for one in said:
                mine = DEFECTS.c.roll_id == one.roll_id, DEFECTS.c.number == one.number
                # RETURNING and not rowcount: not every driver counts what it has changed.
                changed = update(DEFECTS).where(*mine).values(**row_values(one.review)).returning(DEFECTS.c.id)
                if session.execute(changed).first() is None:
                    missing = one
                    break
                session.execute(insert(VERDICTS).values(**_said(one.roll_id, one.number, one.review, who)))
            else:
                session.commit()
    except SQLAlchemyError as error:
        raise RecordsError(
            "verdict-not-recorded",
            "The verdict on defect {number} is not recorded: {reason}",
            number=", ".join(str(one.number) for one in said[:5]),
            reason=explain_database_error(error),
        ) from error
    # A running defect is in the records once its first report is committed; before that nobody can see it either.
    if missing is not None:
        raise RecordsError(
            "defect-not-recorded-yet",
            "Defect {number} of roll {roll_id} is not in the records (yet); try again.",
            number=missing.number,
            roll_id=missing.roll_id,
        )


def _said(roll_id: int, number: int, review: Review, who: str) -> dict[str, object]:
    """A row of the history. Where another person's verdict holds again, ``who`` has taken back an own one: it does not
    become the verdict of both.
    """
    own = review if review.reviewer in (None, who) else NO_REVIEW
    return {
        "roll_id": roll_id,
        "number": number,
        "verdict": own.verdict,
        "type_code": own.type_code,
        "type_name": own.type_name,
        "reviewer": who,
        "at": own.reviewed_at or utc_now(),
    }


def read_history(engine: Engine, roll_id: int, number: int) -> list[Review]:
    """Everything that was ever said of a defect, oldest first; a verdict of None took the one before back.

    Raises:
        RecordsError: the records cannot be read.
    """
    names = ("verdict", "type_code", "type_name", "reviewer", "at")
    said = select(*(VERDICTS.c[name] for name in names)).where(
        VERDICTS.c.roll_id == roll_id, VERDICTS.c.number == number
    )
    with read_session(engine) as session:
        return [Review(*row) for row in session.execute(said.order_by(VERDICTS.c.id))]


def read_reviews(engine: Engine, roll_id: int) -> dict[int, Review]:
    """What was said of the defects of a roll, by their number.

    Raises:
        RecordsError: the records cannot be read.
    """
    columns = [DEFECTS.c[field.name] for field in record_fields(Review)]
    said = select(DEFECTS.c.number, *columns).where(DEFECTS.c.roll_id == roll_id, DEFECTS.c.reviewed_at.is_not(None))
    try:
        with read_session(engine) as session:
            return {number: Review(*review) for number, *review in session.execute(said)}
    except ValueError as error:
        raise RecordsError(
            "verdicts-damaged",
            "The verdicts of roll {roll_id} are damaged ({reason}). Restore a copy of them.",
            roll_id=roll_id,
            reason=error,
        ) from error


class ReviewRecorder:
    """Every answer is what stands in the records when it is given."""

    def __init__(self, engine: Engine, who: str | None = None) -> None:
        """``who`` judges; None is the user of this machine."""
        self._engine = engine
        self._who = who or user_name()

    def decide(self, roll_id: int, number: int, verdict: Verdict) -> Review:
        """Confirms or rejects a defect. Raises RecordsError."""
        return self._write(roll_id, number, self._now(roll_id, number).decided(verdict, self._who, utc_now()))

    def name(self, roll_id: int, number: int, kind: DefectType) -> Review:
        """Names the type of a defect, which confirms it. Raises RecordsError."""
        return self._write(roll_id, number, self._now(roll_id, number).named(kind, self._who, utc_now()))

    def clear(self, roll_id: int, number: int) -> Review:
        """Takes back everything that was said. Raises RecordsError."""
        return self._write(roll_id, number, NO_REVIEW)

    def _now(self, roll_id: int, number: int) -> Review:
        return read_reviews(self._engine, roll_id).get(number, NO_REVIEW)

    def _write(self, roll_id: int, number: int, review: Review) -> Review:
        write_review(self._engine, roll_id, number, review, self._who)
        return review
