"""The program with its window: the one file that knows everybody. Answers what the window announces."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox
from sqlalchemy import Engine

from aoi_app.app.camera_controller import CameraController
from aoi_app.app.collection_controller import RunningRoll
from aoi_app.app.qt_bridge import QtBridge
from aoi_app.app.review_controller import ReviewController
from aoi_app.app.samples_controller import SamplesController
from aoi_app.camera_setup.focus_state import reads_a_camera
from aoi_app.inspection import overlay
from aoi_app.inspection.defects import Defect, Remark
from aoi_app.inspection.web_history import WebHistory
from aoi_app.live.assembly import make_session
from aoi_app.live.model_loader import LoadedModel, ModelLoader
from aoi_app.live.session import Session
from aoi_app.live.state import News, Snapshot, State
from aoi_app.records.errors import RecordsError
from aoi_app.records.export import export_roll
from aoi_app.records.reviews import ReviewRecorder
from aoi_app.samples.from_reviews import ReviewedRoll
from aoi_app.settings.defect_types import load_catalogue
from aoi_app.settings.folders import catalogue_path, recipes_folder, tiles_folder
from aoi_app.settings.recipe import Recipe, RecipeError
from aoi_app.settings.recipe_book import RecipeBook
from aoi_app.settings.settings import Settings, save_settings
from aoi_app.sources.factory import SourceChoice, make_source
from aoi_app.sources.source import FrameSource, SourceError
from aoi_app.ui.main.actions import ROWS
from aoi_app.ui.main.main_window import MainWindow
from aoi_app.ui.recipe.recipe_dialog import RecipeDialog
from aoi_app.ui.recipe.scale_dialog import ScaleDialog
from aoi_app.ui.widgets.actions import connect, shortcuts_text
from aoi_app.ui.widgets.theme import apply_theme
from cras_core.detectors.trained import TrainedDetector

logger = logging.getLogger(__name__)

_NOTE_S = 8.0
_CLOSE_WITHIN_MS = 15_000
_ROLLS_WITH_TILES = 20


class Application(QObject):
    """Holds the choices, begins and ends rolls, and carries news from the line to the views."""

    _model_loaded = Signal(object)  # LoadedModel, from the thread that loads
    _promoted = Signal(object)  # Path of a bundle, from the thread that put it into use

    def __init__(
        self,
        qt: QApplication,
        settings: Settings,
        engine: Engine,
        choice: SourceChoice,
        bundle: Path,
        recipe: Recipe,
        device: str,
        precision: str,
    ) -> None:
        super().__init__()
        self._qt = qt
        self.settings = settings
        self._engine = engine
        self.choice = choice
        self._bundle = bundle
        self._recipes = RecipeBook(recipe, recipes_folder())
        self._threshold_is_of_cloth = False  # the slider has followed a recipe, not a hand
        self._loader = ModelLoader(device, precision, self._model_loaded.emit)
        self._inspector: TrainedDetector | None = None
        self._model = ""
        self._session: Session | None = None
        self.source: FrameSource | None = None
        self._roll_name = ""
        self._history = WebHistory()
        self._marks: list[overlay.Mark] = []
        self._note_until_s = 0.0
        self._kept_note = "", 0.0  # stays beside what is said until then
        self._begins_when_loaded = False
        self._closing = False
        self.window = MainWindow()
        self.cameras = CameraController(self)
        self.enrolling = SamplesController(self)
        self._bridge = QtBridge(self)
        self.enrolling.follow(self._bridge)
        self._connect()
        self._apply_theme()
        self.window.actions_by_key["heat"].setChecked(True)
        self.window.actions_by_key["follow"].setChecked(True)
        self.window.set_opacity(settings.heat_opacity)
        self.window.set_threshold(recipe.threshold)
        self.window.live_view.set_heat(True, settings.heat_opacity)
        self._show_about()
        problems = [*self._recipes.problems, *self.reload_catalogue()]
        if problems:
            self.keep_note(" ".join(problems))

    @property
    def is_at_rest(self) -> bool:
        """No thread of a roll is alive, none that loads or learns a model, and none that sets up a camera."""
        over = self._session is None or self._session.wait(0)
        return over and not self._loader.is_loading and not self.cameras.sets_up and self.enrolling.is_at_rest

    @property
    def is_running(self) -> bool:
        """A roll runs."""
        return self._session is not None and not self._session.state.is_over

    def begin(self) -> None:
        """Starts the first roll."""
        self.start()

    def note(self, text: str) -> None:
        """Says something for a few seconds."""
        self._say(text, alarm=False)

    def keep_note(self, text: str) -> None:
        """Says something that stays for a while beside whatever else there is to say."""
        self._kept_note = text, time.monotonic() + 2 * _NOTE_S
        self.note("")

    def warn(self, text: str) -> None:
        """Says for a few seconds that something did not go as wanted."""
        self._say(text, alarm=True)

    def _say(self, text: str, *, alarm: bool) -> None:
        kept, until_s = self._kept_note
        self._note_until_s = time.monotonic() + _NOTE_S
        self.window.say(" ".join(filter(None, [kept if time.monotonic() < until_s else "", text])), alarm=alarm)

    def _connect(self) -> None:
        window, view, table = self.window, self.window.live_view, self.window.table
        connect(window.actions_by_key, self._answers())
        window.threshold_changed.connect(self._threshold_changed)
        window.opacity_changed.connect(self._opacity_changed)
        window.close_asked.connect(self.close)
        view.measured.connect(self._measured)
        view.followed.connect(window.actions_by_key["follow"].setChecked)
        view.place_chosen.connect(table.select_at)
        table.chosen.connect(self._show_defect)
        verdicts = self._verdicts = ReviewController(
            ReviewRecorder(self._engine),
            self._roll_id,
            table.defects.set_review,
            self.warn,
            self.enrolling.learn_review,
        )
        table.decided.connect(verdicts.decide)
        table.type_named.connect(verdicts.name_type)
        self._bridge.ticked.connect(view.tick)
        self._bridge.news_came.connect(self._show_news)
        self._bridge.snapshot_taken.connect(self._show_snapshot)
        self._bridge.session_ended.connect(self._ended)
        self._model_loaded.connect(self._take_model)
        self._promoted.connect(lambda bundle: self.use_bundle(bundle, begins=False))

    def _answers(self) -> dict[str, Callable[[], object]]:
        actions = self.window.actions_by_key
        return {
            "open_folder": self.open_folder,
            "open_loom": lambda: self.use_source(SourceChoice("loom")),
            "camera": self.cameras.open,
            "open_bundle": self.open_bundle,
            "enrol": self.enrolling.open,
            "models": self.enrolling.open_models,
            "recipe": self.edit_recipe,
            "set_up": self.cameras.set_up,
            "measure": self.measure_scale,
            "export": self.export,
            "quit": self.window.close,
            "start": self.start,
            "pause": self.pause,
            "stop": self.stop,
            "collect": self.enrolling.collecting.ask,
            "acknowledge": self.window.alarms.acknowledge,
            "follow": lambda: self.window.live_view.follow(actions["follow"].isChecked()),
            "next": lambda: self.window.table.move(1),
            "previous": lambda: self.window.table.move(-1),
            "heat": lambda: self._opacity_changed(self.settings.heat_opacity),
            "lower": lambda: self.window.set_threshold(self.window.threshold - 0.05),
            "raise": lambda: self.window.set_threshold(self.window.threshold + 0.05),
            "table": self.window.table.setFocus,
            "confirm": lambda: self._about_defect(self.window.table.decide("confirmed")),
            "reject": lambda: self._about_defect(self.window.table.decide("rejected")),
            "clear_verdict": lambda: self._about_defect(self.window.table.decide("")),
            "name_type": lambda: self._about_defect(self.window.table.ask_type()),
            "theme": self._toggle_theme,
            "full_screen": lambda: (
                self.window.showFullScreen() if actions["full_screen"].isChecked() else self.window.showNormal()
            ),
            "keys": lambda: QMessageBox.information(self.window, "Keyboard", shortcuts_text(ROWS)),
        }

    # --- the roll -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins a roll, or goes on after a pause."""
        if self._session is not None and self._session.state is State.PAUSED:
            self._session.resume()
            return
        if self.is_running:
            return
        if self.cameras.release():
            QTimer.singleShot(100, self.start)
            return
        if self._inspector is None:
            if not self._loader.is_loading:
                self.use_bundle(self._bundle)
            return
        if reads_a_camera(self.choice.spec) and self.cameras.sets_up:
            if not self._closing:
                QTimer.singleShot(50, self.start)  # when the camera is free
            return
        name = time.strftime("%Y%m%d-%H%M%S")
        recipe = self._recipes.line
        if self._threshold_is_of_cloth:
            self.window.set_threshold(recipe.threshold)
        try:
            source = make_source(self.choice, recipe)
            session = make_session(
                self._inspector,
                source,
                recipe,
                self._engine,
                model=self._model,
                name=name,
                tiles=tiles_folder() / name,
                rescue=tiles_folder().parent,
                own_recipes=self._recipes.own,
            )
        except (SourceError, RecipeError) as error:
            self.window.say(str(error), alarm=True)
            return
        self.window.say("", alarm=False)
        self.window.table.defects.clear()
        self._history.clear()
        self.window.live_view.show_picture(None)
        self.window.live_view.set_scale(recipe.mm_per_px, recipe.line_mm)
        self._session, self.source, self._roll_name = session, source, name
        session.set_threshold(self.window.threshold)
        session.start()
        self._bridge.watch(session)
        self.window.live_view.follow(True)
        self.window.actions_by_key["follow"].setChecked(True)

    @property
    def running_roll(self) -> RunningRoll | None:
        """The roll that runs with its model; None while there is none."""
        session, inspector = self._session, self._inspector
        if session is None or inspector is None or session.state.is_over:
            return None
        return RunningRoll(session, self._roll_name, self._recipes.line, inspector, self.choice.separate)

    @property
    def latest_roll(self) -> ReviewedRoll | None:
        """The roll whose defects are shown; None before the first."""
        name = self._roll_name
        return ReviewedRoll(name, tiles_folder() / name, self._recipes.line) if name else None

    @property
    def bundle(self) -> Path:
        """The model of the line."""
        return self._bundle

    @property
    def device(self) -> str:
        """Where models run."""
        return self._loader.device

    def promoted(self, bundle: Path) -> None:
        """A model was put into use; may be called from any thread."""
        self._promoted.emit(bundle)

    def thresholds(self) -> tuple[dict[str, float], float]:
        """Of the recipes of fabrics, by fabric, and of the standard one."""
        own = {fabric: recipe.threshold for fabric, recipe in self._recipes.own.items()}
        return own, self._recipes.standard.threshold

    def pause(self) -> None:
        """Stops looking at the web."""
        if self._session is not None:
            self._session.pause()

    def stop(self) -> None:
        """Ends the roll; asked a second time, without inspecting what still waits."""
        if self._session is not None:
            self._session.stop(abandon=self._session.state is State.FINISHING)

    def close(self) -> None:
        """Ends the roll and then the program; the window stays until the roll is closed."""
        self._closing = True
        if self._session is None or self._session.state.is_over:
            self._leave()
            return
        self.window.say("Ending the roll …", alarm=False)
        self._session.stop(abandon=True)
        QTimer.singleShot(_CLOSE_WITHIN_MS, self._leave)

    def _leave(self) -> None:
        self._bridge.stop()
        self.cameras.close()
        self.enrolling.close()
        save_settings(self.settings)
        self._engine.dispose()
        self.window.allow_close()
        self._qt.quit()

    def wait_for_camera(self, timeout_s: float) -> None:
        """Gives the camera that was being set up time to be closed."""
        self.cameras.wait(timeout_s)

    def _ended(self, session: Session) -> None:
        self._show_snapshot(session.snapshot())
        self.enrolling.collecting.end()
        if self._closing:
            self._leave()
        elif session.state is State.ENDED:
            s = session.snapshot()
            self.note(
                f"The roll is finished: {s.inspected_m:.2f} m inspected, {s.defects} defects, "
                f"{s.gap_m:.2f} m not inspected."
            )
        _keep_latest(tiles_folder(), _ROLLS_WITH_TILES)

    # --- the model ----------------------------------------------------------------------------------------------

    def use_bundle(self, bundle: Path, *, begins: bool = True) -> None:
        """Inspects with another model: a roll that runs goes on with it, else one begins, unless it shall not. The one
        before stays until the other is loaded and fits the roll.
        """
        self._begins_when_loaded |= begins
        self.note(f"Loading the model {bundle.name} …")
        self._loader.load(bundle)

    def _take_model(self, loaded: LoadedModel) -> None:
        if self._closing:
            return
        session = self._session
        running = session if session is not None and not session.state.is_over else None
        goes_on = " The running model goes on." if running is not None else ""
        inspector = loaded.inspector
        if inspector is None:
            self.warn(loaded.problem + goes_on)
            return
        try:
            if running is not None:
                running.use_model(inspector, loaded.identity, inspector.config.tiling)
        except RecipeError as error:
            self.warn(f"{loaded.bundle.name}: {error}{goes_on}")
            return
        self._bundle, self._inspector, self._model = loaded.bundle, inspector, loaded.identity
        self.settings = self.settings.model_copy(update={"last_bundle": str(loaded.bundle)})
        self.note("")
        self._show_about()
        begins, self._begins_when_loaded = self._begins_when_loaded, False
        if running is None and begins:
            self.start()

    # --- choices ------------------------------------------------------------------------------------------------

    def open_folder(self) -> None:
        """Asks for a folder of strips and inspects it."""
        folder = QFileDialog.getExistingDirectory(self.window, "Folder of strips", self.settings.last_folder)
        if folder:
            self.settings = self.settings.model_copy(update={"last_folder": folder})
            self.use_source(SourceChoice(f"folder:{folder}"))

    def open_bundle(self) -> None:
        """Asks for a bundle and inspects with it."""
        path, _ = QFileDialog.getOpenFileName(
            self.window, "Model bundle", self.settings.last_bundle, "Bundles (*.cras)"
        )
        if path:
            self.use_bundle(Path(path))

    def use_threshold(self, fabric: str, threshold: float) -> None:
        """Puts a threshold into the recipe of a fabric; where it has none, it gets one like the standard."""
        desk = self._recipes
        own = desk.own.get(fabric, desk.standard.model_copy(update={"fabric": fabric, "name": fabric[:80]}))
        recipe = own.model_copy(update={"threshold": threshold})
        self._use_recipe(recipe, is_ordered=desk.line.fabric == fabric)

    def edit_recipe(self) -> None:
        """Asks for the recipe of a fabric, or for that of the line."""
        desk = self._recipes
        fabrics = self._inspector.fabrics if self._inspector else ()
        dialog = RecipeDialog(desk.line, fabrics, self.window, standard=desk.standard, own=desk.own)
        if dialog.exec():
            self._use_recipe(dialog.recipe, is_ordered=dialog.is_ordered)

    def _use_recipe(self, recipe: Recipe, *, is_ordered: bool) -> None:
        problem = ""
        try:
            self._recipes.edit(recipe, is_ordered=is_ordered)
        except RecipeError as error:
            problem = f"{error}. It holds until the program ends. "
        self._show_about()
        session = self._session
        if session is not None and not session.state.is_over:
            session.use_recipes(self._recipes.standard, self._recipes.own)
            when = "Threshold and smallest defect act at once, everything else from the next roll on."
        else:
            self.window.set_threshold(self._recipes.line.threshold)
            when = "The recipe holds from the next roll on."
        self._say(problem + when, alarm=bool(problem))

    def measure_scale(self) -> None:
        """Asks for two clicks on a known length; pressed again, leaves it."""
        action = self.window.actions_by_key["measure"]
        if self._history.picture() is None:
            action.setChecked(False)
            self.note("There is no cloth on the screen to measure on; begin a roll first.")
            return
        self.window.live_view.measure(action.isChecked())
        if action.isChecked():
            self.note("Click on the two ends of a known length on the cloth, straight across the web or along it.")

    def _measured(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        dialog = ScaleDialog(self._recipes.line, begin, end, self.window)
        dialog.accepted.connect(lambda: self._use_recipe(dialog.recipe, is_ordered=dialog.recipe.fabric is not None))
        dialog.finished.connect(lambda _: self.window.live_view.measure(False))
        dialog.finished.connect(lambda _: self.window.actions_by_key["measure"].setChecked(False))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def export(self) -> None:
        """Asks for a folder and writes the roll there."""
        roll_id = self._roll_id()
        folder = (
            QFileDialog.getExistingDirectory(self.window, "Export to", self.settings.last_folder) if roll_id else ""
        )
        if folder:
            try:
                self.note(f"Written: {', '.join(export_roll(self._engine, roll_id, Path(folder)))} in {folder}")
            except RecordsError as error:
                self.warn(str(error))

    def reload_catalogue(self) -> list[str]:
        """Offers the types of the catalogue as it is now; sentences about what is wrong with it."""
        types, problem = load_catalogue(catalogue_path())
        self.window.table.set_types(types)
        return [problem] if problem is not None else []

    def _about_defect(self, one_is_chosen: bool) -> None:
        if not one_is_chosen:
            self.note("Choose a defect in the table first.")

    def _roll_id(self) -> int:
        return self._session.snapshot().roll_id if self._session is not None else 0

    def use_source(self, choice: SourceChoice) -> None:
        """Begins a roll with another source; the running one is ended first."""
        self.choice = choice
        self._show_about()
        self._restart()

    def _restart(self) -> None:
        """Ends the running roll, if any, and begins another with the new choices."""
        if self._session is None or self._session.state.is_over:
            self.start()
            return
        self._session.stop()
        ended = self._session

        def when_over() -> None:
            if ended.state.is_over and ended.wait(0):
                self.start()
            else:
                QTimer.singleShot(50, when_over)

        when_over()

    # --- what is shown ------------------------------------------------------------------------------------------

    def _show_news(self, news: News) -> None:
        table = self.window.table
        table.defects.add(news.defects)
        table.defects.remove(news.withdrawn)  # last: it may have been found since the last look
        for strip in news.strips:
            self._history.add(strip)
        if news.strips:
            self._show_web()
        if news.remarks:
            self._tell(news.remarks)
            self.enrolling.collecting.offer(news.remarks)

    def _tell(self, remarks: Sequence[Remark]) -> None:
        """The latest remark; what there is to say of the camera stays beside what the first cloth has to say."""
        of_camera = [r.text for r in remarks if r.kind == "camera"]
        if of_camera:
            self.keep_note(" ".join(of_camera))
        for r in remarks:
            if r.kind == "mismatch":
                where = f"Roll {self._roll_id()}, from {r.position_m:.2f} m on: "
                self.window.alarms.show_alarm(f"{where}{r.text}.")
        of_cloth = [f"At {r.position_m:.2f} m {r.text}." for r in remarks if r.kind not in ("camera", "mismatch")]
        if of_cloth:
            self.note(of_cloth[-1])
        if any(r.kind == "recipe" for r in remarks) and self._session is not None:
            self._threshold_is_of_cloth = True
            self.window.show_threshold(self._session.snapshot().threshold)
            self._threshold_shown()

    def _show_web(self) -> None:
        picture = self._history.picture()
        self.window.live_view.show_picture(picture)
        self._show_marks()

    def _show_marks(self) -> None:
        picture = self._history.picture()
        if picture is not None:
            self._marks = overlay.marks(picture.score, picture.first_line, picture.cell_px, self.window.threshold)
            self.window.live_view.show_marks(self._marks)

    def _show_snapshot(self, snapshot: Snapshot) -> None:
        self.window.show_snapshot(snapshot)
        camera = snapshot.camera
        trouble = snapshot.message or (camera.text or camera.problem if camera is not None else "")
        if trouble:
            self.window.say(trouble, alarm=True)
        elif time.monotonic() > self._note_until_s and not self._closing:
            self.window.say("", alarm=False)

    def _show_defect(self, defect: Defect) -> None:
        middle = (defect.left_px + defect.right_px) / 2
        line = min((defect.first_line + defect.end_line) / 2, defect.first_line + 400)
        if not self.window.live_view.jump(line, middle):
            self.note(
                f"Defect {defect.number} at {defect.position_m:.2f} m is no longer on the screen; "
                "its picture is in the table."
            )

    def _show_about(self) -> None:
        model = f"{self._bundle.name} {self._model}".strip()
        line = self._recipes.line
        order = f" for {line.fabric}" if line.fabric is not None else ""
        recipe = f"recipe {line.name}{order}, {line.mm_per_px:g} x {line.line_mm:g} mm"
        device = f" on {self._inspector.device}" if self._inspector is not None else ""
        self.window.show_about(f"{self.choice.spec}   |   {model}{device}   |   {recipe}")

    def _threshold_changed(self, value: float) -> None:
        self._threshold_is_of_cloth = False
        if self._session is not None:
            self._session.set_threshold(value)
        self._threshold_shown()

    def _threshold_shown(self) -> None:
        self.window.table.set_threshold(self.window.threshold)
        self._show_marks()

    def _opacity_changed(self, value: float) -> None:
        self.settings = self.settings.model_copy(update={"heat_opacity": value})
        self.window.live_view.set_heat(self.window.actions_by_key["heat"].isChecked(), value)

    def _toggle_theme(self) -> None:
        other = "light" if self.settings.theme == "dark" else "dark"
        self.settings = self.settings.model_copy(update={"theme": other})
        self._apply_theme()

    def _apply_theme(self) -> None:
        theme = apply_theme(self._qt, self.settings.theme)
        self.window.set_theme(theme)
        self.enrolling.set_theme(theme)


def _keep_latest(folder: Path, count: int) -> None:
    """Deletes the tiles of all but the latest rolls; their defects stay in the records."""
    for old in sorted(p for p in folder.glob("*") if p.is_dir())[:-count]:
        shutil.rmtree(old, ignore_errors=True)


def run(qt: QApplication, application: Application) -> int:
    """Shows the window and runs until it is closed; Ctrl-C in the terminal closes it in good order."""
    signal.signal(signal.SIGINT, lambda *_: application.window.close())
    application.window.show()
    application.begin()
    code = qt.exec()
    application.wait_for_camera(_CLOSE_WITHIN_MS / 1000)
    if not application.is_at_rest:
        # A thread still computes; letting the interpreter tear torch down under it would end in a crash. Everything
        # that was committed is safe, and the roll is marked as interrupted at the next start.
        logging.shutdown()
        os._exit(code)
    return code
