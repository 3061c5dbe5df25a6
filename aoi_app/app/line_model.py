"""The model of the line: loaded beside the running roll, which then goes on with it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from aoi_app.app.notifier import Notifier
from aoi_app.app.settings_holder import SettingsHolder
from aoi_app.learning.model_names import name_of_file
from aoi_app.live.model_loader import ChooseModel, LoadedModel, ModelLoader
from aoi_app.live.session import Session
from aoi_app.settings.folders import models_folder
from aoi_app.settings.recipe import RecipeError
from aoi_app.ui.main.main_window import MainWindow


class LineModel(QObject):
    """
    Attributes:
        bundle: the file of the model that the line runs, or that it would.
        loaded: the model itself; None until the first one is loaded.

    Signals:
        loading: a model is being loaded.
        replaced: another model than the one in use inspects, and why.
        changed: another model is the line's.
        refused: a model could not be loaded, or does not fit the running roll; the person was told why.
    """

    loading = Signal()
    replaced = Signal(str)
    changed = Signal()
    refused = Signal()
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
        self._arrived.connect(self._take)
        self._promoted.connect(self.use)

    @property
    def is_loading(self) -> bool:
        """A thread still loads."""
        return self._loader.is_loading

    @property
    def name(self) -> str:
        """What people call the line's model."""
        loaded = self.loaded
        if loaded is None or loaded.detector is None:
            return self.bundle.name
        return name_of_file(loaded.bundle, loaded.identity, loaded.detector.fabrics, loaded.detector.made_at)

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

    def _take(self, loaded: LoadedModel) -> None:
        if self._is_closed:
            return
        running = self._session if self._session is not None and not self._session.state.is_over else None
        if loaded.remark:
            self.replaced.emit(loaded.remark)  # before a roll begins with it
        goes_on = " The running model goes on." if running is not None else ""
        model = loaded.detector
        if model is None:
            self._refuse(loaded.problem + goes_on)
            return
        try:
            if running is not None:
                running.use_model(model, loaded.identity, model.config.tiling)
        except RecipeError as error:
            name = name_of_file(loaded.bundle, loaded.identity, model.fabrics, model.made_at)
            self._refuse(f"{name}: {error}{goes_on}")
            return
        self.bundle, self.loaded = loaded.bundle, loaded
        self._settings.change(last_bundle=str(loaded.bundle))
        self._notifier.note("")
        self.changed.emit()

    def _refuse(self, why: str) -> None:
        self._notifier.warn(why)
        self.refused.emit()
