"""Adapter, centres and discriminator, trained on cached vectors of normal cloth (eq. 1 to 8)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cras_core.adapter import Adapter
from cras_core.centers import ClassCenters, nearest, prototypes
from cras_core.config import CrasConfig, SynthesisConfig
from cras_core.cras import CrasModel, FeatureExtractor, center_aware
from cras_core.discriminator import Discriminator
from cras_core.errors import DataError, TrainingError
from cras_core.features import DrawnFeatures, FabricFeatures
from cras_core.inspector import ScoreScale
from cras_core.loss import discrimination_loss
from cras_core.synthesis import synthesise

VALIDATION_PATCHES = 4096
"""Held-back vectors per fabric; enough for the loss, too few to cost time."""

_PROTOTYPE_PATCHES = 16384  # k-means on more changes nothing but the time

Report = Callable[[int, int, str], None]


class Vectors:
    """Normalised vectors of one fabric."""

    def __init__(self, features: FabricFeatures, extractor: FeatureExtractor, device: torch.device) -> None:
        self._cache = features.cache
        self._mean, self._std = extractor.mean.cpu(), extractor.std.cpu()
        self._device = device

    def __len__(self) -> int:
        return len(self._cache)

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        """(n, D) vectors chosen at random, without repetition as far as there are enough."""
        index = rng.permutation(len(self))[:n] if n <= len(self) else rng.integers(0, len(self), n)
        return ((self._cache.take(np.sort(index)) - self._mean) / self._std).to(self._device)


class DrawnVectors:
    """Cells of one fabric under drawn defects."""

    def __init__(self, features: DrawnFeatures, extractor: FeatureExtractor, device: torch.device) -> None:
        self._clean, self._change = features.clean, features.change
        self._mean, self._std = extractor.mean.cpu(), extractor.std.cpu()
        self._device = device

    def sample(self, n: int, rng: np.random.Generator) -> Tensor:
        """(n, D) normalised vectors under defects of half to one and a half times the strength they were drawn with."""
        index = rng.integers(0, len(self._clean), n)
        strength = torch.from_numpy(rng.uniform(0.5, 1.5, (n, 1)).astype(np.float32))
        return ((self._clean.take(index) + strength * self._change.take(index) - self._mean) / self._std).to(
            self._device
        )


def fit_heads(
    extractor: FeatureExtractor,
    seen: Sequence[Vectors],
    held: Sequence[Vectors],
    drawn: Sequence[DrawnVectors],
    features: Sequence[FabricFeatures],
    config: CrasConfig,
    device: torch.device,
    report: Report,
) -> tuple[CrasModel, list[dict[str, float]]]:
    """Trains the heads on cached vectors.

    Args:
        extractor: with its statistics set.
        seen, held: vectors of every fabric to train on, and held back to stop by.
        drawn: cells under drawn defects, of every fabric or of none.
        features: what the vectors of ``seen`` come from.
        config: settings.
        device: where to train.
        report: called often with steps done, steps in all, and a line for a person; may raise to stop.

    Returns:
        The model as it was at its best epoch, and the losses of every epoch.

    Raises:
        TrainingError: the loss diverged.
        DataError: the centres cannot be made of these pictures.
    """
    rng = np.random.default_rng([config.train.seed, 1])
    adapter = Adapter(extractor.dimension, start_as_identity=config.patches.normalise).to(device)
    discriminator = Discriminator(extractor.dimension).to(device)
    centers = _make_centers(adapter, extractor, seen, features, config, rng).to(device)
    optimiser = torch.optim.AdamW(
        [
            {"params": adapter.parameters(), "lr": config.train.adapter_rate},
            {"params": discriminator.parameters(), "lr": config.train.discriminator_rate},
        ]
    )
    heads = torch.nn.ModuleList([adapter, discriminator])
    per_fabric = max(2, config.train.patches_per_step // len(seen))
    available = sum(len(v) for v in seen)
    steps = max(1, round(min(available, config.train.patches_per_epoch or available) / (per_fabric * len(seen))))
    refresh_at = {
        round((i + 1) * config.train.epochs / (config.centers.refreshes + 1)) for i in range(config.centers.refreshes)
    }
    history: list[dict[str, float]] = []
    best_loss, best_epoch, best = math.inf, 0, (copy.deepcopy(heads.state_dict()), centers)
    for epoch in range(config.train.epochs):
        if epoch in refresh_at and config.centers.kind == "prototypes":
            centers = _make_centers(adapter, extractor, seen, features, config, rng).to(device)
            best_loss = math.inf  # losses against other centres do not compare
        heads.train()
        losses = []
        for step in range(steps):
            u, p = _vectors_and_centers(adapter, centers, [v.sample(per_fabric, rng) for v in seen])
            loss = _loss(discriminator, u, p, *_anomalies(adapter, centers, u, p, drawn, config.synthesis, rng))
            if not torch.isfinite(loss):
                where = f"epoch {epoch + 1}, step {step + 1}"
                raise TrainingError(f"The loss is not a number any more ({where}). Lower the learning rates.")
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(float(loss.detach()))
            if step % 10 == 0:
                report(
                    epoch * steps + step,
                    config.train.epochs * steps,
                    f"epoch {epoch + 1}, loss {np.mean(losses):.4f}",
                )
        validation = _validation_loss(heads, adapter, discriminator, centers, held, drawn, config)
        history.append({"epoch": epoch + 1, "loss": float(np.mean(losses)), "held_back_loss": validation})
        if validation < best_loss:
            best_loss, best_epoch, best = validation, epoch, (copy.deepcopy(heads.state_dict()), centers)
        elif (
            config.train.patience is not None
            and epoch - best_epoch >= config.train.patience
            and not any(r > epoch for r in refresh_at)
        ):
            break
    report(
        config.train.epochs * steps,
        config.train.epochs * steps,
        f"loss {history[best_epoch]['held_back_loss']:.4f} on held-back cloth",
    )
    heads.load_state_dict(best[0])
    return CrasModel(extractor, adapter, best[1], discriminator).eval(), history


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
            samples = [adapter(v.sample(min(len(v), _PROTOTYPE_PATCHES), rng)) for v in seen]
            found = [prototypes(u, config.centers.prototypes, config.train.seed) for u in samples]
            return ClassCenters(found, means, None)
        maps = [f.mean_map for f in features if f.mean_map is not None]
        if len(maps) < len(features) or len({m.shape for m in maps}) > 1:
            raise DataError(
                "a mean map needs pictures of one size, not strips; take prototypes: --set centers.kind=prototypes"
            )
        vectors = [(m.to(extractor.mean) - extractor.mean) / extractor.std for m in maps]
        grid = (int(maps[0].shape[0]), int(maps[0].shape[1]))
        return ClassCenters([adapter(v.reshape(-1, v.shape[2])) for v in vectors], means, grid)


def _vectors_and_centers(adapter: Adapter, centers: ClassCenters, t: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Adapted vectors of every fabric and their recomposed centres, (N, D) each; the class is known in training."""
    us, ps = [], []
    for k, vectors in enumerate(t):
        u = adapter(vectors)
        with torch.no_grad():
            ps.append(centers.of(k)[nearest(u, centers.of(k))[0]])
        us.append(u)
    return torch.cat(us), torch.cat(ps)


def _anomalies(
    adapter: Adapter,
    centers: ClassCenters,
    u: Tensor,
    p: Tensor,
    drawn: Sequence[DrawnVectors],
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
        return _vectors_and_centers(adapter, centers, [d.sample(n_drawn, rng) for d in drawn])
    if n_drawn == 0:
        return synthesise(u, p, config, generator), p
    noisy = torch.rand(len(u), generator=generator, device=u.device) >= config.drawn
    v, q = synthesise(u[noisy], p[noisy], config, generator), p[noisy]
    v_drawn, q_drawn = _vectors_and_centers(adapter, centers, [d.sample(n_drawn, rng) for d in drawn])
    return torch.cat([v, v_drawn]), torch.cat([q, q_drawn])


def _loss(discriminator: Discriminator, u: Tensor, p: Tensor, v: Tensor, q: Tensor) -> Tensor:
    """Eq. 8 for normal vectors u with centres p and anomalies v with centres q."""
    # Normal and synthetic vectors go through the batch normalisation together, as in the authors' code.
    logits = discriminator(torch.cat([center_aware(u, p), center_aware(v, q)]))
    return discrimination_loss(logits[: len(u)], logits[len(u) :])


@torch.no_grad()
def _validation_loss(
    heads: torch.nn.Module,
    adapter: Adapter,
    discriminator: Discriminator,
    centers: ClassCenters,
    held: Sequence[Vectors],
    drawn: Sequence[DrawnVectors],
    config: CrasConfig,
) -> float:
    """The loss on held-back normal vectors and synthetic anomalies that are the same in every epoch."""
    heads.eval()
    rng = np.random.default_rng([config.train.seed, 2])
    u, p = _vectors_and_centers(adapter, centers, [v.sample(min(len(v), VALIDATION_PATCHES), rng) for v in held])
    generator = torch.Generator(u.device).manual_seed(config.train.seed)
    return float(
        _loss(discriminator, u, p, *_anomalies(adapter, centers, u, p, drawn, config.synthesis, rng, generator))
    )


@torch.no_grad()
def score_scale(model: CrasModel, held: Sequence[Vectors]) -> ScoreScale:
    """Median and interquartile range of logit and residual on held-back vectors of every fabric."""
    rows = []
    for k, vectors in enumerate(held):
        t = vectors.sample(min(len(vectors), VALIDATION_PATCHES), np.random.default_rng(k))
        u = model.adapter(t)
        p = model.centers.of(k)[nearest(u, model.centers.of(k))[0]]
        scores: list[npt.NDArray[np.float32]] = [
            model.discriminator(center_aware(u, p)).cpu().numpy(),
            (u - p).norm(dim=1).cpu().numpy(),
        ]
        row = []
        for values in scores:
            low, middle, high = np.percentile(values, [25, 50, 75])
            row += [middle, max(high - low, 1e-6)]
        rows.append(row)
    return ScoreScale(*torch.tensor(np.array(rows), dtype=torch.float32).T)
