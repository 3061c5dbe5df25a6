"""How far a full training has come, told from the lines of its process. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel

from aoi_app.settings.strict_json import STRICT, ContentError, parse_json

_SHARES = {"features": 0.40, "drawn defects": 0.13, "training": 0.27, "calibration": 0.08, "comparison": 0.12}
"""Share of the whole time that each stage takes, measured on four fabrics of AITEX; for the remaining time only."""

_LEAST_GAIN = 0.02  # of the whole; the speed of less is mostly noise


class TrainingPhase(Enum):
    """Where a training is. RUNNING -> DONE, CANCELLED or FAILED."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TrainingState:
    """A full training at one moment.

    Attributes:
        phase: where it is.
        stage: of ``cras retrain``; empty before the first.
        share: of all its work, 0..1.
        message: one line of the process; of a training that failed, why.
        losses: on held-out samples after each epoch.
        remaining_s: about so long; None while nobody can tell.
        model: identity of the new model; empty before there is one.
        is_in_use: the new model was put into use.
        worse: what it does worse than the model before.
        stage_began: share and seconds when the present stage began; the speed is told from there, because stages that
            an interrupted training had finished take no time.
        told_s: when the process said something last, seconds since it was started.
    """

    phase: TrainingPhase = TrainingPhase.RUNNING
    stage: str = ""
    share: float = 0.0
    message: str = "starting"
    losses: tuple[float, ...] = ()
    remaining_s: float | None = None
    model: str = ""
    is_in_use: bool = False
    worse: tuple[str, ...] = ()
    stage_began: tuple[float, float] = (0.0, 0.0)
    told_s: float = 0.0

    @property
    def is_running(self) -> bool:
        """It has not ended."""
        return self.phase is TrainingPhase.RUNNING

    @property
    def has_failed(self) -> bool:
        """It ended with something to be mended."""
        return self.phase is TrainingPhase.FAILED


class _Step(BaseModel):
    """A line about a step; see ``Progress``."""

    model_config = STRICT

    stage: str
    done: Annotated[int, Field(ge=0, lt=2**53)]
    total: Annotated[int, Field(ge=0, lt=2**53)]
    message: str
    loss: float | None


class _Made(BaseModel):
    """The line about a new model."""

    model_config = STRICT

    model: str
    in_use: bool
    worse: list[str]


class _Line(RootModel[_Step | _Made]):
    """Either of them."""

    model_config = ConfigDict(strict=True, frozen=True)


def after_line(state: TrainingState, line: str, elapsed_s: float) -> TrainingState:
    """The state after another line of the process; one that is not understood changes nothing but the message.

    Args:
        state: before the line.
        line: JSON, as ``cras retrain --progress json`` writes it.
        elapsed_s: since the process was started.
    """
    try:
        told = parse_json(line.encode("utf-8", "replace"), _Line).root
    except ContentError:
        return replace(state, message=line.strip())
    if isinstance(told, _Made):
        return replace(
            state, share=1.0, model=told.model, is_in_use=told.in_use, worse=tuple(told.worse), remaining_s=0.0
        )
    losses = state.losses if told.loss is None else (*state.losses, told.loss)
    stage = told.stage
    first, share = _share_of_all(stage, told.done / max(1, told.total))
    began = state.stage_began if stage == state.stage else (first, state.told_s)
    gained, seconds = share - began[0], elapsed_s - began[1]
    return replace(
        state,
        stage=stage,
        share=share,
        message=told.message.rsplit("/", 1)[-1],
        losses=losses,
        remaining_s=seconds * (1 - share) / gained if gained > _LEAST_GAIN else state.remaining_s,
        stage_began=began,
        told_s=elapsed_s,
    )


def _share_of_all(stage: str, share: float) -> tuple[float, float]:
    """Share of all the work that is done when a stage begins, and when so much of it is done."""
    stages = list(_SHARES)
    first = sum(_SHARES[s] for s in stages[: stages.index(stage)]) if stage in _SHARES else 1.0
    return first, first + _SHARES.get(stage, 0.0) * share
