"""How the samples that a fabric was enrolled with were seen: what its model tells of their brightness and focus."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, TypeAdapter, ValidationError

from cras_core.imaging.profile import FIGURES, Figures, ProfileSums
from cras_core.validated import validated

_MOST_LINES = 128  # of a picture; enough for each figure


@validated("imaging")
class EnrolledFigures:
    """
    Attributes:
        middle: median over the samples.
        spread: half of what nine samples in ten differ by, per cent of the median.
        samples: that were measured.
    """

    middle: Figures
    spread: Figures
    samples: Annotated[int, Field(ge=1)]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON can hold them."""
        return asdict(self)


def figures_of_picture(grey: npt.NDArray[np.uint8]) -> Figures | None:
    """The figures of a (lines, W) picture of nothing but cloth; None where it is too small, or even."""
    lines = grey[max(0, (len(grey) - _MOST_LINES) // 2) :][:_MOST_LINES]
    if min(lines.shape) < 2:
        return None
    sums = ProfileSums(lines.shape[1], lines.shape[1])
    sums.add(lines, 0, lines.shape[1])
    return sums.profile.figures


def enrolled_figures(of_samples: Iterable[Figures]) -> EnrolledFigures | None:
    """What the figures of samples come to; None where there are none."""
    values = np.array([[sample.of(figure) for figure in FIGURES] for sample in of_samples], np.float64)  # (n, 4)
    if len(values) == 0:
        return None
    middle = np.median(values, axis=0)
    low, high = np.percentile(values, [5, 95], axis=0)
    spread = 100.0 * (high - low) / 2.0 / np.maximum(middle, 1e-3)
    return EnrolledFigures(_figures(middle), _figures(spread), len(values))


def read_enrolled(told: object) -> EnrolledFigures | None:
    """What ``to_dict`` gave; None where it is something else, as a model of an earlier version tells nothing."""
    try:
        return _SHAPE.validate_json(json.dumps(told))  # as JSON: Python's own dicts are no dataclasses to pydantic
    except (ValidationError, TypeError, ValueError):
        return None


def _figures(values: npt.NDArray[np.float64]) -> Figures:
    return Figures(*(round(float(v), 4) for v in values))


_SHAPE: TypeAdapter[EnrolledFigures] = TypeAdapter(EnrolledFigures)
