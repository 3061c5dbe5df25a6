"""The services behind the page about models, made and closed together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from aoi_app.learning.candidate_service import CandidateService
from aoi_app.learning.history_service import HistoryService
from aoi_app.learning.learning_service import LearningService
from aoi_app.learning.state import LearningState
from aoi_app.learning.workspace import LearningWorkspace

_LAST_WAIT_S = 5.0


class LearningServices:
    """``close`` them when the program ends.

    Attributes:
        learning: teaches fabrics.
        candidates: evaluates new models and decides about them.
        history: keeps models, and puts them into use.
    """

    def __init__(
        self,
        workspace: LearningWorkspace,
        on_promoted: Callable[[Path], None],
        *,
        settings: Sequence[str] = (),
        gives_way: bool = True,
    ) -> None:
        """
        Args:
            workspace: what they share.
            on_promoted: told the bundle that was put into use, in a thread.
            settings, gives_way: of full trainings, see ``LearningService``.
        """
        self._workspace = workspace
        self.history = HistoryService(workspace, on_promoted)
        self.candidates = CandidateService(workspace, self.history)
        self.learning = LearningService(
            workspace, self.history, self.candidates, settings=settings, gives_way=gives_way
        )

    def state(self) -> LearningState:
        """The newest one, for somebody who shows it and will ask again."""
        return self._workspace.holder.ask()

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being learnt or evaluated; after ``close``, no thread is alive either."""
        return self._workspace.is_at_rest and self.learning.is_at_rest

    def close(self, timeout_s: float = _LAST_WAIT_S) -> None:
        """Ends what goes on; what a training has learnt so far is kept for the next time."""
        self.learning.stop()  # first: a training ends by itself meanwhile, when its input does
        self._workspace.close()
        self._workspace.wait(timeout_s)
        self.learning.close(timeout_s)
