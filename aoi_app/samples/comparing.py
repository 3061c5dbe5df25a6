"""Samples of good cloth of one fabric compared with each other, wherever they came from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aoi_app.samples.state import is_suspicious
from cras_core.data.samples.store import SampleStore

if TYPE_CHECKING:
    from cras_core.detectors.trained import TrainedDetector


def compare_samples(
    store: SampleStore,
    fabric: str,
    detector: TrainedDetector,
    on_progress: Callable[[Path, int, int], None],
    should_stop: Callable[[], bool] = lambda: False,
) -> int | None:
    """How many samples a person should check; None where there are too few to tell. Each keeps its suspicion.

    Args:
        store: holds the samples.
        fabric: whose.
        detector: gives features; it need not know the fabric.
        on_progress: told after each sample how many are done, of how many.
        should_stop: asked as often.

    Raises:
        DataError: a picture cannot be read, the disk cannot be written, or it was stopped; nothing was changed then.
    """
    from cras_core.evaluation.suspicion import FEWEST_TILES, score_samples  # loads torch

    if sum(s.is_good for s in store.samples(fabric)) < FEWEST_TILES:
        return None
    return sum(map(is_suspicious, score_samples(store, fabric, detector, on_progress, should_stop)))
