"""What a running roll says of itself: its status, its alarms in the records, and what it was worth."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from aoi_fakes import PLAIN, Brightness, FailingBrightness, Items, until
from sqlalchemy import Engine

from aoi_app.alarms.alarm_list import AlarmList
from aoi_app.alarms.causes import Cause
from aoi_app.alarms.condition import Condition
from aoi_app.alarms.severity import Severity
from aoi_app.inspection.account import Balance
from aoi_app.inspection.band_outcomes import BandOutcomes
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.roll import RollInspection
from aoi_app.live.session import Session
from aoi_app.live.state import Snapshot, State
from aoi_app.records.alarm_log import AlarmLog
from aoi_app.records.database import open_database
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_log import RollLog
from aoi_app.settings.recipe import Recipe
from aoi_app.sources.frame import Frame, Lost
from aoi_app.sources.source import FrameSource, SourceError
from cras_core.web.tiling import TilingConfig

M_PER_LINE = 0.0002


class Stranger(Brightness):
    """A model that no cloth is near enough to."""

    def __init__(self) -> None:
        super().__init__()
        self.calibrations = tuple(replace(c, level_limit=0.01) for c in self.calibrations)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    yield engine
    engine.dispose()


def piece(lines: int = 512, value: int = 0) -> Frame:
    return Frame(np.full((lines, 256), value, np.uint8), "a.png", 0.0)


def session_of(
    engine: Engine,
    source: FrameSource,
    detector: Brightness | None = None,
    alarms: AlarmList | None = None,
    recipe: Recipe = PLAIN,
) -> Session:
    def begin() -> RollLog:
        return RollLog(engine, name="r", source=source.name, model="m", recipe={}, threshold=1.0)

    return Session(
        source,
        RollInspection(detector or Brightness(), TilingConfig(), recipe),
        begin,
        mm_per_line=1000 * M_PER_LINE,
        mm_per_px=1000 * M_PER_LINE,
        alarms=alarms or AlarmList(),
        alarm_log=AlarmLog(engine),
    )


def run(session: Session) -> Snapshot:
    session.start()
    assert session.wait(120.0)
    return session.snapshot()


def alarms_of(engine: Engine) -> list[tuple[str, str, bool]]:
    return [(a["cause"], a["severity"], a["gone_at"] is not None) for a in read_roll(engine, 1)["alarms"]]


def test_a_roll_with_nothing_wrong_raises_no_alarm_and_is_all_good(engine: Engine) -> None:
    snapshot = run(session_of(engine, Items(piece(), piece(), piece())))
    assert (snapshot.status.condition, alarms_of(engine)) == (Condition.NO_ROLL, [])
    assert snapshot.worth.text == "0.31 m good, nothing missed"


def test_cloth_that_was_missed_is_an_alarm_in_the_records_that_nobody_has_seen_yet(engine: Engine) -> None:
    alarms = AlarmList()
    source = Items(piece(), piece(), Lost(1000, "the camera was away", "camera"), piece())
    snapshot = run(session_of(engine, source, alarms=alarms))
    assert alarms_of(engine) == [("cloth missed", "not inspecting", True)]
    (alarm,) = alarms.open
    assert alarm.must_be_seen
    assert "0.20 m not inspected in this roll, the latest at 0.20 m: the camera was away" in alarm.text
    assert snapshot.worth.is_missed
    assert read_roll(engine, 1)["roll"]["gap_m"] == pytest.approx(0.2)


def test_cloth_that_somebody_wanted_left_out_is_no_alarm(engine: Engine) -> None:
    snapshot = run(session_of(engine, Items(piece(), Lost(1000, "paused", "camera", is_wanted=True), piece())))
    assert alarms_of(engine) == []
    assert snapshot.worth.text == "0.20 m good, nothing missed, 0.20 m left out as wanted"
    assert [gap["is_wanted"] for gap in read_roll(engine, 1)["gaps"]] == [True]


def test_unknown_cloth_is_inspected_with_reserve_and_the_records_say_so(engine: Engine) -> None:
    snapshot = run(session_of(engine, Items(piece(value=90), piece(value=90), piece(value=90)), Stranger()))
    assert alarms_of(engine) == [("unknown cloth", "reserve", True)]
    assert snapshot.worth.has_reserve
    assert snapshot.worth.good_m == 0.0
    assert read_roll(engine, 1)["roll"]["reserve_m"] == pytest.approx(3 * 512 * M_PER_LINE)


def test_a_roll_that_failed_is_red_and_an_alarm(engine: Engine) -> None:
    alarms = AlarmList()
    session = session_of(engine, Items(piece(), SourceError("gone", "The disk is gone.")), alarms=alarms)
    snapshot = run(session)
    assert snapshot.state is State.FAILED
    assert (snapshot.status.condition, snapshot.status.text) == (Condition.NOT_INSPECTING, "The disk is gone.")
    assert [alarm.cause for alarm in alarms.open] == ["failed"]
    assert alarms_of(engine) == [("failed", "not inspecting", True)]


def test_a_model_that_breaks_down_is_an_alarm_as_well(engine: Engine) -> None:
    run(session_of(engine, Items(piece(), piece(), piece()), FailingBrightness(2)))
    assert ("failed", "not inspecting", True) in alarms_of(engine)


def test_a_line_that_is_silent_is_not_green_for_long(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aoi_app.alarms.facts.QUIET_S", 0.3)
    session = session_of(engine, Endless(piece(), piece(), piece()))
    session.start()
    until(lambda: session.snapshot().status.condition is Condition.RESERVE and session.snapshot().inspected_m > 0)
    until(lambda: "Nothing has come" in session.snapshot().status.text)
    session.pause()
    until(lambda: session.snapshot().status.condition is Condition.PAUSED)
    session.stop()
    assert session.wait(60.0)


class Endless(Items):
    """After its items nothing comes any more, and it does not end."""

    def read(self, timeout_s: float) -> Frame | Lost | None:
        return next(self._items, None)


@pytest.mark.parametrize("seed", range(12))
def test_every_line_is_good_or_with_reserve_or_a_gap(engine: Engine, seed: int) -> None:
    """Whatever comes, and however the threshold is moved meanwhile: the figures of a roll add up."""
    chance = random.Random(seed)
    items: list[Frame | Lost] = []
    for _ in range(14):
        kind = chance.random()
        lines = chance.choice([8, 64, 200, 512, 700])
        if kind < 0.2:
            items.append(Lost(lines, "away", "camera", is_wanted=chance.random() < 0.5))
        else:
            cloth = piece(lines, chance.choice([0, 90, 150]))
            for _ in range(chance.randrange(4)):  # defects, some of which run on and meet
                x = chance.randrange(0, 230)
                cloth.image[chance.randrange(lines) :, x : x + 24] = 250
            items.append(replace(cloth, starts_web=kind > 0.9))
    session = session_of(engine, Items(*items), Stranger() if seed % 3 == 0 else None)
    session.start()
    while not session.wait(0.01):
        session.set_threshold(chance.choice([1.0, 1.0, 2.0]))
    s = session.snapshot()
    total_m = sum(item.lines for item in items) * M_PER_LINE
    worth = s.worth
    assert worth.good_m + worth.reserve_m + worth.missed_m + worth.left_out_m == pytest.approx(total_m)
    assert s.inspected_m + s.gap_m == pytest.approx(s.position_m) == pytest.approx(total_m)
    roll = read_roll(engine, 1)
    assert sum(g["length_m"] for g in roll["gaps"] if not g["is_wanted"]) == pytest.approx(worth.missed_m)
    assert roll["roll"]["reserve_m"] == pytest.approx(worth.reserve_m)
    assert len(roll["defects"]) == s.defects, "the counter is what is recorded"
    assert not [r for r in roll["remarks"] if r["kind"] == "unaccounted"]
    account = Balance(**roll["roll"]["account"])
    assert (account.lines, account.missing_lines, account.missing_cells) == (sum(i.lines for i in items), 0, 0)
    assert account.gap_lines * M_PER_LINE == pytest.approx(s.gap_m)


def test_alarms_that_the_database_does_not_take_wait_and_are_written_later(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = run(session_of(engine, Items(piece(), Lost(9, "away", "camera"), piece())))
    assert snapshot.roll_id == 1
    monkeypatch.setattr("aoi_app.records.alarm_log._RETRY_S", 0.0)
    log, alarms = AlarmLog(engine), AlarmList()
    alarms.look(1, snapshot.status.causes, 0.0)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE alarms RENAME TO moved")
    alarms.look(1, [Cause("x", Severity.RESERVE, "x")], 0.0)
    log.write(alarms.take_changed())
    assert log.problem is not None
    assert "not recorded (1 wait in memory)" in log.problem
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE moved RENAME TO alarms")
    log.write(())
    assert log.problem is None
    assert "x" in [cause for cause, _, _ in alarms_of(engine)]


def test_short_webs_of_unknown_cloth_are_with_reserve_and_those_of_known_cloth_beside_them_are_not(
    engine: Engine,
) -> None:
    """Each is over, and the next one begins, before its result is published."""
    webs = [replace(piece(256, value), starts_web=True) for value in (0, 90, 0, 90, 0)]
    alarms = AlarmList()
    snapshot = run(session_of(engine, Items(*webs), Stranger(), alarms=alarms))
    assert snapshot.worth.reserve_m == pytest.approx(2 * 256 * M_PER_LINE)
    assert snapshot.worth.good_m == pytest.approx(3 * 256 * M_PER_LINE)
    assert [alarm.cause for alarm in alarms.open] == ["unknown cloth"]


def with_cloth(lines: int, left: int, right: int) -> Frame:
    """Bright cloth on a dark table."""
    image = np.full((lines, 1024), 10, np.uint8)
    noise = np.random.default_rng(left).normal(120, 12, (lines, right - left))
    image[:, left:right] = np.clip(noise, 60, 200).astype(np.uint8)
    return Frame(image, "a.png", 0.0)


def test_cloth_whose_width_jumps_is_told_and_separate_pictures_may_have_any_width(engine: Engine) -> None:
    recipe = PLAIN.model_copy(update={"find_edges": True})
    wide, narrow = with_cloth(4096, 100, 900), with_cloth(2048, 100, 600)
    for separate in (False, True):
        alarms = AlarmList()
        source = Items(wide, replace(narrow, starts_web=separate), is_live=False)
        session = session_of(engine, source, alarms=alarms, recipe=recipe)
        run(session)
        assert ("width jumped" in [alarm.cause for alarm in alarms.open]) is not separate


def test_what_comes_with_the_end_of_a_roll_is_an_alarm_as_well(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the roll any more afterwards."""
    run(session_of(engine, Items(piece(8))))
    assert alarms_of(engine) == [("cloth missed", "not inspecting", True)]
    monkeypatch.setattr(BandOutcomes, "gap", lambda *_, **__: Outcome())  # the program forgets what was lost
    alarms = AlarmList()
    run(session_of(engine, Items(piece(), Lost(9, "away", "camera"), piece()), alarms=alarms))
    (alarm,) = [alarm for alarm in alarms.open if alarm.cause == "unaccounted"]
    assert alarm.severity == "not inspecting"
    assert alarm.text.startswith("9 lines of this roll were neither inspected nor recorded as a gap")
    kept = read_roll(engine, 2)
    assert kept["roll"]["account"]["lines"] - kept["roll"]["account"]["inspected_lines"] == 9
    assert [r["text"] for r in kept["remarks"] if r["kind"] == "unaccounted"] == [alarm.text.rstrip(".")]
    assert ("unaccounted", "not inspecting") in [(a["cause"], a["severity"]) for a in kept["alarms"]]
