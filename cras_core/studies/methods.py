"""Every kind of detector and the baselines on the same strips or pictures and the same features, over several seeds."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cras_core.config.reading import with_settings
from cras_core.config.settings import CrasConfig, HeadConfig
from cras_core.data.datasets import DataSet
from cras_core.data.values import NormalImages
from cras_core.detectors.base import Detector
from cras_core.detectors.kinds import KINDS
from cras_core.detectors.patchcore import PatchCore, coreset
from cras_core.evaluation.images import evaluate
from cras_core.evaluation.seeds import mean_and_deviation
from cras_core.evaluation.webs import evaluate_web
from cras_core.features.backbone import load_backbone
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.tensors import pick_device
from cras_core.training.preparation import Prepared, Run, prepare
from cras_core.training.progress import OnProgress
from cras_core.training.train import fit

POOL_VECTORS = 65536
"""Vectors that the coresets are chosen from, all fabrics together; 1 and 10 % are shares of them."""

_MOST_DEMANDING = next(kind.name for kind in KINDS.values() if kind.training.learns_from_synthetic)
"""What is prepared for this kind, drawn defects among it, serves all of them."""

_TILES_REMEMBERED = 64  # a strip of 4096 px has ten


def compare(
    data: Sequence[NormalImages],
    judged: DataSet | Path,
    config: CrasConfig,
    seeds: Sequence[int],
    device: str = "auto",
    on_progress: OnProgress = lambda _: None,
    on_image: Callable[[Path, int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Trains every method on the same normal pictures, once per seed, and judges all on strips or pictures with masks.

    Args:
        data: normal pictures of each fabric.
        judged: what to judge on: strips with masks where ``data`` are strips, else pictures with masks.
        config: settings of CRAS and AnomNet, whichever of them it names; the baselines share those of the features and
            of the web.
        seeds: each decides the split of the pictures and everything random.
        device: for torch.
        on_progress, on_image: told how far training and judging are.

    Returns:
        ``seeds``: for each, the report of ``evaluate_web`` or ``evaluate`` of every method. ``summary``: for each
        method, mean and spread (standard deviation) over the seeds of the figures of all fabrics together.

    Raises:
        CrasError: data, settings or weights cannot be used.
    """
    reports: dict[str, Any] = {}
    for seed in seeds:
        mine = with_settings(config, {"heads.detector": _MOST_DEMANDING, "train.seed": str(seed)})
        run = Run(list(data), mine, pick_device(device), on_progress, lambda: False)
        prepared = prepare(run, _RememberingExtractor(load_backbone(mine.backbone), mine))
        detectors = _detectors(prepared, mine, run)
        if data[0].are_strips:
            for detector in detectors.values():
                detector.set_calibrations(run.measure_thresholds(detector, prepared))
            reports[str(seed)] = evaluate_web(detectors, judged, on_image)
        else:  # pictures are ranked by raw scores, which need no limits
            reports[str(seed)] = {name: evaluate(detector, judged, on_image) for name, detector in detectors.items()}
    part = "all" if data[0].are_strips else "mean"
    methods = list(next(iter(reports.values())))
    return {
        "seeds": reports,
        "summary": {m: mean_and_deviation([r[m][part] for r in reports.values()]) for m in methods},
    }


def _detectors(prepared: Prepared, config: CrasConfig, run: Run) -> dict[str, Detector]:
    rng = np.random.default_rng([config.train.seed, 4])
    share = POOL_VECTORS // len(prepared.seen)
    pools = [v.sample(min(share, len(v)), rng).vectors for v in prepared.seen]
    pool = torch.cat(pools)
    means = torch.stack([p.mean(dim=0) for p in pools])
    fabrics = tuple(d.fabric for d in run.data)

    def bank(banks: list[Tensor]) -> PatchCore:
        return PatchCore(prepared.extractor, banks, means, prepared.medians, fabrics, config, run.device)

    seed = config.train.seed
    return {
        **{
            kind.title: fit(prepared, with_settings(config, {"heads.detector": kind.name}), run)[0]
            for kind in KINDS.values()
        },
        "PatchCore 1 %": bank([pool[coreset(pool, len(pool) // 100, seed)]]),
        "PatchCore 10 %": bank([pool[coreset(pool, len(pool) // 10, seed)]]),
        "PatchCore 10 % per fabric": bank([p[coreset(p, len(p) // 10, seed)] for p in pools]),
        "raw features (variant A)": fit(prepared, variant_a(config), run)[0],
    }


def variant_a(config: CrasConfig) -> CrasConfig:
    """The baseline of table V, like SimpleNet: features and white noise, no centres, no residual."""
    return replace(
        config,
        heads=HeadConfig(features="raw"),
        synthesis=replace(config.synthesis, beta=0.0, share=1.0, drawn=0.0),
        score=replace(config.score, kind="logit"),
    )


class _RememberingExtractor(FeatureExtractor):
    """Takes the features of a tile once, however many detectors look at it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._known: OrderedDict[bytes, Tensor] = OrderedDict()

    def forward(self, images: Tensor) -> Tensor:
        key = hashlib.blake2b(images.cpu().numpy().tobytes(), digest_size=16).digest()
        if key not in self._known:
            self._known[key] = self.raw(images)
            while len(self._known) > _TILES_REMEMBERED:
                self._known.popitem(last=False)
        return (self._known[key] - self.mean) / self.std
