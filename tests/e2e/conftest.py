"""What the tests of the whole program share."""

from __future__ import annotations

import multiprocessing
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aoi_process import CommandLine
from cameras_tools import BeginAtCameras, Cameras
from mill import Mill
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot
from shared import SMALL, Shared
from sqlalchemy import Engine
from window_tools import LOOM, Begin, close

from aoi_app.app.application import Application
from aoi_app.live.model_loader import ChooseModel
from aoi_app.records.database import open_database
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import CameraChoice, Settings
from aoi_app.sources.source_choice import SourceChoice
from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.data.folders import find_normal_images

WITHOUT_TEST_PIECE = Recipe(proof_every_m=0.0)
"""A test piece at the start of every short roll would take a quarter of the time."""

SYNTHETIC = CameraChoice(producer="synthetic", serial="17")


@pytest.fixture
def aoi(tmp_path: Path) -> Iterator[CommandLine]:
    """The command line of the program."""
    line = CommandLine(tmp_path)
    yield line
    line.end()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database of its own for every test."""
    engine = open_database(f"sqlite:///{tmp_path / 'records.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def program(qapp: QApplication, qtbot: QtBot, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Makes the program with its window; without a model, unless one is given."""
    monkeypatch.setattr(qapp, "quit", lambda: None)  # the tests go on
    made: list[Application] = []

    def make(
        choice: SourceChoice = LOOM,
        bundle: Path = Path("none.cras"),
        recipe: Recipe | None = None,
        choose_model: ChooseModel | None = None,
    ) -> Application:
        application = Application(
            qt=qapp,
            settings=Settings(),
            engine=engine,
            choice=choice,
            bundle=bundle,
            recipe=recipe or WITHOUT_TEST_PIECE,
            device="cpu",
            precision="float32",
            choose_model=choose_model,
        )
        made.append(application)
        application.window.show()
        qtbot.waitExposed(application.window)
        return application

    yield make
    for application in made:
        close(qtbot, application)


@pytest.fixture(scope="session")
def quick_bundle_path(loom_data: Path, shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that looks at pictures of half the size: enough to fill a table, in a third of the time."""
    normal = [n for n in find_normal_images(loom_data) if n.fabric in ("plain", "twill")]
    made = shared.model_file(normal, with_settings(cloth(), SMALL | {"backbone.input_scale": "0.5"}))
    return Path(shutil.copy(made, tmp_path_factory.mktemp("quick") / "small.cras"))


@pytest.fixture
def begin(program: Begin, quick_bundle_path: Path) -> Begin:
    """Makes the program with its window and begins a roll."""

    def make(
        choice: SourceChoice = LOOM,
        bundle: Path | None = None,
        recipe: Recipe | None = None,
        *,
        start: bool = True,
    ) -> Application:
        application = program(choice, bundle or quick_bundle_path, recipe)
        if start:
            application.begin()
        return application

    return make


@pytest.fixture
def begin_at_cameras(
    qapp: QApplication, qtbot: QtBot, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BeginAtCameras]:
    """Makes the program with its page of cameras; no roll begins. At the end no camera may be open any more."""
    monkeypatch.setattr(qapp, "quit", lambda: None)  # the tests go on
    made: list[Application] = []

    def make(
        camera: CameraChoice = SYNTHETIC,
        choice: SourceChoice | None = None,
        bundle: Path = Path("none.cras"),
    ) -> Cameras:
        settings, source = Settings(camera=camera), choice or SourceChoice()
        application = Application(qapp, settings, engine, source, bundle, Recipe(), "cpu", "float32")
        made.append(application)
        application.window.show()
        qtbot.waitExposed(application.window)
        return Cameras(application, qtbot)

    yield make
    for application in made:
        close(qtbot, application)
    assert multiprocessing.active_children() == []
    qtbot.waitUntil(lambda: not {"cameras", "light and focus"} & {t.name for t in threading.enumerate()})


@pytest.fixture
def mill(tmp_path: Path, qtbot: QtBot, program: Begin, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mill]:
    """A store of samples; ``open`` shows it. A question that a test does not expect ends it instead of waiting."""
    mill = Mill(tmp_path, qtbot, program)

    def reply(box: QMessageBox) -> QMessageBox.StandardButton:  # a function, so that it is given the box
        return mill.reply(box)

    monkeypatch.setattr(QMessageBox, "exec", reply)
    yield mill
    mill.answer = QMessageBox.StandardButton.Discard  # labels that could not be saved
