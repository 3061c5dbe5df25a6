"""The life of an alarm: raised, acknowledged, gone, gone unseen, silent for a time."""

from __future__ import annotations

import random
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import func, select

from aoi_app.alarms.alarm import AlarmLife
from aoi_app.alarms.alarm_list import GONE_AFTER_S, AlarmList
from aoi_app.alarms.causes import Cause
from aoi_app.alarms.severity import Severity
from aoi_app.records.alarm_log import AlarmLog
from aoi_app.records.database import open_database
from aoi_app.records.roll_log import RollLog
from aoi_app.records.tables import ALARMS

WRONG = Cause("wrong cloth", Severity.RESERVE, "the cloth is another one")
FULL = Cause("disk nearly full", Severity.RESERVE, "12 MB are left")
BEGINS = Cause("begins", Severity.RESERVE, "nothing yet", is_alarm=False)


def lives(alarms: AlarmList) -> list[AlarmLife]:
    return [alarm.life for alarm in alarms.open]


def test_to_acknowledge_silences_and_does_not_end_an_alarm() -> None:
    alarms = AlarmList()
    alarms.look(1, [WRONG], 2.5, now_s=0.0)
    assert (lives(alarms), alarms.must_sound) == ([AlarmLife.RAISED], True)
    assert alarms.acknowledge("ann")
    alarms.look(1, [WRONG], 9.0, now_s=60.0)
    (alarm,) = alarms.open
    assert (alarm.life, alarms.must_sound) == (AlarmLife.ACKNOWLEDGED, False)
    assert (alarm.acknowledged_by, alarm.position_m) == ("ann", 2.5)
    alarms.look(1, [], 9.0, now_s=61.0)
    assert lives(alarms) == [AlarmLife.ACKNOWLEDGED], "it may come back at once"
    alarms.look(1, [], 9.0, now_s=60.0 + GONE_AFTER_S)
    assert lives(alarms) == []


def test_what_nobody_has_seen_stays_when_it_is_over() -> None:
    alarms = AlarmList()
    alarms.look(1, [WRONG], 0.0, now_s=0.0)
    alarms.look(1, [], 1.0, now_s=100.0)
    assert (lives(alarms), alarms.must_sound) == ([AlarmLife.GONE_UNSEEN], True)
    alarms.look(2, [], 0.0, now_s=200.0)  # another roll
    assert lives(alarms) == [AlarmLife.GONE_UNSEEN]
    alarms.acknowledge("ann")
    assert lives(alarms) == []
    assert not alarms.acknowledge("ann")


def test_the_end_of_a_roll_ends_its_causes_and_the_next_one_raises_its_own() -> None:
    alarms = AlarmList()
    alarms.look(1, [WRONG], 0.0, now_s=0.0)
    alarms.end_roll()
    assert lives(alarms) == [AlarmLife.GONE_UNSEEN]
    alarms.look(2, [WRONG], 0.0, now_s=1.0)
    assert [(a.roll_id, a.number, a.life) for a in alarms.open] == [
        (1, 1, AlarmLife.GONE_UNSEEN),
        (2, 1, AlarmLife.RAISED),
    ]


def test_an_alarm_that_flutters_ten_thousand_times_is_one() -> None:
    alarms = AlarmList()
    for k in range(10_000):
        alarms.look(1, [WRONG] if k % 2 else [], 0.0, now_s=k * 0.006)
    assert len(alarms.open) == 1
    assert alarms.open[0].times == 1
    for k in range(100):
        alarms.look(1, [WRONG] if k % 2 else [], 0.0, now_s=1000.0 + 10.0 * k)
    (alarm,) = alarms.open
    assert alarm.times == 51, "each time after it was really gone"


def test_a_cause_is_silent_for_a_time_and_comes_back_by_itself() -> None:
    alarms = AlarmList()
    alarms.look(1, [FULL], 0.0)
    assert alarms.shelve("disk nearly full", 0.0, "the disk is being changed", "ann")
    assert not alarms.shelve("unknown", 1.0, "why", "ann")
    (alarm,) = alarms.open
    assert (alarm.life, alarms.must_sound) == (AlarmLife.SHELVED, False)
    assert (alarm.shelved_by, alarm.shelved_why) == ("ann", "the disk is being changed")
    alarms.look(1, [FULL], 0.0)
    assert lives(alarms) == [AlarmLife.RAISED], "nobody has seen how it is now"
    alarms.acknowledge("ann")
    alarms.shelve("disk nearly full", 10.0, "still", "ann")
    alarms.look(1, [FULL], 0.0)
    assert lives(alarms) == [AlarmLife.SHELVED]


def test_the_latest_words_of_a_cause_are_shown_and_each_step_of_its_life_is_recorded_once() -> None:
    alarms = AlarmList()
    alarms.look(1, [WRONG, BEGINS], 0.0, now_s=0.0)
    assert [a.cause for a in alarms.take_changed()] == ["wrong cloth"], "what every roll begins with is no alarm"
    assert alarms.take_changed() == ()
    later = Cause(WRONG.key, WRONG.severity, "3 m of another cloth")
    alarms.look(1, [later], 0.0, now_s=1.0)
    assert alarms.open[0].text == later.text
    assert alarms.take_changed() == (), "lengths that grow do not write the records full"
    alarms.acknowledge("ann")
    (recorded,) = alarms.take_changed()
    assert (recorded.text, recorded.acknowledged_by) == (later.text, "ann")
    alarms.look(1, [], 0.0, now_s=99.0)
    (closed,) = alarms.take_changed()
    assert closed.life is AlarmLife.CLOSED
    assert alarms.open == ()


def test_no_alarm_is_ever_lost_unseen() -> None:
    """Whatever comes in which order: an alarm leaves only when somebody has seen it and its cause is gone."""
    chance = random.Random(4)
    causes = [Cause(f"cause {k}", Severity.RESERVE, "x") for k in range(4)]
    alarms, now_s, seen = AlarmList(), 0.0, set[tuple[int, int]]()
    known = dict[tuple[int, int], AlarmLife]()
    for step in range(3000):
        now_s += chance.random() * 4
        present = [cause for cause in causes if chance.random() < 0.4]
        before = {(a.roll_id, a.number): a for a in alarms.open}
        if chance.random() < 0.05:
            alarms.acknowledge("ann")
            seen |= set(before)
        alarms.look(1 + step // 500, present, 0.0, now_s=now_s)
        after = {(a.roll_id, a.number): a.life for a in alarms.open}
        assert set(before) - set(after) <= seen
        assert all(life is not AlarmLife.CLOSED for life in after.values())
        known |= after
    assert len(known) > 100


def test_silence_holds_for_a_cause_also_when_its_alarm_was_seen_and_over_and_in_the_next_roll() -> None:
    alarms = AlarmList()
    alarms.look(1, [FULL], 0.0)
    alarms.acknowledge("ann")
    alarms.shelve("disk nearly full", 60.0, "it is being changed", "ann")
    alarms.end_roll()
    assert lives(alarms) == [], "seen and over"
    alarms.look(2, [FULL], 0.0)
    (alarm,) = alarms.open
    assert (alarm.life, alarm.shelved_why, alarms.must_sound) == (AlarmLife.SHELVED, "it is being changed", False)


def test_a_clock_that_is_set_back_changes_no_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hours back, as by a person or a time server, while alarms are open and one is silent."""
    now = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)
    monkeypatch.setattr("aoi_app.alarms.alarm_list._now", lambda: now)
    alarms = AlarmList()
    alarms.look(1, [WRONG, FULL], 0.0, now_s=time.monotonic())
    assert alarms.shelve(FULL.key, 10.0, "the disk is being changed", "ann")
    now -= timedelta(hours=2)
    alarms.look(1, [WRONG, FULL], 1.0, now_s=time.monotonic())
    assert lives(alarms) == [AlarmLife.RAISED, AlarmLife.SHELVED]
    alarms.acknowledge("ann")
    alarms.look(1, [], 2.0, now_s=time.monotonic() + GONE_AFTER_S)
    closed, shelved = sorted(alarms.take_changed(), key=lambda alarm: alarm.number)
    assert closed.life is AlarmLife.CLOSED
    assert shelved.gone_at is not None
    assert closed.acknowledged_at == now, "the records say what the clock said"


def test_ten_thousand_alarms_in_a_minute_all_go_to_the_records_and_none_is_left_open(tmp_path: Path) -> None:
    """No line raises so many: a cause that comes back within five seconds was never gone."""
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    roll = RollLog(engine, name="roll", source="loom", model="m", recipe={}, threshold=1.0).roll_id
    alarms, log = AlarmList(), AlarmLog(engine)
    for k in range(10_000):
        alarms.look(roll, [WRONG], float(k), now_s=k * 12.0)
        alarms.acknowledge("ann")
        alarms.look(roll, [], float(k), now_s=k * 12.0 + GONE_AFTER_S + 1.0)
        assert alarms.open == ()
    changed = alarms.take_changed()
    assert {alarm.number for alarm in changed} == set(range(1, 10_001))
    log.write(changed[-300:])  # each is a row of its own, and takes a millisecond
    assert log.problem is None
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(ALARMS)).scalar_one() == 300
    engine.dispose()
