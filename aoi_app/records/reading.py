"""Rolls out of the records, for lists and exports."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.records.database import DefectRow, RollRow, explain
from aoi_app.records.errors import RecordsError

COLUMNS = (
    "id",
    "fabric",
    "shape",
    "position_m",
    "position_mm",
    "length_mm",
    "width_mm",
    "area_mm2",
    "peak",
    "mean",
    "raw_peak",
    "sources",
    "is_open",
    "verdict",
    "type_code",
    "type_name",
    "reviewer",
    "reviewed_at",
)


DIGITS = {
    "position_m": 4,
    "position_mm": 2,
    "length_mm": 2,
    "width_mm": 2,
    "area_mm2": 2,
    "peak": 4,
    "mean": 4,
    "raw_peak": 4,
}


def read_roll(engine: Engine, roll_id: int) -> dict[str, Any]:
    """One roll with its defects, gaps and remarks as plain values.

    Raises:
        RecordsError: there is no such roll, or the database cannot be read.
    """
    try:
        with Session(engine) as session:
            roll = session.get(RollRow, roll_id)
            if roll is None:
                known = [str(i) for i in session.scalars(select(RollRow.id).order_by(RollRow.id.desc()).limit(10))]
                raise RecordsError(f"There is no roll {roll_id}. The latest are {', '.join(known) or 'none'}.")
            names = (
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
                "width_mm",
                "tiles",
            )
            return {
                "roll": {name: getattr(roll, name) for name in names}
                | {
                    "started_at": roll.started_at.isoformat(),
                    "ended_at": roll.ended_at.isoformat() if roll.ended_at else None,
                },
                "defects": [_defect(d) for d in roll.defects],
                "gaps": [
                    {name: getattr(g, name) for name in ("first_line", "lines", "position_m", "length_m", "reason")}
                    for g in roll.gaps
                ],
                "remarks": [
                    {name: getattr(r, name) for name in ("kind", "fabric", "first_line", "position_m", "text")}
                    for r in roll.remarks
                ],
            }
    except SQLAlchemyError as error:
        raise RecordsError(f"The records cannot be read: {explain(error)}") from error


def _defect(row: DefectRow) -> dict[str, Any]:
    names = [name for name in COLUMNS if name not in ("id", "sources")]
    values = {name: getattr(row, name) for name in names}
    values["reviewed_at"] = row.reviewed_at.isoformat() if row.reviewed_at else None
    return (
        {"id": row.number}
        | {k: round(v, DIGITS[k]) if k in DIGITS else v for k, v in values.items()}
        | {"boxes": row.boxes}
    )


def list_rolls(engine: Engine, last: int) -> list[tuple[str, ...]]:
    """The latest rolls as rows of text: number, name, state, begun, source, fabric, inspected m, gaps m, defects.

    Raises:
        RecordsError: the database cannot be read.
    """
    counts = select(DefectRow.roll_id, func.count().label("n")).group_by(DefectRow.roll_id).subquery()
    query = (
        select(RollRow, counts.c.n)
        .outerjoin(counts, counts.c.roll_id == RollRow.id)
        .order_by(RollRow.id.desc())
        .limit(last)
    )
    try:
        with Session(engine) as session:
            return [
                (
                    str(r.id),
                    r.name,
                    r.state,
                    f"{r.started_at:%Y-%m-%d %H:%M}",
                    r.source,
                    r.fabric or "",
                    f"{r.inspected_m:.2f}",
                    f"{r.gap_m:.2f}",
                    str(n or 0),
                )
                for r, n in session.execute(query)
            ]
    except SQLAlchemyError as error:
        raise RecordsError(f"The records cannot be read: {explain(error)}") from error
