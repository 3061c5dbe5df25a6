"""The work orders of rolls in the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.records.database import explain_database_error, read_session
from aoi_app.records.errors import RecordsError
from aoi_app.records.tables import RollRow
from aoi_app.settings.work_order import WorkOrder


@dataclass(frozen=True, slots=True)
class EarlierRoll:
    """A roll of the records that bears the same number.

    Attributes:
        roll_id: its number in the records.
        started_at: when it began, with its zone.
    """

    roll_id: int
    started_at: datetime


def columns_of(order: WorkOrder) -> dict[str, object]:
    """The columns of a roll that its order fills; what nobody has said is NULL."""
    return {name: value if value != "" else None for name, value in order.model_dump().items()}


def order_of(roll: Mapping[str, Any]) -> WorkOrder:
    """The order in the columns of a roll. Raises ValueError where one holds what no order does: SQLite keeps what it
    was given.
    """
    return WorkOrder(**{name: roll[name] for name in WorkOrder.model_fields if roll[name] is not None})


def change_order(engine: Engine, roll_id: int, order: WorkOrder) -> None:
    """Another order for a roll that is recorded already: the label was scanned late, or wrongly.

    Raises:
        RecordsError: there is no such roll, or the records cannot be written.
    """
    mine = update(RollRow).where(RollRow.id == roll_id).values(**columns_of(order)).returning(RollRow.id)
    try:
        with Session(engine) as session:
            is_found = session.execute(mine).first() is not None
            session.commit()
    except SQLAlchemyError as error:
        raise RecordsError(
            "order-not-recorded",
            "The work order is not recorded: {reason}",
            reason=explain_database_error(error),
        ) from error
    if not is_found:
        raise RecordsError("order-without-roll", "There is no roll {roll_id} for the work order.", roll_id=roll_id)


def earlier_rolls(engine: Engine, roll_number: str, *, but: int = 0) -> list[EarlierRoll]:
    """The rolls that bear a number already, the latest first; none for an empty number.

    Args:
        engine: the records.
        roll_number: what the mill calls the roll.
        but: number in the records of a roll that is left out.

    Raises:
        RecordsError: the records cannot be read.
    """
    if not roll_number:
        return []
    same = select(RollRow.id, RollRow.started_at).where(RollRow.roll_number == roll_number, RollRow.id != but)
    with read_session(engine) as session:
        return [EarlierRoll(*row) for row in session.execute(same.order_by(RollRow.id.desc()))]
