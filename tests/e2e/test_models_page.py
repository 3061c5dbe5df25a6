"""An engineer teaches a fabric, decides about a candidate and rolls back, on the page about models with real stores."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QMessageBox, QTabBar
from pytestqt.qtbot import QtBot
from sqlalchemy import Engine
from window_tools import ENDLESS, PATIENCE_MS, Begin, banner, inspecting, over, press, state, stop

from aoi_app.app.application import Application
from aoi_app.app.pages.models_controller import ModelsController
from aoi_app.learning.state import LearningState
from aoi_app.records.reading import read_roll
from aoi_app.settings.folders import library_folder, models_folder, recipes_folder
from aoi_app.settings.recipe_store import load_recipes
from aoi_app.settings.settings import load_settings
from aoi_app.ui.models.models_page import ModelsPage
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord
from cras_core.registry.bundle import Bundle
from cras_core.registry.store import ModelStore


@pytest.fixture
def samples(cloth_samples: SampleStore) -> SampleStore:
    """Satin only, which the line's model does not know, and plain, which it does."""
    for fabric in ("plain", "satin"):
        shutil.copytree(cloth_samples.folder(fabric), library_folder() / fabric)
    return SampleStore(library_folder())


def controller(application: Application) -> ModelsController:
    found = application.controllers["models"]
    assert isinstance(found, ModelsController)
    return found


def page(application: Application) -> ModelsPage:
    """Shows the page as the menu does."""
    press(application, "models")
    assert application.window.page == "models"
    return controller(application).page


def models_state(application: Application) -> LearningState:
    return controller(application).services.state()


def model_of(application: Application) -> str:
    """Identity of the line's model; empty while none is loaded."""
    loaded = application.program.line_model.loaded
    return loaded.identity if loaded is not None else ""


def until(qtbot: QtBot, is_so: Callable[[], object]) -> None:
    qtbot.waitUntil(lambda: bool(is_so()), timeout=PATIENCE_MS)


def label(application: Application, name: str) -> str:
    found = [x for x in controller(application).page.findChildren(QLabel) if x.accessibleName() == name]
    assert found, name
    return " ".join(x.text() for x in found if x.isVisible())


def answer(monkeypatch: pytest.MonkeyPatch, button: QMessageBox.StandardButton) -> list[str]:
    """Answers every question from now on; the questions are in the list."""
    asked: list[str] = []

    def reply(box: QMessageBox) -> QMessageBox.StandardButton:
        assert box.textFormat() is Qt.TextFormat.PlainText
        asked.append(box.text())
        return button

    monkeypatch.setattr(QMessageBox, "exec", reply)
    return asked


def test_a_new_fabric_is_taught_while_the_line_runs_and_the_line_goes_on_with_it(
    begin: Begin, qtbot: QtBot, engine: Engine, samples: SampleStore, bundle: Bundle, bundle_path: Path
) -> None:
    application = begin(ENDLESS, bundle_path)
    inspecting(qtbot, application)
    models = page(application)
    learn, candidate, history = models.learn, models.candidate, models.history
    until(qtbot, learn.quick.isEnabled)
    assert learn.fabric.currentText() == "satin"
    assert "12 defect-free samples from 6 rolls or files of satin" in label(application, "Quick enrolment")
    assert "twill" in label(application, "Fabrics that would be forgotten")
    learn.quick.click()
    until(qtbot, lambda: not learn.quick.isEnabled())
    until(qtbot, lambda: models_state(application).evaluation is not None and not models_state(application).busy)
    assert state(application) == "running"
    new = models_state(application).candidate

    models.show_candidate()
    until(qtbot, candidate.use.isEnabled)
    assert label(application, "Result of the evaluation").startswith(
        "Not compared: the model in use does not know satin. The candidate was evaluated on 6 defect-free tiles"
    )
    assert candidate.fabric.currentText() == "satin"
    metrics = [candidate.table.item(row, 1).text() for row in range(4)]  # type: ignore[union-attr]
    assert metrics == ["does not know it"] * 4
    assert "provisional" in label(application, "What to bear in mind")
    candidate.threshold.plot.drag_to(0.2)
    assert candidate.threshold.over.tiles
    until(qtbot, candidate.threshold.over.are_all_read)
    assert "defect-free tiles flagged" in label(application, "What the threshold would flag")
    candidate.threshold.plot.drag_to(1.3)
    candidate.threshold.use.click()
    recipes, problems = load_recipes(recipes_folder())
    assert problems == []
    assert recipes["satin"].threshold == pytest.approx(1.3)
    assert not candidate.threshold.use.isEnabled()

    candidate.use.click()
    until(qtbot, lambda: f"the model {new} judges from here on" in banner(application))
    assert state(application) == "running"
    models.show_history()
    until(qtbot, lambda: history.table.rowCount() == 2)
    until(qtbot, history.rollback.isEnabled)
    assert "Roll &back to that of 20" in history.rollback.text()
    assert bundle.identity in history.rollback.toolTip()
    shown = [history.table.item(row, 0).text() for row in range(2)]  # type: ignore[union-attr]
    assert [name.partition(" of 20")[0] for name in shown] == ["plain, twill and 1 more", "plain, twill"]
    history.rollback.click()
    until(qtbot, lambda: f"the model {bundle.identity} judges from here on" in banner(application))
    until(qtbot, lambda: history.log.rowCount() == 3)
    history.table.choose(bundle.identity, new)
    until(qtbot, lambda: "satin: added" in history.difference.toPlainText())
    stop(qtbot, application)
    over(qtbot, application)
    assert [r["kind"] for r in read_roll(engine, 1)["remarks"]].count("model") == 2


def test_promoting_while_no_roll_runs_does_not_begin_one(
    begin: Begin, qtbot: QtBot, samples: SampleStore, bundle: Bundle
) -> None:
    store = ModelStore(models_folder())
    store.add(bundle)
    application = begin(start=False)
    models = page(application)
    models.show_history()
    history = models.history
    until(qtbot, lambda: history.table.rowCount() == 1)
    assert "No model of this history is in use yet" in label(application, "Model of the line")
    assert not history.rollback.isEnabled()
    history.table.choose(bundle.identity)
    until(qtbot, history.use.isEnabled)
    history.use.click()
    until(qtbot, lambda: model_of(application) == bundle.identity)
    qtbot.wait(100)
    assert state(application) == "idle"
    assert store.in_use is not None


def test_a_training_that_would_forget_a_fabric_asks_first(
    begin: Begin, qtbot: QtBot, samples: SampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = answer(monkeypatch, QMessageBox.StandardButton.No)
    application = begin(start=False)
    learn = page(application).learn
    until(qtbot, learn.full.isEnabled)
    learn.full.click()
    assert asked == ["The new model will not know twill, because there are no samples. Train without?"]
    assert models_state(application).training is None
    assert not learn.fresh.isVisible()


def test_without_samples_it_is_said_what_is_missing(begin: Begin, qtbot: QtBot) -> None:
    application = begin(start=False)
    models = page(application)
    until(qtbot, lambda: models_state(application).line_bundle)
    learn = models.learn
    assert not learn.quick.isEnabled()
    assert not learn.full.isEnabled()
    assert "collect defect-free samples" in label(application, "Full training")
    assert learn.findChildren(QComboBox)[0].count() == 0
    models.show_candidate()
    assert any("There is no candidate" in x.text() for x in models.findChildren(QLabel) if x.isVisible())
    assert not models.candidate.use.isEnabled()


def test_a_damaged_model_is_listed_with_its_reason_and_deleted_when_asked(
    begin: Begin, qtbot: QtBot, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ModelStore(models_folder())
    store.add(bundle)
    store.promote(bundle.identity)
    (models_folder() / "0123456789ab.cras").write_bytes(b"half a model")
    asked = answer(monkeypatch, QMessageBox.StandardButton.Yes)
    application = begin(start=False)
    models = page(application)
    models.show_history()
    history = models.history
    until(qtbot, lambda: history.table.rowCount() == 2)
    history.table.choose("0123456789ab")
    until(qtbot, history.delete.isEnabled)
    assert not history.use.isEnabled()
    assert "0123456789ab" in history.table.chosen[0].problem
    history.delete.click()
    assert "0123456789ab" in asked[0]
    until(qtbot, lambda: history.table.rowCount() == 1)
    history.most_models.setValue(3)
    history.most_models.editingFinished.emit()
    until(qtbot, lambda: "Limits: 3 models" in label(application, "Disk use"))
    assert application.program.settings.now.learning.most_models == 3


def test_the_program_says_why_it_does_not_start_with_the_model_in_use(
    begin: Begin, qtbot: QtBot, bundle: Bundle
) -> None:
    store = ModelStore(models_folder())
    store.add(bundle)
    store.promote(bundle.identity)
    (models_folder() / f"{bundle.identity}.cras").unlink()
    application = begin(start=False)
    models = page(application)
    until(qtbot, lambda: bundle.identity in label(application, "Problem of the history"))
    assert not models.learn.quick.isEnabled()
    models.show_history()
    models.history.adopt.click()  # the line's own is sound
    until(qtbot, lambda: not models_state(application).problem)
    assert models_state(application).is_line_bundle_in_use


def test_whether_a_new_model_is_used_automatically_is_remembered(begin: Begin) -> None:
    application = begin(start=False)
    learn = page(application).learn
    assert not learn.automatic.isChecked()
    learn.automatic.click()
    assert application.program.settings.now.learning.promote_unless_worse
    application.show_page("line")
    page(application)
    assert learn.automatic.isChecked()


def test_an_empty_fabric_does_not_keep_the_others_from_being_learnt(
    begin: Begin, qtbot: QtBot, samples: SampleStore
) -> None:
    samples.begin(FabricRecord("aida"))
    application = begin(start=False)
    learn = page(application).learn
    until(qtbot, lambda: learn.fabric.count() == 3)
    assert learn.fabric.currentText() == "satin"
    until(qtbot, learn.quick.isEnabled)
    assert learn.full.isEnabled()
    assert label(application, "Full training").endswith("Left out, because there are no defect-free samples yet: aida.")


def test_a_folder_with_more_pictures_is_remembered(
    begin: Begin, qtbot: QtBot, samples: SampleStore, loom_data: Path
) -> None:
    application = begin(start=False)
    models = page(application)
    until(qtbot, lambda: models.learn.fabric.count() == 2)
    models.learn.folder_chosen.emit(str(loom_data))
    until(qtbot, lambda: application.program.settings.now.learning.more_folder == str(loom_data))
    assert load_settings()[0].learning.more_folder == str(loom_data)


def test_the_page_stays_as_it_was_while_another_one_is_seen(begin: Begin, qtbot: QtBot, samples: SampleStore) -> None:
    application = begin(start=False)
    models = page(application)
    until(qtbot, lambda: models.learn.fabric.count() == 2)
    models.learn.fabric.setCurrentText("plain")
    models.show_history()
    application.show_page("line")
    assert page(application) is models
    assert models.history.isVisible()
    assert models.learn.fabric.currentText() == "plain"


def test_names_of_fabrics_are_never_read_as_html(begin: Begin, qtbot: QtBot, samples: SampleStore) -> None:
    name = "<b>denim</b>"
    samples.rename("satin", name)
    application = begin(start=False)
    models = page(application)
    until(qtbot, lambda: name in label(application, "Quick enrolment"))
    plain = [x for x in models.findChildren(QLabel) if name in x.text()]
    assert plain
    assert all(x.textFormat() is Qt.TextFormat.PlainText for x in plain)


def test_no_two_controls_that_are_seen_answer_to_one_letter(begin: Begin, qtbot: QtBot, samples: SampleStore) -> None:
    application = begin(start=False)
    models = page(application)
    until(qtbot, lambda: models.learn.fabric.count() == 2)
    (tabs,) = models.findChildren(QTabBar)
    menus = [action.text() for action in application.window.menuBar().actions()]
    for show in (models.show_learn, models.show_candidate, models.show_history):
        show()
        buttons = [x.text() for x in models.findChildren(QAbstractButton) if x.isVisible()]
        texts = [*menus, *(tabs.tabText(i) for i in range(tabs.count())), *buttons]
        letters = [found[1].lower() for text in texts if (found := re.search(r"&([^&])", text.replace("&&", "")))]
        assert len(letters) >= 10
        assert len(set(letters)) == len(letters), sorted(texts)


def test_every_control_of_the_page_fits_on_a_small_screen(begin: Begin, qtbot: QtBot, samples: SampleStore) -> None:
    application = begin(start=False)
    models = page(application)
    until(qtbot, lambda: models.learn.fabric.count() == 2)
    window = application.window
    room = window.screen().availableGeometry()
    for show in (models.show_learn, models.show_candidate, models.show_history):
        show()
        qtbot.wait(50)
        assert window.width() <= room.width()
        assert window.height() <= room.height()
        for button in models.findChildren(QAbstractButton):
            if button.isVisible():
                assert button.width() >= button.minimumSizeHint().width(), button.text()
