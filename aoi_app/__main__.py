"""The command line of the program: opens the window, and registers the verbs of ``commands``."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from aoi_app.commands import camera, inspect, records, weave
from aoi_app.commands.options import (
    DEMO_BUNDLE,
    MOST,
    SOURCES,
    Bits,
    Database,
    Device,
    Fabric,
    LineRate,
    MmPerCount,
    MmPerLine,
    MmPerPx,
    Precision,
    Preset,
    Producer,
    RecipeFile,
    Record,
    RecordGb,
    Threshold,
    chosen_recipe,
    console,
    kept_recipe,
)
from aoi_app.settings.folders import log_path, models_folder
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import Settings, load_settings
from aoi_app.sources.source_choice import SourceChoice, camera_choice, make_source
from cras_core.errors import CrasError
from cras_core.messages import Sentence
from cras_core.program import run_program

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="Finds the defects on a running web of cloth."
)
for command in (inspect.inspect, records.rolls, records.export, weave.weave):
    app.command()(command)
app.add_typer(camera.app, name="camera")


@app.callback(invoke_without_command=True)
def window(
    context: typer.Context,
    source: Annotated[str, typer.Option(help=SOURCES)] = "loom",
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
    bits: Bits = None,
    seed: Annotated[int, typer.Option(help="Of the loom.", min=0, max=MOST)] = 0,
    lines: Annotated[
        int | None, typer.Option(help="Length of the loom's roll; a camera's ends after so many.", min=16, max=MOST)
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
        raise CrasError("window-cannot-open", "{problem}", problem=Sentence(problem))
    recipe = chosen_recipe(
        recipe_file,
        kept_recipe(fabric),
        mm_per_px=mm_per_px,
        mm_per_line=mm_per_line,
        fabric=fabric,
        threshold=threshold,
        camera_preset=str(preset) if preset is not None else None,
    )
    settings, remark = load_settings()
    choice = SourceChoice(
        source, lines_per_s=line_rate, is_live=live, loop=loop, separate=separate, bits=bits, seed=seed, lines=lines,
        camera=camera_choice(source, settings.camera, producer, preset, mm_per_count),
        record=record, record_gb=record_gb,
    )  # fmt: skip
    with make_source(choice, recipe):  # a mistake in the command is said here, not in a window
        pass
    _run_window(choice, recipe, settings, remark, bundle, database, device, precision)


def _run_window(
    choice: SourceChoice,
    recipe: Recipe,
    settings: Settings,
    remark: str | None,
    bundle: Path | None,
    database: str | None,
    device: str,
    precision: str,
) -> NoReturn:
    """Opens the records and the window; ends with the window's exit status.

    Args:
        choice, recipe, settings: what runs.
        remark: what is to be told in the window, of the settings.
        bundle, database, device, precision: options of the command.
    """
    from PySide6.QtWidgets import QApplication

    from aoi_app.app.application import Application, run
    from aoi_app.learning.start_model import model_to_start
    from aoi_app.records.database import chosen_url, open_database
    from aoi_app.records.interrupted import mark_interrupted

    engine = open_database(chosen_url(database, settings.database))
    interrupted = mark_interrupted(engine)
    _log_to_file()
    qt = QApplication([sys.argv[0]])
    qt.setApplicationName("Cloth inspection")
    model, problem_of_model = (bundle, "") if bundle is not None else model_to_start(models_folder(), DEMO_BUNDLE)
    application = Application(qt, settings, engine, choice, model, recipe, device, precision)
    if problem_of_model:
        application.program.roll.model_problem = problem_of_model
    if interrupted:
        remark = f"Roll {interrupted[-1]} was interrupted; what was inspected of it is in the records."
    if remark:
        application.program.notifier.keep(remark)
    sys.exit(run(qt, application))


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
    sys.exit(run_program(app, _say))


def _say(text: str) -> None:
    console.print(f"[red]Error:[/red] {escape(text)}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
