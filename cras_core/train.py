"""Training: normal cloth in, a bundle out.

The order is that of the paper with the frozen part taken out of the loop: features once, statistics, centres, then
adapter and discriminator on cached vectors, then limits from pictures that none of it has seen.
"""

from __future__ import annotations

import copy
import math
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

import cras_core
from cras_core.adapter import Adapter
from cras_core.backbone import load_backbone
from cras_core.bundle import Bundle
from cras_core.calibration import FabricCalibration, block_peaks, tail_limit
from cras_core.centers import ClassCenters, nearest, prototypes
from cras_core.config import CrasConfig, SynthesisConfig
from cras_core.cras import CrasModel, FeatureExtractor, center_aware
from cras_core.data import NormalImages
from cras_core.discriminator import Discriminator
from cras_core.errors import ConfigError, DataError, TrainingError
from cras_core.features import DrawnFeatures, FabricFeatures, extract, extract_drawn, preprocess
from cras_core.images import read_bits, read_image
from cras_core.inspector import Inspector, ScoreScale, pick_device
from cras_core.loss import discrimination_loss
from cras_core.synthesis import synthesise
from cras_core.web.inspection import WebConfig, WebInspection
from cras_core.web.reference import RunningReference

_VALIDATION_PATCHES = 4096  # per fabric; enough for the loss, too few to cost time
_PROTOTYPE_PATCHES = 16384  # k-means on more changes nothing but the time
_PEAK_BLOCK_CELLS = 16  # side of the pieces of cloth whose largest scores make the limit; wider than a defect's glow


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training is.

    Attributes:
        stage: one of ``STAGES``.
        done, total: steps of the stage.
        message: one line for a person.
    """

    stage: str
    done: int
    total: int
    message: str


STAGES = ("features", "drawn defects", "training", "calibration")

OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


def train(
    data: Sequence[NormalImages],
    config: CrasConfig,
    device: str = "auto",
    on_progress: OnProgress = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Bundle:
    """Trains one model for all fabrics.

    Args:
        data: normal pictures of each fabric.
        config: settings; ``config.train.seed`` fixes everything random.
        device: ``auto``, ``cpu``, ``cuda``, ...
        on_progress: called often, from this thread.
        should_stop: asked often; when it says yes, training ends with TrainingError and nothing is written.

    Raises:
        CrasError: the data, the weights or the settings cannot be used, training diverged, or it was stopped.
    """
    started = time.monotonic()
    _check_names(data)
    torch.manual_seed(config.train.seed)
    run = _Run(list(data), config, pick_device(device), on_progress, should_stop)
    extractor = FeatureExtractor(load_backbone(config.backbone), config).to(run.device)
    if extractor.cell_px != config.tiling.cell_px:
        raise ConfigError(
            f"the backbone gives cells of {extractor.cell_px} px, tiling.cell_px is {config.tiling.cell_px}"
        )
    splits = [d.held_back(config.calibration.held_back, config.train.seed) for d in data]
    warnings = [
        f"{d.fabric}: one picture only, so its limits come from cloth that was also trained on and are too low"
        for d, (seen, held) in zip(data, splits, strict=True)
        if seen == held
    ]
    seen_features, held_features = run.extract(extractor, splits)
    drawn_features = run.extract_drawn(extractor, [s for s, _ in splits])
    _set_statistics(extractor, seen_features, config)
    drawn = [_Drawn(f, extractor, run.device) for f in drawn_features]
    seen = [_Vectors(f, extractor, run.device) for f in seen_features]
    held = [_Vectors(f, extractor, run.device) for f in held_features]
    model, history = _fit(extractor, seen, held, drawn, seen_features, run)
    scale = _score_scale(model, held)
    inspector = Inspector(model, config, scale, [_provisional(d.fabric) for d in data], run.device)
    calibrations = run.calibrate(inspector, [replace(d, paths=h) for d, (_, h) in zip(data, splits, strict=True)])
    provenance = {
        "program": f"cras {cras_core.__version__}",
        "torch": torch.__version__,
        "python": platform.python_version(),
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "seconds": round(time.monotonic() - started, 1),
        "pictures": {d.fabric: len(d.paths) for d in data},
        "held_back": {d.fabric: [p.name for p in h] for d, (_, h) in zip(data, splits, strict=True)},
        "loss": history,
        "warnings": warnings,
    }
    return to_bundle(inspector, calibrations, provenance)


def to_bundle(inspector: Inspector, calibrations: Sequence[FabricCalibration], provenance: dict[str, object]) -> Bundle:
    """Everything that inspection needs, ready to be written."""
    model = inspector.model
    tensors = {"mean": model.extractor.mean, "std": model.extractor.std}
    tensors |= {f"adapter.{k}": v for k, v in model.adapter.state_dict().items()}
    tensors |= {f"discriminator.{k}": v for k, v in model.discriminator.state_dict().items()}
    tensors["means"] = model.centers.means
    tensors |= {f"centers.{k}": model.centers.of(k) for k in range(len(model.centers))}
    tensors |= {f"scale.{name}": getattr(inspector.scale, name) for name in ScoreScale.__slots__}
    return Bundle(
        config=inspector.config,
        weights_hash=model.extractor.backbone.weights_hash,
        calibrations=tuple(calibrations),
        grid=model.centers.grid,
        tensors={k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()},
        provenance=provenance,
    )


class _Vectors:
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


class _Drawn:
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


@dataclass(slots=True)
class _Run:
    """What all stages share: settings, device, and the two ways to talk to the caller."""

    data: list[NormalImages]
    config: CrasConfig
    device: torch.device
    on_progress: OnProgress
    should_stop: ShouldStop

    def report(self, stage: str, done: int, total: int, message: str) -> None:
        self.on_progress(Progress(stage, done, total, message))
        if self.should_stop():
            raise TrainingError("Training was stopped; no bundle was written.")

    def extract(
        self, extractor: FeatureExtractor, splits: Sequence[tuple[Sequence[Path], Sequence[Path]]]
    ) -> tuple[list[FabricFeatures], list[FabricFeatures]]:
        rng = np.random.default_rng(self.config.train.seed)
        total, done = sum(len(a) + len(b) for a, b in splits), 0

        def on_image(path: Path) -> None:
            nonlocal done
            done += 1
            self.report("features", done, total, str(path))

        capacity = int(self.config.train.cache_mb * 1e6 / 2 / extractor.dimension / len(self.data))
        kept = []
        for part, size in ((0, capacity), (1, _VALIDATION_PATCHES)):
            kept.append(
                [
                    extract(d, s[part], extractor, self.config, size, self.device, rng, on_image)
                    for d, s in zip(self.data, splits, strict=True)
                ]
            )
        return kept[0], kept[1]

    def extract_drawn(self, extractor: FeatureExtractor, seen: Sequence[Sequence[Path]]) -> list[DrawnFeatures]:
        if self.config.synthesis.drawn == 0.0:
            return []
        rng = np.random.default_rng([self.config.train.seed, 3])
        total, done = len(seen) * self.config.synthesis.drawn_tiles, 0

        def on_tile(path: Path) -> None:
            nonlocal done
            done += 1
            self.report("drawn defects", done, total, str(path))

        return [
            extract_drawn(d, paths, extractor, self.config, self.device, rng, on_tile)
            for d, paths in zip(self.data, seen, strict=True)
        ]

    def calibrate(self, inspector: Inspector, held: Sequence[NormalImages]) -> list[FabricCalibration]:
        total, done, found = sum(len(h.paths) for h in held), 0, []
        for k, normal in enumerate(held):
            maps, peaks, image_scores, similarities, levels = [], [], [], [], []
            bits = read_bits(normal.paths[0])
            for path in normal.paths:
                picture = read_image(path, bits)
                raw, similarity = _raw_map(inspector, picture, normal.are_strips, k)
                if np.isfinite(raw).any():
                    maps.append(raw)
                    similarities.append(similarity)
                    levels.append(float(np.nanmedian(raw)))
                if not normal.are_strips:
                    tile = preprocess(picture, self.config.preprocess)[None]
                    image_scores.append(float(inspector.predict(tile, k).score[0]))
                done += 1
                self.report("calibration", done, total, str(path))
            if not maps:
                raise DataError(f"fabric {normal.fabric}: no cloth found in the pictures held back for its limits")
            cells = np.concatenate([m[np.isfinite(m)] for m in maps])
            low, centre, high = np.percentile(cells, [25, 50, 75])
            spread = float(max(high - low, 1e-6))
            raw_peaks = []
            for raw in maps:
                reference = RunningReference(self.config.reference, self.config.tiling.cell_px)
                relative = reference.relate(raw, float(centre), spread, math.inf)
                peaks.append(block_peaks(relative.score, _PEAK_BLOCK_CELLS))
                raw_peaks.append(block_peaks(raw, _PEAK_BLOCK_CELLS))
            area = len(cells) * (self.config.tiling.cell_px * self.config.calibration.mm_per_px / 1000.0) ** 2
            rate = self.config.calibration.false_alarms_per_m2
            raw_limit = tail_limit(np.concatenate(raw_peaks), area, rate)
            deviation = float(np.std(levels)) if len(levels) > 2 else 0.5 * spread
            found.append(
                FabricCalibration(
                    fabric=normal.fabric,
                    centre=float(centre),
                    spread=spread,
                    limit=max(1e-3, tail_limit(np.concatenate(peaks), area, rate)),
                    raw_limit=raw_limit,
                    image_limit=float(np.quantile(image_scores, 0.99)) if image_scores else raw_limit,
                    similarity_limit=float(np.mean(similarities) - 4 * max(float(np.std(similarities)), 0.02)),
                    level_limit=max(1.0, 4 * deviation / spread),
                    seen_m2=area,
                )
            )
        return found


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


def _fit(
    extractor: FeatureExtractor,
    seen: Sequence[_Vectors],
    held: Sequence[_Vectors],
    drawn: Sequence[_Drawn],
    features: Sequence[FabricFeatures],
    run: _Run,
) -> tuple[CrasModel, list[dict[str, float]]]:
    """Trains the heads on cached vectors; returns the model as it was at its best epoch, and the losses."""
    config = run.config
    rng = np.random.default_rng([config.train.seed, 1])
    adapter = Adapter(extractor.dimension, start_as_identity=config.patches.normalise).to(run.device)
    discriminator = Discriminator(extractor.dimension).to(run.device)
    centers = _make_centers(adapter, extractor, seen, features, config, rng).to(run.device)
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
            centers = _make_centers(adapter, extractor, seen, features, config, rng).to(run.device)
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
                run.report(
                    "training",
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
    run.report(
        "training",
        config.train.epochs * steps,
        config.train.epochs * steps,
        f"loss {history[best_epoch]['held_back_loss']:.4f} on held-back cloth",
    )
    heads.load_state_dict(best[0])
    return CrasModel(extractor, adapter, best[1], discriminator).eval(), history


def _make_centers(
    adapter: Adapter,
    extractor: FeatureExtractor,
    seen: Sequence[_Vectors],
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
    drawn: Sequence[_Drawn],
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
    held: Sequence[_Vectors],
    drawn: Sequence[_Drawn],
    config: CrasConfig,
) -> float:
    """The loss on held-back normal vectors and synthetic anomalies that are the same in every epoch."""
    heads.eval()
    rng = np.random.default_rng([config.train.seed, 2])
    u, p = _vectors_and_centers(adapter, centers, [v.sample(min(len(v), _VALIDATION_PATCHES), rng) for v in held])
    generator = torch.Generator(u.device).manual_seed(config.train.seed)
    return float(
        _loss(discriminator, u, p, *_anomalies(adapter, centers, u, p, drawn, config.synthesis, rng, generator))
    )


@torch.no_grad()
def _score_scale(model: CrasModel, held: Sequence[_Vectors]) -> ScoreScale:
    rows = []
    for k, vectors in enumerate(held):
        t = vectors.sample(min(len(vectors), _VALIDATION_PATCHES), np.random.default_rng(k))
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


def _raw_map(
    inspector: Inspector, picture: npt.NDArray[np.uint8], is_strip: bool, fabric: int
) -> tuple[npt.NDArray[np.float32], float]:
    """Raw scores of the cells of a picture, NaN outside the cloth, and the similarity to its fabric."""
    config = inspector.config
    if is_strip:
        web = WebInspection(inspector, WebConfig(config.tiling, config.edges, config.reference, fabric))
        rows = [*web.push(picture), *web.finish()]
        return np.concatenate([r.raw for r in rows]), float(np.nanmean([r.similarity for r in rows]))
    tile = preprocess(picture, config.preprocess)[None]
    scores = inspector.cells(tile, fabric)
    cell = config.tiling.cell_px
    return scores.raw[0, : -(-tile.shape[1] // cell), : -(-tile.shape[2] // cell)], float(scores.similarity[0, fabric])


def _provisional(fabric: str) -> FabricCalibration:
    """Stands in until the limits are known; nothing that calibration reads depends on it."""
    return FabricCalibration(fabric, 0.0, 1.0, 1.0, 1.0, 1.0, -1.0, math.inf, 0.0)
