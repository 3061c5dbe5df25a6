"""The composition root: makes the window and everything behind it, and connects them."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QFileDialog
from sqlalchemy import Engine

from aoi_app.app.ground.alarms_controller import AlarmsController
from aoi_app.app.ground.asker import Asker
from aoi_app.app.ground.defect_types_holder import DefectTypesHolder
from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.ground.program_state import ProgramState
from aoi_app.app.ground.qt_bridge import QtBridge
from aoi_app.app.ground.settings_holder import SettingsHolder
from aoi_app.app.pages.cameras_controller import CamerasController
from aoi_app.app.pages.collection_controller import CollectionController
from aoi_app.app.pages.line_controller import LineController
from aoi_app.app.pages.models_controller import ModelsController
from aoi_app.app.pages.pages import PAGES
from aoi_app.app.pages.program import PageController, Program
from aoi_app.app.pages.samples_controller import SamplesController
from aoi_app.app.pages.settings_controller import SettingsController, use_theme
from aoi_app.app.roll.folder_opening import FolderOpening
from aoi_app.app.roll.left_roll_controller import LeftRollController
from aoi_app.app.roll.line_model import LineModel
from aoi_app.app.roll.model_change import ModelChange
from aoi_app.app.roll.picture_keeper import PictureKeeper
from aoi_app.app.roll.recipe_controller import RecipeController
from aoi_app.app.roll.roll_controller import RollController
from aoi_app.app.roll.roll_ending import RollEnding
from aoi_app.app.roll.work_order_controller import WorkOrderController
from aoi_app.app.second_window import SecondWindow
from aoi_app.live.model_loader import ChooseModel
from aoi_app.records.errors import RecordsError
from aoi_app.records.export import export_roll
from aoi_app.settings.assets import asset
from aoi_app.settings.folders import defect_types_path, recipes_folder
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.recipe_book import RecipeBook
from aoi_app.settings.settings import Settings
from aoi_app.sources.source_choice import SourceChoice
from aoi_app.ui.main.actions import ROWS
from aoi_app.ui.main.keys_dialog import KeysDialog
from aoi_app.ui.main.main_window import MainWindow
from aoi_app.ui.widgets.actions import connect

logger = logging.getLogger(__name__)

_CAMERA_WITHIN_S = 15.0
_LOGOUT_WAITS_S = 4.0  # Windows ends a program that has not answered after 5 s


class Application(QObject):
    """
    Attributes:
        program: what the controllers share.
        controllers: of the pages that were shown, by their keys.
    """

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
        *,
        choose_model: ChooseModel | None = None,
    ) -> None:
        """
        Args:
            qt: the application of Qt.
            settings: of this machine and user.
            engine: the records.
            choice: the source of the first roll.
            bundle, device, precision: the model of the line and where it runs.
            recipe: of the line.
            choose_model: chooses the first model in the place of ``bundle``, in the thread that loads it.
        """
        super().__init__()
        window = self.window = MainWindow()
        holder = SettingsHolder(settings)
        notifier = Notifier(window)
        bridge = QtBridge(self)
        book = RecipeBook(recipe, recipes_folder())
        line_model = LineModel(window, notifier, holder, bundle, device, precision, choose_model)
        self.alarms = AlarmsController(window, notifier, holder, engine)
        asker = Asker(window.question_bar)
        ending = RollEnding(asker, notifier)
        roll = RollController(engine, choice, book, line_model, notifier, bridge, self.alarms, ending, holder)
        self.work_orders = WorkOrderController(window, notifier, holder, engine, roll)
        self.left_roll = LeftRollController(asker, notifier, engine, roll)
        self.pictures = PictureKeeper(engine, holder, notifier, roll)
        self.second_window = SecondWindow(asker)
        self.folder_opening = FolderOpening(roll, holder, asker, notifier)
        self.model_change = ModelChange(line_model, roll, book, asker, notifier)
        recipes = RecipeController(window, notifier, book, roll)
        types = DefectTypesHolder(defect_types_path())
        self.program = Program(qt, window, engine, holder, notifier, bridge, line_model, roll, recipes, types)
        self.controllers: dict[str, PageController] = {}
        for row in PAGES:
            window.add_button(row.key, row.title, row.shortcut, row.tip, QIcon(str(asset(f"icons/{row.key}.svg"))))
        self.line = self._line()
        self.collecting = CollectionController(self.program, self.line.page.collect_bar)
        self._connect()
        use_theme(self.program, settings.theme)
        self.show_page("line")
        self._show_about()
        problems = [*book.problems, *([types.problem] if types.problem is not None else [])]
        if problems:
            notifier.keep(" ".join(problems))

    def _line(self) -> LineController:
        """The page that is there from the beginning: the operator's."""
        controller = self._controller("line")
        assert isinstance(controller, LineController)
        return controller

    def _connect(self) -> None:
        program, window = self.program, self.window
        connect(window.actions_by_key, self._answers())
        window.page_asked.connect(self.show_page)
        window.close_asked.connect(self.close)
        program.roll.choice_changed.connect(self._show_about)
        program.roll.closed.connect(self._leave)
        program.qt.commitDataRequest.connect(lambda _: self.log_out())
        program.line_model.changed.connect(self._show_about)
        program.recipes.changed.connect(self._show_about)
        program.recipes.scale_changed.connect(partial(program.settings.note_calibration, "scale"))
        program.recipes.measure_asked.connect(lambda on: self.show_page("line") if on else None)
        self.line.remarked.connect(self.collecting.offer)
        self.line.reviewed.connect(self.collecting.take_over)
        self.collecting.keep_asked.connect(self._keep_web)
        self.line.page.collect_bar.samples_asked.connect(lambda: self.show_page("samples"))

    def _keep_web(self, taught: Path, fabric: str) -> None:
        """The cloth of a web that has taught the model becomes a fabric."""
        models = self._controller("models")
        assert isinstance(models, ModelsController)
        models.services.history.keep_web(taught, fabric)

    def _answers(self) -> dict[str, Callable[[], object]]:
        """To everything that the menus offer."""
        program, window = self.program, self.window
        full_screen = window.actions_by_key["full_screen"]
        return {
            "open_folder": self.open_folder,
            "picture_layout": self.folder_opening.ask_again,
            "open_loom": lambda: program.roll.use_source(SourceChoice("loom")),
            "camera": lambda: self.show_page("cameras"),
            "open_bundle": self.open_bundle,
            "model_before": program.line_model.go_back,
            "samples": lambda: self.show_page("samples"),
            "models": lambda: self.show_page("models"),
            "recipe": lambda: self.show_page("settings"),
            "set_up": self._set_up_light_and_focus,
            "find_cameras": self._find_cameras,
            "export": self.export,
            "quit": window.close,
            "start": lambda: self.left_roll.begin(self.work_orders.start),
            "work_order": self.work_orders.ask,
            "pause": program.roll.pause,
            "splice": program.roll.splice,
            "stop": program.roll.stop,
            "collect": self.collecting.ask,
            "acknowledge": self.alarms.acknowledge,
            "alarm_list": self.alarms.show_list,
            "theme": self._toggle_theme,
            "full_screen": lambda: window.showFullScreen() if full_screen.isChecked() else window.showNormal(),
            "keys": self._show_keys,
            **self.line.answers(),
        }

    # --- pages ----------------------------------------------------------------------------------------------------

    def show_page(self, key: str) -> None:
        """Shows a page; its controller is made when that is done for the first time."""
        self._controller(key)
        self.window.show_page(key)

    def _controller(self, key: str) -> PageController:
        if key not in self.controllers:
            (row,) = (row for row in PAGES if row.key == key)
            self.controllers[key] = row.make(self.program)
            self.window.add_page(key, self.controllers[key].page)
            self._connect_pages(key)
        return self.controllers[key]

    def _connect_pages(self, new: str) -> None:
        """What a page has to do with others that are there already; ``new``: key of the latest one."""
        samples, models = self.controllers.get("samples"), self.controllers.get("models")
        if isinstance(samples, SamplesController):
            if new == "samples":
                samples.types_asked.connect(self._edit_defect_types)
            if new in ("samples", "models") and isinstance(models, ModelsController):
                samples.fabric_shown.connect(models.choose_fabric)
                models.choose_fabric(samples.chosen_fabric)

    def _edit_defect_types(self) -> None:
        self.show_page("settings")
        settings = self.controllers["settings"]
        assert isinstance(settings, SettingsController)
        settings.show_defect_types()

    def _set_up_light_and_focus(self) -> None:
        self._show_cameras().open_light_and_focus()

    def _find_cameras(self) -> None:
        self._show_cameras().cameras.find()

    def _show_cameras(self) -> CamerasController:
        self.show_page("cameras")
        controller = self.controllers["cameras"]
        assert isinstance(controller, CamerasController)
        return controller

    # --- what a person asks for -----------------------------------------------------------------------------------

    def open_folder(self) -> None:
        """Asks for a folder of strips and inspects it."""
        settings = self.program.settings
        folder = QFileDialog.getExistingDirectory(self.window, "Folder of strips", settings.now.last_folder)
        if folder:
            settings.change(last_folder=folder)
            self.folder_opening.open(Path(folder))

    def open_bundle(self) -> None:
        """Asks for a bundle and inspects with it: a roll that runs goes on with it, else one begins."""
        if self.program.line_model.choose():
            self.program.roll.begin_when_loaded()

    def export(self) -> None:
        """Asks for the name of a folder and writes the roll there; the folder need not be there yet."""
        program, roll_id = self.program, self.program.roll.roll_id
        if not roll_id:
            return
        proposed = Path(program.settings.now.last_export or Path.home()) / f"roll-{roll_id}"
        # A dialog for a folder takes only one that is there.
        folder, _ = QFileDialog.getSaveFileName(self.window, "Export the roll to a folder", str(proposed))
        if folder:
            program.settings.change(last_export=str(Path(folder).parent))
            try:
                written = export_roll(program.engine, roll_id, Path(folder))
                program.notifier.note(f"Written: {', '.join(written)} in {folder}")
            except RecordsError as error:
                program.notifier.warn(str(error))

    def _toggle_theme(self) -> None:
        name = "light" if self.program.settings.now.theme == "dark" else "dark"
        use_theme(self.program, name)

    def _show_keys(self) -> None:
        window = self.window
        of_page = [*self.controllers[window.page].page.keys(), *(row for row in ROWS if row.page == window.page)]
        dialog = KeysDialog(of_page, [row for row in ROWS if not row.page], window)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show_about(self) -> None:
        program = self.program
        line, recipe = program.line_model, program.recipes.book.line
        loaded = line.loaded
        device = f" on {loaded.detector.device}" if loaded is not None and loaded.detector is not None else ""
        order = f" for {recipe.fabric}" if recipe.fabric is not None else ""
        scale = f"recipe {recipe.name}{order}, {recipe.mm_per_px:g} x {recipe.line_mm:g} mm"
        self.window.show_about(f"{program.roll.choice.spec}   |   {line.name}{device}   |   {scale}", line.tip)

    # --- beginning and end ----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Starts the first roll, unless another window has the data."""
        self.second_window.begin(lambda: self.left_roll.begin(self.program.roll.start), self.close)

    def close(self) -> None:
        """Ends the roll and then the program, unless a page or the person objects; the window stays until the roll is
        closed.
        """
        is_decided = self.program.roll.state is ProgramState.CLOSING  # nobody is asked the same twice
        if is_decided or all(may_end() for may_end in self.program.before_end):
            self.program.roll.close()

    def shut_down(self) -> None:
        """Ends the roll and then the program; nobody is there to be asked."""
        self.program.roll.shut_down()

    def log_out(self) -> None:
        """The session of the desktop ends, and waits for nobody: the roll is in the records when this returns, or was
        given the time that there is.
        """
        self.shut_down()
        if not self.program.roll.wait(_LOGOUT_WAITS_S):
            logger.warning("the session of the desktop ends before the roll is closed")

    @property
    def is_at_rest(self) -> bool:
        """No thread of a roll is alive, none that loads or learns a model, and no page holds a camera."""
        program = self.program
        pages_rest = all(c.is_at_rest for c in self.controllers.values()) and self.collecting.is_at_rest
        is_opened = self.folder_opening.is_at_rest and program.roll.is_at_rest
        is_opened = is_opened and self.pictures.is_at_rest
        return is_opened and not program.line_model.is_loading and pages_rest

    def wait_for_camera(self, timeout_s: float) -> None:
        """Gives the cameras of the page of cameras time to be closed."""
        cameras = self.controllers.get("cameras")
        if isinstance(cameras, CamerasController):
            cameras.wait(timeout_s)

    def _leave(self) -> None:
        program = self.program
        program.bridge.stop()
        program.roll.leave()
        self.second_window.give_back()
        for controller in self.controllers.values():
            controller.close()
        self.collecting.close()
        self.alarms.close()
        self.pictures.close()
        program.settings.save()
        program.engine.dispose()
        self.window.allow_close()
        program.qt.quit()


def take_signals(application: Application) -> None:
    """Ctrl-C in the terminal, SIGTERM and a terminal that is closed end roll and program, without asking."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as with nohup
            signal.signal(number, lambda *_: application.shut_down())


def run(qt: QApplication, application: Application, on_shown: Callable[[], object] = lambda: None) -> int:
    """Shows the window and runs until it is closed.

    ``on_shown`` is called when the window is there, before the first roll begins.
    """
    take_signals(application)
    application.window.show()
    on_shown()
    # Behind the first picture of the window: loading the model begins with torch, which keeps Python busy.
    QTimer.singleShot(0, application.begin)
    code = qt.exec()
    application.wait_for_camera(_CAMERA_WITHIN_S)
    if not application.is_at_rest:
        # A thread still computes; letting the interpreter tear torch down under it would end in a crash. Everything
        # that was committed is safe, and the roll is marked as interrupted at the next start.
        logging.shutdown()
        os._exit(code)
    return code
