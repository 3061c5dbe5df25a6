"""What every training of a detector takes, keeps and tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cras_core.features.cache import FabricFeatures
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.vectors import DrawnVectors, Vectors

VALIDATION_PATCHES = 4096
"""Held-back vectors per fabric; enough for the loss, too few to cost time."""


Report = Callable[[int, int, str, float | None], None]


@dataclass(frozen=True, slots=True)
class Material:
    """What the heads train on; everything in the order of the fabrics.

    Attributes:
        extractor: with its statistics set.
        seen, held: vectors of every fabric to train on, and held back to stop by.
        drawn: cells under drawn defects, of every fabric or of none.
        features: what the vectors of ``seen`` come from.
    """

    extractor: FeatureExtractor
    seen: Sequence[Vectors]
    held: Sequence[Vectors]
    drawn: Sequence[DrawnVectors]
    features: Sequence[FabricFeatures]


@dataclass(frozen=True, slots=True)
class HeadState:
    """Everything that the training of the heads is at the end of an epoch; with it another process goes on as if
    nothing had been.

    Attributes:
        tensors: by name.
        values: the rest, as JSON can hold it.
    """

    tensors: dict[str, Tensor]
    values: dict[str, Any]
