"""Training: normal cloth in, a bundle out.

The order is that of the paper with the frozen part taken out of the loop: features once, statistics, centres, then
adapter and discriminator on cached vectors, then limits from pictures that none of it has seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cras_core.config.settings import CrasConfig
from cras_core.data.folders import NormalImages
from cras_core.detectors.anomnet.detector import AnomNetDetector
from cras_core.detectors.anomnet.health import health_of
from cras_core.detectors.anomnet.training import CentroidTraining
from cras_core.detectors.base import Detector, middle, pick_device
from cras_core.detectors.cras.detector import Inspector
from cras_core.detectors.cras.model import FeatureExtractor
from cras_core.detectors.cras.training import VALIDATION_PATCHES, HeadTraining, Material, score_scale
from cras_core.detectors.trained import Trained
from cras_core.errors import ConfigError, DataError, TrainingError
from cras_core.features.backbone import load_backbone
from cras_core.features.cache import DrawnFeatures, FabricFeatures, extract, extract_drawn
from cras_core.features.vectors import DrawnVectors, Vectors
from cras_core.registry.bundle import Bundle
from cras_core.registry.provenance import samples_of, stamp
from cras_core.training.checkpoint import Checkpoint
from cras_core.training.limits import measure_limits, provisional
from cras_core.web.calibration import FabricCalibration


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


_MIDDLE_PATCHES = 16384

STAGES = ("features", "drawn defects", "training", "calibration")

OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


def train(
    data: Sequence[NormalImages],
    config: CrasConfig,
    device: str = "auto",
    on_progress: OnProgress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
    checkpoint: Path | None = None,
) -> Bundle:
    """Trains one model for all fabrics.

    Args:
        data: normal pictures of each fabric.
        config: settings; ``config.train.seed`` fixes everything random.
        device: ``auto``, ``cpu``, ``cuda``, ...
        on_progress: called often, from this thread.
        should_stop: asked often; when it says yes, training ends with TrainingError and no bundle is made.
        checkpoint: a folder for what training has so far; one that was cut off, or diverged, and is run again with
            the same data and settings goes on from there. The caller removes it when the bundle is safe. None keeps
            nothing.

    Raises:
        CrasError: the data, the weights or the settings cannot be used, training diverged, or it was stopped.
    """
    started = time.monotonic()
    _check_names(data)
    backbone = load_backbone(config.backbone)
    kept = Checkpoint.of(checkpoint, config, data, backbone.weights_hash)
    run = Run(list(data), config, pick_device(device), on_progress, should_stop, kept)
    prepared = prepare(run, FeatureExtractor(backbone, config))
    detector, history = fit(prepared, config, run)
    centroids = _centroids(detector, prepared)
    calibrations = run.measure_limits(detector, prepared)
    provenance = {
        **stamp("full"),
        "seconds": round(time.monotonic() - started, 1),
        "pictures": {d.fabric: len(d.paths) for d in data},
        "unreadable": [str(p) for d in data for p in d.skipped],
        "held_back": {d.fabric: [p.name for p in h] for d, (_, h) in zip(data, prepared.splits, strict=True)},
        "samples": {d.fabric: samples_of(d) for d in data},
        "loss": history,
        "warnings": prepared.warnings
        + centroids
        + _too_little(data, prepared.features, config)
        + _extrapolated(calibrations, config)
        + ([kept.problem] if kept.problem else []),
    }
    return to_bundle(detector, calibrations, provenance)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that training begins with, the same for every kind of head.

    Attributes:
        extractor: with the statistics of the training cloth.
        splits: pictures to train on and held back, per fabric.
        features: what ``seen`` comes from.
        seen, held: vectors to train on, and held back.
        drawn: cells under drawn defects, of every fabric or of none.
        middles: (K, D) middle of the vectors of each fabric.
        warnings: for the person who trains.
    """

    extractor: FeatureExtractor
    splits: list[tuple[tuple[Path, ...], tuple[Path, ...]]]
    features: list[FabricFeatures]
    seen: list[Vectors]
    held: list[Vectors]
    drawn: list[DrawnVectors]
    middles: Tensor
    warnings: list[str]


def prepare(run: Run, extractor: FeatureExtractor) -> Prepared:
    """Takes the features of the cloth, with and without drawn defects. Raises CrasError."""
    config = run.config
    torch.manual_seed(config.train.seed)
    extractor = extractor.to(run.device)
    if extractor.cell_px != config.tiling.cell_px:
        raise ConfigError(
            f"the backbone gives cells of {extractor.cell_px} px, tiling.cell_px is {config.tiling.cell_px}"
        )
    splits = [d.held_back(config.calibration.held_back, config.train.seed) for d in run.data]
    warnings = [
        f"{d.fabric}: one picture only, so its limits come from cloth that was also trained on and are too low"
        for d, (seen, held) in zip(run.data, splits, strict=True)
        if seen == held
    ]
    seen_features, held_features = run.extract(extractor, splits)
    drawn_features = run.extract_drawn(extractor, [s for s, _ in splits])
    _set_statistics(extractor, seen_features, config)
    seen = [Vectors(f, extractor, run.device) for f in seen_features]
    rng = np.random.default_rng([config.train.seed, 5])
    return Prepared(
        extractor,
        splits,
        seen_features,
        seen,
        [Vectors(f, extractor, run.device) for f in held_features],
        [DrawnVectors(f, extractor, run.device) for f in drawn_features],
        torch.stack([middle(v.sample(min(len(v), _MIDDLE_PATCHES), rng).vectors) for v in seen]),
        warnings,
    )


def fit(prepared: Prepared, config: CrasConfig, run: Run) -> tuple[Trained, list[dict[str, float]]]:
    """Trains the heads of the detector that ``config.heads`` names; its limits are not measured yet. Raises CrasError.

    Args:
        prepared: what training begins with.
        config: settings of the heads, centres, synthesis and training; those of the features are as prepared.
        run: whom to tell.

    Returns:
        The detector, and the losses of every epoch.
    """
    torch.manual_seed(config.train.seed)
    material = Material(
        prepared.extractor,
        prepared.seen,
        prepared.held,
        prepared.drawn if config.synthesis.drawn > 0 else [],
        prepared.features,
    )
    is_anomnet = config.heads.detector == "anomnet"
    training = (CentroidTraining if is_anomnet else HeadTraining)(material, config, run.device)
    kept = run.checkpoint.heads()
    if kept is not None:
        training.restore(kept)
    try:
        while not training.is_done:
            training.run_epoch(lambda *step: run.report("training", *step))
            run.checkpoint.keep_heads(training.state())
    except TrainingError as error:
        raise TrainingError(f"{error}{run.checkpoint.way_on(training.epoch)}") from error
    calibrations = [provisional(d.fabric) for d in run.data]
    detector: Trained
    if isinstance(training, CentroidTraining):
        detector = AnomNetDetector(
            prepared.extractor, training.adapter, training.centroids, training.means, config, calibrations,
            prepared.middles, run.device, evolution=training.evolution,
        )  # fmt: skip
    else:
        model = training.best()
        scale = score_scale(model, prepared.held)
        detector = Inspector(model, config, scale, calibrations, prepared.middles, run.device)
    return detector, training.history


def _centroids(detector: Trained, prepared: Prepared) -> list[str]:
    """Says what AnomNet's training left undone, and which centroids are of no use. Raises TrainingError where all of a
    set lie in one place.
    """
    if not isinstance(detector, AnomNetDetector):
        return []
    found = health_of(detector, prepared.seen)
    gone = [h.name for h in found if h.has_collapsed]
    if gone:
        raise TrainingError(
            f"All centroids of {', '.join(gone)} have collapsed into one place; no bundle was written. Raise "
            "anomnet.separation, anomnet.entropy or anomnet.centroid_rate, or set anomnet.centroids=1."
        )
    epochs, mine = detector.config.train.epochs, detector.config.anomnet
    only_first = mine.stages == "two" and epochs <= mine.first_stage
    undone = [f"all {epochs} epochs went to the first stage (anomnet.first_stage), the second had none"]
    return (undone if only_first else []) + [h.problem for h in found if h.problem]


_FEW_TILES = 20
"""Tiles of good cloth of a fabric below which more of them help most; see docs/measurements.md."""


def _too_little(data: Sequence[NormalImages], features: Sequence[FabricFeatures], config: CrasConfig) -> list[str]:
    """Says which fabrics were learnt from too little cloth, and what to collect."""
    cells_in_a_tile = (config.tiling.tile_px / config.tiling.cell_px) ** 2
    tiles = [f.count / cells_in_a_tile for f in features]
    return [
        f"{d.fabric}: learnt from {n:.1f} tiles of good cloth only, so it finds less than it could and its limit is "
        f"uncertain. Collect {_FEW_TILES} tiles or more, from different places along and across the roll"
        for d, n in zip(data, tiles, strict=True)
        if d.are_strips and n < _FEW_TILES
    ]


def _extrapolated(calibrations: Sequence[FabricCalibration], config: CrasConfig) -> list[str]:
    """Says which limits rest on less cloth than the wanted rate asks for, and how much is missing."""
    rate = config.calibration.false_alarms_per_m2
    wanted_m2 = 1.0 / rate
    return [
        f"{c.fabric}: its limit is extrapolated from {c.seen_m2:.2g} m2 of held-back cloth; to count {rate:g} false "
        f"alarms per m2 takes {wanted_m2:.2g} m2, {wanted_m2 / c.seen_m2:.1f} times as much"
        for c in calibrations
        if c.seen_m2 < wanted_m2
    ]


def to_bundle(detector: Trained, calibrations: Sequence[FabricCalibration], provenance: dict[str, object]) -> Bundle:
    """Everything that inspection needs, ready to be written; ``opening.detector_of`` is the inverse."""
    return Bundle(
        config=detector.config,
        weights_hash=detector.weights_hash,
        calibrations=tuple(calibrations),
        grid=detector.grid,
        tensors={k: v.detach().cpu().clone().contiguous() for k, v in detector.tensors().items()},
        provenance=provenance,
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
            raise TrainingError("Training was stopped; no bundle was written.")

    def measure_limits(self, detector: Detector, prepared: Prepared) -> list[FabricCalibration]:
        """The limits of a trained detector, from the pictures that were held back."""
        held = [d.only(h) for d, (_, h) in zip(self.data, prepared.splits, strict=True)]
        return measure_limits(
            detector, held, lambda path, done, total: self.report("calibration", done, total, str(path))
        )

    def extract(
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
                    found = extract(normal, split[part], extractor, self.config, size, self.device, rng, on_image)
                    self.checkpoint.keep_features(name, found)
                else:
                    total -= len(split[part])
                kept[part].append(found)
        return kept

    def extract_drawn(self, extractor: FeatureExtractor, seen: Sequence[Sequence[Path]]) -> list[DrawnFeatures]:
        """Features of drawn defects; none where they are switched off, or nothing learns from them."""
        if self.config.synthesis.drawn == 0.0 or self.config.heads.detector == "anomnet":
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
                found = extract_drawn(normal, paths, extractor, self.config, self.device, rng, on_tile)
                self.checkpoint.keep_drawn(f"drawn-{k}", found)
            else:
                total -= tiles
            kept.append(found)
        return kept


def _check_names(data: Sequence[NormalImages]) -> None:
    names = [d.fabric for d in data]
    if not names:
        raise DataError("there is no fabric to train on")
    if len(set(names)) != len(names):
        raise DataError(f"two fabrics have one name: {', '.join(sorted({n for n in names if names.count(n) > 1}))}")


def _set_statistics(extractor: FeatureExtractor, features: Sequence[FabricFeatures], config: CrasConfig) -> None:
    """Mean and standard deviation over the training cloth, every fabric with the same weight."""
    if not config.patches.normalise:
        return
    mean = torch.stack([f.total / f.count for f in features]).mean(dim=0)
    square = torch.stack([f.total_squared / f.count for f in features]).mean(dim=0)
    std = (square - mean.square()).clamp_min(0).sqrt()
    extractor.mean.copy_(mean)
    extractor.std.copy_(std.clamp_min(1e-3 * float(std.max()) + 1e-12))
