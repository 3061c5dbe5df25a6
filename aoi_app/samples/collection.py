"""Collecting from the running roll, as the window asks for it: begun, ended, and then judged by its own tiles."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aoi_app.background.throttle import Throttle
from aoi_app.live.session import Session
from aoi_app.samples.collection_state import CollectStatus, described
from aoi_app.samples.collector import Collector, IsDuplicate
from aoi_app.settings.recipe import Recipe
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord
from cras_core.errors import CrasError

if TYPE_CHECKING:
    from cras_core.detectors.trained import TrainedDetector

logger = logging.getLogger(__name__)


class Collection:
    """One collection at a time. Called by the window's thread."""

    def __init__(self, store: SampleStore, author: str = "") -> None:
        self._store, self._author = store, author
        self._collector: Collector | None = None
        self._session: Session | None = None
        self._lock = threading.Lock()
        self._status = CollectStatus()
        self._judging: threading.Thread | None = None

    def begin(
        self, fabric: str, session: Session, roll: str, recipe: Recipe, inspector: TrainedDetector, *, separate: bool
    ) -> None:
        """Collects from a running roll; a fabric that is new is begun with the recipe.

        Raises:
            DataError: the name cannot be used, or the disk cannot be written.
        """
        self.end()
        if fabric not in {f.name for f in self._store.fabrics()}:
            kept = recipe.model_copy(update={"fabric": fabric, "name": fabric}).model_dump()
            self._store.begin(FabricRecord(fabric, author=self._author, recipe=kept))
        collector = Collector(
            self._store,
            fabric,
            roll,
            recipe,
            author=self._author,
            each_is_a_web=separate,
            is_duplicate=_duplicates(inspector),
        )
        self._collector, self._session = collector, session
        session.add_sink(collector.take)
        self._judging = threading.Thread(
            target=self._judge_when_over, args=(collector, fabric, inspector), name="judge samples", daemon=True
        )
        self._judging.start()

    def end(self) -> None:
        """Ends collecting, if it runs; what was collected is then judged. Returns at once."""
        if self._collector is not None:
            if self._session is not None:
                self._session.remove_sink(self._collector.take)
            self._collector.stop()
            self._collector = None

    def status(self) -> CollectStatus:
        """How it goes; ends a collection that has come to its end by itself."""
        if self._collector is not None:
            view = self._collector.view()
            if view.is_over:
                self.end()
            self._show(
                CollectStatus(view.problem or described(view), not view.is_over, bool(view.problem), view.collected)
            )
        with self._lock:
            return self._status

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being collected, written or judged."""
        return self._collector is None and (self._judging is None or not self._judging.is_alive())

    def _show(self, status: CollectStatus) -> None:
        with self._lock:
            self._status = status

    def _judge_when_over(self, collector: Collector, fabric: str, inspector: TrainedDetector) -> None:
        """Waits for the end of the collection and says which of its samples a person should look at."""
        from cras_core.evaluation.suspicion import FEWEST_TILES, score_samples

        while not collector.wait(1.0):
            pass
        view = collector.view()
        done = CollectStatus(f"{view.collected} samples of {fabric} collected.", collected=view.collected)
        if view.problem:
            self._show(replace(done, text=f"{done.text} {view.problem}", is_alarm=True))
            return
        try:
            if sum(s.is_good for s in self._store.samples(fabric)) < FEWEST_TILES:
                self._show(done)
                return
            self._show(replace(done, text=f"{done.text} Comparing them with each other …"))
            judged = score_samples(self._store, fabric, inspector, on_progress=Throttle(3.0))
        except CrasError as error:
            self._show(replace(done, text=f"{done.text} {error}", is_alarm=True))
            return
        suspicious = sum(s.is_suspicious for s in judged)
        look = f"{suspicious} of all should be looked at" if suspicious else "none is suspicious"
        self._show(replace(done, text=f"{done.text} {look}. Enrol the fabric with Ctrl+N."))


def _duplicates(inspector: TrainedDetector) -> IsDuplicate:
    from cras_core.evaluation.near_duplicates import DuplicateFilter

    seen = DuplicateFilter()

    def is_duplicate(tile: npt.NDArray[np.uint8]) -> bool:
        return not seen.is_new(inspector.extract_features(tile[None]).vectors[0])

    return is_duplicate
