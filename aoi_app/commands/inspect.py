"""The command that inspects without a window."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from aoi_app.commands.options import (
    DEMO_BUNDLE,
    MOST,
    SOURCES,
    Bits,
    Bundle,
    Device,
    Fabric,
    Maps,
    MinAreaMm2,
    MmPerCount,
    MmPerLine,
    MmPerPx,
    Precision,
    Preset,
    Producer,
    RecipeFile,
    Record,
    RecordGb,
    Seconds,
    Separate,
    Threshold,
    Tiles,
    chosen_recipe,
    console,
    settled,
)
from aoi_app.commands.order_options import (
    Article,
    Gsm,
    Loom,
    Lot,
    NominalWidthMm,
    Operator,
    OrderNumber,
    RollNumber,
    chosen_order,
)
from aoi_app.settings.recipe import RecipeError
from aoi_app.settings.settings import load_settings
from aoi_app.sources.registry import spec_of
from aoi_app.sources.source import SourceError
from aoi_app.sources.source_choice import SourceChoice, camera_choice

_ASLEEP_WITHIN_S = 5.0  # a bus that hangs does not hold up the end of the command

Strips = Annotated[
    Path | None,
    typer.Argument(help="Folder of pictures; its sub-folders if it holds none. Or the recording of a camera."),
]
Out = Annotated[Path, typer.Option(help="Folder for defects.json, .csv, records.db, itdd/, maps/.")]
Source = Annotated[str | None, typer.Option(help=f"Instead of a folder: {SOURCES} A camera runs until Ctrl-C.")]
GoesOn = Annotated[
    int | None,
    typer.Option(
        "--continue",
        help="Go on with this roll of --out, which a crash or a power cut has left, with its recipe and work order.",
        min=1,
    ),
]
SelfTaught = Annotated[
    bool | None,
    typer.Option(
        "--self-taught/--not-self-taught",
        help="The first cloth teaches the model what this cloth is, defects and all; no fabric has to be enrolled.",
        show_default=False,
    ),
]
FirstClothM = Annotated[
    float | None,
    typer.Option(help="Metres of cloth that teach, with --self-taught; 0.5 unless the recipe says otherwise."),
]
Lines = Annotated[int | None, typer.Option(help="End after so many lines of a camera or loom.", min=16, max=MOST)]


def inspect(
    strips: Strips = None,
    bundle: Bundle = DEMO_BUNDLE,
    out: Out = Path("inspected"),
    separate: Separate = None,
    threshold: Threshold = None,
    min_area_mm2: MinAreaMm2 = None,
    mm_per_px: MmPerPx = None,
    mm_per_line: MmPerLine = None,
    fabric: Fabric = None,
    self_taught: SelfTaught = None,
    first_cloth_m: FirstClothM = None,
    maps: Maps = False,
    tiles: Tiles = True,
    bits: Bits = None,
    recipe_file: RecipeFile = None,
    device: Device = "auto",
    precision: Precision = "float32",
    source: Source = None,
    lines: Lines = None,
    seconds: Seconds = None,
    producer: Producer = None,
    preset: Preset = None,
    mm_per_count: MmPerCount = None,
    record: Record = None,
    record_gb: RecordGb = 20.0,
    roll_number: RollNumber = "",
    order: OrderNumber = "",
    article: Article = "",
    lot: Lot = "",
    loom: Loom = "",
    operator: Operator = "",
    nominal_width_mm: NominalWidthMm = None,
    gsm: Gsm = None,
    goes_on: GoesOn = None,
) -> None:
    """Inspect a folder of strips, a recording or a camera without a window.

    Exit status: 0 everything was inspected; 2 nothing could be done; 3 something was not inspected or not written
    (it is listed); 130 stopped by Ctrl-C, with what was done until then written.
    """
    from aoi_app.live.awake import KeepAwake
    from aoi_app.live.headless import HeadlessRun, run_headless

    of_recipe = {
        "mm_per_px": mm_per_px, "mm_per_line": mm_per_line, "fabric": fabric, "threshold": threshold,
        "min_area_mm2": min_area_mm2, "self_taught": self_taught, "first_cloth_m": first_cloth_m,
    }  # fmt: skip
    of_order = {
        "roll_number": roll_number, "order_number": order, "article": article, "lot": lot, "loom": loom,
        "operator": operator, "nominal_width_mm": nominal_width_mm, "gsm": gsm,
    }  # fmt: skip
    if goes_on is not None:
        _refuse_other_values({"recipe": recipe_file, **of_recipe, **of_order, "order": order, "order_number": ""})
    recipe = chosen_recipe(recipe_file, None, **of_recipe, camera_preset=str(preset) if preset is not None else None)
    if (strips is None) == (source is None):
        raise SourceError(
            "nothing-to-inspect-named", "Name what to inspect: a folder, or a source with --source, and not both."
        )
    spec = spec_of(strips) if strips is not None else str(source)
    camera = camera_choice(spec, load_settings()[0].camera, producer, preset, mm_per_count)
    choice = SourceChoice(
        spec, separate=separate, bits=bits, lines=lines, seconds=seconds,
        camera=camera, record=record, record_gb=record_gb,
    )  # fmt: skip
    choice = settled(choice, load_settings()[0])
    work_order = chosen_order(**of_order)
    awake = KeepAwake()
    awake.begin()
    try:
        status = run_headless(
            HeadlessRun(choice, bundle, out, recipe, device, precision, maps, tiles, work_order, goes_on), console
        )
    finally:
        awake.close()
        awake.wait(_ASLEEP_WITHIN_S)
    sys.exit(status)


def _refuse_other_values(given: Mapping[str, object]) -> None:
    """A roll that goes on keeps its recipe and work order. Raises RecipeError."""
    named = ["--" + name.replace("_", "-") for name, value in given.items() if value not in (None, "")]
    if named:
        raise RecipeError(
            "continued-roll-keeps-values",
            "A roll that goes on keeps its recipe and its work order. Leave out {options}.",
            options=", ".join(named),
        )
