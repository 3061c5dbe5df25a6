"""What a training needs before its first step: features, splits, checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cras_core.config.settings import CrasConfig
from cras_core.data.values import NormalImages
from cras_core.detectors.base import Detector
from cras_core.detectors.kinds import kind_of
from cras_core.detectors.training import VALIDATION_PATCHES
from cras_core.errors import ConfigError, DataError, TrainingError
from cras_core.features.extraction import FabricFeatures, extract_features
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.synthetic import SyntheticFeatures, extract_synthetic
from cras_core.features.tensors import median_features
from cras_core.features.vectors import SyntheticVectors, Vectors
from cras_core.training.checkpoint import Checkpoint
from cras_core.training.progress import OnProgress, Progress, ShouldStop
from cras_core.training.thresholds import measure_thresholds
from cras_core.web.calibration import FabricCalibration

_MEDIAN_PATCHES = 16384


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that training begins with, the same for every kind of head.

    Attributes:
        extractor: with the statistics of the training cloth.
        splits: pictures to train on and held back, per fabric.
        features: what ``seen`` comes from.
        seen, held: vectors to train on, and held back.
        drawn: cells under drawn defects, of every fabric or of none.
        medians: (K, D) median features of each fabric.
        warnings: for the person who trains.
    """

    extractor: FeatureExtractor
    splits: list[tuple[tuple[Path, ...], tuple[Path, ...]]]
    features: list[FabricFeatures]
    seen: list[Vectors]
    held: list[Vectors]
    drawn: list[SyntheticVectors]
    medians: Tensor
    warnings: list[str]


def prepare(run: Run, extractor: FeatureExtractor) -> Prepared:
    """Takes the features of the cloth, with and without drawn defects. Raises CrasError."""
    config = run.config
    torch.manual_seed(config.train.seed)
    extractor = extractor.to(run.device)
    if extractor.cell_px != config.tiling.cell_px:
        raise ConfigError(
            "cell-size-misfits-backbone",
            "the backbone gives cells of {cell_px} px, tiling.cell_px is {wanted_px}",
            cell_px=extractor.cell_px,
            wanted_px=config.tiling.cell_px,
        )
    splits = [d.held_back(config.calibration.held_back, config.train.seed) for d in run.data]
    warnings = [
        f"{d.fabric}: one picture only, so its limits come from cloth that was also trained on and are too low"
        for d, (seen, held) in zip(run.data, splits, strict=True)
        if seen == held
    ]
    seen_features, held_features = run.extract_features(extractor, splits)
    drawn_features = run.extract_synthetic(extractor, [s for s, _ in splits])
    _set_statistics(extractor, seen_features, config)
    seen = [Vectors(f, extractor, run.device) for f in seen_features]
    rng = np.random.default_rng([config.train.seed, 5])
    return Prepared(
        extractor,
        splits,
        seen_features,
        seen,
        [Vectors(f, extractor, run.device) for f in held_features],
        [SyntheticVectors(f, extractor, run.device) for f in drawn_features],
        torch.stack([median_features(v.sample(min(len(v), _MEDIAN_PATCHES), rng).vectors) for v in seen]),
        warnings,
    )


@dataclass(slots=True)
class Run:
    """What all stages share: data, settings, device, the two ways to talk to the caller, and what was put aside."""

    data: list[NormalImages]
    config: CrasConfig
    device: torch.device
    on_progress: OnProgress
    should_stop: ShouldStop
    checkpoint: Checkpoint = field(default_factory=Checkpoint)

    def report(self, stage: str, done: int, total: int, message: str, loss: float | None = None) -> None:
        """Tells the caller; raises TrainingError when the caller wants to stop."""
        self.on_progress(Progress(stage, done, total, message, loss))
        if self.should_stop():
            raise TrainingError("training-stopped", "Training was stopped; no bundle was written.")

    def measure_thresholds(self, detector: Detector, prepared: Prepared) -> list[FabricCalibration]:
        """The limits of a trained detector, from the pictures that were held back."""
        held = [d.only(h) for d, (_, h) in zip(self.data, prepared.splits, strict=True)]
        return measure_thresholds(
            detector, held, lambda path, done, total: self.report("calibration", done, total, str(path))
        )

    def extract_features(
        self, extractor: FeatureExtractor, splits: Sequence[tuple[Sequence[Path], Sequence[Path]]]
    ) -> tuple[list[FabricFeatures], list[FabricFeatures]]:
        """Features of the pictures to train on, and of those held back."""
        total, done = sum(len(a) + len(b) for a, b in splits), 0

        def on_image(path: Path) -> None:
            nonlocal done
            done += 1
            self.report("features", done, total, str(path))

        capacity = int(self.config.train.cache_mb * 1e6 / 2 / extractor.dimension / len(self.data))
        kept: tuple[list[FabricFeatures], list[FabricFeatures]] = ([], [])
        for part, size in ((0, capacity), (1, VALIDATION_PATCHES)):
            for k, (normal, split) in enumerate(zip(self.data, splits, strict=True)):
                name = f"{('seen', 'held')[part]}-{k}"
                found = self.checkpoint.features(name)
                if found is None:
                    rng = np.random.default_rng([self.config.train.seed, part, k])
                    found = extract_features(
                        normal, split[part], extractor, self.config, size, self.device, rng, on_image
                    )
                    self.checkpoint.keep_features(name, found)
                else:
                    total -= len(split[part])
                kept[part].append(found)
        return kept

    def extract_synthetic(self, extractor: FeatureExtractor, seen: Sequence[Sequence[Path]]) -> list[SyntheticFeatures]:
        """Features of drawn defects; none where they are switched off, or nothing learns from them."""
        if self.config.synthesis.drawn == 0.0 or not kind_of(self.config).training.learns_from_synthetic:
            return []
        tiles = self.config.synthesis.drawn_tiles
        total, done = len(seen) * tiles, 0

        def on_tile(path: Path) -> None:
            nonlocal done
            done += 1
            self.report("drawn defects", done, total, str(path))

        kept = []
        for k, (normal, paths) in enumerate(zip(self.data, seen, strict=True)):
            found = self.checkpoint.drawn(f"drawn-{k}")
            if found is None:
                rng = np.random.default_rng([self.config.train.seed, 3, k])
                found = extract_synthetic(normal, paths, extractor, self.config, self.device, rng, on_tile)
                self.checkpoint.keep_synthetic(f"drawn-{k}", found)
            else:
                total -= tiles
            kept.append(found)
        return kept


def check_names(data: Sequence[NormalImages]) -> None:
    """Raises DataError where there is no fabric, or two have one name."""
    names = [d.fabric for d in data]
    if not names:
        raise DataError("no-fabric-to-train-on", "there is no fabric to train on")
    if len(set(names)) != len(names):
        raise DataError(
            "fabric-names-doubled",
            "two fabrics have one name: {names}",
            names=sorted({n for n in names if names.count(n) > 1}),
        )


def _set_statistics(extractor: FeatureExtractor, features: Sequence[FabricFeatures], config: CrasConfig) -> None:
    """Mean and standard deviation over the training cloth, every fabric with the same weight."""
    if not config.patches.normalise:
        return
    mean = torch.stack([f.total / f.count for f in features]).mean(dim=0)
    square = torch.stack([f.total_squared / f.count for f in features]).mean(dim=0)
    std = (square - mean.square()).clamp_min(0).sqrt()
    extractor.mean.copy_(mean)
    extractor.std.copy_(std.clamp_min(1e-3 * float(std.max()) + 1e-12))
