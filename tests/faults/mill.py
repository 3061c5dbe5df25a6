"""What the programs of the harness work on: strips of the loom, a small model, samples, a history, a roll."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from aoi_app.sources.loom_data import write_data_set
from cras_core.config.presets import cloth
from cras_core.config.reading import with_settings
from cras_core.data.folders import find_normal_images
from cras_core.data.samples.store import SampleStore
from cras_core.data.samples.values import FabricRecord, Sample
from cras_core.images import list_images, read_image
from cras_core.registry.bundle import read_bundle, write_bundle
from cras_core.registry.store import ModelStore
from cras_core.training.fabric_changes import remove_fabric
from cras_core.training.train import train
from tests.faults.running import AOI, run

SMALL = {
    "backbone.input_scale": "1.0",
    "train.epochs": "4",
    "train.patches_per_epoch": "8000",
    "synthesis.drawn_tiles": "4",
    "centers.prototypes": "16",
}
"""Settings that train in seconds."""


@dataclass(frozen=True, slots=True)
class Mill:
    """
    Attributes:
        strips: ``<weave>/normal`` and so on, of three weaves.
        bundle: a small model of two of them.
        library, models: samples, and a history of two models.
        identities: of those.
        preset: of a synthetic camera that is small and slow.
        database: records of one roll.
        small: options of a training that takes seconds.
    """

    strips: Path
    bundle: Path
    library: Path
    models: Path
    identities: tuple[str, ...]
    preset: Path
    database: Path
    small: tuple[str, ...]


def make_mill(folder: Path) -> Mill:
    """Takes half a minute."""
    torch.set_num_threads(1)  # as the programs that it starts: several that wait for each other in busy loops
    strips = folder / "strips"
    write_data_set(strips, strips=4, lines=512, width_px=512, seed=7)
    normal = [n for n in find_normal_images(strips) if n.fabric in ("plain", "twill")]
    store = ModelStore(folder / "models")
    made = train(normal, with_settings(cloth(), SMALL), "cpu")
    identities = [made.identity]
    for other in (made, remove_fabric(made, "twill")):
        store.add(other)
        identities = [*dict.fromkeys([*identities, other.identity])]
    store.promote(identities[0], "the first")
    bundle = folder / "model.cras"
    write_bundle(read_bundle(folder / "models" / f"{identities[0]}.cras"), bundle)
    library = SampleStore(folder / "library")
    for weave in ("plain", "twill"):
        library.begin(FabricRecord(weave))
        for i, path in enumerate(list_images(strips / weave / "normal")):
            strip = read_image(path)
            for top, left in itertools.product((0, 256), (0, 256)):  # a training holds some of them out
                sample = Sample(f"w{i}-{top}-{left}", weave, "collected", f"web-{i}", first_line=top, left_px=left)
                library.add(sample, strip[top : top + 256, left : left + 256])
    preset = folder / "preset.json"
    features = {"Width": 512, "Height": 64, "AcquisitionLineRate": 1000.0}
    listed = [{"name": name, "value": value} for name, value in features.items()]
    preset.write_text(json.dumps({"format": 1, "features": listed}))
    home = folder / "first-roll"
    run([*AOI, "inspect", str(strips / "plain" / "defect"), "--bundle", str(bundle), "--out", "out", "--one-web"], home)
    small = tuple(part for name, value in SMALL.items() for part in ("--set", f"{name}={value}"))
    return Mill(
        strips,
        bundle,
        folder / "library",
        folder / "models",
        tuple(identities),
        preset,
        home / "out" / "records.db",
        small,
    )
