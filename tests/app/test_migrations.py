"""Databases of every version end in the same tables, whole or untouched, however many programs open them at once."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from aoi_app.records import upgrade
from aoi_app.records.database import SCHEMA_REVISION, file_url, open_database, opened_database
from aoi_app.records.errors import RecordsError
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_list import read_summaries
from aoi_app.records.tables import Base

TESTS = Path(__file__).parents[1]


def version_1(path: Path, more: str = "") -> Path:
    connection = sqlite3.connect(path)
    connection.executescript((TESTS / "app" / "records_version_1.sql").read_text(encoding="utf-8") + more)
    connection.close()
    return path


def version_2(path: Path) -> Path:
    return Path(shutil.copy(TESTS / "fixtures" / "version_0_1" / "records.db", path))


def fresh(path: Path) -> Path:
    return path


each_version = pytest.mark.parametrize("make", [fresh, version_1, version_2], ids=lambda make: make.__name__)


def query(path: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.commit()
        connection.close()


def reflected(path: Path) -> dict[str, Any]:
    """Everything that the database says of its tables."""
    engine = sa.create_engine(file_url(path))
    inspector = sa.inspect(engine)
    found = {
        name: {
            "columns": [{k: str(v) for k, v in column.items()} for column in inspector.get_columns(name)],
            "key": inspector.get_pk_constraint(name),
            "foreign keys": inspector.get_foreign_keys(name),
            "indexes": inspector.get_indexes(name),
        }
        for name in inspector.get_table_names()
    }
    engine.dispose()
    return found


@each_version
def test_every_version_ends_in_the_same_tables(make: Callable[[Path], Path], tmp_path: Path) -> None:
    database_file = make(tmp_path / "records.db")
    open_database(file_url(database_file)).dispose()
    open_database(file_url(tmp_path / "new.db")).dispose()
    tables = reflected(database_file)
    assert tables == reflected(tmp_path / "new.db")
    of_rolls = {"rolls", "defects", "gaps", "remarks", "alarms", "verdicts", "widths", "grades"}
    assert set(tables) == {*of_rolls, "schema", "alembic_version"}
    assert query(database_file, "SELECT version_num FROM alembic_version") == [(SCHEMA_REVISION,)]


def test_the_tables_are_those_that_the_program_means(tmp_path: Path) -> None:
    """Fails when a record has a new field: then the next file in ``records/migrations/versions`` is to be written."""
    with opened_database(file_url(tmp_path / "records.db")) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [d for d in compare_metadata(context, Base.metadata) if "'schema'" not in repr(d)]
        assert differences == []


def test_the_revision_that_the_program_knows_is_the_last_step() -> None:
    steps = upgrade.migrations()
    assert steps[-1].revision == SCHEMA_REVISION
    assert [step.down_revision for step in steps] == [None, *(step.revision for step in steps[:-1])]


@pytest.mark.parametrize("make", [version_1, version_2], ids=lambda make: make.__name__)
def test_what_was_recorded_is_still_there(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path / "records.db")
    before = {name: query(path, f"SELECT count(*) FROM {name}") for name in ("rolls", "defects", "gaps", "remarks")}
    with opened_database(file_url(path)) as engine:
        assert read_roll(engine, 1)["defects"]
    assert {name: query(path, f"SELECT count(*) FROM {name}") for name in before} == before
    assert query(path, "PRAGMA integrity_check") == [("ok",)]


def test_older_programs_are_told_that_they_do_not_know_the_tables(tmp_path: Path) -> None:
    """Programs of version 0.1 read the table ``schema`` and refuse what is neither 1 nor 2."""
    for make in (fresh, version_1, version_2):
        path = make(tmp_path / f"{make.__name__}.db")
        open_database(file_url(path)).dispose()
        assert query(path, "SELECT version FROM schema") == [(3,)]


@pytest.mark.parametrize(
    ("statement", "version"),
    [("UPDATE alembic_version SET version_num = '0099'", "0099"), ("UPDATE schema SET version = 99", "99")],
)
def test_a_database_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path, statement: str, version: str) -> None:
    path = tmp_path / "records.db"
    if "alembic" in statement:
        open_database(file_url(path)).dispose()
    else:
        version_1(path)
    query(path, statement)
    before = reflected(path)
    with pytest.raises(RecordsError, match=rf"version {version}.*knows versions up to {SCHEMA_REVISION}") as caught:
        open_database(file_url(path))
    assert "--database" in caught.value.hint
    assert reflected(path) == before


def test_each_step_happens_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    path = version_1(tmp_path / "old.db", "ALTER TABLE defects ADD COLUMN type_name VARCHAR;")  # gets in the way
    before = reflected(path)
    for _ in range(2):
        with pytest.raises(RecordsError, match="cannot be used"):
            open_database(file_url(path))
        assert reflected(path) == before
        assert query(path, "SELECT version FROM schema") == [(1,)]


def test_steps_before_one_that_fails_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        op.create_table("half", sa.Column("id", sa.Integer))
        raise sa.exc.OperationalError("", None, Exception("the power went"))

    steps = upgrade.migrations()
    broken = SimpleNamespace(revision="0002", module=SimpleNamespace(upgrade=fail))
    monkeypatch.setattr(upgrade, "migrations", lambda: (steps[0], broken, steps[2]))
    path = tmp_path / "records.db"
    with pytest.raises(RecordsError, match="the power went"):
        open_database(file_url(path))
    assert set(reflected(path)) == {"rolls", "defects", "gaps", "remarks", "schema", "alembic_version"}
    assert query(path, "SELECT version_num FROM alembic_version") == [("0001",)]
    monkeypatch.undo()
    with opened_database(file_url(path)) as engine:
        assert read_summaries(engine, 1) == []


def test_a_table_that_is_made_anew_keeps_the_rows_that_refer_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite cannot change a column: the table is copied, dropped and renamed, with defects that point at its rolls."""

    def widen() -> None:
        with op.batch_alter_table("rolls") as rolls:
            rolls.alter_column("fabric", nullable=False, server_default="")

    path = version_2(tmp_path / "records.db")
    query(path, "UPDATE rolls SET fabric = 'plain'")
    kept = "SELECT id, roll_id, number, fabric, peak, thumbnail FROM defects"
    defects = query(path, kept)
    steps = upgrade.migrations()
    monkeypatch.setattr(steps[-1].module, "upgrade", widen)
    monkeypatch.setattr(upgrade, "migrations", lambda: steps)
    with opened_database(file_url(path)) as engine, engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 1000
    assert query(path, kept) == defects
    assert defects
    assert [c["nullable"] for c in reflected(path)["rolls"]["columns"] if c["name"] == "fabric"] == ["False"]


def test_tables_that_a_killed_program_left_half_made_are_made_again(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    query(path, "CREATE TABLE rolls (id INTEGER PRIMARY KEY)")
    query(path, "CREATE TABLE schema (version INTEGER NOT NULL PRIMARY KEY)")
    with opened_database(file_url(path)) as engine:
        assert read_summaries(engine, 1) == []
    open_database(file_url(tmp_path / "new.db")).dispose()
    assert reflected(path) == reflected(tmp_path / "new.db")


def test_rolls_without_a_version_are_never_dropped(tmp_path: Path) -> None:
    path = version_1(tmp_path / "records.db", "DELETE FROM schema;")
    with pytest.raises(RecordsError, match=r"damaged: its version is missing"):
        open_database(file_url(path))
    assert query(path, "SELECT count(*) FROM rolls") == [(1,)]


_OPEN = """
import sys
from pathlib import Path
from aoi_app.records.database import opened_database, file_url
from aoi_app.records.roll_list import read_summaries
sys.stdin.readline()
with opened_database(file_url(Path(sys.argv[1]))) as engine:
    print(len(read_summaries(engine, 10)))
"""


@each_version
def test_programs_that_open_a_database_at_once_do_not_get_in_each_others_way(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = make(tmp_path / "records.db")
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", _OPEN, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("now\n")
        program.stdin.flush()
    said = [program.communicate() for program in programs]
    assert [err for _, err in said] == [""] * 4
    assert {out for out, _ in said} == {"0\n" if make is fresh else "1\n"}


def test_an_old_database_that_is_locked_or_read_only_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "_PATIENCE_MS", 100)
    path = version_1(tmp_path / "records.db")
    before = reflected(path)
    query(path, "PRAGMA journal_mode=WAL")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RecordsError, match=r"locked by another program"):
        open_database(file_url(path))
    other.execute("ROLLBACK")
    other.close()
    with pytest.raises(RecordsError, match=r"read-only.*right to write"):
        open_database(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert reflected(path) == before


def test_nothing_of_alembic_is_loaded_where_nothing_is_to_do(tmp_path: Path) -> None:
    open_database(file_url(tmp_path / "records.db")).dispose()
    code = _OPEN + "assert 'alembic' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "records.db")],
        input="now\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_logging_is_left_as_it_was(tmp_path: Path) -> None:
    def state() -> list[object]:
        root, alembic = logging.getLogger(), logging.getLogger("alembic")
        return [
            root.level,
            list(root.handlers),
            root.manager.disable,
            alembic.level,
            alembic.handlers,
            alembic.disabled,
        ]

    before = state()
    open_database(file_url(version_1(tmp_path / "records.db"))).dispose()
    assert state() == before


@pytest.mark.parametrize(
    "name", ["what?.db", "a#b.db", "50 %.db", "uri=true&x.db", "äö.db", os.fsdecode(b"records of \xff?.db")]
)
def test_a_database_lies_where_its_path_says(tmp_path: Path, name: str) -> None:
    open_database(file_url(tmp_path / name)).dispose()
    assert query(tmp_path / name, "SELECT count(*) FROM rolls") == [(0,)]
    assert {p.name.removesuffix("-wal").removesuffix("-shm") for p in tmp_path.iterdir()} == {name}


@pytest.mark.skipif("POSTGRES_URL" not in os.environ, reason="no server here: set POSTGRES_URL to an empty database")
def test_a_database_of_postgresql_has_the_same_tables() -> None:
    url = os.environ["POSTGRES_URL"]
    for _ in range(2):  # the second time there is nothing to do
        open_database(url).dispose()
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert [d for d in compare_metadata(context, Base.metadata) if "'schema'" not in repr(d)] == []
        assert context.get_current_revision() == SCHEMA_REVISION
    engine.dispose()
