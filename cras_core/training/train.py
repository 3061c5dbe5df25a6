"""Training: normal cloth in, a bundle out.

The order is that of the paper with the frozen part taken out of the loop: features once, statistics, centres, then
adapter and discriminator on cached vectors, then limits from pictures that none of it has seen.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch

from cras_core.config.settings import CrasConfig
from cras_core.data.validation import with_depth
from cras_core.data.values import NormalImages
from cras_core.detectors.kinds import kind_of
from cras_core.detectors.trained import TrainedDetector
from cras_core.detectors.training import DetectorTraining, Material
from cras_core.errors import TrainingError
from cras_core.features.backbone import load_backbone
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.tensors import pick_device
from cras_core.messages import Sentence
from cras_core.registry.bundle import Bundle
from cras_core.registry.provenance import samples_of, stamp
from cras_core.training.checkpoint import Checkpoint
from cras_core.training.enrolled_imaging import imaging_of
from cras_core.training.preparation import Prepared, Run, check_names, prepare
from cras_core.training.progress import OnProgress, ShouldStop
from cras_core.training.warnings import extrapolated_thresholds, too_little_cloth
from cras_core.web.calibration import FabricCalibration, provisional

_DAMAGED = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What taking up a training raises whose kept state is not what was put aside."""


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
        data: normal pictures of each fabric, alike in depth; where nobody has measured that it is measured here.
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
    check_names(data)
    data = with_depth(data)
    backbone = load_backbone(config.backbone)
    kept = Checkpoint.of(checkpoint, config, data, backbone.weights_hash)
    run = Run(list(data), config, pick_device(device), on_progress, should_stop, kept)
    prepared = prepare(run, FeatureExtractor(backbone, config))
    detector, history = fit(prepared, config, run)
    health = detector.health(prepared.seen)
    if health.failure:
        raise TrainingError("model-of-no-use", "{reason}", reason=Sentence(health.failure))
    calibrations = run.measure_thresholds(detector, prepared)
    provenance = {
        **stamp("full"),
        "seconds": round(time.monotonic() - started, 1),
        "pictures": {d.fabric: len(d.paths) for d in data},
        "unreadable": [str(p) for d in data for p in d.skipped],
        "held_back": {d.fabric: [p.name for p in h] for d, (_, h) in zip(data, prepared.splits, strict=True)},
        "samples": {d.fabric: samples_of(d) for d in data},
        "imaging": {d.fabric: imaging_of(d) for d in data},
        "loss": history,
        "warnings": prepared.warnings
        + kind_of(config).training.warnings(config)
        + list(health.problems)
        + too_little_cloth(data, prepared.features, config)
        + extrapolated_thresholds(calibrations, config)
        + ([kept.problem] if kept.problem else []),
    }
    return to_bundle(detector, calibrations, provenance)


def fit(prepared: Prepared, config: CrasConfig, run: Run) -> tuple[TrainedDetector, list[dict[str, float]]]:
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
    training = _begin(material, config, run)
    try:
        while not training.is_done:
            training.run_epoch(lambda *step: run.report("training", *step))
            run.checkpoint.keep_heads(training.state())
    except TrainingError as error:
        raise TrainingError(
            "training-failed", "{reason}{way_on}", reason=error, way_on=Sentence(run.checkpoint.way_on(training.epoch))
        ) from error
    detector = training.finish([provisional(d.fabric) for d in run.data], prepared.medians)
    detector.bits = run.data[0].bits
    return detector, training.history


def _begin(material: Material, config: CrasConfig, run: Run) -> DetectorTraining:
    """A training as it was left, or a new one where nothing is kept, or nothing that fits."""
    kept = run.checkpoint.heads()
    if kept is not None:
        training = kind_of(config).training(material, config, run.device)
        try:
            training.restore(kept)
        except _DAMAGED:  # it is learnt again
            torch.manual_seed(config.train.seed)
        else:
            return training
    return kind_of(config).training(material, config, run.device)


def to_bundle(
    detector: TrainedDetector, calibrations: Sequence[FabricCalibration], provenance: dict[str, object]
) -> Bundle:
    """Everything that inspection needs, ready to be written; ``loading.detector_of`` is the inverse."""
    return Bundle(
        config=detector.config,
        weights_hash=detector.weights_hash,
        calibrations=tuple(calibrations),
        grid=detector.grid,
        tensors={k: v.detach().cpu().clone().contiguous() for k, v in detector.tensors().items()},
        provenance=provenance,
        bits=detector.bits,
    )
