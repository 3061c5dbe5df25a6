"""All rolls of the records, each in a line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.inspection.findings.roll_summary import RollSummary
from aoi_app.records.database import explain_database_error
from aoi_app.records.errors import RecordsError
from aoi_app.records.reading import DAMAGED
from aoi_app.records.tables import DEFECTS, RollRow
from aoi_app.records.work_orders import order_of
from aoi_app.settings.work_order import WorkOrder


def read_summaries(engine: Engine, last: int | None = None) -> list[RollSummary]:
    """The rolls of the records, the latest first; a row that is damaged stands in its place and says so.

    Args:
        engine: the records.
        last: no more than so many; None reads all.

    Raises:
        RecordsError: the database cannot be read.
    """
    ids = select(RollRow.id).order_by(RollRow.id.desc()).limit(last)
    try:
        with Session(engine) as session:
            chosen = list(session.scalars(ids))
            counted = _count_defects(session, chosen[-1] if chosen else 0)
            return [_summary(session, roll_id, counted.get(roll_id, (0, 0))) for roll_id in chosen]
    except SQLAlchemyError as error:
        raise RecordsError(
            "records-unreadable", "The records cannot be read: {reason}", reason=explain_database_error(error)
        ) from error


def _count_defects(session: Session, first: int) -> Mapping[int, tuple[int, int]]:
    """Defects and rejected ones of the rolls from a number on, in one question for all of them."""
    query = (
        select(DEFECTS.c.roll_id, func.count(), func.count().filter(DEFECTS.c.verdict == "rejected"))
        .where(DEFECTS.c.roll_id >= first)
        .group_by(DEFECTS.c.roll_id)
    )
    return {roll_id: (defects, rejected) for roll_id, defects, rejected in session.execute(query)}


def _summary(session: Session, roll_id: int, counted: tuple[int, int]) -> RollSummary:
    """Read by itself, so that a damaged one does not hide the others."""
    try:
        return _sound(session.get_one(RollRow, roll_id), *counted)
    except (*DAMAGED, SQLAlchemyError):  # the latter: a text that is no text, a row that is not all there
        session.rollback()
        return RollSummary(roll_id, defects=counted[0], rejected=counted[1])


def _sound(roll: RollRow, defects: int, rejected: int) -> RollSummary:
    """Raises TypeError or ValueError where a value is not what its column says: SQLite keeps what it was given."""
    started = roll.started_at
    return RollSummary(
        roll_id=roll.id,
        name=_text(roll.name),
        state=_text(roll.state),
        started_at=_zoned(started),
        source=_text(roll.source),
        fabric=_text(roll.fabric or ""),
        order=order_of({name: getattr(roll, name) for name in WorkOrder.model_fields}),
        inspected_m=_number(roll.inspected_m),
        reserve_m=None if roll.reserve_m is None else _number(roll.reserve_m),
        gap_m=_number(roll.gap_m),
        defects=defects,
        rejected=rejected,
    )


def _zoned(time: datetime) -> datetime:
    """SQLite does not keep the zone; what it keeps is UTC. Raises OverflowError for a year that no clock here shows."""
    return (time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)).astimezone()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is {type(value).__name__}")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"a number is {type(value).__name__}")
    return float(value)
