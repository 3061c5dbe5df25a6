"""A candidate, a new model that is not in use yet: evaluated beside the model in use, then decided about."""

from __future__ import annotations

from collections.abc import Mapping

from aoi_app.learning.evaluation_wording import automatic_reason, may_go_live
from aoi_app.learning.history_service import HistoryService
from aoi_app.learning.workspace import LearningWorkspace
from cras_core.evaluation.candidate_reports import KeptReport, keep_report, load_report
from cras_core.registry.bundle import Bundle
from cras_core.training.progress import COMPARISON_STAGE

_SHARES_ALONE = {COMPARISON_STAGE: (0.0, 1.0)}


class CandidateService:
    """Every command returns at once; the state tells later what came of it."""

    def __init__(self, workspace: LearningWorkspace, history: HistoryService) -> None:
        self._workspace, self._history = workspace, history
        self._models, self._holder = workspace.models, workspace.holder

    def show(self, identity: str) -> None:
        """Makes a model the candidate, with its evaluation as it was kept; without one it is evaluated."""

        def do() -> None:
            kept = load_report(self._models.folder, identity)
            if kept is not None:
                self._take(kept)
            else:
                self.evaluate(identity)

        self._workspace.do(do)

    def evaluate(self, identity: str) -> None:
        """Evaluates a model beside the one in use, on the samples as they are now."""
        self._workspace.do_long(
            f"Evaluating {self._holder.state.name_of(identity)} beside the model in use …",
            lambda: self.evaluate_now(self._models.read(identity), _SHARES_ALONE),
        )

    def accept(self) -> None:
        """Puts the candidate into use; the line goes on with it."""

        def do() -> None:
            state = self._holder.state
            is_worse = state.evaluation is not None and bool(state.evaluation.worse)
            self._history.put_into_use(state.candidate, "chosen although it is worse" if is_worse else "chosen")

        self._workspace.do(do)

    def dismiss(self) -> None:
        """The model in use stays; the candidate is kept in the history."""

        def do() -> None:
            self._holder.change(candidate="", report=None, evaluation=None)
            self._holder.say("The model in use stays. The candidate is kept in the history.")

        self._workspace.do(do)

    # --- in the thread of whoever calls ---------------------------------------------------------------------------

    def evaluate_now(self, candidate: Bundle, shares: Mapping[str, tuple[float, float]]) -> None:
        """Evaluates a candidate that is in the history, and decides about it. Raises CrasError."""
        from cras_core.training.retrain import evaluate_candidate  # loads torch: in this thread, not at the start

        self._holder.change(candidate=candidate.identity, report=None, evaluation=None)
        entry = self._models.in_use
        running = None if entry is None or entry.identity == candidate.identity else self._models.read(entry.identity)
        report = evaluate_candidate(
            self._workspace.samples,
            candidate,
            running,
            self._workspace.device,
            self._workspace.on_progress(shares),
            self._workspace.stopping.is_set,
        )
        kept = KeptReport("" if running is None else running.identity, candidate.identity, report)
        keep_report(self._models.folder, kept)
        self.decide(kept)

    def decide(self, kept: KeptReport) -> None:
        """A candidate is evaluated: it goes live by itself, or a person is asked. Raises CrasError."""
        self._take(kept)
        state = self._holder.state
        evaluation = state.evaluation
        if state.learning.promote_unless_worse and evaluation is not None and may_go_live(evaluation):
            self._history.put_into_use(kept.after, automatic_reason(evaluation))
        else:
            name = self._workspace.name_of(kept.after)
            self._holder.say(f"The new model {name} is ready and not in use yet. Decide on the tab Candidate.")

    def take_unevaluated(self, identity: str) -> None:
        """Makes a model the candidate whose evaluation did not come about."""
        self._holder.change(candidate=identity, report=None, evaluation=None)
        name = self._workspace.name_of(identity)
        self._holder.fail(f"The new model {name} is kept, but was not evaluated. Evaluate it on the tab Candidate.")

    def _take(self, kept: KeptReport) -> None:
        self._holder.change(candidate=kept.after, report=kept)
        self._workspace.refresh()
