"""The tables. Those of defects, gaps and remarks follow from the dataclasses of the inspection, field for field."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from typing import Any

import numpy as np
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from aoi_app.alarms.alarm import Alarm
from aoi_app.inspection.findings.defects import Defect, Gap, Remark, WidthAt
from aoi_app.inspection.findings.record_schema import RecordField, record_fields
from aoi_app.inspection.findings.review import Review
from aoi_app.records.files import encode_png

Record = Defect | Review | Gap | Remark | WidthAt | Alarm


class Base(DeclarativeBase):
    """All tables."""


class RollRow(Base):
    """One job on the line."""

    __tablename__ = "rolls"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    state: Mapped[str]
    """running, finished, stopped (by a person), failed (the source or the detector), interrupted (the program ended
    without closing the roll)."""
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    process: Mapped[int]
    """Number of the process that writes it."""
    process_identity: Mapped[str | None]
    """See ``records.process_identity``; None for rolls of version 0.1."""
    source: Mapped[str]
    model: Mapped[str]
    """Identity of the bundle."""
    fabric: Mapped[str | None]
    recipe: Mapped[dict[str, Any]] = mapped_column(JSON)
    threshold: Mapped[float] = mapped_column(Double)
    length_m: Mapped[float] = mapped_column(Double, default=0.0)
    inspected_m: Mapped[float] = mapped_column(Double, default=0.0)
    gap_m: Mapped[float] = mapped_column(Double, default=0.0)
    reserve_m: Mapped[float | None] = mapped_column(Double)
    """Of what was inspected, the part with reserve; None for rolls of before this was told."""
    width_mm: Mapped[float | None] = mapped_column(Double)
    roll_number: Mapped[str | None] = mapped_column(index=True)
    """What the mill calls the roll. Not unique: a roll that is inspected again is another row."""
    order_number: Mapped[str | None]
    article: Mapped[str | None]
    lot: Mapped[str | None]
    loom: Mapped[str | None]
    operator: Mapped[str | None]
    nominal_width_mm: Mapped[float | None] = mapped_column(Double)
    gsm: Mapped[float | None] = mapped_column(Double)
    account: Mapped[dict[str, int] | None] = mapped_column(JSON)
    """What became of every line and every cell of cloth, ``inspection.account.Balance``; None for rolls of before this
    was kept."""
    told_line: Mapped[int | None]
    """Before which every defect was told; None for rolls of before this was kept."""
    last_number: Mapped[int | None]
    """The highest number that a defect has had, also one that has become part of another."""
    tiles: Mapped[str | None]
    """Folder of the tiles that were kept of it."""


# Double, not Float: on PostgreSQL the latter may be a number of 4 bytes, and positions on a long roll need more digits.
_SQL_TYPES: dict[type, TypeEngine[Any]] = {
    int: Integer(),
    float: Double(),
    str: String(),
    bool: Boolean(),
    datetime: DateTime(timezone=True),
    tuple: JSON(),
    np.ndarray: LargeBinary(),
}


def _columns_of(record: type) -> list[Column[Any]]:
    """A column for every field of a record's dataclass."""
    return [
        Column(field.name, _SQL_TYPES[field.type], nullable=field.is_optional or field.is_picture)
        for field in record_fields(record)
    ]


def _table(metadata: MetaData, name: str, *columns: Column[Any] | Index) -> Table:
    """A table whose rows belong to a roll."""
    return Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("roll_id", ForeignKey("rolls.id"), index=True, nullable=False),  # every query is of one roll
        *columns,
    )


DEFECTS = _table(
    Base.metadata,
    "defects",
    *_columns_of(Defect),
    Column("found_at", DateTime(timezone=True), nullable=False),
    *_columns_of(Review),
    # Verdicts, pictures and a defect that grows ask by number.
    Index("ix_defects_roll_id_number", "roll_id", "number"),
    # Statistics and the list of rolls count by these; without it every defect, with its picture, is read from the disk.
    Index("ix_defects_roll_id_verdict_type_name", "roll_id", "verdict", "type_name"),
)
"""Defects, and beside each what a person has said of it. Pictures are PNG files."""

GAPS = _table(Base.metadata, "gaps", *_columns_of(Gap))
"""Cloth that was not inspected."""

REMARKS = _table(Base.metadata, "remarks", Column("at", DateTime(timezone=True), nullable=False), *_columns_of(Remark))
"""Something worth knowing that is no defect."""


WIDTHS = _table(Base.metadata, "widths", *_columns_of(WidthAt))
"""How wide the cloth is, metre by metre."""


ALARMS = _table(Base.metadata, "alarms", *(column for column in _columns_of(Alarm) if column.name != "roll_id"))
"""What was wrong with the inspection itself, and who has seen it."""


VERDICTS = _table(
    Base.metadata,
    "verdicts",
    Column("number", Integer, nullable=False),
    Column("verdict", String),
    Column("type_code", String),
    Column("type_name", String),
    Column("reviewer", String, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""Everything that was ever said of a defect, oldest first; a verdict that was taken back is a row without one."""


GRADES = _table(
    Base.metadata,
    "grades",
    Column("points", Integer, nullable=False),
    Column("value", Double),
    Column("per", String, nullable=False),
    Column("is_passed", Boolean),
    Column("rules", JSON, nullable=False),
    Column("verdicts", Integer, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""Every grade that a roll was given, oldest first."""


def row_values(record: Record) -> dict[str, object]:
    """The columns of a record, by name."""
    return {field.name: _column_value(record, field) for field in record_fields(type(record))}


def plain_values(record: Record) -> dict[str, object]:
    """A record in values that JSON can hold, without its pictures."""
    return {f.name: _column_value(record, f) for f in record_fields(type(record)) if not f.is_picture}


def _column_value(record: Record, field: RecordField) -> object:
    value = getattr(record, field.name)
    if field.is_picture:
        return encode_png(value)
    return [dataclasses.asdict(part) for part in value] if field.is_structured else value


def with_zone(time: datetime) -> datetime:
    """A time of the records with its zone: SQLite does not keep it, and what it keeps is UTC."""
    return time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)


def utc_now() -> datetime:
    """The time with its zone, as all records have it."""
    return datetime.now(timezone.utc)
