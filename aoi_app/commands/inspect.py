"""The command that inspects without a window."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from aoi_app.commands.options import (
    DEMO_BUNDLE,
    MOST,
    SOURCES,
    Bundle,
    Device,
    Fabric,
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
)
from aoi_app.settings.settings import load_settings
from aoi_app.sources.factory import SourceChoice, camera_choice
from aoi_app.sources.registry import spec_of
from aoi_app.sources.source import SourceError


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
    min_area_mm2: Annotated[float | None, typer.Option(help="Smaller defects are not listed.", min=0, max=1e6)] = None,
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
        str | None, typer.Option(help=f"Instead of a folder: {SOURCES} A camera runs until Ctrl-C.")
    ] = None,
    lines: Annotated[
        int | None, typer.Option(help="End after so many lines of a camera or loom.", min=16, max=MOST)
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="End after so many seconds of a camera.", min=0.1, max=1e9)
    ] = None,
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
    from aoi_app.live.headless import HeadlessRun, run

    recipe = chosen_recipe(
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
    job = HeadlessRun(
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
