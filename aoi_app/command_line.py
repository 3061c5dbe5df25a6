"""The command line of the program: opens the window, and registers the verbs of ``commands``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.markup import escape

from aoi_app.commands import camera, drift, inspect, records, reports, weave
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
    Separate,
    Threshold,
    chosen_recipe,
    console,
    kept_recipe,
    settled,
)
from aoi_app.settings.folders import log_path, models_folder
from aoi_app.settings.recipe import Recipe
from aoi_app.settings.settings import Settings, load_settings
from aoi_app.sources.source_choice import SourceChoice, camera_choice, make_source
from cras_core.errors import CrasError
from cras_core.messages import Sentence
from cras_core.program import run_program

if TYPE_CHECKING:
    from aoi_app.ui.main.splash import Splash

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="Finds the defects on a running web of cloth."
)
for command in (
    inspect.inspect,
    records.rolls,
    records.export,
    reports.report,
    reports.cut_plan,
    reports.statistics,
    drift.drift,
    weave.weave,
):
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
    separate: Separate = None,
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
    from aoi_app.app.start_problem import tell_start_problem
    from aoi_app.ui.main.splash import Splash, show_splash
    from aoi_app.ui.widgets.platform import prepare_qt

    problem = prepare_qt()
    if problem is not None:
        raise CrasError("window-cannot-open", "{problem}", problem=Sentence(problem))
    splash = context.obj if isinstance(context.obj, Splash) else show_splash()
    try:
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
            source, lines_per_s=line_rate, is_live=live, loop=loop, separate=separate, bits=bits, seed=seed,
            lines=lines, camera=camera_choice(source, settings.camera, producer, preset, mm_per_count),
            record=record, record_gb=record_gb,
        )  # fmt: skip
        with make_source(choice, recipe):  # a mistake in the command is said before there is a window
            pass
        choice = settled(choice, settings)
        _run_window(choice, recipe, settings, remark, bundle, database, device, precision, splash)
    except Exception as error:  # told in a window where nobody reads a terminal; then as by every command
        if splash is not None:
            splash.close()
        tell_start_problem(error, log_path())
        raise


def _run_window(
    choice: SourceChoice,
    recipe: Recipe,
    settings: Settings,
    remark: str | None,
    bundle: Path | None,
    database: str | None,
    device: str,
    precision: str,
    splash: Splash | None,
) -> NoReturn:
    """Opens the records and the window; ends with the window's exit status.

    Args:
        choice, recipe, settings: what runs.
        remark: what is to be told in the window, of the settings.
        bundle, database, device, precision: options of the command.
        splash: what is seen until then.
    """
    from aoi_app.app.application import Application, run
    from aoi_app.app.fault_teller import FaultTeller
    from aoi_app.faults.fault_watch import watch_faults
    from aoi_app.learning.start_model import model_to_start
    from aoi_app.records.database import chosen_url, open_database
    from aoi_app.records.interrupted import mark_interrupted
    from aoi_app.ui.main.splash import running_qt

    with watch_faults(log_path()) as watch:
        qt = running_qt()
        qt.aboutToQuit.connect(watch.close)
        engine = open_database(chosen_url(database, settings.database))
        interrupted = mark_interrupted(engine)
        choose = None if bundle is not None else partial(model_to_start, models_folder(), DEMO_BUNDLE)
        application = Application(
            qt, settings, engine, choice, bundle or DEMO_BUNDLE, recipe, device, precision, choose_model=choose
        )
        teller = FaultTeller(application.window, application.program.notifier, watch)
        if interrupted:
            remark = f"Roll {interrupted[-1]} was interrupted; what was inspected of it is in the records."
        if remark:
            application.program.notifier.keep(remark)

        def shown() -> None:
            if splash is not None:
                splash.finish(application.window)
            teller.tell_earlier_ones()

        sys.exit(run(qt, application, shown))


def run_command(splash: Splash | None = None) -> int:
    """Runs the command line and returns its exit status; a user's mistake is one line and exit status 2.

    Args:
        splash: what is seen until the window opens.
    """
    return run_program(lambda: app(obj=splash), _say)


def _say(text: str) -> None:
    console.print(f"[red]Error:[/red] {escape(text)}", highlight=False, soft_wrap=True)
