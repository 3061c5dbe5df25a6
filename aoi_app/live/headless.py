"""A roll from end to end without a window: a folder of strips, a recording, or a camera."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from aoi_app.live.assembly import at_depth_of, make_session
from aoi_app.live.found_defects import FoundDefects, line_of
from aoi_app.live.line_care import LineCare
from aoi_app.live.model_loader import load_model
from aoi_app.live.session import Session
from aoi_app.live.state import Snapshot, State
from aoi_app.live.web_teacher import web_teacher
from aoi_app.records.database import file_url, opened_database
from aoi_app.records.errors import RecordsError
from aoi_app.records.export import write_csv, write_json
from aoi_app.records.interrupted import mark_interrupted
from aoi_app.records.maps import MapWriter
from aoi_app.records.reading import read_roll
from aoi_app.records.roll_name import new_roll_name
from aoi_app.records.upkeep.left_roll import LeftRoll, read_left_roll
from aoi_app.settings.folder_holder import Hold
from aoi_app.settings.folders import imaging_folder
from aoi_app.settings.imaging_history import ImagingHistory
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.work_order import NO_ORDER, WorkOrder
from aoi_app.sources.source import FrameSource, TellsStatus
from aoi_app.sources.source_choice import SourceChoice, make_source
from cras_core.messages import Sentence

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from aoi_app.inspection.findings.defects import Defect
    from cras_core.detectors.trained import TrainedDetector

COMPLETE, UNUSABLE, INCOMPLETE, RESERVE, STOPPED = 0, 2, 3, 4, 130
"""Exit codes: everything was inspected; nothing could be done; something was not inspected or written; everything was
inspected, but some of it with reserve, such as unknown cloth; stopped."""


@dataclass(frozen=True, slots=True)
class HeadlessRun:
    """What to inspect and where to put it.

    Attributes:
        choice: the source.
        bundle: the model.
        out: folder for ``defects.json``, ``defects.csv``, ``records.db``, ``itdd/`` and ``maps/``.
        recipe: settings of the roll.
        device: for torch.
        precision: what the backbone computes in.
        maps: also write the anomaly map of every picture.
        tiles: also write tiles as a data set.
        order: what the mill knows of the roll.
        goes_on: number of a roll in ``records.db`` that goes on, with its own recipe and order; None begins a new one.
    """

    choice: SourceChoice
    bundle: Path
    out: Path
    recipe: Recipe
    device: str = "auto"
    precision: str = "float32"
    maps: bool = False
    tiles: bool = True
    order: WorkOrder = NO_ORDER
    goes_on: int | None = None


def run_headless(job: HeadlessRun, console: Console) -> int:
    """Inspects and returns the exit code. What was done until a stop is kept and written.

    Raises:
        CrasError, SourceError, RecordsError, RecipeError: nothing could be begun; the text says why.
    """
    left = _left_roll(job)
    recipe = left.recipe if left is not None else job.recipe
    source = make_source(job.choice, recipe)
    with source:  # a source that cannot be used is said before torch is loaded
        total = source.total_lines
        _print_camera_status(source, console)
    detector = load_model(job.bundle, job.device, job.precision)
    source = make_source(at_depth_of(job.choice, detector), recipe)
    try:
        job.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordsError(
            "output-folder-not-made",
            "The folder {folder} cannot be made: {reason}.",
            hint="Choose another with --out.",
            folder=job.out,
            reason=error,
        ) from error
    hold = Hold(job.out, "inspecting")
    holder = hold.take()
    if holder is not None:  # each would replace the other's files, and both would say "Written"
        raise RecordsError(
            "output-folder-held",
            "Another inspection writes into {folder} ({holder}).",
            hint="Wait for its end, or choose another with --out.",
            folder=job.out,
            holder=Sentence(str(holder)),
        )
    try:
        with opened_database(file_url(job.out / "records.db"), option="--out") as engine:
            return _inspect_roll(job, recipe, left, source, total, detector, engine, console)
    finally:
        hold.give_back()


def _left_roll(job: HeadlessRun) -> LeftRoll | None:
    """The roll that is to go on. Raises RecordsError where it cannot."""
    if job.goes_on is None:
        return None
    path = job.out / "records.db"
    if not path.exists():
        raise RecordsError(
            "left-roll-without-records",
            "{path} is not there, so that no roll of it can go on.",
            hint="Name the folder of the roll with --out.",
            path=path,
        )
    with opened_database(file_url(path), option="--out") as engine:
        mark_interrupted(engine)
        return read_left_roll(engine, job.goes_on)


def _print_camera_status(source: FrameSource, console: Console) -> None:
    """Which camera it is, and what could not be set as wanted."""
    status = source.status if isinstance(source, TellsStatus) else None
    if status is None:
        return
    end = "" if source.total_lines is not None else " Ctrl-C ends the roll."
    console.print(escape(f"{source.name}.{end}"), highlight=False, soft_wrap=True)
    for remark in status.remarks:
        console.print(f"[yellow]Camera:[/yellow] {escape(remark)}", highlight=False, soft_wrap=True)


def _inspect_roll(
    job: HeadlessRun,
    recipe: Recipe,
    left: LeftRoll | None,
    source: FrameSource,
    total_lines: int | None,
    detector: TrainedDetector,
    engine: Engine,
    console: Console,
) -> int:
    maps = MapWriter(job.out / "maps") if job.maps else None
    session = make_session(
        detector,
        source,
        recipe,
        engine,
        model=detector.identity or "",
        name=left.name if left is not None else new_roll_name(engine),
        order=job.order,
        tiles=job.out / "itdd" if job.tiles else None,
        left=left,
        rescue=job.out,
        care=LineCare(ImagingHistory(imaging_folder())) if job.choice.is_camera else LineCare(),
        teach=web_teacher(job.bundle, job.device, job.precision, job.out / "self-taught"),
        sinks=[lambda outcome: maps.write(outcome.bands, outcome.sources)] if maps is not None else [],
    )
    started = time.monotonic()
    found = FoundDefects()
    stopped = _show_progress(session, found, total_lines, recipe.line_mm, console)
    found.take(session.news())
    snapshot = session.snapshot()
    if snapshot.roll_id == 0:
        console.print(f"[red]Error:[/red] {escape(snapshot.message)}", highlight=False, soft_wrap=True)
        return UNUSABLE
    try:
        roll = read_roll(engine, snapshot.roll_id)
        write_json(roll, job.out / "defects.json")
        write_csv(roll, job.out / "defects.csv")
    except RecordsError as error:
        for problem in [*session.problems, str(error)]:
            console.print(f"[red]Problem:[/red] {escape(problem)}", highlight=False, soft_wrap=True)
        _print_missing(found.missing_from(None), console)
        return INCOMPLETE
    camera = source.status if isinstance(source, TellsStatus) else None
    problems = [*session.problems, *([camera.problem] if camera is not None and camera.problem else [])]
    _print_worth(snapshot, console)
    _print_summary(roll, problems, time.monotonic() - started, job.out, console)
    _print_missing(found.missing_from(roll), console)
    if snapshot.state is State.FAILED:
        console.print(f"[red]Error:[/red] {escape(snapshot.message)}", highlight=False, soft_wrap=True)
        return INCOMPLETE
    if stopped:
        return STOPPED
    if roll["gaps"] or problems:
        return INCOMPLETE
    return RESERVE if snapshot.worth.has_reserve else COMPLETE


def _print_missing(defects: list[Defect], console: Console) -> None:
    """The list that no file has taken; where the disk is full the screen is what is left."""
    for defect in defects:
        console.print(f"[red]Not recorded:[/red] {escape(line_of(defect))}", highlight=False, soft_wrap=True)


def _show_progress(
    session: Session, found: FoundDefects, total_lines: int | None, line_mm: float, console: Console
) -> bool:
    """Shows progress until the roll is over; Ctrl-C ends the roll in good order. Says whether it was stopped."""
    columns = (
        TextColumn("inspecting"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    stopped = threading.Event()

    def stop(_signal: int, _frame: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()
        session.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("", total=total_lines * line_mm / 1000.0 if total_lines else None, figures="")
            session.start()
            over = told = False
            trouble = ""
            while not over:
                over = session.wait(0.2)
                if stopped.is_set() and not told:
                    told = True
                    console.print("Stopping; what was read is still inspected. Ctrl-C again ends at once.")
                s = session.snapshot()
                now = " ".join(filter(None, (s.camera.text, s.camera.problem))) if s.camera is not None else trouble
                if now and now != trouble:
                    console.print(f"[yellow]Camera:[/yellow] {escape(now)}", highlight=False, soft_wrap=True)
                trouble = now
                figures = f"{s.position_m:.2f} m, {s.defects} defects, {s.tiles_per_s:.1f} tiles/s"
                progress.update(task, completed=s.position_m, figures=figures)
                found.take(session.news())
    finally:
        signal.signal(signal.SIGINT, before)
    return stopped.is_set()


def _count_remarks(remarks: list[dict[str, Any]]) -> list[tuple[dict[str, Any], int]]:
    """The first remark of each kind and fabric, and how many there are: of many short webs the same is said often."""

    def subject(r: dict[str, Any]) -> tuple[str, str]:
        return r["kind"], r["text"] if r["kind"] == "camera" else r["fabric"]

    counts = Counter(map(subject, remarks))
    first = {subject(r): r for r in reversed(remarks)}
    return [(first[key], n) for key, n in counts.items()]


def _length_text(length_m: float) -> str:
    """Of a gap; where nobody knows how much cloth was passed over, 0 m would be a lie."""
    return f"{length_m:.3f} m" if length_m > 0 else "an unknown length"


def _print_worth(snapshot: Snapshot, console: Console) -> None:
    """What the roll was worth, before everything else, in the colour of the worst of it."""
    worth = snapshot.worth
    colour = "red" if worth.is_missed else "yellow" if worth.has_reserve else "green"
    console.print(f"[bold {colour}]{escape(worth.text)}[/bold {colour}]", highlight=False, soft_wrap=True)


def _print_summary(roll: dict[str, Any], problems: list[str], seconds: float, out: Path, console: Console) -> None:
    table = Table("fabric", "defects", "strongest", "block", "point", "line")
    by_fabric: dict[str, list[dict[str, Any]]] = {}
    for defect in roll["defects"]:
        by_fabric.setdefault(defect["fabric"], []).append(defect)
    for fabric, defects in sorted(by_fabric.items()):
        shapes = [sum(d["shape"] == shape for d in defects) for shape in ("block", "point", "line")]
        table.add_row(fabric, str(len(defects)), f"{max(d['peak'] for d in defects):.2f}", *map(str, shapes))
    figures = roll["roll"]
    console.print(
        f"{figures['inspected_m']:.2f} m of {figures['length_m']:.2f} m inspected in {seconds:.0f} s, "
        f"{len(roll['defects'])} defects at threshold {figures['threshold']:g}"
    )
    if by_fabric:
        console.print(table)
    for gap in roll["gaps"]:
        console.print(
            f"[yellow]Not inspected:[/yellow] {_length_text(gap['length_m'])} at {gap['position_m']:.3f} m: "
            + escape(gap["reason"]),
            highlight=False,
            soft_wrap=True,
        )
    for remark, count in _count_remarks(roll["remarks"]):
        where = f"at {remark['position_m']:.2f} m" if count == 1 else f"in {count} places, first"
        console.print(f"[cyan]Note:[/cyan] {where}: {escape(remark['text'])}", highlight=False, soft_wrap=True)
    for problem in problems:
        console.print(f"[red]Problem:[/red] {escape(problem)}", highlight=False, soft_wrap=True)
    console.print(escape(f"Written to {out}"), highlight=False, soft_wrap=True)
