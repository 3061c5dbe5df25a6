"""One roll while it runs: two threads, one state, and every line accounted for."""

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aoi_fakes import PLAIN, Brightness, FailingBrightness, Items, SlowBrightness, dark, until
from sqlalchemy import Engine

from aoi_app.alarms.alarm_list import AlarmList
from aoi_app.inspection.findings.defects import Defect
from aoi_app.inspection.roll import RollInspection
from aoi_app.live.assembly import make_session
from aoi_app.live.session import Session
from aoi_app.live.state import Sink, State
from aoi_app.records.alarm_log import AlarmLog
from aoi_app.records.database import open_database
from aoi_app.records.errors import RecordsError
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_log import RollLog
from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.sources.folder import FolderConfig, FolderSource
from aoi_app.sources.frame import Frame
from aoi_app.sources.loom import LoomConfig, LoomSource
from aoi_app.sources.source import FrameSource, SourceError, SourceStatus
from aoi_app.sources.source_choice import SourceChoice, make_source
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.web.protocols import TileDetector
from cras_core.web.tiling import TilingConfig

LOOM = LoomConfig(width_px=512, lines_per_s=None, background="dark", defects_per_1000_lines=12.0, total_lines=3000)
RECIPE = PLAIN.model_copy(update={"threshold": 1.5})


class Stubborn(Items):
    """A source that takes its time to open, and may fail then."""

    def __init__(self, gate: threading.Event, error: Exception | None = None) -> None:
        super().__init__(piece(1))
        self._gate, self._error = gate, error

    def __enter__(self) -> "Items":
        self._gate.wait(60.0)
        if self._error is not None:
            raise self._error
        return self


def piece(number: int, lines: int = 500, value: int = 0) -> Frame:
    return Frame(np.full((lines, 256), value, np.uint8), f"{number}.png", 0.0)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    yield engine
    engine.dispose()


def session_of(
    engine: Engine, source: FrameSource, detector: TileDetector | None = None, sinks: tuple[Sink, ...] = (), **more: int
) -> Session:
    inspection = RollInspection(detector or Brightness(), TilingConfig(), RECIPE)

    def begin() -> RollLog:
        return RollLog(engine, name="r", source=source.name, model="m", recipe={}, threshold=RECIPE.threshold)

    return Session(
        source,
        inspection,
        begin,
        mm_per_line=0.2,
        mm_per_px=0.2,
        alarms=AlarmList(),
        alarm_log=AlarmLog(engine),
        sinks=sinks,
        **more,
    )


def finished(session: Session) -> None:
    assert session.wait(120.0), "the roll did not end"


def assert_all_accounted(session: Session, engine: Engine, lines: int | None) -> dict[str, Any]:
    s = session.snapshot()
    roll = read_roll(engine, s.roll_id)
    if lines is not None:
        assert s.position_m == pytest.approx(lines * 0.0002)
    assert s.inspected_m + s.gap_m == pytest.approx(s.position_m)
    figures = roll["roll"]
    assert (figures["length_m"], figures["inspected_m"], figures["gap_m"]) == pytest.approx(
        (s.position_m, s.inspected_m, s.gap_m)
    )
    assert sum(g["length_m"] for g in roll["gaps"]) == pytest.approx(s.gap_m)
    assert (len(roll["gaps"]), figures["ended_at"] is not None) == (s.gaps, True)
    assert not [d for d in roll["defects"] if d["is_open"]]
    return roll


def test_a_roll_of_the_loom_runs_to_its_end(engine: Engine) -> None:
    session = session_of(engine, LoomSource(LOOM))
    assert (session.state, session.snapshot().roll_id) == (State.IDLE, 0)
    session.start()
    finished(session)
    assert session.state is State.ENDED
    assert session.state.is_over
    roll = assert_all_accounted(session, engine, 3000)
    s = session.snapshot()
    assert roll["roll"]["state"] == "finished"
    assert roll["gaps"] == []
    assert s.defects == len(roll["defects"]) > 0
    assert s.inspected_m == pytest.approx(0.6)
    assert (s.fabric, s.message, s.backlog) == ("plain", "", 0.0)
    assert s.width_mm == pytest.approx(102.4)
    assert s.threshold == 1.5
    assert session.problems == []


def test_the_news_are_the_records(engine: Engine) -> None:
    session = session_of(engine, LoomSource(LOOM))
    session.start()
    table: dict[int, Defect] = {}
    strips = []

    def take() -> None:
        news = session.news()
        table.update({d.number: d for d in news.defects})
        for number in news.withdrawn:
            table.pop(number, None)
        strips.extend(news.bands)

    def over() -> bool:
        take()
        return session.wait(0)

    until(over, 120.0)
    take()
    roll = read_roll(engine, session.snapshot().roll_id)
    assert sorted(table) == [d["id"] for d in roll["defects"]]
    assert strips[0].first_line == 0
    assert all(a.end_line == b.first_line for a, b in pairwise(strips))
    assert strips[-1].end_line == 3000
    assert session.news().bands == session.news().defects == ()


def test_views_that_do_not_look_get_the_newest_strips_and_all_defects(engine: Engine) -> None:
    image = dark(128)
    image[40:60, 40:60] = 255
    frames = [Frame(image, f"{k}.png", 0.0, starts_web=True) for k in range(200)]
    session = session_of(engine, Items(*frames))
    session.start()
    finished(session)
    news = session.news()
    assert len(news.bands) == 64
    assert news.bands[-1].end_line == 200 * 128
    assert len(news.defects) == 200


def test_a_session_starts_once(engine: Engine) -> None:
    session = session_of(engine, Items(piece(1)))
    session.start()
    with pytest.raises(RuntimeError, match="starts once"):
        session.start()
    finished(session)
    with pytest.raises(RuntimeError, match="ended"):
        session.start()


def test_a_session_that_never_started_can_be_stopped(engine: Engine) -> None:
    session = session_of(engine, Items(piece(1)))
    session.stop()
    assert session.state is State.ENDED
    assert session.wait(0)


def test_stopping_inspects_what_was_read_and_says_stopped(engine: Engine) -> None:
    gate = threading.Event()
    session = session_of(engine, Items(piece(1), piece(2), gate, piece(3)))
    session.start()
    until(lambda: session.snapshot().position_m == pytest.approx(0.2))
    session.stop()
    gate.set()
    finished(session)
    assert session.state is State.ENDED
    roll = assert_all_accounted(session, engine, 1000)
    assert roll["roll"]["state"] == "stopped"
    assert roll["gaps"] == []


def test_stopping_while_the_source_opens_ends_the_roll(engine: Engine) -> None:
    gate = threading.Event()
    source = Stubborn(gate)
    session = session_of(engine, source)
    session.start()
    assert session.state is State.OPENING
    assert not session.wait(0)
    session.stop()
    gate.set()
    finished(session)
    assert session.state is State.ENDED
    assert source.closed
    assert read_roll(engine, 1)["roll"]["state"] == "stopped"


def test_abandoning_makes_what_waits_a_gap(engine: Engine) -> None:
    frames = [piece(k, 448) for k in range(20)]
    gate = threading.Event()
    session = session_of(engine, Items(*frames, gate, is_live=True), SlowBrightness(0.3), backlog_lines=100_000)
    session.start()
    until(lambda: session.snapshot().position_m > 0)
    session.stop(abandon=True)
    gate.set()
    finished(session)
    roll = assert_all_accounted(session, engine, None)
    assert roll["roll"]["state"] == "stopped"
    assert roll["gaps"]
    assert all("ended before" in g["reason"] for g in roll["gaps"])


def test_a_live_source_that_is_too_fast_loses_lines_and_every_one_is_accounted_for(engine: Engine) -> None:
    frames = [piece(k, 200) for k in range(100)]
    session = session_of(engine, Items(*frames, is_live=True), SlowBrightness(0.02), backlog_lines=2000)
    session.start()
    finished(session)
    roll = assert_all_accounted(session, engine, 20_000)
    assert any("could not keep up" in g["reason"] for g in roll["gaps"])
    assert roll["roll"]["inspected_m"] > 0


def test_a_live_loom_runs_at_its_rate_without_losing_anything(engine: Engine) -> None:
    source = LoomSource(
        LoomConfig(width_px=512, lines_per_s=2000.0, is_live=True, background="dark", total_lines=2000, frame_lines=100)
    )
    session = session_of(engine, source, backlog_lines=100_000)
    session.start()
    finished(session)
    roll = assert_all_accounted(session, engine, 2000)
    assert roll["gaps"] == []


class Camera(Items):
    """Items with a camera behind them."""

    status = SourceStatus("running", speed_m_min=12.0, fill=0.5, lost_lines=7, remarks=("The camera has no Gain.",))


def test_the_figures_of_a_camera_are_shown_and_what_it_lacks_is_in_the_records(engine: Engine) -> None:
    gate = threading.Event()
    source = Camera(piece(1), gate, is_live=True)
    session = session_of(engine, source)
    session.start()
    until(lambda: session.state is State.RUNNING)
    assert session.snapshot().camera == source.status
    gate.set()
    finished(session)
    assert session.snapshot().camera is None
    (remark,) = [r for r in read_roll(engine, 1)["remarks"] if r["kind"] == "camera"]
    assert remark["text"] == "The camera has no Gain."
    assert read_roll(engine, 1)["gaps"] == []


def test_a_camera_that_is_away_when_the_roll_ends_is_a_gap_of_unknown_length(engine: Engine) -> None:
    gate = threading.Event()
    source = Camera(piece(1), gate, is_live=True)
    session = session_of(engine, source)
    session.start()
    until(lambda: session.snapshot().position_m > 0)
    source.status = SourceStatus("waiting", "Camera 17 is away since 10:00:00: no cable.")
    session.stop()
    gate.set()
    finished(session)
    (gap,) = read_roll(engine, 1)["gaps"]
    assert gap["lines"] == 0
    assert "still away when the roll ended" in gap["reason"]
    assert "no cable" in gap["reason"]


def test_pausing_a_live_source_makes_a_gap(engine: Engine) -> None:
    first, second, paused, resumed = (threading.Event() for _ in range(4))
    items = [piece(1), first, piece(2), second, piece(3), paused, piece(4), resumed]
    session = session_of(engine, Items(*items, is_live=True))
    session.start()
    until(lambda: session.snapshot().position_m == pytest.approx(0.1))
    session.pause()
    assert session.state is State.PAUSED
    first.set()
    until(lambda: session.snapshot().position_m == pytest.approx(0.2))
    session.resume()
    assert session.state is State.RUNNING
    second.set()
    until(lambda: session.snapshot().position_m == pytest.approx(0.3))
    paused.set()
    resumed.set()
    finished(session)
    roll = assert_all_accounted(session, engine, 2000)
    (gap,) = roll["gaps"]
    assert (gap["first_line"], gap["lines"], gap["reason"]) == (500, 500, "paused by the operator")
    assert roll["roll"]["state"] == "finished"


def test_pausing_a_source_that_waits_loses_nothing(engine: Engine) -> None:
    gate = threading.Event()
    session = session_of(engine, Items(piece(1), gate, *(piece(k) for k in range(2, 7))))
    session.start()
    until(lambda: session.snapshot().position_m == pytest.approx(0.1))
    session.pause()
    gate.set()
    assert not session.wait(0.3)
    assert session.snapshot().position_m == pytest.approx(0.1)
    session.resume()
    finished(session)
    roll = assert_all_accounted(session, engine, 3000)
    assert roll["gaps"] == []


def test_a_paused_roll_can_be_stopped(engine: Engine) -> None:
    gate = threading.Event()
    session = session_of(engine, Items(piece(1), gate, piece(2)))
    session.start()
    until(lambda: session.snapshot().position_m == pytest.approx(0.1))
    session.pause()
    gate.set()
    session.stop()
    finished(session)
    assert session.state is State.ENDED
    assert_all_accounted(session, engine, 500)


def test_pause_and_resume_mean_nothing_at_other_times(engine: Engine) -> None:
    session = session_of(engine, Items(piece(1)))
    session.pause()
    session.resume()
    assert session.state is State.IDLE
    session.start()
    finished(session)
    session.pause()
    session.resume()
    session.stop()
    assert session.state is State.ENDED


def test_unreadable_pictures_are_gaps_and_the_roll_goes_on(engine: Engine, tmp_path: Path) -> None:
    import cv2

    folder = tmp_path / "strips"
    folder.mkdir()
    for name in ("1", "3"):
        cv2.imwrite(str(folder / f"{name}.png"), dark(300))
    (folder / "2.png").write_text("no picture")
    session = session_of(engine, FolderSource(FolderConfig(folder)))
    session.start()
    finished(session)
    assert session.state is State.ENDED
    roll = assert_all_accounted(session, engine, 600)
    assert roll["roll"]["state"] == "finished"
    (gap,) = roll["gaps"]
    assert "2.png" in gap["reason"]


def test_a_source_that_cannot_be_opened_fails_in_its_own_words(engine: Engine) -> None:
    gate = threading.Event()
    gate.set()
    session = session_of(engine, Stubborn(gate, SourceError("camera-off", "The camera is off. Switch it on.")))
    session.start()
    finished(session)
    s = session.snapshot()
    assert (s.state, s.message, s.roll_id) == (State.FAILED, "The camera is off. Switch it on.", 0)


def test_a_source_that_breaks_off_keeps_what_was_read(engine: Engine) -> None:
    gate = threading.Event()
    session = session_of(engine, Items(piece(1), piece(2), gate, SourceError("cable-pulled", "The cable was pulled.")))
    session.start()
    until(lambda: session.snapshot().position_m == pytest.approx(0.2))
    gate.set()
    finished(session)
    s = session.snapshot()
    assert (s.state, s.message) == (State.FAILED, "The cable was pulled.")
    roll = assert_all_accounted(session, engine, 1000)
    assert roll["roll"]["state"] not in ("running", "finished")


def test_what_was_read_is_inspected_however_soon_the_source_breaks_off(engine: Engine) -> None:
    for _ in range(25):  # the two threads meet differently each time
        session = session_of(engine, Items(piece(1), SourceError("cable-pulled", "The cable was pulled.")))
        session.start()
        finished(session)
        assert session.snapshot().inspected_m == pytest.approx(0.1)


def test_an_unexpected_error_of_the_source_is_said_with_the_way_out(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    gate = threading.Event()
    session = session_of(engine, Items(piece(1), gate, ZeroDivisionError("by zero")))
    session.start()
    until(lambda: session.snapshot().position_m > 0)
    gate.set()
    finished(session)
    s = session.snapshot()
    assert s.state is State.FAILED
    assert "ZeroDivisionError: by zero" in s.message
    assert "log" in s.message
    assert "Traceback" in caplog.text
    assert_all_accounted(session, engine, 500)


def test_an_error_of_the_detector_ends_the_roll_with_words_and_closes_it(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    source = Items(*(piece(k) for k in range(50)))
    session = session_of(engine, source, FailingBrightness(4))
    session.start()
    finished(session)
    s = session.snapshot()
    assert s.state is State.FAILED
    assert "the accelerator has fallen off the bus" in s.message
    assert source.closed
    assert "Traceback" in caplog.text
    roll = read_roll(engine, s.roll_id)
    assert roll["roll"]["inspected_m"] > 0
    assert roll["roll"]["state"] not in ("running", "finished")


def test_lines_that_the_detector_failed_on_are_accounted_for(engine: Engine) -> None:
    session = session_of(engine, Items(*(piece(k) for k in range(6))), FailingBrightness(4))
    session.start()
    finished(session)
    assert_all_accounted(session, engine, None)


def test_a_roll_that_cannot_be_recorded_does_not_begin(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "records.db"
    engine = open_database(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    source = Items(*(piece(k) for k in range(50)))
    session = session_of(engine, source)
    try:
        session.start()
        finished(session)
    finally:
        other.close()
        engine.dispose()
    s = session.snapshot()
    assert s.state is State.FAILED
    assert "cannot be begun" in s.message
    assert "locked" in s.message
    assert source.closed


def test_a_database_locked_in_mid_roll_is_said_and_afterwards_everything_is_there(
    engine: Engine, tmp_path: Path
) -> None:
    import sqlite3

    bright = dark(500)
    bright[100:140, 100:140] = 255
    defective = [Frame(bright, f"{k}.png", 0.0, starts_web=True) for k in range(12)]
    one, two = threading.Event(), threading.Event()
    session = session_of(engine, Items(*defective[:4], one, *defective[4:8], two, *defective[8:]))
    session.start()
    until(lambda: session.snapshot().position_m == pytest.approx(0.4))
    other = sqlite3.connect(tmp_path / "records.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        one.set()
        until(lambda: "not recorded" in session.snapshot().message)
        assert "locked" in session.snapshot().message
        until(lambda: session.snapshot().position_m == pytest.approx(0.8))
        assert session.state is State.RUNNING
    finally:
        other.execute("ROLLBACK")
        other.close()
    threading.Event().wait(1.1)  # it tries again at most once a second
    two.set()
    finished(session)
    roll = assert_all_accounted(session, engine, 6000)
    assert len(roll["defects"]) == 12
    assert session.snapshot().message == ""


def test_a_sink_that_cannot_write_is_said_once_and_the_roll_goes_on(engine: Engine) -> None:
    def sink(_: object) -> None:
        raise RecordsError("no-space", "tiles cannot be written: no space. Free some space.")

    session = session_of(engine, LoomSource(LOOM), sinks=(sink,))
    session.start()
    finished(session)
    assert session.state is State.ENDED
    assert session.problems == ["tiles cannot be written: no space. Free some space."]
    assert "no space" in session.snapshot().message
    assert_all_accounted(session, engine, 3000)


def test_what_a_sink_is_given_is_in_the_records_already(engine: Engine) -> None:
    missing = []

    def sink(outcome: Any) -> None:
        known = {d["id"] for d in read_roll(engine, 1)["defects"]}
        missing.extend(d.number for d in outcome.defects if d.number not in known | set(outcome.withdrawn))

    session = session_of(engine, LoomSource(LOOM), sinks=(sink,))
    session.start()
    finished(session)
    assert session.snapshot().defects > 0
    assert missing == []


def test_a_threshold_set_while_running_is_the_one_in_the_snapshot_and_the_records(engine: Engine) -> None:
    gate = threading.Event()
    session = session_of(engine, Items(piece(1, value=140), gate, piece(2, value=140)))
    session.start()
    until(lambda: session.snapshot().position_m == pytest.approx(0.1))
    session.set_threshold(1.2)
    gate.set()
    finished(session)
    assert session.snapshot().threshold == 1.2
    roll = assert_all_accounted(session, engine, 1000)
    assert roll["roll"]["threshold"] == 1.2
    assert len(roll["defects"]) == 1


def test_the_program_puts_a_line_together_with_the_real_model(
    inspector: CrasDetector, engine: Engine, tmp_path: Path
) -> None:
    source = make_source(SourceChoice("loom:plain", lines_per_s=1e6, seed=12, lines=1100))
    session = make_session(
        inspector, source, Recipe(), engine, model="small", name="r", tiles=tmp_path / "tiles", rescue=tmp_path
    )
    session.start()
    finished(session)
    assert session.state is State.ENDED
    roll = assert_all_accounted(session, engine, 1100)
    s = session.snapshot()
    assert (s.fabric, roll["roll"]["fabric"], roll["roll"]["model"]) == ("plain", "plain", "small")
    assert 1500 * 0.2 > s.width_mm > 1300 * 0.2
    assert s.similarity > 0.5
    assert {r["kind"] for r in roll["remarks"]} >= {"matched"}
    assert roll["roll"]["recipe"]["mm_per_px"] == 0.2
    assert list((tmp_path / "tiles").rglob("*.png"))


def test_a_line_with_an_unknown_fabric_is_refused(inspector: CrasDetector, engine: Engine) -> None:
    with pytest.raises(RecipeError, match=r"'denim'.*plain, twill"):
        make_session(inspector, make_source(SourceChoice()), Recipe(fabric="denim"), engine, model="small", name="r")


def test_a_weave_that_the_loom_does_not_know_is_said() -> None:
    with pytest.raises(SourceError, match="no weave 'felt'"):
        make_source(SourceChoice("loom:felt"))
