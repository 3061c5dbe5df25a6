"""The commands that show a model and time it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cras_core.commands.terminal import (
    Device,
    Precision,
    show_table,
)


def show(bundle: Annotated[Path, typer.Argument(help="A bundle.")]) -> None:
    """Show what is in a bundle."""
    from cras_core.registry.bundle import read_bundle

    content = read_bundle(bundle)
    Console().print_json(
        json.dumps(
            {
                "model": content.identity,
                "detector": content.config.heads.detector,
                "fabrics": [asdict(c) for c in content.calibrations],
                "config": content.config.to_dict(),
                "weights_hash": content.weights_hash,
                "provenance": content.provenance,
            }
        )
    )


def benchmark(
    bundle: Annotated[Path, typer.Argument(help="A bundle.")],
    batch: Annotated[int, typer.Option(help="Tiles in a batch.", min=1)] = 8,
    rounds: Annotated[int, typer.Option(help="Rounds; the median counts.", min=1)] = 5,
    device: Device = "auto",
    precision: Precision = "float32",
) -> None:
    """Time the line and the detector beside the bare backbone."""
    from cras_core.evaluation.benchmark import benchmark as run
    from cras_core.loading import load_detector

    detector = load_detector(bundle, device, precision)
    table = Table("", f"tiles of {detector.config.tiling.tile_px} px per second", "ratio")
    for speed in run(detector, batch, rounds):
        table.add_row(speed.name, f"{speed.tiles_per_s:.1f}", f"{speed.ratio:.2f}")
    show_table(table)
