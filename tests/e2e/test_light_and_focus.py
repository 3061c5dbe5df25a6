"""Setting up light and focus, the flat field, and the scale, in the window and from the command line."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from aoi_process import CommandLine
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QDoubleSpinBox, QLabel, QMessageBox, QPushButton, QSpinBox
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine

from aoi_app.app.application import Application
from aoi_app.camera_setup.focus_state import Phase, thinned
from aoi_app.records.database import open_database
from aoi_app.settings.folders import flat_fields_folder
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import CameraChoice, Settings
from aoi_app.sources.acquisition.blocks import CameraBlocks
from aoi_app.sources.camera.discovery import package_producer
from aoi_app.sources.camera.features import Setting
from aoi_app.sources.camera_factory import make_camera_source
from aoi_app.sources.chosen_camera import config_of, setup_of
from aoi_app.sources.factory import SourceChoice
from aoi_app.sources.flat_field.correction import non_uniformity
from aoi_app.sources.flat_field.file import flat_field_path, read_flat_field
from aoi_app.sources.frame import Frame
from aoi_app.ui.camera.setup_dialog import SetupDialog
from aoi_app.ui.settings.scale_dialog import ScaleDialog

PATIENCE_MS = 120_000
SYNTHETIC = CameraChoice(producer="synthetic", serial="17")

_kept: list[Application] = []  # their timers may still fire after the test
Begin = Callable[..., Application]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def begin(qapp: QApplication, qtbot: QtBot, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Makes the program with its window; no roll begins."""
    monkeypatch.setattr(qapp, "quit", lambda: None)  # the tests go on
    made: list[Application] = []

    def make(
        camera: CameraChoice = SYNTHETIC,
        choice: SourceChoice | None = None,
        bundle: Path = Path("none.cras"),
        recipe: Recipe | None = None,
    ) -> Application:
        settings, source = Settings(camera=camera), choice or SourceChoice()
        application = Application(qapp, settings, engine, source, bundle, recipe or Recipe(), "cpu", "float32")
        made.append(application)
        application.window.show()
        qtbot.waitExposed(application.window)
        return application

    yield make
    for application in made:
        _kept.append(application)
        application.close()
        qtbot.waitUntil(partial(is_gone, application), timeout=PATIENCE_MS)
    assert multiprocessing.active_children() == []
    assert [t.name for t in threading.enumerate() if t.name == "camera aid"] == []


def is_gone(application: Application) -> bool:
    return application.is_at_rest and not application.window.isVisible()


def opened(application: Application) -> SetupDialog:
    application.window.actions_by_key["set_up"].trigger()
    (dialog,) = [d for d in application.window.findChildren(SetupDialog) if d.isVisible()]
    return dialog


def text(dialog: SetupDialog | ScaleDialog, name: str) -> str:
    (label,) = [x for x in dialog.findChildren(QLabel) if x.accessibleName() == name]
    return label.text()


def button(dialog: SetupDialog, words: str) -> QPushButton:
    (found,) = [b for b in dialog.findChildren(QPushButton) if b.text().replace("&", "").startswith(words)]
    return found


def press(qtbot: QtBot, dialog: SetupDialog, words: str) -> None:
    qtbot.waitUntil(button(dialog, words).isEnabled, timeout=PATIENCE_MS)
    button(dialog, words).click()


def says(qtbot: QtBot, dialog: SetupDialog, words: str) -> None:
    qtbot.waitUntil(lambda: words in text(dialog, "State of the camera"), timeout=PATIENCE_MS)


def is_live(qtbot: QtBot, dialog: SetupDialog) -> None:
    qtbot.waitUntil(lambda: text(dialog, "Sharpness") != "–", timeout=PATIENCE_MS)


def look_at(application: Application, scene: str) -> None:
    """What the synthetic camera sees."""
    assert application.cameras.aid is not None
    blocks = application.cameras.aid.blocks
    assert blocks is not None
    blocks.write(Setting("remote", "Scene", scene))


def record(qtbot: QtBot, application: Application, dialog: SetupDialog, reference: str, scene: str) -> None:
    look_at(application, scene)
    qtbot.wait(300)  # blocks of the scene before
    (lines,) = [b for b in dialog.findChildren(QSpinBox) if b.accessibleName() == "Lines to record"]
    lines.setValue(1024)
    press(qtbot, dialog, f"Record {reference}")


def close(qtbot: QtBot, application: Application, dialog: SetupDialog) -> None:
    dialog.reject()
    qtbot.waitUntil(lambda: application.is_at_rest, timeout=PATIENCE_MS)
    assert multiprocessing.active_children() == []


def test_light_and_focus_of_the_running_camera_are_shown(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    dialog = opened(application)
    assert text(dialog, "State of the camera") == "Opening the camera …"
    is_live(qtbot, dialog)
    assert 0 < float(text(dialog, "Sharpness")) <= float(text(dialog, "Best sharpness")) <= 1
    assert text(dialog, "Remarks on light and focus") == "Light and focus raise no remark."
    look_at(application, "Dark")
    qtbot.waitUntil(lambda: "The picture is dim" in text(dialog, "Remarks on light and focus"), timeout=PATIENCE_MS)
    assert float(text(dialog, "Best sharpness")) > 0.5, "the best is held"
    button(dialog, "Look for the best").click()
    qtbot.waitUntil(lambda: text(dialog, "Best sharpness") == "–", timeout=PATIENCE_MS)
    look_at(application, "Cloth")
    qtbot.waitUntil(lambda: text(dialog, "Best sharpness") != "–", timeout=PATIENCE_MS)
    close(qtbot, application, dialog)


def test_a_flat_field_is_recorded_saved_and_used_by_the_line(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    dialog = opened(application)
    is_live(qtbot, dialog)
    assert text(dialog, "Stored flat field") == "No flat field is stored for this camera."
    record(qtbot, application, dialog, "dark", "Dark")
    says(qtbot, dialog, "The dark is recorded.")
    record(qtbot, application, dialog, "white", "White")
    says(qtbot, dialog, "The white is recorded. Its brightness differed by ")
    qtbot.waitUntil(lambda: "that was just recorded" in text(dialog, "Evenness"), timeout=PATIENCE_MS)
    press(qtbot, dialog, "Save")
    says(qtbot, dialog, "The flat field is saved")
    assert "camera 17" in text(dialog, "Stored flat field")
    assert "exposure 50 us" in text(dialog, "Stored flat field")
    close(qtbot, application, dialog)

    flat = read_flat_field(flat_field_path(flat_fields_folder(), "17"))
    assert non_uniformity(flat.white) > 20
    assert 0.9 * 0.01 * 255 < flat.dark.mean() < 1.1 * 0.03 * 255
    config = config_of("synthetic", "17")
    with CameraBlocks(config) as blocks:
        setup = setup_of(blocks)
        blocks.write(Setting("remote", "Scene", "White"))
    source, remarks = make_camera_source(CameraBlocks(config), setup, Recipe(), flat_fields=flat_fields_folder())
    assert remarks == []
    with source:
        blocks = source._blocks
        assert isinstance(blocks, CameraBlocks)
        blocks.write(Setting("remote", "Scene", "White"))
        frames = [f for f in (source.read(1.0) for _ in range(40)) if isinstance(f, Frame)]
    assert non_uniformity(frames[-1].image.mean(axis=0)) < 1.0


def test_what_makes_no_flat_field_is_refused_and_loses_nothing(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    dialog = opened(application)
    is_live(qtbot, dialog)
    record(qtbot, application, dialog, "dark", "White")
    says(qtbot, dialog, "The dark is recorded.")
    record(qtbot, application, dialog, "white", "Dark")
    says(qtbot, dialog, "White is hardly brighter than dark")
    assert not button(dialog, "Save").isEnabled()
    record(qtbot, application, dialog, "dark", "Dark")
    says(qtbot, dialog, "The dark is recorded.")
    record(qtbot, application, dialog, "white", "White")
    says(qtbot, dialog, "The white is recorded.")
    press(qtbot, dialog, "Discard")
    says(qtbot, dialog, "discarded")
    close(qtbot, application, dialog)
    assert not flat_fields_folder().exists()


def test_a_flat_field_of_another_exposure_is_said_and_can_be_removed(
    begin: Begin, qtbot: QtBot, tmp_path: Path
) -> None:
    application = begin()
    dialog = opened(application)
    is_live(qtbot, dialog)
    record(qtbot, application, dialog, "white", "White")
    says(qtbot, dialog, "The white is recorded.")
    press(qtbot, dialog, "Save")
    says(qtbot, dialog, "is saved")
    close(qtbot, application, dialog)
    preset = tmp_path / "preset.json"
    values = {"ExposureTime": 80.0, "Width": 1024}
    features = [{"node_map": "remote", "name": k, "value": v} for k, v in values.items()]
    preset.write_text(json.dumps({"features": features}))
    other = begin(SYNTHETIC.model_copy(update={"preset": str(preset)}))
    again = opened(other)
    is_live(qtbot, again)
    stored = partial(text, again, "Stored flat field")
    qtbot.waitUntil(lambda: "for lines of 2048 px" in stored(), timeout=PATIENCE_MS)
    assert "The exposure was 50 when the flat field was recorded and is 80; record it again." in stored()
    press(qtbot, again, "Remove")
    says(qtbot, again, "The flat field is removed.")
    assert stored() == "No flat field is stored for this camera."
    close(qtbot, other, again)


@pytest.mark.parametrize("phase", [Phase.OPENING, Phase.LIVE, Phase.DARK, Phase.WHITE, Phase.FAILED])
def test_closing_in_any_phase_leaves_nothing_running(begin: Begin, qtbot: QtBot, phase: Phase) -> None:
    serial = "missing" if phase is Phase.FAILED else "17"
    application = begin(CameraChoice(producer="synthetic", serial=serial))
    dialog = opened(application)
    aid = application.cameras.aid
    assert aid is not None
    if phase is Phase.FAILED:
        says(qtbot, dialog, "There is no synthetic camera 'missing'")
    elif phase is not Phase.OPENING:
        is_live(qtbot, dialog)
    if phase.is_recording:
        aid.record("dark" if phase is Phase.DARK else "white", 1_000_000)
        qtbot.waitUntil(lambda: aid.snapshot().progress > 0, timeout=PATIENCE_MS)
        assert aid.snapshot().phase is phase
    close(qtbot, application, dialog)


def test_leaving_the_program_closes_the_camera(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    is_live(qtbot, opened(application))
    application.close()
    qtbot.waitUntil(partial(is_gone, application), timeout=PATIENCE_MS)


@pytest.mark.parametrize("answer", ["Save", "Discard", "Cancel"])
def test_closing_asks_before_a_flat_field_is_lost(
    begin: Begin, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    application = begin()
    dialog = opened(application)
    is_live(qtbot, dialog)
    record(qtbot, application, dialog, "white", "White")
    says(qtbot, dialog, "The white is recorded.")
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton[answer])
    dialog.reject()
    if answer == "Cancel":
        assert dialog.isVisible()
        press(qtbot, dialog, "Discard")
        says(qtbot, dialog, "discarded")
        dialog.reject()
    qtbot.waitUntil(lambda: application.is_at_rest, timeout=PATIENCE_MS)
    assert flat_field_path(flat_fields_folder(), "17").exists() == (answer == "Save")


def test_a_flat_field_that_cannot_be_written_keeps_the_dialog_open(
    begin: Begin, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = begin()
    dialog = opened(application)
    is_live(qtbot, dialog)
    record(qtbot, application, dialog, "white", "White")
    says(qtbot, dialog, "The white is recorded.")
    flat_fields_folder().parent.mkdir(parents=True, exist_ok=True)
    flat_fields_folder().write_text("in the way")
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Save)
    dialog.reject()
    says(qtbot, dialog, "cannot be written")
    assert dialog.isVisible()
    flat_fields_folder().unlink()
    dialog.reject()
    qtbot.waitUntil(lambda: application.is_at_rest, timeout=PATIENCE_MS)
    assert read_flat_field(flat_field_path(flat_fields_folder(), "17")).lines >= 1024


def test_a_camera_that_falls_silent_ends_the_recording(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    dialog = opened(application)
    is_live(qtbot, dialog)
    assert application.cameras.aid is not None
    assert application.cameras.aid.blocks is not None
    application.cameras.aid.blocks.write(Setting("remote", "TriggerMode", "On"))
    application.cameras.aid.record("dark", 1_000_000)
    says(qtbot, dialog, "Too few lines came from the camera; the dark is not recorded. Nothing comes from the camera.")
    application.cameras.aid.blocks.write(Setting("remote", "TriggerMode", "Off"))
    press(qtbot, dialog, "Record dark")
    says(qtbot, dialog, "The dark is recorded.")
    close(qtbot, application, dialog)


def test_a_camera_that_dies_meanwhile_is_said_and_comes_back(begin: Begin, qtbot: QtBot) -> None:
    application = begin()
    dialog = opened(application)
    is_live(qtbot, dialog)
    aid = application.cameras.aid
    assert aid is not None
    aid.record("white", 1_000_000)
    qtbot.waitUntil(lambda: aid.snapshot().phase is Phase.WHITE, timeout=PATIENCE_MS)
    (process,) = multiprocessing.active_children()
    process.kill()
    says(qtbot, dialog, "The camera was away meanwhile")
    assert aid.snapshot().phase is Phase.LIVE
    press(qtbot, dialog, "Record white")
    says(qtbot, dialog, "The white is recorded.")
    press(qtbot, dialog, "Discard")
    says(qtbot, dialog, "discarded")
    (process,) = multiprocessing.active_children()
    process.kill()
    says(qtbot, dialog, "Look at its cable")
    says(qtbot, dialog, "17 is running.")
    close(qtbot, application, dialog)


def test_a_real_producer_is_shown(begin: Begin, qtbot: QtBot) -> None:
    producer = package_producer()
    if producer is None:
        pytest.skip("the package genicam has no producer on this system")
    application = begin(CameraChoice(producer=str(producer)))
    dialog = opened(application)
    is_live(qtbot, dialog)
    assert "saturated" in text(dialog, "Remarks on light and focus")
    press(qtbot, dialog, "Record white")
    says(qtbot, dialog, "The white reference is saturated")
    close(qtbot, application, dialog)


def test_a_roll_on_the_camera_must_be_stopped_first(
    begin: Begin, qtbot: QtBot, bundle_path: Path, tmp_path: Path
) -> None:
    looms = [{"source": "loom:plain"}, {"source": "loom:plain", "overlap_px": 1024}]
    (tmp_path / "web.json").write_text(json.dumps({"cameras": looms}))
    application = begin(choice=SourceChoice(f"side-by-side:{tmp_path / 'web.json'}"), bundle=bundle_path)
    application.begin()
    qtbot.waitUntil(application.window.actions_by_key["stop"].isEnabled, timeout=PATIENCE_MS)
    application.window.actions_by_key["set_up"].trigger()
    assert "Stop it first" in banner(application)
    assert application.window.findChildren(SetupDialog) == []
    application.program.roll.stop()
    application.program.roll.stop()
    qtbot.waitUntil(lambda: application.is_at_rest, timeout=PATIENCE_MS)
    dialog = opened(application)
    application.program.roll.start()  # waits until the camera is free
    is_live(qtbot, dialog)
    dialog.reject()
    qtbot.waitUntil(application.window.actions_by_key["stop"].isEnabled, timeout=PATIENCE_MS)


def test_a_thinned_curve_keeps_its_peaks() -> None:
    curve = np.zeros((8192, 3), np.float32)
    curve[4000, 1], curve[5000, 2] = 250, -3
    columns, lowest, mean, highest = thinned(curve)
    assert len(columns) == 1024
    assert columns[np.argmax(highest)] == pytest.approx(4000, abs=8)
    assert (lowest.min(), highest.max()) == (-3, 250)
    assert mean.mean() == pytest.approx(curve.mean(), rel=1e-4)


# --- ruler


def banner(application: Application) -> str:
    label = application.window.findChild(QLabel, "banner")
    assert isinstance(label, QLabel)
    return label.text() if label.isVisible() else ""


def at(application: Application, x_px: float, line: float) -> QPoint:
    """Where a place of the web is in the view."""
    plot = application.line.page.live_view._plot
    return plot.mapFromScene(plot.getViewBox().mapViewToScene(QPointF(x_px, line)))


def click(application: Application, qtbot: QtBot, x_px: float, line: float) -> None:
    viewport = application.line.page.live_view._plot.viewport()
    QTest.mouseMove(viewport, at(application, x_px, line))
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at(application, x_px, line))
    qtbot.wait(20)


def test_measuring_needs_cloth(begin: Begin) -> None:
    application = begin()
    action = application.window.actions_by_key["measure"]
    action.trigger()
    assert "no cloth on the screen" in banner(application)
    assert not action.isChecked()


@pytest.mark.parametrize(
    ("ends", "length_mm", "before", "after"),
    [
        (((200, 600), (1200, 600)), 150.0, Recipe(), Recipe(mm_per_px=0.15)),
        (((700, 300), (700, 900)), 60.0, Recipe(), Recipe(mm_per_line=0.1)),
    ],
)
def test_two_clicks_on_a_ruler_give_the_scale_of_the_next_roll(
    begin: Begin,
    qtbot: QtBot,
    bundle_path: Path,
    ends: tuple[tuple[float, float], tuple[float, float]],
    length_mm: float,
    before: Recipe,
    after: Recipe,
) -> None:
    source = SourceChoice("loom:plain", lines_per_s=1e5, seed=12, lines=1100)
    application = begin(choice=source, bundle=bundle_path, recipe=before)
    application.begin()
    qtbot.waitUntil(lambda: application.line.page.table.model().rowCount() > 0, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: application.is_at_rest, timeout=PATIENCE_MS)
    qtbot.wait(150)  # the views take the last news at the next ticks
    view, action = application.line.page.live_view, application.window.actions_by_key["measure"]
    view.jump(600, 700)
    action.trigger()
    assert "two ends of a known length" in banner(application)
    for x_px, line in ends:
        click(application, qtbot, x_px, line)
    qtbot.waitUntil(lambda: bool(application.window.findChildren(ScaleDialog)), timeout=PATIENCE_MS)
    (dialog,) = application.window.findChildren(ScaleDialog)
    ok = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    assert not ok.isEnabled()
    length = dialog.findChild(QDoubleSpinBox)
    length.setValue(9e4)
    assert "more than 10 mm cannot be" in text(dialog, "Scale")
    assert not ok.isEnabled()
    length.setValue(length_mm)
    assert ok.isEnabled()
    ok.click()
    pixel = 2 * np.hypot(*view._box.viewPixelSize()) / 600  # as exactly as the screen shows it
    assert application.program.recipes.book.line.mm_per_px == pytest.approx(after.mm_per_px, rel=pixel)
    assert application.program.recipes.book.line.line_mm == pytest.approx(after.line_mm, rel=pixel)
    assert "holds from the next roll on" in banner(application)
    assert not action.isChecked()
    click(application, qtbot, 300, 500)
    assert [d for d in application.window.findChildren(ScaleDialog) if d.isVisible()] == []


# --- without a window


def test_focus_is_printed_once_a_second(aoi: CommandLine) -> None:
    done = aoi("camera", "focus", "--producer", "synthetic", "--seconds", "2.2")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 2
    assert all(line.startswith("sharpness 0.") and "best 0." in line for line in done.stdout.splitlines())


def test_a_flat_field_is_recorded_shown_and_removed_without_a_window(aoi: CommandLine, tmp_path: Path) -> None:
    preset = tmp_path / "white.json"
    preset.write_text(json.dumps({"features": [{"node_map": "remote", "name": "Scene", "value": "White"}]}))
    camera = ("--producer", "synthetic", "--serial", "7")

    def flat_field(*arguments: object) -> tuple[int, str]:
        done = aoi("camera", "flat-field", *arguments, typed="\n\n")
        return done.returncode, done.stdout + done.stderr

    assert "There is no flat field" in flat_field("show", *camera)[1]
    status, said = flat_field("record", *camera, "--preset", preset, "--no-dark", "--lines", "512")
    assert status == 0, said
    assert "mean of 512 lines" in said
    assert "after." in said
    status, said = flat_field("show", *camera)
    assert status == 0, said
    assert "camera 7, recorded" in said
    status, said = flat_field("record", *camera, "--lines", "512")
    assert status == 2
    assert "White is hardly brighter than dark" in said
    assert flat_field("remove", *camera)[0] == 0
    status, said = flat_field("remove", *camera)
    assert status == 2
    assert "There is no flat field" in said
