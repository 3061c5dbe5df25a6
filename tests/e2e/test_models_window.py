"""An engineer teaches a fabric, compares models and goes back, in the real window with real stores."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QMessageBox
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import ENDLESS, PATIENCE_MS, Begin, banner, inspecting, over, press, state

from aoi_app.app.application import Application
from aoi_app.learning.state import ModelView
from aoi_app.records.reading import read_roll
from aoi_app.settings.folders import library_folder, models_folder, recipes_folder
from aoi_app.settings.recipe_store import load_recipes
from aoi_app.ui.models.pages import ModelPages
from cras_core.data.samples.store import SampleStore
from cras_core.registry.bundle import Bundle
from cras_core.registry.store import ModelStore


@pytest.fixture
def samples(cloth_samples: SampleStore) -> SampleStore:
    """Satin only, which the line's model does not know, and plain, which it does."""
    for fabric in ("plain", "satin"):
        shutil.copytree(cloth_samples.folder(fabric), library_folder() / fabric)
    return SampleStore(library_folder())


def pages(application: Application) -> ModelPages:
    assert application.samples.teaching is not None
    return application.samples.teaching.pages


def view(application: Application) -> ModelView:
    assert application.samples.teaching is not None
    return application.samples.teaching.desk.view()


def model_of(application: Application) -> str:
    """Identity of the line's model; empty while none is loaded."""
    loaded = application.program.line_model.loaded
    return loaded.identity if loaded is not None else ""


def until(qtbot: QtBot, is_so: Callable[[], object]) -> None:
    qtbot.waitUntil(lambda: bool(is_so()), timeout=PATIENCE_MS)


def label(application: Application, name: str) -> str:
    assert application.samples.enrolment is not None
    found = [x for x in application.samples.enrolment[2].findChildren(QLabel) if x.accessibleName() == name]
    return " ".join(x.text() for x in found if x.isVisible())


def show(application: Application, page: str) -> None:
    assert application.samples.enrolment is not None
    application.samples.enrolment[2].show_page(getattr(pages(application), page))


def test_a_new_fabric_is_taught_while_the_line_runs_and_the_line_goes_on_with_it(
    begin: Begin, qtbot: QtBot, engine: Engine, samples: SampleStore, bundle: Bundle
) -> None:
    application = begin(ENDLESS)
    inspecting(qtbot, application)
    press(application, "models")
    learn, compare, models = pages(application).learn, pages(application).compare, pages(application).models
    until(qtbot, learn.quick.isEnabled)
    assert learn.fabric.currentText() == "satin"
    assert "From 12 samples of 6 rolls of satin" in label(application, "Quick enrolment")
    assert "twill" in label(application, "Fabrics that would be forgotten")
    learn.quick.click()
    until(qtbot, lambda: not learn.quick.isEnabled())
    until(qtbot, lambda: view(application).compared is not None and not view(application).busy)
    assert state(application) == "running"
    new = view(application).candidate

    show(application, "compare")
    until(qtbot, compare.use.isEnabled)
    assert label(application, "What got worse").startswith("Nothing got worse")
    assert compare.fabric.currentText() == "satin"
    figures = [compare.table.item(row, 1).text() for row in range(4)]  # type: ignore[union-attr]
    assert figures == ["does not know it"] * 4
    assert "provisional" in label(application, "What to bear in mind")
    compare.threshold.plot.set_threshold(0.2)
    compare.threshold._moved(0.2)
    assert compare.threshold.over.tiles
    until(qtbot, lambda: all(compare._pictures.get(t.path) is not None for t in compare.threshold.over.tiles))
    assert "good tiles flagged" in label(application, "What the threshold would flag")
    compare.threshold.plot._line.setValue(1.3)  # as the mouse drags it
    compare.threshold.use.click()
    recipes, problems = load_recipes(recipes_folder())
    assert problems == []
    assert recipes["satin"].threshold == pytest.approx(1.3)
    assert not compare.threshold.use.isEnabled()

    compare.use.click()
    until(qtbot, lambda: f"the model {new} judges from here on" in banner(application))
    assert state(application) == "running"
    show(application, "models")
    until(qtbot, lambda: models.table.rowCount() == 2)
    models.select(bundle.identity)
    until(qtbot, models.use.isEnabled)
    models.use.click()
    until(qtbot, lambda: f"the model {bundle.identity} judges from here on" in banner(application))
    until(qtbot, lambda: models.log.rowCount() == 3)
    models.select(bundle.identity, new)
    until(qtbot, lambda: "satin: only in the second" in models.difference.toPlainText())
    press(application, "stop")
    over(qtbot, application)
    assert [r["kind"] for r in read_roll(engine, 1)["remarks"]].count("model") == 2


def test_promoting_while_no_roll_runs_does_not_begin_one(
    begin: Begin, qtbot: QtBot, samples: SampleStore, bundle: Bundle
) -> None:
    store = ModelStore(models_folder())
    store.add(bundle)
    application = begin(start=False)
    press(application, "models")
    show(application, "models")
    models = pages(application).models
    until(qtbot, lambda: models.table.rowCount() == 1)
    assert "No model is in use here yet" in label(application, "Model of the line")
    models.select(bundle.identity)
    until(qtbot, models.use.isEnabled)
    models.use.click()
    until(qtbot, lambda: model_of(application) == bundle.identity)
    qtbot.wait(100)
    assert state(application) == "idle"
    assert store.in_use is not None


def test_a_training_that_would_forget_a_fabric_asks_first(
    begin: Begin, qtbot: QtBot, samples: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *args: asked.append(args[2]) or QMessageBox.StandardButton.No)
    application = begin(start=False)
    press(application, "models")
    learn = pages(application).learn
    until(qtbot, learn.full.isEnabled)
    learn.full.click()
    assert asked == ["The new model will not know these fabrics any more: twill. Train without them?"]
    assert view(application).training is None
    assert not learn.fresh.isVisible()


def test_without_samples_it_is_said_what_is_missing(begin: Begin, qtbot: QtBot) -> None:
    application = begin(start=False)
    press(application, "models")
    until(qtbot, lambda: view(application).running)
    learn = pages(application).learn
    assert not learn.quick.isEnabled()
    assert not learn.full.isEnabled()
    assert "collect samples of good cloth" in label(application, "Full training")
    assert learn.findChildren(QComboBox)[0].count() == 0
    show(application, "compare")
    until(qtbot, pages(application).compare._nothing.isVisible)
    assert not pages(application).compare.use.isEnabled()


def test_a_damaged_model_is_listed_with_its_reason_and_deleted_when_asked(
    begin: Begin, qtbot: QtBot, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ModelStore(models_folder())
    store.add(bundle)
    store.promote(bundle.identity)
    (models_folder() / "0123456789ab.cras").write_bytes(b"half a model")
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    application = begin(start=False)
    press(application, "models")
    show(application, "models")
    models = pages(application).models
    until(qtbot, lambda: models.table.rowCount() == 2)
    models.select("0123456789ab")
    until(qtbot, models.delete.isEnabled)
    assert not models.use.isEnabled()
    assert "0123456789ab" in models.chosen[0].problem
    models.delete.click()
    until(qtbot, lambda: models.table.rowCount() == 1)
    models.most_models.setValue(3)
    models.most_models.editingFinished.emit()
    until(qtbot, lambda: "Kept: 3 models" in label(application, "Disk use"))
    assert application.program.settings.now.learning.most_models == 3


def test_the_program_says_why_it_does_not_start_with_the_model_in_use(
    begin: Begin, qtbot: QtBot, bundle: Bundle, bundle_path: Path
) -> None:
    store = ModelStore(models_folder())
    store.add(bundle)
    store.promote(bundle.identity)
    (models_folder() / f"{bundle.identity}.cras").unlink()
    application = begin(start=False)
    press(application, "models")
    until(qtbot, lambda: bundle.identity in label(application, "Problem of the history"))
    assert not pages(application).learn.quick.isEnabled()
    show(application, "models")
    pages(application).models.adopt.click()  # the line's own is sound
    until(qtbot, lambda: not view(application).problem)
    assert view(application).is_running_kept
