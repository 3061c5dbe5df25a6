"""How fast the detector is, side by side with plainer things in one run: machines are noisy, ratios less so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from cras_core.detectors.trained import TrainedDetector
from cras_core.features.backbone import load_backbone
from cras_core.features.tensors import to_images
from cras_core.web.canvas import WebConfig
from cras_core.web.regions import RegionConfig, RegionTracker
from cras_core.web.scoring import WebInspection


@dataclass(frozen=True, slots=True)
class Speed:
    """Tiles per second of one thing.

    Attributes:
        name: what was timed.
        tiles_per_s: median over the rounds.
        ratio: to the first thing of the benchmark, the plain backbone.
    """

    name: str
    tiles_per_s: float
    ratio: float


def benchmark(
    detector: TrainedDetector, batch: int, rounds: int, on_round: Callable[[int], None] = lambda _: None
) -> list[Speed]:
    """Times, in alternating rounds on random tiles of the model's tile size:

    - the backbone as timm builds it;
    - the backbone as it is used here, folded;
    - the whole detector, ``Detector.score_tiles``;
    - the whole line: edges, tiles, detector, stitching, baseline, regions.
    """
    side = detector.config.tiling.tile_px
    rng = np.random.default_rng(0)
    tiles = rng.integers(0, 256, (batch, side, side), dtype=np.uint8)
    images = to_images(tiles, detector.device)
    chunk = batch if detector.device.type == "cuda" else 1
    folded = detector.extractor.backbone
    plain = load_backbone(detector.config.backbone, folded=False).to(detector.device)
    plain.precision = folded.precision
    web = rng.integers(90, 130, (detector.config.tiling.step_px, side * batch), dtype=np.uint8)
    line = _Line(detector)
    line.run(web)  # the first band waits for the lines of its halo

    def run_backbone(backbone: torch.nn.Module) -> int:
        with torch.inference_mode():
            for i in range(0, batch, chunk):
                backbone(images[i : i + chunk])
        if detector.device.type == "cuda":
            torch.cuda.synchronize()
        return batch

    def run_detector() -> int:
        detector.score_tiles(tiles, 0)
        return batch

    runs: dict[str, Callable[[], int]] = {
        f"{detector.config.backbone.name} as timm builds it": lambda: run_backbone(plain),
        "the same, folded": lambda: run_backbone(folded),
        "whole detector": run_detector,
        "whole line": lambda: line.run(web),
    }
    for run in runs.values():
        run()
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for done in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            count = run()
            rates[name].append(count / (time.perf_counter() - started))
        on_round(done + 1)
    median = {name: float(np.median(values)) for name, values in rates.items()}
    first = next(iter(median.values()))
    return [Speed(name, value, value / first) for name, value in median.items()]


class _Line:
    """A web without end and without camera."""

    def __init__(self, detector: TrainedDetector) -> None:
        config = detector.config
        self._web = WebInspection(detector, WebConfig(config.tiling, config.edges, config.reference, fabric=0))
        self._tracker = RegionTracker(
            RegionConfig(threshold=1e6, is_relative=False)
        )  # noise is no cloth: its regions would take the time

    def run(self, image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> int:
        tiles = 0
        for rows in self._web.push(image):
            self._tracker.push(rows.score, rows.raw)
            tiles += rows.tiles
        return tiles
