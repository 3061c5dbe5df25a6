"""A roll out of the records, for exports and reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Table, select
from sqlalchemy.orm import Session

from aoi_app.alarms.alarm import Alarm
from aoi_app.inspection.findings.defects import Defect, Gap, Remark, WidthAt
from aoi_app.inspection.findings.record_schema import RecordField, record_fields
from aoi_app.inspection.findings.review import Review
from aoi_app.records.database import read_session
from aoi_app.records.errors import RecordsError
from aoi_app.records.tables import ALARMS, DEFECTS, GAPS, REMARKS, WIDTHS, RollRow
from aoi_app.settings.work_order import WorkOrder

EXPORTED: tuple[RecordField, ...] = tuple(
    field for record in (Defect, Review) for field in record_fields(record) if field.exported is not None
)
"""What the files of a roll tell of a defect, in their order."""

DAMAGED = (ValueError, TypeError, AttributeError, ArithmeticError, LookupError, RecursionError)
"""What reading a value raises that is not of the type of its column; SQLite keeps any value in any column."""

_OF_A_ROLL = (
    "id",
    "name",
    "state",
    "source",
    "model",
    "fabric",
    "recipe",
    "threshold",
    "length_m",
    "inspected_m",
    "gap_m",
    "reserve_m",
    "width_mm",
    "account",
    "tiles",
    *WorkOrder.model_fields,
)


def read_roll(engine: Engine, roll_id: int) -> dict[str, Any]:
    """One roll with its defects, gaps and remarks as plain values.

    Raises:
        RecordsError: there is no such roll, or it cannot be read.
    """
    try:
        with read_session(engine) as session:
            roll = session.get(RollRow, roll_id)
            if roll is None:
                # Numbers are easily mistyped; the latest are what somebody means most likely.
                known = [str(i) for i in session.scalars(select(RollRow.id).order_by(RollRow.id.desc()).limit(10))]
                raise RecordsError(
                    "roll-unknown",
                    "There is no roll {roll_id}. The latest are {latest}.",
                    roll_id=roll_id,
                    latest=known or "none",
                )
            times = {"started_at": _plain(roll.started_at), "ended_at": _plain(roll.ended_at)}
            return _sound(
                {
                    "roll": {name: getattr(roll, name) for name in _OF_A_ROLL} | times,
                    "defects": [_exported(row) for row in _read_rows(session, DEFECTS, EXPORTED, roll_id, "number")],
                    "gaps": [dict(row) for row in _read_rows(session, GAPS, record_fields(Gap), roll_id, "id")],
                    "remarks": [
                        dict(row) for row in _read_rows(session, REMARKS, record_fields(Remark), roll_id, "id")
                    ],
                    "alarms": [
                        {name: _plain(value) for name, value in row.items() if name != "roll_id"}
                        for row in _read_rows(session, ALARMS, record_fields(Alarm), roll_id, "number")
                    ],
                }
            )
    except DAMAGED as error:
        raise RecordsError(
            "roll-damaged",
            "The records of roll {roll_id} are damaged ({reason}). Restore a copy of them.",
            roll_id=roll_id,
            reason=error,
        ) from error


def read_widths(engine: Engine, roll_id: int) -> list[WidthAt]:
    """How wide the cloth of a roll is, metre by metre; none of rolls of before this was kept. Raises RecordsError."""
    with read_session(engine) as session:
        return [WidthAt(**row) for row in _read_rows(session, WIDTHS, record_fields(WidthAt), roll_id, "id")]


def _read_rows(
    session: Session, table: Table, fields: tuple[RecordField, ...], roll_id: int, order: str
) -> list[Mapping[str, Any]]:
    """The rows of a roll with the columns of some fields."""
    query = select(*(table.c[f.name] for f in fields)).where(table.c.roll_id == roll_id).order_by(table.c[order])
    return [dict(row) for row in session.execute(query).mappings()]


def _exported(row: Mapping[str, Any]) -> dict[str, Any]:
    """A defect as ``defects.json`` has it; what is made of several values comes last.

    What is no defect has no type: one that was named before it was rejected is only kept for when that is taken back.
    """
    if row["verdict"] == "rejected":
        row = {**row, "type_code": None, "type_name": None}
    fields = sorted(EXPORTED, key=lambda field: field.is_structured)
    for field in fields:  # what a file will make of a value is made here once: here damage is told
        if field.exported is not None and field.exported.csv_text is not None and row[field.name] is not None:
            field.exported.csv_text(row[field.name])
    return {field.export_name: _plain(row[field.name], field) for field in fields}


def _sound(roll: dict[str, Any]) -> dict[str, Any]:
    """A roll whose values are of the kinds that its readers expect. Raises TypeError where one is not: SQLite keeps
    what it was given.
    """
    _check_json(roll)
    for name in ("name", "state", "source", "model"):
        as_text(roll["roll"][name])
    for name in ("threshold", "length_m", "inspected_m", "gap_m"):
        if not isinstance(roll["roll"][name], int | float):
            raise TypeError(f"{name} is no number")
    if not isinstance(roll["roll"]["reserve_m"], int | float | None):
        raise TypeError("reserve_m is no number")
    if not isinstance(roll["roll"]["account"], dict | None):
        raise TypeError("the account is none")
    if not isinstance(roll["roll"]["tiles"], str | None):
        raise TypeError("the folder of tiles is no text")
    return roll


def _check_json(value: object) -> None:
    """Raises TypeError where a value is none that JSON can hold."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _check_json(part)
    elif not isinstance(value, str | int | float | None):
        raise TypeError(f"a value is {type(value).__name__}")


def _plain(value: Any, field: RecordField | None = None) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, datetime):
        return value.isoformat()
    digits = field.exported.digits if field is not None and field.exported is not None else None
    return round(value, digits) if digits is not None and value is not None else value


def as_text(value: object) -> str:
    """Raises TypeError where a column of text holds something else."""
    if not isinstance(value, str):
        raise TypeError(f"a text is {type(value).__name__}")
    return value
