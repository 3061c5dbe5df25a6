"""Databases of older programs are brought up to the tables of this one, in place."""

from __future__ import annotations

from sqlalchemy import Connection, Table, text


def add_verdicts(connection: Connection, defects: Table) -> None:
    """From version 1 to 2: what a person says of a defect. It holds, all of it or nothing, when the transaction of the
    connection is committed.

    Args:
        connection: to the database.
        defects: the table as this program knows it.
    """
    # Changed first: that begins the transaction also where a driver does not for ALTER TABLE; and a second program that
    # opens the database now waits here, finds nothing left to change, and adds nothing.
    changed = connection.execute(text("UPDATE schema SET version = 2 WHERE version = 1"))
    if changed.rowcount:
        for name in ("verdict", "type_code", "type_name", "reviewer", "reviewed_at"):
            kind = defects.c[name].type.compile(connection.dialect)
            connection.execute(text(f"ALTER TABLE defects ADD COLUMN {name} {kind}"))
