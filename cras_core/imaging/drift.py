"""What has changed since a profile was taken: the figures of the whole view, or of a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cras_core.arrays import FloatArray, runs_of
from cras_core.imaging.profile import FIGURES, Figures, Profile
from cras_core.validated import Number, validated

_LEAST_BLOCKS = 3  # that a part of the view is wide; single ones are columns that are dirty, or a stain
_CLOTH_LEAST = 1e-3  # of a figure; nothing is a share of nothing


@validated("drift")
class DriftLimits:
    """From which change on a person is told, per cent of what it was. Contrast and focus are told when they fall, noise
    when it grows, brightness both ways.

    Attributes:
        brightness_percent, contrast_percent, focus_percent, noise_percent: of each figure.
    """

    brightness_percent: Annotated[Number, Field(gt=0, le=1000)] = 20.0
    contrast_percent: Annotated[Number, Field(gt=0, le=1000)] = 25.0
    focus_percent: Annotated[Number, Field(gt=0, le=1000)] = 20.0
    noise_percent: Annotated[Number, Field(gt=0, le=1000)] = 30.0

    def of(self, figure: str) -> float:
        """That of a figure."""
        value: float = getattr(self, f"{figure}_percent")
        return value


@dataclass(frozen=True, slots=True)
class Drift:
    """A figure that has changed beyond its limit.

    Attributes:
        figure: one of ``FIGURES``.
        percent: of what it was; negative where it fell.
        first_block, end_block: where; None where it is the whole view.
    """

    figure: str
    percent: float
    first_block: int | None = None
    end_block: int | None = None


def drifts_between(now: Profile, before: Profile, limits: DriftLimits) -> list[Drift]:
    """What has changed between two profiles of the same blocks, the worst of each figure."""
    found = []
    for figure in FIGURES:
        change = percent_change(now.of(figure), before.of(figure))
        whole = float(np.nanmedian(change)) if np.isfinite(change).any() else 0.0
        if is_beyond(figure, whole, limits):
            found.append(Drift(figure, whole))
            continue
        first, end = _longest_run(_beyond(figure, change, limits))
        if end - first >= _LEAST_BLOCKS:
            found.append(Drift(figure, float(np.median(change[first:end])), first, end))
    return found


def drifts_of_figures(now: Figures, before: Figures, spreads: Figures, limits: DriftLimits) -> list[Drift]:
    """What differs as a whole from cloth of which only samples are known.

    Args:
        now: of the cloth that runs.
        before: median over the samples.
        spreads: how much they differ among themselves, per cent of the median; so much is added to the limit.
        limits: as for cloth whose place is known.
    """
    found = []
    for figure in FIGURES:
        change = float(percent_change(_alone(now.of(figure)), _alone(before.of(figure)))[0])
        less = np.sign(change) * min(abs(change), spreads.of(figure))
        if is_beyond(figure, change - less, limits):
            found.append(Drift(figure, change))
    return found


def percent_change(now: FloatArray, before: FloatArray) -> FloatArray:
    """Of each value, per cent of what it was; NaN where either is unknown."""
    return np.asarray(100.0 * (now - before) / np.maximum(before, np.float32(_CLOTH_LEAST)), dtype=np.float32)


def is_beyond(figure: str, percent: float, limits: DriftLimits) -> bool:
    """Whether a change of a figure is to be told."""
    return bool(_beyond(figure, _alone(percent), limits)[0])


def _beyond(figure: str, percent: FloatArray, limits: DriftLimits) -> npt.NDArray[np.bool_]:
    limit = limits.of(figure)
    with np.errstate(invalid="ignore"):
        grows = percent >= limit if figure in ("brightness", "noise") else np.zeros(percent.shape, np.bool_)
        falls = percent <= -limit if figure != "noise" else np.zeros(percent.shape, np.bool_)
    return np.asarray(grows | falls)


def _alone(value: float) -> FloatArray:
    return np.array([value], np.float32)


def _longest_run(holds: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """(first, end) of the longest run of True; (0, 0) where there is none."""
    return max(runs_of(holds), key=lambda run: run[1] - run[0], default=(0, 0))
