"""All rolls of the records, each in a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.inspection.findings.roll_summary import RollSummary
from aoi_app.records.database import read_session
from aoi_app.records.reading import DAMAGED, as_text
from aoi_app.records.tables import DEFECTS, VERDICTS, RollRow, with_zone
from aoi_app.records.work_orders import order_of
from aoi_app.settings.work_order import WorkOrder

_CHANGING = ("running", "interrupted", "damaged")
"""States of rolls that may become others."""


def read_summaries(engine: Engine, last: int | None = None) -> list[RollSummary]:
    """The rolls of the records, the latest first; a row that is damaged stands in its place and says so.

    Args:
        engine: the records.
        last: no more than so many; None reads all.

    Raises:
        RecordsError: the database cannot be read.
    """
    ids = select(RollRow.id).order_by(RollRow.id.desc()).limit(last)
    with read_session(engine) as session:
        chosen = list(session.scalars(ids))
        counted = _count_defects(session, DEFECTS.c.roll_id >= (chosen[-1] if chosen else 0))
        rows = _rows(session, min(chosen, default=0))
        return [_summary(session, roll_id, rows.get(roll_id), counted.get(roll_id, (0, 0))) for roll_id in chosen]


@dataclass(frozen=True, slots=True)
class RollList:
    """The rolls that a list shows.

    Attributes:
        rolls: the latest first.
        last_verdict: number of the latest verdict that is counted in them.
    """

    rolls: tuple[RollSummary, ...] = ()
    last_verdict: int = 0


def follow_rolls(engine: Engine, known: RollList) -> RollList:
    """The list as it is now; only rolls are read that are new, run, are damaged, or have been judged since. What nobody
    has done while the program runs, such as a row that another program has changed, is not noticed.

    Args:
        engine: the records.
        known: as it was; an empty one reads everything.

    Raises:
        RecordsError: the database cannot be read.
    """
    with read_session(engine) as session:
        last_verdict = session.scalar(select(func.max(VERDICTS.c.id))) or 0
    if not known.rolls:
        return RollList(tuple(read_summaries(engine)), last_verdict)
    newest = max(roll.roll_id for roll in known.rolls)
    changing = {roll.roll_id for roll in known.rolls if roll.state in _CHANGING}
    with read_session(engine) as session:
        judged = select(VERDICTS.c.roll_id).where(VERDICTS.c.id > known.last_verdict).distinct()
        changing |= set(session.scalars(judged)) if last_verdict > known.last_verdict else set()
        changing |= set(session.scalars(select(RollRow.id).where(RollRow.id > newest)))
        if not changing:
            return known
        counted = _count_defects(session, DEFECTS.c.roll_id.in_(changing))
        read = {
            roll_id: _summary(session, roll_id, None, counted.get(roll_id, (0, 0)))
            for roll_id in sorted(changing, reverse=True)
        }
    kept = {roll.roll_id: roll for roll in known.rolls}
    return RollList(tuple(sorted((kept | read).values(), key=lambda roll: -roll.roll_id)), last_verdict)


def _rows(session: Session, first: int) -> Mapping[int, RollRow]:
    """The rolls from a number on, by their numbers; none where one of them is damaged, which hides the others."""
    try:
        return {roll.id: roll for roll in session.scalars(select(RollRow).where(RollRow.id >= first))}
    except (*DAMAGED, SQLAlchemyError):
        session.rollback()
        return {}


def _count_defects(session: Session, chosen: ColumnElement[bool]) -> Mapping[int, tuple[int, int]]:
    """Defects and rejected ones of some rolls, in one question for all of them."""
    query = (
        select(DEFECTS.c.roll_id, func.count(), func.count().filter(DEFECTS.c.verdict == "rejected"))
        .where(chosen)
        .group_by(DEFECTS.c.roll_id)
    )
    return {roll_id: (defects, rejected) for roll_id, defects, rejected in session.execute(query)}


def _summary(session: Session, roll_id: int, row: RollRow | None, counted: tuple[int, int]) -> RollSummary:
    """A roll in a line; ``row`` is None where it has to be read by itself."""
    try:
        return _sound(row or session.get_one(RollRow, roll_id), *counted)
    except (*DAMAGED, SQLAlchemyError):  # the latter: a text that is no text, a row that is not all there
        session.rollback()
        return RollSummary(roll_id, defects=counted[0], rejected=counted[1])


def _sound(roll: RollRow, defects: int, rejected: int) -> RollSummary:
    """Raises TypeError or ValueError where a value is not what its column says: SQLite keeps what it was given."""
    return RollSummary(
        roll_id=roll.id,
        name=as_text(roll.name),
        state=as_text(roll.state),
        started_at=with_zone(roll.started_at).astimezone(),
        source=as_text(roll.source),
        fabric=as_text(roll.fabric or ""),
        order=order_of({name: getattr(roll, name) for name in WorkOrder.model_fields}),
        inspected_m=_number(roll.inspected_m),
        reserve_m=None if roll.reserve_m is None else _number(roll.reserve_m),
        gap_m=_number(roll.gap_m),
        defects=defects,
        rejected=rejected,
    )


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"a number is {type(value).__name__}")
    return float(value)
