"""Teaching fabrics: one quickly, or all of them in a full training.

A quick enrolment is done here, in the slow thread. A full training is a process of its own (``training_job``); the
quick thread watches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aoi_app.learning.candidate_service import CandidateService
from aoi_app.learning.history_service import HistoryService
from aoi_app.learning.training_job import TrainingJob
from aoi_app.learning.workspace import LearningWorkspace
from cras_core.data.folders import find_normal_images
from cras_core.data.samples.good_cloth import normal_images
from cras_core.evaluation.candidate_reports import load_report
from cras_core.training.progress import COMPARISON_STAGE

# Of the whole time, by stage: when it begins, and how long it takes. Half of it goes into the evaluation by two models.
_ENROLMENT_SHARES = {"features": (0.0, 0.35), "calibration": (0.35, 0.15), COMPARISON_STAGE: (0.5, 0.5)}


class LearningService:
    """Every command returns at once; the state tells later what came of it."""

    def __init__(
        self,
        workspace: LearningWorkspace,
        history: HistoryService,
        candidates: CandidateService,
        *,
        settings: Sequence[str] = (),
        gives_way: bool = True,
    ) -> None:
        """
        Args:
            workspace, history, candidates: what it works with.
            settings: of a full training, as ``section.name=value``; else those of the model in use.
            gives_way: a full training has the lowest priority, so that the line goes first.
        """
        self._workspace, self._history, self._candidates = workspace, history, candidates
        self._models, self._holder = workspace.models, workspace.holder
        self._settings, self._gives_way = tuple(settings), gives_way
        self._job: TrainingJob | None = None
        self._known_before: set[str] = set()  # models when the training began
        self._folder: Path | None = None
        workspace.watchers.append(self._watch_training)
        if self._holder.state.learning.more_folder:
            workspace.do_and_refresh(self._take_up_folder)

    @property
    def is_at_rest(self) -> bool:
        """No training runs."""
        return self._job is None

    def close(self, timeout_s: float) -> None:
        """Gives a training that was stopped so long to end; it ends by itself later if its present step takes longer.

        Nobody watches it any more: call this when the quick thread has ended.
        """
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            job.wait(timeout_s)

    @property
    def training_pid(self) -> int | None:
        """Of the process that trains; None without."""
        return self._job.pid if self._job is not None else None

    def enrol(self, fabric: str) -> None:
        """Adds a fabric to the model in use, without training, and evaluates the result."""
        self._workspace.do_long(f"Enrolling {fabric} …", lambda: self._enrol(fabric))

    def train(self, *, fresh: bool) -> None:
        """Trains all fabrics; an interrupted training is resumed, unless ``fresh``."""
        self._workspace.do(lambda: self._train(fresh=fresh))

    def choose_folder(self, folder: Path | None) -> None:
        """Pictures of further fabrics for full trainings, laid out as for ``cras train``; None for none. It is in the
        settings of the state from then on.
        """

        def do() -> None:
            names = tuple(n.fabric for n in find_normal_images(folder)) if folder is not None else ()
            self._folder, shown = folder, str(folder) if folder is not None else ""
            learning = self._holder.state.learning.model_copy(update={"more_folder": shown})
            self._holder.change(extra_folder=shown, extra_fabrics=names, learning=learning)

        self._workspace.do_and_refresh(do)

    def stop(self) -> None:
        """Ends what goes on: an enrolment, an evaluation or a training."""
        self._workspace.stopping.set()
        if self._job is not None:
            self._job.cancel()

    def _take_up_folder(self) -> None:
        """The folder of the settings. Where it cannot be read now, it stays chosen: a training says so then, instead
        of forgetting the fabrics in it.
        """
        folder = self._folder = Path(self._holder.state.learning.more_folder)
        self._holder.change(extra_folder=str(folder))
        self._holder.change(extra_fabrics=tuple(n.fabric for n in find_normal_images(folder)))

    # --- in the threads -------------------------------------------------------------------------------------------

    def _enrol(self, fabric: str) -> None:
        from cras_core.training.enrol import enrol  # loads torch, so in this thread and not at the program's start

        base = self._history.base()
        grown = enrol(
            base,
            normal_images(self._workspace.samples, [fabric])[0],
            self._workspace.device,
            replacing=fabric in base.fabrics,
            on_progress=self._workspace.on_progress(_ENROLMENT_SHARES),
            should_stop=self._workspace.stopping.is_set,
        )
        self._models.add(grown)
        self._holder.change(busy=f"Evaluating the model with {fabric} beside the model in use …")
        self._candidates.evaluate_now(grown, _ENROLMENT_SHARES)

    def _train(self, *, fresh: bool) -> None:
        if self._job is not None:
            self._holder.fail("A training is running already.")
            return
        if self._workspace.line_bundle is not None:
            self._history.base()  # begins the history, so that there is a model to compare with and to roll back to
        self._workspace.stopping.clear()
        self._known_before = {e.identity for e in self._models.entries()}
        self._job = TrainingJob(
            self._workspace.samples.root,
            self._models.folder,
            more=self._folder,
            settings=self._settings,
            device=self._workspace.device,
            fresh=fresh,
            gives_way=self._gives_way,
        )
        self._holder.say("")
        self._watch_training()

    def _watch_training(self) -> None:
        job = self._job
        if job is None:
            return
        is_over = job.wait(0)  # asked first: the state that is read after the end is the last one
        state = job.state
        if state != self._holder.state.training:
            self._holder.change(training=state)
        if is_over and not state.is_running:
            self._job = None
            try:
                self._finish(state.model or self._made_since())
            finally:
                self._workspace.refresh()

    def _finish(self, made: str) -> None:
        """``made``: identity of the new model; empty without one."""
        kept = load_report(self._models.folder, made) if made else None
        if kept is not None:
            self._candidates.decide(kept)
        elif made:
            self._candidates.take_unevaluated(made)

    def _made_since(self) -> str:
        """A model that the training had made before it ended without saying so."""
        return next((e.identity for e in self._models.entries() if e.identity not in self._known_before), "")
