"""How fast the detector is, side by side with the bare backbone in one run; on a shared machine only the ratio means
something.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from cras_core.inspector import Inspector, to_images


@dataclass(frozen=True, slots=True)
class Speed:
    """Tiles per second, medians over alternating rounds."""

    inspector: float
    backbone: float

    @property
    def ratio(self) -> float:
        """What is left of the backbone's speed when everything else is done as well."""
        return self.inspector / self.backbone


def benchmark(inspector: Inspector, batch: int, rounds: int, on_round: Callable[[int], None] = lambda _: None) -> Speed:
    """Times scoring of random tiles of the model's tile size against the backbone alone on the same tiles."""
    side = inspector.config.tiling.tile_px
    tiles = np.random.default_rng(0).integers(0, 256, (batch, side, side), dtype=np.uint8)
    images = to_images(tiles, inspector.device)
    backbone = inspector.model.extractor.backbone

    @torch.inference_mode()
    def plain() -> None:
        size = 1 if inspector.device.type == "cpu" else batch
        for i in range(0, batch, size):
            backbone(images[i : i + size])
        if inspector.device.type == "cuda":
            torch.cuda.synchronize()

    def whole() -> None:
        inspector.cells(tiles, 0)

    plain()
    whole()
    times: tuple[list[float], list[float]] = ([], [])
    for done in range(rounds):
        for run, kept in ((whole, times[0]), (plain, times[1])):
            started = time.perf_counter()
            run()
            kept.append(time.perf_counter() - started)
        on_round(done + 1)
    return Speed(batch / float(np.median(times[0])), batch / float(np.median(times[1])))
