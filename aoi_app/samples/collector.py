"""Collects samples of good cloth while the line runs.

Inspection hands over what it has scored and goes on at once; a thread of its own looks at the tiles and writes them.
When that thread is late, tiles are not collected; the inspection of the cloth never waits for it.
"""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from aoi_app.inspection.outcome import Outcome
from aoi_app.samples.collection_state import CollectionState
from aoi_app.samples.tile_plan import Candidate, CollectConfig, TilePlan
from aoi_app.settings.recipe import Recipe
from cras_core.arrays import Image
from cras_core.data.samples.files import safe_id
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import Sample
from cras_core.errors import CrasError
from cras_core.web.edges import EdgeConfig
from cras_core.web.threshold import CALIBRATED_THRESHOLD, reaches

logger = logging.getLogger(__name__)

IsDuplicate = Callable[[Image], bool]

_MOST_WAITING = 48
_LATEST = 24  # candidates by which is seen whether the model knows this cloth at all
_LATEST_HERE = 6  # the same of one place across the web: a selvedge that it does not know


class Collector:
    """Collects one fabric from one roll. ``take`` is called by the thread that inspects, all else from anywhere."""

    def __init__(
        self,
        store: SampleStore,
        fabric: str,
        roll: str,
        recipe: Recipe,
        *,
        author: str = "",
        each_is_a_web: bool = False,
        is_duplicate: IsDuplicate | None = None,
        config: CollectConfig | None = None,
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
        """
        self._store, self._fabric, self._roll, self._recipe = store, fabric, roll, recipe
        self._author, self._each_is_a_web = author, each_is_a_web
        self._is_duplicate = is_duplicate
        self._config = config or CollectConfig()
        margin = recipe.selvedge_margin_mm
        edges = EdgeConfig(
            enabled=recipe.find_edges, from_edge_px=None if margin is None else round(margin / recipe.mm_per_px)
        )
        self._plan = TilePlan(self._config, edges)
        self._flagged: deque[bool] = deque(maxlen=_LATEST)
        self._flagged_here: dict[int, deque[bool]] = {}
        self._queue: queue.Queue[tuple[Candidate, str] | None] = queue.Queue(_MOST_WAITING)
        self._planning = threading.Lock()
        self._lock = threading.Lock()
        self._view = CollectionState(fabric)
        self._thread = threading.Thread(target=self._work, name="collect samples", daemon=True)
        self._thread.start()

    def take(self, outcome: Outcome) -> None:
        """What was inspected; returns at once."""
        with self._planning:
            if not self.view().is_over:
                for candidate in self._plan.push(outcome.bands):
                    self._offer(candidate)

    def stop(self) -> None:
        """Ends collecting; what waits is still written. Returns at once."""
        with self._planning:
            if not self.view().is_over:
                for candidate in self._plan.finish():
                    self._offer(candidate)
            self._change(is_over=True)
        threading.Thread(target=self._queue.put, args=(None,), daemon=True).start()

    def wait(self, timeout_s: float) -> bool:
        """Waits until everything is written after ``stop``."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def view(self) -> CollectionState:
        """How it goes."""
        with self._lock:
            return self._view

    def _change(self, **changes: object) -> None:
        with self._lock:
            self._view = replace(self._view, **changes)  # type: ignore[arg-type]

    def _count(self, name: str) -> None:
        with self._lock:
            self._view = replace(self._view, **{name: getattr(self._view, name) + 1})

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
        strange = len(self._flagged) == _LATEST and sum(self._flagged) > _LATEST // 2
        always_here = len(here) >= _LATEST_HERE // 2 and sum(here) > len(here) // 2
        self._change(cloth_is_strange=strange)
        if flagged and not (strange or always_here):
            self._count("defective")
            return
        web = f"{self._roll}-{candidate.segment:04d}" if self._each_is_a_web else self._roll
        try:
            self._queue.put_nowait((candidate, web))
        except queue.Full:
            self._count("missed")

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            if self.view().problem:
                continue
            try:
                self._keep(*item)
            except CrasError as error:
                logger.error("collecting: %s", error)
                self._change(problem=str(error), is_over=True)
            except Exception as error:  # the boundary of a thread: nothing above it would ever hear of it
                logger.exception("collecting samples")
                self._change(problem=f"Collecting stopped ({type(error).__name__}: {error}).", is_over=True)

    def _keep(self, candidate: Candidate, web: str) -> None:
        if self.view().collected >= self._config.most_tiles:
            self._change(is_over=True)
            return
        if self._is_duplicate is not None and self._is_duplicate(candidate.image):
            self._count("duplicates")
            return
        recipe = self._recipe
        sample = Sample(
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
        self._store.add(sample, candidate.image)
        self._count("collected")
