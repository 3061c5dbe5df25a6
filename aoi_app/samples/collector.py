"""Collects samples of good cloth while the line runs.

Inspection hands over what it has scored and goes on at once; a thread of its own looks at the tiles and writes them.
When that thread is late, tiles are not collected; the inspection of the cloth never waits for it.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial

from aoi_app.background.state_holder import StateHolder
from aoi_app.background.worker import SerialWorker
from aoi_app.inspection.reporting.outcome import Outcome
from aoi_app.inspection.roll_model import edges_of, ignored_lanes
from aoi_app.samples.collection_state import CollectionPhase, CollectionState
from aoi_app.samples.tile_plan import Candidate, CollectConfig, TilePlan
from aoi_app.settings.recipe import Recipe
from cras_core.arrays import Image
from cras_core.data.samples.files import read_fabric, safe_id
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import Sample
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches

IsDuplicate = Callable[[Image], bool]

_MOST_WAITING = 48
_LATEST = 24  # candidates by which is seen whether the model knows this cloth at all
_LATEST_HERE = 6  # the same of one place across the web: a selvedge that it does not know


class Collector:
    """Collects one fabric from one roll. ``take`` is called by the thread that inspects, all else from anywhere.

    Attributes:
        holder: how it goes.
    """

    def __init__(
        self,
        store: SampleStore,
        fabric: str,
        roll: str,
        recipe: Recipe,
        *,
        author: str = "",
        each_is_a_web: bool = False,
        is_duplicate: IsDuplicate = lambda _: False,
        config: CollectConfig | None = None,
        on_end: Callable[[], object] = lambda: None,
    ) -> None:
        """
        Args:
            store: where samples go; the fabric is in it.
            fabric: what the cloth is.
            roll: name of the roll, by which samples of one web are known.
            recipe: scale and margins.
            author: whoever collects.
            each_is_a_web: every unbroken piece counts as a web of its own, as in a folder of strips that are not
                neighbours.
            is_duplicate: says of each tile, one after the other, whether it looks like one before.
            config: how much.
            on_end: done last, in the thread that writes.
        """
        self._store, self._fabric, self._roll, self._recipe = store, fabric, roll, recipe
        self._folder = store.folder(fabric)  # stays the same when a person gives the fabric another name meanwhile
        self._author, self._each_is_a_web = author, each_is_a_web
        self._is_duplicate = is_duplicate
        self._config = config or CollectConfig()
        self._plan = TilePlan(self._config, edges_of(recipe), ignored_lanes(recipe))
        self._flagged: deque[bool] = deque(maxlen=_LATEST)
        self._flagged_here: dict[int, deque[bool]] = {}
        self._planning = threading.Lock()
        self.holder = StateHolder(CollectionState(phase=CollectionPhase.COLLECTING, fabric=fabric))
        self._worker = SerialWorker("collect samples", self._fail, on_end=on_end)

    def take(self, outcome: Outcome) -> None:
        """What was inspected; returns at once."""
        with self._planning:
            if self.holder.state.phase is CollectionPhase.COLLECTING:
                for candidate in self._plan.push(outcome.bands):
                    self._offer(candidate)

    def stop(self) -> None:
        """Ends collecting; what waits is still written. Returns at once."""
        with self._planning:
            if self.holder.state.phase is CollectionPhase.COLLECTING:
                for candidate in self._plan.finish():
                    self._offer(candidate)
                self._end(CollectionPhase.WRITING)

    def wait(self, timeout_s: float) -> bool:
        """Whether its thread has ended, within the time."""
        return self._worker.wait(timeout_s)

    def _end(self, phase: CollectionPhase) -> None:
        self.holder.change(phase=phase)
        self._worker.close()

    def _fail(self, text: str) -> None:
        self.holder.fail(text)
        self._end(CollectionPhase.FAILED)

    def _count(self, name: str) -> None:
        with self.holder.lock:
            self.holder.change(**{name: getattr(self.holder.state, name) + 1})

    def _offer(self, candidate: Candidate) -> None:
        if math.isnan(candidate.peak):
            self._count("without_cloth")
            return
        flagged = reaches(candidate.peak, CALIBRATED_THRESHOLD)
        self._flagged.append(flagged)
        place = round(candidate.left_px / self._config.tile_px)
        here = self._flagged_here.setdefault(place, deque(maxlen=_LATEST_HERE))
        here.append(flagged)
        # A model that does not know this cloth, or its selvedge, flags it all along; that says nothing about defects.
        is_unknown = len(self._flagged) == _LATEST and sum(self._flagged) > _LATEST // 2
        always_here = len(here) >= _LATEST_HERE // 2 and sum(here) > len(here) // 2
        if is_unknown != self.holder.state.fabric_is_unknown:
            self.holder.change(fabric_is_unknown=is_unknown)
        if flagged and not (is_unknown or always_here):
            self._count("flagged")
        elif self._worker.waiting >= _MOST_WAITING:  # tiles are copies of cloth; more would fill the memory
            self._count("missed")
        else:
            web = f"{self._roll}-{candidate.segment:04d}" if self._each_is_a_web else self._roll
            self._worker.put(partial(self._keep, candidate, web))

    def _keep(self, candidate: Candidate, web: str) -> None:
        state = self.holder.state
        if state.phase is CollectionPhase.FAILED:
            return
        if state.collected >= self._config.most_tiles:  # counted here: how many are duplicates was not known before
            if state.phase is CollectionPhase.COLLECTING:
                self._end(CollectionPhase.WRITING)
            return
        if self._is_duplicate(candidate.image):
            self._count("duplicates")
            return
        fabric = read_fabric(self._folder).name
        if fabric != self._fabric:
            self._fabric = fabric
            self.holder.change(fabric=fabric)
        self._store.add(self._sample(candidate, web), candidate.image)
        self._count("collected")

    def _sample(self, candidate: Candidate, web: str) -> Sample:
        recipe = self._recipe
        return Sample(
            id=safe_id(web, f"{candidate.first_line:09d}", f"{candidate.left_px:05d}"),
            fabric=self._fabric,
            origin="collected",
            web=web,
            first_line=candidate.first_line,
            left_px=candidate.left_px,
            position_m=candidate.first_line * recipe.line_mm / 1000.0,
            position_mm=candidate.middle_px * recipe.mm_per_px,
            cloth_mm=candidate.cloth_px * recipe.mm_per_px,
            cloth_left_px=candidate.cloth_left_px,
            cloth_right_px=candidate.cloth_right_px,
            mm_per_px=recipe.mm_per_px,
            mm_per_line=recipe.line_mm,
            brightness=float(candidate.image.mean()),
            taken_at=datetime.now().astimezone().isoformat(timespec="seconds"),
            author=self._author,
        )
