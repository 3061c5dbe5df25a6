"""The commands that evaluate models on pictures and on webs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.markup import escape
from rich.table import Table

from cras_core.commands.options import (
    Bundles,
    open_detectors,
    progress_task,
)
from cras_core.commands.tables import one_report, spelled, threshold_table, web_table
from cras_core.commands.terminal import (
    Bits,
    DataName,
    Device,
    JsonFile,
    Precision,
    SkipCorrupt,
    check_place,
    console,
    progress_bar,
    remark,
    show_table,
)
from cras_core.files import write_json

if TYPE_CHECKING:
    from cras_core.arrays import Image
    from cras_core.detectors.base import Detector
    from cras_core.evaluation.mistakes import MistakeSheets
    from cras_core.evaluation.webs import Teach


def evaluate(
    bundles: Bundles,
    data: Annotated[Path, typer.Argument(help="Data set in MVTec layout with test and ground_truth, or VisA.")],
    json_file: JsonFile = None,
    dataset: DataName = None,
    skip_corrupt: SkipCorrupt = False,
    bits: Bits = None,
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

    detectors = open_detectors(bundles, device, "float32")
    place = open_data_set(data, dataset, skip_corrupt=skip_corrupt, bits=bits)
    with progress_bar() as bar:
        reports = {
            name: run(
                detector,
                place,
                on_check=progress_task(bar, "check"),
                on_image=progress_task(bar, "evaluate"),
                matching=cast("Matching", matching),
            )
            for name, detector in detectors.items()
        }
    report = one_report(reports, detectors, ("fabrics", "mean"))
    shown = report.get("summary", report)
    names = ("i_auroc", "i_ap", "i_f1_max", "p_auroc", "p_ap", "p_f1_max", "aupro", "matched")
    table = Table("fabric", "I-AUROC", "I-AP", "I-F1", "P-AUROC", "P-AP", "P-F1", "AUPRO", "matched")
    for name, figures in [*shown["fabrics"].items(), ("mean", shown["mean"])]:
        table.add_row(escape(name), *(spelled(figures[k]) for k in names))
    if matching != "per-picture":
        table.title = f"PROTOCOL {matching}: each picture judged by the vote of its test batch"
        table.caption = "As in the authors' code, to compare with their figures; a running web has no test batch."
    show_table(table)
    remark(report["remarks"])
    if json_file is not None:
        write_json(json_file, report)


def evaluate_web(
    bundles: Bundles,
    strips: Annotated[Path, typer.Argument(help="Strips with masks: <fabric>/defect and <fabric>/mask, or AITEX.")],
    json_file: JsonFile = None,
    known: Annotated[bool, typer.Option(help="The fabric of a strip is given; --no-known lets it be matched.")] = True,
    dataset: DataName = None,
    skip_corrupt: SkipCorrupt = False,
    bits: Bits = None,
    self_taught: Annotated[
        bool,
        typer.Option(
            "--self-taught",
            help="Each fabric is taught by its own first strips, defects and all, as if the model had never seen it.",
        ),
    ] = False,
    first_cloth_m: Annotated[
        float, typer.Option(help="Metres of first strips that teach, with --self-taught.", min=0.01, max=1000)
    ] = 0.5,
    device: Device = "auto",
    precision: Precision = "float32",
    sheets: Annotated[
        Path | None,
        typer.Option(
            help="Folder for pictures of every false alarm and every miss at the calibrated threshold; "
            "with several models one folder for each."
        ),
    ] = None,
) -> None:
    """Judge a model, or several seeds of it, on strips of web: recall of defects at fixed false alarms."""
    from cras_core.data.datasets import open_data_set
    from cras_core.evaluation.mistakes import MistakeSheets
    from cras_core.evaluation.webs import evaluate_web as run

    detectors = open_detectors(bundles, device, precision)
    if sheets is not None:
        check_place(sheets / "missed-1.jpg")
    mistakes = {name: MistakeSheets() for name in detectors}
    place = open_data_set(strips, dataset, skip_corrupt=skip_corrupt, bits=bits)
    with progress_bar() as bar:
        reports = run(
            detectors,
            place,
            on_check=progress_task(bar, "check"),
            on_strip=progress_task(bar, "evaluate"),
            known=known,
            teach=_teacher(bundles, device, precision) if self_taught else None,
            first_cloth_m=first_cloth_m,
            on_result=lambda name, path, picture, result: (
                mistakes[name].add(path.stem, picture, result) if sheets is not None else None
            ),
        )
    report = one_report(reports, detectors, ("fabrics", "all"))
    shown = report.get("summary", report)
    rows = {**shown["fabrics"], "all": shown["all"]}
    show_table(web_table(rows, "fabric"))
    show_table(threshold_table(rows, "fabric"))
    remark(report["remarks"])
    if json_file is not None:
        write_json(json_file, report)
    if sheets is not None:
        for number, (name, made) in enumerate(mistakes.items(), start=1):
            _write_sheets(made, sheets if len(mistakes) == 1 else sheets / f"{number}-{Path(name).stem}")


def _teacher(bundles: list[Path], device: str, precision: str) -> Teach:
    """Lets the first strips of a fabric teach the models, which are read once."""
    from cras_core.loading import detector_of
    from cras_core.registry.bundle import read_bundle
    from cras_core.training.self_taught import teach

    models = {str(path): read_bundle(path) for path in bundles}

    def taught(name: str, fabric: str, pictures: Sequence[Image]) -> Detector:
        found = teach(models[name], pictures, device, fabric)
        console.print(f"{fabric}: {found.text}", highlight=False, soft_wrap=True)
        return detector_of(found.bundle, device, precision)

    return taught


def _write_sheets(made: MistakeSheets, folder: Path) -> None:
    files = made.write(folder)
    if not files:
        remark([f"{folder}: no false alarm and no miss at the calibrated threshold, so there is no sheet"])
    else:
        surplus = f"; {made.left_out} more are on no sheet" if made.left_out else ""
        remark([f"{len(files)} sheets of false alarms and misses written to {folder}{surplus}"])
