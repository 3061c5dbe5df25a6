"""A roll that a killed program has left goes on at its metre, and what nobody has inspected meanwhile is a gap."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aoi_fakes import PLAIN, Brightness, until
from sqlalchemy import Engine, update

from aoi_app.alarms.alarm_list import AlarmList
from aoi_app.alarms.causes import Cause
from aoi_app.alarms.severity import Severity
from aoi_app.inspection.account import Balance
from aoi_app.live.assembly import make_session
from aoi_app.records.database import open_database
from aoi_app.records.errors import RecordsError
from aoi_app.records.interrupted import mark_interrupted
from aoi_app.records.reading import read_roll
from aoi_app.records.tables import RollRow
from aoi_app.records.upkeep.left_roll import LeftRoll, end_left_roll, latest_left_roll, read_left_roll
from aoi_app.settings.work_order import WorkOrder
from aoi_app.sources.loom import LoomConfig, LoomSource
from cras_core.imaging.enrolled import EnrolledFigures
from cras_core.web.tiling import TilingConfig

LINES = 6000
RECIPE = PLAIN.model_copy(update={"threshold": 1.5, "find_shade": True})


def loom(lines: int | None = LINES, *, pace: float | None = None) -> LoomSource:
    return LoomSource(
        LoomConfig(
            width_px=512, lines_per_s=pace, background="dark", defects_per_1000_lines=8.0, seed=3, total_lines=lines
        )
    )


class FakeModel(Brightness):
    """As much of a model as ``make_session`` wants."""

    class config:  # noqa: N801
        tiling = TilingConfig()

    enrolled: Mapping[str, EnrolledFigures] = {}


def run(engine: Engine, source: LoomSource, left: LeftRoll | None = None) -> int:
    """Inspects to the end of the source; the roll's number."""
    recipe, name = (RECIPE, "r") if left is None else (left.recipe, left.name)
    session = make_session(
        FakeModel(), source, recipe, engine, model="m", name=name, left=left, order=WorkOrder(roll_number="4711")
    )  # type: ignore[arg-type]
    session.start()
    assert session.wait(120)
    assert session.problems == []
    return session.snapshot().roll_id


_CHILD = """
import sys
sys.path.insert(0, sys.argv[2])
from aoi_app.records.database import open_database
from test_left_roll import loom, run
run(open_database(sys.argv[1]), loom(pace=3000.0))
"""


def count(url: str, table: str) -> int:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0
    finally:
        connection.close()


@pytest.fixture(scope="module")
def left_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of records that a killed program has left in the middle of a roll."""
    folder = tmp_path_factory.mktemp("left")
    url = f"sqlite:///{folder / 'records.db'}"
    process = subprocess.Popen([sys.executable, "-c", _CHILD, url, str(Path(__file__).parent)], stderr=subprocess.PIPE)
    try:
        until(lambda: count(url, "defects WHERE is_open = 0") >= 6 or process.poll() is not None)
        assert process.poll() is None, process.communicate()
    finally:
        process.kill()
        process.communicate()
    return folder


@pytest.fixture
def engine(left_records: Path, tmp_path: Path) -> Iterator[Engine]:
    """Records of their own."""
    shutil.copytree(left_records, tmp_path / "left")
    engine = open_database(f"sqlite:///{tmp_path / 'left' / 'records.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def killed(engine: Engine) -> dict[str, Any]:
    """The roll as the next program finds it."""
    assert mark_interrupted(engine) == [1]
    return read_roll(engine, 1)


def test_a_killed_roll_goes_on_where_it_stood_and_loses_nothing(engine: Engine, killed: dict[str, Any]) -> None:
    source = loom()
    left = latest_left_roll(engine, source.name)
    assert left is not None
    assert left.title == "4711"
    assert 0 < left.position_m < LINES * RECIPE.line_mm / 1000
    assert run(engine, source, left) == 1, "it is the same roll"
    after = read_roll(engine, 1)
    assert after["roll"]["state"] == "finished"
    assert after["roll"]["name"] == killed["roll"]["name"]
    assert after["roll"]["length_m"] == pytest.approx(LINES * RECIPE.line_mm / 1000)
    assert after["roll"]["inspected_m"] + after["roll"]["gap_m"] == pytest.approx(after["roll"]["length_m"])
    assert Balance(**after["roll"]["account"]).problem is None
    numbers = [d["id"] for d in after["defects"]]
    assert len(numbers) == len(set(numbers))
    by_number = {d["id"]: d for d in after["defects"]}
    for defect in killed["defects"]:
        assert by_number[defect["id"]] == {**defect, "is_open": False}
    (gap,) = after["gaps"]
    assert gap["reason"] == "the program ended before this was inspected"
    assert gap["first_line"] + gap["lines"] == left.start.line, "the loom is read on from where it was"
    whole = run(engine, loom())
    missed = gap["position_m"], gap["position_m"] + gap["length_m"]

    def outside(roll: dict[str, Any]) -> set[tuple[float, float]]:
        near = 0.3  # m; the web begins anew behind the gap, and what touches it is cut
        return {
            (round(d["position_m"], 2), round(d["position_mm"], -1))
            for d in roll["defects"]
            if d["shade"] is None
            and (d["position_m"] + d["length_mm"] / 1000 < missed[0] - near or d["position_m"] > missed[1] + near)
        }

    assert outside(after) == outside(read_roll(engine, whole))


def test_where_the_source_has_run_on_a_gap_of_unknown_length_says_so(engine: Engine, killed: dict[str, Any]) -> None:
    left = latest_left_roll(engine, loom().name)
    assert left is not None
    source = LoomSource(LoomConfig(width_px=512, background="dark", seed=3, is_live=True, total_lines=600))
    assert run(engine, source, left) == 1
    after = read_roll(engine, 1)
    told, unknown = after["gaps"][-2:]
    assert told["reason"].startswith("the program ended")
    assert "was not running" in unknown["reason"]
    assert (unknown["lines"], unknown["first_line"]) == (0, left.start.line)
    assert after["roll"]["length_m"] == pytest.approx((left.start.line + 600) * RECIPE.line_mm / 1000)
    assert min((d["id"] for d in after["defects"][len(killed["defects"]) :]), default=10**6) > max(
        d["id"] for d in killed["defects"]
    )


def test_only_one_program_goes_on_with_a_roll(engine: Engine, killed: dict[str, Any]) -> None:
    left = read_left_roll(engine, 1)
    other = open_database(str(engine.url))
    run(other, loom(), left)
    other.dispose()
    session = make_session(FakeModel(), loom(), left.recipe, engine, model="m", name=left.name, left=left)  # type: ignore[arg-type]
    session.start()
    session.wait(60)
    assert "somebody has ended it meanwhile" in session.snapshot().message


def test_a_roll_that_a_person_has_ended_is_not_asked_about_again(engine: Engine, killed: dict[str, Any]) -> None:
    end_left_roll(engine, 1)
    assert latest_left_roll(engine, loom().name) is None
    assert read_roll(engine, 1)["roll"]["state"] == "interrupted"
    assert not any(d["is_open"] for d in read_roll(engine, 1)["defects"])
    with pytest.raises(RecordsError, match="Roll 1 cannot go on: it is ended"):
        read_left_roll(engine, 1)


def test_a_roll_of_before_another_one_or_of_another_source_is_not_asked_about(
    engine: Engine, killed: dict[str, Any]
) -> None:
    assert latest_left_roll(engine, "another source") is None
    run(engine, loom(600))
    assert latest_left_roll(engine, loom().name) is None


def test_a_roll_that_an_earlier_version_has_written_is_refused_in_words(engine: Engine, killed: dict[str, Any]) -> None:
    with engine.begin() as connection:
        connection.execute(update(RollRow).values(told_line=None))
    with pytest.raises(RecordsError, match="an earlier version of the program wrote it"):
        read_left_roll(engine, 1)
    assert latest_left_roll(engine, loom().name) is None
    with pytest.raises(RecordsError, match="no roll 7"):
        read_left_roll(engine, 7)


def test_numbers_of_alarms_go_on_as_well() -> None:
    alarms = AlarmList()
    alarms.go_on(3, 5)
    alarms.look(3, [Cause("lamp", Severity.NOT_INSPECTING, "dark")], 1.0)
    assert [alarm.number for alarm in alarms.open] == [6]
