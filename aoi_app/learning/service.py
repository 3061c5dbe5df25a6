"""Where models are learnt, compared and put into use: threads that do it, so that no window waits.

A full training is a process of its own (``training_job``); the quick thread watches it. What takes seconds, a quick
enrolment or a comparison, is done here by the slow thread, one after the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aoi_app.background.throttle import Throttle
from aoi_app.background.worker import SerialWorker
from aoi_app.learning.reader import ModelsReader
from aoi_app.learning.rows import compared, difference, training_view
from aoi_app.learning.state import ModelView
from aoi_app.learning.training_job import JobState, TrainingJob
from aoi_app.learning.wording import may_go_live
from aoi_app.settings.settings import Learning
from cras_core.data.folders import find_normal_images
from cras_core.data.samples.good_cloth import normal_images
from cras_core.data.samples.store import SampleStore
from cras_core.errors import DataError, StoreError
from cras_core.evaluation.candidate_reports import KeptReport, drop_reports, keep_report, load_report, was_cut_off
from cras_core.registry.bundle import Bundle, read_bundle
from cras_core.registry.entries import PrunePolicy
from cras_core.registry.store import ModelStore
from cras_core.training.enrol import enrol
from cras_core.training.fabric_changes import remove_fabric, rename_fabric
from cras_core.training.progress import Progress
from cras_core.training.retrain import COMPARISON_STAGE, evaluate_candidate

_WATCH_S = 0.25
_LOOK_S = 2.0
_UNWATCHED_S = 3.0  # nobody asked for the view so long: the window is closed
_ENROL_SHARES = {"features": (0.0, 0.35), "calibration": (0.35, 0.15), COMPARISON_STAGE: (0.5, 0.5)}
_SHARES_ALONE = {COMPARISON_STAGE: (0.0, 1.0)}
_LAST_WAIT_S = 5.0


class LearningService:
    """A ``Models`` for the pages. ``close`` it when the program goes."""

    def __init__(
        self,
        store: SampleStore,
        models: ModelStore,
        *,
        running: Callable[[], Path | None],
        on_promoted: Callable[[Path], None],
        learning: Learning | None = None,
        on_learning: Callable[[Learning], None] = lambda _: None,
        device: str = "auto",
        settings: Sequence[str] = (),
    ) -> None:
        """
        Args:
            store: the samples; its folder need not be there yet.
            models: the history, likewise.
            running: the bundle that the line runs, or that it would; asked from a thread.
            on_promoted: told the bundle that was put into use, in a thread.
            learning: settings.
            on_learning: told other settings, so that they are kept.
            device: ``auto``, ``cpu``, ``cuda``, ...
            settings: of a full training, as ``section.name=value``; else those of the model in use.
        """
        self._store, self._models = store, models
        self._running, self._on_promoted, self._on_learning = running, on_promoted, on_learning
        self._device, self._settings = device, tuple(settings)
        self._lock = threading.RLock()
        self._view = ModelView(learning=learning or Learning())
        self._look_at = ModelsReader(store, models)
        self._looking = threading.Lock()
        self._kept: KeptReport | None = None
        self._job: TrainingJob | None = None
        self._known_before: set[str] = set()
        self._more: Path | None = None
        self._stopping = threading.Event()
        self._is_closed = False
        self._asked_s = self._looked_s = 0.0
        self._quick = SerialWorker("models", self._fail, self._watch, _WATCH_S)
        self._slow = SerialWorker("learning", self._fail)
        self.look()

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being learnt or compared; after ``close``, no thread is alive either."""
        with self._lock:
            is_idle = not self._view.busy and self._job is None
        return is_idle and (not self._is_closed or (self._quick.wait(0) and self._slow.wait(0)))

    def view(self) -> ModelView:
        """What there is to show now."""
        self._asked_s = time.monotonic()
        with self._lock:
            return self._view

    def close(self, timeout_s: float = _LAST_WAIT_S) -> None:
        """Ends what goes on; what a training has learnt so far is kept for the next time."""
        self._is_closed = True
        self._stopping.set()
        for lane in (self._quick, self._slow):
            lane.close()
        job, self._job = self._job, None
        if job is not None:
            job.cancel()  # it ends by itself when its input does, however long its present step takes
            job.wait(timeout_s)
        self._quick.wait(timeout_s)
        self._slow.wait(timeout_s)

    # --- learning -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Reads samples and history anew."""
        self._quick.put(self._look)

    def enrol(self, fabric: str) -> None:
        """Adds a fabric to the model in use, without training, and compares."""
        self._long(f"Enrolling {fabric} …", lambda: self._enrol(fabric))

    def train(self, *, fresh: bool) -> None:
        """Trains all fabrics; one that was cut off goes on, unless it is to begin anew."""
        self._quick.put(lambda: self._train(fresh))

    def choose_more(self, folder: Path | None) -> None:
        """Cloth of further fabrics for the training, laid out as for ``cras train``."""

        def do() -> None:
            names = tuple(n.fabric for n in find_normal_images(folder)) if folder is not None else ()
            self._more = folder
            self._show(more=str(folder) if folder is not None else "", more_fabrics=names)
            self._look()

        self._quick.put(do)

    def stop(self) -> None:
        """Ends what goes on."""
        self._stopping.set()
        if self._job is not None:
            self._job.cancel()

    # --- the history ----------------------------------------------------------------------------------------------

    def compare(self, identity: str, *, anew: bool = False) -> None:
        """Sets a model beside the one in use: as it was kept, or judged anew."""

        def do() -> None:
            kept = None if anew else load_report(self._models.folder, identity)
            if kept is not None:
                self._take(kept)
            else:
                self._long("Comparing …", lambda: self._try_out(self._models.read(identity), _SHARES_ALONE))

        self._quick.put(do)

    def promote(self, identity: str, reason: str) -> None:
        """Puts a model into use, an older one as well; the line goes on with it."""
        self._quick.put(lambda: self._promote(identity, reason))

    def dismiss(self) -> None:
        """The old model stays; the new one is kept in the history."""

        def do() -> None:
            self._kept = None
            self._show(candidate="", compared=None)
            self._say("The model in use stays. The new one is kept on the page Models.")

        self._quick.put(do)

    def adopt(self) -> None:
        """Takes the line's model into the history and puts it into use there."""

        def do() -> None:
            path = self._running()
            if path is not None:
                bundle = read_bundle(path)
                self._models.add(bundle)
                self._models.promote(bundle.identity, f"the line runs it, {path.name}")
                self._say(f"{path.name} is in the history and in use, as {bundle.identity}.")
            self._look()

        self._quick.put(do)

    def pin(self, identity: str, *, pinned: bool) -> None:
        """Keeps a model from being deleted, or no longer."""
        self._then_look(lambda: self._models.pin(identity, pinned=pinned))

    def remove(self, identity: str) -> None:
        """Deletes a model."""

        def do() -> None:
            self._models.remove(identity)
            if identity == self._view.candidate:
                self._kept = None
                self._show(candidate="", compared=None)
            self._drop_trials()
            self._say(f"{identity} is deleted.")

        self._then_look(do)

    def prune(self) -> None:
        """Deletes the oldest models until the bounds hold."""

        def do() -> None:
            gone = self._prune()
            self._say(f"Deleted: {', '.join(gone)}." if gone else "Nothing was deleted: the bounds hold.")

        self._then_look(do)

    def differ(self, before: str, after: str) -> None:
        """Tells what differs between two models."""
        self._quick.put(lambda: self._show(difference=difference(self._models.compare(before, after))))

    def rename_fabric(self, old: str, new: str) -> None:
        """Gives a fabric of the model in use another name, and its samples too."""

        def do() -> None:
            renamed = rename_fabric(self._base(), old, new)
            self._models.add(renamed)
            names = {f.name for f in self._store.fabrics()}
            if old in names and new not in names:
                self._store.rename(old, new)
            self._promote(renamed.identity, f"{old} is called {new}")

        self._long(f"Renaming {old} …", do)

    def take_out(self, fabric: str) -> None:
        """Takes a fabric out of the model in use; its samples are kept and not learnt any more."""

        def do() -> None:
            rest = remove_fabric(self._base(), fabric)
            self._models.add(rest)
            for record in self._store.fabrics():
                if record.name == fabric and not record.is_retired:
                    self._store.change(replace(record, is_retired=True))
            self._promote(rest.identity, f"{fabric} is taken out")

        self._long(f"Taking {fabric} out …", do)

    def change(self, learning: Learning) -> None:
        """Other settings."""
        self._show(learning=learning)
        self._on_learning(learning)

    # --- in the threads -------------------------------------------------------------------------------------------

    def _base(self) -> Bundle:
        """The model that new ones are made of: the one in use; where there is no history, the line's begins it."""
        entry = self._models.in_use
        if entry is not None:
            return self._models.read(entry.identity)
        path = self._running()
        if path is None:
            raise StoreError("There is no model yet to add a fabric to. Train all fabrics first.")
        bundle = read_bundle(path)
        self._models.add(bundle)
        self._models.promote(bundle.identity, f"the line ran it when the history began, {path.name}")
        return bundle

    def _enrol(self, fabric: str) -> None:
        base = self._base()
        grown = enrol(
            base,
            normal_images(self._store, [fabric])[0],
            self._device,
            replacing=fabric in base.fabrics,
            on_progress=self._teller(_ENROL_SHARES),
            should_stop=self._stopping.is_set,
        )
        self._models.add(grown)
        self._show(busy=f"Comparing the model with {fabric} with the one in use …")
        self._try_out(grown, _ENROL_SHARES)

    def _try_out(self, candidate: Bundle, shares: dict[str, tuple[float, float]]) -> None:
        self._show(candidate=candidate.identity, compared=None)
        entry = self._models.in_use
        running = None if entry is None or entry.identity == candidate.identity else self._models.read(entry.identity)
        trial = evaluate_candidate(
            self._store, candidate, running, self._device, self._teller(shares), self._stopping.is_set
        )
        kept = KeptReport("" if running is None else running.identity, candidate.identity, trial)
        keep_report(self._models.folder, kept)
        self._decide(kept)

    def _decide(self, kept: KeptReport) -> None:
        """A new model is there and compared: it goes live by itself, or a person is asked."""
        self._take(kept)
        result = self._view.compared
        if self._view.learning.promote_unless_worse and result is not None and may_go_live(result):
            self._promote(kept.after, "by itself: nothing got worse")
        else:
            self._say(f"The new model {kept.after} is ready and not in use yet. Look at the page Compare and decide.")

    def _take(self, kept: KeptReport) -> None:
        self._kept = kept
        self._show(candidate=kept.after)
        self._look()

    def _train(self, fresh: bool) -> None:
        if self._job is not None:
            self._fail("A training goes on already.")
            return
        if self._running() is not None:
            self._base()
        self._stopping.clear()
        self._known_before = {e.identity for e in self._models.entries()}
        self._job = TrainingJob(
            self._store.root,
            self._models.folder,
            more=self._more,
            settings=self._settings,
            device=self._device,
            fresh=fresh,
        )
        self._say("")
        self._follow()

    def _watch(self) -> None:
        """Done again and again while there is nothing else to do."""
        self._follow()
        now_s = time.monotonic()
        if now_s - self._asked_s < _UNWATCHED_S and now_s - self._looked_s > _LOOK_S:
            self._look()

    def _follow(self) -> None:
        job = self._job
        if job is None:
            return
        is_over = job.wait(0)
        told = job.view()
        self._show(training=training_view(told, can_resume=is_over and was_cut_off(self._models.folder)))
        if not is_over or told.state is JobState.RUNNING:
            return
        self._job = None
        made = told.model or self._made_since()
        kept = load_report(self._models.folder, made) if made else None
        if kept is not None:
            self._decide(kept)
        elif made:
            self._show(candidate=made, compared=None)
            self._fail(f"The new model {made} is kept, but was not compared. Compare it on the page Compare.")
        self._look()

    def _made_since(self) -> str:
        """A model that the training had made before it ended without saying so."""
        return next((e.identity for e in self._models.entries() if e.identity not in self._known_before), "")

    def _promote(self, identity: str, reason: str) -> None:
        self._models.promote(identity, reason)
        entry = self._models.entry(identity)
        self._on_promoted(entry.path)
        gone = self._prune()
        deleted = f" Deleted because there were more than are kept: {', '.join(gone)}." if gone else ""
        self._say(f"{identity} is in use now ({reason}).{deleted}")
        self._look()

    def _prune(self) -> list[str]:
        bounds = self._view.learning
        gone = self._models.prune(PrunePolicy(bounds.most_models, int(bounds.most_gb * 1e9)))
        self._drop_trials()
        return [e.identity for e in gone]

    def _drop_trials(self) -> None:
        drop_reports(self._models.folder, {e.identity for e in self._models.entries()})

    def _look(self) -> None:
        """Everything that is on disk."""
        self._looked_s = time.monotonic()
        with self._looking:
            found = self._look_at(self._running(), self._view.more_fabrics)
        kept, result = self._kept, None
        if kept is not None:
            entry = next((m for m in found["models"] if m.identity == kept.after), None)
            folders = {f: self._pictures(f) for f in kept.trial.fabrics}
            result = compared(kept, folders, entry.provisional if entry else (), found["in_use"])
        self._show(**found, compared=result)

    def _pictures(self, fabric: str) -> Path:
        try:
            return self._store.folder(fabric) / "samples"
        except DataError:  # it was renamed or deleted; its pictures are shown as missing
            return self._store.root

    # --- what is shown --------------------------------------------------------------------------------------------

    def _then_look(self, do: Callable[[], object]) -> None:
        def job() -> None:
            try:
                do()
            finally:
                self._look()

        self._quick.put(job)

    def _long(self, busy: str, do: Callable[[], object]) -> None:
        self._stopping.clear()
        self._show(busy=busy, progress=None, note="", is_alarm=False)

        def job() -> None:
            try:
                do()
            finally:
                self._show(busy="", progress=None)
                self.look()

        self._slow.put(job)

    def _teller(self, shares: dict[str, tuple[float, float]]) -> Callable[[Progress], None]:
        give_way = Throttle(1.0)

        def tell(step: Progress) -> None:
            give_way()
            first, share = shares.get(step.stage, (0.0, 1.0))
            self._show(progress=first + share * step.done / max(1, step.total))

        return tell

    def _say(self, text: str, *, alarm: bool = False) -> None:
        self._show(note=text, is_alarm=alarm)

    def _fail(self, text: str) -> None:
        self._say(text, alarm=True)

    def _show(self, **changes: Any) -> None:
        with self._lock:
            changed = replace(self._view, **changes)
            if changed != self._view:
                self._view = replace(changed, revision=self._view.revision + 1)
