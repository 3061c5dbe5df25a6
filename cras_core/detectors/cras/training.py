"""Adapter, centres and discriminator, trained on cached vectors of normal cloth (eq. 1 to 8)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from cras_core.config.settings import CrasConfig, SynthesisConfig, TrainConfig
from cras_core.detectors.centers import ClassCenters, prototypes
from cras_core.detectors.cras.adapter import Adapter
from cras_core.detectors.cras.detector import CrasDetector
from cras_core.detectors.cras.discriminator import Discriminator
from cras_core.detectors.cras.loss import discrimination_loss
from cras_core.detectors.cras.model import CrasModel, center_aware
from cras_core.detectors.cras.scale import ScoreScale, scale_of
from cras_core.detectors.cras.synthesis import synthesise
from cras_core.detectors.training import VALIDATION_PATCHES, DetectorTraining, HeadState, Material, Report
from cras_core.errors import DataError, TrainingError
from cras_core.features.extraction import FabricFeatures
from cras_core.features.extractor import FeatureExtractor
from cras_core.features.vectors import Patches, Steps, SyntheticVectors, Vectors
from cras_core.registry.tensor_file import part
from cras_core.web.calibration import FabricCalibration

_PROTOTYPE_PATCHES = 16384  # k-means on more changes nothing but the time


class CrasTraining(DetectorTraining):
    """Adapter, centres and discriminator while they learn from cached vectors."""

    learns_from_synthetic = True

    def __init__(self, material: Material, config: CrasConfig, device: torch.device) -> None:
        """Raises DataError when the centres cannot be made of these pictures."""
        self._material, self._config, self._device = material, config, device
        dimension = material.extractor.dimension
        self._rng = np.random.default_rng([config.train.seed, 1])
        is_good_already = config.patches.normalise or not config.heads.adapter
        self._adapter = Adapter(dimension, start_as_identity=is_good_already).to(device)
        self._adapter.requires_grad_(config.heads.adapter)
        self._discriminator = Discriminator(dimension, len(config.heads.features.split("+"))).to(device)
        self._heads = torch.nn.ModuleDict({"adapter": self._adapter, "discriminator": self._discriminator})
        self._optimisers = _optimisers(self._adapter, self._discriminator, config.train)
        self._steps = Steps(material.seen, material.features, config.train, self._rng)
        self._centers = self._make_centers()
        n = config.centers.refreshes if config.centers.kind == "prototypes" else 0
        self._refresh_at = {round((i + 1) * config.train.epochs / (n + 1)) for i in range(n)}
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self._best_loss, self._best_epoch = math.inf, 0
        self._best = (copy.deepcopy(self._heads.state_dict()), self._centers)

    @property
    def is_done(self) -> bool:
        """See ``DetectorTraining.is_done``."""
        patience = self._config.train.patience
        return self.epoch >= self._config.train.epochs or (
            patience is not None
            and self.epoch - 1 - self._best_epoch >= patience
            and not any(r >= self.epoch for r in self._refresh_at)
        )

    def run_epoch(self, report: Report) -> None:
        """See ``DetectorTraining.run_epoch``."""
        if self.epoch in self._refresh_at:
            self._centers = self._make_centers()
            self._best_loss = math.inf  # losses against other centres do not compare
        self._heads.train()
        losses = []
        total = self._config.train.epochs * len(self._steps)
        for step, patches in enumerate(self._steps):
            loss = self._loss_of(patches)
            if not torch.isfinite(loss):
                raise TrainingError(
                    "loss-diverged-cras",
                    "The loss is not a number any more (epoch {epoch}, step {step}). Lower the learning rates.",
                    hint="With: --set train.discriminator_rate=... --set train.adapter_rate=...",
                    epoch=self.epoch + 1,
                    step=step + 1,
                )
            for optimiser in self._optimisers:
                optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            for optimiser in self._optimisers:
                optimiser.step()
            losses.append(float(loss.detach()))
            if step % 10 == 0:
                done = self.epoch * len(self._steps) + step
                report(done, total, f"epoch {self.epoch + 1}, loss {np.mean(losses):.4f}", None)
        validation = self._validation_loss()
        if not math.isfinite(validation):
            raise TrainingError(
                "loss-diverged-on-held-out-cras",
                "The loss on held-out cloth is not a number any more (epoch {epoch}). Lower the learning rates.",
                hint="With: --set train.discriminator_rate=... --set train.adapter_rate=...",
                epoch=self.epoch + 1,
            )
        self.history.append({"epoch": self.epoch + 1, "loss": float(np.mean(losses)), "held_back_loss": validation})
        if validation < self._best_loss or self._config.train.patience is None:
            self._best_loss, self._best_epoch = validation, self.epoch
            self._best = (copy.deepcopy(self._heads.state_dict()), self._centers)
        self.epoch += 1
        best = self.history[self._best_epoch]["held_back_loss"]
        done = total if self.is_done else self.epoch * len(self._steps)
        report(done, total, f"loss {best:.4f} on held-back cloth", validation)

    def finish(self, calibrations: Sequence[FabricCalibration], medians: Tensor) -> CrasDetector:
        """See ``DetectorTraining.finish``."""
        model = self._best_model()
        scale = score_scale(model, self._material.held)
        return CrasDetector(model, self._config, scale, calibrations, medians, self._device)

    def _best_model(self) -> CrasModel:
        """The model as it was at its best epoch."""
        state, centers = self._best
        self._heads.load_state_dict(state)
        self._adapter.requires_grad_(True)
        return CrasModel(
            self._material.extractor, self._adapter, centers, self._discriminator, self._config.heads.features
        ).eval()

    def state(self) -> HeadState:
        """See ``DetectorTraining.state``."""
        state, centers = self._best
        tensors = {f"heads.{k}": v for k, v in self._heads.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in state.items()}
        for name, some in (("centers", self._centers), ("best_centers", centers)):
            tensors[f"{name}.means"] = some.means
            tensors |= {f"{name}.{k}": some.of(k) for k in range(len(some))}
        for i, optimiser in enumerate(self._optimisers):
            moments = optimiser.state_dict()["state"]
            tensors |= {f"optimiser.{i}.{k}.{name}": v for k, named in moments.items() for name, v in named.items()}
        tensors["random"] = torch.get_rng_state()
        return HeadState(
            {k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()},
            {
                "epoch": self.epoch,
                "history": self.history,
                "best_epoch": self._best_epoch,
                "best_loss": self._best_loss if math.isfinite(self._best_loss) else None,
                "grid": self._centers.grid,
                "random": self._rng.bit_generator.state,
            },
        )

    def restore(self, kept: HeadState) -> None:
        """See ``DetectorTraining.restore``."""
        tensors, values = kept.tensors, kept.values
        grid = (int(values["grid"][0]), int(values["grid"][1])) if values["grid"] is not None else None

        def centers(name: str) -> ClassCenters:
            vectors = [tensors[f"{name}.{k}"] for k in range(len(self._material.seen))]
            found = ClassCenters(vectors, tensors[f"{name}.means"], grid, local=self._config.centers.local)
            return found.to(self._device)

        self._heads.load_state_dict(part(tensors, "heads."))
        self._centers = centers("centers")
        best = {k: v.to(self._device) for k, v in part(tensors, "best.").items()}
        self._best = (best, centers("best_centers"))
        for i, optimiser in enumerate(self._optimisers):
            moments: dict[int, dict[str, Tensor]] = {}
            for name, value in part(tensors, f"optimiser.{i}.").items():
                k, moment = name.split(".")
                moments.setdefault(int(k), {})[moment] = value
            optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
        self.epoch, self.history = int(values["epoch"]), list(values["history"])
        self._best_epoch = int(values["best_epoch"])
        self._best_loss = math.inf if values["best_loss"] is None else float(values["best_loss"])
        self._rng.bit_generator.state = values["random"]
        torch.set_rng_state(tensors["random"])

    def _make_centers(self) -> ClassCenters:
        material, config = self._material, self._config
        return _make_centers(self._adapter, material.extractor, material.seen, material.features, config, self._rng).to(
            self._device
        )

    def _loss_of(self, patches: Sequence[tuple[int, Patches]]) -> Tensor:
        u, p = _vectors_and_centers(self._adapter, self._centers, patches)
        v, q = _anomalies(self._adapter, self._centers, u, p, self._material.drawn, self._config.synthesis, self._rng)
        return _loss(self._discriminator, u, p, v, q, self._config)

    @torch.no_grad()
    def _validation_loss(self) -> float:
        """The loss on held-back normal vectors and synthetic anomalies that are the same in every epoch."""
        self._heads.eval()
        config, drawn = self._config, self._material.drawn
        rng = np.random.default_rng([config.train.seed, 2])
        patches = [(k, v.sample(min(len(v), VALIDATION_PATCHES), rng)) for k, v in enumerate(self._material.held)]
        u, p = _vectors_and_centers(self._adapter, self._centers, patches)
        generator = torch.Generator(u.device).manual_seed(config.train.seed)
        anomalies = _anomalies(self._adapter, self._centers, u, p, drawn, config.synthesis, rng, generator)
        return float(_loss(self._discriminator, u, p, *anomalies, config))


def _optimisers(adapter: Adapter, discriminator: Discriminator, config: TrainConfig) -> list[torch.optim.Optimizer]:
    made: list[torch.optim.Optimizer] = []
    if any(p.requires_grad for p in adapter.parameters()):
        made.append(torch.optim.AdamW(adapter.parameters(), lr=config.adapter_rate))
    if config.discriminator_optimiser == "adam":
        made.append(torch.optim.Adam(discriminator.parameters(), lr=config.discriminator_rate, weight_decay=1e-5))
    else:
        made.append(torch.optim.AdamW(discriminator.parameters(), lr=config.discriminator_rate))
    return made


def _make_centers(
    adapter: Adapter,
    extractor: FeatureExtractor,
    seen: Sequence[Vectors],
    features: Sequence[FabricFeatures],
    config: CrasConfig,
    rng: np.random.Generator,
) -> ClassCenters:
    """Eq. 1, or prototypes in its place."""
    # The adapter is linear, so the mean of the adapted features is the adapted mean of the features.
    with torch.no_grad():
        raw = torch.stack([f.total / f.count for f in features]).to(extractor.mean)
        means = adapter((raw - extractor.mean) / extractor.std)
        if config.centers.kind == "prototypes":
            samples = [adapter(v.sample(min(len(v), _PROTOTYPE_PATCHES), rng).vectors) for v in seen]
            found = [prototypes(u, config.centers.prototypes, config.train.seed) for u in samples]
            return ClassCenters(found, means, None, local=config.centers.local)
        of_fabric = [f.first_map if config.centers.kind == "one_sample" else f.mean_map for f in features]
        maps = [m for m in of_fabric if m is not None]
        if len(maps) < len(features) or len({m.shape for m in maps}) > 1:
            raise DataError(
                "mean-map-needs-one-size",
                "a mean map needs pictures of one size, not strips; take prototypes",
                hint="With: --set centers.kind=prototypes",
            )
        vectors = [(m.to(extractor.mean) - extractor.mean) / extractor.std for m in maps]
        grid = (int(maps[0].shape[0]), int(maps[0].shape[1]))
        return ClassCenters(
            [adapter(v.reshape(-1, v.shape[2])) for v in vectors], means, grid, local=config.centers.local
        )


def _vectors_and_centers(
    adapter: Adapter, centers: ClassCenters, patches: Sequence[tuple[int, Patches]]
) -> tuple[Tensor, Tensor]:
    """Adapted vectors and their recomposed centres, (N, D) each, of patches whose class is known."""
    us, ps = [], []
    for k, some in patches:
        u = adapter(some.vectors)
        with torch.no_grad():
            ps.append(centers.choose(u, k, some.positions))
        us.append(u)
    return torch.cat(us), torch.cat(ps)


def _anomalies(
    adapter: Adapter,
    centers: ClassCenters,
    u: Tensor,
    p: Tensor,
    drawn: Sequence[SyntheticVectors],
    config: SynthesisConfig,
    rng: np.random.Generator,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """As many synthetic anomalies as there are normal vectors, and the centres to take their residuals to; (N, D) each.

    Noise is added to normal vectors and keeps their centres (eq. 6, 7). A cell under a drawn defect finds its own
    centre, as it will at inspection.
    """
    n_drawn = round(config.drawn * len(u) / len(centers)) if drawn else 0
    if n_drawn * len(centers) >= len(u):
        return _vectors_and_centers(adapter, centers, [(k, d.sample(n_drawn, rng)) for k, d in enumerate(drawn)])
    if n_drawn == 0:
        return synthesise(u, p, config, generator), p
    noisy = torch.rand(len(u), generator=generator, device=u.device) >= config.drawn
    v, q = synthesise(u[noisy], p[noisy], config, generator), p[noisy]
    v_drawn, q_drawn = _vectors_and_centers(
        adapter, centers, [(k, d.sample(n_drawn, rng)) for k, d in enumerate(drawn)]
    )
    return torch.cat([v, v_drawn]), torch.cat([q, q_drawn])


def _loss(discriminator: Discriminator, u: Tensor, p: Tensor, v: Tensor, q: Tensor, config: CrasConfig) -> Tensor:
    """Eq. 8 for normal vectors u with centres p and anomalies v with centres q."""
    # Normal and synthetic vectors go through the batch normalisation together, as in the authors' code.
    features = config.heads.features
    logits = discriminator(torch.cat([center_aware(u, p, features), center_aware(v, q, features)]))
    return discrimination_loss(logits[: len(u)], logits[len(u) :])


@torch.no_grad()
def score_scale(model: CrasModel, held: Sequence[Vectors]) -> ScoreScale:
    """Median and interquartile range of logit and residual on held-back vectors of every fabric."""
    rows = []
    for k, vectors in enumerate(held):
        some = vectors.sample(min(len(vectors), VALIDATION_PATCHES), np.random.default_rng(k))
        u, p = _vectors_and_centers(model.adapter, model.centers, [(k, some)])
        logit = model.discriminator(center_aware(u, p, model.features))
        rows.append(scale_of(logit, (u - p).norm(dim=1)))
    return ScoreScale(*torch.stack(rows).T)
