"""The rolls of a period with the numbers of their defects, for statistics: counted by the database, without reading a
defect.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone

from sqlalchemy import ColumnElement, Engine, RowMapping, func, select
from sqlalchemy.orm import Session

from aoi_app.records.database import read_session
from aoi_app.records.errors import RecordsError
from aoi_app.records.tables import DEFECTS, RollRow, with_zone

_COLUMNS = (
    "id", "started_at", "source", "fabric", "inspected_m", "reserve_m", "gap_m", "width_mm",
    "article", "lot", "loom", "operator",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RollCount:
    """
    Attributes:
        roll_id: number in the records.
        started_at: when it was begun, with its zone.
        source, fabric: as recorded; ``fabric`` is empty where it was not recognised.
        inspected_m, reserve_m, gap_m: lengths.
        width_mm: None where it is not known.
        article, lot, loom, operator: of the work order; empty where nobody has said them.
        types: how many defects of each type, rejected ones left out; None is those without a type.
        confirmed, rejected: how many defects people have said so of.
    """

    roll_id: int
    started_at: datetime
    source: str
    fabric: str
    inspected_m: float
    reserve_m: float
    gap_m: float
    width_mm: float | None
    article: str = ""
    lot: str = ""
    loom: str = ""
    operator: str = ""
    types: Counter[str | None] = field(default_factory=Counter)
    confirmed: int = 0
    rejected: int = 0

    @property
    def defects(self) -> int:
        """Without rejected ones."""
        return self.types.total()


def count_rolls(engine: Engine, begin: datetime | None = None, end: datetime | None = None) -> list[RollCount]:
    """The rolls that were begun from one time on and before another, in the order in which they were begun.

    Raises:
        RecordsError: the records cannot be read.
    """
    try:
        with read_session(engine) as session:
            defects = _defects(session, begin, end)
            columns = [getattr(RollRow, name) for name in _COLUMNS]
            query = select(*columns).where(*_within(begin, end)).order_by(RollRow.started_at, RollRow.id)
            return [_count(row, defects.get(row["id"], _Defects())) for row in session.execute(query).mappings()]
    except (TypeError, ValueError) as error:  # SQLite keeps any value in any column
        raise RecordsError(
            "rolls-damaged", "The records of the rolls are damaged ({reason}). Restore a copy of them.", reason=error
        ) from error


@dataclass(slots=True)
class _Defects:
    types: Counter[str | None] = field(default_factory=Counter)
    confirmed: int = 0
    rejected: int = 0


def _defects(session: Session, begin: datetime | None, end: datetime | None) -> dict[int, _Defects]:
    columns = (DEFECTS.c.roll_id, DEFECTS.c.verdict, DEFECTS.c.type_name)
    query = select(*columns, func.count()).group_by(*columns)
    if begin is not None or end is not None:
        query = query.where(DEFECTS.c.roll_id.in_(select(RollRow.id).where(*_within(begin, end))))
    found: dict[int, _Defects] = {}
    for roll_id, verdict, name, count in session.execute(query):
        of_roll = found.setdefault(roll_id, _Defects())
        if verdict == "rejected":
            of_roll.rejected += count
            continue
        of_roll.types[name] += count
        of_roll.confirmed += count if verdict == "confirmed" else 0
    return found


def _within(begin: datetime | None, end: datetime | None) -> list[ColumnElement[bool]]:
    """Conditions on the rolls; the records are in UTC."""
    after = [] if begin is None else [RollRow.started_at >= begin.astimezone(timezone.utc)]
    return after if end is None else [*after, RollRow.started_at < end.astimezone(timezone.utc)]


def _count(row: RowMapping, defects: _Defects) -> RollCount:
    return RollCount(
        roll_id=row["id"],
        started_at=with_zone(row["started_at"]),
        source=str(row["source"]),
        fabric=str(row["fabric"] or ""),
        inspected_m=float(row["inspected_m"]),
        reserve_m=float(row["reserve_m"] or 0.0),
        gap_m=float(row["gap_m"]),
        width_mm=float(row["width_mm"]) if row["width_mm"] else None,
        article=str(row["article"] or ""),
        lot=str(row["lot"] or ""),
        loom=str(row["loom"] or ""),
        operator=str(row["operator"] or ""),
        types=defects.types,
        confirmed=defects.confirmed,
        rejected=defects.rejected,
    )
