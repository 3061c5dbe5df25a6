"""What every training of a detector takes, keeps and tells, whatever the detector is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from cras_core.config.settings import CrasConfig
from cras_core.detectors.trained import TrainedDetector
from cras_core.features.extraction import FabricFeatures
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.vectors import SyntheticVectors, Vectors
from cras_core.web.calibration import FabricCalibration

VALIDATION_PATCHES = 4096
"""Held-back vectors per fabric; enough for the loss, too few to cost time."""


Report = Callable[[int, int, str, float | None], None]
"""Told steps done, steps in all, a line for a person, and, at the end of an epoch where there is one, the loss on
held-back cloth; may raise to stop."""


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
    drawn: Sequence[SyntheticVectors]
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


class DetectorTraining(ABC):
    """The heads of a detector while they learn from cached vectors. The loop around it knows no kind of detector.

    Attributes:
        learns_from_synthetic: it is taught with drawn defects too; otherwise nobody needs to take their features.
        sections: of the settings, those that decide what is learnt.
        adjustable: settings among them that may change while a training goes on: rates and ends.
        epoch: epochs that are over.
        history: the losses of every epoch.
    """

    learns_from_synthetic: ClassVar[bool] = False
    sections: ClassVar[tuple[str, ...]] = ("heads", "centers", "synthesis", "train")
    adjustable: ClassVar[frozenset[str]] = frozenset(
        {"train.epochs", "train.patience", "train.adapter_rate", "train.discriminator_rate", "train.cache"}
    )
    epoch: int
    history: list[dict[str, float]]

    @abstractmethod
    def __init__(self, material: Material, config: CrasConfig, device: torch.device) -> None:
        """Raises DataError when such heads cannot be made of these pictures."""

    @property
    @abstractmethod
    def is_done(self) -> bool:
        """All epochs are over, or no better one is to be expected."""

    @abstractmethod
    def run_epoch(self, report: Report) -> None:
        """One pass over the vectors.

        Raises:
            TrainingError: the loss is not a number; what was learnt in this epoch is lost.
        """

    @abstractmethod
    def finish(self, calibrations: Sequence[FabricCalibration], medians: Tensor) -> TrainedDetector:
        """The detector as it was at its best epoch. Ends the training: it goes on from there, if at all.

        Args:
            calibrations: one per fabric; the limits are not measured yet.
            medians: (K, D) median features of each fabric.
        """

    @abstractmethod
    def state(self) -> HeadState:
        """For ``restore``, between two epochs."""

    @abstractmethod
    def restore(self, kept: HeadState) -> None:
        """Goes back to a state. The rates are those of the settings now.

        Raises:
            KeyError, RuntimeError, TypeError, ValueError: the state is not one of such a training.
        """

    @classmethod
    def warnings(cls, config: CrasConfig) -> list[str]:  # noqa: ARG003 (for those that can be set up badly)
        """What a person who trains with such settings should know."""
        return []
