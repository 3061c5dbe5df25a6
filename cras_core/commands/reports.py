"""Commands that show how a model behaves on test data: under disturbances, and in pictures."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cras_core.commands.terminal import (
    Bits,
    DataName,
    Device,
    JsonFile,
    Precision,
    SkipCorrupt,
    console,
    progress_bar,
    show_table,
)
from cras_core.errors import CrasError
from cras_core.files import write_json

Bundle = Annotated[Path, typer.Argument(help="A bundle.")]
Known = Annotated[bool, typer.Option(help="The fabric of a strip is given; --no-known lets it be matched.")]


def robustness(
    bundle: Bundle,
    data: Annotated[Path, typer.Argument(help="Pictures with masks in MVTec layout, or strips with masks.")],
    json_file: JsonFile = None,
    dataset: DataName = None,
    skip_corrupt: SkipCorrupt = False,
    bits: Bits = None,
    seed: Annotated[int, typer.Option(help="Every disturbance of every picture follows from it.", min=0)] = 0,
    known: Known = True,
    device: Device = "auto",
    precision: Precision = "float32",
) -> None:
    """Judge a model on disturbed test data, beside table VII of the paper."""
    from cras_core.data.datasets import open_data_set
    from cras_core.evaluation.robustness import robustness as run
    from cras_core.loading import load_detector

    detector = load_detector(bundle, device, precision)
    place = open_data_set(data, dataset, skip_corrupt=skip_corrupt, bits=bits)
    tasks: dict[str, Any] = {}
    with progress_bar() as bar:

        def told(name: str, path: Path, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total, message="")
            bar.update(tasks[name], completed=done, message=path.name)

        report = run(detector, place, seed, told, known=known)
    show_table(_robustness_table(report))
    for remark in report["remarks"]:
        console.print(f"[yellow]{escape(remark)}[/yellow]", soft_wrap=True)
    if json_file is not None:
        write_json(json_file, report)


def _robustness_table(report: dict[str, Any]) -> Table:
    plain = report["figures"]["undisturbed"]
    rates = list(plain.get("recall_per_strip", {}))
    names = [n for n in ("i_auroc", "p_auroc", "p_ap", "aupro") if n in plain]
    table = Table(
        "disturbance",
        *(f"{r}/strip" for r in rates),
        *(n.upper().replace("_", "-") for n in names),
        "paper, MVTec AD: I / P-AUROC",
        caption="Below the undisturbed figures: their change in percentage points.",
    )
    flat = [*(plain["recall_per_strip"][r] for r in rates), *(plain[n] for n in names)]
    table.add_row("undisturbed", *(f"{v:.3f}" for v in flat), "98.3 / 98.0")
    for name, published in report["published"].items():
        paper = "{:+.1f} / {:+.1f}".format(*published)
        change = report["change"].get(name)
        if change is None:
            table.add_row(f"+ {name}", *("–" for _ in flat), paper)
            continue
        values = [*(change["recall_per_strip"][r] for r in rates), *(change[n] for n in names)]
        label = "mean change" if name == "mean" else f"+ {name}"
        table.add_row(label, *(f"{100 * v:+.1f}" for v in values), paper)
    if any(figures is None for figures in report["figures"].values()):
        table.caption = f"{table.caption} A strip is not turned: its ends would leave the picture."
    return table


def figures(
    bundle: Bundle,
    data: Annotated[Path, typer.Argument(help="Pictures with masks in MVTec layout, or strips with masks.")],
    out: Annotated[Path, typer.Option(help="Folder for the pictures; created where it is missing.")] = Path("figures"),
    dataset: DataName = None,
    skip_corrupt: SkipCorrupt = False,
    bits: Bits = None,
    projection: Annotated[str, typer.Option(help="Features on paper: tsne or pca.")] = "tsne",
    rows: Annotated[int, typer.Option(help="Pictures on each sheet.", min=1, max=20)] = 4,
    vectors: Annotated[int, typer.Option(help="Most normal, and most anomalous patches of a fabric.", min=10)] = 300,
    recall: Annotated[
        list[Path] | None, typer.Option(help="A report of evaluate-web to draw; may be given again for more.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Every random choice follows from it.", min=0)] = 0,
    known: Known = True,
    min_max: Annotated[
        bool, typer.Option("--min-max", help="Colour every map from its own least to its own greatest score.")
    ] = False,
    device: Device = "auto",
) -> None:
    """Draw features, sheets of test pictures with heat maps, scores and recall (the paper's figures 4, 6 and 7)."""
    if importlib.util.find_spec("matplotlib") is None:
        raise CrasError(
            "matplotlib-missing",
            "Figures need matplotlib, which is not installed.",
            hint="Install it: pip install matplotlib",
        )
    from cras_core.data.datasets import open_data_set
    from cras_core.evaluation.plots import PlotOptions, write_plots
    from cras_core.loading import load_detector

    options = PlotOptions(projection, rows, vectors, tuple(recall or ()), seed, known, min_max)
    detector = load_detector(bundle, device)
    place = open_data_set(data, dataset, skip_corrupt=skip_corrupt, bits=bits)
    tasks: dict[str, Any] = {}
    with progress_bar() as bar:

        def told(stage: str, done: int, total: int, message: str) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total, message="")
            bar.update(tasks[stage], completed=done, total=total, message=message)

        written = write_plots(detector, place, out, options, told)
    for path in written:
        console.print(escape(str(path)), highlight=False, soft_wrap=True)
