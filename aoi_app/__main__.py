"""The command line of the program: the window, and everything that goes without one."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aoi_app.commands import camera as camera_commands
from aoi_app.records.errors import RecordsError
from aoi_app.settings.assets import asset
from aoi_app.settings.folders import log_path, models_folder, recipes_folder
from aoi_app.settings.recipe import Recipe, RecipeError, describe, load_recipe
from aoi_app.settings.recipe_store import load_recipes
from aoi_app.settings.settings import load_settings
from aoi_app.sources.factory import SourceChoice, camera_choice, spec_of
from aoi_app.sources.source import SourceError
from cras_core.errors import CrasError

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="Finds the defects on a running web of cloth."
)
console = Console(stderr=True)
app.add_typer(camera_commands.app, name="camera")
DEMO_BUNDLE = asset("demo.cras")

_SOURCES = "loom, loom:WEAVE, folder:PATH, replay:PATH, side-by-side:FILE.json, genicam, genicam:SERIAL or synthetic."

Bundle = Annotated[Path, typer.Option(help="The model; the demo bundle knows the built-in loom only.")]
MmPerPx = Annotated[float | None, typer.Option(help="Size of a pixel across the web, millimetres.")]
MmPerLine = Annotated[
    float | None, typer.Option(help="Length of a line along the web, millimetres; else as --mm-per-px.")
]
Fabric = Annotated[str | None, typer.Option(help="The fabric, if it is known; otherwise the cloth is matched.")]
Threshold = Annotated[
    float | None,
    typer.Option(help="Score from which a place is a defect: 1 is the calibrated limit, lower lists weaker ones."),
]
RecipeFile = Annotated[Path | None, typer.Option("--recipe", help="A recipe as JSON; the options above it win.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")]
Precision = Annotated[
    str,
    typer.Option(help="What the backbone computes in: float32, bfloat16 or float16; the short ones may be faster."),
]
LineRate = Annotated[
    float | None, typer.Option(help="Lines per second; without it a folder runs as fast as it can.", min=1)
]
Database = Annotated[
    str | None, typer.Option(help="Where rolls are recorded, e.g. sqlite:///rolls.db or postgresql://...")
]

Producer = Annotated[str | None, typer.Option(help="GenTL producer (.cti) of the camera, or a folder of them.")]
Preset = Annotated[Path | None, typer.Option(help="Features that the camera is set to, from 'aoi camera features'.")]
MmPerCount = Annotated[
    float | None, typer.Option(help="Web per count of the encoder, millimetres; negative where it counts down.")
]
Record = Annotated[Path | None, typer.Option(help="Record what the camera delivers below this folder.")]
RecordGb = Annotated[float, typer.Option(help="Size of a recording, GB; it keeps the latest cloth.", min=0.001)]


@app.callback(invoke_without_command=True)
def window(
    context: typer.Context,
    source: Annotated[str, typer.Option(help=_SOURCES)] = "loom",
    bundle: Annotated[
        Path | None,
        typer.Option(help="The model; else the one in use of the history, else the demo bundle, for the loom only."),
    ] = None,
    line_rate: LineRate = None,
    live: Annotated[
        bool,
        typer.Option(
            help="Lines come also when inspection is late, of a recording as they once came; what is missed is a gap."
        ),
    ] = False,
    loop: Annotated[bool, typer.Option(help="Begin again at the end of a folder.")] = False,
    separate: Annotated[bool, typer.Option(help="Every picture of a folder is a web of its own.")] = False,
    bits: Annotated[int | None, typer.Option(help="Bits that 16-bit pictures really use.", min=9, max=16)] = None,
    seed: Annotated[int, typer.Option(help="Of the loom.")] = 0,
    lines: Annotated[
        int | None, typer.Option(help="Length of the loom's roll; a camera's ends after so many.", min=16)
    ] = None,
    producer: Producer = None,
    preset: Preset = None,
    mm_per_count: MmPerCount = None,
    record: Record = None,
    record_gb: RecordGb = 20.0,
    mm_per_px: MmPerPx = None,
    mm_per_line: MmPerLine = None,
    fabric: Fabric = None,
    threshold: Threshold = None,
    recipe_file: RecipeFile = None,
    database: Database = None,
    device: Device = "auto",
    precision: Precision = "float32",
) -> None:
    """Open the window and inspect. Without options: procedural cloth with the demo bundle."""
    if context.invoked_subcommand is not None:
        return
    from aoi_app.ui.widgets.platform import prepare_qt

    problem = prepare_qt()
    if problem is not None:
        raise CrasError(problem)
    recipe = _recipe(
        recipe_file,
        _kept_recipe(fabric),
        mm_per_px=mm_per_px,
        mm_per_line=mm_per_line,
        fabric=fabric,
        threshold=threshold,
        camera_preset=str(preset) if preset is not None else None,
    )
    settings, remark = load_settings()
    choice = SourceChoice(
        source, line_rate, live, loop, separate, bits, seed, lines,
        camera=camera_choice(source, settings.camera, producer, preset, mm_per_count),
        record=record, record_gb=record_gb,
    )  # fmt: skip
    from PySide6.QtWidgets import QApplication

    from aoi_app.app.application import Application, run
    from aoi_app.learning.start_model import model_to_start
    from aoi_app.records.database import open_database
    from aoi_app.records.roll_log import mark_interrupted
    from aoi_app.sources.factory import make_source

    with make_source(choice, recipe):  # a mistake in the command is said here, not in a window
        pass
    engine = open_database(database or settings.database_url)
    interrupted = mark_interrupted(engine)
    _log_to_file()
    qt = QApplication([sys.argv[0]])
    qt.setApplicationName("Cloth inspection")
    model, problem_of_model = (bundle, "") if bundle is not None else model_to_start(models_folder(), DEMO_BUNDLE)
    application = Application(qt, settings, engine, choice, model, recipe, device, precision)
    if problem_of_model:
        application.window.alarms.show_alarm(problem_of_model)
    if interrupted:
        remark = f"Roll {interrupted[-1]} was interrupted; what was inspected of it is in the records."
    if remark:
        application.keep_note(remark)
    sys.exit(run(qt, application))


@app.command()
def inspect(
    strips: Annotated[
        Path | None,
        typer.Argument(help="Folder of pictures; its sub-folders if it holds none. Or the recording of a camera."),
    ] = None,
    bundle: Bundle = DEMO_BUNDLE,
    out: Annotated[Path, typer.Option(help="Folder for defects.json, .csv, records.db, itdd/, maps/.")] = Path(
        "inspected"
    ),
    separate: Annotated[bool, typer.Option(help="Every picture is a web of its own; they are not neighbours.")] = False,
    threshold: Threshold = None,
    min_area_mm2: Annotated[float | None, typer.Option(help="Smaller defects are not listed.", min=0)] = None,
    mm_per_px: MmPerPx = None,
    mm_per_line: MmPerLine = None,
    fabric: Fabric = None,
    maps: Annotated[
        bool, typer.Option(help="Write the anomaly map of every picture (16-bit PNG, score x 10000).")
    ] = False,
    tiles: Annotated[bool, typer.Option(help="Write 512 px tiles and masks as a data set in ITDD's layout.")] = True,
    bits: Annotated[int | None, typer.Option(help="Bits that 16-bit pictures really use.", min=9, max=16)] = None,
    recipe_file: RecipeFile = None,
    device: Device = "auto",
    precision: Precision = "float32",
    source: Annotated[
        str | None, typer.Option(help=f"Instead of a folder: {_SOURCES} A camera runs until Ctrl-C.")
    ] = None,
    lines: Annotated[int | None, typer.Option(help="End after so many lines of a camera or loom.", min=16)] = None,
    seconds: Annotated[float | None, typer.Option(help="End after so many seconds of a camera.", min=0.1)] = None,
    producer: Producer = None,
    preset: Preset = None,
    mm_per_count: MmPerCount = None,
    record: Record = None,
    record_gb: RecordGb = 20.0,
) -> None:
    """Inspect a folder of strips, a recording or a camera without a window.

    Exit status: 0 everything was inspected; 2 nothing could be done; 3 something was not inspected or not written
    (it is listed); 130 stopped by Ctrl-C, with what was done until then written.
    """
    from aoi_app.live.headless import InspectJob, run

    recipe = _recipe(
        recipe_file,
        mm_per_px=mm_per_px,
        mm_per_line=mm_per_line,
        fabric=fabric,
        threshold=threshold,
        min_area_mm2=min_area_mm2,
        camera_preset=str(preset) if preset is not None else None,
    )
    if (strips is None) == (source is None):
        raise SourceError("Name what to inspect: a folder, or a source with --source, and not both.")
    spec = spec_of(strips) if strips is not None else str(source)
    job = InspectJob(
        SourceChoice(
            spec,
            separate=separate,
            bits=bits,
            lines=lines,
            seconds=seconds,
            camera=camera_choice(spec, load_settings()[0].camera, producer, preset, mm_per_count),
            record=record,
            record_gb=record_gb,
        ),
        bundle,
        out,
        recipe,
        device,
        precision,
        maps,
        tiles,
    )
    sys.exit(run(job, console))


@app.command()
def rolls(database: Database = None, last: Annotated[int, typer.Option(help="How many.", min=1)] = 20) -> None:
    """List the latest rolls."""
    from aoi_app.records.database import database as opened
    from aoi_app.records.reading import list_rolls
    from aoi_app.records.roll_log import mark_interrupted

    table = Table("roll", "name", "state", "begun", "source", "fabric", "inspected, m", "gaps, m", "defects")
    with opened(database or load_settings()[0].database_url) as engine:
        mark_interrupted(engine)
        for roll in list_rolls(engine, last):
            table.add_row(*map(escape, roll))
    screen = Console()
    (screen if screen.is_terminal else Console(width=max(160, screen.width))).print(table)


@app.command()
def export(
    roll: Annotated[int, typer.Argument(help="Number of the roll, as 'aoi rolls' lists it.")],
    out: Annotated[Path, typer.Option(help="Folder for defects.json, defects.csv and itdd/.")] = Path("exported"),
    database: Database = None,
) -> None:
    """Write a recorded roll as files."""
    from aoi_app.records.database import database as opened
    from aoi_app.records.export import export_roll

    with opened(database or load_settings()[0].database_url) as engine:
        written = export_roll(engine, roll, out)
    console.print(escape(f"{out}: {', '.join(written)}"))


@app.command()
def weave(
    out: Annotated[Path, typer.Argument(help="Folder for <weave>/normal, <weave>/defect and <weave>/mask.")],
    strips: Annotated[int, typer.Option(help="Strips of each kind and weave.", min=1)] = 12,
    lines: Annotated[int, typer.Option(help="Lines of a strip.", min=64)] = 512,
    width_px: Annotated[int, typer.Option(help="Pixels of a line.", min=512)] = 1536,
    seed: Annotated[int, typer.Option(help="Everything random follows from it.")] = 100,
) -> None:
    """Write cloth from the built-in loom as a data set, to try training without cloth of your own."""
    from aoi_app.sources.loom_data import write_data_set

    write_data_set(out, strips, lines, width_px, seed)
    console.print(escape(f"{out}: train on it with  cras train {out} --out loom.cras"))


def _kept_recipe(fabric: str | None) -> Recipe | None:
    """The recipe that the window keeps of a fabric, if any; one that cannot be read is said there."""
    return load_recipes(recipes_folder())[0].get(fabric) if fabric is not None else None


def _recipe(path: Path | None, kept: Recipe | None = None, **given: float | str | None) -> Recipe:
    """The recipe of a file, the one kept of the fabric, or the standard one, with what the command line says on top."""
    base = load_recipe(path) if path is not None else kept or load_recipe(asset("standard-recipe.json"))
    try:
        return Recipe.model_validate(base.model_dump() | {k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        raise RecipeError(f"The options do not make a recipe: {describe(error)}") from error


_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def _log_to_file() -> None:
    """What the window cannot show goes to a file; when that cannot be written, to the terminal."""
    path = log_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(path, maxBytes=2_000_000, backupCount=3)
    except OSError:
        handler = logging.StreamHandler()
    logging.basicConfig(level=logging.INFO, handlers=[handler], format=_LOG_FORMAT)


def main() -> None:
    """Runs the command line; a user's mistake is one line and exit status 2."""
    try:
        app()
    except (CrasError, SourceError, RecordsError, RecipeError) as error:
        console.print(f"[red]Error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        console.print("Stopped.")
        sys.exit(130)


if __name__ == "__main__":
    main()
