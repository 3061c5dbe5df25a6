"""The two stages of AnomNet on cached vectors of normal cloth (section 2.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from cras_core.config.settings import CrasConfig
from cras_core.detectors.anomnet.adapter import CoordAdapter
from cras_core.detectors.anomnet.centroids import CentroidSets, nearest_squared
from cras_core.detectors.anomnet.detector import AnomNetDetector
from cras_core.detectors.anomnet.losses import contrast, entropy, separation
from cras_core.detectors.training import VALIDATION_PATCHES, DetectorTraining, HeadState, Material, Report
from cras_core.errors import TrainingError
from cras_core.features.vectors import Patches, Steps
from cras_core.registry.tensor_file import part
from cras_core.web.calibration import FabricCalibration


class AnomNetTraining(DetectorTraining):
    """Adapter and centroids while they learn from cached vectors.

    Attributes:
        adapter, centroids: as they are now.
        means: (F, D) mean of the normalised vectors of each fabric; its image is where centroids start.
        epoch: epochs that are over.
        history: the losses of every epoch.
        evolution: (S, K, D) centroids before the first stage, in its middle and after it, by epoch (figure 4).
    """

    sections = (*DetectorTraining.sections, "anomnet")
    adjustable = DetectorTraining.adjustable | {"anomnet.centroid_rate"}

    def __init__(self, material: Material, config: CrasConfig, device: torch.device) -> None:
        self._material, self._config, self._device = material, config, device
        mine = config.anomnet
        self._rng = np.random.default_rng([config.train.seed, 6])
        is_good_already = config.patches.normalise or not config.heads.adapter
        self.adapter = CoordAdapter(
            material.extractor.dimension, coordinates=mine.coordinates, start_as_identity=is_good_already
        ).to(device)
        self.means = self._means()
        self.centroids = self._start()
        self._optimisers = {
            "adapter": torch.optim.Adam(
                self.adapter.parameters(), lr=config.train.adapter_rate, weight_decay=mine.weight_decay
            ),
            "centroids": torch.optim.Adam(self.centroids.parameters(), lr=mine.centroid_rate),
        }
        self._steps = Steps(material.seen, material.features, config.train, self._rng)
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self.evolution: dict[int, Tensor] = {}
        self._remember()

    @property
    def _first(self) -> int:
        """Epochs of the first stage, or of the only one."""
        epochs, mine = self._config.train.epochs, self._config.anomnet
        return epochs if mine.stages == "one" else min(epochs, mine.first_stage)

    @property
    def _last(self) -> int:
        """All epochs; without an adapter there is nothing for a second stage to learn."""
        return self._config.train.epochs if self._config.heads.adapter else self._first

    @property
    def is_done(self) -> bool:
        """See ``DetectorTraining.is_done``; the last epoch counts."""
        return self.epoch >= self._last

    def run_epoch(self, report: Report) -> None:
        """See ``DetectorTraining.run_epoch``."""
        learning = self._learning()
        for name, module in (("adapter", self.adapter), ("centroids", self.centroids)):
            module.requires_grad_(name in learning)
        losses = []
        stage = 1 if self.epoch < self._first else 2
        total = self._last * len(self._steps)
        for step, patches in enumerate(self._steps):
            loss = self._loss_of(patches, stage)
            if not torch.isfinite(loss):
                raise TrainingError(
                    "loss-diverged-anomnet",
                    "The loss is not a number any more (epoch {epoch}, step {step}). Lower the learning rates.",
                    hint="With: --set anomnet.centroid_rate=... --set train.adapter_rate=...",
                    epoch=self.epoch + 1,
                    step=step + 1,
                )
            for name in learning:
                self._optimisers[name].zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            for name in learning:
                self._optimisers[name].step()
            losses.append(float(loss.detach()))
            if step % 10 == 0:
                done = self.epoch * len(self._steps) + step
                report(done, total, f"epoch {self.epoch + 1}, stage {stage}, loss {np.mean(losses):.4f}", None)
        held = self._held_back()
        self.history.append(
            {"epoch": self.epoch + 1, "stage": stage, "loss": float(np.mean(losses)), "held_back_attraction": held}
        )
        self.epoch += 1
        self._remember()
        if self.is_done:
            report(total, total, f"loss {np.mean(losses):.4f}", None)

    def finish(self, calibrations: Sequence[FabricCalibration], medians: Tensor) -> AnomNetDetector:
        """See ``DetectorTraining.finish``."""
        return AnomNetDetector(
            self._material.extractor, self.adapter, self.centroids, self.means, self._config, calibrations, medians,
            self._device, evolution=self.evolution,
        )  # fmt: skip

    @classmethod
    def warnings(cls, config: CrasConfig) -> list[str]:
        """See ``DetectorTraining.warnings``."""
        epochs, mine = config.train.epochs, config.anomnet
        if mine.stages == "one" or epochs > mine.first_stage:
            return []
        return [f"all {epochs} epochs went to the first stage (anomnet.first_stage), the second had none"]

    def state(self) -> HeadState:
        """See ``DetectorTraining.state``."""
        tensors = {f"adapter.{k}": v for k, v in self.adapter.state_dict().items()}
        tensors["centroids"] = self.centroids.vectors
        tensors |= {f"evolution.{epoch}": v for epoch, v in self.evolution.items()}
        for name, optimiser in self._optimisers.items():
            moments = optimiser.state_dict()["state"]
            tensors |= {f"optimiser.{name}.{k}.{m}": v for k, named in moments.items() for m, v in named.items()}
        tensors["random"] = torch.get_rng_state()
        values = {"epoch": self.epoch, "history": self.history, "random": self._rng.bit_generator.state}
        return HeadState({k: v.detach().cpu().clone().contiguous() for k, v in tensors.items()}, values)

    def restore(self, kept: HeadState) -> None:
        """See ``DetectorTraining.restore``."""
        tensors, values = kept.tensors, kept.values
        self.adapter.load_state_dict(part(tensors, "adapter."))
        self.centroids.load_state_dict({"vectors": tensors["centroids"]})
        self.evolution = {int(epoch): v for epoch, v in part(tensors, "evolution.").items()}
        for name, optimiser in self._optimisers.items():
            moments: dict[int, dict[str, Tensor]] = {}
            for key, value in part(tensors, f"optimiser.{name}.").items():
                k, moment = key.split(".")
                moments.setdefault(int(k), {})[moment] = value
            optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
        self.epoch, self.history = int(values["epoch"]), list(values["history"])
        self._rng.bit_generator.state = values["random"]
        torch.set_rng_state(tensors["random"])

    def _means(self) -> Tensor:
        """(F, D) mean of the normalised vectors of each fabric."""
        extractor = self._material.extractor
        raw = torch.stack([f.total / f.count for f in self._material.features]).float()
        return (raw.to(self._device) - extractor.mean) / extractor.std

    @torch.no_grad()
    def _start(self) -> CentroidSets:
        """The centroids before training."""
        config, seen = self._config.anomnet, self._material.seen
        is_shared = config.sharing == "shared"
        share = -(-config.centroids // len(seen)) if is_shared else config.centroids
        samples = [v.sample(share, self._rng) for v in seen]
        cloth = torch.stack([self.adapter(s.vectors, s.places) for s in samples])  # (F, share, D)
        means = self.adapter.linear(self.means)
        if is_shared:
            means, cloth = means.mean(dim=0, keepdim=True), cloth.transpose(0, 1).flatten(0, 1)[None]
        return CentroidSets.around(means, cloth[:, : config.centroids], config.start_spread).to(self._device)

    def _remember(self) -> None:
        if self.epoch in (0, self._first // 2, self._first):
            self.evolution[self.epoch] = self.centroids.vectors.detach().cpu().half()

    def _learning(self) -> list[str]:
        """What learns in this epoch."""
        if self._config.anomnet.stages == "one":
            return ["adapter", "centroids"] if self._config.heads.adapter else ["centroids"]
        return ["centroids"] if self.epoch < self._first else ["adapter"]

    def _loss_of(self, patches: Sequence[tuple[int, Patches]], stage: int) -> Tensor:
        """Eq. 11: the loss of a step."""
        config = self._config.anomnet
        is_single = config.stages == "one"
        u, squared, label = self._compared(patches)
        attraction = squared.mean() / u.shape[1]
        if stage == 1:
            sets = self.centroids.vectors
            loss = config.attraction * attraction
            if config.separation:
                loss = loss + config.separation * torch.stack([separation(c, config.threshold) for c in sets]).mean()
            if config.entropy:
                loss = loss + config.entropy * torch.stack([entropy(c) for c in sets]).mean()
        else:
            loss = config.attraction_two * attraction
        if config.contrast and (stage == 2 or is_single):
            chosen = torch.from_numpy(self._rng.permutation(len(u))[: config.pair_vectors]).to(u.device)
            loss = loss + config.contrast * contrast(u[chosen], label[chosen], config.margin)
        return loss

    def _compared(self, patches: Sequence[tuple[int, Patches]]) -> tuple[Tensor, Tensor, Tensor]:
        """Adapted vectors of all fabrics, (N, D), their squared distances to their nearest centroids, (N,), and the
        numbers of these, (N,) int64, different for different sets.
        """
        us, squares, labels = [], [], []
        for k, some in patches:
            u = self.adapter(some.vectors, some.places)
            squared, index = nearest_squared(u, self.centroids.of(k))
            us.append(u)
            squares.append(squared)
            labels.append(index + self.centroids.set_of(k) * self._config.anomnet.centroids)
        return torch.cat(us), torch.cat(squares), torch.cat(labels)

    @torch.no_grad()
    def _held_back(self) -> float:
        """Eq. 5 on held-back normal vectors, the same in every epoch. Raises TrainingError where it is not a number."""
        rng = np.random.default_rng([self._config.train.seed, 2])
        patches = [(k, v.sample(min(len(v), VALIDATION_PATCHES), rng)) for k, v in enumerate(self._material.held)]
        u, squared, _ = self._compared(patches)
        attraction = float(squared.mean()) / u.shape[1]
        if not math.isfinite(attraction):
            raise TrainingError(
                "loss-diverged-on-held-out",
                "The loss on held-out cloth is not a number any more (epoch {epoch}). Lower the learning rates.",
                hint="With: --set anomnet.centroid_rate=... --set train.adapter_rate=...",
                epoch=self.epoch + 1,
            )
        return attraction
