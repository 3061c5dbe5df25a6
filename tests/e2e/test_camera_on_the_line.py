"""A camera on the line, from end to end: without a window, and in it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from aoi_app.live.assembly import make_session
from aoi_app.live.headless import HeadlessRun, run_headless
from aoi_app.live.state import State
from aoi_app.records.database import opened_database
from aoi_app.records.reading import read_roll
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import CameraChoice
from aoi_app.sources.camera.discovery import package_producer
from aoi_app.sources.line_camera import LineCamera
from aoi_app.sources.recording.format import is_recording
from aoi_app.sources.source_choice import SourceChoice, camera_choice, make_source
from cras_core.detectors.cras.detector import CrasDetector

PATIENCE_S = 120.0
SLOW = {"Width": 640, "Height": 64, "AcquisitionLineRate": 800.0}


@pytest.fixture
def viky() -> str:
    path = package_producer()
    if path is None:
        pytest.skip("the package genicam has no producer on this system")
    return str(path)


def preset_file(folder: Path, **features: object) -> str:
    path = folder / "preset.json"
    listed = [{"name": name, "value": value} for name, value in features.items()]
    path.write_text(json.dumps({"format": 1, "features": listed}))
    return str(path)


def inspected(quick_bundle_path: Path, out: Path, choice: SourceChoice) -> tuple[int, dict[str, object], str]:
    """Exit status, what was written, and what was said."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(width=200, record=True, file=nowhere)
        code = run_headless(HeadlessRun(choice, quick_bundle_path, out, Recipe(), "cpu", tiles=False), console)
        said = console.export_text()
    return code, json.loads((out / "defects.json").read_text()), said


def test_so_many_lines_of_a_genicam_camera_are_inspected(quick_bundle_path: Path, viky: str, tmp_path: Path) -> None:
    choice = SourceChoice("genicam:1", camera=CameraChoice(producer=viky), lines=1500)
    code, written, said = inspected(quick_bundle_path, tmp_path, choice)
    roll = written["roll"]
    assert isinstance(roll, dict)
    assert roll["length_m"] == pytest.approx(1500 * 0.2 / 1000)
    assert roll["state"] == "finished"
    assert roll["source"] == "Machine Vision Games Ltd. Viky 1"
    assert roll["inspected_m"] + roll["gap_m"] == pytest.approx(roll["length_m"])
    assert code == (3 if written["gaps"] else 0)
    assert "No flat field was recorded" in said


def test_what_could_not_be_set_is_said_and_kept_and_the_rest_is_recorded(
    quick_bundle_path: Path, tmp_path: Path
) -> None:
    camera = CameraChoice(preset=preset_file(tmp_path, **SLOW, LensHeater=3))
    choice = SourceChoice("synthetic", camera=camera, lines=700, record=tmp_path / "recorded", record_gb=0.1)
    _, written, said = inspected(quick_bundle_path, tmp_path / "out", choice)
    lacks = "The camera has no feature LensHeater in its node map remote."
    assert said.count(f"Camera: {lacks}") == 1
    remarks = written["remarks"]
    assert isinstance(remarks, list)
    assert lacks in [r["text"] for r in remarks if r["kind"] == "camera"]
    (recording,) = (tmp_path / "recorded").iterdir()
    assert is_recording(recording)


def test_the_process_of_the_camera_is_killed_and_the_roll_goes_on(inspector: CrasDetector, tmp_path: Path) -> None:
    source = make_source(
        SourceChoice("synthetic", camera=CameraChoice(preset=preset_file(tmp_path, **SLOW)), lines=4000)
    )
    assert isinstance(source, LineCamera)
    with opened_database(f"sqlite:///{tmp_path / 'records.db'}") as engine:
        session = make_session(inspector, source, Recipe(), engine, model="small", name="killed")
        session.start()
        end_s = time.monotonic() + PATIENCE_S
        while session.snapshot().position_m < 0.1:
            assert time.monotonic() < end_s, session.snapshot()
            time.sleep(0.05)
        camera = session.snapshot().camera
        assert camera is not None
        assert camera.state == "running"
        assert camera.speed_m_min == pytest.approx(800 * 0.2 * 60 / 1000, rel=0.2)
        assert source.blocks is not None
        killed = source.blocks.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        assert session.wait(PATIENCE_S)
        assert session.state is State.ENDED
        roll = read_roll(engine, 1)
    gaps = [g for g in roll["gaps"] if "was killed" in g["reason"]]
    assert len(gaps) == 1
    assert gaps[0]["lines"] > 0
    assert "cable" in gaps[0]["reason"]
    assert roll["roll"]["state"] == "finished"
    assert roll["roll"]["length_m"] == pytest.approx(4000 * 0.2 / 1000)
    assert roll["roll"]["inspected_m"] > 0.4


def test_a_camera_that_is_not_there_is_one_sentence(viky: str, tmp_path: Path) -> None:
    from aoi_app.sources.source import SourceError

    with pytest.raises(SourceError, match="no camera with the serial number 77") as caught:
        make_source(SourceChoice("genicam:77", camera=CameraChoice(producer=viky))).__enter__()
    assert "Viky 0" in str(caught.value)
    with pytest.raises(SourceError, match="line rate of its own"):
        make_source(SourceChoice("genicam", lines_per_s=100.0))
    with pytest.raises(SourceError, match="goes with --source genicam"):
        make_source(SourceChoice("loom", record=tmp_path))


def test_a_command_goes_before_what_the_settings_keep() -> None:
    kept = CameraChoice(producer="a.cti", serial="17", preset="p.json", mm_per_count=0.1)
    assert camera_choice("genicam", kept, None, None, None) == kept
    assert camera_choice("genicam:17", kept, None, None, 0.2) == kept.model_copy(update={"mm_per_count": 0.2})
    assert camera_choice("genicam:18", kept, None, None, None) == CameraChoice(serial="18")
    assert camera_choice("genicam", kept, "b.cti", None, None) == CameraChoice(producer="b.cti")
    assert camera_choice("synthetic", kept, None, Path("q.json"), None) == CameraChoice(
        producer="synthetic", preset="q.json"
    )


def is_inspecting(database: Path) -> bool:
    """Whether some of a roll is inspected and recorded; a wait of seconds is too short on a machine that is busy."""
    if not database.exists():
        return False
    connection = sqlite3.connect(database)
    try:
        return bool(connection.execute("SELECT 1 FROM rolls WHERE inspected_m > 0").fetchall())
    except sqlite3.OperationalError:  # the tables are not made yet
        return False
    finally:
        connection.close()


def test_a_stop_by_signal_writes_what_was_done(quick_bundle_path: Path, tmp_path: Path) -> None:
    choice = SourceChoice("synthetic", camera=CameraChoice(preset=preset_file(tmp_path, **SLOW)))

    def stop_soon() -> None:
        end_s = time.monotonic() + PATIENCE_S
        while not is_inspecting(tmp_path / "out" / "records.db") and time.monotonic() < end_s:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=stop_soon)
    thread.start()
    code, written, said = inspected(quick_bundle_path, tmp_path / "out", choice)
    thread.join()
    assert code == 130
    assert "Ctrl-C ends the roll" in said
    roll = written["roll"]
    assert isinstance(roll, dict)
    assert roll["state"] == "stopped"
    assert roll["length_m"] > 0
