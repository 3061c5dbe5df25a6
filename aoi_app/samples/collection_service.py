"""Collecting from the running roll: a person begins and ends it, then the samples are compared with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aoi_app.background.throttle import Throttle
from aoi_app.live.session import Session
from aoi_app.samples.collection_state import CollectionPhase, CollectionState
from aoi_app.samples.collector import Collector, IsDuplicate
from aoi_app.samples.comparing import compare_samples
from aoi_app.settings.recipe import Recipe
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord

if TYPE_CHECKING:
    from cras_core.detectors.trained import TrainedDetector

_YIELD = 3.0  # after each step of the comparison, wait so many times as long, so that the line has a processor


@dataclass(frozen=True, slots=True)
class RunningRoll:
    """The roll that samples can be collected from.

    Attributes:
        session: it.
        name: of the roll.
        recipe: it runs with.
        detector: its model.
        strips_are_separate: its unbroken pieces are not neighbours.
    """

    session: Session
    name: str
    recipe: Recipe
    detector: TrainedDetector
    strips_are_separate: bool


class CollectionService:
    """One collection at a time. Called by the window's thread; every command returns at once."""

    def __init__(self, store: SampleStore, author: str = "") -> None:
        self._store, self._author = store, author
        self._collectors: list[Collector] = []  # the newest is last; those before it may still write

    def begin(self, fabric: str, roll: RunningRoll) -> None:
        """Collects from a running roll; a fabric that is new is begun with the recipe of the roll.

        Raises:
            DataError: the name cannot be used, or the disk cannot be written.
        """
        self.end()
        if fabric not in {f.name for f in self._store.fabrics()}:
            kept = roll.recipe.model_copy(update={"fabric": fabric, "name": fabric}).model_dump()
            self._store.begin(FabricRecord(fabric, author=self._author, recipe=kept))
        collector = Collector(
            self._store,
            fabric,
            roll.name,
            roll.recipe,
            author=self._author,
            each_is_a_web=roll.strips_are_separate,
            is_duplicate=_duplicates(roll.detector),
            on_end=lambda: self._finish(collector, roll),
        )
        # One that was ended before still writes and compares for a while, into a state of its own that nobody shows.
        self._collectors = [*(c for c in self._collectors if not c.wait(0)), collector]
        roll.session.add_sink(collector.take)

    def end(self) -> None:
        """Ends collecting, if it runs; what was collected is then compared."""
        if self._collectors:
            self._collectors[-1].stop()

    def state(self) -> CollectionState:
        """How the newest collection goes."""
        return self._collectors[-1].holder.ask() if self._collectors else CollectionState()

    @property
    def is_at_rest(self) -> bool:
        """Nothing is being collected, written or compared."""
        return all(c.wait(0) for c in self._collectors)

    def _finish(self, collector: Collector, roll: RunningRoll) -> None:
        """The last that the collector's thread does. Raises CrasError, which the collector tells."""
        roll.session.remove_sink(collector.take)
        holder = collector.holder
        if holder.state.phase is CollectionPhase.FAILED:
            return
        holder.change(phase=CollectionPhase.COMPARING)
        suspicious = compare_samples(self._store, holder.state.fabric, roll.detector, Throttle(_YIELD))
        holder.change(suspicious=suspicious, phase=CollectionPhase.DONE)


def _duplicates(detector: TrainedDetector) -> IsDuplicate:
    from cras_core.evaluation.near_duplicates import DuplicateFilter  # loads torch

    seen = DuplicateFilter()

    def is_duplicate(tile: npt.NDArray[np.uint8]) -> bool:
        return not seen.is_new(detector.extract_features(tile[None]).vectors[0])

    return is_duplicate
