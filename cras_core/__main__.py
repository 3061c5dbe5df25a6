"""The command line of the detector: train, evaluate, show, benchmark."""

from __future__ import annotations

import json
import math
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from cras_core.config import PRESETS, CrasConfig, with_settings
from cras_core.errors import ConfigError, CrasError
from cras_core.files import write_atomically

if TYPE_CHECKING:
    from cras_core.train import OnProgress
    from cras_core.train import Progress as Step

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train and judge detectors of defects in cloth.",
)
console = Console(stderr=True)

Preset = Annotated[str, typer.Option(help=f"One of {', '.join(PRESETS)}.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Any other setting, as section.name=value.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Precision = Annotated[str, typer.Option(help="What the backbone computes in: float32, bfloat16 or float16.")]


@app.command()
def train(
    data: Annotated[
        Path, typer.Argument(help="Folder of fabrics: <fabric>/normal (strips) or <fabric>/train/good (tiles).")
    ],
    out: Annotated[Path, typer.Option(help="The bundle to write.")] = Path("fabrics.cras"),
    preset: Preset = "cloth",
    backbone: Annotated[str | None, typer.Option(help="Any timm network with features_only.")] = None,
    weights: Annotated[str | None, typer.Option(help="hub, package:NAME, or a file.")] = None,
    seed: Annotated[int, typer.Option(help="Everything random follows from it.")] = 0,
    epochs: Annotated[int | None, typer.Option(help="Most passes over the features.")] = None,
    false_alarms_per_m2: Annotated[
        float | None, typer.Option(help="Wanted false alarms per square metre of good cloth.")
    ] = None,
    mm_per_px: Annotated[
        float | None, typer.Option(help="Size of a pixel of the training pictures, millimetres.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew where a training was cut off.")] = False,
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Train one model for all fabrics of a data set. One that was cut off goes on when the command is given again."""
    from cras_core.bundle import write_bundle
    from cras_core.data import find_normal_images
    from cras_core.train import train as run

    config = _config(
        preset,
        settings,
        {
            "backbone.name": backbone,
            "backbone.weights": weights,
            "train.seed": seed,
            "train.epochs": epochs,
            "calibration.false_alarms_per_m2": false_alarms_per_m2,
            "calibration.mm_per_px": mm_per_px,
        },
    )
    normal = find_normal_images(data)
    _check_place(out)
    console.print(f"{len(normal)} fabrics, {sum(len(n.paths) for n in normal)} pictures of normal cloth")
    checkpoint = out.with_name(f"{out.name}.training")
    if checkpoint.exists():
        if fresh:
            shutil.rmtree(checkpoint)
        else:
            console.print(escape(f"Going on with what {checkpoint} holds of these pictures (--fresh begins anew)"))
    with _bar() as bar:
        bundle = run(normal, config, device, _stages(bar), checkpoint=checkpoint)
    write_bundle(bundle, out)
    shutil.rmtree(checkpoint, ignore_errors=True)
    for warning in bundle.provenance["warnings"]:
        console.print(f"[yellow]{escape(warning)}[/yellow]")
    seconds = bundle.provenance["seconds"]
    console.print(escape(f"{out}: model {bundle.identity}, {', '.join(bundle.fabrics)}, trained in {seconds:.0f} s"))


@app.command()
def evaluate(
    bundle: Annotated[Path, typer.Argument(help="A bundle.")],
    data: Annotated[Path, typer.Argument(help="Data set in MVTec layout with test and ground_truth.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here as well.")] = None,
    device: Device = "auto",
) -> None:
    """Judge a model on pictures with masks."""
    from cras_core.evaluate import evaluate as run
    from cras_core.inspector import Inspector

    inspector = Inspector.load(bundle, device)
    with _bar() as bar:
        task = bar.add_task("evaluate", total=None, message="")
        report = run(
            inspector, data, lambda path, done, total: bar.update(task, completed=done, total=total, message=path.name)
        )
    names = ("i_auroc", "i_ap", "i_f1_max", "p_auroc", "p_ap", "p_f1_max", "aupro", "matched")
    table = Table("fabric", "I-AUROC", "I-AP", "I-F1", "P-AUROC", "P-AP", "P-F1", "AUPRO", "matched")
    for name, figures in [*report["fabrics"].items(), ("mean", report["mean"])]:
        table.add_row(escape(name), *(f"{figures[k]:.3f}" for k in names))
    _show(table)
    if json_file is not None:
        _write(json_file, report)


@app.command("evaluate-web")
def evaluate_web(
    bundle: Annotated[Path, typer.Argument(help="A bundle.")],
    strips: Annotated[Path, typer.Argument(help="Strips with masks: <fabric>/defect and <fabric>/mask.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here as well.")] = None,
    known: Annotated[bool, typer.Option(help="The fabric of a strip is given; --no-known lets it be matched.")] = True,
    device: Device = "auto",
    precision: Precision = "float32",
) -> None:
    """Judge a model on strips of web: recall of defects at fixed false alarms."""
    from cras_core.evaluate_web import evaluate_web as run
    from cras_core.inspector import Inspector

    inspector = Inspector.load(bundle, device, precision)
    with _bar() as bar:
        task = bar.add_task("evaluate", total=None, message="")
        report = run(
            {bundle.name: inspector},
            strips,
            lambda path, done, total: bar.update(task, completed=done, total=total, message=path.name),
            known=known,
        )[bundle.name]
    _show(_web_table({**report["fabrics"], "all": report["all"]}, "fabric"))
    if json_file is not None:
        _write(json_file, report)


@app.command()
def compare(
    data: Annotated[Path, typer.Argument(help="Fabrics to train on, each with normal, defect and mask.")],
    strips: Annotated[Path | None, typer.Option(help="Strips with masks, where they are not in DATA.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here as well.")] = None,
    seeds: Annotated[int, typer.Option(help="How many seeds, from 0.", min=1)] = 1,
    preset: Preset = "cloth",
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Train CRAS and its baselines on the same cloth and judge them on the same strips."""
    from cras_core.compare import compare as run
    from cras_core.data import find_normal_images

    config = _config(preset, settings, {})
    normal = find_normal_images(data)
    with _bar() as bar:
        on_progress = _stages(bar)
        task = bar.add_task("evaluate", total=None, message="")
        report = run(
            normal,
            strips or data,
            config,
            range(seeds),
            device,
            on_progress,
            lambda path, done, total: bar.update(task, completed=done, total=total, message=path.name),
        )
    figures = ("p_auroc", "p_ap", "aupro")
    rates = next(iter(report["summary"].values()))["recall_per_strip"]
    table = Table("method", *(f"{r}/strip" for r in rates), "P-AUROC", "P-AP", "AUPRO")
    table.caption = f"Recall of defects at so many false alarms per strip; mean and spread of {seeds} seeds."
    for name, row in report["summary"].items():
        values = [*row["recall_per_strip"].values(), *(row[f] for f in figures)]
        table.add_row(name, *(f"{v['mean']:.3f} ± {v['spread']:.3f}" for v in values))
    _show(table)
    if json_file is not None:
        _write(json_file, report)


@app.command()
def ablate(
    data: Annotated[Path, typer.Argument(help="Fabrics with normal pictures, and pictures or strips with masks.")],
    table: Annotated[
        str, typer.Option(help="components, ratio, features, neighbourhood, levels, beta, prototypes or drawn.")
    ] = "components",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here as well.")] = None,
    preset: Preset = "cloth",
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Measure the paper's ablations on your data, beside the paper's figures on MVTec AD."""
    from cras_core.ablate import ablate as run
    from cras_core.data import find_normal_images
    from cras_core.evaluate_web import RATES_PER_STRIP

    normal = find_normal_images(data)
    with _bar() as bar:
        rows = run(table, normal, data, _config(preset, settings, {}), device, _stages(bar), console.print)
    on_web = normal[0].are_strips
    names = ("p_auroc", "p_ap", "aupro") if on_web else ("i_auroc", "p_auroc", "p_ap", "aupro")
    rates = tuple(map(str, RATES_PER_STRIP)) if on_web else ()
    shown = Table(table, *(f"{r}/strip" for r in rates), *names, "paper, MVTec AD: I / P-AUROC")
    for row in rows:
        published = "{:.1f} / {:.1f}".format(*row["published"]) if row["published"] else ""
        figures = row["figures"]
        if figures is None:
            shown.add_row(row["name"], *("–" for _ in (*rates, *names)), published)
            console.print(escape(f"{row['name']}: {row['impossible']}"))
            continue
        values = [*(figures["recall_per_strip"][r] for r in rates), *(figures[n] for n in names)]
        shown.add_row(row["name"], *(f"{v:.3f}" for v in values), published)
    _show(shown)
    if json_file is not None:
        _write(json_file, rows)


def _config(preset: str, settings: list[str] | None, chosen: dict[str, object | None]) -> CrasConfig:
    """A preset with what the command line says on top."""
    if preset not in PRESETS:
        raise ConfigError(f"there is no preset {preset!r}; known are {', '.join(PRESETS)}")
    assignments = {k: json.dumps(v) for k, v in chosen.items() if v is not None}
    for setting in settings or []:
        name, separator, value = setting.partition("=")
        if not separator:
            raise ConfigError(f"--set takes section.name=value, not {setting!r}")
        assignments[name] = value
    return with_settings(PRESETS[preset](), assignments)


def _stages(bar: Progress) -> OnProgress:
    """A line of the progress display for every stage of training."""
    from cras_core.train import STAGES

    tasks = {stage: bar.add_task(stage, total=None, start=False, message="") for stage in STAGES}

    def on_progress(step: Step) -> None:
        bar.start_task(tasks[step.stage])
        message = Path(step.message).name if step.stage != "training" else step.message
        bar.update(tasks[step.stage], completed=step.done, total=step.total, message=message)

    return on_progress


def _web_table(rows: dict[str, dict[str, Any]], first: str) -> Table:
    """Recall of defects, a row each."""
    rates = next(iter(rows.values()))["recall_per_strip"]
    pixel = ("p_auroc", "p_ap", "aupro", "defect_inspected", "matched")
    table = Table(
        first, "defects", *(f"{r}/strip" for r in rates), "P-AUROC", "P-AP", "AUPRO", "inspected", "matched",
        caption="Recall of defects at so many false alarms per strip; inspected: share of the defects' pixels that lie "
        "on inspected cloth.",
    )  # fmt: skip
    for name, figures in rows.items():
        recalls = (f"{r:.3f}" for r in figures["recall_per_strip"].values())
        table.add_row(escape(name), str(figures["defects"]), *recalls, *(f"{figures[k]:.3f}" for k in pixel))
    return table


@app.command()
def show(bundle: Annotated[Path, typer.Argument(help="A bundle.")]) -> None:
    """Show what is in a bundle."""
    from cras_core.bundle import read_bundle

    content = read_bundle(bundle)
    Console().print_json(
        json.dumps(
            {
                "model": content.identity,
                "fabrics": [{f: getattr(c, f) for f in c.__slots__} for c in content.calibrations],
                "config": content.config.to_dict(),
                "weights_hash": content.weights_hash,
                "provenance": content.provenance,
            }
        )
    )


@app.command()
def benchmark(
    bundle: Annotated[Path, typer.Argument(help="A bundle.")],
    batch: Annotated[int, typer.Option(help="Tiles in a batch.", min=1)] = 8,
    rounds: Annotated[int, typer.Option(help="Rounds; the median counts.", min=1)] = 5,
    device: Device = "auto",
    precision: Precision = "float32",
) -> None:
    """Time the line and the detector beside the bare backbone."""
    from cras_core.benchmark import benchmark as run
    from cras_core.inspector import Inspector

    inspector = Inspector.load(bundle, device, precision)
    table = Table("", f"tiles of {inspector.config.tiling.tile_px} px per second", "ratio")
    for speed in run(inspector, batch, rounds):
        table.add_row(speed.name, f"{speed.tiles_per_s:.1f}", f"{speed.ratio:.2f}")
    _show(table)


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[message]}", markup=False),
    )
    return Progress(*columns, console=console)


def _show(table: Table) -> None:
    """Prints a table, whole also where it goes to a file."""
    screen = Console()
    (screen if screen.is_terminal else Console(width=max(160, screen.width))).print(table)


def _write(path: Path, figures: Any) -> None:
    """Writes figures as JSON, with null where there is none."""
    try:
        write_atomically(path, (json.dumps(_without_nan(figures), indent=2) + "\n").encode())
    except OSError as error:
        raise CrasError(f"{path} cannot be written: {error.strerror or error}") from error


def _without_nan(figures: Any) -> Any:
    if isinstance(figures, dict):
        return {key: _without_nan(value) for key, value in figures.items()}
    if isinstance(figures, (list, tuple)):
        return [_without_nan(value) for value in figures]
    return None if isinstance(figures, float) and math.isnan(figures) else figures


def _check_place(path: Path) -> None:
    """Finds out before hours of work whether a file can be written. Raises CrasError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise CrasError(f"{path} cannot be written: {error.strerror or error}. Choose another place.") from error
    if path.is_dir():
        raise CrasError(f"{path} is a folder; name a file.")


def main() -> None:
    """Runs the command line; a user's mistake is one line and exit status 2."""
    try:
        app()
    except CrasError as error:
        console.print(f"[red]Error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        console.print("Stopped.")
        sys.exit(130)


if __name__ == "__main__":
    main()
