"""What the services of learning share: the stores, the state that is shown, and the threads in which things are done.

The quick thread does what takes no time, in order, and watches what goes on; the slow one does what takes seconds or
minutes, an enrolment or an evaluation, one after the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aoi_app.background.state_holder import StateHolder
from aoi_app.background.throttle import Throttle
from aoi_app.background.worker import SerialWorker
from aoi_app.learning.model_names import names_of
from aoi_app.learning.reader import LearningReader
from aoi_app.learning.rows import evaluation_of
from aoi_app.learning.state import CandidateEvaluation, LearningState, ModelRow
from aoi_app.settings.settings import Learning
from cras_core.data.samples.store import SampleStore
from cras_core.errors import DataError
from cras_core.evaluation.candidate_reports import KeptReport
from cras_core.registry.store import ModelStore
from cras_core.training.progress import Progress

_WATCH_S = 0.25
_READ_S = 2.0
_UNWATCHED_S = 3.0  # nobody asked for the state so long: the page is not seen
_YIELD = 1.0  # after each step, wait as long as it took, so that the line has a processor


class LearningWorkspace:
    """``close`` it when the program ends.

    Attributes:
        samples: the store of samples.
        models: the history.
        holder: what is shown.
        device: where models are computed.
        stopping: what takes long shall end.
        watchers: called again and again, in the quick thread, while it has nothing else to do.
    """

    def __init__(
        self,
        samples: SampleStore,
        models: ModelStore,
        *,
        line_bundle: Callable[[], Path | None],
        learning: Learning | None = None,
        device: str = "auto",
        yields: float = _YIELD,
    ) -> None:
        """
        Args:
            samples: the samples; the folder need not be there yet.
            models: the history, likewise.
            line_bundle: the bundle that the line runs, or that it would; asked from a thread.
            learning: settings.
            device: ``auto``, ``cpu``, ``cuda``, ...
            yields: how long the slow thread waits after each step, as a multiple of its time.
        """
        self.samples, self.models, self.device = samples, models, device
        self._line_bundle, self._yields = line_bundle, yields
        self.holder = StateHolder(LearningState(learning=learning or Learning()))
        self.stopping = threading.Event()
        self.watchers: list[Callable[[], object]] = []
        self._read = LearningReader(samples, models)
        self._reading = threading.Lock()
        self._read_s = float("-inf")
        self._is_closed = False
        self._quick = SerialWorker("models", self.holder.fail, self._watch, _WATCH_S)
        self._slow = SerialWorker("learning", self.holder.fail)
        self.refresh_soon()

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being done; after ``close``, no thread is alive either."""
        is_over = not (self._quick.is_alive or self._slow.is_alive)
        return not self.holder.state.busy and (is_over or not self._is_closed)

    def close(self) -> None:
        """Ends what goes on; ``wait`` for it."""
        self._is_closed = True
        self.stopping.set()
        self._quick.close()
        self._slow.close()

    def wait(self, timeout_s: float) -> bool:
        """Whether both threads have ended, each within the time."""
        is_quick_over = self._quick.wait(timeout_s)
        return self._slow.wait(timeout_s) and is_quick_over

    @property
    def line_bundle(self) -> Path | None:
        """The bundle that the line runs, or that it would."""
        return self._line_bundle()

    def name_of(self, identity: str) -> str:
        """What people call a model of the history; for threads, which may know more than what is shown."""
        return names_of(self.models.entries()).get(identity, identity)

    # --- doing ----------------------------------------------------------------------------------------------------

    def do(self, job: Callable[[], object]) -> None:
        """In the quick thread."""
        self._quick.put(job)

    def do_and_refresh(self, job: Callable[[], object]) -> None:
        """In the quick thread; what is on disk is shown again, whether the job failed or not."""

        def both() -> None:
            try:
                job()
            finally:
                self.refresh()

        self._quick.put(both)

    def do_long(self, busy: str, job: Callable[[], object]) -> None:
        """In the slow thread, while ``busy`` is shown."""
        if self._is_closed:
            return
        self.stopping.clear()
        self.holder.change(busy=busy, progress=None, note="", is_alarm=False)

        def whole() -> None:
            try:
                with self.holder.doing(busy):
                    job()
            finally:
                self.refresh_soon()

        self._slow.put(whole)

    def on_progress(self, shares: Mapping[str, tuple[float, float]]) -> Callable[[Progress], None]:
        """Shows how far long work is, and lets the line go first.

        Args:
            shares: of the whole, by stage: what is done when it begins, and what it adds.
        """
        give_way = Throttle(self._yields)

        def tell(step: Progress) -> None:
            give_way()
            first, share = shares.get(step.stage, (0.0, 1.0))
            self.holder.change(progress=first + share * step.done / max(1, step.total))

        return tell

    # --- what is on disk ------------------------------------------------------------------------------------------

    def refresh_soon(self) -> None:
        """Reads samples and history, in the quick thread."""
        self._quick.put(self.refresh)

    def refresh(self) -> None:
        """Reads samples and history, in the calling thread."""
        self._read_s = time.monotonic()
        with self._reading:
            state = self.holder.state
            found = self._read(self.line_bundle, state.extra_fabrics)
            evaluation = self._evaluation(state.report, found["models"], found["in_use"])
            with self.holder.lock:
                if self.holder.state.report is state.report:  # else the candidate is another one since
                    found["evaluation"] = evaluation
                self.holder.change(**found)

    def _watch(self) -> None:
        for watcher in self.watchers:
            watcher()
        is_old = time.monotonic() - self._read_s > _READ_S
        if is_old and self.holder.was_asked_within(_UNWATCHED_S):
            self.refresh()

    def _evaluation(
        self, kept: KeptReport | None, models: Sequence[ModelRow], in_use: str
    ) -> CandidateEvaluation | None:
        if kept is None:
            return None
        provisional = next((m.provisional for m in models if m.identity == kept.after), ())
        folders = {fabric: self._pictures(fabric) for fabric in kept.report.fabrics}
        return evaluation_of(kept, folders, provisional, in_use)

    def _pictures(self, fabric: str) -> Path:
        try:
            return self.samples.folder(fabric) / "samples"
        except DataError:  # it was renamed or deleted; its pictures are shown as missing
            return self.samples.root
