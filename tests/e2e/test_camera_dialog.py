"""The camera dialog on real acquisition processes, drawn off the screen."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLabel, QLineEdit, QPushButton, QTableWidget
from pytestqt.qtbot import QtBot

from aoi_app.app.application import Application
from aoi_app.camera_setup.service import CameraService
from aoi_app.camera_setup.state import FeatureRow, feature_row, line_scan_panel, visible
from aoi_app.live.state import State
from aoi_app.records.database import open_database
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import CameraChoice, Settings, load_settings
from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.camera.device import SYNTHETIC, CameraConfig
from aoi_app.sources.camera.discovery import package_producer
from aoi_app.sources.camera.features import Feature, Setting
from aoi_app.sources.factory import SourceChoice
from aoi_app.ui.camera.camera_dialog import CameraDialog

PATIENCE_MS = 30_000


class Bench:
    """A dialog, its desk, and a line that may read a camera."""

    def __init__(self, qtbot: QtBot) -> None:
        self.line: CameraBlocks | None = None
        self.kept: list[tuple[str, str, str]] = []
        self._bot = qtbot
        self.desk = CameraService(CameraChoice(), lambda: self.line)
        self.dialog = CameraDialog(self.desk)
        self.dialog.chosen.connect(lambda *now: self.kept.append(now))
        qtbot.addWidget(self.dialog)
        self.dialog.show()

    @property
    def table(self) -> QTableWidget:
        found = self.dialog.findChild(QTableWidget)
        assert found is not None
        return found

    def words(self, name: str) -> str:
        (label,) = [x for x in self.dialog.findChildren(QLabel) if x.accessibleName() == name]
        return label.text()

    def field(self, name: str) -> QLineEdit:
        (found,) = [x for x in self.dialog.findChildren(QLineEdit) if x.accessibleName() == name]
        return found

    def press(self, text: str) -> None:
        (found,) = [x for x in self.dialog.findChildren(QPushButton) if x.text().replace("&", "") == text]
        assert found.isEnabled()
        found.click()

    def choose(self, vendor: str, serial: str) -> None:
        self.wait(lambda: self.table.rowCount() > 0)
        for row in range(self.table.rowCount()):
            if (self.table.item(row, 0).text(), self.table.item(row, 2).text()) == (vendor, serial):
                self.table.selectRow(row)
                self.press("Choose")
                self.wait(lambda: self.row("Width") is not None)
                return
        raise AssertionError(f"there is no {vendor} {serial}")

    def row(self, name: str) -> FeatureRow | None:
        return next((r for r in self.desk.view().rows if r.label == name), None)

    def value(self, name: str) -> str:
        row = self.row(name)
        return row.value if row is not None else ""

    def show_level(self, level: str) -> None:
        (levels,) = [c for c in self.dialog.findChildren(QComboBox) if c.accessibleName() == "Visibility"]
        levels.setCurrentText(level)

    def error(self, name: str) -> str:
        return self.desk.view().errors.get(("remote", name), "")

    def shown(self, name: str, column: int) -> str:
        found = self.dialog.tree.findItems(name, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive, 0)
        return found[0].text(column) if found else ""

    def wait(self, until: Callable[[], bool]) -> None:
        self._bot.waitUntil(until, timeout=PATIENCE_MS)


@pytest.fixture
def bench(qtbot: QtBot) -> Iterator[Bench]:
    made = Bench(qtbot)
    yield made
    made.desk.close()
    made.wait(lambda: not made.desk.holds_camera)


def test_all_cameras_of_all_producers_are_listed(bench: Bench) -> None:
    if package_producer() is None:
        pytest.skip("the package genicam has no producer on this system")
    bench.wait(lambda: bench.table.rowCount() == 4)
    listed = [[bench.table.item(r, c).text() for c in range(5)] for r in range(4)]
    assert [row[1:3] for row in listed] == [["Viky", "0"], ["Viky", "1"], ["Viky", "2"], ["Synthetic line scan",
                                                                                         "synthetic-0"]]  # fmt: skip
    assert all(row[4] == "free" for row in listed)
    assert bench.words("State of the camera") == "No camera is open. Select one and choose it."


def test_a_value_is_set_and_one_out_of_range_is_refused_in_the_words_of_the_camera(bench: Bench, qtbot: QtBot) -> None:
    if package_producer() is None:
        pytest.skip("the package genicam has no producer on this system")
    bench.choose("Machine Vision Games Ltd.", "1")
    bench.wait(lambda: bench.shown("Width", 1) != "")
    width = bench.field("width")
    width.setText("640")
    qtbot.keyClick(width, Qt.Key.Key_Return)
    bench.wait(lambda: bench.value("Width") == "640" and bench.shown("Width", 1) == "640")
    width = bench.field("width")
    width.setText("99999")
    qtbot.keyClick(width, Qt.Key.Key_Return)
    bench.wait(lambda: bench.error("Width") != "")
    assert bench.error("Width") == "Width (remote) = 99999 is out of range: 100 to 800."
    bench.wait(lambda: bench.shown("Width", 6) == bench.error("Width"))
    assert bench.value("Width") == "640"
    assert bench.kept[-1][1:] == ("1", "")


def test_the_tree_edits_what_can_be_written_and_is_searched(bench: Bench, qtbot: QtBot) -> None:
    bench.choose("aoi", "synthetic-0")
    bench.wait(lambda: bench.shown("Gain", 1) != "")
    tree = bench.dialog.tree
    bench.field("Search features").setText("gain")
    bench.wait(lambda: bench.shown("Width", 0) == "")
    (item,) = tree.findItems("Gain", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive, 0)
    tree.setCurrentItem(item, 1)
    tree.editItem(item, 1)
    editor = next(e for e in tree.viewport().findChildren(QLineEdit))
    editor.setText("2.5")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    bench.wait(lambda: bench.value("Gain") == "2.5")
    bench.field("Search features").setText("")
    bench.show_level("Beginner")
    assert bench.shown("Crash", 0) == ""
    bench.show_level("Guru")
    assert bench.shown("Crash", 0) == "Crash"
    scan = tree.findItems("DeviceScanType", Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive, 0)[0]
    assert not scan.flags() & Qt.ItemFlag.ItemIsEditable


def test_a_command_that_kills_the_camera_is_said_and_it_can_be_chosen_again(bench: Bench) -> None:
    bench.choose("aoi", "synthetic-0")
    bench.show_level("Guru")
    bench.wait(lambda: bench.shown("Crash", 0) != "")
    (crash,) = [b for b in bench.dialog.findChildren(QPushButton) if b.accessibleName() == "Execute Crash"]
    crash.click()
    bench.wait(lambda: "went away and was closed" in bench.words("Messages of the camera"))
    bench.choose("aoi", "synthetic-0")
    assert bench.value("Width") == "2048"


def test_a_preset_is_saved_loaded_and_its_differences_are_listed(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "camera.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    bench.choose("aoi", "synthetic-0")
    bench.wait(lambda: bench.shown("Gain", 1) != "")
    bench.press("Save preset…")
    bench.wait(lambda: "written to" in bench.words("Messages of the camera"))
    kept = json.loads(path.read_text())
    assert {"node_map": "remote", "name": "Width", "value": 2048} in kept["features"]
    kept["camera"]["model"] = "Other"
    for feature in kept["features"]:
        if feature["name"] == "Width":
            feature["value"] = 1024
    kept["features"].append({"node_map": "remote", "name": "LensHeater", "value": 1})
    path.write_text(json.dumps(kept))
    bench.press("Load preset…")
    bench.wait(lambda: "LensHeater" in bench.words("Messages of the camera"))
    said = bench.words("Messages of the camera")
    assert "this camera is aoi Synthetic line scan" in said
    assert "The camera has no feature LensHeater" in said
    bench.wait(lambda: bench.value("Width") == "1024")
    assert bench.kept[-1] == (SYNTHETIC, "synthetic-0", str(path))
    path.write_text("nothing")
    bench.press("Load preset…")
    bench.wait(lambda: "is not a camera preset" in bench.words("Messages of the camera"))


def test_while_the_line_runs_its_camera_is_the_one_that_is_set(bench: Bench) -> None:
    config = CameraConfig(SYNTHETIC, settings=(Setting("remote", "Height", 16),), ring_bytes=2**21)
    with CameraBlocks(config) as line:
        bench.line = line
        bench.wait(lambda: "read by the line" in bench.words("State of the camera"))
        bench.desk.write(("remote", "ExposureTime"), "75", stops=False)
        bench.wait(lambda: bench.value("ExposureTime") == "75")
        assert line.feature("remote", "ExposureTime").value == 75.0
        bench.line = None
        bench.wait(lambda: bench.words("State of the camera").startswith("No camera is open"))


@pytest.fixture
def application(
    qapp: QApplication, qtbot: QtBot, bundle_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Application]:
    """The program with its window at rest."""
    monkeypatch.setattr(qapp, "quit", lambda: None)
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    made = Application(qapp, Settings(), engine, SourceChoice("loom"), bundle_path, Recipe(), "cpu", "float32")
    made.window.show()
    yield made
    _kept.append(made)
    made.close()
    qtbot.waitUntil(lambda: made.is_at_rest and not made.window.isVisible(), timeout=PATIENCE_MS)
    qtbot.wait(200)  # the desk ends


_kept: list[Application] = []  # their timers may still fire after the test


def test_the_line_starts_with_the_chosen_camera_and_the_window_tells_when_it_goes_away(
    application: Application, qtbot: QtBot, tmp_path: Path
) -> None:
    window = application.window

    def figure(name: str) -> str:
        (label,) = [x for x in window.findChildren(QLabel) if x.accessibleName() == name]
        return label.text() if label.isVisibleTo(window) else ""

    def banner() -> str:
        label = window.findChild(QLabel, "banner")
        assert isinstance(label, QLabel)
        return label.text()

    def wait(until: Callable[[], bool]) -> None:
        qtbot.waitUntil(until, timeout=2 * PATIENCE_MS)

    assert figure("camera (restarts)") == ""
    window.actions_by_key["camera"].trigger()
    (dialog,) = window.findChildren(CameraDialog)
    desk = application.cameras.desk
    assert desk is not None
    desk.choose(SYNTHETIC, "line-7")
    for name, value in (("Width", "640"), ("Height", "64"), ("AcquisitionLineRate", "800")):
        desk.write(("remote", name), value, stops=False)
    desk.save_preset(str(tmp_path / "line-7.json"))
    wait(lambda: load_settings()[0].camera.preset == str(tmp_path / "line-7.json"))
    assert load_settings()[0].camera.serial == "line-7"
    (start,) = [b for b in dialog.findChildren(QPushButton) if "Start" in b.text()]
    wait(start.isEnabled)
    start.click()
    wait(lambda: figure("camera (restarts)") == "running (0)" and figure("speed") != "0.0 m/min")
    assert "No flat field was recorded" in banner()
    assert figure("memory in use (lines lost)").endswith(")")
    wait(lambda: desk.view().on_the_line)
    line = application.cameras.of_the_line()
    assert line is not None
    assert line.pid is not None
    assert line.feature("remote", "Width").value == 640, "the preset was applied"
    os.kill(line.pid, signal.SIGKILL)
    wait(lambda: "is away since" in banner())
    wait(lambda: figure("camera (restarts)") == "running (1)")
    wait(lambda: "is away since" not in banner())
    assert application.program.roll.session is not None
    wait(lambda: application.program.roll.session.snapshot().gaps > 0)
    assert application.program.roll.session_state is State.RUNNING
    dialog.close()


def rows_of(*names: str, level: str = "Beginner") -> list[FeatureRow]:
    return [
        feature_row(Feature(m, n, n, ("Some",), "integer", 1, "RW", level, 0, 9))  # type: ignore[arg-type]
        for m, n in (name.split(".") for name in names)
    ]


def test_the_panel_takes_the_cameras_own_first_and_says_what_is_lacking() -> None:
    panel = {p.caption: p for p in line_scan_panel(rows_of("stream.Height", "stream.Width", "remote.Width",
                                                           "remote.ExposureTimeAbs"))}  # fmt: skip
    assert panel["width"].feature is not None
    assert panel["width"].feature.key == ("remote", "Width")
    assert panel["lines per frame"].feature is not None
    assert panel["lines per frame"].feature.key == ("stream", "Height")
    assert panel["exposure"].feature is not None
    assert panel["gain"].lack == "it has no Gain"


def test_levels_include_those_below_and_the_search_looks_at_categories() -> None:
    rows = rows_of("remote.Width") + rows_of("remote.Deep", level="Expert")
    assert [r.label for r in visible(rows, "", "Beginner")] == ["Width"]
    assert [r.label for r in visible(rows, "", "Guru")] == ["Width", "Deep"]
    assert [r.label for r in visible(rows, "dEE", "Guru")] == ["Deep"]
    assert len(visible(rows, "some", "Expert")) == 2
