"""Light and focus, and the flat field, on the page of cameras."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from cameras_tools import BeginAtCameras, Cameras, camera_processes
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot
from window_tools import PATIENCE_MS, banner, gone

from aoi_app.camera_setup.focus_state import Phase
from aoi_app.settings.folders import flat_fields_folder
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import CameraChoice
from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.camera.discovery import package_producer
from aoi_app.sources.camera.features import Setting
from aoi_app.sources.camera_factory import make_camera_source
from aoi_app.sources.chosen_camera import config_of, setup_of
from aoi_app.sources.flat_field.correction import non_uniformity
from aoi_app.sources.flat_field.file import flat_field_path, read_flat_field
from aoi_app.sources.frame import Frame
from aoi_app.sources.source_choice import SourceChoice
from aoi_app.ui.cameras.cameras_page import FEATURES, FLAT_FIELD, LIGHT

SYNTHETIC = CameraChoice(producer="synthetic", serial="17")
REMARKS = "Remarks on light and focus"
STORED = "Stored flat field"
RECORDED = "Recorded flat field"


@pytest.fixture
def cameras(begin_at_cameras: BeginAtCameras) -> Cameras:
    """The page with a synthetic camera that nobody has opened yet."""
    return begin_at_cameras()


@pytest.fixture
def flat_field(cameras: Cameras) -> Cameras:
    """The tab of the flat field, with the camera open."""
    cameras.open_camera()
    cameras.show_tab(FLAT_FIELD)
    return cameras


def answer(monkeypatch: pytest.MonkeyPatch, button: QMessageBox.StandardButton) -> None:
    monkeypatch.setattr(QMessageBox, "exec", lambda _box: button)


def saved() -> Path:
    return flat_field_path(flat_fields_folder(), "17")


# --- light and focus


def test_the_camera_is_opened_only_when_that_is_asked_for(cameras: Cameras, qtbot: QtBot) -> None:
    for tab in (LIGHT, FLAT_FIELD):
        cameras.show_tab(tab)
        assert cameras.bar() == "Camera 17 is not open."
    qtbot.wait(300)
    assert not cameras.controller.focus.holds_camera
    assert not cameras.button("Record white").isEnabled()
    cameras.show_tab(LIGHT)
    cameras.press("Open the camera")
    cameras.is_live()
    cameras.bar_says("17 is running.")


def test_a_key_shows_light_and_focus_from_any_page_and_opens_the_camera(cameras: Cameras, qtbot: QtBot) -> None:
    window = cameras.application.window
    cameras.application.show_page("line")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    pressed = QKeySequence("Ctrl+F")[0]
    QTest.keyClick(window, pressed.key(), pressed.keyboardModifiers())
    assert window.page == "cameras"
    cameras.bar_says("Opening the camera …")
    cameras.is_live()


def test_light_and_focus_of_the_running_camera_are_shown(cameras: Cameras) -> None:
    cameras.open_camera()
    cameras.says(REMARKS, "Light and focus are good.")
    assert 0 < float(cameras.text("Sharpness")) <= float(cameras.text("Best sharpness")) <= 1
    cameras.measure_focus("Dark")
    cameras.says(REMARKS, "The picture is dim")
    assert float(cameras.text("Best sharpness")) > 0.5, "the best is held"
    cameras.press("Reset the best")
    cameras.says("Best sharpness", "–")
    cameras.measure_focus("Cloth")
    cameras.wait(lambda: cameras.text("Best sharpness") != "–")


def test_a_real_producer_is_shown(begin_at_cameras: BeginAtCameras) -> None:
    producer = package_producer()
    if producer is None:
        pytest.skip("the package genicam has no producer on this system")
    cameras = begin_at_cameras(CameraChoice(producer=str(producer)))
    cameras.open_camera()
    cameras.says(REMARKS, "saturated")
    cameras.show_tab(FLAT_FIELD)
    cameras.press("Record white")
    cameras.bar_says("The white reference is saturated")


def test_the_camera_that_was_chosen_on_the_page_is_opened(cameras: Cameras) -> None:
    cameras.choose("aoi", "synthetic-0")
    assert cameras.controller.cameras.holds_camera
    cameras.open_camera()  # the tab of features gives it away
    assert not cameras.controller.cameras.holds_camera
    cameras.bar_says("synthetic-0 is running.")
    cameras.show_tab(FEATURES)
    cameras.choose("aoi", "synthetic-0")
    assert not cameras.controller.focus.holds_camera


# --- flat field


def test_a_flat_field_is_recorded_saved_and_used_by_the_line(flat_field: Cameras) -> None:
    assert flat_field.text(STORED) == "No flat field is stored for this camera."
    flat_field.record("dark", "Dark")
    flat_field.bar_says("The dark reference is recorded.")
    flat_field.record("white", "White")
    flat_field.bar_says("The white reference is recorded. Its brightness differs by ")
    flat_field.says("Evenness", "that was just recorded")
    flat_field.press("Save")
    flat_field.bar_says("The flat field is saved")
    assert "camera 17" in flat_field.text(STORED)
    assert "exposure 50 us" in flat_field.text(STORED)
    flat_field.show_tab(FEATURES)
    flat_field.is_closed()

    flat = read_flat_field(saved())
    assert non_uniformity(flat.white) > 20
    assert 0.9 * 0.01 * 255 < flat.dark.mean() < 1.1 * 0.03 * 255
    config = config_of("synthetic", "17")
    with CameraBlocks(config) as blocks:
        setup = setup_of(blocks)
    blocks = CameraBlocks(config)
    source, remarks = make_camera_source(blocks, setup, Recipe(), flat_fields=flat_fields_folder())
    assert remarks == []
    with source:
        blocks.write(Setting("remote", "Scene", "White"))
        frames = [f for f in (source.read(1.0) for _ in range(40)) if isinstance(f, Frame)]
    assert non_uniformity(frames[-1].image.mean(axis=0)) < 1.0


def test_what_makes_no_flat_field_is_refused_and_loses_nothing(flat_field: Cameras) -> None:
    flat_field.record("dark", "White")
    flat_field.bar_says("The dark reference is recorded.")
    flat_field.record("white", "Dark")
    flat_field.bar_says("White is hardly brighter than dark")
    assert not flat_field.button("Save").isEnabled()
    flat_field.record("dark", "Dark")
    flat_field.bar_says("The dark reference is recorded.")
    flat_field.record_white()
    flat_field.press("Discard")
    flat_field.bar_says("discarded")
    assert not flat_fields_folder().exists()


def test_a_flat_field_of_another_exposure_is_said_and_can_be_removed(
    begin_at_cameras: BeginAtCameras, tmp_path: Path
) -> None:
    cameras = begin_at_cameras()
    cameras.open_camera()
    cameras.show_tab(FLAT_FIELD)
    cameras.record_white()
    cameras.press("Save")
    cameras.bar_says("is saved")
    cameras.show_tab(FEATURES)
    cameras.is_closed()
    preset = tmp_path / "preset.json"
    values = {"ExposureTime": 80.0, "Width": 1024}
    features = [{"node_map": "remote", "name": k, "value": v} for k, v in values.items()]
    preset.write_text(json.dumps({"features": features}))
    again = begin_at_cameras(SYNTHETIC.model_copy(update={"preset": str(preset)}))
    again.open_camera()
    again.show_tab(FLAT_FIELD)
    again.says(STORED, "for lines of 2048 px")
    assert "The exposure was 50 when the flat field was recorded and is 80; record it again." in again.text(STORED)
    again.press("Remove")
    again.bar_says("The flat field was removed.")
    assert again.text(STORED) == "No flat field is stored for this camera."


def test_a_camera_that_falls_silent_ends_the_recording(flat_field: Cameras) -> None:
    flat_field.set_feature("TriggerMode", "On")
    flat_field.controller.focus.record("dark", 1_000_000)
    flat_field.bar_says("Too few lines came from the camera; the dark reference is not recorded. The camera delivers")
    flat_field.set_feature("TriggerMode", "Off")
    flat_field.press("Record dark")
    flat_field.bar_says("The dark reference is recorded.")


def test_a_camera_that_dies_meanwhile_is_said_and_comes_back(flat_field: Cameras) -> None:
    focus = flat_field.controller.focus
    focus.record("white", 1_000_000)
    flat_field.wait(lambda: focus.state.flat_field.recording == "white")
    (process,) = camera_processes()
    process.kill()
    flat_field.bar_says("The camera was disconnected during the recording")
    assert focus.state.is_ready
    flat_field.press("Record white")
    flat_field.bar_says("The white reference is recorded.")
    flat_field.press("Discard")
    flat_field.bar_says("discarded")
    (process,) = camera_processes()
    process.kill()
    flat_field.bar_says("Look at its cable")
    flat_field.bar_says("17 is running.")


# --- leaving


@pytest.mark.parametrize("way", ["tab", "page", "button"])
def test_the_camera_is_given_back_when_one_leaves(cameras: Cameras, way: str) -> None:
    cameras.open_camera()
    cameras.show_tab(FLAT_FIELD)
    assert cameras.controller.focus.state.phase is Phase.OPEN, "both tabs look through the same camera"
    if way == "tab":
        cameras.show_tab(FEATURES)
    elif way == "page":
        cameras.application.show_page("line")
    else:
        cameras.press("Close the camera")
    cameras.is_closed()
    assert camera_processes() == []
    cameras.press_key("camera")
    cameras.show_tab(LIGHT)
    cameras.wait(lambda: cameras.bar() == "Camera 17 is not open.")
    assert cameras.text("Sharpness") == "–", "what was seen before would pass for what is seen now"


def test_a_window_that_is_out_of_sight_for_a_while_keeps_the_camera(cameras: Cameras, qtbot: QtBot) -> None:
    cameras.open_camera()
    cameras.application.window.hide()
    qtbot.wait(300)
    cameras.application.window.show()
    assert cameras.controller.focus.state.phase is Phase.OPEN


@pytest.mark.parametrize("when", ["opening", "open", "dark", "white", "failed"])
def test_leaving_at_any_time_leaves_nothing_running(begin_at_cameras: BeginAtCameras, when: str) -> None:
    cameras = begin_at_cameras(CameraChoice(producer="synthetic", serial="missing" if when == "failed" else "17"))
    focus = cameras.controller.focus
    cameras.press_key("set_up")
    if when == "failed":
        cameras.bar_says("There is no synthetic camera 'missing'")
        assert focus.state.phase is Phase.FAILED
    elif when != "opening":
        cameras.is_live()
    if when in ("dark", "white"):
        focus.record("dark" if when == "dark" else "white", 1_000_000)
        cameras.wait(lambda: focus.state.flat_field.progress > 0)
        assert focus.state.flat_field.recording == when
    cameras.application.show_page("line")
    cameras.wait(lambda: cameras.application.is_at_rest)
    assert camera_processes() == []
    assert focus.state.flat_field.recording == ""
    assert focus.state.phase is Phase.CLOSED


def test_leaving_the_program_closes_the_camera(cameras: Cameras, qtbot: QtBot) -> None:
    cameras.open_camera()
    cameras.application.close()
    qtbot.waitUntil(partial(gone, cameras.application), timeout=PATIENCE_MS)


def test_a_flat_field_that_is_not_saved_is_kept_while_one_is_away_and_said_on_return(flat_field: Cameras) -> None:
    flat_field.record_white()
    flat_field.application.show_page("line")
    assert "The flat field is not saved" in banner(flat_field.application)
    flat_field.is_closed()
    flat_field.press_key("camera")
    flat_field.wait(lambda: flat_field.bar() == "Camera 17 is not open. A recorded flat field is not saved.")
    assert "Not saved: camera 17, recorded" in flat_field.text(RECORDED)
    flat_field.press("Save")
    flat_field.wait(saved().exists)
    flat_field.wait(lambda: flat_field.text(RECORDED) == "")
    flat_field.bar_says("The flat field is saved.")
    assert not flat_field.controller.focus.holds_camera, "that needs no camera"


def test_a_flat_field_that_is_not_saved_is_not_lost_to_another_camera(flat_field: Cameras) -> None:
    flat_field.record_white()
    flat_field.show_tab(FEATURES)
    flat_field.choose("aoi", "synthetic-0")
    flat_field.press_key("set_up")
    flat_field.bar_says("The flat field of camera 17 is not saved. Save or discard it, then open camera synthetic-0.")
    flat_field.show_tab(FLAT_FIELD)
    flat_field.press("Discard")
    flat_field.press("Open the camera")
    flat_field.is_live()


@pytest.mark.parametrize("button", ["Save", "Discard", "Cancel"])
def test_the_program_asks_before_a_flat_field_is_lost(
    flat_field: Cameras, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, button: str
) -> None:
    flat_field.record_white()
    flat_field.application.show_page("line")
    answer(monkeypatch, QMessageBox.StandardButton[button])
    flat_field.application.window.close()
    if button == "Cancel":
        qtbot.wait(300)
        assert flat_field.application.window.isVisible()
        flat_field.controller.focus.discard()
        flat_field.wait(lambda: flat_field.controller.focus.state.flat_field.unsaved == "")
        flat_field.application.window.close()
    flat_field.wait(partial(gone, flat_field.application))
    assert saved().exists() == (button == "Save")


def test_a_flat_field_that_cannot_be_written_keeps_the_program_open(
    flat_field: Cameras, monkeypatch: pytest.MonkeyPatch
) -> None:
    flat_field.record_white()
    flat_field.application.show_page("line")
    flat_fields_folder().parent.mkdir(parents=True, exist_ok=True)
    flat_fields_folder().write_text("in the way")
    answer(monkeypatch, QMessageBox.StandardButton.Save)
    flat_field.application.window.close()
    flat_field.wait(lambda: flat_field.application.window.page == "cameras")
    flat_field.bar_says("cannot be written")
    assert flat_field.application.window.isVisible()
    flat_fields_folder().unlink()
    flat_field.application.window.close()
    flat_field.wait(partial(gone, flat_field.application))
    assert read_flat_field(saved()).lines >= 1024


# --- the line goes first


def test_the_line_takes_the_camera_and_the_tab_says_that_a_roll_runs_on_it(
    begin_at_cameras: BeginAtCameras, quick_bundle_path: Path, tmp_path: Path
) -> None:
    looms = [{"source": "loom:plain"}, {"source": "loom:plain", "overlap_px": 1024}]
    (tmp_path / "web.json").write_text(json.dumps({"cameras": looms}))
    choice = SourceChoice(f"side-by-side:{tmp_path / 'web.json'}")  # which may hold cameras, for all anybody knows
    cameras = begin_at_cameras(choice=choice, bundle=quick_bundle_path)
    cameras.open_camera()
    cameras.show_tab(FLAT_FIELD)
    cameras.record_white()
    cameras.press_key("start")
    cameras.wait(cameras.application.window.actions_by_key["stop"].isEnabled)
    assert not cameras.controller.focus.holds_camera
    cameras.bar_says("A roll runs on the camera. Stop the roll (F8), then open the camera here.")
    assert not cameras.button("Open the camera").isEnabled()
    assert cameras.controller.focus.state.flat_field.unsaved, "what was recorded is kept"
    cameras.press_key("set_up")
    cameras.bar_says("A roll runs on the camera.")
    assert not cameras.controller.focus.holds_camera
    cameras.stop_roll(at_once=True)
    cameras.wait(lambda: cameras.application.is_at_rest)
    cameras.bar_says("Camera 17 is not open.")
    cameras.press("Open the camera")
    cameras.is_live()
    cameras.controller.focus.discard()
    cameras.wait(lambda: cameras.controller.focus.state.flat_field.unsaved == "")


def test_a_roll_beside_the_camera_is_no_obstacle(begin_at_cameras: BeginAtCameras, quick_bundle_path: Path) -> None:
    cameras = begin_at_cameras(choice=SourceChoice("loom:plain", lines_per_s=1200.0), bundle=quick_bundle_path)
    cameras.press_key("start")
    cameras.wait(cameras.application.window.actions_by_key["stop"].isEnabled)
    cameras.open_camera()
    assert cameras.application.program.roll.is_running
