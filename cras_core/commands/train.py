"""The command that trains."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from cras_core.commands.options import (
    Preset,
    Settings,
    chosen_config,
    normal_images,
    training_stages,
)
from cras_core.commands.terminal import (
    Bits,
    DataName,
    Device,
    SkipCorrupt,
    check_place,
    console,
    progress_bar,
    remark,
)
from cras_core.config.reading import with_settings
from cras_core.config.settings import CrasConfig

if TYPE_CHECKING:
    from cras_core.data.values import NormalImages


def train(
    data: Annotated[
        Path, typer.Argument(help="Folder of fabrics: <fabric>/normal (strips) or <fabric>/train/good (tiles).")
    ],
    out: Annotated[Path, typer.Option(help="The bundle to write.")] = Path("fabrics.cras"),
    preset: Preset = "cloth",
    detector: Annotated[str | None, typer.Option(help="cras (the default) or anomnet.")] = None,
    backbone: Annotated[str | None, typer.Option(help="Any timm network with features_only.")] = None,
    weights: Annotated[str | None, typer.Option(help="hub, package:NAME, or a file.")] = None,
    seed: Annotated[int, typer.Option(help="Everything random follows from it.")] = 0,
    seeds: Annotated[
        int, typer.Option(help="Train so many models, with seeds from --seed on; -seedN follows their names.", min=1)
    ] = 1,
    epochs: Annotated[int | None, typer.Option(help="Most passes over the features.")] = None,
    false_alarms_per_m2: Annotated[
        float | None, typer.Option(help="Wanted false alarms per square metre of good cloth.")
    ] = None,
    mm_per_px: Annotated[
        float | None, typer.Option(help="Size of a pixel of the training pictures, millimetres.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew where a training was cut off.")] = False,
    dataset: DataName = None,
    skip_corrupt: SkipCorrupt = False,
    bits: Bits = None,
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Train one model for all fabrics of a data set. One that was cut off goes on when the command is given again."""
    from cras_core.data.datasets import open_data_set

    config = chosen_config(
        preset,
        settings,
        {
            "heads.detector": detector,
            "backbone.name": backbone,
            "backbone.weights": weights,
            "train.seed": seed,
            "train.epochs": epochs,
            "calibration.false_alarms_per_m2": false_alarms_per_m2,
            "calibration.mm_per_px": mm_per_px,
        },
    )
    place = open_data_set(data, dataset, skip_corrupt=skip_corrupt, bits=bits)
    places = {n: out.with_stem(f"{out.stem}-seed{n}") if seeds > 1 else out for n in range(seed, seed + seeds)}
    for path in places.values():
        check_place(path)
    normal = normal_images(place)
    console.print(f"{len(normal)} fabrics, {sum(len(n.paths) for n in normal)} pictures of normal cloth")
    for mine, path in places.items():
        _train_one(normal, with_settings(config, {"train.seed": str(mine)}), path, device, fresh=fresh)


def _train_one(normal: list[NormalImages], config: CrasConfig, out: Path, device: str, *, fresh: bool) -> None:
    """Trains and writes one bundle, or goes on with what was cut off."""
    from cras_core.registry.bundle import write_bundle
    from cras_core.training.train import train as run

    checkpoint = out.with_name(f"{out.name}.training")
    if checkpoint.exists():
        if fresh:
            shutil.rmtree(checkpoint)
        else:
            console.print(escape(f"Going on with what {checkpoint} holds of these pictures (--fresh begins anew)"))
    with progress_bar() as bar:
        bundle = run(normal, config, device, training_stages(bar), checkpoint=checkpoint)
    write_bundle(bundle, out)
    shutil.rmtree(checkpoint, ignore_errors=True)
    remark(bundle.provenance["warnings"])
    seconds = bundle.provenance["seconds"]
    console.print(escape(f"{out}: model {bundle.identity}, {', '.join(bundle.fabrics)}, trained in {seconds:.0f} s"))
