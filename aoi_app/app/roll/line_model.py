"""The model of the line: loaded beside the running roll, which then goes on with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from aoi_app.app.ground.notifier import Notifier
from aoi_app.app.ground.settings_holder import SettingsHolder
from aoi_app.learning.model_names import name_of_file
from aoi_app.live.first_cloth import Teach
from aoi_app.live.model_loader import ChooseModel, LoadedModel, ModelLoader, missing_gpu
from aoi_app.live.session import Session
from aoi_app.live.web_teacher import web_teacher
from aoi_app.settings.folders import models_folder, self_taught_folder
from aoi_app.settings.recipe import RecipeError
from aoi_app.ui.main.main_window import MainWindow
from cras_core.web.calibration import THIS_WEB


class LineModel(QObject):
    """
    Attributes:
        bundle: the file of the model that the line runs, or that it would.
        loaded: the model itself; None until the first one is loaded.
        before: the bundle of the model before it; None where there was none.

    Signals:
        loading: a model is being loaded.
        changed: another model is the line's.
        refused: a model could not be loaded, or does not fit the running roll; the person was told why.
        cannot_go_on: LoadedModel and why, a sentence; it fits no roll but a new one.
        unknown_fabric: LoadedModel and the fabric that runs, which it does not know.
    """

    loading = Signal()
    changed = Signal()
    refused = Signal()
    cannot_go_on = Signal(object, str)
    unknown_fabric = Signal(object, str)
    _arrived = Signal(object)  # LoadedModel, from the thread that loads
    _promoted = Signal(object)  # Path of a bundle, from the thread that put it into use

    def __init__(
        self,
        window: MainWindow,
        notifier: Notifier,
        settings: SettingsHolder,
        bundle: Path,
        device: str,
        precision: str,
        choose_first: ChooseModel | None = None,
    ) -> None:
        """
        Args:
            window, notifier, settings: of the program.
            bundle: the first model.
            device, precision: as for ``load_model``.
            choose_first: chooses the first model in the place of ``bundle``, in the thread that loads it.
        """
        super().__init__()
        self._window, self._notifier, self._settings = window, notifier, settings
        self._loader = ModelLoader(device, precision, self._arrived.emit)
        self._choose_first = choose_first
        self._session: Session | None = None
        self._is_closed = False
        self.bundle = bundle
        self.loaded: LoadedModel | None = None
        self.before: Path | None = None
        self._arrived.connect(self._take)
        self._promoted.connect(self.use)

    @property
    def is_loading(self) -> bool:
        """A thread still loads."""
        return self._loader.is_loading

    @property
    def name(self) -> str:
        """What people call the line's model."""
        return name_of_loaded(self.loaded) if self.loaded is not None else self.bundle.name

    @property
    def tip(self) -> str:
        """File and hash of the line's model, by which records and programs call it."""
        return f"{self.bundle}\n{self.loaded.identity}" if self.loaded is not None else str(self.bundle)

    @property
    def device(self) -> str:
        """Where models run."""
        return self._loader.device

    @property
    def fabrics(self) -> tuple[str, ...]:
        """What the loaded model knows."""
        model = self.loaded.detector if self.loaded is not None else None
        return model.fabrics if model is not None else ()

    def teacher(self) -> Teach:
        """Teaches the line's model by the cloth of a web."""
        return web_teacher(self.bundle, self._loader.device, self._loader.precision, self_taught_folder())

    def follow(self, session: Session) -> None:
        """A model that is used from now on is taken over by this roll while it runs."""
        self._session = session

    def choose(self) -> bool:
        """Asks for a bundle and uses it; False where the person chose none."""
        last = self._settings.now.last_bundle
        path, _ = QFileDialog.getOpenFileName(self._window, "Model bundle", last, "Bundles (*.cras)")
        if path:
            self.use(Path(path))
        return bool(path)

    def use(self, bundle: Path) -> None:
        """Loads a bundle; the model before stays until the other is loaded and fits the running roll."""
        choose = self._choose_first if self.loaded is None and bundle == self.bundle else None
        is_named = choose is None and bundle.parent != models_folder()  # the history calls its files by a hash
        self._notifier.note(f"Loading the model {bundle.name} …" if is_named else "Loading the model …")
        self._loader.load(bundle, choose)
        self.loading.emit()

    def promoted(self, bundle: Path) -> None:
        """A model was put into use; may be called from any thread."""
        self._promoted.emit(bundle)

    def close(self) -> None:
        """Whatever is still being loaded is not used."""
        self._is_closed = True

    def go_back(self) -> None:
        """Uses the model before, as it is on disk."""
        if self.before is None:
            self._notifier.note("There is no model before this one since the program was started.")
        else:
            self.use(self.before)

    def adopt(self, loaded: LoadedModel) -> None:
        """It is the line's from now on; a running roll goes on with it where it can.

        Raises:
            RecipeError: it cannot go on in the running roll; nothing has changed.
        """
        running, model = self._running(), loaded.detector
        assert model is not None
        if running is not None:
            running.use_model(model, loaded.identity, model.config.tiling)
        self.take(loaded)

    def take(self, loaded: LoadedModel) -> None:
        """It is the line's from the next roll on."""
        if self.loaded is not None and self.bundle != loaded.bundle:
            self.before = self.bundle
        self.bundle, self.loaded = loaded.bundle, self._with_device(loaded)
        self._settings.change(last_bundle=str(loaded.bundle))
        self._notifier.note("")
        self.changed.emit()

    def _with_device(self, loaded: LoadedModel) -> LoadedModel:
        """What was loaded, with what is to be said of where it runs: a GPU that is not there any more makes a line slow
        and nobody would know why.
        """
        model = loaded.detector
        if model is None or loaded.device_problem:
            return loaded
        runs_on = model.device.type
        problem = missing_gpu(self.device, runs_on, gpu_was_used=self._settings.now.gpu_was_used)
        if runs_on != "cpu":
            self._settings.change(gpu_was_used=True)
        return replace(loaded, device_problem=problem)

    def _running(self) -> Session | None:
        session = self._session
        return session if session is not None and not session.state.is_over else None

    def _take(self, loaded: LoadedModel) -> None:
        if self._is_closed:
            return
        running, model = self._running(), loaded.detector
        if model is None:
            self._refuse(loaded.problem + (" The running model goes on." if running is not None else ""))
            return
        if running is not None:
            try:
                running.check_model(model, model.config.tiling)
            except RecipeError as error:
                self.cannot_go_on.emit(loaded, str(error))
                return
            fabric = running.snapshot().fabric
            if fabric not in (None, THIS_WEB, *model.fabrics):  # a web that taught itself is matched anew
                assert fabric is not None
                self.unknown_fabric.emit(loaded, fabric)
                return
        self.adopt(loaded)

    def _refuse(self, why: str) -> None:
        self._notifier.warn(why)
        self.refused.emit()


def name_of_loaded(loaded: LoadedModel) -> str:
    """What people call a model that was loaded."""
    model = loaded.detector
    if model is None:
        return loaded.bundle.name
    return name_of_file(loaded.bundle, loaded.identity, model.fabrics, model.made_at)
