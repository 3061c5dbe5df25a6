"""The command that trains anew from the store of samples; the window runs it as a process of its own."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cras_core.commands.terminal import Bits, Device, console, progress_bar, remark, show_table
from cras_core.errors import CrasError

if TYPE_CHECKING:
    from cras_core.config.settings import CrasConfig
    from cras_core.evaluation.candidate_verdicts import CandidateReport
    from cras_core.registry.bundle import Bundle
    from cras_core.registry.store import ModelStore
    from cras_core.training.progress import Progress, ShouldStop
    from cras_core.training.retrain import Retraining


def retrain(
    samples: Annotated[Path, typer.Argument(help="The store of samples.")],
    models: Annotated[Path, typer.Argument(help="The store of models; the new one is added.")],
    more: Annotated[
        Path | None, typer.Option("--data", help="Good cloth of other fabrics too, laid out as for cras train.")
    ] = None,
    fabric: Annotated[list[str] | None, typer.Option(help="Only these fabrics of the store.")] = None,
    like: Annotated[Path | None, typer.Option(help="Bundle to take the settings from; else the model in use.")] = None,
    bits: Bits = None,
    promote: Annotated[
        str, typer.Option(help="Put it into use: no, unless-worse than the model in use on held-back cloth, or yes.")
    ] = "no",
    settings: Annotated[list[str] | None, typer.Option("--set", help="Any setting, as section.name=value.")] = None,
    author: Annotated[str | None, typer.Option(help="Who asks for it; who is logged in where it is not given.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew where a training was cut off.")] = False,
    progress: Annotated[
        str, typer.Option(help="bar, or json: one line for each step on the output; it stops when its input ends.")
    ] = "bar",
    device: Device = "auto",
) -> None:
    """Train all fabrics of a store anew, compare the result with the model in use, and keep it."""
    from cras_core.data.folders import find_normal_images
    from cras_core.data.samples.store import SampleStore
    from cras_core.data.validation import validate_normal_images
    from cras_core.evaluation.candidate_reports import CHECKPOINT
    from cras_core.registry.store import ModelStore
    from cras_core.training.progress import COMPARISON_STAGE, STAGES
    from cras_core.training.retrain import Retraining

    if promote not in ("no", "unless-worse", "yes") or progress not in ("bar", "json"):
        raise CrasError("retrain-option-unknown", "--promote is no, unless-worse or yes; --progress is bar or json")
    store, kept = SampleStore(samples), ModelStore(models)
    before = kept.in_use
    running = kept.read(before.identity) if before is not None else None
    checkpoint = models / CHECKPOINT
    if fresh:
        shutil.rmtree(checkpoint, ignore_errors=True)
    config = _config(running, like, settings or [])
    job = Retraining(
        store,
        config,
        tuple(fabric) if fabric else None,
        tuple(validate_normal_images(find_normal_images(more), bits=bits)) if more is not None else (),
        device,
        author,
        checkpoint,
    )
    if progress == "json":
        _run(job, kept, running, promote, _tell_line, _until_input_ends())
        return
    with progress_bar() as bar:
        tasks = {stage: bar.add_task(stage, total=None, message="") for stage in (*STAGES, COMPARISON_STAGE)}

        def on_progress(step: Progress) -> None:
            message = step.message.rsplit("/", 1)[-1]
            bar.update(tasks[step.stage], completed=step.done, total=step.total, message=message)

        _run(job, kept, running, promote, on_progress, lambda: False)


def _run(
    job: Retraining,
    models: ModelStore,
    running: Bundle | None,
    promote: str,
    on_progress: Callable[[Progress], None],
    should_stop: ShouldStop,
) -> None:
    from cras_core.data.samples.good_cloth import fabrics_to_learn
    from cras_core.evaluation.candidate_reports import KeptReport, keep_report
    from cras_core.training.retrain import evaluate_candidate, lost_fabrics
    from cras_core.training.retrain import retrain as run

    lost = lost_fabrics(running, job.store, job.more)
    if lost:
        console.print(
            f"[yellow]Note:[/yellow] there are no samples of {escape(', '.join(lost))}; the new model will not know "
            "them. Add samples, or name their cloth with --data.",
            highlight=False,
        )
    empty = fabrics_to_learn(job.store)[1] if job.fabrics is None else []
    if empty:
        console.print(
            f"[yellow]Note:[/yellow] left out, because there are no samples of good cloth: {escape(', '.join(empty))}.",
            highlight=False,
        )
    bundle = run(job, running, on_progress, should_stop)
    models.add(bundle)
    if job.checkpoint is not None:
        shutil.rmtree(job.checkpoint, ignore_errors=True)
    report = evaluate_candidate(job.store, bundle, running, job.device, on_progress, should_stop)
    keep_report(models.folder, KeptReport(running.identity if running is not None else "", bundle.identity, report))
    worse = report.got_worse
    goes_live = promote == "yes" or (promote == "unless-worse" and not worse)
    if goes_live:
        models.promote(bundle.identity, "retrained", job.author)
    if on_progress is _tell_line:
        print(json.dumps({"model": bundle.identity, "in_use": goes_live, "worse": worse}), flush=True)  # noqa: T201
        return
    remark(bundle.provenance["warnings"])
    show_table(comparison_table(report))
    for said in worse:
        console.print(f"[yellow]Worse:[/yellow] {escape(said)}", highlight=False)
    state = "in use" if goes_live else f"kept; put it into use with: cras models use {models.folder} {bundle.identity}"
    console.print(f"Model {bundle.identity}, {state}", highlight=False)


def _config(running: Bundle | None, like: Path | None, settings: list[str]) -> CrasConfig:
    from cras_core.config.presets import cloth
    from cras_core.config.reading import with_settings
    from cras_core.registry.bundle import read_bundle

    config = read_bundle(like).config if like is not None else running.config if running is not None else cloth()
    pairs = [s.partition("=") for s in settings]
    wrong = [name for name, sign, _ in pairs if not sign]
    if wrong:
        raise CrasError(
            "set-option-not-assignment", "--set takes section.name=value, not {setting!r}", setting=wrong[0]
        )
    return with_settings(config, {name: value for name, _, value in pairs})


def comparison_table(report: CandidateReport) -> Table:
    """What both models do on every fabric."""
    table = Table("fabric", "model", "good cloth", "false alarms", "per 100 m2", "drawn defects", "confirmed defects")
    for fabric in report.fabrics:
        before, after = report.figures(fabric)
        for name, f in (("in use", before), ("new", after)):
            if f is not None:
                table.add_row(
                    fabric,
                    name if f.known else f"{name} (does not know it)",
                    f"{f.pieces} pieces, {f.area_m2:.2f} m2",
                    f"{f.alarms}",
                    f"{f.alarms_per_100_m2:.0f}",
                    f"{f.drawn_found} of {f.drawn}",
                    f"{f.defects_found} of {f.defects}",
                )
    return table


def _tell_line(step: Progress) -> None:
    line = {"stage": step.stage, "done": step.done, "total": step.total, "message": step.message, "loss": step.loss}
    print(json.dumps(line), flush=True)  # noqa: T201 (for the program that started it)


def _until_input_ends() -> ShouldStop:
    """Says to stop once whoever started this process has closed its end of the pipe, or is gone."""
    ended = threading.Event()

    def watch() -> None:
        while sys.stdin.read(1):
            pass
        ended.set()

    threading.Thread(target=watch, name="watch input", daemon=True).start()
    return ended.is_set
