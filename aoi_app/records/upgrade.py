"""Databases of older programs, and new ones, are brought up to the tables of this program.

Each step is one transaction, taken under a lock that other programs wait for: two programs that open a database at once
do not get in each other's way, and one that is killed leaves whole steps behind. Loads alembic, so it is imported only
where there is something to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from aoi_app.records.errors import RecordsError

_PATIENCE_MS = 10_000  # for another program that is bringing the tables up to date
_LOCK_KEY = 0x616F6931  # of PostgreSQL's advisory lock; any number that only this program uses
_BEFORE_ALEMBIC = {1: "0001", 2: "0002"}  # versions of the table ``schema``
_OLD_TABLES = ("defects", "gaps", "remarks", "rolls", "schema")


def migrations() -> tuple[Script, ...]:
    """The steps, oldest first."""
    directory = ScriptDirectory(str(Path(__file__).with_name("migrations")))
    return tuple(reversed(list(directory.walk_revisions())))


def upgrade(engine: Engine, url: str, option: str = "--database") -> None:
    """Takes every step that a database has not taken yet.

    Args:
        engine: of the database.
        url: what to call it in a message.
        option: of the running command that names another one.

    Raises:
        RecordsError: the database is of a newer program.
        SQLAlchemyError: a step cannot be taken; those before it hold.
    """
    directory = ScriptDirectory(str(Path(__file__).with_name("migrations")))
    steps = migrations()
    while True:
        with _locked(engine) as connection:
            context = MigrationContext.configure(connection)
            # Read under the lock: another program may have taken steps while this one waited for it.
            current = context.get_current_revision() or _revision_before_alembic(connection, url)
            step = next_step(steps, current, url, option)
            if step is None:
                return
            with Operations.context(context):
                step.module.upgrade()
            context.stamp(directory, step.revision)


def next_step(steps: Sequence[Script], current: str | None, url: str, option: str) -> Script | None:
    """The step that follows a revision; None after the last.

    Args:
        steps: oldest first.
        current: revision of the database; None where it has no tables yet.
        url: what to call the database.
        option: of the running command that names another one.

    Raises:
        RecordsError: the revision is none of the steps.
    """
    if current is None:
        return steps[0]
    known = [step.revision for step in steps]
    if current not in known:
        raise RecordsError(
            "database-newer",
            "The database {address} has tables of version {current}; this program knows versions up to {known}. Open "
            "it with the newer program.",
            hint="Or choose another with {option}.",
            address=url,
            current=current,
            known=known[-1],
            option=option,
        )
    after = known.index(current) + 1
    return steps[after] if after < len(steps) else None


def _revision_before_alembic(connection: Connection, url: str) -> str | None:
    """What a database is that alembic has not seen yet; None where the tables are still to be made."""
    inspector = inspect(connection)
    if not inspector.has_table("schema"):
        return None
    version = connection.execute(text("SELECT version FROM schema")).scalar()
    if version is None:
        _drop_unfinished(connection, url)
        return None
    return _BEFORE_ALEMBIC.get(version, str(version))


def _drop_unfinished(connection: Connection, url: str) -> None:
    """A program of version 0.1 was killed while it made the tables: it wrote the version last, and rolls only then."""
    inspector = inspect(connection)
    there = [name for name in _OLD_TABLES if inspector.has_table(name)]
    if "rolls" in there and connection.execute(text("SELECT count(*) FROM rolls")).scalar():
        raise RecordsError(
            "database-version-missing",
            "The database {address} is damaged: its version is missing. Restore a copy of it.",
            address=url,
        )
    for name in there:
        connection.execute(text(f"DROP TABLE {name}"))


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other program is in; committed at the end, undone as a whole when something fails."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            with _sqlite_prepared(connection):
                yield connection
                connection.commit()
            return
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        yield connection
        connection.commit()


@contextmanager
def _sqlite_prepared(connection: Connection) -> Iterator[None]:
    """A write transaction of SQLite. The driver would begin one only before the first INSERT or UPDATE, and commit each
    change of a table by itself.
    """
    before = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
    # Off while a table is made anew (batch mode): dropping the old one would delete the rows that refer to it. Has no
    # effect inside a transaction.
    connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
    connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MS}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
    finally:
        connection.rollback()  # of what was not committed
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.exec_driver_sql(f"PRAGMA busy_timeout={before}")
