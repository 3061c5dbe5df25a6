"""How a database is opened.

SQLAlchemy with a URL, so that PostgreSQL takes the place of SQLite by changing a setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, select
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from aoi_app.records.errors import RecordsError
from aoi_app.records.migrations import add_verdicts
from aoi_app.records.tables import Base

SCHEMA_VERSION = 2

_EXAMPLE = "An example: sqlite:////var/lib/aoi/records.db"


class SchemaRow(Base):
    """Which version of the tables this database has."""

    __tablename__ = "schema"
    version: Mapped[int] = mapped_column(primary_key=True)


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
