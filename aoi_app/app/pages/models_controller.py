"""The page about models: what is asked there goes to the services of learning, and what came of it is shown."""

from __future__ import annotations

from pathlib import Path

from aoi_app.app.pages.program import Program
from aoi_app.app.pages.refresh import Refresh, while_shown
from aoi_app.learning.services import LearningServices
from aoi_app.learning.state import LearningState
from aoi_app.learning.workspace import LearningWorkspace
from aoi_app.samples.thumbnails import Thumbnails
from aoi_app.settings.folders import library_folder, models_folder
from aoi_app.settings.settings import Learning
from aoi_app.ui.models.models_page import ModelsPage
from aoi_app.ui.models.tile_row import TILE_PX
from aoi_app.ui.widgets.theme import THEMES
from cras_core.data.samples.store import SampleStore
from cras_core.registry.store import ModelStore

_STATE_MS = 100
_PICTURES_MS = 100


class ModelsController:
    """
    Attributes:
        page: the page.
        services: what works behind it.
    """

    def __init__(self, program: Program) -> None:
        self._program = program
        line, settings = program.line_model, program.settings.now
        workspace = LearningWorkspace(
            SampleStore(library_folder()),
            ModelStore(models_folder()),
            line_bundle=lambda: line.bundle,
            learning=settings.learning,
            device=line.device,
        )
        self.services = LearningServices(workspace, line.promoted)
        self._thumbnails = Thumbnails(TILE_PX)
        self.page = ModelsPage(THEMES[settings.theme])
        self._connect()
        program.roll.ending.work.append(self._work)
        self._refresh = Refresh(self.page, self.services.state, self._show_state, _STATE_MS)
        self._pictures = while_shown(self.page, self._show_pictures, _PICTURES_MS)

    def _connect(self) -> None:
        page, program = self.page, self._program
        learning, candidates, history = self.services.learning, self.services.candidates, self.services.history
        page.shown.connect(self._show_thresholds)
        program.recipes.changed.connect(self._show_thresholds)
        page.status.stop_asked.connect(learning.stop)
        page.learn.enrolment_asked.connect(learning.enrol)
        page.learn.training_asked.connect(lambda fresh: learning.train(fresh=fresh))
        page.learn.folder_chosen.connect(lambda folder: learning.choose_folder(Path(folder) if folder else None))
        page.learn.settings_changed.connect(self._use_settings)
        page.candidate.accepted.connect(candidates.accept)
        page.candidate.dismissed.connect(candidates.dismiss)
        page.candidate.evaluation_asked.connect(candidates.evaluate)
        page.candidate.threshold_chosen.connect(program.recipes.use_threshold)
        page.candidate.pictures_wanted.connect(self._thumbnails.want)
        page.history.promotion_asked.connect(history.promote)
        page.history.rollback_asked.connect(history.rollback)
        page.history.adoption_asked.connect(history.adopt)
        page.history.candidate_asked.connect(candidates.show)
        page.history.pin_asked.connect(lambda identity, pinned: history.pin(identity, pinned=pinned))
        page.history.removal_asked.connect(history.remove)
        page.history.pruning_asked.connect(history.prune)
        page.history.difference_asked.connect(history.differ)
        page.history.fabric_renaming_asked.connect(history.rename_fabric)
        page.history.fabric_removal_asked.connect(history.remove_fabric)
        page.history.settings_changed.connect(self._use_settings)

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being learnt or evaluated."""
        return self.services.is_at_rest

    def close(self) -> None:
        """Ends what is being learnt; a training can be resumed the next time."""
        self._refresh.stop()
        self._pictures.stop()
        self._thumbnails.close()
        self.services.close()

    def _work(self) -> str:
        """What would end with the program, a sentence; empty while nothing is learnt."""
        state = self.services.state()
        if state.is_training or not self.services.learning.is_at_rest:
            return "A training runs; start it again the next time to resume it."
        if state.busy:
            return f"The page Models is at work ({state.busy.rstrip(' …')}); that is lost and has to be done again."
        return ""

    def choose_fabric(self, fabric: str) -> None:
        """The fabric that a person looks at elsewhere is offered to be learnt."""
        self.page.learn.choose(fabric)

    def _show_state(self, state: LearningState) -> None:
        if state.learning != self._program.settings.now.learning:  # the folder with more pictures was read, and is kept
            self._program.settings.change(learning=state.learning)
            self._program.settings.save()
        self.page.show_state(state)

    def _show_thresholds(self) -> None:
        self.page.candidate.show_thresholds(*self._program.recipes.thresholds())

    def _show_pictures(self) -> None:
        read = self._thumbnails.take()
        if read:
            self.page.show_pictures(read)

    def _use_settings(self, learning: Learning) -> None:
        self._program.settings.change(learning=learning)
        self._program.settings.save()
        self.services.history.use_settings(learning)
