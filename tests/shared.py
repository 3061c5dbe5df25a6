"""What is made once for a whole run of the tests, whichever of its processes asks for it first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from cras_core.config.settings import CrasConfig
from cras_core.data.values import NormalImages
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import Bundle, read_bundle, write_bundle
from cras_core.training.train import train

SMALL = {
    "backbone.input_scale": "1.0",
    "train.epochs": "6",
    "train.patches_per_epoch": "20000",
    "synthesis.drawn_tiles": "4",
    "centers.prototypes": "24",
}
"""Settings that train in seconds."""

TINY_ANOMNET = {
    "backbone.input_scale": "1.0",
    "heads.detector": '"anomnet"',
    "train.patches_per_epoch": "8000",
    "train.epochs": "5",
    "anomnet.first_stage": "3",
    "anomnet.centroids": "8",
}
"""Settings with which AnomNet trains in seconds."""


class Shared:
    """A folder that all processes of one run see."""

    def __init__(self, factory: pytest.TempPathFactory, worker: str | None) -> None:
        """``worker``: of pytest-xdist, whose processes have folders of their own below a common one; None without."""
        own = factory.getbasetemp()
        self._folder = (own if worker is None else own.parent) / "shared"
        self._folder.mkdir(exist_ok=True)

    def folder(self, name: str, fill: Callable[[Path], object]) -> Path:
        """A folder that ``fill`` fills where nobody has yet."""
        path, done = self._folder / name, self._folder / f"{name}.done"
        with FileLock(f"{path}.lock"):
            if not done.exists():
                path.mkdir()
                fill(path)
                done.touch()
        return path

    def model_file(self, normal: Sequence[NormalImages], config: CrasConfig) -> Path:
        """A bundle that was really trained on these pictures with these settings."""
        pictures = [[n.fabric, [hashlib.sha256(p.read_bytes()).hexdigest() for p in n.paths]] for n in normal]
        name = hashlib.sha256(json.dumps([pictures, config.to_dict()], sort_keys=True).encode()).hexdigest()[:16]
        path = self._folder / f"{name}.cras"
        with FileLock(f"{path}.lock"):
            if not path.exists():
                write_bundle(train(normal, config, "cpu"), path)
        return path

    def model(self, normal: Sequence[NormalImages], config: CrasConfig) -> Bundle:
        """The same, read."""
        return read_bundle(self.model_file(normal, config))


def copy_strips(loom: Path, root: Path, weave: str, count: int, lines: int = 256) -> None:
    """The first strips with defects of a weave, cut to so many lines around what their masks show: enough to judge a
    model by, in half of the time.
    """
    for part in ("defect", "mask"):
        (root / weave / part).mkdir(parents=True)
    for path in list_images(loom / weave / "mask")[:count]:
        mask = read_image(path)
        first = int(np.flatnonzero(mask.any(axis=1))[0])
        top = min(max(0, first - lines // 4), len(mask) - lines)
        for part in ("defect", "mask"):
            picture = read_image(loom / weave / part / path.name)[top : top + lines]
            Image.fromarray(picture).save(root / weave / part / path.name)
