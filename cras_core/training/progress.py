"""How far a training has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training is.

    Attributes:
        stage: one of ``STAGES``.
        done, total: steps of the stage.
        message: one line for a person.
        loss: on held-back cloth, once at the end of every epoch.
    """

    stage: str
    done: int
    total: int
    message: str
    loss: float | None = None


STAGES = ("features", "drawn defects", "training", "calibration")

COMPARISON_STAGE = "comparison"
"""The stage after those of training, where the new model is set beside the one in use."""


OnProgress = Callable[[Progress], None]


ShouldStop = Callable[[], bool]
