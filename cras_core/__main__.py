"""The command line of the detector: train, evaluate, show, benchmark."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from cras_core.commands import export as export_commands
from cras_core.commands import models as model_commands
from cras_core.commands import reports as report_commands
from cras_core.commands import retrain as retrain_commands
from cras_core.commands import samples as sample_commands
from cras_core.commands.terminal import DataName, Device, JsonFile, Precision, SkipCorrupt, console
from cras_core.commands.terminal import check_place as _check_place
from cras_core.commands.terminal import progress_bar as _bar
from cras_core.commands.terminal import remark as _remark
from cras_core.commands.terminal import show_table as _show
from cras_core.config.presets import PRESETS
from cras_core.config.reading import with_settings
from cras_core.config.settings import CrasConfig
from cras_core.errors import ConfigError, CrasError
from cras_core.files import write_json as _write

if TYPE_CHECKING:
    from collections.abc import Callable

    from cras_core.data.datasets import DataSet
    from cras_core.data.values import NormalImages
    from cras_core.detectors.base import Detector
    from cras_core.training.progress import OnProgress
    from cras_core.training.progress import Progress as Step

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train and judge detectors of defects in cloth.",
)

Preset = Annotated[str, typer.Option(help=f"One of {', '.join(PRESETS)}.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Any other setting, as section.name=value.")]
Bundles = Annotated[
    list[Path], typer.Argument(help="A bundle or its ONNX file; of several the mean and the spread are told.")
]


@app.command()
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
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Train one model for all fabrics of a data set. One that was cut off goes on when the command is given again."""
    from cras_core.data.datasets import open_data_set

    config = _config(
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
    place = open_data_set(data, dataset, skip_corrupt=skip_corrupt)
    places = {n: out.with_stem(f"{out.stem}-seed{n}") if seeds > 1 else out for n in range(seed, seed + seeds)}
    for path in places.values():
        _check_place(path)
    normal = _normal_images(place)
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
    with _bar() as bar:
        bundle = run(normal, config, device, _stages(bar), checkpoint=checkpoint)
    write_bundle(bundle, out)
    shutil.rmtree(checkpoint, ignore_errors=True)
    _remark(bundle.provenance["warnings"])
    seconds = bundle.provenance["seconds"]
    console.print(escape(f"{out}: model {bundle.identity}, {', '.join(bundle.fabrics)}, trained in {seconds:.0f} s"))


@app.command()
def evaluate(
    bundles: Bundles,
    data: Annotated[Path, typer.Argument(help="Data set in MVTec layout with test and ground_truth, or VisA.")],
    json_file: JsonFile = None,
    dataset: DataName = None,
    skip_corrupt: SkipCorrupt = False,
    matching: Annotated[
        str,
        typer.Option(
            "--protocol",
            help="per-picture, or authors-batch-vote: every picture is compared with the fabric that most of its test "
            "batch match, as in the authors' code, and as inspection cannot do.",
        ),
    ] = "per-picture",
    device: Device = "auto",
) -> None:
    """Judge a model, or several seeds of it, on pictures with masks."""
    from cras_core.data.datasets import open_data_set
    from cras_core.evaluation.images import Matching
    from cras_core.evaluation.images import evaluate as run

    inspectors = _open(bundles, device, "float32")
    place = open_data_set(data, dataset, skip_corrupt=skip_corrupt)
    with _bar() as bar:
        reports = {
            name: run(
                inspector,
                place,
                on_check=_task(bar, "check"),
                on_image=_task(bar, "evaluate"),
                matching=cast("Matching", matching),
            )
            for name, inspector in inspectors.items()
        }
    report = _one_report(reports, inspectors, ("fabrics", "mean"))
    shown = report.get("summary", report)
    names = ("i_auroc", "i_ap", "i_f1_max", "p_auroc", "p_ap", "p_f1_max", "aupro", "matched")
    table = Table("fabric", "I-AUROC", "I-AP", "I-F1", "P-AUROC", "P-AP", "P-F1", "AUPRO", "matched")
    for name, figures in [*shown["fabrics"].items(), ("mean", shown["mean"])]:
        table.add_row(escape(name), *(_spelled(figures[k]) for k in names))
    if matching != "per-picture":
        table.title = f"PROTOCOL {matching}: each picture judged by the vote of its test batch"
        table.caption = "As in the authors' code, to compare with their figures; a running web has no test batch."
    _show(table)
    _remark(report["remarks"])
    if json_file is not None:
        _write(json_file, report)


@app.command("evaluate-web")
def evaluate_web(
    bundles: Bundles,
    strips: Annotated[Path, typer.Argument(help="Strips with masks: <fabric>/defect and <fabric>/mask, or AITEX.")],
    json_file: JsonFile = None,
    known: Annotated[bool, typer.Option(help="The fabric of a strip is given; --no-known lets it be matched.")] = True,
    dataset: DataName = None,
    skip_corrupt: SkipCorrupt = False,
    device: Device = "auto",
    precision: Precision = "float32",
) -> None:
    """Judge a model, or several seeds of it, on strips of web: recall of defects at fixed false alarms."""
    from cras_core.data.datasets import open_data_set
    from cras_core.evaluation.webs import evaluate_web as run

    inspectors = _open(bundles, device, precision)
    place = open_data_set(strips, dataset, skip_corrupt=skip_corrupt)
    with _bar() as bar:
        reports = run(inspectors, place, on_check=_task(bar, "check"), on_strip=_task(bar, "evaluate"), known=known)
    report = _one_report(reports, inspectors, ("fabrics", "all"))
    shown = report.get("summary", report)
    _show(_web_table({**shown["fabrics"], "all": shown["all"]}, "fabric"))
    _remark(report["remarks"])
    if json_file is not None:
        _write(json_file, report)


@app.command()
def compare(
    data: Annotated[Path, typer.Argument(help="Fabrics with normal pictures, and strips or pictures with masks.")],
    strips: Annotated[Path | None, typer.Option(help="What to judge on, where it is not in DATA.")] = None,
    json_file: JsonFile = None,
    seeds: Annotated[int, typer.Option(help="How many seeds, from 0.", min=1)] = 1,
    preset: Preset = "cloth",
    dataset: DataName = None,
    skip_corrupt: SkipCorrupt = False,
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Train CRAS, AnomNet and the baselines on the same cloth and judge them on the same strips or pictures."""
    from cras_core.data.datasets import open_data_set
    from cras_core.studies.methods import compare as run

    config = _config(preset, settings, {})
    place = open_data_set(data, dataset, skip_corrupt=skip_corrupt)
    judged = place if strips is None else open_data_set(strips, dataset, skip_corrupt=skip_corrupt)
    normal = _normal_images(place)
    _check_judged(judged, normal)
    with _bar() as bar:
        report = run(normal, judged, config, range(seeds), device, _stages(bar), _task(bar, "evaluate"))
    _show(_methods_table(report["summary"], seeds))
    first = next(iter(next(iter(report["seeds"].values())).values()))
    _remark(first["remarks"])
    if json_file is not None:
        _write(json_file, report)


@app.command()
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
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Measure the paper's ablations on your data, beside the paper's figures on MVTec AD."""
    from cras_core.data.datasets import open_data_set
    from cras_core.evaluation.webs import RATES_PER_STRIP
    from cras_core.studies.ablations import ablate as run

    place = open_data_set(data, dataset, skip_corrupt=skip_corrupt)
    normal = _normal_images(place)
    _check_judged(place, normal)
    with _bar() as bar:
        rows = run(table, normal, place, _config(preset, settings, {}), device, _stages(bar), console.print)
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
        _remark([f"{row['name']}: {remark}" for remark in row["remarks"]])
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


def _normal_images(data: DataSet) -> list[NormalImages]:
    """The pictures to train on, each of them looked at. Raises CrasError."""
    from cras_core.data.integrity import sound_normal

    found = data.normal_images()
    with _bar(transient=True) as bar:
        sound = sound_normal(found, skip_corrupt=data.skip_corrupt, on_picture=_task(bar, "check"))
    _remark([f"{path} cannot be read and is left out" for n in sound for path in n.skipped])
    missing = data.missing([n.fabric for n in sound])
    _remark([f"{data.root} lacks {', '.join(missing)}; the model will not know them"] if missing else [])
    return sound


def _check_judged(data: DataSet, normal: list[NormalImages]) -> None:
    """Looks at what will be judged on before any training. Raises CrasError."""
    from cras_core.data.integrity import sound_judged

    with _bar(transient=True) as bar:
        on_picture = _task(bar, "check")
        if normal[0].are_strips:
            sound_judged(data.strips(), skip_corrupt=data.skip_corrupt, on_picture=on_picture)
        else:
            sound_judged(data.test_images(), skip_corrupt=data.skip_corrupt, on_picture=on_picture)


def _open(bundles: list[Path], device: str, precision: str) -> dict[str, Detector]:
    """The models by the names of their files. Raises CrasError."""
    from cras_core.loading import open_judge

    return {str(path): open_judge(path, device, precision) for path in bundles}


def _one_report(
    reports: dict[str, dict[str, Any]], inspectors: dict[str, Detector], parts: tuple[str, ...]
) -> dict[str, Any]:
    """The report about one bundle, or mean and spread over several."""
    from cras_core.evaluation.seeds import over_bundles

    if len(reports) == 1:
        return next(iter(reports.values()))
    return over_bundles(reports, [i.config for i in inspectors.values()], parts)


def _spelled(figure: float | dict[str, float]) -> str:
    """A figure, or its mean and spread; a dash where it cannot be had."""
    mean, spread = (figure["mean"], figure["spread"]) if isinstance(figure, dict) else (figure, None)
    if math.isnan(mean):
        return "–"
    return f"{mean:.3f}" if spread is None else f"{mean:.3f} ± {spread:.3f}"


def _task(bar: Progress, name: str) -> Callable[[Path, int, int], None]:
    """A line of the progress display that is told what is done."""
    task = bar.add_task(name, total=None, message="")
    return lambda path, done, total: bar.update(task, completed=done, total=total, message=path.name)


def _stages(bar: Progress) -> OnProgress:
    """A line of the progress display for every stage of training."""
    from cras_core.training.progress import STAGES

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
        defects = figures["defects"]["mean"] if isinstance(figures["defects"], dict) else figures["defects"]
        values = [*figures["recall_per_strip"].values(), *(figures[k] for k in pixel)]
        table.add_row(escape(name), f"{defects:.0f}", *map(_spelled, values))
    return table


def _methods_table(summary: dict[str, dict[str, Any]], seeds: int) -> Table:
    """Mean and spread of every method, a row each."""
    first = next(iter(summary.values()))
    rates = tuple(first.get("recall_per_strip", ()))
    pixel = {"p_auroc": "P-AUROC", "p_ap": "P-AP", "aupro": "AUPRO"}
    names = pixel if rates else {"i_auroc": "I-AUROC", "i_ap": "I-AP", **pixel}
    table = Table("method", *(f"{r}/strip" for r in rates), *names.values())
    recall = "Recall of defects at so many false alarms per strip; " if rates else ""
    table.caption = f"{recall}mean and spread of {seeds} seeds."
    for method, row in summary.items():
        values = [*(row["recall_per_strip"][r] for r in rates), *(row[n] for n in names)]
        table.add_row(method, *map(_spelled, values))
    return table


@app.command()
def show(bundle: Annotated[Path, typer.Argument(help="A bundle.")]) -> None:
    """Show what is in a bundle."""
    from cras_core.registry.bundle import read_bundle

    content = read_bundle(bundle)
    Console().print_json(
        json.dumps(
            {
                "model": content.identity,
                "detector": content.config.heads.detector,
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
    from cras_core.evaluation.benchmark import benchmark as run
    from cras_core.loading import open_detector

    inspector = open_detector(bundle, device, precision)
    table = Table("", f"tiles of {inspector.config.tiling.tile_px} px per second", "ratio")
    for speed in run(inspector, batch, rounds):
        table.add_row(speed.name, f"{speed.tiles_per_s:.1f}", f"{speed.ratio:.2f}")
    _show(table)


app.command()(report_commands.robustness)
app.command()(report_commands.figures)
app.command()(export_commands.export)
app.command()(model_commands.enrol)
app.command()(model_commands.remove_fabric)
app.command()(model_commands.rename_fabric)
app.command()(model_commands.merge)
app.command()(retrain_commands.retrain)
app.add_typer(model_commands.models, name="models")
app.add_typer(sample_commands.samples, name="samples")


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
