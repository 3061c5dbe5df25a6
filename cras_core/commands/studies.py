"""The commands that set methods and settings side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cras_core.commands.options import (
    Preset,
    Settings,
    check_test_images,
    chosen_config,
    normal_images,
    progress_task,
    training_stages,
)
from cras_core.commands.tables import methods_table
from cras_core.commands.terminal import (
    Bits,
    DataName,
    Device,
    JsonFile,
    SkipCorrupt,
    console,
    progress_bar,
    remark,
    show_table,
)
from cras_core.files import write_json


def compare(
    data: Annotated[Path, typer.Argument(help="Fabrics with normal pictures, and strips or pictures with masks.")],
    strips: Annotated[Path | None, typer.Option(help="What to judge on, where it is not in DATA.")] = None,
    json_file: JsonFile = None,
    seeds: Annotated[int, typer.Option(help="How many seeds, from 0.", min=1)] = 1,
    preset: Preset = "cloth",
    dataset: DataName = None,
    skip_corrupt: SkipCorrupt = False,
    bits: Bits = None,
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Train CRAS, AnomNet and the baselines on the same cloth and judge them on the same strips or pictures."""
    from cras_core.data.datasets import open_data_set
    from cras_core.studies.methods import compare as run

    config = chosen_config(preset, settings, {})
    place = open_data_set(data, dataset, skip_corrupt=skip_corrupt, bits=bits)
    judged = place if strips is None else open_data_set(strips, dataset, skip_corrupt=skip_corrupt, bits=bits)
    normal = normal_images(place)
    check_test_images(judged, normal)
    with progress_bar() as bar:
        report = run(normal, judged, config, range(seeds), device, training_stages(bar), progress_task(bar, "evaluate"))
    show_table(methods_table(report["summary"], seeds))
    first = next(iter(next(iter(report["seeds"].values())).values()))
    remark(first["remarks"])
    if json_file is not None:
        write_json(json_file, report)


def ablate(
    data: Annotated[Path, typer.Argument(help="Fabrics with normal pictures, and pictures or strips with masks.")],
    table: Annotated[
        str,
        typer.Option(
            help="components, ratio, features, backbone, neighbourhood, levels, sigma, beta, prototypes or drawn; of "
            "AnomNet: anomnet-stages, anomnet-contrast, anomnet-centroids or anomnet-adapter."
        ),
    ] = "components",
    json_file: JsonFile = None,
    preset: Preset = "cloth",
    dataset: DataName = None,
    skip_corrupt: SkipCorrupt = False,
    bits: Bits = None,
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Measure the paper's ablations on your data, beside the paper's figures on MVTec AD."""
    from cras_core.data.datasets import open_data_set
    from cras_core.evaluation.web_figures import RATES_PER_STRIP
    from cras_core.studies.ablations import ablate as run

    place = open_data_set(data, dataset, skip_corrupt=skip_corrupt, bits=bits)
    normal = normal_images(place)
    check_test_images(place, normal)
    with progress_bar() as bar:
        rows = run(
            table, normal, place, chosen_config(preset, settings, {}), device, training_stages(bar), console.print
        )
    on_web = normal[0].are_strips
    names = ("p_auroc", "p_ap", "aupro") if on_web else ("i_auroc", "p_auroc", "p_ap", "aupro")
    rates = tuple(map(str, RATES_PER_STRIP)) if on_web else ()
    shown = Table(table, *(f"{r}/strip" for r in rates), *names, "paper, MVTec AD: I / P-AUROC")
    for row in rows:
        published = " / ".join("–" if v is None else f"{v:.1f}" for v in row["published"] or ())
        figures = row["figures"]
        if figures is None:
            shown.add_row(row["name"], *("–" for _ in (*rates, *names)), published)
            console.print(escape(f"{row['name']}: {row['impossible']}"))
            continue
        values = [*(figures["recall_per_strip"][r] for r in rates), *(figures[n] for n in names)]
        shown.add_row(row["name"], *(f"{v:.3f}" for v in values), published)
        remark([f"{row['name']}: {remark}" for remark in row["remarks"]])
    show_table(shown)
    if json_file is not None:
        write_json(json_file, rows)
