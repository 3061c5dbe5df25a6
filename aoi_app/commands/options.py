"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from aoi_app.settings.assets import asset
from aoi_app.settings.folders import recipes_folder
from aoi_app.settings.recipe import Recipe, RecipeError, load_recipe
from aoi_app.settings.recipe_store import load_recipes
from aoi_app.settings.settings import Settings
from aoi_app.settings.strict_json import describe_errors
from aoi_app.sources.folder_layout import folder_of, settle_layout
from aoi_app.sources.registry import describe_sources
from aoi_app.sources.source_choice import SourceChoice

console = Console(stderr=True)
DEMO_BUNDLE = asset("demo.cras")
SOURCES = describe_sources()
Bundle = Annotated[Path, typer.Option(help="The model; the demo bundle knows the built-in loom only.")]
MmPerPx = Annotated[
    float | None, typer.Option(help="Size of a pixel across the web, millimetres; more than 0, up to 10.")
]
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
    float | None, typer.Option(help="Lines per second; without it a folder runs as fast as it can.", min=1, max=1e7)
]
MOST = 2**31 - 1
"""The largest whole number of an option; databases and C libraries take no larger one."""

Database = Annotated[
    str | None, typer.Option(help="Where rolls are recorded, e.g. sqlite:///rolls.db or postgresql://...")
]
Producer = Annotated[str | None, typer.Option(help="GenTL producer (.cti) of the camera, or a folder of them.")]
Preset = Annotated[Path | None, typer.Option(help="Features that the camera is set to, from 'aoi camera features'.")]
MmPerCount = Annotated[
    float | None, typer.Option(help="Web per count of the encoder, millimetres; negative where it counts down.")
]
Record = Annotated[Path | None, typer.Option(help="Record what the camera delivers below this folder.")]
RecordGb = Annotated[
    float, typer.Option(help="Size of a recording, GB; it keeps the latest cloth.", min=0.001, max=1e6)
]


Separate = Annotated[
    bool | None,
    typer.Option(
        "--separate/--one-web",
        help="Every picture of a folder is a web of its own, or they are neighbours on one web; else it is measured.",
        show_default=False,
    ),
]
MinAreaMm2 = Annotated[float | None, typer.Option(help="Smaller defects are not listed.", min=0, max=1e6)]
Maps = Annotated[bool, typer.Option(help="Write the anomaly map of every picture (16-bit PNG, score x 10000).")]
Tiles = Annotated[bool, typer.Option(help="Write 512 px tiles and masks as a data set in ITDD's layout.")]
Bits = Annotated[int | None, typer.Option(help="Bits that 16-bit pictures really use.", min=9, max=16)]
Seconds = Annotated[float | None, typer.Option(help="End after so many seconds of a camera.", min=0.1, max=1e9)]


def kept_recipe(fabric: str | None) -> Recipe | None:
    """The recipe that the window keeps of a fabric, if any; one that cannot be read is said there."""
    return load_recipes(recipes_folder())[0].get(fabric) if fabric is not None else None


def chosen_recipe(path: Path | None, kept: Recipe | None = None, **given: float | str | None) -> Recipe:
    """The recipe of a file, the one kept of the fabric, or the standard one, with what the command line says on top."""
    base = load_recipe(path) if path is not None else kept or load_recipe(asset("standard-recipe.json"))
    try:
        return Recipe.model_validate(base.model_dump() | {k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        raise RecipeError(
            "options-make-no-recipe", "The options do not make a recipe: {problems}", problems=describe_errors(error)
        ) from error


def settled(choice: SourceChoice, settings: Settings) -> SourceChoice:
    """The source with the layout of its pictures decided, which is said. Raises SourceError."""
    folder = folder_of(choice)
    kept = settings.separate_pictures.get(str(folder)) if folder is not None else None
    choice, text = settle_layout(choice, kept)
    if text:
        hint = " --separate or --one-web says otherwise."
        console.print(f"[cyan]Pictures:[/cyan] {escape(text)}{hint}", highlight=False, soft_wrap=True)
    return choice
