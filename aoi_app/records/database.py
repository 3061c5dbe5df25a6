"""How a database is opened.

SQLAlchemy with a URL, so that PostgreSQL takes the place of SQLite by changing a setting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError
from sqlalchemy.orm import Session

from aoi_app.records.errors import RecordsError
from aoi_app.settings.folders import records_path
from aoi_app.settings.printable import printable
from cras_core.messages import Sentence, shown

SCHEMA_REVISION = "0011"
"""The last step of ``records/migrations``, known here so that alembic is loaded only where there is something to do."""


def file_url(path: Path) -> URL:
    """The address of a database in a file, whatever characters are in its path."""
    try:
        str(path).encode()
    except UnicodeEncodeError:  # a name of other bytes, as Linux allows; SQLite takes it in a URI, byte by byte
        quoted = quote(os.fsencode(path.absolute()))
        return URL.create("sqlite", database=f"file:{quoted}", query={"uri": "true"})
    return URL.create("sqlite", database=str(path))


def chosen_url(*addresses: str | None) -> str | URL:
    """The first address that somebody has named, of a command or of the settings; else the file of this user."""
    return next(filter(None, addresses), None) or file_url(records_path())


@contextmanager
def read_session(engine: Engine) -> Iterator[Session]:
    """A session to read in.

    Raises:
        RecordsError: the database cannot be read.
    """
    try:
        with Session(engine) as session:
            yield session
    except SQLAlchemyError as error:
        raise RecordsError(
            "records-unreadable", "The records cannot be read: {reason}", reason=explain_database_error(error)
        ) from error


def open_database(address: str | URL, *, option: str = "--database") -> Engine:
    """Opens the database, makes the tables where they are missing, brings those of an older program up to date, and
    checks that it can be written.

    Args:
        address: of the database.
        option: of the running command that names another one, for messages.

    Raises:
        RecordsError: it cannot be used; the text says why and what to do.
    """
    url = _parsed(address)
    shown = url.render_as_string(hide_password=True)
    try:
        _make_folder(url)
        engine = create_engine(url)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise RecordsError(
            "database-address-wrong-why",
            "The database address {address!r} is not understood ({reason}). An example: "
            "sqlite:////var/lib/aoi/records.db",
            address=shown,
            reason=error,
        ) from error
    except OSError as error:
        raise RecordsError(
            "database-folder-not-made",
            "The folder of {address} cannot be made: {reason}.",
            hint="Choose another with {option}.",
            address=shown,
            reason=error,
            option=option,
        ) from error
    # The pragmas are of a connection, not of the file (but for the journal), so every new connection gets them.
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    try:
        _bring_up_to_date(engine, shown, option)
    except RecordsError:
        engine.dispose()
        raise
    except (SQLAlchemyError, UnicodeDecodeError) as error:  # the latter: SQLite quotes what it cannot read
        engine.dispose()
        raise RecordsError(
            "database-unusable",
            "The database {address} cannot be used: {reason}",
            hint="Or choose another with {option}.",
            address=shown,
            reason=explain_database_error(error),
            option=option,
        ) from error
    return engine


@contextmanager
def opened_database(address: str | URL, *, option: str = "--database") -> Iterator[Engine]:
    """Opens a database for a while. Raises as ``open_database``."""
    engine = open_database(address, option=option)
    try:
        yield engine
    finally:
        engine.dispose()


def _parsed(address: str | URL) -> URL:
    try:
        url = make_url(address)
        url.render_as_string()  # fails where its text is none that can be shown
        return url
    except (ArgumentError, ValueError) as error:
        shown = printable(re.sub(r"(//[^:/]*):[^@/]*@", r"\1:***@", str(address)))[:200]
        raise RecordsError(
            "database-address-wrong",
            "The database address {address!r} is not understood. An example: sqlite:////var/lib/aoi/records.db",
            address=shown,
        ) from error


def _make_folder(url: URL) -> None:
    """The folder of a database in a file. Raises OSError."""
    name = url.database or ""
    if url.get_backend_name() == "sqlite" and name not in {"", ":memory:"} and not name.startswith("file:"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)


def _bring_up_to_date(engine: Engine, url: str, option: str) -> None:
    if _revision(engine) != SCHEMA_REVISION:
        from aoi_app.records.upgrade import upgrade

        upgrade(engine, url, option)
    with engine.begin() as connection:  # finds out whether it can be written
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def _revision(engine: Engine) -> str | None:
    """The last step that the tables have taken; None where alembic has not seen them yet."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return revision


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Write-ahead logging keeps readers and the writer apart; every commit reaches the disk before it is reported."""
    cursor = connection.cursor()
    # Kept in the file: readers see the last commit while a roll writes, and neither waits for the other.
    cursor.execute("PRAGMA journal_mode=WAL")
    # With WAL the default, NORMAL, may lose the last commits in a power cut; a defect that was shown must not go.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=1000")
    cursor.close()


def explain_database_error(error: SQLAlchemyError | UnicodeDecodeError) -> Sentence:
    """What a database's complaint means, in a sentence with the way out."""
    said = str(error.orig) if isinstance(error, DatabaseError) and error.orig is not None else str(error)
    # SQLite tells its errors apart by their texts only, which have been the same for twenty years.
    known = {
        "locked": (
            "it is locked by another program, or lies on a network drive that cannot lock files. "
            "Close that program, or keep the records on a disk of this machine."
        ),
        "readonly": "it is read-only. Give this user the right to write to the file and its folder.",
        "full": "the disk is full. Free some space.",
        "disk I/O": "the disk reports an error. Check it and free some space.",
        "not a database": "the file is no database. Move it away.",
        "codec can't decode": "the file is damaged. Move it away and restore a copy.",
        "malformed": "the file is damaged. Move it away and restore a copy.",
        "unable to open": "the file cannot be opened. Check the folder and the rights to it.",
    }
    return Sentence(next((meaning for sign, meaning in known.items() if sign in said), f"{shown(said)}."))
