"""The grades that a roll was given: none is overwritten, and each says why it is another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.records.database import explain_database_error, read_session
from aoi_app.records.errors import RecordsError
from aoi_app.records.tables import GRADES, VERDICTS, utc_now, with_zone


@dataclass(frozen=True, slots=True)
class GivenGrade:
    """
    Attributes:
        points: of the roll.
        value: what the limit is about; None where it is not known.
        per: its unit, as ``GradeLimit.per``.
        is_passed: None where that cannot be said.
        rules: of grading, as JSON has them.
        verdicts: so many had been given on defects of the roll.
        reason: why it was given, a sentence.
        at: when, with its zone.
    """

    points: int
    value: float | None
    per: str
    is_passed: bool | None
    rules: Mapping[str, Any]
    verdicts: int
    reason: str
    at: datetime


_COLUMNS = tuple(GivenGrade.__dataclass_fields__)


def read_grades(engine: Engine, roll_id: int) -> list[GivenGrade]:
    """Every grade of a roll, the oldest first. Raises RecordsError."""
    mine = select(*(GRADES.c[name] for name in _COLUMNS)).where(GRADES.c.roll_id == roll_id).order_by(GRADES.c.id)
    try:
        with read_session(engine) as session:
            return [GivenGrade(**{**row, "at": with_zone(row["at"])}) for row in session.execute(mine).mappings()]
    except (ValueError, TypeError) as error:
        raise RecordsError(
            "grades-damaged",
            "The grades of roll {roll_id} are damaged ({reason}). Restore a copy of them.",
            roll_id=roll_id,
            reason=error,
        ) from error


def keep_grade(
    engine: Engine,
    roll_id: int,
    *,
    points: int,
    value: float | None,
    per: str,
    is_passed: bool | None,
    rules: Mapping[str, Any],
) -> None:
    """Keeps a grade, where it is another one than the last; the attributes are those of ``GivenGrade``.

    Raises:
        RecordsError: the records cannot be read or written.
    """
    try:
        with Session(engine) as session:
            verdicts = session.scalar(select(func.count()).where(VERDICTS.c.roll_id == roll_id)) or 0
            latest = select(GRADES).where(GRADES.c.roll_id == roll_id).order_by(GRADES.c.id.desc()).limit(1)
            last = session.execute(latest).mappings().first()
            if (
                last is not None
                and (last["points"], last["is_passed"]) == (points, is_passed)
                and (last["rules"] == dict(rules))
            ):
                return
            session.execute(
                insert(GRADES).values(
                    roll_id=roll_id,
                    points=points,
                    value=value,
                    per=per,
                    is_passed=is_passed,
                    rules=dict(rules),
                    verdicts=verdicts,
                    reason=_reason(last, rules, verdicts),
                    at=utc_now(),
                )
            )
            session.commit()
    except SQLAlchemyError as error:
        raise RecordsError(
            "grade-not-kept",
            "The grade of roll {roll_id} is not kept: {reason}",
            roll_id=roll_id,
            reason=explain_database_error(error),
        ) from error


def _reason(last: Mapping[Any, Any] | None, rules: Mapping[str, Any], verdicts: int) -> str:
    if last is None:
        return "the first grade of the roll"
    reasons = []
    changed = sorted(name for name in rules if last["rules"].get(name) != rules[name])
    if changed:
        reasons.append(f"other rules: {', '.join(changed)}")
    new = verdicts - last["verdicts"]
    if new > 0:
        reasons.append("1 more verdict" if new == 1 else f"{new} more verdicts")
    return "; ".join(reasons) or "the roll went on"
