"""Adapter, centres and discriminator, trained on cached vectors of normal cloth (eq. 1 to 8)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cras_core.adapter import Adapter
from cras_core.centers import ClassCenters, prototypes
from cras_core.config import CrasConfig, SynthesisConfig, TrainConfig
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


@dataclass(frozen=True, slots=True)
class Patches:
    """Some normalised vectors of one fabric: (n, D), and where they lay in their pictures, (n,) int64."""

    vectors: Tensor
    positions: Tensor


class Vectors:
    """Normalised vectors of one fabric."""

    def __init__(self, features: FabricFeatures, extractor: FeatureExtractor, device: torch.device) -> None:
        self._cache = features.cache
        self._mean, self._std = extractor.mean.cpu(), extractor.std.cpu()
        self._device = device

    def __len__(self) -> int:
        return len(self._cache)

    def sample(self, n: int, rng: np.random.Generator) -> Patches:
        """n vectors chosen at random, without repetition as far as there are enough."""
        return self.take(np.sort(rng.permutation(len(self))[:n] if n <= len(self) else rng.integers(0, len(self), n)))

    def take(self, index: npt.NDArray[np.int64]) -> Patches:
        """The vectors at (n,) indices into the cache."""
        vectors = (self._cache.take(index) - self._mean) / self._std
        positions = torch.from_numpy(self._cache.positions[index].astype(np.int64))
        return Patches(vectors.to(self._device), positions.to(self._device))


class DrawnVectors:
    """Cells of one fabric under drawn defects."""

    def __init__(self, features: DrawnFeatures, extractor: FeatureExtractor, device: torch.device) -> None:
        self._clean, self._change = features.clean, features.change
        self._mean, self._std = extractor.mean.cpu(), extractor.std.cpu()
        self._device = device

    def sample(self, n: int, rng: np.random.Generator) -> Patches:
        """n vectors under defects of half to one and a half times the strength they were drawn with."""
        index = rng.integers(0, len(self._clean), n)
        strength = torch.from_numpy(rng.uniform(0.5, 1.5, (n, 1)).astype(np.float32))
        vectors = (self._clean.take(index) + strength * self._change.take(index) - self._mean) / self._std
        positions = torch.from_numpy(self._clean.positions[index].astype(np.int64))
        return Patches(vectors.to(self._device), positions.to(self._device))


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
    is_good_already = config.patches.normalise or not config.heads.adapter
    adapter = Adapter(extractor.dimension, start_as_identity=is_good_already).to(device)
    adapter.requires_grad_(config.heads.adapter)
    discriminator = Discriminator(extractor.dimension, len(config.heads.features.split("+"))).to(device)
    centers = _make_centers(adapter, extractor, seen, features, config, rng).to(device)
    optimisers = _optimisers(adapter, discriminator, config.train)
    heads = torch.nn.ModuleList([adapter, discriminator])
    steps = _Steps(seen, features, config.train, rng)
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
        for step, patches in enumerate(steps):
            u, p = _vectors_and_centers(adapter, centers, patches)
            loss = _loss(discriminator, u, p, *_anomalies(adapter, centers, u, p, drawn, config.synthesis, rng), config)
            if not torch.isfinite(loss):
                where = f"epoch {epoch + 1}, step {step + 1}"
                raise TrainingError(f"The loss is not a number any more ({where}). Lower the learning rates.")
            for optimiser in optimisers:
                optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            for optimiser in optimisers:
                optimiser.step()
            losses.append(float(loss.detach()))
            if step % 10 == 0:
                report(
                    epoch * len(steps) + step,
                    config.train.epochs * len(steps),
                    f"epoch {epoch + 1}, loss {np.mean(losses):.4f}",
                )
        validation = _validation_loss(heads, adapter, discriminator, centers, held, drawn, config)
        history.append({"epoch": epoch + 1, "loss": float(np.mean(losses)), "held_back_loss": validation})
        if validation < best_loss or config.train.patience is None:
            best_loss, best_epoch, best = validation, epoch, (copy.deepcopy(heads.state_dict()), centers)
        elif epoch - best_epoch >= config.train.patience and not any(r > epoch for r in refresh_at):
            break
    report(
        config.train.epochs * len(steps),
        config.train.epochs * len(steps),
        f"loss {history[best_epoch]['held_back_loss']:.4f} on held-back cloth",
    )
    heads.load_state_dict(best[0])
    adapter.requires_grad_(True)
    return CrasModel(extractor, adapter, best[1], discriminator, config.heads.features).eval(), history


class _Steps:
    """The steps of an epoch, each the patches of every fabric in it."""

    def __init__(
        self,
        seen: Sequence[Vectors],
        features: Sequence[FabricFeatures],
        config: TrainConfig,
        rng: np.random.Generator,
    ) -> None:
        self._seen, self._rng = seen, rng
        self._per_fabric = max(2, config.patches_per_step // len(seen))
        self._pictures: list[tuple[int, int, int]] = []  # fabric, first and last row of the cache
        self._pictures_per_step = config.images_per_step
        if config.images_per_step is None:
            available = sum(len(v) for v in seen)
            wanted = min(available, config.patches_per_epoch or available)
            self._count = max(1, round(wanted / (self._per_fabric * len(seen))))
            return
        for k, f in enumerate(features):
            if f.mean_map is None or not f.is_whole:
                raise DataError(
                    "steps of whole pictures need pictures of one size, not strips, and a cache that holds them all; "
                    "raise train.cache_mb or set train.images_per_step=null"
                )
            cells = f.mean_map.shape[0] * f.mean_map.shape[1]
            self._pictures += [(k, i, i + cells) for i in range(0, len(f.cache), cells)]
        self._count = -(-len(self._pictures) // config.images_per_step)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[list[tuple[int, Patches]]]:
        if self._pictures_per_step is None:
            for _ in range(self._count):
                yield [(k, v.sample(self._per_fabric, self._rng)) for k, v in enumerate(self._seen)]
            return
        order = self._rng.permutation(len(self._pictures))
        for i in range(0, len(order), self._pictures_per_step):
            chosen = [self._pictures[j] for j in order[i : i + self._pictures_per_step]]
            by_fabric = {
                k: [np.arange(a, b) for c, a, b in chosen if c == k] for k in sorted({c for c, _, _ in chosen})
            }
            yield [(k, self._seen[k].take(np.concatenate(rows))) for k, rows in by_fabric.items()]


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
                "a mean map needs pictures of one size, not strips; take prototypes: --set centers.kind=prototypes"
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
    patches = [(k, v.sample(min(len(v), VALIDATION_PATCHES), rng)) for k, v in enumerate(held)]
    u, p = _vectors_and_centers(adapter, centers, patches)
    generator = torch.Generator(u.device).manual_seed(config.train.seed)
    anomalies = _anomalies(adapter, centers, u, p, drawn, config.synthesis, rng, generator)
    return float(_loss(discriminator, u, p, *anomalies, config))


@torch.no_grad()
def score_scale(model: CrasModel, held: Sequence[Vectors]) -> ScoreScale:
    """Median and interquartile range of logit and residual on held-back vectors of every fabric."""
    rows = []
    for k, vectors in enumerate(held):
        some = vectors.sample(min(len(vectors), VALIDATION_PATCHES), np.random.default_rng(k))
        u, p = _vectors_and_centers(model.adapter, model.centers, [(k, some)])
        scores: list[npt.NDArray[np.float32]] = [
            model.discriminator(center_aware(u, p, model.features)).cpu().numpy(),
            (u - p).norm(dim=1).cpu().numpy(),
        ]
        row = []
        for values in scores:
            low, middle, high = np.percentile(values, [25, 50, 75])
            row += [middle, max(high - low, 1e-6)]
        rows.append(row)
    return ScoreScale(*torch.tensor(np.array(rows), dtype=torch.float32).T)
