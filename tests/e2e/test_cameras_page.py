"""The page of cameras on real acquisition processes: cameras and their features."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from cameras_tools import BeginAtCameras
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot
from window_tools import banner, figure, why

from aoi_app.live.state import State
from aoi_app.settings.settings import CameraChoice, load_settings
from aoi_app.sources.camera.discovery import package_producer
from aoi_app.sources.camera.synthetic import SYNTHETIC
from aoi_app.ui.cameras.cameras_page import FEATURES, FLAT_FIELD, LIGHT

ABOUT = "State of the camera"
NOTE = "Messages of the camera"
NO_CAMERA = CameraChoice()


def test_all_cameras_of_all_producers_are_listed(begin_at_cameras: BeginAtCameras) -> None:
    if package_producer() is None:
        pytest.skip("the package genicam has no producer on this system")
    cameras = begin_at_cameras(NO_CAMERA)
    cameras.wait(lambda: cameras.table.rowCount() == 4)
    assert [row[1:3] for row in cameras.listed()] == [
        ["Viky", "0"],
        ["Viky", "1"],
        ["Viky", "2"],
        ["Synthetic line scan", "synthetic-0"],
    ]
    assert all(row[4] == "free" for row in cameras.listed())
    cameras.says(ABOUT, "No camera is open. Select one and press Choose.")


def test_a_value_is_set_and_one_out_of_range_is_refused_in_the_words_of_the_camera(
    begin_at_cameras: BeginAtCameras,
) -> None:
    if package_producer() is None:
        pytest.skip("the package genicam has no producer on this system")
    cameras = begin_at_cameras(NO_CAMERA)
    cameras.choose("Machine Vision Games Ltd.", "1")
    cameras.wait(lambda: cameras.shown("Width", 1) != "")
    cameras.set_field("width", "640")
    cameras.wait(lambda: cameras.value("Width") == "640" and cameras.shown("Width", 1) == "640")
    cameras.set_field("width", "99999")
    cameras.wait(lambda: cameras.error("Width") != "")
    assert cameras.error("Width") == "Width (remote) = 99999 is out of range: 100 to 800."
    cameras.wait(lambda: cameras.shown("Width", 6) == cameras.error("Width"))
    assert cameras.value("Width") == "640"
    cameras.wait(lambda: load_settings()[0].camera.serial == "1")
    assert load_settings()[0].camera.preset == ""


def test_the_tree_edits_what_can_be_written_and_is_searched(begin_at_cameras: BeginAtCameras, qtbot: QtBot) -> None:
    cameras = begin_at_cameras(NO_CAMERA)
    cameras.choose("aoi", "synthetic-0")
    cameras.wait(lambda: cameras.shown("Gain", 1) != "")
    tree = cameras.tree
    cameras.field("Search features").setText("gain")
    cameras.wait(lambda: cameras.shown("Width", 0) == "")
    (item,) = tree.findItems("Gain", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive, 0)
    tree.setCurrentItem(item, 1)
    tree.editItem(item, 1)
    editor = next(e for e in tree.viewport().findChildren(QLineEdit))
    editor.setText("2.5")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    cameras.wait(lambda: cameras.value("Gain") == "2.5")
    cameras.field("Search features").setText("")
    cameras.show_level("Beginner")
    assert cameras.shown("Crash", 0) == ""
    cameras.show_level("Guru")
    assert cameras.shown("Crash", 0) == "Crash"
    scan = tree.findItems("DeviceScanType", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive, 0)[0]
    assert not scan.flags() & Qt.ItemFlag.ItemIsEditable


def test_a_command_that_kills_the_camera_is_said_and_it_can_be_chosen_again(begin_at_cameras: BeginAtCameras) -> None:
    cameras = begin_at_cameras(NO_CAMERA)
    cameras.choose("aoi", "synthetic-0")
    cameras.show_level("Guru")
    cameras.wait(lambda: cameras.shown("Crash", 0) != "")
    (crash,) = [b for b in cameras.page.findChildren(QPushButton) if b.accessibleName() == "Execute Crash"]
    crash.click()
    cameras.says(NOTE, "was disconnected and is closed")
    cameras.choose("aoi", "synthetic-0")
    assert cameras.value("Width") == "2048"


def test_a_preset_is_saved_loaded_and_its_differences_are_listed(
    begin_at_cameras: BeginAtCameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "camera.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    cameras = begin_at_cameras(NO_CAMERA)
    cameras.choose("aoi", "synthetic-0")
    cameras.press("Save preset…")
    cameras.says(NOTE, "written to")
    kept = json.loads(path.read_text())
    assert {"node_map": "remote", "name": "Width", "value": 2048} in kept["features"]
    kept["camera"]["model"] = "Other"
    for feature in kept["features"]:
        if feature["name"] == "Width":
            feature["value"] = 1024
    kept["features"].append({"node_map": "remote", "name": "LensHeater", "value": 1})
    path.write_text(json.dumps(kept))
    cameras.press("Load preset…")
    cameras.says(NOTE, "LensHeater")
    said = cameras.text(NOTE)
    assert "this camera is aoi Synthetic line scan" in said
    assert "The camera has no feature LensHeater" in said
    cameras.wait(lambda: cameras.value("Width") == "1024")
    assert load_settings()[0].camera == CameraChoice(producer=SYNTHETIC, serial="synthetic-0", preset=str(path))
    path.write_text("nothing")
    cameras.press("Load preset…")
    cameras.says(NOTE, "is not a camera preset")


def test_the_line_starts_with_the_chosen_camera_and_the_window_tells_when_it_goes_away(
    begin_at_cameras: BeginAtCameras, quick_bundle_path: Path, tmp_path: Path
) -> None:
    cameras = begin_at_cameras(NO_CAMERA, bundle=quick_bundle_path)
    application, service = cameras.application, cameras.controller.cameras
    assert figure(application, "camera (restarts)") == "–"
    service.choose(SYNTHETIC, "line-7")
    for name, value in (("Width", "640"), ("Height", "64"), ("AcquisitionLineRate", "800")):
        service.write(("remote", name), value, stops=False)
    service.save_preset(str(tmp_path / "line-7.json"))
    cameras.wait(lambda: load_settings()[0].camera.preset == str(tmp_path / "line-7.json"))
    assert load_settings()[0].camera.serial == "line-7"
    cameras.press("Start the line")
    cameras.wait(lambda: figure(application, "camera (restarts)") == "running (0)")
    cameras.wait(lambda: figure(application, "speed") != "0.0 m/min")
    assert "No flat field was recorded" in banner(application)
    assert figure(application, "memory in use (lines lost)").endswith(")")
    cameras.says(ABOUT, "the line reads it")
    line = cameras.controller.line_camera()
    assert line is not None
    assert line.pid is not None
    assert line.feature("remote", "Width").value == 640, "the preset was applied"
    os.kill(line.pid, signal.SIGKILL)
    cameras.wait(lambda: "is away since" in why(application))
    cameras.wait(lambda: figure(application, "camera (restarts)") == "running (1)")
    cameras.wait(lambda: "is away since" not in why(application))
    session = application.program.roll.session
    assert session is not None
    cameras.wait(lambda: session.snapshot().gaps > 0)
    assert application.program.roll.session_state is State.RUNNING


def test_features_of_the_running_line_are_set_from_the_page(
    begin_at_cameras: BeginAtCameras, quick_bundle_path: Path
) -> None:
    cameras = begin_at_cameras(NO_CAMERA, bundle=quick_bundle_path)
    cameras.choose("aoi", "synthetic-0")
    cameras.set_field("line rate", "800")
    cameras.wait(lambda: cameras.value("AcquisitionLineRate") == "800")
    cameras.press("Start the line")
    cameras.says(ABOUT, "the line reads it")
    assert not cameras.button("Close the camera").isEnabled(), "it is the line's"
    cameras.set_field("exposure", "75")
    cameras.wait(lambda: cameras.value("ExposureTime") == "75")
    line = cameras.controller.line_camera()
    assert line is not None
    assert line.feature("remote", "ExposureTime").value == 75.0
    cameras.stop_roll()
    cameras.says(ABOUT, "No camera is open")


# --- what a page brings


def test_an_open_camera_stays_open_while_another_page_is_shown_and_is_closed_on_demand(
    begin_at_cameras: BeginAtCameras,
) -> None:
    cameras = begin_at_cameras(NO_CAMERA)
    cameras.choose("aoi", "synthetic-0")
    cameras.set_field("gain", "3")
    cameras.wait(lambda: cameras.value("Gain") == "3")
    cameras.application.show_page("line")
    cameras.press_key("camera")
    assert cameras.application.window.page == "cameras"
    assert cameras.controller.cameras.holds_camera
    assert cameras.value("Gain") == "3"
    cameras.press("Close the camera")
    cameras.says(ABOUT, "No camera is open")
    cameras.wait(lambda: not cameras.controller.cameras.holds_camera)


def test_a_choice_is_kept_although_the_page_is_left_at_once(begin_at_cameras: BeginAtCameras) -> None:
    cameras = begin_at_cameras(NO_CAMERA)
    cameras.wait(lambda: cameras.table.rowCount() > 0)
    cameras.table.selectRow(cameras.table.rowCount() - 1)
    cameras.press("Choose")
    cameras.application.show_page("line")
    cameras.wait(lambda: load_settings()[0].camera.serial == "synthetic-0")


def test_cameras_are_searched_again_with_a_key_on_this_page_only(
    begin_at_cameras: BeginAtCameras, qtbot: QtBot
) -> None:
    cameras = begin_at_cameras(NO_CAMERA)
    window = cameras.application.window
    cameras.wait(lambda: cameras.table.rowCount() > 0 and cameras.controller.cameras.state.busy == "")
    before = cameras.controller.cameras.state.revision
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    pressed = QKeySequence("Ctrl+F5")[0]
    QTest.keyClick(window, pressed.key(), pressed.keyboardModifiers())
    cameras.wait(lambda: cameras.controller.cameras.state.revision > before)
    cameras.application.show_page("line")
    assert not window.actions_by_key["find_cameras"].isEnabled()


@pytest.mark.parametrize("tab", [FEATURES, LIGHT, FLAT_FIELD])
def test_no_control_is_cut_off_on_a_small_screen(begin_at_cameras: BeginAtCameras, qtbot: QtBot, tab: int) -> None:
    cameras = begin_at_cameras(NO_CAMERA)
    cameras.choose("aoi", "synthetic-0")
    cameras.show_tab(tab)
    qtbot.wait(100)
    window, page = cameras.application.window, cameras.page
    room = window.screen().availableGeometry()
    assert window.height() <= room.height()
    assert window.width() <= room.width()
    seen = [w for w in page.findChildren(QWidget) if w.isVisible() and isinstance(w, QPushButton | QLineEdit)]
    seen = [w for w in seen if not cameras.tree.isAncestorOf(w)]
    assert len(seen) >= 2
    for widget in seen:
        assert widget.height() >= widget.minimumSizeHint().height()
        assert widget.width() >= widget.minimumSizeHint().width()
        assert page.rect().contains(widget.mapTo(page, widget.rect().topLeft()))
        assert page.rect().contains(widget.mapTo(page, widget.rect().bottomRight()))
