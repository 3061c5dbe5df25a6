"""What is kept of a roll: committed before it is shown, and not lost while the database cannot be written."""

import contextlib
import dataclasses
import json
import os
import resource
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from aoi_fakes import until
from sqlalchemy import Engine, event, select, update
from sqlalchemy.orm import Session

from aoi_app.inspection.findings.defects import Box, Defect, Gap, Remark
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.records.database import open_database
from aoi_app.records.errors import RecordsError
from aoi_app.records.export import write_csv, write_json
from aoi_app.records.interrupted import mark_interrupted
from aoi_app.records.process_identity import process_identity
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_list import read_summaries
from aoi_app.records.roll_log import RollLog
from aoi_app.records.roll_name import new_roll_name
from aoi_app.records.tables import DEFECTS, RollRow
from aoi_app.settings.folders import log_path

FIGURES: dict[str, object] = {"length_m": 1.5, "inspected_m": 1.25, "gap_m": 0.25, "width_mm": 271.5, "fabric": "twill"}


def defect(number: int = 1, *, is_open: bool = False, end_line: int = 140, noise: bool = False) -> Defect:
    rng = np.random.default_rng(number)
    thumbnail = rng.integers(0, 255, (96, 96), dtype=np.uint8) if noise else np.full((96, 96), 9, np.uint8)
    return Defect(
        number=number,
        fabric="twill",
        shape="block",
        first_line=100,
        end_line=end_line,
        left_px=40,
        right_px=80,
        position_m=0.02,
        position_mm=12.0,
        length_mm=8.0,
        width_mm=8.0,
        area_mm2=64.0,
        peak=2.5,
        mean=1.5,
        raw_peak=7.25,
        boxes=(Box("a.png", 40, 100, 40, 20), Box("b.png", 40, 0, 40, 20)),
        is_open=is_open,
        thumbnail=thumbnail,
    )


GAP = Gap(500, 40, 0.1, 0.008, "torn")
REMARK = Remark("unknown", "twill", 30, 0.006, "unknown cloth")


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "records.db"


@pytest.fixture
def engine(database: Path) -> Any:
    engine = open_database(url_of(database))
    yield engine
    engine.dispose()


def begin(engine: Engine, **more: Any) -> RollLog:
    return RollLog(engine, name="r1", source="loom", model="demo", recipe={"name": "standard"}, threshold=1.0, **more)


def stored(database: Path, query: str = "SELECT number, is_open, end_line FROM defects ORDER BY number") -> list[Any]:
    """What another program sees in the file."""
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_everything_of_a_roll_comes_back(engine: Engine) -> None:
    log = begin(engine, tiles=Path("/tiles"))
    assert log.write(Outcome(defects=(defect(1), defect(2)), gaps=(GAP,), remarks=(REMARK,)), FIGURES)
    log.close("finished")
    roll = read_roll(engine, log.roll_id)
    assert {k: roll["roll"][k] for k in FIGURES} == FIGURES
    assert (roll["roll"]["name"], roll["roll"]["state"], roll["roll"]["tiles"]) == ("r1", "finished", "/tiles")
    assert roll["roll"]["recipe"] == {"name": "standard"}
    assert roll["roll"]["started_at"] <= roll["roll"]["ended_at"]
    assert roll["gaps"] == [dataclasses.asdict(GAP)]
    assert roll["remarks"] == [dataclasses.asdict(REMARK)]
    assert [d["id"] for d in roll["defects"]] == [1, 2]
    first, given = roll["defects"][0], dataclasses.asdict(defect(1))
    for name in ("fabric", "shape", "position_m", "position_mm", "length_mm", "width_mm", "area_mm2", "peak", "mean"):
        assert first[name] == given[name]
    assert first["boxes"] == list(given["boxes"])
    assert first["is_open"] is False


def test_the_thumbnail_is_kept_as_a_picture(engine: Engine) -> None:
    log = begin(engine)
    colour = np.zeros((20, 30, 3), np.uint8)
    colour[..., 0] = 200  # red
    log.write(Outcome(defects=(dataclasses.replace(defect(), thumbnail=colour),)), {})
    with Session(engine) as session:
        data = session.scalars(select(DEFECTS.c.thumbnail)).one()
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), colour)


def test_a_record_is_in_the_file_when_write_returns(engine: Engine, database: Path) -> None:
    log = begin(engine)
    assert stored(database, "SELECT state FROM rolls") == [("running",)]
    for number in (1, 2, 3):
        assert log.write(Outcome(defects=(defect(number),)), {"length_m": float(number)})
        assert len(stored(database)) == number
        assert stored(database, "SELECT length_m FROM rolls") == [(float(number),)]


def test_a_running_defect_is_one_record_that_grows_and_closes(engine: Engine, database: Path) -> None:
    log = begin(engine)
    for end in (1000, 1400, 1800):
        log.write(Outcome(defects=(defect(1, is_open=True, end_line=end), defect(2))), {})
        assert stored(database) == [(1, 1, end), (2, 0, 140)]
    log.write(Outcome(defects=(defect(1, end_line=1900),)), {})
    assert stored(database) == [(1, 0, 1900), (2, 0, 140)]


def test_a_defect_reported_twice_at_once_counts_as_it_was_last(engine: Engine, database: Path) -> None:
    begin(engine).write(Outcome(defects=(defect(1, is_open=True, end_line=700), defect(1, end_line=900))), {})
    assert stored(database) == [(1, 0, 900)]


def test_a_withdrawn_defect_is_removed(engine: Engine, database: Path) -> None:
    log = begin(engine)
    log.write(Outcome(defects=(defect(1, is_open=True), defect(2, is_open=True))), {})
    log.write(Outcome(defects=(defect(1),), withdrawn=(2,)), {})
    assert stored(database) == [(1, 0, 140)]


def test_rolls_do_not_touch_each_other(engine: Engine) -> None:
    one, two = begin(engine), begin(engine)
    one.write(Outcome(defects=(defect(1), defect(2))), {})
    two.write(Outcome(defects=(defect(1, end_line=999),), withdrawn=(2,)), {"length_m": 9.0})
    assert [d["id"] for d in read_roll(engine, one.roll_id)["defects"]] == [1, 2]
    assert read_roll(engine, one.roll_id)["roll"]["length_m"] == 0.0
    assert [d["id"] for d in read_roll(engine, two.roll_id)["defects"]] == [1]


def test_a_roll_that_does_not_exist_is_said_with_those_there_are(engine: Engine) -> None:
    with pytest.raises(RecordsError, match=r"no roll 7.*none"):
        read_roll(engine, 7)
    begin(engine)
    with pytest.raises(RecordsError, match=r"no roll 7.*1"):
        read_roll(engine, 7)


def test_rolls_are_listed_latest_first_with_their_number_of_defects(engine: Engine) -> None:
    first, second = begin(engine), begin(engine)
    first.write(Outcome(defects=(defect(1), defect(2))), FIGURES)
    first.close("finished")
    rows = read_summaries(engine, 10)
    assert [r.roll_id for r in rows] == [second.roll_id, first.roll_id]
    assert [r.state for r in rows] == ["running", "finished"]
    assert [r.defects for r in rows] == [0, 2]
    assert len(read_summaries(engine, 1)) == 1


@pytest.mark.parametrize(
    "damage",
    [
        "started_at = 'yesterday'",
        "started_at = 3",
        "length_m = 'long'",
        "recipe = '{'",
        "ended_at = x'ff'",
        "name = NULL",
    ],
)
def test_one_damaged_value_hides_neither_the_other_rolls_nor_its_defects(
    engine: Engine, database: Path, damage: str
) -> None:
    one, two = begin(engine), begin(engine)
    for log in (one, two):
        log.write(Outcome(defects=(defect(1),)), {})
        log.close("finished")
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA writable_schema=ON")  # as a damaged page would, not as SQL may
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE name = 'rolls'")
    connection.commit()
    connection.close()
    connection = sqlite3.connect(database)
    connection.execute(f"UPDATE rolls SET {damage} WHERE id = {one.roll_id}")
    connection.commit()
    connection.close()
    engine.dispose()
    rows = read_summaries(engine, 10)
    assert [row.roll_id for row in rows] == [two.roll_id, one.roll_id]
    assert rows[0].state == "finished"
    assert rows[1].defects == 1
    assert len(read_roll(engine, two.roll_id)["defects"]) == 1
    assert mark_interrupted(engine) == []
    with contextlib.suppress(RecordsError):  # or its values as they are
        read_roll(engine, one.roll_id)


def test_while_the_database_is_locked_it_is_said_and_nothing_is_lost(engine: Engine, database: Path) -> None:
    log = begin(engine)
    log.write(Outcome(defects=(defect(1, is_open=True),)), {})
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert not log.write(Outcome(defects=(defect(1), defect(2)), gaps=(GAP,)), {"length_m": 1.0})
        assert not log.write(Outcome(defects=(defect(3),), remarks=(REMARK,), withdrawn=(2,)), {"length_m": 2.0})
        assert "not recorded" in str(log.problem)
        assert "locked" in str(log.problem)
        assert log.waiting == 5
        assert stored(database) == [(1, 1, 140)]
    finally:
        other.execute("ROLLBACK")
        other.close()
    until(lambda: log.write(Outcome(), {}))
    assert log.problem is None
    assert log.waiting == 0
    assert stored(database) == [(1, 0, 140), (3, 0, 140)]
    assert stored(database, "SELECT reason FROM gaps") == [("torn",)]
    assert stored(database, "SELECT length_m FROM rolls") == [(2.0,)]


def test_a_roll_cannot_be_begun_in_a_locked_database(engine: Engine, database: Path) -> None:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(RecordsError, match=r"cannot be begun.*locked"):
            begin(engine)
    finally:
        other.close()


def test_a_roll_that_ends_while_the_database_is_locked_is_kept_in_a_file(
    engine: Engine, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aoi_app.records.roll_log._LAST_TRIES_S", 0.1)
    log = begin(engine, rescue=tmp_path / "rescue")
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        log.write(Outcome(defects=(defect(1),), gaps=(GAP,), remarks=(REMARK,), withdrawn=(9,)), {})
        with pytest.raises(RecordsError, match=r"3 records of roll 1.*locked.*unrecorded.json"):
            log.close("stopped")
    finally:
        other.close()
    (path,) = (tmp_path / "rescue").iterdir()
    kept = json.loads(path.read_text())
    assert (kept["roll"], kept["state"], kept["withdrawn"]) == (1, "stopped", [9])
    assert [d["number"] for d in kept["defects"]] == [1]
    assert kept["gaps"] == [dataclasses.asdict(GAP)]


def limit_pages(engine: Engine, pages: int) -> list[int]:
    """A disk that is full: SQLite says so when it may not grow. Returns the limit, to be changed."""
    limit = [pages]
    event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count={limit[0]}"))
    engine.dispose()
    return limit


def test_a_full_disk_is_said_and_nothing_is_lost(engine: Engine, database: Path) -> None:
    log = begin(engine)
    limit = limit_pages(engine, 40)
    number = 0
    while log.problem is None:
        number += 1
        assert number < 200, "the disk never became full"
        log.write(Outcome(defects=(defect(number, noise=True),)), {})
    assert "disk is full" in log.problem
    assert log.waiting == 1
    limit[0] = 1_000_000
    engine.dispose()
    until(lambda: log.write(Outcome(), {}))
    assert [row[0] for row in stored(database)] == list(range(1, number + 1))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///{}/text.db", "no database"),
        ("sqlite:///{}/folder.db", "cannot be opened"),
        ("sqlite:///{}/file/records.db", "folder.*cannot be made"),
        ("sqlite:////proc/nowhere/records.db", "cannot be made"),
        ("records.db", "not understood.*example"),
        ("", "not understood"),
        ("paper://records", "not understood"),
        ("postgresql://host:port/records", "not understood"),
    ],
)
def test_a_database_that_cannot_be_opened_says_what_to_do(tmp_path: Path, url: str, words: str) -> None:
    (tmp_path / "text.db").write_text("this is a letter to the mill\n" * 200)
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordsError, match=words) as caught:
        open_database(url.format(tmp_path))
    assert "\n" not in str(caught.value)
    assert ("--database" in caught.value.hint) is ("not understood" not in words)


def test_a_damaged_database_is_said(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    engine = open_database(url_of(path))
    engine.dispose()
    data = bytearray(path.read_bytes())
    data[100:] = b"\xff" * (len(data) - 100)
    path.write_bytes(data)
    for more in ("-wal", "-shm"):
        Path(f"{path}{more}").unlink(missing_ok=True)
    with pytest.raises(RecordsError, match=r"damaged|no database|cannot be used"):
        open_database(url_of(path))


def test_a_password_is_not_said(tmp_path: Path) -> None:
    with pytest.raises(RecordsError) as caught:
        open_database(f"sqlite://operator:s3cret@/{tmp_path}/x.db")
    assert "s3cret" not in str(caught.value)


def test_a_read_only_database_is_said(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(database.parent)
    open_database(url_of(database)).dispose()
    with pytest.raises(RecordsError, match=r"read-only.*right to write"):
        open_database(f"sqlite:///file:{database}?mode=ro&uri=true")
    assert not (database.parent / "file:").exists(), "an address is no folder"


def test_a_read_only_connection_is_found_out_when_it_is_opened(database: Path) -> None:
    open_database(url_of(database)).dispose()

    def read_only(connection: Any, record: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    event.listen(Engine, "connect", read_only)
    try:
        with pytest.raises(RecordsError, match="read-only"):
            open_database(url_of(database))
    finally:
        event.remove(Engine, "connect", read_only)


def test_missing_folders_are_made_and_an_existing_database_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "records.db"
    engine = open_database(url_of(path))
    begin(engine).close("finished")
    engine.dispose()
    engine = open_database(url_of(path))
    assert len(read_summaries(engine, 10)) == 1
    engine.dispose()


def test_what_was_left_running_is_marked_and_what_still_runs_is_not(engine: Engine) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        ended, left, own, foreign, again = (begin(engine) for _ in range(5))
        ended.close("finished")
        with Session(engine) as session:
            session.get_one(RollRow, left.roll_id).process = gone()
            session.get_one(RollRow, foreign.roll_id).process = other.pid
            session.get_one(RollRow, foreign.roll_id).process_identity = process_identity(other.pid)
            session.get_one(RollRow, again.roll_id).process_identity = "of one that had its number before"
            session.commit()
        assert mark_interrupted(engine) == [left.roll_id, again.roll_id]
        assert mark_interrupted(engine) == []
    finally:
        other.communicate(b"\n")
    assert states_of(engine) == {
        ended.roll_id: "finished",
        left.roll_id: "interrupted",
        own.roll_id: "running",
        foreign.roll_id: "running",
        again.roll_id: "interrupted",
    }
    assert mark_interrupted(engine) == [foreign.roll_id], "it has ended"


def test_the_process_of_a_roll_of_an_older_program_is_known_by_its_number_and_the_time(engine: Engine) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        left, own, foreign = (begin(engine) for _ in range(3))
        with Session(engine) as session:
            for roll, process in ((left, gone()), (own, os.getpid()), (foreign, other.pid)):
                row = session.get_one(RollRow, roll.roll_id)
                row.process, row.process_identity = process, None
            session.commit()
        # This process has just begun, so a roll of its number is one of an older process.
        assert mark_interrupted(engine) == [left.roll_id, own.roll_id]
    finally:
        other.communicate(b"\n")


def test_a_process_keeps_its_identity_when_somebody_sets_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    before = process_identity(os.getpid())
    assert before is not None
    monkeypatch.setattr(psutil, "boot_time", lambda: 0.0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert process_identity(os.getpid()) == before
    assert process_identity(gone()) is None


def test_two_rolls_begun_in_one_second_have_names_of_their_own(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "strftime", lambda _: "20261128-060000")
    names = {new_roll_name(engine) for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith("20261128-060000-") for name in names)
    digits = iter(["0001", "0002", "0003"])  # of a clock that was set back, and chance that helps it
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(digits))
    with Session(engine) as session:
        session.execute(update(RollRow).where(RollRow.id == begin(engine).roll_id).values(name="20261128-060000-0001"))
        session.commit()
    (tmp_path / "20261128-060000-0002").mkdir()
    assert new_roll_name(engine, tmp_path) == "20261128-060000-0003"


def gone() -> int:
    """Number of a process that has ended."""
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    return int(done.stdout)


def states_of(engine: Engine) -> dict[int, str]:
    return {row.roll_id: row.state for row in read_summaries(engine, 10)}


_RUN = """
import sys
from aoi_fakes import PLAIN, Brightness
from aoi_app.alarms.alarm_list import AlarmList
from aoi_app.records.alarm_log import AlarmLog
from aoi_app.sources.loom import LoomConfig, LoomSource
from aoi_app.live.session import Session
from aoi_app.records.database import open_database
from aoi_app.records.roll_log import RollLog
from aoi_app.inspection.roll import RollInspection
from cras_core.web.tiling import TilingConfig

engine = open_database("sqlite:///" + sys.argv[1])
source = LoomSource(LoomConfig(width_px=512, lines_per_s=None, background="dark", defects_per_1000_lines=5.0))
recipe = PLAIN.model_copy(update={"threshold": 1.5})
begin = lambda: RollLog(engine, name="r", source="loom", model="m", recipe={}, threshold=1.5)
inspection = RollInspection(Brightness(), TilingConfig(), recipe)
alarms = {"alarms": AlarmList(), "alarm_log": AlarmLog(engine)}
session = Session(source, inspection, begin, mm_per_line=0.2, mm_per_px=0.2, **alarms)
session.start()
session.wait()
"""


def run_roll(database: Path, **options: Any) -> subprocess.Popen[bytes]:
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}){_RUN}"
    return subprocess.Popen([sys.executable, "-c", code, str(database)], stderr=subprocess.PIPE, **options)


def count(database: Path) -> int:
    try:
        return int(stored(database, "SELECT count(*) FROM defects")[0][0])
    except sqlite3.OperationalError:  # not made yet
        return 0


def test_after_a_kill_everything_committed_is_there_and_the_roll_is_interrupted(database: Path) -> None:
    process = run_roll(database)
    try:
        until(lambda: count(database) >= 5 or process.poll() is not None)
        assert process.poll() is None, process.stderr.read().decode()
        before = count(database)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    engine = open_database(url_of(database))
    assert mark_interrupted(engine) == [1]
    roll = read_roll(engine, 1)
    engine.dispose()
    assert roll["roll"]["state"] == "interrupted"
    assert len(roll["defects"]) >= before
    assert roll["roll"]["inspected_m"] > 0
    furthest = max(d["position_m"] for d in roll["defects"])
    assert furthest <= roll["roll"]["length_m"], "defects and length are committed together"
    assert stored(database, "PRAGMA integrity_check") == [("ok",)]


def test_a_process_that_may_write_no_more_goes_on_and_what_was_written_is_whole(database: Path) -> None:
    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as on a full disk: an error, not an end
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    process = run_roll(database, preexec_fn=little_room)
    try:
        until(lambda: count(database) >= 3 or process.poll() is not None)
        wal = Path(f"{database}-wal")
        until(lambda: max(database.stat().st_size, wal.stat().st_size) > 580_000 or process.poll() is not None)
        assert process.poll() is None, process.stderr.read().decode()
    finally:
        process.kill()
        process.communicate()
    engine = open_database(url_of(database))
    assert len(read_roll(engine, 1)["defects"]) >= 3
    engine.dispose()
    assert stored(database, "PRAGMA integrity_check") == [("ok",)]


def test_a_database_that_is_moved_away_in_mid_roll_is_noticed(
    engine: Engine, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aoi_app.records.roll_log._LAST_TRIES_S", 0.1)
    log = begin(engine, rescue=tmp_path / "rescue")
    assert log.write(Outcome(defects=(defect(1),)), {})
    database.rename(database.with_suffix(".away"))
    open_database(url_of(database)).dispose()  # another program has made a new one in its place
    assert not log.write(Outcome(defects=(defect(2),)), {})
    assert "removed or replaced" in str(log.problem)
    with pytest.raises(RecordsError, match=r"1 records of roll 1.*unrecorded.json"):
        log.close("finished")
    (path,) = (tmp_path / "rescue").iterdir()
    kept = json.loads(path.read_text())
    assert [d["number"] for d in kept["defects"]] == [2]


def test_a_database_that_is_overwritten_in_mid_roll_is_noticed(engine: Engine, database: Path) -> None:
    log = begin(engine)
    other = sqlite3.connect(database)
    other.execute("DELETE FROM rolls")
    other.commit()
    other.close()
    assert not log.write(Outcome(defects=(defect(1),)), {"length_m": 1.0})
    assert "removed or replaced" in str(log.problem)


def test_what_the_folder_of_the_roll_does_not_take_lies_elsewhere(
    engine: Engine, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aoi_app.records.roll_log._LAST_TRIES_S", 0.1)
    full = tmp_path / "full"
    full.write_text("a file where the folder should be, as a disk that takes nothing")
    log = begin(engine, rescue=full)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        log.write(Outcome(defects=(defect(1),)), {})
        with pytest.raises(RecordsError, match=r"unrecorded\.json") as caught:
            log.close("finished")
    finally:
        other.close()
    assert str(log_path().parent / "roll-1-unrecorded.json") in str(caught.value)
    assert json.loads((log_path().parent / "roll-1-unrecorded.json").read_text())["defects"][0]["number"] == 1


DAMAGE = {
    "no time": ("started_at", "'yesterday'"),
    "no text": ("name", "CAST(X'ff00fe' AS TEXT)"),
    "too deep": ("recipe", f"'{'[' * 100_000}'"),
    "no recipe": ("recipe", "'{'"),
    "no number": ("inspected_m", "'much'"),
    "a blob": ("name", "X'00ff'"),
    "huge": ("started_at", "9e999"),
    "order of no kind": ("gsm", "-1"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cell_hides_its_own_roll_only(engine: Engine, database: Path, damage: str) -> None:
    for _ in range(3):
        begin(engine).close("finished")
    column, value = DAMAGE[damage]
    other = sqlite3.connect(database)
    other.execute(f"UPDATE rolls SET {column} = {value} WHERE id = 2")
    other.commit()
    other.close()
    listed = read_summaries(engine, 20)
    assert [row.roll_id for row in listed] == [3, 2, 1]
    assert [row.state for row in listed] == ["finished", "damaged", "finished"]
    with contextlib.suppress(RecordsError):
        read_roll(engine, 2)


@pytest.mark.parametrize("value", ["X'00ff'", "'much'", "'[1,2]'", "CAST(X'ff00fe' AS TEXT)"])
@pytest.mark.parametrize("column", ["peak", "boxes", "fabric", "found_at"])
def test_a_damaged_cell_of_a_defect_is_told_when_the_roll_is_read(
    engine: Engine, database: Path, tmp_path: Path, column: str, value: str
) -> None:
    log = begin(engine)
    log.write(Outcome(defects=(defect(1),)), {})
    log.close("finished")
    other = sqlite3.connect(database)
    other.execute(f"UPDATE defects SET {column} = {value}")
    other.commit()
    other.close()
    with contextlib.suppress(RecordsError):  # or it is a text where a text may stand; then the files can be written
        roll = read_roll(engine, 1)
        write_json(roll, tmp_path / "a.json")
        write_csv(roll, tmp_path / "a.csv")
