"""The tables, and how a database is opened.

SQLAlchemy with a URL, so that PostgreSQL takes the place of SQLite by changing a setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, DateTime, Engine, ForeignKey, LargeBinary, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, deferred, mapped_column, relationship

from aoi_app.records.errors import RecordsError
from aoi_app.records.migrations import add_verdicts

SCHEMA_VERSION = 2

_EXAMPLE = "An example: sqlite:////var/lib/aoi/records.db"


class Base(DeclarativeBase):
    """All tables."""


class SchemaRow(Base):
    """Which version of the tables this database has."""

    __tablename__ = "schema"
    version: Mapped[int] = mapped_column(primary_key=True)


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
    source: Mapped[str]
    model: Mapped[str]
    """Identity of the bundle."""
    fabric: Mapped[str | None]
    recipe: Mapped[dict[str, Any]] = mapped_column(JSON)
    threshold: Mapped[float]
    length_m: Mapped[float] = mapped_column(default=0.0)
    inspected_m: Mapped[float] = mapped_column(default=0.0)
    gap_m: Mapped[float] = mapped_column(default=0.0)
    width_mm: Mapped[float | None]
    tiles: Mapped[str | None]
    """Folder of the tiles that were kept of it."""
    defects: Mapped[list[DefectRow]] = relationship(
        back_populates="roll", cascade="all, delete-orphan", order_by="DefectRow.number"
    )
    gaps: Mapped[list[GapRow]] = relationship(back_populates="roll", cascade="all, delete-orphan", order_by="GapRow.id")
    remarks: Mapped[list[RemarkRow]] = relationship(
        back_populates="roll", cascade="all, delete-orphan", order_by="RemarkRow.id"
    )


class DefectRow(Base):
    """One defect; the columns are those of ``aoi_app.inspection.defects.Defect``."""

    __tablename__ = "defects"
    id: Mapped[int] = mapped_column(primary_key=True)
    roll_id: Mapped[int] = mapped_column(ForeignKey("rolls.id"), index=True)
    number: Mapped[int]
    fabric: Mapped[str]
    shape: Mapped[str]
    first_line: Mapped[int]
    end_line: Mapped[int]
    left_px: Mapped[int]
    right_px: Mapped[int]
    position_m: Mapped[float]
    position_mm: Mapped[float]
    length_mm: Mapped[float]
    width_mm: Mapped[float]
    area_mm2: Mapped[float]
    peak: Mapped[float]
    mean: Mapped[float]
    raw_peak: Mapped[float]
    boxes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    is_open: Mapped[bool]
    found_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    thumbnail: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    """PNG."""
    verdict: Mapped[str | None]
    """confirmed or rejected by a person; this and the following are those of ``aoi_app.inspection.review.Review``."""
    type_code: Mapped[str | None]
    type_name: Mapped[str | None]
    reviewer: Mapped[str | None]
    reviewed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    roll: Mapped[RollRow] = relationship(back_populates="defects")


class GapRow(Base):
    """Cloth that was not inspected."""

    __tablename__ = "gaps"
    id: Mapped[int] = mapped_column(primary_key=True)
    roll_id: Mapped[int] = mapped_column(ForeignKey("rolls.id"), index=True)
    first_line: Mapped[int]
    lines: Mapped[int]
    position_m: Mapped[float]
    length_m: Mapped[float]
    reason: Mapped[str]
    roll: Mapped[RollRow] = relationship(back_populates="gaps")


class RemarkRow(Base):
    """Something worth knowing that is no defect."""

    __tablename__ = "remarks"
    id: Mapped[int] = mapped_column(primary_key=True)
    roll_id: Mapped[int] = mapped_column(ForeignKey("rolls.id"), index=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    kind: Mapped[str]
    fabric: Mapped[str]
    first_line: Mapped[int]
    position_m: Mapped[float]
    text: Mapped[str]
    roll: Mapped[RollRow] = relationship(back_populates="remarks")


def now() -> datetime:
    """The time with its zone, as all records have it."""
    return datetime.now(timezone.utc)


def open_database(url: str) -> Engine:
    """Opens the database, makes the tables where they are missing, brings those of an older program up to date, and
    checks that it can be written.

    Raises:
        RecordsError: it cannot be used; the text says why and what to do.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        shown = re.sub(r"(//[^:/]*):[^@/]*@", r"\1:***@", url)
        raise RecordsError(f"The database address {shown!r} is not understood. {_EXAMPLE}") from error
    url = parsed.render_as_string(hide_password=True)
    try:
        if (
            parsed.get_backend_name() == "sqlite"
            and parsed.database not in (None, "", ":memory:")
            and not str(parsed.database).startswith("file:")
        ):
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise RecordsError(
            f"The database address {url!r} is not understood ({str(error).splitlines()[0]}). {_EXAMPLE}"
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise RecordsError(f"The folder of {url} cannot be made: {reason}. Choose another with --database.") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            _agree_on_version(session, url)
            session.commit()
    except RecordsError:
        engine.dispose()
        raise
    except SQLAlchemyError as error:
        engine.dispose()
        raise RecordsError(
            f"The database {url} cannot be used: {explain(error)} Or choose another with --database."
        ) from error
    return engine


def _agree_on_version(session: Session, url: str) -> None:
    row = session.scalars(select(SchemaRow)).first()
    if row is None:
        session.add(SchemaRow(version=SCHEMA_VERSION))
    elif row.version == 1:
        add_verdicts(session.connection(), Base.metadata.tables["defects"])
    elif row.version != SCHEMA_VERSION:
        versions = f"has tables of version {row.version}; this program knows version {SCHEMA_VERSION}"
        raise RecordsError(f"The database {url} {versions}. Choose another with --database.")
    else:
        row.version = SCHEMA_VERSION
        session.connection().exec_driver_sql(
            f"UPDATE schema SET version = {SCHEMA_VERSION}"
        )  # finds out whether it can be written


@contextmanager
def database(url: str) -> Iterator[Engine]:
    """Opens a database for a while. Raises as ``open_database``."""
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Write-ahead logging keeps readers and the writer apart; every commit reaches the disk before it is reported."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=1000")
    cursor.close()


def explain(error: SQLAlchemyError) -> str:
    """What a database's complaint means, in a sentence with the way out."""
    text = str(error.orig) if isinstance(error, DatabaseError) and error.orig is not None else str(error)
    known = {
        "locked": "it is locked by another program. Close that program.",
        "readonly": "it is read-only. Give this user the right to write to the file and its folder.",
        "full": "the disk is full. Free some space.",
        "disk I/O": "the disk reports an error. Check it and free some space.",
        "not a database": "the file is no database. Move it away.",
        "malformed": "the file is damaged. Move it away and restore a copy.",
        "unable to open": "the file cannot be opened. Check the folder and the rights to it.",
    }
    return next((meaning for sign, meaning in known.items() if sign in text), f"{text}.")
